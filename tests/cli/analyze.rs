use std::path::Path;
use std::time::{Duration, Instant};

use crate::support::*;

fn analyze(input: &Path, out: &Path, more: &[&str]) -> std::process::Output {
    frameloom().arg("analyze").arg(input).arg("-o").arg(out).args(more).output().unwrap()
}

#[test]
fn outputs_events_and_the_printed_path() {
    let dir = tempfile::tempdir().unwrap();
    let input = small_clip(dir.path());
    let out = dir.path().join("out");
    let o = analyze(&input, &out, &[]);
    assert_eq!(code(&o), 0, "{}", stderr(&o));
    let printed = String::from_utf8_lossy(&o.stdout).trim().to_owned();
    assert!(printed.ends_with("report.html") && Path::new(&printed).is_file(), "{printed}");
    let files: Vec<_> = contents(&out).into_keys().map(|p| p.to_string_lossy().into_owned()).collect();
    assert_eq!(files, OUTPUTS);
    let rows: Vec<serde_json::Value> = std::fs::read_to_string(out.join("frames.jsonl"))
        .unwrap()
        .lines()
        .map(|l| serde_json::from_str(l).unwrap())
        .collect();
    assert_eq!(rows.len(), 60);
    assert!(rows[0]["motion_mean"].is_null() && rows[1]["motion_mean"].as_f64().unwrap() > 0.0);
    assert!(rows.iter().enumerate().all(|(i, r)| r["frame"] == i as u64));
    let summary: serde_json::Value = serde_json::from_slice(&std::fs::read(out.join("summary.json")).unwrap()).unwrap();
    assert_eq!((&summary["frames"], &summary["verdict"]["status"]), (&60.into(), &"complete".into()));
    assert!(std::fs::read(out.join("frames.csv")).unwrap().starts_with(b"frame,pts,time"));
    assert!(std::fs::read(out.join("frames.parquet")).unwrap().starts_with(b"PAR1"));
    assert!(std::fs::read(out.join("heat.npy")).unwrap().starts_with(b"\x93NUMPY"));

    let again = analyze(&input, &out, &["--json"]);
    let events = events(&again);
    assert_eq!(events.first().unwrap()["event"], "start");
    assert_eq!(events.iter().filter(|e| e["event"] == "result" || e["event"] == "error").count(), 1);
    assert_eq!(events.last().unwrap()["event"], "result");
    let item = events.iter().find(|e| e["event"] == "item").unwrap();
    assert_eq!((&item["cached"], &item["frames"]), (&true.into(), &60.into()));
}

#[test]
fn speed_settings_never_change_a_byte() {
    let dir = tempfile::tempdir().unwrap();
    let input = small_clip(dir.path());
    let mut seen = None;
    for (i, more) in [
        &["--batch", "1", "--threads", "1", "--memory-limit", "128"][..],
        &["--batch", "3", "--threads", "2", "--memory-limit", "1024"],
        &["--batch", "8", "--threads", "4", "--memory-limit", "128"],
        &["--batch", "8", "--threads", "1", "--memory-limit", "1024", "--progress", "none"],
        &["--batch", "64", "--threads", "4", "--memory-limit", "96"],
    ]
    .iter()
    .enumerate()
    {
        let out = dir.path().join(format!("out{i}"));
        let o = analyze(&input, &out, more);
        assert_eq!(code(&o), 0, "{more:?}: {}", stderr(&o));
        let files = contents(&out);
        assert_eq!(files.len(), OUTPUTS.len());
        match &seen {
            None => seen = Some(files),
            Some(first) => assert!(*first == files, "{more:?} changed the output"),
        }
    }
}

#[test]
fn settings_that_are_declared_change_the_output() {
    let dir = tempfile::tempdir().unwrap();
    let input = small_clip(dir.path());
    let base = dir.path().join("base");
    assert_eq!(code(&analyze(&input, &base, &[])), 0);
    let base = contents(&base);
    for more in [
        &["--dark", "0.4"][..],
        &["--bright", "0.6"],
        &["--motion-threshold", "60"],
        &["--motion-side", "100"],
        &["--thumbnails", "1"],
    ] {
        let out = dir.path().join(more.concat());
        assert_eq!(code(&analyze(&input, &out, more)), 0);
        let changed = contents(&out);
        let differing: Vec<_> = base.iter().filter(|(k, v)| changed.get(*k) != Some(v)).map(|(k, _)| k).collect();
        let data = differing.iter().any(|f| f.extension().is_some_and(|e| e == "jsonl" || e == "npy"));
        assert!(data || more[0] == "--thumbnails", "{more:?} changed only {differing:?}");
        assert!(differing.iter().any(|f| f.ends_with("report.html")), "{more:?}");
    }
}

#[test]
fn other_settings_in_the_same_folder_are_refused_by_name_until_restart() {
    let dir = tempfile::tempdir().unwrap();
    let input = small_clip(dir.path());
    let out = dir.path().join("out");
    assert_eq!(code(&analyze(&input, &out, &[])), 0);
    let before = contents(&out);
    let o = analyze(&input, &out, &["--dark", "0.3"]);
    assert_eq!(code(&o), 11, "{}", stderr(&o));
    assert!(stderr(&o).contains("dark") && stderr(&o).contains("--restart"), "{}", stderr(&o));
    assert!(before == contents(&out), "a refused run must change nothing");
    assert_eq!(code(&analyze(&input, &out, &["--dark", "0.3", "--restart"])), 0);
    assert!(before != contents(&out));
}

