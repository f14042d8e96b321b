use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

use crate::support::*;

/// Runs `analyze` and checks: this exit code, one message, no panic, nothing left in the output folder.
fn refused(input: &Path, out: &Path, want: i32) -> String {
    let o = frameloom().arg("analyze").arg(input).arg("-o").arg(out).output().unwrap();
    let text = stderr(&o);
    assert_eq!(code(&o), want, "{}: {text}", input.display());
    assert_eq!(text.matches("error[").count(), 1, "{text}");
    assert!(!text.contains("panicked"), "{text}");
    assert!(!out.exists(), "{} was left behind", out.display());
    text
}

#[test]
fn missing_directory_empty_and_text() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    assert!(refused(&dir.path().join("nothing.mp4"), &out, 4).contains("no such file"));
    let empty_folder = dir.path().join("folder");
    std::fs::create_dir(&empty_folder).unwrap();
    refused(&empty_folder, &out, 4);
    let empty = dir.path().join("empty.mp4");
    std::fs::write(&empty, b"").unwrap();
    assert!(refused(&empty, &out, 5).contains("empty"));
    let text = dir.path().join("text.mp4");
    std::fs::write(&text, b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n").unwrap();
    refused(&text, &out, 5);
}

#[test]
fn a_video_without_frames_and_one_without_video() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    let sound = clip(dir.path(), "sound.mp4", "sine=frequency=440:duration=1", &["-c:a", "aac"]);
    refused(&sound, &out, 4);
    // A valid header whose only track has no samples: the data of a real clip is cut behind the index.
    let clip = clip(
        dir.path(),
        "clip.mp4",
        "testsrc2=size=64x48:rate=5:duration=1",
        &["-c:v", "libx264", "-pix_fmt", "yuv420p", "-movflags", "+faststart"],
    );
    let mut bytes = std::fs::read(&clip).unwrap();
    let data = bytes.windows(4).position(|w| w == b"mdat").unwrap();
    bytes.truncate(data + 4);
    let bare = dir.path().join("bare.mp4");
    std::fs::write(&bare, &bytes).unwrap();
    refused(&bare, &out, 5);
}

#[test]
fn odd_names_work() {
    let dir = tempfile::tempdir().unwrap();
    let clip = small_clip(dir.path());
    let names: Vec<OsString> = vec![
        "with space.mp4".into(),
        "new\nline.mp4".into(),
        "-v.mp4".into(),
        "a:b.mp4".into(),
        "%d \u{1b}[31m.mp4".into(),
        OsString::from_vec(b"bytes\xff\xfe.mp4".to_vec()),
    ];
    for (i, name) in names.iter().enumerate() {
        let input = dir.path().join(name);
        std::fs::copy(&clip, &input).unwrap();
        let out = dir.path().join(format!("out{i}"));
        let o = frameloom().arg("analyze").arg(&input).arg("-o").arg(&out).output().unwrap();
        assert_eq!(code(&o), 0, "{name:?}: {}", stderr(&o));
        assert!(!o.stderr.contains(&0x1b) && !o.stdout.contains(&0x1b), "a control character reached the terminal");
        assert_eq!(contents(&out).len(), OUTPUTS.len());
    }
}

#[test]
fn sizes_from_one_pixel_up() {
    let dir = tempfile::tempdir().unwrap();
    for size in ["1x1", "3x3", "17x1", "1x17", "16x16", "33x31"] {
        let input = clip(
            dir.path(),
            &format!("{size}.mkv"),
            &format!(
                "testsrc2=size=64x48:rate=5:duration=1,scale={}:{}",
                size.split('x').next().unwrap(),
                size.split('x').nth(1).unwrap()
            ),
            &["-c:v", "ffv1", "-pix_fmt", "yuv444p"],
        );
        let out = dir.path().join(size);
        let o = frameloom().arg("analyze").arg(&input).arg("-o").arg(&out).output().unwrap();
        assert_eq!(code(&o), 0, "{size}: {}", stderr(&o));
        let html = std::fs::read_to_string(out.join("report.html")).unwrap();
        assert!(!html.contains("NaN") && !html.contains("inf "), "{size}");
    }
}

#[test]
fn black_and_static_clips_have_no_nan() {
    let dir = tempfile::tempdir().unwrap();
    for source in ["color=black:size=64x48:rate=5:duration=2", "color=0x808080:size=64x48:rate=5:duration=2"] {
        let input = clip(dir.path(), "plain.mp4", source, &["-c:v", "libx264", "-pix_fmt", "yuv420p"]);
        let out = dir.path().join("out");
        let _ = std::fs::remove_dir_all(&out);
        let o = frameloom().arg("analyze").arg(&input).arg("-o").arg(&out).output().unwrap();
        assert_eq!(code(&o), 0, "{}", stderr(&o));
        for name in ["frames.jsonl", "frames.csv", "summary.json", "report.html"] {
            let text = std::fs::read_to_string(out.join(name)).unwrap();
            assert!(!text.contains("NaN") && !text.contains("nan,"), "{name}");
        }
    }
}

