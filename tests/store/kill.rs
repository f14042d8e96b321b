//! R3, R21: a real child process is killed with SIGKILL at random moments and started again.

use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use frameloom::store::{Journal, OsIo, StateDir, UnitRecord};
use frameloom::{Error, StateError};

use super::{content, key, run, unit_name};

const FOLDER_VAR: &str = "FRAMELOOM_STORE_TEST_FOLDER";
const UNITS: u32 = 24;
const BYTES: usize = 300_000;

/// What the child does. Ignored, so that only the tests here start it.
#[test]
#[ignore = "the body of the child process of the tests below"]
fn child_run() {
    let Some(root) = folder_of_parent() else { return };
    run(&OsIo, &root, UNITS, BYTES, |_| {}).unwrap();
}

#[test]
#[ignore = "the body of the child process of the tests below"]
fn child_hold() {
    let Some(root) = folder_of_parent() else { return };
    let _owned = StateDir::acquire(&OsIo, root.join("state")).unwrap();
    std::fs::File::create(root.join("held")).unwrap();
    std::thread::sleep(Duration::from_secs(60));
}

/// `None`, loudly, when nobody but the test runner started this (`--include-ignored`).
fn folder_of_parent() -> Option<PathBuf> {
    let folder = std::env::var_os(FOLDER_VAR).map(PathBuf::from);
    if folder.is_none() {
        eprintln!("NOT RUN (only other tests start this one, in a child process)");
    }
    folder
}

fn start(test: &str, root: &Path) -> Child {
    #[allow(clippy::disallowed_methods, reason = "the test starts itself")]
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--ignored", "--test-threads=1"])
        .env(FOLDER_VAR, root)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Units on record; every one of them must be whole, and every visible file too.
fn check(root: &Path) -> usize {
    for unit in 0..UNITS {
        if let Ok(found) = std::fs::read(root.join("out").join(unit_name(unit))) {
            assert!(found == content(unit, BYTES), "unit {unit} is visible but not whole");
        }
    }
    let Some(journal) = Journal::read(&OsIo, root.join("state/journal"), Some(&key())).unwrap() else { return 0 };
    for record in &journal.records {
        let unit = record.parse::<UnitRecord>().unwrap().unit;
        assert!(root.join("out").join(&unit).exists(), "{unit} is on record without its file");
    }
    journal.records.len()
}

#[test]
fn killed_at_random_moments_and_started_again() {
    let (mut kills, mut rounds) = (0u32, 0u64);
    let start_time = Instant::now();
    while kills < 60 && start_time.elapsed() < Duration::from_secs(40) {
        let folder = tempfile::tempdir().unwrap();
        let mut on_record = 0;
        for attempt in 0.. {
            rounds += 1;
            let mut child = start("kill::child_run", folder.path());
            // A little longer each time, so that a slow machine gets through too.
            std::thread::sleep(Duration::from_micros(4_000 + rounds * 7_919 % 40_000 + attempt * 4_000));
            child.kill().unwrap();
            let status = child.wait().unwrap();
            let now = check(folder.path());
            assert!(now >= on_record, "{now} units on record, {on_record} before");
            on_record = now;
            match status.signal() {
                Some(_) => kills += 1,
                None => {
                    assert!(status.success(), "the child failed by itself");
                    break;
                }
            }
        }
        assert_eq!(on_record, UNITS as usize);
        let mut left: Vec<_> =
            std::fs::read_dir(folder.path().join("out")).unwrap().map(|e| e.unwrap().file_name()).collect();
        left.sort();
        assert_eq!(left, (0..UNITS).map(|u| unit_name(u).into()).collect::<Vec<std::ffi::OsString>>());
    }
    eprintln!("{kills} kills in {rounds} starts");
    assert!(kills >= 20, "{kills}");
}

#[test]
fn a_second_owner_is_told_within_a_second_and_a_dead_one_does_not_count() {
    let folder = tempfile::tempdir().unwrap();
    let mut holder = start("kill::child_hold", folder.path());
    let begin = Instant::now();
    while !folder.path().join("held").exists() {
        assert!(begin.elapsed() < Duration::from_secs(30), "the child did not start");
        std::thread::sleep(Duration::from_millis(5));
    }
    let begin = Instant::now();
    match StateDir::acquire(&OsIo, folder.path().join("state")) {
        Err(Error::State(StateError::Busy(path))) => assert_eq!(path, folder.path().join("state")),
        other => panic!("{other:?}"),
    }
    assert!(begin.elapsed() < Duration::from_secs(1));
    holder.kill().unwrap();
    holder.wait().unwrap();
    let begin = Instant::now();
    drop(StateDir::acquire(&OsIo, folder.path().join("state")).unwrap());
    assert!(begin.elapsed() < Duration::from_secs(1));
}

#[test]
fn one_of_many_threads_wins() {
    let folder = tempfile::tempdir().unwrap();
    let barrier = std::sync::Barrier::new(8);
    let owners: usize = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| {
                    barrier.wait();
                    let owned = StateDir::acquire(&OsIo, folder.path());
                    barrier.wait();
                    usize::from(owned.is_ok())
                })
            })
            .collect();
        threads.into_iter().map(|t| t.join().unwrap()).sum()
    });
    assert_eq!(owners, 1);
}
