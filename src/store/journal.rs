//! Append-only journal with a chained checksum.
//! A record counts only when everything before it does; the format is in `journal_format.rs`.

use std::ffi::OsString;
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::commit::commit;
use super::io::{StoreDir, StoreFile, StoreIo, split_path};
use super::journal_format::{encode_header, encode_records, header_chain, scan};
use super::run_key::RunKey;
use crate::error::{Error, Result};

/// One entry of a journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// What the payload is; chosen by the workflow.
    pub kind: u32,
    /// At most 1 MiB.
    pub payload: Vec<u8>,
}

impl Record {
    /// A record with a JSON payload.
    ///
    /// # Errors
    /// [`Error::Bug`] when `value` cannot be written as JSON.
    pub fn json(kind: u32, value: &impl Serialize) -> Result<Self> {
        let payload = serde_json::to_vec(value).map_err(|e| Error::Bug(format!("journal record: {e}")))?;
        Ok(Self { kind, payload })
    }

    /// Reads a JSON payload. `None` when it does not fit: written by another version of the workflow.
    pub fn parse<T: DeserializeOwned>(&self) -> Option<T> {
        serde_json::from_slice(&self.payload).ok()
    }
}

/// What was found in a journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recovered {
    /// The run the journal belongs to.
    pub key: RunKey,
    /// All validated records, in order.
    pub records: Vec<Record>,
    /// Bytes after the last validated record, if any. Worth a warning: after a crash they are one torn record.
    pub dropped: Option<DroppedTail>,
}

/// Bytes at the end of a journal that did not validate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DroppedTail {
    /// Where the last validated record ends.
    pub offset: u64,
    /// Bytes after it.
    pub bytes: u64,
    /// What did not fit.
    pub reason: &'static str,
}

/// A journal opened for appending.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    file: Box<dyn StoreFile>,
    chain: blake3::Hash,
    length: u64,
    broken: bool,
}

impl Journal {
    /// Opens the journal at `path` for this run, or creates it (atomically: there is no half header). A tail that does not
    /// validate is cut off.
    ///
    /// # Errors
    /// [`crate::StateError::KeyMismatch`] with the names of the differing fields, [`crate::StateError::NewerVersion`],
    /// [`crate::StateError::Foreign`] (not a journal), [`crate::StateError::Corrupt`] (a damaged header), or [`Error::Storage`].
    pub fn open(io: &dyn StoreIo, path: impl AsRef<Path>, key: &RunKey) -> Result<(Self, Recovered)> {
        let path = path.as_ref().to_path_buf();
        let fail = |action| {
            let path = path.clone();
            move |e| Error::storage(action, path, e)
        };
        let (dir, name) = open_parent(io, &path)?;
        let mut file = match dir.open_write(&name) {
            Ok(file) => file,
            Err(e) if e.kind() == io::ErrorKind::NotFound => {
                let header = encode_header(key)?;
                commit(io, &path, |w| w.write_all(&header))?;
                dir.open_write(&name).map_err(fail("open"))?
            }
            Err(e) => return Err(fail("open")(e)),
        };
        let scan = scan(file.as_mut(), &path, Some(key))?;
        if scan.recovered.dropped.is_some() {
            file.set_len(scan.end).map_err(fail("truncate"))?;
            file.sync().map_err(fail("flush"))?;
        }
        file.seek(SeekFrom::Start(scan.end)).map_err(fail("seek"))?;
        Ok((Self { path, file, chain: scan.chain, length: scan.end, broken: false }, scan.recovered))
    }

    /// Reads a journal and changes nothing. `None` when there is none. Without a `key` any run's journal is read.
    ///
    /// # Errors
    /// As [`Journal::open`].
    pub fn read(io: &dyn StoreIo, path: impl AsRef<Path>, key: Option<&RunKey>) -> Result<Option<Recovered>> {
        let path = path.as_ref();
        let (dir, name) = match open_parent(io, path) {
            Ok(found) => found,
            Err(Error::Storage { source, .. }) if source.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(e),
        };
        match dir.open_read(&name) {
            Ok(mut file) => Ok(Some(scan(file.as_mut(), path, key)?.recovered)),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(Error::storage("open", path, e)),
        }
    }

