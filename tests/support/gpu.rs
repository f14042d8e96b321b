//! Devices for tests: every adapter of the machine, loud when there is none.
//!
//! `FRAMELOOM_ADAPTER` chooses one (as `--device`); `FRAMELOOM_REQUIRE_GPU=1` turns the absence of a hardware GPU into a failure.
//! Every test that ran says so on standard error, which the summary of `scripts/test.sh` counts.

use frameloom::gpu::{DeviceChoice, GpuContext, GpuOptions, list_adapters};
use std::sync::OnceLock;

fn open_all() -> Vec<GpuContext> {
    let choices: Vec<DeviceChoice> = match std::env::var("FRAMELOOM_ADAPTER") {
        Ok(text) => vec![text.parse().expect("FRAMELOOM_ADAPTER")],
        Err(_) => list_adapters().iter().map(|a| DeviceChoice::Index(a.index)).collect(),
    };
    let contexts: Vec<GpuContext> = choices
        .into_iter()
        .map(|device| {
            let wanted = device.to_string();
            GpuContext::new(&GpuOptions { device, ..GpuOptions::default() })
                .unwrap_or_else(|e| panic!("adapter {wanted}: {e}"))
        })
        .collect();
    let hardware = contexts.iter().any(|c| !c.caps().is_software());
    assert!(
        hardware || std::env::var("FRAMELOOM_REQUIRE_GPU").as_deref() != Ok("1"),
        "FRAMELOOM_REQUIRE_GPU=1, but there is no hardware GPU among: {}",
        contexts.iter().map(|c| c.caps().name.clone()).collect::<Vec<_>>().join(", ")
    );
    contexts
}

/// Runs `test` on every adapter and reports it. With no adapter at all the test fails: the software adapter is part of the setup.
#[track_caller]
pub fn on_every_adapter(name: &str, test: impl Fn(&GpuContext)) {
    static CONTEXTS: OnceLock<Vec<GpuContext>> = OnceLock::new();
    let contexts = CONTEXTS.get_or_init(open_all);
    assert!(!contexts.is_empty(), "no adapter found: run scripts/setup.sh, it installs the software adapter");
    for ctx in contexts {
        test(ctx);
        ctx.check().unwrap_or_else(|e| panic!("{name} on {}: {e}", ctx.caps().name));
        eprintln!("GPU TRIAL {name} on {} [{}]", ctx.caps().name, ctx.caps().kind);
        record_trial(&format!("{name}\t{}\t{}\n", ctx.caps().name, ctx.caps().kind));
    }
}

/// Appends to the file in `FRAMELOOM_TRIALS`, which `scripts/test.sh` counts: passing tests are silent under a test runner.
fn record_trial(line: &str) {
    use std::io::Write;
    if let Some(path) = std::env::var_os("FRAMELOOM_TRIALS") {
        let mut file = std::fs::OpenOptions::new().append(true).create(true).open(path).expect("FRAMELOOM_TRIALS");
        file.write_all(line.as_bytes()).expect("FRAMELOOM_TRIALS");
    }
}
