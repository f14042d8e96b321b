//! `processing_report.json`, and the figures beside each frame's pictures.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::path::Path;

use serde::{Serialize, Serializer};

use super::config::CurateConfig;
use super::decide::{Decision, Decisions, Mix};
use super::execute::{Executed, FrameOutcome, inside};
use super::metrics::FrameEntry;
use super::{CREATE_OCCLUSION, KEEP_FULL, SEGMENT};
use crate::error::{Error, Result};
use crate::report::{PngFormat, encode_png};
use crate::store::{Committed, StoreIo, commit, commit_json, output_folder};

/// Counts by name, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Counts(pub(super) Vec<(String, usize)>);

impl Serialize for Counts {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, n)| (name, n)))
    }
}

#[derive(Debug, Clone, Serialize)]
struct Summary {
    total_frames: usize,
    successful: usize,
    failed: usize,
    strategies: Counts,
    #[serde(skip_serializing_if = "Option::is_none")]
    left_out: Option<usize>,
}

#[derive(Debug, Clone, Serialize)]
struct ResultLine {
    frame: String,
    strategy: Option<String>,
    confidence: f64,
    reasoning: String,
    outputs: Vec<String>,
    success: bool,
    error: Option<String>,
}

#[derive(Debug, Clone, Serialize)]
struct Report {
    summary: Summary,
    /// Wanted and reached shares, and what keeps them apart.
    #[serde(skip_serializing_if = "Option::is_none")]
    mix: Option<Mix>,
    results: Vec<ResultLine>,
}

/// The fixed values that the original writes in the place of the decision's.
fn original(strategy: &str, variants: u32) -> (f64, String) {
    match strategy {
        KEEP_FULL => (1.0, "Kept full frame with background intact".into()),
        SEGMENT => (0.9, "Segmented and inpainted successfully".into()),
        CREATE_OCCLUSION => (0.8, format!("Created {variants} occlusion variants")),
        _ => (0.85, "Enhanced then segmented successfully".into()),
    }
}

/// Counts of frames by strategy, those that succeeded.
pub(super) fn counts(decisions: &Decisions, executed: &Executed, config: &CurateConfig) -> Counts {
    let done = |name: &str| {
        let both = decisions.all.iter().zip(&executed.frames);
        both.filter(|(d, f)| d.strategy.as_deref() == Some(name) && f.as_ref().is_some_and(|f| f.error.is_none()))
            .count()
    };
    Counts(config.folders().into_iter().map(|name| (name.clone(), done(&name))).collect())
}

/// The mix of the frames that were made: without those that failed on the way.
pub(super) fn mix(decisions: &Decisions, executed: &Executed) -> Mix {
    let mut failed: BTreeMap<&str, usize> = BTreeMap::new();
    for (decision, outcome) in decisions.all.iter().zip(&executed.frames) {
        if let (Some(strategy), Some(FrameOutcome { error: Some(_), .. })) = (&decision.strategy, outcome) {
            *failed.entry(strategy).or_default() += 1;
        }
    }
    decisions.mix.without(&failed)
}

/// Writes the report of a run. Without parity it has the decision's own confidence and reasoning, and says how many frames were left out.
pub(super) fn write(
    io: &dyn StoreIo,
    folder: &Path,
    entries: &[FrameEntry],
    decisions: &Decisions,
    executed: &Executed,
    config: &CurateConfig,
) -> Result<Committed> {
    let mut results = Vec::new();
    for ((entry, decision), outcome) in entries.iter().zip(&decisions.all).zip(&executed.frames) {
        let Some(outcome) = outcome else { continue };
        results.push(line(entry, decision, outcome, config));
    }
    let failed = results.iter().filter(|r| !r.success).count();
    let left_out = entries.len() - results.len();
    let summary = Summary {
        total_frames: entries.len(),
        successful: results.len() - failed,
        failed,
        strategies: counts(decisions, executed, config),
        left_out: (!config.parity).then_some(left_out),
    };
    let mix = (!config.parity).then(|| mix(decisions, executed));
    commit_json(io, folder.join("processing_report.json"), &Report { summary, mix, results })
}

