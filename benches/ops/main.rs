//! Benchmarks of operations: `cargo bench --bench ops [-- FILTER] [--samples N] [--json]`.
//!
//! `FRAMELOOM_ADAPTER` chooses the adapter (as `--device`), `FRAMELOOM_BENCH_SMALL=1` makes it a smoke test.
#![allow(missing_docs, unreachable_pub, reason = "a program")]

#[path = "mod.rs"]
mod cases;

use frameloom::gpu::{DeviceChoice, GpuContext, GpuOptions};
use frameloom::ops::bench::{BenchOptions, run};
use frameloom::{Error, Result};
use std::process::ExitCode;

fn options() -> Result<(BenchOptions, bool)> {
    let mut options = BenchOptions {
        small: std::env::var("FRAMELOOM_BENCH_SMALL").is_ok_and(|v| v == "1"),
        commit: option_env!("FRAMELOOM_COMMIT").map(str::to_owned),
        ..BenchOptions::default()
    };
    let mut json = false;
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--bench" => {} // cargo says so
            "--json" => json = true,
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
    Ok((options, json))
}

fn bench() -> Result<()> {
    let (options, json) = options()?;
    let device = match std::env::var("FRAMELOOM_ADAPTER") {
        Ok(text) => text.parse()?,
        Err(_) => DeviceChoice::Auto,
    };
    let ctx = GpuContext::new(&GpuOptions { device, ..GpuOptions::default() })?;
    let report = run(&ctx, &options, cases::ALL, &mut |name| eprintln!("bench {name}"))?;
    println!("{}", if json { report.to_json() } else { report.to_markdown() });
    Ok(())
}

fn main() -> ExitCode {
    match bench() {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("error: {e}");
            ExitCode::from(e.exit_code())
        }
    }
}
