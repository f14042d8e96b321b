//! A run in parts, on as many machines as there are: each worker does its share of the units, and what they have done is joined.
//!
//! Units are the same in every part: sixteen pictures or a video when figures are measured, a frame when pictures are made. The joined folder is one
//! of a run that was stopped after all its units: the same command on it only decides and reports, and gives the bytes of a run on one machine.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::execute::inside;
pub use crate::core::Shard;
use crate::error::{Error, Result};
use crate::store::{OsIo, OutputRef, StateDir, StoreIo, UnitLog, UnitRecord, commit};

/// Journals of a run.
const JOURNALS: [&str; 2] = ["analysis", "pictures"];

/// What was joined.
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
                let (a, b) = (owner.display(), part.display());
                let what = known.diff(&key).join(", ");
                return Err(Error::Usage {
                    message: format!("{a} and {b} are no parts of one run: they differ in {what}"),
                    hint: Some("run all parts with the same version, settings, models and kind of device".into()),
                });
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
                    joined.files += take(&io, log, &record, (part, folder))?;
                    if journal == "analysis" { joined.measured += 1 } else { joined.made += 1 }
                }
            }
        }
    }
    Ok(joined)
}

/// Copies the files of a unit, then records it; with their number.
fn take(io: &dyn StoreIo, log: &mut UnitLog, record: &UnitRecord, (part, folder): (&Path, &Path)) -> Result<usize> {
    let mut committed = Vec::new();
    for output in &record.outputs {
        let bytes = checked(part, output)?;
        let to = inside(folder, &output.path);
        if let Some(parent) = to.parent() {
            io.create_dir_all(parent).map_err(|e| Error::storage("create", parent, e))?;
        }
        committed.push(commit(io, to, |w| w.write_all(&bytes))?);
    }
    log.finish(&record.unit, &committed, &record.meta)?;
    Ok(committed.len())
}

/// The bytes of a file, which must be what the record says.
fn checked(part: &Path, output: &OutputRef) -> Result<Vec<u8>> {
    let path = inside(part, &output.path);
    let plain = Path::new(&output.path).components().all(|c| matches!(c, std::path::Component::Normal(_)));
    let changed = |reason: &str| Error::InputCorrupt { path: path.clone(), reason: reason.into() };
    if !plain {
        return Err(changed("a record names a file outside of its folder"));
    }
    let length = std::fs::metadata(&path).map(|m| m.len());
    if length.is_err() || length.is_ok_and(|n| n != output.bytes) {
        return Err(changed("it is gone or has changed since it was made"));
    }
    let bytes = std::fs::read(&path).map_err(|e| changed(&e.to_string()))?;
    if blake3::hash(&bytes).to_hex().as_str() != output.blake3 {
        return Err(changed("it has changed since it was made"));
    }
    Ok(bytes)
}
