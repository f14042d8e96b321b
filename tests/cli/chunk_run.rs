use std::path::Path;

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
