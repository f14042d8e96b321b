//! Folders as trainers want them: kohya, WebDataset, COCO, Hugging Face's imagefolder, a Parquet manifest.

mod coco;
mod merge;
mod tar;

pub use merge::{MergeOptions, Merged, merge};

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::config::CurateConfig;
use super::decide::Decisions;
use super::execute::{Executed, inside};
use super::metrics::FrameEntry;
use crate::core::Limits;
use crate::error::{Error, Result};
use crate::media::read_image;
use crate::report::{ColumnType, Schema, TableFormats, TableSink};
use crate::store::{Committed, StoreIo, commit, output_folder};

/// A picture for training.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sample {
    /// Path below the output folder.
    pub(super) image: String,
    pub(super) caption: String,
    pub(super) strategy: String,
    /// The frame it was made of.
    pub(super) frame: String,
}

impl Sample {
    /// Name without folders: the strategy keeps equal stems apart.
    pub(super) fn file(&self) -> String {
        format!("{}_{}", self.strategy, self.image.rsplit('/').next().unwrap_or(&self.image))
    }
}

/// The word that trainers tie to the character, before a caption.
fn with_trigger(trigger: &str, caption: &str) -> String {
    [trigger.trim(), caption.trim()].into_iter().filter(|p| !p.is_empty()).collect::<Vec<_>>().join(", ")
}

fn read_text(path: &Path) -> Result<String> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(text),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(String::new()),
        Err(e) => Err(Error::unreadable(path, &e)),
    }
}

/// Whether a picture is a mask or, unless they are wanted, the frame itself.
pub(super) fn is_left_out(image: &str, skip_composite: bool) -> bool {
    let stem = image.rsplit_once('.').map_or(image, |(stem, _)| stem);
    stem.ends_with("_mask") || (skip_composite && stem.ends_with("_composite"))
}

/// Pictures of a run with their captions.
fn samples(
    folder: &Path,
    entries: &[FrameEntry],
    decisions: &Decisions,
    executed: &Executed,
    config: &CurateConfig,
) -> Result<Vec<Sample>> {
    let mut all = Vec::new();
    for ((entry, decision), outcome) in entries.iter().zip(&decisions.all).zip(&executed.frames) {
        let (Some(strategy), Some(outcome)) = (&decision.strategy, outcome) else { continue };
        for image in outcome.outputs.iter().filter(|o| o.contains("/images/")) {
            if is_left_out(image, config.layouts.skip_composite) {
                continue;
            }
            let stem = image.rsplit_once('.').map_or(image.as_str(), |(stem, _)| stem);
            let caption = read_text(&inside(folder, &format!("{}.txt", stem.replacen("/images/", "/captions/", 1))))?;
            all.push(Sample {
                image: image.clone(),
                caption: with_trigger(&config.layouts.trigger, &caption),
                strategy: strategy.clone(),
                frame: entry.label(),
            });
        }
    }
    Ok(all)
}

/// Takes away what an earlier run wrote into `folder` and this one did not.
fn tidy(folder: &Path, written: &BTreeSet<String>, strategies: &[String]) -> Result<()> {
    let failed = |e| Error::storage("list", folder, e);
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let name = entry.map_err(failed)?.file_name().to_string_lossy().into_owned();
        let ours = strategies.iter().any(|s| name.starts_with(&format!("{s}_")));
        if ours && !written.contains(&name) {
            let path = folder.join(&name);
            std::fs::remove_file(&path).map_err(|e| Error::storage("remove", &path, e))?;
        }
    }
    Ok(())
}

/// Writes all layouts that are asked for, beside the seed's tree.
pub(super) fn write_all(
    io: &dyn StoreIo,
    folder: &Path,
    entries: &[FrameEntry],
    decisions: &Decisions,
    executed: &Executed,
    config: &CurateConfig,
    limits: &Limits,
) -> Result<()> {
    if config.layouts.formats.is_empty() {
        return Ok(());
    }
    let all = samples(folder, entries, decisions, executed, config)?;
    for format in &config.layouts.formats {
        match format.as_str() {
            "kohya" => kohya(io, folder, &all, config, limits)?,
            "webdataset" => tar::webdataset(io, folder, &all, config, limits)?,
            "coco" => coco::write(io, folder, entries, decisions, executed, config, limits)?,
            "imagefolder" => imagefolder(io, folder, &all, config, limits)?,
            _ => manifest(io, folder, &all, limits)?,
        }
    }
    Ok(())
}

