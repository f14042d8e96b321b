//! Units of work done so far: a journal whose records name each unit's outputs with their hashes.
//!
//! A unit is done when all its outputs are committed *and* its record is durable. On resume, outputs are checked against
//! their records; a unit whose output is gone or changed is work to do again, and is named, not passed over.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::commit::{Committed, commit, hash_reader};
use super::groups::of_other_runs;
use super::io::StoreIo;
use super::journal::{DroppedTail, Journal, Record};
use super::run_key::RunKey;
use crate::error::{Error, Result, StateError};

const KIND_UNIT_DONE: u32 = 1;
/// Superseded records are swept out beyond this size.
const ROTATE_BYTES: u64 = 16 << 20;

/// A committed output of a unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutputRef {
    /// Path relative to the folder given to [`UnitLog::open`], with `/`.
    pub path: String,
    /// Length in bytes.
    pub bytes: u64,
    /// BLAKE3 of the content, hexadecimal.
    pub blake3: String,
}

/// A finished unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnitRecord {
    /// Name of the unit, unique in its run.
    pub unit: String,
    /// Everything it wrote.
    pub outputs: Vec<OutputRef>,
    /// Small results (counts, verdict) that the reduce step needs; not pixels.
    pub meta: serde_json::Value,
}

/// The units of one run, over a journal.
#[derive(Debug)]
pub struct UnitLog {
    root: PathBuf,
    journal: Journal,
    done: BTreeMap<String, UnitRecord>,
    redo: Vec<(String, String)>,
    dropped: Option<DroppedTail>,
}

impl UnitLog {
    /// Opens or creates the journal at `path`; `root` is the folder of the outputs. Every output on record is read and its
    /// hash compared.
    ///
    /// # Errors
    /// As [`Journal::open`]; [`StateError::Corrupt`] for a record that cannot be read.
    pub fn open(io: &dyn StoreIo, path: impl AsRef<Path>, root: impl AsRef<Path>, key: &RunKey) -> Result<Self> {
        let (path, root) = (path.as_ref(), root.as_ref().to_path_buf());
        let (mut journal, found) = Journal::open(io, path, key)?;
        let mut done = units_of(&found.records, path)?;
        if journal.bytes() > ROTATE_BYTES {
            let keep: Vec<Record> = done.values().map(|u| Record::json(KIND_UNIT_DONE, u)).collect::<Result<_>>()?;
            journal = journal.rewrite(io, key, &keep)?;
        }
        let mut redo = Vec::new();
        for unit in done.values() {
            for output in &unit.outputs {
                if let Some(reason) = check_output(io, &root, output)? {
                    redo.push((unit.unit.clone(), reason));
                    break;
                }
            }
        }
        for (unit, _) in &redo {
            done.remove(unit);
        }
        Ok(Self { root, journal, done, redo, dropped: found.dropped })
    }

    /// The key and the records of the journal at `path`, in order of units, whatever run it belongs to: what another worker has done. Nothing is
    /// changed and no output is looked at. `None` when there is no journal.
    ///
    /// # Errors
    /// As [`Journal::read`]; [`StateError::Corrupt`] for a record that cannot be read.
    pub fn read(io: &dyn StoreIo, path: impl AsRef<Path>) -> Result<Option<(RunKey, Vec<UnitRecord>)>> {
        let path = path.as_ref();
        let Some(found) = Journal::read(io, path, None)? else { return Ok(None) };
        Ok(Some((found.key, units_of(&found.records, path)?.into_values().collect())))
    }

    /// The record of a unit that is done, its outputs whole.
    pub fn done(&self, unit: &str) -> Option<&UnitRecord> {
        self.done.get(unit)
    }

    /// Number of units done.
    pub fn done_count(&self) -> usize {
        self.done.len()
    }

    /// Records of all units that are done, in order of their names.
    pub fn records(&self) -> impl Iterator<Item = &UnitRecord> {
        self.done.values()
    }

    /// Units on record whose outputs are gone or changed, with the reason. They count as not done; worth a warning.
    pub fn redo(&self) -> &[(String, String)] {
        &self.redo
    }

    /// Bytes at the end of the journal that were cut off on opening; worth a warning.
    pub fn dropped(&self) -> Option<&DroppedTail> {
        self.dropped.as_ref()
    }

    /// Records a unit whose outputs are all committed. When this returns, the unit stays done whatever happens.
    ///
    /// # Errors
    /// [`Error::Bug`] for an output outside the root folder; otherwise as [`Journal::append`].
    pub fn finish(&mut self, unit: &str, outputs: &[Committed], meta: &impl Serialize) -> Result<()> {
        let outputs = outputs.iter().map(|c| self.output_ref(c)).collect::<Result<_>>()?;
        let meta = serde_json::to_value(meta).map_err(|e| Error::Bug(format!("unit `{unit}`: {e}")))?;
        let record = UnitRecord { unit: unit.to_owned(), outputs, meta };
        self.journal.append(&Record::json(KIND_UNIT_DONE, &record)?)?;
        self.done.insert(record.unit.clone(), record);
        Ok(())
    }

