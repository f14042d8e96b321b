//! `frameloom config`: what settings there are. All of it comes from their declaration and from the flags that lay over them.

use clap::Parser;
use frameloom::config::schemars::JsonSchema;
use frameloom::config::{Layers, SettingDoc, Settings, reference, schema};
use frameloom::workflows::analyze::AnalyzeConfig;
use frameloom::workflows::chunk::heat::HeatConfig;
use frameloom::workflows::chunk::plan::PlanParams;
use frameloom::workflows::chunk::process::{ProcessConfig, ProxyConfig};
use frameloom::workflows::collage::{CollageSettings, IndexSettings};
use frameloom::workflows::curate::CurateConfig;
#[cfg(feature = "onnx")]
use frameloom::workflows::sync::run::SyncConfig;
use frameloom::workflows::track::run::TrackConfig;
use frameloom::{Error, Result};
use serde_json::{Map, Value, json};

use crate::args::{Cli, Command};
use crate::chunk_args::ChunkCommand;
use crate::config_args::ConfigCommand;
use crate::curate_args::CurateCommand;
use crate::index_args::IndexCommand;
use crate::output::Output;

/// The settings of one command.
struct Section {
    /// Name of its schema.
    name: &'static str,
    /// The command with placeholders for all that it needs.
    line: &'static [&'static str],
    schema: fn(&str) -> Result<Value>,
    reference: fn() -> Result<Vec<SettingDoc>>,
}

const fn section<T: Settings + JsonSchema>(name: &'static str, line: &'static [&'static str]) -> Section {
    Section { name, line, schema: schema::<T>, reference: reference::<T> }
}

const SECTIONS: &[Section] = &[
    section::<AnalyzeConfig>("analyze", &["analyze", "-"]),
    section::<HeatConfig>("heatmap", &["heatmap", "-", "--output=-"]),
    section::<PlanParams>("chunk-plan", &["chunk", "plan", "-", "--output=-"]),
    section::<ProcessConfig>("chunk-run", &["chunk", "run", "-", "--output=-"]),
    section::<ProxyConfig>("proxy", &["proxy", "-", "--output=-"]),
    section::<CurateConfig>("curate", &["curate", "run", "-", "--output-dir=-"]),
    #[cfg(feature = "onnx")]
    section::<SyncConfig>("sync", &["sync", "-"]),
    section::<IndexSettings>("index", &["index", "build", "-", "--output=-"]),
    section::<CollageSettings>("collage", &["collage", "-", "-"]),
    section::<TrackConfig>("track", &["track", "-"]),
];

/// Names that are taken for WORKFLOW.
pub(crate) fn names() -> Vec<&'static str> {
    SECTIONS.iter().map(|s| s.name).collect()
}

impl Section {
    /// As it is typed, without what it is applied to.
    fn command(&self) -> String {
        let words = self.line.iter().filter(|word| !word.starts_with('-'));
        words.fold("frameloom".to_owned(), |line, word| format!("{line} {word}"))
    }

    fn title(&self) -> String {
        format!("Settings of `{}`", self.command())
    }

    /// Its flags, as the command itself lays them over the settings.
    fn layers(&self) -> Result<Layers> {
        let line = std::iter::once(&"frameloom").chain(self.line);
        let cli = Cli::try_parse_from(line).map_err(|e| Error::usage(e.to_string().trim_end().to_owned()))?;
        match &cli.command {
            Command::Analyze(a) => super::analyze::layers(a),
            Command::Heatmap(a) => super::heatmap::heat_layers(a),
            Command::Chunk(a) => match &a.command {
                ChunkCommand::Plan(a) => super::heatmap::plan_layers(a),
                ChunkCommand::Run(a) => super::chunk_run::run_layers(a),
                ChunkCommand::Segments(_) => Err(Error::Bug("segments have no settings".into())),
            },
            Command::Proxy(a) => super::chunk_run::proxy_layers(a),
            Command::Curate(a) => match &a.command {
                CurateCommand::Run { input, deciding, layout, trigger } => {
                    let given = (input.every, layout.as_slice(), trigger.as_deref());
                    super::curate::run_layers((&input.settings, deciding), given)
                }
                _ => Err(Error::Bug("not the command with all settings".into())),
            },
            #[cfg(feature = "onnx")]
            Command::Sync(a) => a.settings.layers(),
            Command::Index(a) => match &a.command {
                IndexCommand::Build { config, descriptor, aspect, search, .. } => {
                    super::index::build_layers(config.as_deref(), (descriptor, *aspect, search))
                }
                _ => Err(Error::Bug("not the command with settings".into())),
            },
            Command::Collage(a) => super::collage::settings_layers(a),
            Command::Track(a) => a.settings.layers(),
            _ => Err(Error::Bug(format!("`{}` has no settings", self.command()))),
        }
    }