#[test]
fn killed_at_any_moment_and_run_again_gives_the_same_bytes() {
    let dir = tempfile::tempdir().unwrap();
    let input = clip(
        dir.path(),
        "long.mp4",
        "testsrc2=size=640x360:rate=30:duration=10",
        &["-c:v", "libx264", "-pix_fmt", "yuv420p", "-preset", "ultrafast"],
    );
    let whole = dir.path().join("whole");
    let started = Instant::now();
    assert_eq!(code(&analyze(&input, &whole, &[])), 0);
    let full = started.elapsed();
    let want = contents(&whole);
    let mut killed = 0;
    for i in 0..8u32 {
        let out = dir.path().join(format!("k{i}"));
        let mut child = frameloom().arg("analyze").arg(&input).arg("-o").arg(&out).spawn().unwrap();
        std::thread::sleep(full * (i + 1) / 9);
        let _ = child.kill();
        killed += u32::from(!child.wait().unwrap().success());
        let o = analyze(&input, &out, &[]);
        assert_eq!(code(&o), 0, "{}", stderr(&o));
        assert!(want == contents(&out), "different bytes after kill {i}");
        assert_eq!(leftovers(&out), Vec::<std::path::PathBuf>::new());
    }
    assert!(killed >= 4, "only {killed} of 8 runs were really killed");
}

#[test]
fn an_interrupt_drains_leaves_nothing_and_says_130() {
    let dir = tempfile::tempdir().unwrap();
    let input = clip(
        dir.path(),
        "long.mp4",
        "testsrc2=size=640x360:rate=30:duration=60",
        &["-c:v", "libx264", "-pix_fmt", "yuv420p", "-preset", "ultrafast"],
    );
    let out = dir.path().join("out");
    let mut child = frameloom().arg("analyze").arg(&input).arg("-o").arg(&out).spawn().unwrap();
    // As soon as it is at work, on a fast machine and on a slow one.
    while !out.exists() {
        assert!(child.try_wait().unwrap().is_none(), "over before it could be interrupted");
        std::thread::sleep(Duration::from_millis(5));
    }
    std::thread::sleep(Duration::from_millis(200));
    let asked = Instant::now();
    let sent = std::process::Command::new("kill").arg("-INT").arg(child.id().to_string()).status().unwrap();
    assert!(sent.success());
    let o = child.wait_with_output().unwrap();
    assert_eq!(code(&o), 130);
    assert!(asked.elapsed() < Duration::from_secs(5), "took {:?}", asked.elapsed());
    assert!(!out.exists(), "left behind: {:?}", contents(&out).keys());
}

#[test]
fn several_inputs_share_the_queue_and_a_bad_one_does_not_stop_the_others() {
    let dir = tempfile::tempdir().unwrap();
    let good = small_clip(dir.path());
    let bad = dir.path().join("bad.mp4");
    std::fs::write(&bad, b"not a video").unwrap();
    for jobs in ["1", "3"] {
        let out = dir.path().join(format!("out{jobs}"));
        let o = frameloom()
            .arg("analyze")
            .args([&good, &bad, &good])
            .arg("-o")
            .arg(&out)
            .args(["--jobs", jobs, "--json"])
            .output()
            .unwrap();
        assert_eq!(code(&o), 3, "{}", stderr(&o));
        let events = events(&o);
        let result = events.last().unwrap();
        assert_eq!((&result["complete"], &result["failed"], &result["inputs"]), (&2.into(), &1.into(), &3.into()));
        assert_eq!(events.iter().filter(|e| e["event"] == "item").count(), 3, "every input exactly once");
        assert!(contents(&out.join("small")) == contents(&out.join("small_2")));
        assert!(!out.join("bad").exists());
    }
    let out = dir.path().join("stop");
    let o = frameloom()
        .arg("analyze")
        .args([&bad, &good])
        .arg("-o")
        .arg(&out)
        .args(["--on-error", "stop"])
        .output()
        .unwrap();
    assert_ne!(code(&o), 0);
    assert!(!out.join("small").exists());
}

#[test]
fn dry_run_writes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let input = small_clip(dir.path());
    let out = dir.path().join("out");
    let o = analyze(&input, &out, &["--dry-run"]);
    assert_eq!(code(&o), 0, "{}", stderr(&o));
    let text = String::from_utf8_lossy(&o.stdout).into_owned();
    assert!(text.contains("60 frames of 321x241"), "{text}");
    assert!(!out.exists());
}

#[test]
fn a_folder_of_pictures_is_a_video() {
    let dir = tempfile::tempdir().unwrap();
    let frames = dir.path().join("frames");
    std::fs::create_dir(&frames).unwrap();
    clip(&frames, "f%02d.png", "testsrc2=size=64x48:rate=5:duration=2", &[]);
    std::fs::write(frames.join("notes.txt"), b"hello").unwrap();
    let out = dir.path().join("out");
    let o = analyze(&frames, &out, &["--fps", "5"]);
    assert_eq!(code(&o), 0, "{}", stderr(&o));
    let table = std::fs::read_to_string(out.join("frames.jsonl")).unwrap();
    assert_eq!(table.lines().count(), 10);
    assert!(table.lines().nth(5).unwrap().contains("\"time\":1.0"));
    std::fs::write(frames.join("f05.png"), b"\x89PNG\r\n\x1a\nbroken").unwrap();
    let o = analyze(&frames, &dir.path().join("out2"), &["--json"]);
    assert_eq!(code(&o), 3, "{}", stderr(&o));
    let item = events(&o).into_iter().find(|e| e["event"] == "item").unwrap();
    assert_eq!((&item["status"], &item["frames"]), (&"partial".into(), &9.into()));
}
