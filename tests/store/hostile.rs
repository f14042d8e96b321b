//! R6: whatever bytes lie where our state should be, reading them ends in an answer: never a panic, never an invalid record.

use std::io::Write;

use frameloom::Error;
use frameloom::store::crash_fs::{CrashFs, Fault};
use frameloom::store::{Cache, Journal, Lookup, Record, StoreIo, commit};
use proptest::prelude::*;

use super::key;

const PATH: &str = "/s/journal";

fn disk_with(bytes: &[u8], path: &str) -> CrashFs {
    let fs = CrashFs::new(Fault::None);
    fs.create_dir_all("/s".as_ref()).unwrap();
    commit(&fs, path, |w| w.write_all(bytes)).unwrap();
    fs
}

fn good_journal() -> (Vec<u8>, Vec<Record>) {
    let fs = CrashFs::new(Fault::None);
    fs.create_dir_all("/s".as_ref()).unwrap();
    let (mut journal, _) = Journal::open(&fs, PATH, &key()).unwrap();
    let records: Vec<Record> = (0..5).map(|i| Record { kind: i, payload: vec![i as u8; 50 * i as usize] }).collect();
    journal.append_all(&records).unwrap();
    (fs.files()[std::path::Path::new(PATH)].clone(), records)
}

fn check_journal(bytes: &[u8], records: &[Record]) -> Result<(), TestCaseError> {
    let fs = disk_with(bytes, PATH);
    match Journal::open(&fs, PATH, &key()) {
        Ok((_, found)) => {
            prop_assert!(found.records.len() <= records.len());
            prop_assert_eq!(&found.records[..], &records[..found.records.len()]);
        }
        Err(Error::State(_)) => {}
        Err(other) => return Err(TestCaseError::fail(format!("{other:?}"))),
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn any_bytes_as_a_journal(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        check_journal(&bytes, &[])?;
    }

    /// Several damages at once: bytes changed, pieces removed, repeated, or moved, garbage at the end.
    #[test]
    fn a_damaged_journal_gives_a_prefix(
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), any::<u8>(), 0..4u8), 0..4),
        tail in prop::collection::vec(any::<u8>(), 0..64),
    ) {
        let (mut bytes, records) = good_journal();
        for (from, to, value, how) in edits {
            let (a, b) = (from.index(bytes.len()), to.index(bytes.len()));
            let (a, b) = (a.min(b), a.max(b) + 1);
            match how {
                0 => bytes[a] ^= value,
                1 => drop(bytes.drain(a..b.min(a + 40).min(bytes.len() - 1).max(a))),
                2 => { let piece = bytes[a..b].to_vec(); bytes.splice(a..a, piece); }
                _ => bytes[a..b].reverse(),
            }
        }
        bytes.extend(tail);
        check_journal(&bytes, &records)?;
    }

    #[test]
    fn any_bytes_as_a_cache_entry(bytes in prop::collection::vec(any::<u8>(), 0..300), with_magic in any::<bool>()) {
        let fs = CrashFs::new(Fault::None);
        let cache = Cache::open(&fs, "/s").unwrap();
        let bytes = if with_magic { [b"FLCACHE\0\x01\0\0\0".as_slice(), &bytes].concat() } else { bytes };
        commit(&fs, cache.path("x"), |w| w.write_all(&bytes)).unwrap();
        let found = cache.get("x", &key(), 1 << 20).unwrap();
        prop_assert!(matches!(found, Lookup::Corrupt(_) | Lookup::Foreign), "{:?}", found);
    }
}