fn line(entry: &FrameEntry, decision: &Decision, outcome: &FrameOutcome, config: &CurateConfig) -> ResultLine {
    let success = outcome.error.is_none();
    let variants = config.strategies.create_occlusion.variations_per_image;
    let (confidence, reasoning) = match &decision.strategy {
        Some(strategy) if config.parity && success => original(strategy, variants),
        _ => (decision.confidence, decision.reasoning.clone()),
    };
    let frame = if config.parity { entry.place.path.to_string_lossy().into_owned() } else { entry.label() };
    ResultLine {
        frame,
        strategy: decision.strategy.clone().filter(|_| entry.error.is_none()),
        confidence: if success { confidence } else { 0.0 },
        reasoning,
        outputs: outcome.outputs.clone(),
        success,
        error: outcome.error.clone(),
    }
}

/// Side of a tile of a blur map in pixels.
const TILE: u32 = 8;

/// What is known of a frame, beside its pictures: `<strategy>/metadata/<name>.json`, and where it is sharp: `<name>_blur.png`, a tile of the map
/// 8x8 pixels, white where it is sharp. What an earlier run wrote for frames that are decided otherwise now goes, also of strategies that are gone.
pub(super) fn write_metadata(
    io: &dyn StoreIo,
    folder: &Path,
    entries: &[FrameEntry],
    decisions: &Decisions,
    executed: &Executed,
    config: &CurateConfig,
) -> Result<()> {
    let strategies = config.folders().into_iter().chain(executed.earlier.iter().cloned());
    let mut written: BTreeMap<String, BTreeSet<String>> = strategies.map(|name| (name, BTreeSet::new())).collect();
    for ((entry, decision), outcome) in entries.iter().zip(&decisions.all).zip(&executed.frames) {
        let (Some(strategy), Some(outcome)) = (&decision.strategy, outcome) else { continue };
        if outcome.error.is_some() {
            continue;
        }
        let metadata = serde_json::json!({
            "frame": entry, "decision": decision, "outputs": outcome.outputs, "account": outcome.account,
        });
        let at = inside(folder, &format!("{strategy}/metadata"));
        let own = written.entry(strategy.clone()).or_default();
        if own.is_empty() {
            output_folder(io, &at)?;
        }
        let name = format!("{}.json", entry.name);
        commit_json(io, at.join(&name), &metadata)?;
        own.insert(name);
        if let Some(blur) = entry.metrics.as_ref().and_then(|m| m.blur.as_ref()) {
            let (size, gray) = blur.picture(TILE);
            let png = encode_png(size, PngFormat::Gray8, &gray);
            let png = png.map_err(|e| Error::Bug(format!("encoding a blur map: {e}")))?;
            let name = format!("{}_blur.png", entry.name);
            commit(io, at.join(&name), |w| w.write_all(&png))?;
            own.insert(name);
        }
    }
    for (strategy, names) in written {
        let ours = |name: &str| name.ends_with(".json") || name.ends_with("_blur.png");
        tidy(&inside(folder, &format!("{strategy}/metadata")), &names, ours)?;
    }
    Ok(())
}

/// Takes away the files in a folder of ours that are of `ours` by their names and were not written now: by an earlier run, for frames or strategies
/// that are others now.
pub(super) fn tidy(folder: &Path, written: &BTreeSet<String>, ours: impl Fn(&str) -> bool) -> Result<()> {
    let failed = |e| Error::storage("list", folder, e);
    let there = match std::fs::read_dir(folder) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        there => there.map_err(failed)?,
    };
    for entry in there {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if ours(&name) && !written.contains(&name) && entry.file_type().map_err(failed)?.is_file() {
            std::fs::remove_file(entry.path()).map_err(|e| Error::storage("remove", entry.path(), e))?;
        }
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "tests make the files that they look for")]
mod tests {
    use super::super::decide::decide;
    use super::super::metrics::FramePlace;
    use super::super::metrics::tests::metrics;
    use super::*;
    use crate::store::OsIo;

