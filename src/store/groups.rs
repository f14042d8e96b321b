//! What a run has found, unit by unit: a journal in which the records of a unit count once its last one is there.
//!
//! It is for findings that are small and that later steps are made of, where [`super::UnitLog`] is for files. Journals of the parts of one run are
//! united into one that does not tell how many parts there were.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::io::StoreIo;
use super::journal::{Journal, Record};
use super::run_key::RunKey;
use crate::error::{Error, Result, StateError};

/// Kind of the record that ends a group; those in it have other kinds.
const END: u32 = u32::MAX;

/// Which unit of which stage of a run a group is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct GroupId {
    /// The stage; its numbers are the workflow's own.
    pub stage: u32,
    /// The unit, from 0.
    pub unit: u64,
}

/// Records by the group that they belong to, in the order in which they were written.
pub type Groups = BTreeMap<GroupId, Vec<Record>>;

/// A journal of groups, opened for more.
#[derive(Debug)]
pub struct GroupLog {
    journal: Journal,
    done: BTreeSet<GroupId>,
}

impl GroupLog {
    /// Opens or creates the journal at `path`, with what it holds. A group without its end, as a kill leaves it, is cut off.
    ///
    /// # Errors
    /// As [`Journal::open`]; [`StateError::Corrupt`] for an end that cannot be read.
    pub fn open(io: &dyn StoreIo, path: impl AsRef<Path>, key: &RunKey) -> Result<(Self, Groups)> {
        let path = path.as_ref();
        let (mut journal, found) = Journal::open(io, path, key)?;
        let whole = found.records.iter().rposition(|r| r.kind == END).map_or(0, |at| at + 1);
        if whole < found.records.len() {
            journal = journal.rewrite(io, key, found.records.get(..whole).unwrap_or_default())?;
        }
        let groups = groups_of(found.records, path)?;
        Ok((Self { journal, done: groups.keys().copied().collect() }, groups))
    }

    /// Whether a group is there.
    pub fn has(&self, id: GroupId) -> bool {
        self.done.contains(&id)
    }

    /// Adds a group; it is durable when this returns.
    ///
    /// # Errors
    /// As [`Self::finish_all`].
    pub fn finish(&mut self, id: GroupId, records: Vec<Record>) -> Result<()> {
        self.finish_all(vec![(id, records)])
    }

    /// Adds groups with one fsync; they are durable when this returns.
    ///
    /// # Errors
    /// [`Error::Bug`] for a record of the kind that ends groups; otherwise as [`Journal::append_all`].
    pub fn finish_all(&mut self, groups: Vec<(GroupId, Vec<Record>)>) -> Result<()> {
        let (mut all, mut ids) = (Vec::new(), Vec::new());
        for (id, records) in groups {
            if records.iter().any(|r| r.kind == END) {
                return Err(Error::Bug("a record that would end its group".into()));
            }
            all.extend(records);
            all.push(Record::json(END, &id)?);
            ids.push(id);
        }
        self.journal.append_all(&all)?;
        self.done.extend(ids);
        Ok(())
    }
}

fn groups_of(records: Vec<Record>, path: &Path) -> Result<Groups> {
    let (mut groups, mut open) = (Groups::new(), Vec::new());
    for record in records {
        if record.kind != END {
            open.push(record);
            continue;
        }
        let reason = || "the end of a group cannot be read".to_owned();
        let id = record.parse().ok_or_else(|| StateError::Corrupt { path: path.to_path_buf(), reason: reason() })?;
        groups.insert(id, std::mem::take(&mut open));
    }
    Ok(groups)
}

/// That the state of `one` and `other` is of runs which differ in fields of their keys.
pub(crate) fn of_other_runs((one, a): (&Path, &RunKey), (other, b): (&Path, &RunKey)) -> Error {
    let (one, other, what) = (one.display(), other.display(), a.diff(b).join(", "));
    Error::Usage {
        message: format!("{one} and {other} are no parts of one run: they differ in {what}"),
        hint: Some("run all parts with the same version, input, settings, models and kind of device".into()),
    }
}

/// All groups of the journals `inner` in the folders `parts`, and the key that these share.
///
/// # Errors
/// [`Error::InputNotFound`] for a part without the journal; [`Error::Usage`] for parts of different runs, with the fields of the key in which they
/// differ, and for parts that hold the same group with other content; [`Error::Storage`].
pub fn gather_groups(io: &dyn StoreIo, (parts, inner): (&[PathBuf], &str)) -> Result<(RunKey, Groups)> {
    let mut all: Option<(&Path, RunKey, Groups)> = None;
    for part in parts {
        let path = part.join(inner);
        let Some(journal) = Journal::read(io, &path, None)? else {
            let reason = format!("wanted: the output folder of a part, with {inner}");
            return Err(Error::InputNotFound { path: part.clone(), reason });
        };
        let groups = groups_of(journal.records, &path)?;
        match &mut all {
            None => all = Some((part, journal.key, groups)),
            Some((first, key, _)) if *key != journal.key => {
                return Err(of_other_runs((first, key), (part, &journal.key)));
            }
            Some((.., all)) => {
                groups.into_iter().try_for_each(|(id, records)| add(all, part, id, records).map(drop))?
            }
        }
    }
    let (_, key, groups) = all.ok_or_else(|| Error::usage("wanted: the folders of all parts"))?;
    Ok((key, groups))
}

