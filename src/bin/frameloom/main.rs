//! The `frameloom` command. Data goes to standard output, everything else to standard error; exit codes are in `--help`.

mod args;
mod args_sync;
mod chunk_args;
mod chunk_run_args;
mod collage_args;
mod commands;
mod config_args;
mod curate_args;
mod environment;
mod guard;
mod metrics;
mod output;
mod progress;
mod signals;
#[cfg(feature = "onnx")]
mod sync_args;
mod track_args;

use std::io::IsTerminal;
use std::process::ExitCode;

use clap::{CommandFactory, Parser};

use args::{Cli, Command};
use output::{Output, exit_code_of};

fn main() -> ExitCode {
    environment::settle();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(e) => {
            // Help and version are not errors: clap knows which stream they belong to.
            let code = if e.use_stderr() { 2 } else { 0 };
            let _ = e.print();
            return ExitCode::from(code);
        }
    };
    #[cfg(target_os = "linux")]
    if matches!(cli.command, Command::DecodeWorker) {
        // Nothing of what follows is for a decoder process: it speaks to its parent alone.
        return frameloom::media::isolate::decode_worker();
    }
    let mut out = Output::new(cli.global.json, cli.global.quiet);
    let signals = match signals::install() {
        Ok(s) => s,
        Err(e) => return ExitCode::from(out.fail(&e)),
    };
    let progress = progress::Mode::resolve(cli.global.progress, cli.global.json, std::io::stderr().is_terminal());
    let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| match &cli.command {
        Command::Doctor(a) => commands::doctor::run(&cli.global, a, &mut out),
        Command::Probe(a) => commands::probe::run(&cli.global, a, &mut out),
        Command::Analyze(a) => commands::analyze::run(&cli.global, a, &mut out, &signals, progress),
        Command::Collage(a) => commands::collage::run(&cli.global, a, &mut out, &signals, progress),
        Command::Index(a) => commands::index::run(&cli.global, a, &mut out, &signals, progress),
        Command::Curate(a) => commands::curate::run(&cli.global, a, &mut out, &signals, progress),
        Command::Heatmap(a) => commands::heatmap::run(&cli.global, a, &mut out, &signals, progress),
        Command::Chunk(a) => match &a.command {
            chunk_args::ChunkCommand::Plan(a) => commands::heatmap::run_plan(a, &mut out, &signals, progress),
            chunk_args::ChunkCommand::Segments(a) => commands::heatmap::run_segments(a, &mut out),
            chunk_args::ChunkCommand::Run(a) => commands::chunk_run::run(&cli.global, a, &mut out, &signals, progress),
        },
        Command::Proxy(a) => commands::chunk_run::proxy(&cli.global, a, &mut out, &signals, progress),
        Command::Audio(a) => commands::audio::run(a, &mut out),
        Command::ExtractAudio(a) => commands::audio::extract(a, &mut out),
        Command::Split(a) => commands::split::run(a, &mut out, &signals, progress),
        Command::ChunkTime(a) => commands::split::time(a, &mut out, &signals, progress),
        Command::ChunkSilence(a) => commands::split::silence(a, &mut out, &signals, progress),
        #[cfg(feature = "onnx")]
        Command::Sync(a) => commands::sync::run(&cli.global, a, &mut out, &signals, progress),
        Command::Demo(a) => commands::demo::run(&cli.global, a, &mut out, &signals),
        Command::Track(a) => commands::track::run(&cli.global, a, &mut out, &signals, progress),
        #[cfg(target_os = "linux")]
        Command::DecodeWorker => Err(frameloom::Error::Bug("a decoder process is no command".into())),
        Command::Config(a) => commands::config::run(&a.command, &mut out),
        Command::Ops(a) => commands::ops::run(a, &mut out),
        Command::Bench(a) => commands::bench::run(&cli.global, a, &mut out),
        #[cfg(feature = "onnx")]
        Command::Models(a) => commands::models::run(a, &mut out),
        Command::Completions { shell } => {
            clap_complete::generate(*shell, &mut Cli::command(), "frameloom", &mut std::io::stdout());
            Ok(0)
        }
        Command::Man { folder } => commands::man::run(folder.as_deref(), &mut out),
    }));
    let code = match caught {
        Ok(Ok(code)) => code,
        Ok(Err(e)) => out.fail(&e),
        Err(_) => out.fail(&frameloom::Error::Bug("a panic, see above".into())),
    };
    ExitCode::from(exit_code_of(code, &out, &signals))
}
