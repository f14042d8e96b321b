//! R4, R13: full, read-only and hostile folders on the real file system.

use std::io::Write;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use frameloom::store::{Journal, OsIo, StateDir, StoreIo, commit};

use super::{key, run, unit_name};

/// A small file system in memory; unmounted on drop. `None`, loudly, where mounting is not allowed.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    fn mount(test: &str, kib: u32) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        if !mount(&["-t", "tmpfs", "-o", &format!("size={kib}k"), "frameloom-test", folder.path().to_str().unwrap()]) {
            eprintln!("NOT RUN (a tmpfs cannot be mounted, which needs root): {test}");
            return None;
        }
        Some(Self(folder))
    }

    fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        #[allow(clippy::disallowed_methods, reason = "a test that needs a full disk makes one")]
        let _ = Command::new("umount").arg(self.0.path()).status();
    }
}

fn mount(args: &[&str]) -> bool {
    #[allow(clippy::disallowed_methods, reason = "a test that needs a full disk makes one")]
    Command::new("mount").args(args).output().is_ok_and(|out| out.status.success())
}

fn names(dir: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        std::fs::read_dir(dir).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_full_disk_keeps_the_old_file_and_the_run_goes_on_later() {
    for kib in (48..=240).step_by(12) {
        let Some(disk) = SmallDisk::mount("a_full_disk_keeps_the_old_file_and_the_run_goes_on_later", kib) else {
            return;
        };
        let old = disk.path().join("old");
        commit(&OsIo, &old, |w| w.write_all(b"old")).unwrap();
        let e = commit(&OsIo, &old, |w| w.write_all(&vec![1; 300 << 10])).unwrap_err();
        assert_eq!((e.code(), e.exit_code()), ("storage-no-space", 7));
        assert!(e.hint().unwrap().contains("run the same command again"));
        assert_eq!(std::fs::read(&old).unwrap(), b"old");
        assert_eq!(names(disk.path()), ["old"]);

        let e = run(&OsIo, disk.path(), 6, 50_000, |_| {}).unwrap_err();
        assert_eq!(e.code(), "storage-no-space");
        assert!(mount(&["-o", "remount,size=2m", disk.path().to_str().unwrap()]));
        run(&OsIo, disk.path(), 6, 50_000, |_| {}).unwrap();
        assert_eq!(names(&disk.path().join("out")), (0..6).map(unit_name).collect::<Vec<_>>());
    }
}

#[test]
fn a_read_only_folder_is_a_storage_error() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o555)).unwrap();
    if std::fs::File::create(folder.path().join("probe")).is_err() {
        let e = commit(&OsIo, folder.path().join("x"), |w| w.write_all(b"1")).unwrap_err();
        assert_eq!((e.code(), e.exit_code()), ("storage-permission", 7));
        return;
    }
    // Permission bits do not stop root; a read-only mount does.
    let Some(disk) = SmallDisk::mount("a_read_only_folder_is_a_storage_error", 64) else { return };
    commit(&OsIo, disk.path().join("x"), |w| w.write_all(b"old")).unwrap();
    assert!(mount(&["-o", "remount,ro", disk.path().to_str().unwrap()]));
    let e = commit(&OsIo, disk.path().join("x"), |w| w.write_all(b"new")).unwrap_err();
    assert_eq!((e.code(), e.exit_code()), ("storage-read-only", 7));
    assert_eq!(std::fs::read(disk.path().join("x")).unwrap(), b"old");
    let e = StateDir::acquire(&OsIo, disk.path()).unwrap_err();
    assert_eq!(e.code(), "storage-read-only");
}

#[test]
fn a_folder_remembers_whose_outputs_it_holds() {
    let folder = tempfile::tempdir().unwrap();
    let outputs = folder.path().join("out");
    let state = outputs.join(".state");
    for _ in 0..2 {
        drop(StateDir::acquire_for(&OsIo, &state, "analyze").unwrap());
    }
    let e = StateDir::acquire_for(&OsIo, &state, "chunk run").unwrap_err();
    assert_eq!((e.code(), e.exit_code()), ("state-other-command", 11));
    assert!(e.to_string().contains("`analyze`") && e.to_string().ends_with(outputs.to_str().unwrap()), "{e}");
    drop(StateDir::acquire_for(&OsIo, &state, "analyze").unwrap());
    let below_a_file = folder.path().join("file");
    commit(&OsIo, &below_a_file, |w| w.write_all(b"x")).unwrap();
    let e = StateDir::acquire_for(&OsIo, below_a_file.join(".state"), "analyze").unwrap_err();
    assert!(e.exit_code() == 7 && e.hint().is_some() && !e.to_string().contains(".state"), "{e}");
}

#[test]
fn a_planted_link_is_replaced_as_target_and_refused_elsewhere() {
    let folder = tempfile::tempdir().unwrap();
    let victim = folder.path().join("victim");
    commit(&OsIo, &victim, |w| w.write_all(b"precious")).unwrap();
    let out = folder.path().join("out");
    OsIo.create_dir_all(&out).unwrap();

    // As the target: the link goes, what it pointed to stays.
    symlink(&victim, out.join("result")).unwrap();
    commit(&OsIo, out.join("result"), |w| w.write_all(b"ours")).unwrap();
    assert!(out.join("result").symlink_metadata().unwrap().is_file());

    // As a temporary name, even one that is guessed: creating is exclusive.
    let dir = OsIo.open_dir(&out).unwrap();
    symlink(&victim, out.join(".result.tmp-0000000000000001")).unwrap();
    assert!(dir.create_new(".result.tmp-0000000000000001".as_ref()).is_err());
    // The clean-up neither follows nor counts it.
    assert_eq!(frameloom::store::clean_temps(dir.as_ref()).unwrap(), 0);

    // As the journal and as the lock: refused.
    symlink(&victim, out.join("journal")).unwrap();
    assert_eq!(Journal::open(&OsIo, out.join("journal"), &key()).unwrap_err().exit_code(), 7);
    symlink(&victim, out.join(".lock")).unwrap();
    assert_eq!(StateDir::acquire(&OsIo, &out).unwrap_err().exit_code(), 7);
    assert_eq!(std::fs::read(&victim).unwrap(), b"precious");
}

#[test]
fn a_folder_renamed_while_writing_is_followed_by_its_descriptor() {
    let folder = tempfile::tempdir().unwrap();
    let (before, after) = (folder.path().join("a"), folder.path().join("b"));
    OsIo.create_dir_all(&before).unwrap();
    commit(&OsIo, before.join("x"), |w| {
        #[allow(clippy::disallowed_methods, reason = "what an attacker does")]
        std::fs::rename(&before, &after)?;
        symlink("/nonexistent", &before)?;
        w.write_all(b"1")
    })
    .unwrap();
    assert_eq!(names(&after), ["x"]);
}

#[test]
fn impossible_targets_are_errors_and_leave_nothing() {
    let folder = tempfile::tempdir().unwrap();
    OsIo.create_dir_all(&folder.path().join("dir")).unwrap();
    let long = folder.path().join("x".repeat(256));
    let targets: [PathBuf; 4] =
        [folder.path().join("dir"), folder.path().join("none/x"), folder.path().join(".."), long];
    for target in targets {
        assert!(commit(&OsIo, &target, |w| w.write_all(b"1")).is_err(), "{target:?}");
    }
    assert_eq!(names(folder.path()), ["dir"]);
    commit(&OsIo, folder.path().join("y".repeat(255)), |w| w.write_all(b"1")).unwrap();
}
