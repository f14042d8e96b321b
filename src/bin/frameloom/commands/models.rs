//! `frameloom models`: what may be loaded, whether it is unchanged, and how a new file gets listed.

use std::io::Write;
use std::path::Path;

use frameloom::infer::{
    ElementType, Extent, Inspection, IoInfo, ListedModel, MANIFEST, ModelRegistry, Task, import, inspect,
    parse_manifest,
};
use frameloom::store::{OsIo, commit};
use frameloom::{Error, Result};
use serde_json::{Value, json};

use crate::args::{ModelsArgs, ModelsCommand};
use crate::output::{Output, error_json, printable};

pub(crate) fn run(args: &ModelsArgs, out: &mut Output) -> Result<u8> {
    match &args.command {
        ModelsCommand::List { task } => list(&registry(args)?, *task, out),
        ModelsCommand::Verify => verify(&registry(args)?, out),
        ModelsCommand::Inspect { files } => {
            let registry = registry(args)?;
            out.event("start", json!({ "command": "models inspect", "inputs": files.len() }));
            for file in files {
                show(&inspect(file)?, &registry, out);
            }
            out.event("result", json!({ "inputs": files.len() }));
            Ok(0)
        }
        ModelsCommand::Import { file, task, name, write } => propose(file, *task, name.as_deref(), *write, out),
    }
}

fn registry(args: &ModelsArgs) -> Result<ModelRegistry> {
    ModelRegistry::find(&args.folders)
}

/// What is said wherever such a model is named.
fn mark(model: &ListedModel) -> &'static str {
    if model.entry.stand_in { "stand-in" } else { "" }
}

fn as_json(model: &ListedModel) -> Value {
    let e = &model.entry;
    json!({
        "name": e.name, "task": e.task.name(), "file": e.file, "folder": model.folder.to_string_lossy(), "sha256": e.sha256,
        "licence": e.licence, "source": e.source, "stand_in": e.stand_in, "note": e.note, "decoder": e.decoder,
    })
}

fn list(registry: &ModelRegistry, task: Option<Task>, out: &mut Output) -> Result<u8> {
    out.event("start", json!({ "command": "models list" }));
    let shown: Vec<&ListedModel> = registry.list().iter().filter(|m| task.is_none_or(|t| m.entry.task == t)).collect();
    let width = shown.iter().map(|m| m.entry.name.len()).max().unwrap_or(0).max(4);
    if !shown.is_empty() {
        out.text(&format!("{:<width$} {:<12} {:<8}  {:<14} file", "name", "task", "", "licence"));
    }
    for model in &shown {
        let e = &model.entry;
        let path = model.folder.join(&e.file);
        out.text(&printable(&format!(
            "{:<width$} {:<12} {:<8}  {:<14} {}",
            e.name,
            e.task.name(),
            mark(model),
            e.licence,
            path.display()
        )));
        if let Some(note) = &e.note {
            out.text(&printable(&format!("{:<width$} {note}", "")));
        }
        out.event("item", as_json(model));
    }
    for model in registry.hidden() {
        let (name, folder) = (&model.entry.name, model.folder.display());
        out.warn(&format!("`{name}` of {folder} is hidden by the one of a folder that comes earlier"));
    }
    if shown.is_empty() {
        out.note("no models are listed; folders come from `--models DIR`, FRAMELOOM_MODELS and the user's data folder");
    }
    let folders: Vec<_> = registry.folders().iter().map(|f| f.to_string_lossy()).collect();
    out.event("result", json!({ "models": shown.len(), "folders": folders, "hidden": registry.hidden().len() }));
    Ok(0)
}

fn verify(registry: &ModelRegistry, out: &mut Output) -> Result<u8> {
    out.event("start", json!({ "command": "models verify", "models": registry.list().len() }));
    let (mut whole, mut refused) = (0, 0);
    for (model, result) in registry.verify() {
        let name = &model.entry.name;
        let mut item = json!({ "name": name, "stand_in": model.entry.stand_in, "ok": result.is_ok() });
        match result {
            Ok(()) => {
                whole += 1;
                out.text(&printable(format!("ok       {name}  {}", mark(model)).trim_end()));
            }
            Err(e) => {
                refused += 1;
                out.text(&printable(&format!("REFUSED  {name}  {}: {e}", cause(&e))));
                if let Some(map) = item.as_object_mut() {
                    map.insert("cause".into(), cause(&e).into());
                    map.insert("error".into(), error_json(&e));
                }
            }
        }
        out.event("item", item);
    }
    out.event("result", json!({ "ok": whole, "refused": refused }));
    if refused > 0 {
        out.note(&format!("{refused} of {} models would be refused", whole + refused));
        return Ok(9);
    }
    Ok(0)
}

fn cause(e: &Error) -> &'static str {
    match e {
        Error::Model { cause, .. } => cause,
        other => other.code(),
    }
}

fn axes(io: &IoInfo) -> Vec<Value> {
    let axis = |e: &Extent| match e {
        Extent::Fixed(n) => json!(n),
        Extent::Dynamic(name) if name.is_empty() => json!("?"),
        Extent::Dynamic(name) => json!(name),
    };
    io.shape.iter().map(axis).collect()
}