    /// Appends one record; it is durable when this returns.
    ///
    /// # Errors
    /// [`Error::LimitExceeded`] over 1 MiB, before anything is written. [`Error::Storage`]: then the journal takes no more
    /// records (what the disk holds is unknown); opening it again finds out.
    pub fn append(&mut self, record: &Record) -> Result<()> {
        self.append_all(std::slice::from_ref(record))
    }

    /// Appends several records with one fsync. After a crash, any number of the first ones may be there.
    ///
    /// # Errors
    /// As [`Journal::append`].
    pub fn append_all(&mut self, records: &[Record]) -> Result<()> {
        let (bytes, chain) = encode_records(self.chain, records)?;
        if self.broken {
            let e = io::Error::other("an earlier write to this journal failed");
            return Err(Error::storage("append to", &self.path, e));
        }
        self.broken = true;
        self.file.write_all(&bytes).map_err(|e| Error::storage("append to", &self.path, e))?;
        self.file.sync().map_err(|e| Error::storage("flush", &self.path, e))?;
        self.broken = false;
        self.chain = chain;
        self.length += bytes.len() as u64;
        Ok(())
    }

    /// Length in bytes; worth a [`Journal::rewrite`] beyond some 16 MiB.
    pub fn bytes(&self) -> u64 {
        self.length
    }

    /// Replaces the journal, atomically, by one that holds `records` (a snapshot).
    ///
    /// # Errors
    /// As [`Journal::append`] and [`Journal::open`]; the old journal is then still in place.
    pub fn rewrite(self, io: &dyn StoreIo, key: &RunKey, records: &[Record]) -> Result<Self> {
        let path = self.path.clone();
        let header = encode_header(key)?;
        let (body, _) = encode_records(header_chain(&header), records)?;
        drop(self);
        commit(io, &path, |w| {
            w.write_all(&header)?;
            w.write_all(&body)
        })?;
        Self::open(io, &path, key).map(|(journal, _)| journal)
    }
}

