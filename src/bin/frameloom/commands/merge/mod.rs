//! `frameloom merge`: the parts of a run as the one run that they are.
//!
//! Parts over several inputs hold outputs, which are copied side by side. Parts of one input hold what they have found in the journals of their
//! workflow; those are joined, and the same command goes on from there.

mod copy;
mod part;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use frameloom::store::{OsIo, StateDir, commit_json};
use frameloom::workflows::chunk::heat::join_heat;
use frameloom::workflows::chunk::process::join_chunks;
use frameloom::workflows::chunk::write_heat;
use frameloom::workflows::collage::join_pool;
use frameloom::workflows::collage::run::join_collage;
use frameloom::workflows::curate;
use frameloom::{Error, Result};
use serde_json::{Value, json};

use super::heatmap::folder;
use crate::output::{Output, printable};
use crate::shard_args::MergeArgs;
use crate::signals::Signals;
use copy::copy;
use part::{NAME, fit};
pub(crate) use part::{Part, PartDone, PartUnit};

pub(crate) fn run(args: &MergeArgs, out: &mut Output, signals: &Signals) -> Result<u8> {
    out.event("start", json!({ "command": "merge", "parts": args.parts }));
    let here = |p: &PathBuf| p.join(NAME).is_file();
    if !args.parts.iter().any(here) && args.parts.iter().all(|p| p.join(".state/analysis").exists()) {
        let joined = curate::join(&args.parts, &args.output)?;
        out.note(&format!(
            "{} units and {} frames taken over; now the same command on it",
            joined.measured, joined.made
        ));
        out.text(&printable(&args.output.to_string_lossy()));
        out.event("result", json!({ "folder": args.output.to_string_lossy(), "joined": joined, "exit": 0 }));
        return Ok(0);
    }
    if let Some(missing) = args.parts.iter().find(|p| !here(p)) {
        let reason = format!("wanted: the folder of a part that is done, with {NAME}");
        return Err(Error::InputNotFound { path: missing.clone(), reason });
    }
    let mut parts: Vec<(PathBuf, Part)> =
        args.parts.iter().map(|p| Ok((p.clone(), Part::read(p)?))).collect::<Result<_>>()?;
    fit(&parts)?;
    parts.sort_by_key(|(_, p)| p.part);
    let mut units: Vec<&PartUnit> = parts.iter().flat_map(|(_, p)| &p.units).collect();
    units.sort_by_key(|u| u.at);
    let mut states: BTreeMap<&str, usize> = BTreeMap::new();
    units.iter().for_each(|u| *states.entry(u.status.as_str()).or_default() += 1);
    let code = if states.contains_key("failed") || states.contains_key("partial") { 3 } else { 0 };
    let (_, one) = parts.first().ok_or_else(|| Error::usage("wanted: the folders of all parts"))?;
    let (count, total) = (parts.len(), one.total);
    let what = match &one.stage {
        Some(stage) if one.command == "heatmap" => {
            let (found, config, reasons) = join_heat(&folders(&parts))?;
            folder(&args.output)?;
            let files = write_heat(&OsIo, &args.output, &found, &config)?.len();
            reasons.iter().for_each(|reason| out.warn(reason));
            out.note(&format!("the map of {} frames from {count} parts", found.frames));
            json!({ "stage": stage, "units": total, "frames": found.frames, "stats": found.map.stats(), "files": files })
        }
        Some(stage) => {
            let found = join(&one.command, &folders(&parts), &args.output)?;
            let lips =
                if stage == "faces" { ", or its parts again, each on a folder like this, for the lips" } else { "" };
            out.note(&format!("{found} findings of {count} parts taken over; now the same command on it{lips}"));
            json!({ "stage": stage, "units": total, "found": found })
        }
        None => {
            let files = gather((&parts, &one.command, total), &units, &args.output, signals)?;
            out.note(&format!("{count} parts, {total} inputs, {files} files"));
            json!({ "inputs": total, "files": files })
        }
    };
    out.text(&printable(&args.output.to_string_lossy()));
    let mut result = json!({
        "folder": args.output.to_string_lossy(), "parts": count, "states": states, "exit": code,
    });
    if let (Some(result), Value::Object(what)) = (result.as_object_mut(), what) {
        result.extend(what);
    }
    out.event("result", result);
    Ok(code)
}

fn folders(parts: &[(PathBuf, Part)]) -> Vec<PathBuf> {
    parts.iter().map(|(folder, _)| folder.clone()).collect()
}

/// Takes what the parts of one input have found into `output`; with how much it was.
fn join(command: &str, parts: &[PathBuf], output: &Path) -> Result<usize> {
    match command {
        #[cfg(feature = "onnx")]
        "sync" => frameloom::workflows::sync::run::join_sync(parts, output),
        "index build" => join_pool(parts, output),
        "collage" => join_collage(parts, output),
        "chunk run" => join_chunks(parts, output),
        other => Err(Error::usage(format!("this build cannot join parts of `{other}`"))),
    }
}

/// Copies the outputs of parts over several inputs into `output`, and writes the list of all; with the number of files.
fn gather(
    (parts, command, total): (&[(PathBuf, Part)], &str, usize),
    units: &[&PartUnit],
    output: &Path,
    signals: &Signals,
) -> Result<usize> {
    let lock = StateDir::acquire(&OsIo, output.join(".merge"))?;
    let mut files = 0;
    for (folder, _) in parts {
        files += copy(folder, output, signals)?;
    }
    match command {
        "track" if total > 1 => {
            let list: Vec<Value> = units.iter().map(|u| entry(u, output)).collect();
            commit_json(&OsIo, output.join("streams.json"), &list)?;
        }
        #[cfg(feature = "onnx")]
        "sync batch" => {
            use frameloom::workflows::sync::run::BatchSummary;
            let bad = |e: serde_json::Error| Error::InputCorrupt { path: NAME.into(), reason: e.to_string() };
            let results = units.iter().map(|u| serde_json::from_value(u.entry.clone()).map_err(bad));
            let summary = BatchSummary::of(results.collect::<Result<_>>()?);
            commit_json(&OsIo, output.join(BatchSummary::FILE), &summary)?;
        }
        _ => {}
    }
    drop(lock);
    let _ = std::fs::remove_dir_all(output.join(".merge"));
    Ok(files)
}

/// An entry of a part with the paths of the whole.
fn entry(unit: &PartUnit, output: &Path) -> Value {
    let mut entry = unit.entry.clone();
    let folder = output.join(&unit.folder);
    if let Some(fields) = entry.as_object_mut() {
        if fields.contains_key("report") {
            fields.insert("report".into(), folder.join("report.html").to_string_lossy().into());
        }
        fields.insert("folder".into(), folder.to_string_lossy().into());
    }
    entry
}
