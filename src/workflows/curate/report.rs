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
struct Report<'a> {
    summary: Summary,
    /// Wanted and reached shares, and what keeps them apart.
    #[serde(skip_serializing_if = "Option::is_none")]
    mix: Option<&'a Mix>,
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
    let mix = (!config.parity).then_some(&decisions.mix);
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
/// 8x8 pixels, white where it is sharp. What an earlier run wrote for frames that are decided otherwise now goes.
pub(super) fn write_metadata(
    io: &dyn StoreIo,
    folder: &Path,
    entries: &[FrameEntry],
    decisions: &Decisions,
    executed: &Executed,
    config: &CurateConfig,
) -> Result<()> {
    let mut written: BTreeMap<String, BTreeSet<String>> =
        config.folders().into_iter().map(|name| (name, BTreeSet::new())).collect();
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
        tidy(&inside(folder, &format!("{strategy}/metadata")), &names)?;
    }
    Ok(())
}

/// Takes away what is in a folder of ours and was not written now.
fn tidy(folder: &Path, written: &BTreeSet<String>) -> Result<()> {
    let Ok(there) = std::fs::read_dir(folder) else { return Ok(()) };
    for entry in there {
        let path = entry.map_err(|e| Error::storage("list", folder, e))?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if !written.contains(&name) {
            std::fs::remove_file(&path).map_err(|e| Error::storage("remove", &path, e))?;
        }
    }
    Ok(())
}
