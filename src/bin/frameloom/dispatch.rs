//! One command: what `main`, a pipeline and a worker all call.

use std::panic::{AssertUnwindSafe, catch_unwind};

use clap::CommandFactory;
use frameloom::{Error, Result};

use crate::args::{Cli, Command, Global};
use crate::output::Output;
use crate::progress::Mode;
use crate::signals::Signals;
use crate::{chunk_args, commands};

/// Runs `command` to its end; a panic is an error like others.
///
/// # Errors
/// What the command could not do; [`Error::Bug`] for a panic.
pub(crate) fn dispatch(
    command: &Command,
    global: &Global,
    out: &mut Output,
    signals: &Signals,
    progress: Mode,
) -> Result<u8> {
    let caught = catch_unwind(AssertUnwindSafe(|| call(command, global, out, signals, progress)));
    caught.unwrap_or_else(|_| Err(Error::Bug("a panic, see above".into())))
}

fn call(command: &Command, global: &Global, out: &mut Output, signals: &Signals, progress: Mode) -> Result<u8> {
    match command {
        Command::Doctor(a) => commands::doctor::run(global, a, out),
        Command::Probe(a) => commands::probe::run(global, a, out),
        Command::Analyze(a) => commands::analyze::run(global, a, out, signals, progress),
        Command::Collage(a) => commands::collage::run(global, a, out, signals, progress),
        Command::Index(a) => commands::index::run(global, a, out, signals, progress),
        Command::Curate(a) => commands::curate::run(global, a, out, signals, progress),
        Command::Heatmap(a) => commands::heatmap::run(global, a, out, signals, progress),
        Command::Chunk(a) => match &a.command {
            chunk_args::ChunkCommand::Plan(a) => commands::heatmap::run_plan(a, out, signals, progress),
            chunk_args::ChunkCommand::Segments(a) => commands::heatmap::run_segments(a, out),
            chunk_args::ChunkCommand::Run(a) => commands::chunk_run::run(global, a, out, signals, progress),
        },
        Command::Proxy(a) => commands::chunk_run::proxy(global, a, out, signals, progress),
        Command::Audio(a) => commands::audio::run(a, out),
        Command::ExtractAudio(a) => commands::audio::extract(a, out),
        Command::Split(a) => commands::split::run(a, out, signals, progress),
        Command::ChunkTime(a) => commands::split::time(a, out, signals, progress),
        Command::ChunkSilence(a) => commands::split::silence(a, out, signals, progress),
        #[cfg(feature = "onnx")]
        Command::Sync(a) => commands::sync::run(global, a, out, signals, progress),
        Command::Run(a) => commands::pipeline::run(global, a, out, signals, progress),
        Command::Merge(a) => commands::merge::run(a, out, signals),
        Command::Worker(a) => commands::worker::run(global, a, out, signals),
        Command::Demo(a) => commands::demo::run(global, a, out, signals),
        Command::Track(a) => commands::track::run(global, a, out, signals, progress),
        #[cfg(target_os = "linux")]
        Command::DecodeWorker => Err(frameloom::Error::Bug("a decoder process is no command".into())),
        Command::Config(a) => commands::config::run(&a.command, out),
        Command::Ops(a) => commands::ops::run(a, out),
        Command::Bench(a) => commands::bench::run(global, a, out),
        #[cfg(feature = "onnx")]
        Command::Models(a) => commands::models::run(a, out),
        Command::Completions { shell } => {
            clap_complete::generate(*shell, &mut Cli::command(), "frameloom", &mut std::io::stdout());
            Ok(0)
        }
        Command::Man { folder } => commands::man::run(folder.as_deref(), out),
    }
}
