use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant, SystemTime};

use crate::support::*;

fn text(p: &Path) -> String {
    p.to_str().unwrap().to_owned()
}

/// The last event of `--json`.
fn result(args: &[&str]) -> serde_json::Value {
    let o = frameloom().args(args).arg("--json").output().unwrap();
    assert_eq!(code(&o), 0, "{args:?}: {}", stderr(&o));
    let out = String::from_utf8_lossy(&o.stdout).into_owned();
    let last: serde_json::Value = serde_json::from_str(out.lines().last().unwrap()).unwrap();
    assert_eq!(last["event"], "result", "{last}");
    last
}

fn swing(folder: &Path) -> std::path::PathBuf {
    clip(
        folder,
        "swing.mp4",
        "color=c=gray:size=640x360:rate=25:duration=2[a];color=c=white:size=40x40:rate=25:duration=2[b];[a][b]overlay=x='300+60*sin(t*6)':y=200:shortest=1",
        &["-c:v", "libx264", "-pix_fmt", "yuv420p", "-preset", "ultrafast", "-qp", "10"],
    )
}

#[test]
fn a_video_is_planned_processed_and_kept() {
    let dir = tempfile::tempdir().unwrap();
    let video = text(&swing(dir.path()));
    let out = dir.path().join("out");
    let folder = text(&out);
    let run = ["chunk", "run", &video, "--effect", "filter:negate", "--sizes", "192x96", "-o", &folder];
    let done = result(&run);
    assert_eq!((&done["frames"], &done["cached"], &done["exit"]), (&50.into(), &false.into(), &0.into()));
    let share = done["pixels"].as_f64().unwrap() / done["frame_pixels"].as_f64().unwrap();
    assert!(share > 0.05 && share < 0.25, "{share}");
    for name in ["swing_chunks.mp4", "summary.json", "config.toml", "plan/chunks.json", "plan/plan.png"] {
        assert!(out.join(name).is_file(), "{name}");
    }
    assert_eq!(result(&run)["cached"], true);

    // The same plan, given: what it costs, without doing it.
    let plan = text(&out.join("plan/chunks.json"));
    let other = dir.path().join("other");
    let o = frameloom()
        .args(["chunk", "run", &video, "--plan", &plan, "-o", &text(&other), "--dry-run", "--json"])
        .output()
        .unwrap();
    let lines = String::from_utf8_lossy(&o.stdout).into_owned();
    let item = lines.lines().map(|l| serde_json::from_str::<serde_json::Value>(l).unwrap());
    let item = item.into_iter().find(|v| v["event"] == "item").unwrap();
    assert!((item["share_of_frame"].as_f64().unwrap() - share).abs() < 0.02, "{item}");
    assert!(!other.exists());

    // A look at the plan: one second, outlines drawn.
    let args = ["chunk", "run", &video, "--plan", &plan, "--draw", "--seconds", "1", "-o", &text(&other)];
    assert_eq!(result(&args)["frames"], 25);
}

#[test]
fn what_cannot_be_done_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let video = text(&swing(dir.path()));
    let folder = text(&dir.path().join("out"));
    let fails = |args: &[&str], wanted: &str| {
        let o = frameloom().args(args).output().unwrap();
        assert!(code(&o) > 1 && stderr(&o).contains(wanted), "{args:?}: {} {}", code(&o), stderr(&o));
    };
    fails(&["chunk", "run", &video, "-o", &folder, "--effect", "filter:nosuchfilter"], "nosuchfilter");
    fails(&["chunk", "run", &video, "-o", &folder, "--plan", "/nowhere/chunks.json"], "/nowhere/chunks.json");
    fails(&["chunk", "run", &video, "-o", &folder, "--feather", "0"], "feather");
    fails(&["proxy", &video, "-o", &text(&dir.path().join("x.mp4")), "--scale", "0.01"], "larger scale");
    fails(&["proxy", &video, "-o", &text(&dir.path().join("x.mp4")), "--scale", "2"], "scale");
}

#[test]
fn a_proxy_is_written() {
    let dir = tempfile::tempdir().unwrap();
    let (video, out) = (text(&swing(dir.path())), dir.path().join("small.mp4"));
    let done = result(&["proxy", &video, "-o", &text(&out)]);
    assert_eq!((&done["proxy"]["frames"], &done["proxy"]["size"]), (&50.into(), &serde_json::json!([160, 88])));
    assert!(out.is_file());
}

