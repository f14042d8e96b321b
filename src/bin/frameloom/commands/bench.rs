//! `frameloom bench`: the same cases as `cargo bench`.

use std::io::Write;

use frameloom::gpu::{GpuContext, GpuOptions};
use frameloom::ops::bench::{BenchOptions, BenchReport, Peer, run as measure};
use frameloom::store::{OsIo, StoreIo, commit};
use frameloom::{Error, Result};
use serde_json::{Value, json};

use crate::args::{BenchArgs, Global};
use crate::output::Output;

#[path = "../../../../benches/ops/mod.rs"]
mod cases;

pub(crate) fn run(global: &Global, args: &BenchArgs, out: &mut Output) -> Result<u8> {
    out.event("start", json!({ "command": "bench" }));
    let ctx = GpuContext::new(&GpuOptions { device: global.device.clone(), ..GpuOptions::default() })?;
    if let Some(warning) = ctx.software_warning() {
        out.warn(&warning);
    }
    let options = BenchOptions {
        filter: args.filter.clone(),
        small: args.small,
        samples: args.samples,
        commit: option_env!("FRAMELOOM_COMMIT").map(str::to_owned),
    };
    let mut peer = args.peer.as_deref().map(cases::ProcessPeer::start).transpose()?;
    let peer = peer.as_mut().map(|p| p as &mut dyn Peer);
    let report = measure(&ctx, &options, cases::ALL, peer, &mut |name| out.note(&format!("measuring {name}")))?;
    for line in report.to_markdown().lines() {
        out.text(line);
    }
    let files = match &args.output {
        Some(folder) => write(folder, &report)?,
        None => Vec::new(),
    };
    for file in &files {
        out.note(&format!("wrote {file}"));
    }
    let parsed: Value = serde_json::from_str(&report.to_json())
        .map_err(|e| Error::Bug(format!("the benchmark report is no JSON: {e}")))?;
    out.event("result", json!({ "report": parsed, "files": files }));
    Ok(0)
}

/// `bench.md` and `bench.json`, whole or not at all.
fn write(folder: &std::path::Path, report: &BenchReport) -> Result<Vec<String>> {
    OsIo.create_dir_all(folder).map_err(|e| Error::storage("create", folder, e))?;
    let mut files = Vec::new();
    for (name, text) in [("bench.md", report.to_markdown()), ("bench.json", report.to_json() + "\n")] {
        let path = folder.join(name);
        commit(&OsIo, &path, |w| w.write_all(text.as_bytes()))?;
        files.push(path.display().to_string());
    }
    Ok(files)
}
