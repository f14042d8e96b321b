//! Folders as trainers want them: kohya, WebDataset, COCO, Hugging Face's imagefolder, a Parquet manifest.

mod coco;
mod merge;
mod tar;

pub use merge::{MergeOptions, Merged, merge};

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::SEGMENT;
use super::config::CurateConfig;
use super::decide::Decisions;
use super::execute::{Executed, inside};
use super::metrics::FrameEntry;
use super::report::tidy;
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

/// Whether a picture of `strategy` is a mask or, unless they are wanted, the frame itself. `segment` alone makes such pictures, and each of its names
/// ends with what the picture is; by the other strategies a name may end so because the frame has it.
pub(super) fn is_left_out(strategy: &str, image: &str, skip_composite: bool) -> bool {
    let stem = image.rsplit_once('.').map_or(image, |(stem, _)| stem);
    strategy == SEGMENT && (stem.ends_with("_mask") || (skip_composite && stem.ends_with("_composite")))
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
            if is_left_out(strategy, image, config.layouts.skip_composite) {
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

/// Whether a name has the form of [`Sample::file`], or of its caption: `<strategy>_<name>.<ending>`. The strategy may be one that is gone from the
/// settings since.
fn is_sample(name: &str) -> bool {
    let Some((stem, ending)) = name.rsplit_once('.') else { return false };
    // A strategy may have `_` in its name too: of what is between the first two nothing else can be said.
    let word = stem.trim_start_matches('_').split_once('_').map_or("", |(word, _)| word);
    let plain = !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric());
    plain && ["png", "jpg", "webp", "txt"].contains(&ending)
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
            "imagefolder" => imagefolder(io, folder, &all, limits)?,
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
    tidy(&images, &written, is_sample)?;
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
fn imagefolder(io: &dyn StoreIo, folder: &Path, all: &[Sample], limits: &Limits) -> Result<()> {
    let at = folder.join("imagefolder");
    output_folder(io, &at)?;
    let mut written = BTreeSet::new();
    for sample in all {
        copy(io, &inside(folder, &sample.image), &at.join(sample.file()), limits)?;
        written.insert(sample.file());
    }
    tidy(&at, &written, is_sample)?;
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

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "tests make the files that they read")]
mod tests {
    use super::super::decide::decide;
    use super::super::execute::FrameOutcome;
    use super::super::metrics::FramePlace;
    use super::super::metrics::tests::metrics;
    use super::*;
    use crate::core::Size;
    use crate::report::{PngFormat, encode_png};
    use crate::store::OsIo;

    /// Small pictures with captions below `folder`, by their paths without endings, as `keep_full/images/a`.
    fn pictures(folder: &Path, stems: &[&str]) {
        let png = encode_png(Size::new(1, 1), PngFormat::Gray8, &[7]).unwrap();
        for stem in stems {
            let image = inside(folder, &format!("{stem}.png"));
            let caption = inside(folder, &format!("{}.txt", stem.replacen("/images/", "/captions/", 1)));
            for (path, bytes) in [(image, png.as_slice()), (caption, b"words".as_slice())] {
                std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                std::fs::write(path, bytes).unwrap();
            }
        }
    }

    fn names_in(folder: &Path) -> BTreeSet<String> {
        std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().to_string_lossy().into_owned()).collect()
    }

    /// Frames whose own names end like masks and composites: one that is kept, one that is cut.
    const OUTPUTS: [&str; 7] = [
        "keep_full/images/hand_mask",
        "keep_full/images/poster_composite",
        "segment/images/face_mask_character",
        "segment/images/face_mask_background",
        "segment/images/face_mask_composite",
        "segment/images/face_mask_mask",
        "mine/images/x_mask",
    ];

    #[test]
    fn only_pictures_of_segment_are_left_out_as_masks_or_composites() {
        let left_out = |composites: bool| -> Vec<&str> {
            let strategy = |path: &str| path.split('/').next().unwrap().to_owned();
            OUTPUTS.into_iter().filter(|o| is_left_out(&strategy(o), &format!("{o}.png"), !composites)).collect()
        };
        assert_eq!(left_out(false), [OUTPUTS[4], OUTPUTS[5]]);
        assert_eq!(left_out(true), [OUTPUTS[5]]);
        // In the folder of a run, and in a run itself.
        let dir = tempfile::tempdir().unwrap();
        let (run, out) = (dir.path().join("run"), dir.path().join("out"));
        pictures(&run, &OUTPUTS);
        merge(&run, &out, &MergeOptions::default()).unwrap();
        let made = ["keep_full_hand_mask", "keep_full_poster_composite", "mine_x_mask"];
        let cut = ["segment_face_mask_background", "segment_face_mask_character"];
        let both = |stem: &str| [format!("{stem}.png"), format!("{stem}.txt")];
        let mut want: BTreeSet<String> = made.iter().chain(&cut).flat_map(|s| both(s)).collect();
        want.insert("manifest.jsonl".into());
        assert_eq!(names_in(&out), want);
        let entries: Vec<FrameEntry> = ["hand_mask", "face_mask"]
            .iter()
            .map(|name| {
                let place = FramePlace { path: format!("{name}.png").into(), frame: None, seconds: None };
                let metrics = Some(metrics(0.2, 0.8, 0.7));
                FrameEntry { name: (*name).into(), place, content: String::new(), metrics, error: None }
            })
            .collect();
        let mut config = CurateConfig::default();
        config.decision.near_duplicate_bits = -1;
        let by_hand = [("hand_mask", "keep_full"), ("face_mask", "segment")];
        let by_hand = by_hand.into_iter().map(|(a, b)| (a.to_owned(), b.to_owned())).collect();
        let decisions = decide(&entries, &config, &by_hand).unwrap();
        let outcome = |outputs: &[&str]| {
            let outputs = outputs.iter().map(|o| format!("{o}.png")).collect();
            Some(FrameOutcome { outputs, ..FrameOutcome::default() })
        };
        let frames = vec![outcome(&OUTPUTS[..1]), outcome(&OUTPUTS[2..6])];
        let executed = Executed { frames, ..Executed::default() };
        let all = samples(&run, &entries, &decisions, &executed, &config).unwrap();
        let files: Vec<String> = all.iter().map(Sample::file).collect();
        let cut = ["segment_face_mask_character.png", "segment_face_mask_background.png"];
        assert_eq!(files, ["keep_full_hand_mask.png", cut[0], cut[1]]);
    }

    #[test]
    fn pictures_of_a_strategy_that_is_gone_go_and_what_is_not_ours_stays() {
        let dir = tempfile::tempdir().unwrap();
        let at = |n: &str| dir.path().join(n);
        let (config, limits) = (CurateConfig::default(), Limits::default());
        pictures(dir.path(), &["dark/images/a", "keep_full/images/b", "keep_full/images/c"]);
        let sample = |strategy: &str, name: &str| Sample {
            image: format!("{strategy}/images/{name}.png"),
            caption: "words".into(),
            strategy: strategy.into(),
            frame: name.into(),
        };
        let write = |all: &[Sample]| {
            kohya(&OsIo, dir.path(), all, &config, &limits).unwrap();
            imagefolder(&OsIo, dir.path(), all, &limits).unwrap();
        };
        write(&[sample("dark", "a"), sample("keep_full", "b"), sample("keep_full", "c")]);
        assert!(at("kohya/images/dark_a.txt").exists() && at("imagefolder/dark_a.png").exists());
        // Trainers keep files of their own beside the pictures, and so do people.
        let foreign = ["dark_a_0640x0480_sdxl.npz", "notes.txt", "README.md"];
        for name in foreign {
            std::fs::write(at("kohya/images").join(name), "theirs").unwrap();
        }
        std::fs::create_dir(at("kohya/images/dark_more.png")).unwrap();
        write(&[sample("keep_full", "b")]);
        let own = ["keep_full_b.png", "keep_full_b.txt", "dark_more.png"];
        let want: BTreeSet<String> = own.iter().chain(&foreign).map(|n| (*n).to_owned()).collect();
        assert_eq!(names_in(&at("kohya/images")), want);
        let left = ["keep_full_b.png", "metadata.jsonl"].map(String::from);
        assert_eq!(names_in(&at("imagefolder")), BTreeSet::from(left));
    }
}
