//! A disk that is really full, and outputs with unusual names.

use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use frameloom::core::Size;
use frameloom::media::{Plane, SampleFormat, VideoWriter, wav::WavWriter};
use frameloom::store::crash_fs::{CrashFs, Fault};
use frameloom::store::{StoreIo, commit};

use crate::support::*;

/// A small file system in memory, unmounted on drop.
struct SmallDisk(PathBuf, #[allow(dead_code, reason = "keeps the folder")] tempfile::TempDir);

impl SmallDisk {
    fn mount(test: &str, bytes: u32) -> Option<Self> {
        let dir = tempfile::tempdir().unwrap();
        let option = format!("size={bytes}");
        let out = command("mount").args(["-t", "tmpfs", "-o", &option, "tmpfs"]).arg(dir.path()).output();
        if out.is_ok_and(|o| o.status.success()) {
            return Some(Self(dir.path().to_path_buf(), dir));
        }
        eprintln!("NOT RUN (a tmpfs cannot be mounted here; unit tests use a small disk in memory): {test}");
        None
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        drop(command("umount").arg(&self.0).output());
    }
}

#[test]
fn a_full_disk_is_reported_and_the_old_file_stays() {
    let Some(disk) = SmallDisk::mount("a_full_disk_is_reported_and_the_old_file_stays", 96 << 10) else { return };
    let size = Size::new(320, 240);
    let mut seed = 7u32;
    for name in ["v.mp4", "v.mkv"] {
        let path = disk.0.join(name);
        std::fs::File::create(&path).unwrap();
        let mut result = Ok(());
        let mut w = VideoWriter::create(&path, &options(size, 25), None).unwrap();
        for pts in 0..50 {
            let noise: Vec<u8> = (0..size.area() * 4)
                .map(|_| {
                    seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    (seed >> 24) as u8
                })
                .collect();
            result = w.write_frame(&[Plane { data: &noise, stride: 1280 }], pts);
            if result.is_err() {
                break;
            }
        }
        let e = match result {
            Ok(()) => w.finish().unwrap_err(),
            Err(e) => {
                assert!(w.finish().is_err(), "a failed writer must not finish");
                e
            }
        };
        assert_eq!((e.code(), e.exit_code()), ("storage-no-space", 7), "{e}");
        assert_eq!(std::fs::metadata(&path).unwrap().len(), 0, "the old file is untouched");
        std::fs::remove_file(&path).unwrap();
        assert_eq!(names(&disk.0), [""; 0]);
    }
    let mut w = WavWriter::create(disk.0.join("a.wav"), 16_000, 1, SampleFormat::F32).unwrap();
    let e = match w.write(&vec![0.5; 100_000]) {
        Ok(()) => w.finish().unwrap_err(),
        Err(e) => {
            drop(w);
            e
        }
    };
    assert_eq!(e.code(), "storage-no-space");
    assert_eq!(names(&disk.0), [""; 0]);
}

/// Writes a video or a WAV file over an older one, by extension; gives the BLAKE3 that the video writer reports.
fn overwrite(fs: &CrashFs, path: &Path) -> frameloom::Result<Option<[u8; 32]>> {
    let size = Size::new(64, 64);
    if path.extension().is_some_and(|e| e == "wav") {
        let mut w = WavWriter::create_in(fs, path, 16_000, 1, SampleFormat::F32)?;
        w.write(&vec![0.5; 100_000])?;
        return w.finish().map(|_| None);
    }
    let mut w = VideoWriter::create_in(fs as &dyn StoreIo, path, &options(size, 25), None)?;
    for pts in 0..3 {
        w.write_frame(&[Plane { data: &rgba(size, pts), stride: 256 }], pts as i64)?;
    }
    w.finish().map(|s| Some(s.blake3))
}

#[test]
fn whatever_call_of_the_disk_fails_the_old_file_or_the_new_one_is_whole() {
    for name in ["/out/a.mp4", "/out/a.mkv", "/out/a.wav"] {
        let path = Path::new(name);
        let disk = || {
            let fs = CrashFs::new(Fault::None);
            fs.create_dir_all(Path::new("/out")).unwrap();
            commit(&fs, path, |w| w.write_all(b"old")).unwrap();
            fs.set_fault(Fault::None);
            fs
        };
        let fs = disk();
        let hash = overwrite(&fs, path).unwrap();
        let (calls, new) = (fs.calls(), fs.files()[path].clone());
        assert!(hash.is_none_or(|h| h == *blake3::hash(&new).as_bytes()) && new.len() > 1000 && calls > 4, "{calls}");
        let mut kept = 0;
        for call in 0..=calls {
            let fs = disk();
            fs.set_fault(Fault::Once(call, ErrorKind::StorageFull));
            let result = overwrite(&fs, path);
            let files = fs.files();
            let whole = &files[path];
            assert_eq!(files.len(), 1, "{name}, call {call}: a temporary file is left");
            match result {
                Ok(_) => assert!(*whole == new, "{name}, call {call}"),
                Err(e) => {
                    assert_eq!(e.code(), "storage-no-space", "{name}, call {call}: {e}");
                    assert!(whole == b"old" || *whole == new, "{name}, call {call}");
                    kept += u64::from(whole == b"old");
                }
            }
        }
        assert!(kept + 3 >= calls, "{name}: {kept} of {calls} failures kept the old file");
    }
}

#[cfg(unix)]
#[test]
fn strange_names_work() {
    use std::os::unix::ffi::OsStrExt;
    let dir = tempfile::tempdir().unwrap();
    let size = Size::new(64, 64);
    for stem in
        [&b"-v"[..], b"a:b", b"concat:x", b"%d", b"line\nbreak", b"esc\x1b[31m", b"not\xffutf8", b"file:x", b" "]
    {
        for ext in [&b".mp4"[..], b".mkv"] {
            let path = dir.path().join(std::ffi::OsStr::from_bytes(&[stem, ext].concat()));
            let s = write_rgba(VideoWriter::create(&path, &options(size, 25), None).unwrap(), size, &[0, 1]);
            assert_eq!(s.bytes, std::fs::metadata(&path).unwrap().len());
        }
    }
    assert_eq!(names(dir.path()).len(), 18);
}
