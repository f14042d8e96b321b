//! A run in parts, on as many machines as there are: each worker does its share of the units, and what they have done is joined.
//!
//! Units are the same in every part: sixteen pictures or a video when figures are measured, a frame when pictures are made. The joined folder is one
//! of a run that was stopped after all its units: the same command on it only decides and reports, and gives the bytes of a run on one machine.

use std::path::{Path, PathBuf};

use serde::Serialize;

pub use crate::core::Shard;
use crate::error::{Error, Result};
use crate::store::{OsIo, StateDir, UnitLog, of_other_runs};

/// Journals of a run.
const JOURNALS: [&str; 2] = ["analysis", "pictures"];

/// What was joined.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Joined {
    /// Units of figures that were taken over.
    pub measured: usize,
    /// Frames whose pictures were taken over.
    pub made: usize,
    /// Files that were copied.
    pub files: usize,
}

/// Takes what the runs in `parts` have done into `folder`, with the files. What `folder` has already stays.
///
/// # Errors
/// [`Error::InputNotFound`] for a folder of no run; [`Error::Usage`] when the parts were made with settings, models or devices that give other bytes,
/// named; [`Error::InputCorrupt`] for a file that is not what its record says; [`Error::Storage`].
pub fn join(parts: &[PathBuf], folder: &Path) -> Result<Joined> {
    let io = OsIo;
    super::run::create(folder)?;
    let state = StateDir::acquire_for(&io, folder.join(super::run::STATE), "curate")?;
    let mut joined = Joined::default();
    for journal in JOURNALS {
        let mut log: Option<UnitLog> = None;
        let mut first = None;
        for part in parts {
            let from = part.join(super::run::STATE);
            if !from.is_dir() {
                let reason = "it is not the output folder of `curate run` or `curate analyze`".to_owned();
                return Err(Error::InputNotFound { path: part.clone(), reason });
            }
            let Some((key, records)) = UnitLog::read(&io, from.join(journal))? else { continue };
            let (known, owner) = first.get_or_insert_with(|| (key.clone(), part.clone()));
            if *known != key {
                return Err(of_other_runs((owner, known), (part, &key)));
            }
            let log = match &mut log {
                Some(log) => log,
                none => {
                    let root = if journal == "analysis" { state.path() } else { folder };
                    none.insert(UnitLog::open(&io, state.join(journal), root, &key)?)
                }
            };
            for record in records {
                if log.done(&record.unit).is_none() {
                    joined.files += log.adopt(&io, &record, part)?;
                    if journal == "analysis" { joined.measured += 1 } else { joined.made += 1 }
                }
            }
        }
    }
    Ok(joined)
}
