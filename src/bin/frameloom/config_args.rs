//! What can be typed after `config`.

use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand};

use crate::commands::config::names;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  frameloom config schema track > track.schema.json
  frameloom config reference curate

With a line like this at its top an editor with a YAML language server completes and checks a file of settings:
  # yaml-language-server: $schema=track.schema.json
In TOML it is `#:schema track.schema.json`, in JSON a key: \"$schema\": \"track.schema.json\".")]
pub(crate) struct ConfigArgs {
    #[command(subcommand)]
    pub(crate) command: ConfigCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Print the JSON Schema (draft 2020-12) of files of settings
    #[command(after_help = "\
Examples:
  frameloom config schema track > track.schema.json")]
    Schema {
        /// Whose settings [default: those of any workflow]
        #[arg(value_name = "WORKFLOW", value_parser = PossibleValuesParser::new(names()))]
        workflow: Option<String>,
    },
    /// Print all settings as Markdown: type, range, default, meaning, flag, environment variable
    #[command(after_help = "\
Examples:
  frameloom config reference curate")]
    Reference {
        /// Whose settings [default: those of all workflows]
        #[arg(value_name = "WORKFLOW", value_parser = PossibleValuesParser::new(names()))]
        workflow: Option<String>,
    },
}
