//! What can be typed after `run` and `worker`.

use std::path::PathBuf;

use clap::Args;
use serde_json::Value;

#[derive(Debug, Args)]
#[command(after_help = "\
A file names steps. Each runs a command with the options of its command line by name, on files or on what other steps leave:

  vars:
    clip: clip.mp4
  steps:
    - name: heat
      run: heatmap
      input: ${vars.clip}
    - name: plan
      run: chunk plan
      heat: ${steps.heat.heat}
      sizes: [256x256]

All of it is checked before anything runs. The same command again keeps steps whose options and inputs are the same.

Examples:
  frameloom run pipeline.yaml                       one folder per step and index.html in pipeline.run/
  frameloom run pipeline.yaml -o out --set clip=other.mp4
  frameloom run pipeline.yaml --dry-run             the commands, nothing done
  frameloom run pipeline.yaml --one-by-one          slower, for little memory")]
pub(crate) struct RunArgs {
    /// Steps: a .yaml, .toml or .json file
    #[arg(value_name = "PIPELINE")]
    pub(crate) file: PathBuf,
    /// Output folder: a folder per step and index.html [default: <stem>.run in the working folder]
    #[arg(short, long, value_name = "DIR")]
    pub(crate) output: Option<PathBuf>,
    /// Another value for a variable of the file; may be given several times
    #[arg(long = "set", value_name = "VAR=VALUE", value_parser = crate::set_args::setting)]
    pub(crate) set: Vec<(String, Value)>,
    /// Show the commands and what would be kept, and do nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Do every step anew, whatever an earlier run left
    #[arg(long)]
    pub(crate) restart: bool,
    /// One step at a time, each decoding for itself. Else steps that read the same video and do not wait for each other run at the same time, each frame decoded once
    #[arg(long)]
    pub(crate) one_by_one: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "\
One JSON object a line. Work comes in on standard input, and one line about each goes out on standard output:

  {\"id\": \"a\", \"command\": \"analyze\", \"input\": \"clip.mp4\", \"output\": \"out/a\", \"options\": {\"dark\": 0.2}}
  {\"cancel\": \"a\"}

The end of the input ends the worker when all is done. TERM: what runs is finished, what waits is given back. INT: what runs is stopped.
The messages are in docs/embedding.md.

Examples:
  frameloom worker --stdio < work.jsonl > done.jsonl
  frameloom worker --stdio --jobs 2 --queue 16 < work.jsonl")]
pub(crate) struct WorkerArgs {
    /// Speak on standard input and output; there is no other way yet
    #[arg(long, required = true)]
    pub(crate) stdio: bool,
    /// Units at the same time, each with a device and networks of its own
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=64))]
    pub(crate) jobs: u32,
    /// Units that wait at most; no more lines are read while so many do
    #[arg(long, default_value_t = 64, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) queue: u32,
}
