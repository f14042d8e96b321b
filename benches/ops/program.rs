//! The benchmark program: `[FILTER] [--samples N] [--json] [--peer COMMAND]`.
//!
//! `FRAMELOOM_ADAPTER` chooses the adapter (as `--device`), `FRAMELOOM_BENCH_SMALL=1` makes it a smoke test. Two targets share it:
//! `cargo bench --bench ops`, and the binary `frameloom-bench` of feature `bench`, which needs nothing but a Vulkan loader.

#[path = "mod.rs"]
mod cases;

use frameloom::gpu::{DeviceChoice, GpuContext, GpuOptions};
use frameloom::ops::bench::{BenchOptions, Peer, run};
use frameloom::{Error, Result};
use std::process::ExitCode;

struct Wanted {
    options: BenchOptions,
    json: bool,
    peer: Option<String>,
}

fn wanted() -> Result<Wanted> {
    let mut options = BenchOptions {
        small: std::env::var("FRAMELOOM_BENCH_SMALL").is_ok_and(|v| v == "1"),
        commit: option_env!("FRAMELOOM_COMMIT").map(str::to_owned),
        ..BenchOptions::default()
    };
    let (mut json, mut peer) = (false, None);
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--bench" => {} // cargo says so
            "--json" => json = true,
            "--peer" => {
                peer = Some(args.next().ok_or_else(|| Error::usage("`--peer` needs a command".to_owned()))?);
            }
            "--samples" => {
                let given = args.next().unwrap_or_default();
                options.samples =
                    given.parse().ok().filter(|n| *n > 0).ok_or_else(|| {
                        Error::usage(format!("`--samples` must be a number from 1 on, got `{given}`"))
                    })?;
            }
            name if !name.starts_with('-') && options.filter.is_none() => options.filter = Some(name.to_owned()),
            other => return Err(Error::usage(format!("unknown argument `{other}`"))),
        }
    }
    Ok(Wanted { options, json, peer })
}

fn bench() -> Result<()> {
    let Wanted { options, json, peer } = wanted()?;
    let device = match std::env::var("FRAMELOOM_ADAPTER") {
        Ok(text) => text.parse()?,
        Err(_) => DeviceChoice::Auto,
    };
    let ctx = GpuContext::new(&GpuOptions { device, ..GpuOptions::default() })?;
    let mut peer = peer.map(|command| cases::ProcessPeer::start(&command)).transpose()?;
    let peer = peer.as_mut().map(|p| p as &mut dyn Peer);
    let report = run(&ctx, &options, cases::ALL, peer, &mut |name| eprintln!("bench {name}"))?;
    println!("{}", if json { report.to_json() } else { report.to_markdown() });
    Ok(())
}

/// Runs what the arguments ask for.
pub fn main() -> ExitCode {
    match bench() {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("error: {e}");
            ExitCode::from(e.exit_code())
        }
    }
}
