//! All strategies in one folder for a trainer, as the original's `merge_strategy_outputs.py` promises.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::json;

use super::{copy, files_of, is_left_out, read_text, with_trigger};
use crate::core::Limits;
use crate::error::{Error, Result};
use crate::store::{OsIo, commit, output_folder};

/// How to merge.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MergeOptions {
    /// Take `_composite` pictures too: they are the frames themselves.
    pub composites: bool,
    /// Word that trainers tie to the character; begins every caption.
    pub trigger: String,
    /// Limits for untrusted input.
    pub limits: Limits,
}

/// What was merged.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Merged {
    /// Pictures by strategy.
    pub strategies: BTreeMap<String, usize>,
    /// Pictures without a caption.
    pub without_caption: usize,
}

/// Copies the pictures and captions of every strategy below `folder` into `output`, their names prefixed with the strategy, and writes
/// `manifest.jsonl`.
///
/// # Errors
/// [`Error::Usage`] when `folder` has no strategies, when two files would get one name, or when `output` holds another file of a name that
/// is needed: nothing is written then.
pub fn merge(folder: &Path, output: &Path, options: &MergeOptions) -> Result<Merged> {
    let mut plan: BTreeMap<String, (PathBuf, String, String)> = BTreeMap::new();
    let failed = |e: std::io::Error| Error::unreadable(folder, &e);
    let mut strategies = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.join("images").is_dir() && path.join("captions").is_dir() {
            strategies.push(path);
        }
    }
    strategies.sort();
    let mut merged = Merged { strategies: BTreeMap::new(), without_caption: 0 };
    for path in &strategies {
        let strategy = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        for image in files_of(&path.join("images"))? {
            let name = image.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if is_left_out(&strategy, &name, !options.composites) {
                continue;
            }
            let stem = image.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            let caption = read_text(&path.join("captions").join(format!("{stem}.txt")))?;
            merged.without_caption += usize::from(caption.is_empty());
            let caption = with_trigger(&options.trigger, &caption);
            let to = format!("{strategy}_{name}");
            let key = to.rsplit_once('.').map_or(to.as_str(), |(s, _)| s).to_lowercase();
            if let Some((other, ..)) = plan.get(&key) {
                return Err(Error::usage(format!(
                    "two pictures would both be `{to}` with one caption: {} and {}",
                    other.display(),
                    image.display()
                )));
            }
            plan.insert(key, (image, to, caption));
            *merged.strategies.entry(strategy.clone()).or_default() += 1;
        }
    }
    if plan.is_empty() {
        return Err(Error::Usage {
            message: format!("there are no pictures of strategies in {}", folder.display()),
            hint: Some("wanted: the output folder of `curate run`, with keep_full/images and so on".into()),
        });
    }
    check(&plan, output, &options.limits)?;
    output_folder(&OsIo, output)?;
    let mut lines = Vec::new();
    for (image, to, caption) in plan.values() {
        let committed = copy(&OsIo, image, &output.join(to), &options.limits)?;
        let text = Path::new(to).with_extension("txt");
        commit(&OsIo, output.join(&text), |w| w.write_all(caption.as_bytes()))?;
        lines.push(json!({
            "image": to, "caption": caption, "source": image.to_string_lossy(), "bytes": committed.bytes,
            "blake3": committed.blake3.to_hex().to_string(),
        }));
    }
    commit(&OsIo, output.join("manifest.jsonl"), |w| {
        for line in &lines {
            writeln!(w, "{line}")?;
        }
        Ok(())
    })?;
    Ok(merged)
}

/// Nothing that is there already may be lost: files of the same names must have the same content.
fn check(plan: &BTreeMap<String, (PathBuf, String, String)>, output: &Path, limits: &Limits) -> Result<()> {
    for (image, to, _) in plan.values() {
        let there = output.join(to);
        if !there.exists() {
            continue;
        }
        let read = |p: &Path| crate::media::read_image(p, limits);
        if read(&there)? != read(image)? {
            return Err(Error::Usage {
                message: format!("{} exists with other content", there.display()),
                hint: Some("merge into an empty folder, or take the old file away".into()),
            });
        }
    }
    Ok(())
}
