//! The `frameloom` command. Data goes to standard output, everything else to standard error; exit codes are in `--help`.

mod args;
mod args_sync;
mod chunk_args;
mod chunk_run_args;
mod collage_args;
mod commands;
mod config_args;
mod curate_args;
mod decode_args;
mod dispatch;
mod environment;
mod guard;
mod index_args;
mod metrics;
mod output;
mod pipeline_args;
mod progress;
mod set_args;
mod shard_args;
mod signals;
#[cfg(feature = "onnx")]
mod sync_args;
mod track_args;
mod track_more_args;
mod warm;

use std::io::IsTerminal;
use std::process::ExitCode;

use clap::Parser;

use args::{Cli, Command};
use output::{Output, error_json, exit_code_of, usage_error};

fn main() -> ExitCode {
    environment::settle();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(e) => {
            // Help and version are not errors: clap knows which stream they belong to.
            let code = if e.use_stderr() { 2 } else { 0 };
            let _ = e.print();
            // Whoever reads events gets one, though the parser never came to `--json` or stopped behind it.
            let mut words = std::env::args_os().skip(1).take_while(|word| word != "--");
            if code == 2 && words.any(|word| word == "--json") {
                Output::new(true, true).event("error", error_json(&usage_error(&e)));
            }
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
    let code = match dispatch::dispatch(&cli.command, &cli.global, &mut out, &signals, progress) {
        Ok(code) => code,
        Err(e) => out.fail(&e),
    };
    ExitCode::from(exit_code_of(code, &out, &signals))
}