fn element(e: ElementType) -> &'static str {
    match e {
        ElementType::F32 => "f32",
        ElementType::F16 => "f16",
        ElementType::F64 => "f64",
        ElementType::I64 => "i64",
        ElementType::I32 => "i32",
        ElementType::U8 => "u8",
        ElementType::Bool => "bool",
        _ => "other",
    }
}

fn ports(list: &[IoInfo]) -> Value {
    list.iter().map(|io| json!({ "name": io.name, "type": element(io.element), "shape": axes(io) })).collect()
}

fn show(seen: &Inspection, registry: &ModelRegistry, out: &mut Output) {
    let graph = &seen.graph;
    let listed = registry.list().iter().find(|m| m.entry.sha256 == seen.sha256);
    let line = |out: &mut Output, key: &str, text: String| out.text(&printable(&format!("{key:<10} {text}")));
    line(out, "file", seen.path.display().to_string());
    line(out, "bytes", seen.bytes.to_string());
    line(out, "sha256", seen.sha256.clone());
    line(out, "producer", graph.producer.clone());
    let sets: Vec<String> = graph
        .opsets
        .iter()
        .map(|(domain, version)| format!("{} {version}", if domain.is_empty() { "ai.onnx" } else { domain }))
        .collect();
    line(out, "format", format!("ONNX {}, operators of {}", graph.ir_version, sets.join(", ")));
    for (key, list) in [("input", &graph.inputs), ("output", &graph.outputs)] {
        for io in list {
            let shape: Vec<String> = axes(io).iter().map(|a| a.to_string().replace('"', "")).collect();
            line(out, key, format!("{}  {} [{}]", io.name, element(io.element), shape.join(", ")));
        }
    }
    let mut operators: Vec<(String, u64)> = graph.operators.iter().map(|(o, n)| (o.to_string(), *n)).collect();
    operators.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    let most: Vec<String> = operators.iter().take(12).map(|(o, n)| format!("{o} {n}")).collect();
    let rest = operators.len().saturating_sub(most.len());
    let more = if rest > 0 { format!(" and {rest} more kinds") } else { String::new() };
    line(out, "operators", format!("{}{more}", most.join(", ")));
    for file in graph.external_files() {
        line(out, "weights in", file.to_owned());
    }
    let status = match (&seen.refused, listed) {
        (Some((cause, message)), _) => format!("would be refused, {cause}: {message}"),
        (None, Some(m)) => format!("listed as `{}` for `{}` {}", m.entry.name, m.entry.task, mark(m)),
        (None, None) => "not listed: `frameloom models import` proposes an entry".into(),
    };
    line(out, "status", status.trim_end().to_owned());
    out.event(
        "item",
        json!({
            "input": seen.path.to_string_lossy(), "bytes": seen.bytes, "sha256": seen.sha256, "producer": graph.producer,
            "format": graph.ir_version, "operator_sets": graph.opsets.iter().cloned().collect::<std::collections::BTreeMap<_, _>>(),
            "inputs": ports(&graph.inputs), "outputs": ports(&graph.outputs),
            "operators": operators.into_iter().collect::<std::collections::BTreeMap<_, _>>(),
            "external": graph.external_files(), "metadata": graph.metadata,
            "listed_as": listed.map(|m| m.entry.name.clone()), "stand_in": listed.map(|m| m.entry.stand_in),
            "refused": seen.refused.as_ref().map(|(cause, message)| json!({ "cause": cause, "message": message })),
        }),
    );
}

fn propose(file: &Path, task: Task, name: Option<&str>, write: bool, out: &mut Output) -> Result<u8> {
    out.event("start", json!({ "command": "models import" }));
    let proposal = import(file, task, name)?;
    let text = proposal.to_toml()?;
    for line in text.lines() {
        out.text(&printable(line));
    }
    out.event("item", json!({ "entry": proposal.entry, "notes": proposal.notes, "toml": text }));
    let written = write.then(|| append(file, &text)).transpose()?;
    if let Some(path) = &written {
        out.note(&format!("written to {path}; look at what is marked as guessed or to be filled in"));
    }
    out.event("result", json!({ "name": proposal.entry.name, "written": written }));
    Ok(0)
}

/// Adds an entry to the manifest in the folder of the model. What stands there stays as it is, comments included.
fn append(file: &Path, entry: &str) -> Result<String> {
    let path = file.with_file_name(MANIFEST);
    let mut text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(e) => return Err(Error::storage("read", &path, e)),
    };
    if !text.is_empty() {
        text.push_str(if text.ends_with('\n') { "\n" } else { "\n\n" });
    }
    text.push_str(entry);
    // Refuses a name that is there already, and a manifest that was wrong before.
    parse_manifest(&text, &path)?;
    commit(&OsIo, &path, |w| w.write_all(text.as_bytes()))?;
    Ok(path.to_string_lossy().into_owned())
}
