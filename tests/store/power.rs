//! R5: the power is cut at every call, the disk keeps any allowed state, recovery is cut too.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use frameloom::Error;
use frameloom::store::crash_fs::{CrashFs, Fault};
use frameloom::store::{Journal, UnitRecord};

use super::{content, key, run, unit_name};

const UNITS: u32 = 4;
const BYTES: usize = 1900;

fn root() -> &'static Path {
    Path::new("/run")
}

/// The files of a run that nothing disturbed.
fn undisturbed() -> (BTreeMap<PathBuf, Vec<u8>>, u64) {
    let fs = CrashFs::new(Fault::None);
    run(&fs, root(), UNITS, BYTES, |_| {}).unwrap();
    (fs.files(), fs.calls())
}

/// What a disk may never hold, whatever happened; returns the number of units on record.
fn check_disk(fs: &CrashFs, acknowledged: &[bool]) -> usize {
    let files = fs.files();
    // A visible final name is a whole file.
    for unit in 0..UNITS {
        if let Some(found) = files.get(&root().join("out").join(unit_name(unit))) {
            assert!(*found == content(unit, BYTES), "unit {unit} is visible but not whole");
        }
    }
    let journal = Journal::read(fs, root().join("state/journal"), Some(&key())).expect("the journal can be read");
    let recorded: Vec<String> = journal
        .map(|found| found.records.iter().map(|r| r.parse::<UnitRecord>().expect("a valid record").unit).collect())
        .unwrap_or_default();
    for unit in 0..UNITS {
        let on_record = recorded.contains(&unit_name(unit));
        assert!(on_record || !acknowledged[unit as usize], "unit {unit} was acknowledged and is gone");
        let visible = files.contains_key(&root().join("out").join(unit_name(unit)));
        assert!(visible || !on_record, "unit {unit} is on record without its file");
    }
    recorded.len()
}

#[test]
fn power_cuts_at_every_call_and_during_recovery() {
    let (expected, calls) = undisturbed();
    let (mut states, mut nested) = (0u32, 0u32);
    for cut in 0..calls {
        for seed in 0..48u64 {
            let mut acknowledged = [false; UNITS as usize];
            let mut fs = CrashFs::new(Fault::PowerCut(cut));
            let mut result = run(&fs, root(), UNITS, BYTES, |u| acknowledged[u as usize] = true);
            assert!(result.is_err(), "call {cut} of {calls} did not fail the run");
            for depth in 0..4u64 {
                // Recovery is cut at a moment that depends on the seed; the last one is left in peace.
                let next = if depth == 3 { Fault::None } else { Fault::PowerCut((seed * 7 + depth * 3 + cut) % 40) };
                fs = fs.reboot(cut * 1000 + seed * 10 + depth, Fault::None);
                check_disk(&fs, &acknowledged);
                fs.set_fault(next);
                states += 1;
                result = run(&fs, root(), UNITS, BYTES, |u| acknowledged[u as usize] = true);
                if result.is_ok() {
                    break;
                }
                nested += 1;
            }
            result.expect("an undisturbed run finishes");
            assert!(fs.files() == expected, "cut at {cut}, seed {seed}: other files than an undisturbed run");
        }
    }
    eprintln!("power cuts: {states} disk states, {nested} of them cut again in recovery, {calls} calls a run");
    assert!(states >= 10_000, "{states}");
}

#[test]
fn failing_calls_are_never_success_and_resume_is_identical() {
    let (expected, calls) = undisturbed();
    let (mut failed, mut swallowed) = (0, 0);
    for at in 0..calls {
        for kind in [ErrorKind::StorageFull, ErrorKind::Other, ErrorKind::QuotaExceeded, ErrorKind::ReadOnlyFilesystem]
        {
            let mut acknowledged = [false; UNITS as usize];
            let fs = CrashFs::new(Fault::Once(at, kind));
            match run(&fs, root(), UNITS, BYTES, |u| acknowledged[u as usize] = true) {
                Err(Error::Storage { source, .. }) => {
                    assert_eq!(source.kind(), kind, "call {at}");
                    failed += 1;
                }
                // Only calls whose failure changes nothing may be survived, and then all files are there.
                Ok(()) => {
                    swallowed += 1;
                    assert_eq!(fs.files(), expected, "call {at} failed, the run did not, and files differ");
                }
                other => panic!("call {at}: {other:?}"),
            }
            for seed in 0..4 {
                let fs = fs.reboot(seed, Fault::None);
                check_disk(&fs, &acknowledged);
                run(&fs, root(), UNITS, BYTES, |_| {}).unwrap();
                assert!(fs.files() == expected, "call {at}, {kind:?}: resume is not identical");
            }
        }
    }
    eprintln!("failing calls: {failed} runs failed as they should, {swallowed} did not need the call");
    assert!(failed > 200 && swallowed == 0, "{failed} failed, {swallowed} swallowed");
}

#[test]
fn a_full_disk_stops_the_run_and_keeps_what_is_done() {
    let (expected, calls) = undisturbed();
    for at in 0..calls {
        let mut acknowledged = [false; UNITS as usize];
        let fs = CrashFs::new(Fault::Full(at));
        let Err(e) = run(&fs, root(), UNITS, BYTES, |u| acknowledged[u as usize] = true) else {
            assert!(fs.files() == expected, "no error from call {at} on, and files differ");
            continue;
        };
        assert_eq!((e.code(), e.exit_code()), ("storage-no-space", 7), "call {at}");
        check_disk(&fs, &acknowledged);
        fs.set_fault(Fault::None);
        run(&fs, root(), UNITS, BYTES, |_| {}).unwrap();
        assert!(fs.files() == expected, "call {at}: resume is not identical");
    }
}

/// The campaign must be able to fail: a commit without fsync is caught by it.
#[test]
fn the_campaign_sees_a_commit_without_fsync() {
    use frameloom::store::StoreIo;
    let mut torn = 0;
    for seed in 0..50 {
        let fs = CrashFs::new(Fault::None);
        fs.create_dir_all(root()).unwrap();
        let dir = fs.open_dir(root()).unwrap();
        let mut file = dir.create_new("t".as_ref()).unwrap();
        std::io::Write::write_all(&mut file, &content(0, BYTES)).unwrap();
        dir.rename("t".as_ref(), "final".as_ref()).unwrap();
        dir.sync().unwrap();
        let files = fs.reboot(seed, Fault::None).files();
        torn += u32::from(files[&root().join("final")] != content(0, BYTES));
    }
    assert!(torn > 25, "{torn} of 50");
}