fn open_parent(io: &dyn StoreIo, path: &Path) -> Result<(Box<dyn StoreDir>, OsString)> {
    let (folder, name) = split_path(path)?;
    let dir = io.open_dir(&folder).map_err(|e| Error::storage("open", &folder, e))?;
    Ok((dir, name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::StateError;
    use crate::store::OsIo;
    use crate::store::crash_fs::{CrashFs, Fault};

    fn key(seed: &str) -> RunKey {
        RunKey::builder().field("input", "a").field("seed", seed).finish().unwrap()
    }

    fn record(n: u32) -> Record {
        Record { kind: n, payload: vec![n as u8; (n * 37 % 900) as usize] }
    }

    /// A journal of `n` records and its bytes.
    fn filled(n: u32) -> (tempfile::TempDir, PathBuf, Vec<u8>) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("j");
        let (mut journal, _) = Journal::open(&OsIo, &path, &key("1")).unwrap();
        for i in 0..n {
            journal.append(&record(i)).unwrap();
        }
        let bytes = std::fs::read(&path).unwrap();
        (dir, path, bytes)
    }

    fn put(path: &Path, bytes: &[u8]) {
        commit(&OsIo, path, |w| w.write_all(bytes)).unwrap();
    }

    #[test]
    fn records_come_back_and_appending_goes_on() {
        let (_dir, path, _) = filled(5);
        let (mut journal, found) = Journal::open(&OsIo, &path, &key("1")).unwrap();
        assert_eq!((found.records.len(), found.dropped), (5, None));
        journal.append_all(&[record(5), record(6)]).unwrap();
        assert_eq!(journal.bytes(), std::fs::metadata(&path).unwrap().len());
        let found = Journal::read(&OsIo, &path, None).unwrap().unwrap();
        assert_eq!(found.records, (0..7).map(record).collect::<Vec<_>>());
        assert_eq!(found.key, key("1"));
    }

    #[test]
    fn every_truncation_gives_a_prefix_and_every_flip_is_seen() {
        let (_dir, _path, bytes) = filled(9);
        // In memory: thousands of real fsyncs take their time.
        let disk = CrashFs::new(Fault::None);
        disk.create_dir_all(Path::new("/s")).unwrap();
        let path = Path::new("/s/j");
        let put = |bytes: &[u8]| commit(&disk, path, |w| w.write_all(bytes)).unwrap();
        let records: Vec<_> = (0..9).map(record).collect();
        let header = {
            let (_d, _p, empty) = filled(0);
            empty.len()
        };
        let mut damaged = 0;
        for at in 0..bytes.len() {
            put(&bytes[..at]);
            match Journal::read(&disk, path, Some(&key("1"))) {
                Ok(Some(found)) => {
                    assert!(at >= header);
                    assert_eq!(found.records, records[..found.records.len()]);
                    assert!(found.records.len() < 9);
                }
                other => assert!(at < header && matches!(other, Err(Error::State(_))), "cut at {at}: {other:?}"),
            }
            let mut flipped = bytes.clone();
            flipped[at] ^= 1 << (at % 8);
            put(&flipped);
            match Journal::read(&disk, path, Some(&key("1"))) {
                Ok(Some(found)) => {
                    assert!(at >= header && found.dropped.is_some());
                    assert_eq!(found.records, records[..found.records.len()]);
                }
                other => assert!(at < header && matches!(other, Err(Error::State(_))), "flip at {at}: {other:?}"),
            }
            damaged += 2;
        }
        assert!(damaged > 2000);
    }

    #[test]
    fn a_torn_tail_is_cut_only_when_opened_for_writing() {
        let (_dir, path, bytes) = filled(3);
        let mut torn = bytes.clone();
        torn.extend_from_slice(&[7, 0, 0]);
        put(&path, &torn);
        let found = Journal::read(&OsIo, &path, None).unwrap().unwrap();
        assert_eq!(found.dropped.map(|d| (d.offset, d.bytes)), Some((bytes.len() as u64, 3)));
        assert_eq!(std::fs::read(&path).unwrap(), torn);
        let (mut journal, found) = Journal::open(&OsIo, &path, &key("1")).unwrap();
        assert!(found.dropped.is_some());
        assert_eq!(std::fs::read(&path).unwrap(), bytes);
        journal.append(&record(3)).unwrap();
        assert_eq!(Journal::read(&OsIo, &path, None).unwrap().unwrap().records.len(), 4);
    }

    #[test]
    fn foreign_newer_other_key_and_damage_are_four_errors() {
        let (_dir, path, bytes) = filled(1);
        let state = |bytes: &[u8]| {
            put(&path, bytes);
            match Journal::open(&OsIo, &path, &key("1")) {
                Err(Error::State(e)) => e,
                other => panic!("{other:?}"),
            }
        };
        assert!(matches!(state(b"PK\x03\x04 something else entirely"), StateError::Foreign(_)));
        let mut newer = bytes.clone();
        newer[8] = 2;
        assert!(matches!(state(&newer), StateError::NewerVersion { found: 2, known: 1, .. }));
        let mut damaged = bytes.clone();
        damaged[20] ^= 1;
        assert!(matches!(state(&damaged), StateError::Corrupt { .. }));
        put(&path, &bytes);
        match Journal::open(&OsIo, &path, &key("2")) {
            Err(Error::State(StateError::KeyMismatch { fields, .. })) => assert_eq!(fields, ["seed"]),
            other => panic!("{other:?}"),
        }
        assert!(Journal::read(&OsIo, path.with_file_name("none"), None).unwrap().is_none());
    }

    #[test]
    fn a_record_over_the_limit_is_refused_before_writing() {
        let (_dir, path, bytes) = filled(1);
        let (mut journal, _) = Journal::open(&OsIo, &path, &key("1")).unwrap();
        let e = journal.append(&Record { kind: 1, payload: vec![0; (1 << 20) + 1] });
        assert!(matches!(e, Err(Error::LimitExceeded { value: 1_048_577, .. })));
        assert_eq!(std::fs::read(&path).unwrap(), bytes);
        journal.append(&Record { kind: 1, payload: vec![0; 1 << 20] }).unwrap();
        assert_eq!(Journal::read(&OsIo, &path, None).unwrap().unwrap().records.len(), 2);
    }

    #[test]
    fn a_snapshot_replaces_the_journal() {
        let (_dir, path, _) = filled(9);
        let (journal, _) = Journal::open(&OsIo, &path, &key("1")).unwrap();
        let mut journal = journal.rewrite(&OsIo, &key("1"), &[record(8)]).unwrap();
        journal.append(&record(9)).unwrap();
        assert_eq!(Journal::read(&OsIo, &path, None).unwrap().unwrap().records, [record(8), record(9)]);
    }
}
