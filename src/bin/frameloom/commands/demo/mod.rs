//! `frameloom demo`: every workflow on one clip, and a page that leads to what came out.
//!
//! Each workflow runs as the command that the page shows, in a process of its own: what a newcomer sees is what they get by typing it.

mod canvas;
mod film;
mod page;
mod pictures;
mod scene;
mod sound;
mod steps;
mod stills;

use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::Args;
use frameloom::{Error, Result};
use serde_json::json;

use crate::args::Global;
use crate::output::{Output, printable};
use crate::signals::Signals;
use steps::{Outcome, Step};

/// Arguments of `frameloom demo`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  frameloom demo                                     a rendered clip and pictures; frameloom_demo/index.html
  frameloom demo --video clip.mp4 --images photos/   your own
  frameloom demo --only analyze,collage
Networks are used where a folder of models is given: --models DIR, or FRAMELOOM_MODELS.")]
pub(crate) struct DemoArgs {
    /// Folder for everything that is made
    #[arg(short, long, value_name = "DIR", default_value = "frameloom_demo")]
    output: PathBuf,
    /// Video to work on instead of the rendered one
    #[arg(long, value_name = "FILE")]
    video: Option<PathBuf>,
    /// Folder of pictures for the collage instead of the rendered ones
    #[arg(long, value_name = "DIR")]
    images: Option<PathBuf>,
    /// Folder of models; may be given several times
    #[arg(long, value_name = "DIR")]
    models: Vec<PathBuf>,
    /// Only these workflows, separated by commas
    #[arg(long, value_name = "NAME", value_delimiter = ',', value_parser = steps::NAMES)]
    only: Vec<String>,
}

/// Exit code of a command whose folder holds the work of other input or another version.
const OTHER_STATE: i32 = 11;
/// Pictures that are rendered for the collage.
const PICTURES: u32 = 300;

pub(crate) fn run(global: &Global, args: &DemoArgs, out: &mut Output, signals: &Signals) -> Result<u8> {
    let started = Instant::now();
    out.event("start", json!({ "command": "demo", "output": args.output.to_string_lossy() }));
    let make = |folder: &Path| std::fs::create_dir_all(folder).map_err(|e| Error::storage("create", folder, e));
    make(&args.output)?;
    let (video, truth) = match &args.video {
        Some(video) => (video.clone(), None),
        None => {
            let (path, truth) = film::make(&args.output, signals, out)?;
            (path, Some(truth))
        }
    };
    let images = match &args.images {
        Some(images) => images.clone(),
        None => {
            let folder = args.output.join("pictures");
            make(&folder)?;
            pictures::make(&folder, PICTURES)?;
            folder
        }
    };
    let all = steps::all(&video, &images, &args.output, truth.is_some());
    let wanted = |s: &&Step| args.only.is_empty() || args.only.iter().any(|name| name == s.name);
    let mut outcomes: Vec<(Step, Outcome)> = Vec::new();
    for step in all.iter().filter(wanted) {
        signals.cancel.check()?;
        let mut outcome = step.run(global, &args.models, &args.output, signals, false)?;
        if outcome.code == OTHER_STATE {
            // Left by another version, or of another clip.
            outcome = step.run(global, &args.models, &args.output, signals, true)?;
        }
        out.text(&printable(&format!("{:<9} {:>6.1} s  {}", step.name, outcome.seconds, outcome.says())));
        out.event(
            "item",
            json!({ "workflow": step.name, "exit": outcome.code, "seconds": outcome.seconds, "said": outcome.says() }),
        );
        outcomes.push((step.clone(), outcome));
    }
    let seconds = started.elapsed().as_secs_f64();
    let index = page::write(&args.output, &video, truth.as_ref(), &outcomes, seconds)?;
    let failed = outcomes.iter().filter(|(_, o)| o.failed()).count();
    out.text(&printable(&format!("{:>16.1} s  {}", seconds, index.display())));
    let code = if failed > 0 { 3 } else { 0 };
    out.event(
        "result",
        json!({ "report": index.to_string_lossy(), "failed": failed, "seconds": seconds, "exit": code }),
    );
    Ok(code)
}