/// Parts of a run in `folder` that are whole: when each was made.
fn parts(folder: &Path) -> Vec<SystemTime> {
    let Ok(list) = std::fs::read_dir(folder.join(".state/parts")) else { return Vec::new() };
    let whole = |p: &std::path::PathBuf| p.file_name().is_some_and(|n| n.len() == "000000.mp4".len());
    let mut files: Vec<_> = list.filter_map(|e| Some(e.ok()?.path())).filter(whole).collect();
    files.sort();
    files.iter().filter_map(|p| std::fs::metadata(p).ok()?.modified().ok()).collect()
}

/// Runs `list` into `folder`, killing it whenever one more part is there, until it ends; gives the number of kills.
fn kill_part_by_part(list: &[&str], folder: &Path) -> u32 {
    let (mut kills, mut known) = (0, Vec::new());
    loop {
        let mut child = frameloom()
            .args(list)
            .args(["-o", &text(folder)])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let begun = Instant::now();
        loop {
            if let Some(status) = child.try_wait().unwrap() {
                assert!(status.success(), "{list:?}: {status}");
                return kills;
            }
            let now = parts(folder);
            if now.len() > known.len() {
                child.kill().unwrap();
                child.wait().unwrap();
                kills += 1;
                // Those that a record names are kept; the last one may be without.
                let kept = known.len().saturating_sub(1);
                assert_eq!(now[..kept], known[..kept], "parts were made again");
                known = now;
                break;
            }
            assert!(begun.elapsed() < Duration::from_secs(300), "{list:?} hangs");
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

/// Seconds of all frames of a video.
fn times(path: &Path) -> Vec<f64> {
    use frameloom::media::{DecodeOptions, VideoDecoder};
    let mut decoder = VideoDecoder::open(path, &DecodeOptions::default()).unwrap();
    let mut out = Vec::new();
    while let Some(frame) = decoder.next_frame().unwrap() {
        out.push(frame.info().seconds().unwrap());
    }
    out
}

#[test]
fn a_run_that_is_killed_goes_on_and_ends_with_the_same_bytes() {
    let dir = tempfile::tempdir().unwrap();
    // Uneven frame times and a tone: 850 frames are four parts. Small, because nothing here depends on how many pixels there are.
    let path = dir.path().join("long.mkv");
    let o = std::process::Command::new("ffmpeg")
        .args(["-v", "error", "-y", "-f", "lavfi", "-i"])
        .arg("testsrc2=size=128x72:rate=30:duration=30,setpts='PTS+if(mod(N,3),0.013/TB,0)'")
        .args([
            "-f",
            "lavfi",
            "-i",
            "sine=frequency=440:duration=28",
            "-vsync",
            "passthrough",
            "-frames:v",
            "850",
            "-c:v",
            "libx264",
        ])
        .args(["-pix_fmt", "yuv420p", "-preset", "ultrafast", "-c:a", "aac"])
        .arg(&path)
        .output()
        .unwrap();
    assert!(o.status.success(), "{}", stderr(&o));
    let (video, plan) = (text(&path), text(&dir.path().join("plan")));
    result(&["chunk", "segments", "--frame", "128x72", "--auto", "64x64", "-o", &plan]);
    let plan = format!("{plan}/chunks.json");
    let models = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/models");
    let base = ["chunk", "run", &video, "--plan", &plan, "-q"];
    for (name, more) in [
        ("identity", &["--effect", "identity"][..]),
        // Looks at frames before.
        ("filter", &["--effect", "filter:tmix=frames=3", "--no-audio"]),
        #[cfg(feature = "onnx")]
        ("detect", &["--effect", "yolox-like", "--models", models, "--draw", "--crf", "30"]),
    ] {
        let list = [&base[..], more].concat();
        let (whole, killed) = (dir.path().join(name), dir.path().join(format!("{name}_killed")));
        assert_eq!(code(&frameloom().args(&list).args(["-o", &text(&whole)]).output().unwrap()), 0, "{name}");
        let kills = kill_part_by_part(&list, &killed);
        assert!(kills >= 2, "{name}: {kills} kills");
        // All frames of all parts are there, at their times.
        let made = whole.join("long_chunks.mp4");
        let (was, is) = (times(&path), times(&made));
        assert_eq!((was.len(), is.len()), (850, 850), "{name}");
        assert!(was.iter().zip(&is).all(|(a, b)| (a - b).abs() < 1e-6), "{name}: frames have other times");
        let (a, b) = (contents(&whole), contents(&killed));
        assert_eq!(a.keys().collect::<Vec<_>>(), b.keys().collect::<Vec<_>>());
        for (file, bytes) in &a {
            assert!(*bytes == b[file], "{name}: {} differs after {kills} kills", file.display());
        }
        assert!(parts(&killed).is_empty(), "{name}: parts are left");
    }
    let _ = models;
}