fn copy(io: &dyn StoreIo, from: &Path, to: &Path, limits: &Limits) -> Result<Committed> {
    let bytes = read_image(from, limits)?;
    commit(io, to, |w| w.write_all(&bytes))
}

/// Pictures and captions side by side, and the file that kohya's trainers are given.
fn kohya(io: &dyn StoreIo, folder: &Path, all: &[Sample], config: &CurateConfig, limits: &Limits) -> Result<()> {
    let images = folder.join("kohya").join("images");
    output_folder(io, &images)?;
    let mut written = BTreeSet::new();
    for sample in all {
        let file = sample.file();
        let stem = file.rsplit_once('.').map_or(file.as_str(), |(s, _)| s).to_owned();
        copy(io, &inside(folder, &sample.image), &images.join(&file), limits)?;
        commit(io, images.join(format!("{stem}.txt")), |w| w.write_all(sample.caption.as_bytes()))?;
        written.extend([format!("{stem}.txt"), file]);
    }
    tidy(&images, &written, &config.folders())?;
    // JSON's text is TOML's basic string.
    let place = serde_json::to_string(&images.to_string_lossy()).unwrap_or_default();
    let layouts = &config.layouts;
    let text = format!(
        "[general]\ncaption_extension = \".txt\"\nenable_bucket = true\n\n[[datasets]]\nresolution = {}\nbatch_size = 1\n\n\
         [[datasets.subsets]]\nimage_dir = {place}\nnum_repeats = {}\n",
        layouts.resolution, layouts.num_repeats
    );
    commit(io, folder.join("kohya").join("dataset_config.toml"), |w| w.write_all(text.as_bytes()))?;
    Ok(())
}

/// Pictures with one `metadata.jsonl`, as `datasets.load_dataset("imagefolder")` reads them.
fn imagefolder(io: &dyn StoreIo, folder: &Path, all: &[Sample], config: &CurateConfig, limits: &Limits) -> Result<()> {
    let at = folder.join("imagefolder");
    output_folder(io, &at)?;
    let mut written = BTreeSet::new();
    for sample in all {
        copy(io, &inside(folder, &sample.image), &at.join(sample.file()), limits)?;
        written.insert(sample.file());
    }
    tidy(&at, &written, &config.folders())?;
    commit(io, at.join("metadata.jsonl"), |w| {
        for s in all {
            let line = json!({ "file_name": s.file(), "text": s.caption, "strategy": s.strategy, "frame": s.frame });
            writeln!(w, "{line}")?;
        }
        Ok(())
    })?;
    Ok(())
}

/// `manifest.parquet` and `manifest.jsonl`: every picture with its caption and hash.
fn manifest(io: &dyn StoreIo, folder: &Path, all: &[Sample], limits: &Limits) -> Result<()> {
    use ColumnType::{Str, U64};
    let schema = Schema::new("curate.manifest", 1)
        .column("image", Str, "", "path below this folder")
        .column("caption", Str, "", "caption, with the trigger word")
        .column("strategy", Str, "", "strategy that made it")
        .column("frame", Str, "", "frame it was made of")
        .column("bytes", U64, "B", "length of the file")
        .column("blake3", Str, "", "hash of the file");
    let formats = TableFormats { jsonl: true, csv: false, parquet: true };
    let mut sink = TableSink::create(io, folder.join("manifest"), schema, formats)?;
    for s in all {
        let bytes = read_image(inside(folder, &s.image), limits)?;
        let hash = blake3::hash(&bytes).to_hex().to_string();
        sink.push([
            s.image.as_str().into(),
            s.caption.as_str().into(),
            s.strategy.as_str().into(),
            s.frame.as_str().into(),
            bytes.len().into(),
            hash.into(),
        ])?;
    }
    sink.finish()?;
    Ok(())
}

/// Files of `folder` in order of names.
pub(super) fn files_of(folder: &Path) -> Result<Vec<PathBuf>> {
    let failed = |e: std::io::Error| Error::unreadable(folder, &e);
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.is_file() {
            files.push(path);
        }
    }
    files.sort_by(|a, b| crate::media::folder::natural_paths(a, b));
    Ok(files)
}