/// Adds a group of `part`; whether it is new.
fn add(all: &mut Groups, part: &Path, id: GroupId, records: Vec<Record>) -> Result<bool> {
    match all.get(&id) {
        Some(known) if *known == records => Ok(false),
        Some(_) => Err(Error::Usage {
            message: format!("{} has found something else in unit {} of stage {}", part.display(), id.unit, id.stage),
            hint: Some("run the parts on machines with the same devices and libraries".into()),
        }),
        None => {
            all.insert(id, records);
            Ok(true)
        }
    }
}

/// Takes the groups of the journals `inner` in the folders `parts` into the journal `to`, which is made if it is not there; what it has stays.
/// Gives the number of groups that were taken over.
///
/// # Errors
/// As [`gather_groups`], and [`crate::StateError::KeyMismatch`] where `to` is of another run.
pub fn unite_groups(io: &dyn StoreIo, (parts, inner): (&[PathBuf], &str), to: &Path) -> Result<usize> {
    let (key, found) = gather_groups(io, (parts, inner))?;
    let (mut log, mut all) = GroupLog::open(io, to, &key)?;
    let mut new = Vec::new();
    for (id, records) in found {
        if add(&mut all, to, id, records.clone())? {
            new.push((id, records));
        }
    }
    let count = new.len();
    log.finish_all(new)?;
    Ok(count)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::OsIo;

    fn key(seed: &str) -> RunKey {
        RunKey::builder().field("input", "a").field("seed", seed).finish().unwrap()
    }

    fn record(n: u8) -> Record {
        Record { kind: u32::from(n), payload: vec![n; 5] }
    }

    fn id(stage: u32, unit: u64) -> GroupId {
        GroupId { stage, unit }
    }

    #[test]
    fn a_group_without_its_end_is_none() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("seen");
        let (mut log, groups) = GroupLog::open(&OsIo, &path, &key("1")).unwrap();
        assert!(groups.is_empty());
        log.finish(id(1, 0), vec![record(1), record(2)]).unwrap();
        log.finish(id(1, 4), vec![]).unwrap();
        assert!(matches!(log.finish(id(1, 5), vec![Record { kind: END, payload: vec![] }]), Err(Error::Bug(_))));
        log.journal.append(&record(9)).unwrap();
        drop(log);
        for _ in 0..2 {
            let (log, groups) = GroupLog::open(&OsIo, &path, &key("1")).unwrap();
            assert_eq!(groups, Groups::from([(id(1, 0), vec![record(1), record(2)]), (id(1, 4), vec![])]));
            assert!(log.has(id(1, 4)) && !log.has(id(1, 5)) && !log.has(id(2, 0)));
        }
    }

    #[test]
    fn parts_of_one_run_become_its_journal_and_others_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let make = |name: &str, seed: &str, groups: &[(GroupId, u8)]| {
            let part = dir.path().join(name);
            std::fs::create_dir(&part).unwrap();
            let (mut log, _) = GroupLog::open(&OsIo, part.join("seen"), &key(seed)).unwrap();
            groups.iter().for_each(|(id, n)| log.finish(*id, vec![record(*n)]).unwrap());
            part
        };
        let a = make("a", "1", &[(id(1, 0), 1), (id(1, 2), 3), (id(9, 0), 7)]);
        let b = make("b", "1", &[(id(1, 1), 2), (id(9, 0), 7)]);
        let to = dir.path().join("all");
        let unite = |parts: &[PathBuf], to: &Path| unite_groups(&OsIo, (parts, "seen"), to);
        assert_eq!(unite(&[b.clone(), a.clone()], &to).unwrap(), 4);
        assert_eq!(unite(&[a.clone(), b.clone()], &to).unwrap(), 0, "what is there stays");
        let (_, groups) = GroupLog::open(&OsIo, &to, &key("1")).unwrap();
        assert_eq!(groups.keys().copied().collect::<Vec<_>>(), [id(1, 0), id(1, 1), id(1, 2), id(9, 0)]);
        let said = |e: Result<usize>| e.unwrap_err().to_string();
        let to = dir.path().join("none");
        let c = make("c", "2", &[]);
        assert!(said(unite(&[a.clone(), c], &to)).contains("they differ in seed"));
        let d = make("d", "1", &[(id(9, 0), 8)]);
        assert!(said(unite(&[a.clone(), d], &to)).contains("something else in unit 0 of stage 9"));
        assert!(matches!(unite(&[a, dir.path().join("e")], &to), Err(Error::InputNotFound { .. })));
    }
}
