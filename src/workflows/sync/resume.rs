//! Cutting that goes on where a killed run was: a journal of the pieces that are whole.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::cut::{Cut, CutJob, CutOptions, CutReport, cut_rest};
use crate::error::{Error, Result, StateError};
use crate::media::Status;
use crate::store::{Committed, Fingerprint, RunKey, StoreIo, UnitLog};

/// The record of a source that was read to its end.
const WHOLE: &str = "whole";

/// All pieces, whoever cut them.
pub(super) struct Resumed {
    pub(super) report: CutReport,
    /// Pieces that an earlier run had cut.
    pub(super) kept: usize,
    /// Files of all pieces.
    #[cfg_attr(not(feature = "onnx"), expect(dead_code, reason = "read by the run, which wants networks"))]
    pub(super) files: Vec<Committed>,
}

/// How the source ended, as it is kept.
#[derive(Serialize, Deserialize)]
struct End {
    frames_read: u64,
    status: Option<Status>,
    reasons: Vec<String>,
}

/// Cuts what is not there yet. Pieces lie below `root`; those of another input, plan or quality on record are made anew. The caller holds the lock of
/// the folder of `journal`.
///
/// # Errors
/// Those of [`super::cut`] and of storage.
pub(super) fn cut_resumed(
    io: &dyn StoreIo,
    input: &Path,
    (root, journal): (&Path, &Path),
    (jobs, options): (&[CutJob], &CutOptions),
    progress: &mut dyn FnMut(u64),
) -> Result<Resumed> {
    let plan =
        jobs.iter().map(|j| format!("{:?} {:?} {:?} {:?}\n", j.start, j.end, j.video, j.wav)).collect::<String>();
    let key = RunKey::builder()
        .field("workflow", "split")
        .field("version", env!("CARGO_PKG_VERSION"))
        .field("input", Fingerprint::of_file(input, &options.cancel)?)
        .field("tracks", format!("{} {}", options.track, options.audio_track))
        .field("crf", options.crf)
        .field("plan", blake3::hash(plan.as_bytes()).to_hex())
        .finish()?;
    let mut units = match UnitLog::open(io, journal, root, &key) {
        Err(Error::State(StateError::KeyMismatch { .. })) => {
            std::fs::remove_file(journal).map_err(|e| Error::storage("remove", journal, e))?;
            UnitLog::open(io, journal, root, &key)?
        }
        other => other?,
    };
    let corrupt = |reason: String| StateError::Corrupt { path: journal.to_path_buf(), reason };
    let broken = |e: serde_json::Error| corrupt(format!("a unit record: {e}"));
    let (mut kept, mut files) = (BTreeMap::new(), Vec::new());
    for unit in units.records().filter(|u| u.unit != WHOLE) {
        let piece: Cut = serde_json::from_value(unit.meta.clone()).map_err(broken)?;
        kept.insert(piece.chunk_index, piece);
        for f in &unit.outputs {
            let blake3 = blake3::Hash::from_hex(&f.blake3).map_err(|e| corrupt(format!("a hash: {e}")))?;
            files.push(Committed { path: root.join(&f.path), bytes: f.bytes, blake3 });
        }
    }
    let count = kept.len();
    if let Some(whole) = units.done(WHOLE)
        && count == jobs.len()
    {
        let End { frames_read, status, reasons } = serde_json::from_value(whole.meta.clone()).map_err(broken)?;
        let report = CutReport { chunks: kept.into_values().collect(), frames_read, status, reasons };
        return Ok(Resumed { report, kept: count, files });
    }
    let mut done = |piece: &Cut, new: &[Committed]| {
        files.extend_from_slice(new);
        units.finish(&piece.chunk_index.to_string(), new, piece)
    };
    let report = cut_rest(io, input, jobs, options, (&kept, &mut done), progress)?;
    // A piece without a frame has no file: that is known at the end only.
    for piece in report.chunks.iter().filter(|c| c.video_path.is_none()) {
        units.finish(&piece.chunk_index.to_string(), &[], piece)?;
    }
    let CutReport { frames_read, status, reasons, .. } = report.clone();
    units.finish(WHOLE, &[], &End { frames_read, status, reasons })?;
    Ok(Resumed { report, kept: count, files })
}