    fn markdown(&self) -> Result<String> {
        let layers = self.layers()?;
        let mut text = format!("## `{}`\n\n", self.command());
        text.push_str(&format!("Schema: `frameloom config schema {}`.\n\n", self.name));
        text.push_str("| setting | value | default | meaning | set by |\n|---|---|---|---|---|\n");
        for setting in (self.reference)()? {
            text.push_str(&row(&setting, &layers));
        }
        Ok(text)
    }
}

/// A text within a cell of a table in Markdown.
pub(super) fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('<', "&lt;")
}

fn row(s: &SettingDoc, layers: &Layers) -> String {
    let value = match (s.choices.is_empty(), s.range.is_empty()) {
        (false, _) => {
            let names: Vec<String> = s.choices.iter().map(|(name, _)| format!("`{}`", cell_code(name))).collect();
            let of = if s.kind.starts_with("list") { "list of " } else { "" };
            format!("{of}{}", names.join(", "))
        }
        (true, true) => s.kind.clone(),
        (true, false) => format!("{}, {}", s.kind, s.range),
    };
    let default = s.default.as_ref().map_or_else(String::new, |d| format!("`{}`", cell_code(d)));
    let mut meaning = cell(&s.meaning);
    for (name, what) in s.choices.iter().filter(|(_, what)| !what.is_empty()) {
        meaning.push_str(&format!("<br>`{}`: {}", cell_code(name), cell(what)));
    }
    let mut set: Vec<String> = layers.flags_of(&s.path).map(|flag| format!("`{flag}`")).collect();
    if s.alone {
        set.push(format!("`{}`", layers.variable(&s.path)));
    }
    format!("| `{}` | {value} | {default} | {meaning} | {} |\n", s.path, set.join("<br>"))
}

/// Code within a cell: `<` stays, it is no markup there.
fn cell_code(text: &str) -> String {
    text.replace('|', "\\|")
}

/// The schema of all: a file fits when it fits one of them.
fn all() -> Result<Value> {
    let mut definitions = Map::new();
    for s in SECTIONS {
        definitions.insert(s.name.into(), (s.schema)(&s.title())?);
    }
    let any: Vec<Value> = SECTIONS.iter().map(|s| json!({ "$ref": format!("#/$defs/{}", s.name) })).collect();
    Ok(json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Settings of Frameloom", "anyOf": any,
        "$defs": definitions,
    }))
}

fn find(name: &str) -> Result<&'static Section> {
    SECTIONS.iter().find(|s| s.name == name).ok_or_else(|| Error::usage(format!("there are no settings of `{name}`")))
}

pub(crate) fn run(command: &ConfigCommand, out: &mut Output) -> Result<u8> {
    match command {
        ConfigCommand::Schema { workflow } => {
            out.event("start", json!({ "command": "config schema", "workflow": workflow }));
            let schema = match workflow {
                Some(name) => find(name).and_then(|s| (s.schema)(&s.title()))?,
                None => all()?,
            };
            out.text(&frameloom::config::to_json(&schema)?);
            out.event("result", json!({ "schema": schema }));
        }
        ConfigCommand::Reference { workflow } => {
            out.event("start", json!({ "command": "config reference", "workflow": workflow }));
            let sections: Vec<&Section> = match workflow {
                Some(name) => vec![find(name)?],
                None => SECTIONS.iter().collect(),
            };
            let pages = sections.iter().map(|s| s.markdown()).collect::<Result<Vec<String>>>()?;
            let text = pages.join("\n");
            out.text(text.trim_end());
            out.event("result", json!({ "markdown": text }));
        }
    }
    Ok(0)
}