    /// Frames that suit all of the four.
    fn frames(count: usize) -> (Vec<FrameEntry>, CurateConfig, Decisions) {
        let entry = |i: usize| FrameEntry {
            name: format!("f{i}"),
            place: FramePlace { path: format!("f{i}.png").into(), frame: None, seconds: None },
            content: String::new(),
            metrics: Some(metrics(0.2, 0.8, 0.5)),
            error: None,
        };
        let entries: Vec<FrameEntry> = (0..count).map(entry).collect();
        let mut config = CurateConfig::default();
        config.decision.near_duplicate_bits = -1;
        let decisions = decide(&entries, &config, &BTreeMap::new()).unwrap();
        (entries, config, decisions)
    }

    #[test]
    fn a_mix_is_reached_by_frames_that_were_made() {
        let (entries, config, decisions) = frames(100);
        assert!(decisions.mix.lines.iter().all(|l| l.reached), "{:#?}", decisions.mix);
        let with_failures = |most: usize| {
            let mut left = most;
            let mut of = |d: &Decision| {
                let fails = left > 0 && d.strategy.as_deref() == Some(SEGMENT);
                left -= usize::from(fails);
                let error = fails.then(|| "no character".to_owned());
                Some(FrameOutcome { error, ..FrameOutcome::default() })
            };
            Executed { frames: decisions.all.iter().map(&mut of).collect(), ..Executed::default() }
        };
        assert_eq!(mix(&decisions, &with_failures(0)), decisions.mix);
        assert!(mix(&decisions, &with_failures(1)).lines.iter().all(|l| l.reached && l.why.is_empty()));
        let executed = with_failures(25);
        let made = mix(&decisions, &executed);
        let line = |name: &str| made.lines.iter().find(|l| l.strategy == name).unwrap();
        let (cut, kept) = (line(SEGMENT), line(KEEP_FULL));
        // Fifteen of seventy-five, and thirty.
        assert_eq!((cut.frames, cut.reached, cut.why.as_str()), (15, false, "25 frames failed"));
        assert_eq!((kept.frames, kept.reached), (30, false));
        assert_eq!(kept.why, "25 frames failed, none of them its own");
        assert!((cut.share - 0.2).abs() < 1e-9 && (kept.share - 0.4).abs() < 1e-9);
        let dir = tempfile::tempdir().unwrap();
        write(&OsIo, dir.path(), &entries, &decisions, &executed, &config).unwrap();
        let text = std::fs::read(dir.path().join("processing_report.json")).unwrap();
        let report: serde_json::Value = serde_json::from_slice(&text).unwrap();
        assert_eq!(report["mix"], serde_json::to_value(&made).unwrap());
        assert_eq!(report["summary"]["failed"], 25);
    }

    #[test]
    fn metadata_of_a_strategy_that_is_gone_goes() {
        let (entries, config, decisions) = frames(1);
        let dir = tempfile::tempdir().unwrap();
        let own = decisions.all[0].strategy.clone().unwrap();
        let names_in = |strategy: &str| -> BTreeSet<String> {
            let there = std::fs::read_dir(dir.path().join(strategy).join("metadata")).unwrap();
            there.map(|e| e.unwrap().file_name().to_string_lossy().into_owned()).collect()
        };
        for strategy in ["dark", "unknown", &own] {
            let at = dir.path().join(strategy).join("metadata");
            std::fs::create_dir_all(&at).unwrap();
            for name in ["old.json", "old_blur.png", "notes.md"] {
                std::fs::write(at.join(name), "old").unwrap();
            }
        }
        let frames = vec![Some(FrameOutcome::default())];
        let executed = Executed { frames, earlier: BTreeSet::from(["dark".to_owned()]), ..Executed::default() };
        write_metadata(&OsIo, dir.path(), &entries, &decisions, &executed, &config).unwrap();
        assert_eq!(names_in("dark"), BTreeSet::from(["notes.md".to_owned()]));
        assert_eq!(names_in("unknown").len(), 3, "no strategy of this folder");
        assert_eq!(names_in(&own), BTreeSet::from(["f0.json", "f0_blur.png", "notes.md"].map(String::from)));
    }
}