    /// Takes over a unit that a run in the folder `from` has done, with its outputs, which must be what the record says; gives their number. One
    /// that is done here stays, and counts for nothing.
    ///
    /// # Errors
    /// [`Error::InputCorrupt`] for an output that is gone, changed, or outside of `from`; storage errors.
    pub fn adopt(&mut self, io: &dyn StoreIo, record: &UnitRecord, from: &Path) -> Result<usize> {
        if self.done(&record.unit).is_some() {
            return Ok(0);
        }
        let mut committed = Vec::new();
        for output in &record.outputs {
            if let Some(reason) = check_output(io, from, output)? {
                let path = from.join(&output.path);
                return Err(Error::InputCorrupt { path, reason });
            }
            let (path, to) = (from.join(&output.path), self.root.join(&output.path));
            let (parent, _) = super::io::split_path(&to)?;
            io.create_dir_all(&parent).map_err(|e| Error::storage("create", &parent, e))?;
            let (folder, name) = super::io::split_path(&path)?;
            let opened = io.open_dir(&folder).and_then(|dir| dir.open_read(&name));
            let mut file = opened.map_err(|e| Error::storage("read", &path, e))?;
            committed.push(commit(io, to, |w| io::copy(&mut file, w).map(drop))?);
        }
        self.finish(&record.unit, &committed, &record.meta)?;
        Ok(committed.len())
    }

    fn output_ref(&self, committed: &Committed) -> Result<OutputRef> {
        let inside = committed.path.strip_prefix(&self.root).ok().and_then(Path::to_str);
        let path = inside.ok_or_else(|| {
            Error::Bug(format!("output outside of {} or not UTF-8: {}", self.root.display(), committed.path.display()))
        })?;
        Ok(OutputRef {
            path: path.replace(std::path::MAIN_SEPARATOR, "/"),
            bytes: committed.bytes,
            blake3: committed.blake3.to_hex().to_string(),
        })
    }
}

/// Takes the units that the runs in the folders `parts` have done, with their outputs, into the run in `root`; `inner` is their journal within each of
/// them and within `root`. Gives the number of units and of files that were taken over; what `root` has stays. Parts without a journal have nothing.
///
/// # Errors
/// [`Error::Usage`] for parts of different runs, with the fields of the key in which they differ; those of [`UnitLog::adopt`].
pub fn unite_units(io: &dyn StoreIo, (parts, inner): (&[PathBuf], &str), root: &Path) -> Result<(usize, usize)> {
    let mut found: Vec<(&PathBuf, RunKey, Vec<UnitRecord>)> = Vec::new();
    for part in parts {
        let Some((key, records)) = UnitLog::read(io, part.join(inner))? else { continue };
        if let Some((first, known, _)) = found.first()
            && *known != key
        {
            return Err(of_other_runs((first, known), (part, &key)));
        }
        found.push((part, key, records));
    }
    let Some((_, key, _)) = found.first() else { return Ok((0, 0)) };
    let mut log = UnitLog::open(io, root.join(inner), root, key)?;
    let (mut units, mut files) = (0, 0);
    for (part, _, records) in &found {
        for record in records {
            units += usize::from(log.done(&record.unit).is_none());
            files += log.adopt(io, record, part)?;
        }
    }
    Ok((units, files))
}

/// Units by name; of one that is on record twice the later record.
fn units_of(records: &[Record], path: &Path) -> Result<BTreeMap<String, UnitRecord>> {
    let mut done = BTreeMap::new();
    for record in records.iter().filter(|r| r.kind == KIND_UNIT_DONE) {
        let unit: UnitRecord = record.parse().ok_or_else(|| StateError::Corrupt {
            path: path.to_path_buf(),
            reason: "a unit record cannot be read".into(),
        })?;
        done.insert(unit.unit.clone(), unit);
    }
    Ok(done)
}

