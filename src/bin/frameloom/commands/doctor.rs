//! `frameloom doctor`: what this machine has, what is missing, how to get it.

use frameloom::gpu::{DeviceChoice, GpuContext, GpuOptions, list_adapters};
use frameloom::{Result, media};
use serde_json::{Value, json};

use crate::args::{DoctorArgs, Global};
use crate::output::{Output, error_json, printable};

/// One line of the check list.
struct Check {
    name: &'static str,
    ok: bool,
    text: String,
    fix: Option<String>,
    detail: Value,
}

pub(crate) fn run(global: &Global, args: &DoctorArgs, out: &mut Output) -> Result<u8> {
    out.event("start", json!({ "command": "doctor" }));
    let checks = [adapters(&global.device), ffmpeg(args.all), onnx(), models(), faiss(), memory()];
    for check in &checks {
        out.text(&format!("{} {:<13} {}", if check.ok { "ok  " } else { "MISS" }, check.name, printable(&check.text)));
        if let Some(fix) = &check.fix {
            out.text(&format!("       -> {fix}"));
        }
        out.event("item", json!({ "check": check.name, "ok": check.ok, "text": check.text, "fix": check.fix, "detail": check.detail }));
    }
    out.text("");
    for a in list_adapters() {
        out.text(&format!("adapter {}: {} [{}], {}, driver {}", a.index, a.name, a.kind, a.backend, a.driver));
        let have: Vec<_> = a.features.iter().filter(|f| f.1).map(|f| f.0).collect();
        let lack: Vec<_> = a.features.iter().filter(|f| !f.1).map(|f| f.0).collect();
        out.text(&format!(
            "  has {}{}",
            have.join(", "),
            if lack.is_empty() { String::new() } else { format!("; lacks {}", lack.join(", ")) }
        ));
        if args.all {
            for (name, value) in &a.limits {
                out.text(&format!("  {name}: {value}"));
            }
        }
    }
    let missing: Vec<&str> = checks.iter().filter(|c| !c.ok).map(|c| c.name).collect();
    out.event("result", json!({ "missing": missing }));
    Ok(if checks.iter().any(|c| !c.ok && c.name == "GPU") { 8 } else { 0 })
}

fn adapters(choice: &DeviceChoice) -> Check {
    let opened = GpuContext::new(&GpuOptions { device: choice.clone(), ..GpuOptions::default() });
    match opened {
        Ok(ctx) => {
            let caps = ctx.caps();
            let fix = caps
                .is_software()
                .then(|| "software adapter: everything works, slowly. For a GPU install its Vulkan driver".to_owned());
            let text = format!("{} [{}], {} ({})", caps.name, caps.kind, caps.backend, caps.driver);
            let detail = json!({
                "name": caps.name, "kind": caps.kind, "backend": caps.backend, "driver": caps.driver,
                "timestamps": caps.timestamps, "f16": caps.f16, "mappable_storage": caps.mappable_storage,
                "subgroup_sizes": [caps.subgroup_sizes.0, caps.subgroup_sizes.1],
                "max_binding_bytes": caps.max_binding_bytes,
            });
            Check { name: "GPU", ok: true, text, fix, detail }
        }
        Err(e) => Check { name: "GPU", ok: false, text: e.to_string(), fix: e.hint(), detail: error_json(&e) },
    }
}

fn ffmpeg(all: bool) -> Check {
    let versions = media::ffmpeg_versions();
    let codecs = media::codec_support();
    let names = |wanted: bool| -> Vec<&str> { codecs.iter().filter(|c| c.1 == wanted).map(|c| c.0).collect() };
    let (have, lack) = (names(true), names(false));
    let mut text = versions.join(", ");
    if all {
        text.push_str(&format!("; codecs: {}", have.join(", ")));
    }
    if !lack.is_empty() {
        text.push_str(&format!("; without {}", lack.join(", ")));
    }
    let detail = json!({ "versions": versions, "codecs": have, "missing_codecs": lack });
    Check { name: "FFmpeg", ok: true, text, fix: None, detail }
}

#[cfg(feature = "onnx")]
fn onnx() -> Check {
    match frameloom::infer::load_runtime() {
        Ok(info) => {
            let there = frameloom::infer::Provider::available().unwrap_or_default();
            let providers: Vec<&str> = there.iter().map(|p| p.name()).collect();
            // Others are there for programs that use the library.
            let (at, has) = (info.path.display(), providers.join(", "));
            let text = format!("{} at {at}, has the providers {has}; the command uses cpu", info.version);
            let detail =
                json!({ "version": info.version, "path": info.path, "build": info.build, "providers": providers });
            Check { name: "ONNX Runtime", ok: true, text, fix: None, detail }
        }
        Err(e) => Check { name: "ONNX Runtime", ok: false, text: e.to_string(), fix: e.hint(), detail: error_json(&e) },
    }
}

#[cfg(not(feature = "onnx"))]
fn onnx() -> Check {
    left_out("ONNX Runtime", "onnx")
}

/// Listed models; their content is what `frameloom models verify` looks at.
#[cfg(feature = "onnx")]
fn models() -> Check {
    match frameloom::infer::ModelRegistry::find(&[]) {
        Ok(registry) => {
            let folders: Vec<String> = registry.folders().iter().map(|f| f.display().to_string()).collect();
            let count = registry.list().len();
            let stand_ins = registry.list().iter().filter(|m| m.entry.stand_in).count();
            let text = if folders.is_empty() {
                "none listed (FRAMELOOM_MODELS names folders of models)".into()
            } else {
                format!("{count} listed, {stand_ins} of them stand-in, in {}", folders.join(", "))
            };
            let detail = json!({ "models": count, "stand_ins": stand_ins, "folders": folders });
            Check { name: "models", ok: true, text, fix: None, detail }
        }
        Err(e) => Check { name: "models", ok: false, text: e.to_string(), fix: e.hint(), detail: error_json(&e) },
    }
}

#[cfg(not(feature = "onnx"))]
fn models() -> Check {
    left_out("models", "onnx")
}

#[cfg(feature = "faiss")]
fn faiss() -> Check {
    let checked = frameloom::index::self_check();
    let version = frameloom::index::FAISS_VERSION;
    match checked {
        Ok(()) => {
            let text = format!("{version}, self-check passed");
            Check { name: "FAISS", ok: true, text, fix: None, detail: json!({ "version": version }) }
        }
        Err(e) => Check { name: "FAISS", ok: false, text: e.to_string(), fix: e.hint(), detail: error_json(&e) },
    }
}

#[cfg(not(feature = "faiss"))]
fn faiss() -> Check {
    left_out("FAISS", "faiss")
}

#[cfg(any(not(feature = "onnx"), not(feature = "faiss")))]
fn left_out(name: &'static str, feature: &str) -> Check {
    let text = format!("left out of this build (feature `{feature}`)");
    Check { name, ok: true, text, fix: None, detail: Value::Null }
}

fn memory() -> Check {
    let table = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let kib = |name: &str| {
        table.lines().find_map(|l| l.strip_prefix(name)?.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok())
    };
    let (total, free) = (kib("MemTotal:"), kib("MemAvailable:"));
    let gib = |v: Option<u64>| v.map_or_else(|| "unknown".to_owned(), |v| format!("{:.1} GiB", v as f64 / 1_048_576.0));
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let text = format!("{} of {} available, {cores} cores", gib(free), gib(total));
    Check {
        name: "memory",
        ok: true,
        text,
        fix: None,
        detail: json!({ "total_kib": total, "available_kib": free, "cores": cores }),
    }
}