#[test]
fn an_output_folder_that_cannot_be_made() {
    let dir = tempfile::tempdir().unwrap();
    let input = small_clip(dir.path());
    let file = dir.path().join("file");
    std::fs::write(&file, b"x").unwrap();
    let o = frameloom().arg("analyze").arg(&input).arg("-o").arg(file.join("sub")).output().unwrap();
    assert_eq!(code(&o), 7, "{}", stderr(&o));
    assert_eq!(std::fs::read(&file).unwrap(), b"x");
    let o = frameloom().arg("analyze").arg(&input).arg("-o").arg(&file).output().unwrap();
    assert_eq!(code(&o), 7, "{}", stderr(&o));
    assert_eq!(std::fs::read(&file).unwrap(), b"x");
}

/// A small file system that is gone with the value.
struct Tmpfs(PathBuf);

impl Tmpfs {
    fn mount(at: &Path, options: &str) -> Option<Self> {
        std::fs::create_dir_all(at).unwrap();
        let o =
            std::process::Command::new("mount").args(["-t", "tmpfs", "-o", options, "tmpfs"]).arg(at).output().ok()?;
        o.status.success().then(|| Self(at.to_path_buf()))
    }
}

impl Drop for Tmpfs {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[test]
fn a_full_disk_is_exit_seven_and_leaves_nothing_half_written() {
    let dir = tempfile::tempdir().unwrap();
    let input = small_clip(dir.path());
    let mut full = 0;
    for kib in [8u32, 32, 64, 128, 256, 512] {
        let at = dir.path().join(format!("disk{kib}"));
        let Some(_disk) = Tmpfs::mount(&at, &format!("size={kib}k")) else {
            eprintln!("NOT RUN (tmpfs cannot be mounted here): a_full_disk_is_exit_seven");
            return;
        };
        let out = at.join("out");
        let o = frameloom().arg("analyze").arg(&input).arg("-o").arg(&out).output().unwrap();
        if code(&o) == 0 {
            continue;
        }
        full += 1;
        assert_eq!(code(&o), 7, "{kib}: {}", stderr(&o));
        assert!(stderr(&o).contains("storage-no-space"), "{}", stderr(&o));
        assert_eq!(leftovers(&out), Vec::<PathBuf>::new(), "{kib}");
    }
    assert!(full >= 3, "only {full} disks were too small");
}

#[test]
fn a_read_only_folder_is_exit_seven() {
    let dir = tempfile::tempdir().unwrap();
    let input = small_clip(dir.path());
    let at = dir.path().join("ro");
    let Some(_disk) = Tmpfs::mount(&at, "size=1m,ro") else {
        eprintln!("NOT RUN (tmpfs cannot be mounted here): a_read_only_folder_is_exit_seven");
        return;
    };
    let o = frameloom().arg("analyze").arg(&input).arg("-o").arg(at.join("out")).output().unwrap();
    assert_eq!(code(&o), 7, "{}", stderr(&o));
    assert!(stderr(&o).contains("storage-read-only"), "{}", stderr(&o));
}

#[test]
fn limits_are_enforced_before_decoding() {
    let dir = tempfile::tempdir().unwrap();
    let input = small_clip(dir.path());
    for (limit, name) in [("side=100", "side"), ("frames=10", "frames"), ("pixels=1000", "pixels")] {
        let out = dir.path().join("out");
        let _ = std::fs::remove_dir_all(&out);
        let o = frameloom().arg("analyze").arg(&input).arg("-o").arg(&out).args(["--limit", limit]).output().unwrap();
        assert!(matches!(code(&o), 3 | 4), "{limit}: {} {}", code(&o), stderr(&o));
        assert!(stderr(&o).contains(name), "{limit}: {}", stderr(&o));
    }
}

#[test]
fn a_memory_limit_holds_or_is_refused_before_the_first_frame() {
    let dir = tempfile::tempdir().unwrap();
    let large = clip(
        dir.path(),
        "large.mp4",
        "testsrc2=size=1920x1080:rate=30:duration=2",
        &["-c:v", "libx264", "-pix_fmt", "yuv420p", "-preset", "ultrafast"],
    );
    let analyze = |mb: &str, out: &Path| {
        frameloom()
            .arg("analyze")
            .arg(&large)
            .arg("-o")
            .arg(out)
            .args(["--json", "--memory-limit", mb])
            .output()
            .unwrap()
    };
    for mb in ["128", "256", "1024"] {
        let out = dir.path().join(mb);
        let o = analyze(mb, &out);
        assert_eq!(code(&o), 0, "{mb}: {}", stderr(&o));
        let memory = events(&o).last().unwrap()["memory"].clone();
        let bytes = |name: &str| memory[name].as_u64().unwrap();
        let (peak, limit) = (bytes("peak_anonymous_bytes"), bytes("limit_bytes"));
        assert!(peak > 0 && peak <= limit, "{mb} MB: peak {peak}");
        assert!(contents(&out) == contents(&dir.path().join("128")), "{mb} MB changed the output");
    }
    let out = dir.path().join("none");
    let o = analyze("64", &out);
    assert_eq!(code(&o), 6, "{}", stderr(&o));
    assert!(stderr(&o).contains("error[memory]") && !out.exists(), "{}", stderr(&o));
}

#[test]
fn a_closed_pipe_is_no_panic() {
    let dir = tempfile::tempdir().unwrap();
    let mut child = frameloom().args(["ops", "--json"]).stdout(std::process::Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let status = child.wait().unwrap();
    assert!(matches!(status.code(), Some(0 | 141)), "{status:?}");
    drop(dir);
}