/// `None` when the file is what the record says, else what is wrong.
fn check_output(io: &dyn StoreIo, root: &Path, output: &OutputRef) -> Result<Option<String>> {
    let path = root.join(&output.path);
    // A record is ours and checked, but it names files: it must not lead out of the folder.
    if !Path::new(&output.path).components().all(|c| matches!(c, std::path::Component::Normal(_))) {
        return Ok(Some(format!("`{}` is not inside the output folder", output.path)));
    }
    let (folder, name) = super::io::split_path(&path)?;
    let gone = |e: &io::Error| matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory);
    let opened = io.open_dir(&folder).and_then(|dir| dir.open_read(&name));
    let mut file = match opened {
        Ok(file) => file,
        Err(e) if gone(&e) => return Ok(Some(format!("`{}` is gone", output.path))),
        Err(e) => return Ok(Some(format!("`{}` cannot be opened: {e}", output.path))),
    };
    let mut hasher = blake3::Hasher::new();
    let length = file.byte_len().map_err(|e| Error::storage("read", &path, e))?;
    if length == output.bytes {
        hash_reader(file.as_mut(), &mut hasher).map_err(|e| Error::storage("read", &path, e))?;
        if hasher.finalize().to_hex().as_str() == output.blake3 {
            return Ok(None);
        }
    }
    Ok(Some(format!("`{}` has changed", output.path)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{OsIo, commit};
    use std::io::Write;

    #[test]
    fn units_stay_done_until_an_output_changes() {
        let folder = tempfile::tempdir().unwrap();
        let (root, state) = (folder.path().join("out"), folder.path().join("state"));
        for dir in [&root, &state] {
            OsIo.create_dir_all(dir).unwrap();
        }
        let key = RunKey::builder().field("x", 1).finish().unwrap();
        let open = || UnitLog::open(&OsIo, state.join("journal"), &root, &key).unwrap();
        let mut log = open();
        for name in ["a", "b", "c"] {
            let done = commit(&OsIo, root.join(name), |w| w.write_all(name.as_bytes())).unwrap();
            log.finish(name, &[done], &serde_json::json!({ "frames": 3 })).unwrap();
        }
        assert_eq!(open().done("b").unwrap().meta["frames"], 3);
        assert!(open().records().map(|r| r.unit.as_str()).eq(["a", "b", "c"]));
        let (found, records) = UnitLog::read(&OsIo, state.join("journal")).unwrap().unwrap();
        assert!(found == key && records.iter().map(|r| r.unit.as_str()).eq(["a", "b", "c"]));
        assert_eq!(UnitLog::read(&OsIo, state.join("none")).unwrap(), None);
        commit(&OsIo, root.join("a"), |w| w.write_all(b"A")).unwrap();
        std::fs::remove_file(root.join("c")).unwrap();
        let log = open();
        assert_eq!((log.done_count(), log.done("a"), log.done("c")), (1, None, None));
        let reasons: Vec<_> = log.redo().iter().map(|(unit, reason)| (unit.as_str(), reason.as_str())).collect();
        assert_eq!(reasons, [("a", "`a` has changed"), ("c", "`c` is gone")]);
    }

    #[test]
    fn units_of_parts_are_taken_over_with_their_files() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let key = |seed: u32| RunKey::builder().field("seed", seed).finish().unwrap();
        let make = |name: &str, seed: u32, units: &[&str]| {
            std::fs::create_dir_all(at(name).join("files")).unwrap();
            let mut log = UnitLog::open(&OsIo, at(name).join("journal"), at(name), &key(seed)).unwrap();
            for unit in units {
                let path = at(name).join("files").join(unit);
                let done = commit(&OsIo, path, |w| w.write_all(unit.as_bytes())).unwrap();
                log.finish(unit, &[done], &serde_json::json!({ "of": unit })).unwrap();
            }
            at(name)
        };
        let parts = [make("p", 1, &["a", "c"]), make("q", 1, &["b", "c"]), at("without")];
        std::fs::create_dir(at("all")).unwrap();
        let unite = |parts: &[PathBuf]| unite_units(&OsIo, (parts, "journal"), &at("all"));
        assert_eq!(unite(&parts).unwrap(), (3, 3));
        assert_eq!(unite(&parts).unwrap(), (0, 0));
        let log = UnitLog::open(&OsIo, at("all/journal"), at("all"), &key(1)).unwrap();
        assert_eq!((log.done_count(), log.done("b").unwrap().meta["of"].as_str()), (3, Some("b")));
        assert_eq!(std::fs::read(at("all/files/b")).unwrap(), b"b");
        // Another run, and a file that changed.
        let other = make("other", 2, &["d"]);
        assert!(unite(&[parts[0].clone(), other]).unwrap_err().to_string().contains("they differ in seed"));
        let changed = make("changed", 1, &["e"]);
        commit(&OsIo, at("changed/files/e"), |w| w.write_all(b"E")).unwrap();
        assert!(matches!(unite(&[changed]), Err(Error::InputCorrupt { .. })));
    }

    #[test]
    fn outputs_outside_the_folder_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let key = RunKey::builder().finish().unwrap();
        let mut log = UnitLog::open(&OsIo, folder.path().join("journal"), folder.path().join("out"), &key).unwrap();
        let outside = commit(&OsIo, folder.path().join("x"), |w| w.write_all(b"1")).unwrap();
        assert!(matches!(log.finish("u", &[outside], &()), Err(Error::Bug(_))));
    }
}
