//! `track` and `track report` as users type them.

use std::path::{Path, PathBuf};
use std::process::Output;

use serde_json::Value;

use crate::scene::{DOOR, Scene};
use crate::support::*;

const FILES: [&str; 23] = [
    "config.toml",
    "counts.csv",
    "counts.jsonl",
    "counts.parquet",
    "detections.parquet",
    "events.csv",
    "events.jsonl",
    "events.parquet",
    "events.schema.json",
    "heat.npy",
    "heat.png",
    "objects.csv",
    "objects.jsonl",
    "objects.parquet",
    "report.html",
    "result.json",
    "source.json",
    "stills/0000.jpg",
    "tracks.coco.json",
    "tracks.csv",
    "tracks.jsonl",
    "tracks.mot.txt",
    "tracks.parquet",
];

pub fn track(args: &[&str]) -> Output {
    frameloom().arg("track").args(args).args(["--json", "--progress", "none"]).output().unwrap()
}

pub fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

pub fn json(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))).unwrap()
}

pub fn item(o: &Output) -> Value {
    let found =
        events(o).into_iter().rfind(|e| e["event"] == "item" || e["event"] == "result" && !e["outcome"].is_null());
    found.unwrap_or_else(|| panic!("no item; {}", stderr(o)))
}

/// The scene with the door, its zones, in a folder.
pub fn door() -> (tempfile::TempDir, PathBuf, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let (clip, zones) = (folder.path().join("door.mp4"), folder.path().join("zones.json"));
    let scene = Scene::door();
    let sound = ["-f", "lavfi", "-i", "sine=frequency=440:duration=12"];
    scene.write(&clip, 0..scene.frames, &sound, &["-c:a", "aac", "-shortest"]);
    std::fs::write(&zones, DOOR).unwrap();
    (folder, clip, zones)
}

/// What a file declares.
pub fn probed(path: &Path) -> Value {
    let all = events(&run(&["probe", text(path), "--json"]));
    all.into_iter().find(|e| e["event"] == "item").unwrap()["info"].take()
}

/// All outputs but what says how long it took.
pub fn stable(folder: &Path) -> std::collections::BTreeMap<PathBuf, Vec<u8>> {
    let mut all = contents(folder);
    all.remove(Path::new("result.json"));
    all
}

#[test]
fn who_crosses_a_line_is_counted_exactly_whatever_is_in_flight() {
    let (folder, clip, zones) = door();
    let mut runs = Vec::new();
    for batch in ["1", "5", "10", "20"] {
        let out = folder.path().join(format!("out{batch}"));
        let threads = if batch == "5" { "2" } else { "1" };
        let o = track(&[
            text(&clip),
            "-o",
            text(&out),
            "--zones",
            text(&zones),
            "--batch-size",
            batch,
            "--threads",
            threads,
        ]);
        assert_eq!(code(&o), 0, "{}", stderr(&o));
        let outcome = item(&o)["outcome"].clone();
        // Five to the right, three to the left; who turns back before the line is an object and no crossing.
        assert_eq!(outcome["crossings"]["door"], serde_json::json!([5, 3]), "{outcome}");
        assert_eq!((&outcome["objects"], &outcome["entries"]["shop"]), (&9.into(), &8.into()), "{outcome}");
        assert_eq!((&outcome["frames"], &outcome["decoded"]), (&300.into(), &300.into()));
        runs.push(stable(&out));
    }
    for file in FILES {
        assert!(folder.path().join("out10").join(file).is_file(), "{file}");
    }
    assert!(runs.windows(2).all(|w| w[0] == w[1]), "outputs depend on the frames in flight");
    assert!(leftovers(folder.path()).is_empty());

    let result = json(&folder.path().join("out10/result.json"));
    for key in [
        "total_frames",
        "processed_frames",
        "processing_time",
        "processing_speed",
        "aws_api_calls",
        "tracked_persons",
        "input_video_path",
        "processed_video_path",
        "performance_timings",
        "aws_frame_skip",
        "camera_id",
        "blueprint_used",
        "stores_processed",
        "store_entries_logged",
        "calibration_available",
        "selected_track_index",
        "available_video_tracks",
        "memory_usage",
    ] {
        assert!(result.get(key).is_some(), "{key}");
    }
    let number = |part: &str, key: &str| result[part][key].as_f64().unwrap_or_else(|| panic!("{part}.{key}"));
    let six = [
        "aws_detection",
        "yolo_detection",
        "tracking_update",
        "movement_logging",
        "frame_processing",
        "memory_management",
    ];
    let sum: f64 = six.iter().map(|k| number("performance_timings", k)).sum();
    assert!(sum > 0.0 && sum <= result["processing_time"].as_f64().unwrap(), "{sum}");
    for key in ["yolo_detection", "tracking_update", "movement_logging", "frame_processing", "memory_management"] {
        assert!(number("performance_timings", key) > 0.0, "{key}");
    }
    let memory = |key| number("memory_usage", key);
    assert!(memory("peak_increase_mb") >= memory("final_mb") - memory("initial_mb") && memory("initial_mb") > 1.0);
    assert_eq!((memory("batch_size"), memory("memory_limit_mb")), (10.0, 1024.0));
    assert_eq!((&result["camera_id"], &result["stores_processed"]), (&"cam7".into(), &1.into()));
    assert_eq!((&result["store_entries_logged"], &result["tracked_persons"]), (&8.into(), &9.into()));

    // The same again: kept. With another tracker and without zones: tracked again, no picture looked at.
    let out = folder.path().join("out10");
    let o = track(&[text(&clip), "-o", text(&out), "--zones", text(&zones)]);
    assert_eq!((code(&o), &item(&o)["cached"]), (0, &true.into()), "{}", stderr(&o));
    let o = track(&[text(&clip), "-o", text(&out), "--tracker", "oc-sort"]);
    assert_eq!((code(&o), &item(&o)["cached"], &item(&o)["reused"]), (0, &false.into(), &true.into()));
    assert!(json(&out.join("result.json"))["detections_reused"] == true);
    // Another way of looking is another run.
    let o = track(&[text(&clip), "-o", text(&out), "--every", "2"]);
    assert_eq!(code(&o), 11, "{}", stderr(&o));
    assert!(stderr(&o).contains("every"), "{}", stderr(&o));
}

#[test]
fn a_run_is_tracked_again_without_its_video() {
    let (folder, clip, zones) = door();
    let (run, again) = (folder.path().join("run"), folder.path().join("again"));
    assert_eq!(code(&track(&[text(&clip), "-o", text(&run)])), 0);
    std::fs::rename(&clip, folder.path().join("gone.mp4")).unwrap();
    // Tracks of the original system never end: who enters where another one left goes on as that one, three times here.
    for (tracker, objects) in [("byte-track", 9), ("oc-sort", 9), ("iou", 9), ("greedy", 6)] {
        let out = again.join(tracker);
        let flags = ["report", "--from", text(&run), "-o", text(&out), "--zones", text(&zones), "--tracker", tracker];
        let o = track(&flags);
        assert_eq!(code(&o), 0, "{tracker}: {}", stderr(&o));
        let outcome = item(&o)["outcome"].clone();
        assert_eq!(outcome["crossings"]["door"], serde_json::json!([5, 3]), "{tracker}: {outcome}");
        assert_eq!(outcome["objects"], objects, "{tracker}");
        assert!(out.join("report.html").is_file());
    }
    // The same settings give the bytes of a run that looked itself.
    let o = track(&["report", "--from", text(&run), "--zones", text(&zones)]);
    assert_eq!(code(&o), 0, "{}", stderr(&o));
    let (a, b) = (contents(&run), contents(&again.join("byte-track")));
    for file in ["tracks.csv", "events.csv", "report.html", "heat.npy", "tracks.mot.txt"] {
        assert_eq!(a[Path::new(file)], b[Path::new(file)], "{file}");
    }
    // Pixels are needed to draw, and they are gone.
    let o = track(&["report", "--from", text(&run), "--annotate"]);
    assert_eq!(code(&o), 4, "{}", stderr(&o));
    let o = track(&["report", "--from", text(folder.path())]);
    assert_eq!(code(&o), 4, "{}", stderr(&o));
}

#[test]
fn what_a_run_saw_is_not_changed_by_tracking_it_again() {
    let (folder, clip, _) = door();
    let (run, again) = (folder.path().join("run"), folder.path().join("again"));
    let o = track(&[text(&clip), "-o", text(&run), "--every", "2", "--motion-least", "14"]);
    assert_eq!(code(&o), 0, "{}", stderr(&o));
    let report = |flags: &[&str]| track(&[&["report", "--from", text(&run), "-o", text(&again)][..], flags].concat());
    let refused = |o: &Output, field: &str, place: &str| {
        let said = stderr(o);
        assert_eq!(code(o), 2, "{field}: {said}");
        let wanted =
            format!("setting `{field}`: belongs to what the run saw; run `frameloom track` again to change it");
        assert!(said.contains(&wanted) && said.contains(place), "{said}");
        assert!(!again.exists(), "{field}");
    };
    for (flags, field) in [
        (&["--detector", "yolox-nano"][..], "detector"),
        (&["--every", "3"], "every"),
        (&["--detect-every", "2"], "detect_every"),
        (&["--motion-least", "12"], "motion.least"),
        (&["--stills", "3"], "stills"),
        (&["--set", "still_side=320"], "still_side"),
        (&["--recognise", "http://localhost:1/who"], "recognise.url"),
    ] {
        refused(&report(flags), field, flags[0]);
    }
    // By a variable and by a file as by a flag.
    let mut command = frameloom();
    command.args(["track", "report", "--from", text(&run), "-o", text(&again)]).env("FRAMELOOM_TRACK_EVERY", "3");
    refused(&command.output().unwrap(), "every", "FRAMELOOM_TRACK_EVERY");
    let other = folder.path().join("other.toml");
    std::fs::write(&other, "tracker = \"iou\"\nevery = 3\n").unwrap();
    refused(&report(&["--config", text(&other)]), "every", "other.toml:2");
    // Who says the same is not refused, the settings of the run least of all; and what was not said is as it was.
    let o = report(&["--every", "2", "--motion-least", "14", "--detector", "motion", "--tracker", "oc-sort"]);
    assert_eq!(code(&o), 0, "{}", stderr(&o));
    let settings = |folder: &Path| std::fs::read_to_string(folder.join("config.toml")).unwrap();
    assert_eq!(settings(&again), settings(&run).replace("byte-track", "oc-sort"));
    let o = report(&["--config", text(&run.join("config.toml"))]);
    assert_eq!(code(&o), 0, "{}", stderr(&o));
    assert_eq!(settings(&again), settings(&run));
}

#[test]
fn who_stands_is_tracked_however_seldom_frames_are_looked_at() {
    let (folder, clip, _) = door();
    let truth = folder.path().join("stands.txt");
    let rows: Vec<String> = (1..=300).map(|frame| format!("{frame},1,100,100,40,90,1,-1,-1,-1\n")).collect();
    std::fs::write(&truth, rows.concat()).unwrap();
    for (name, flags) in
        [("every", ["--every", "60"]), ("fps", ["--fps", "0.4"]), ("between", ["--detect-every", "60"])]
    {
        for tracker in ["byte-track", "oc-sort", "iou"] {
            let out = folder.path().join(format!("{name}_{tracker}"));
            let given = [text(&clip), "-o", text(&out), "--detections", text(&truth), "--tracker", tracker];
            let o = track(&[&given[..], &flags[..]].concat());
            assert_eq!(code(&o), 0, "{name} {tracker}: {}", stderr(&o));
            assert_eq!(item(&o)["outcome"]["objects"], 1, "{name} {tracker}: {}", item(&o));
        }
    }
}

#[test]
fn detections_of_a_file_give_the_tracks_that_are_in_it() {
    let (folder, clip, zones) = door();
    let scene = Scene::door();
    let truth = folder.path().join("truth.txt");
    std::fs::write(&truth, scene.mot()).unwrap();
    let out = folder.path().join("out");
    let flags = [text(&clip), "-o", text(&out), "--detections", text(&truth), "--zones", text(&zones)];
    let o = track(&flags);
    assert_eq!(code(&o), 0, "{}", stderr(&o));
    let outcome = item(&o)["outcome"].clone();
    assert_eq!((&outcome["objects"], &outcome["crossings"]["door"]), (&9.into(), &serde_json::json!([5, 3])));
    // Every figure has one number, whatever its order in the file.
    let mut numbers: std::collections::BTreeMap<usize, std::collections::BTreeSet<String>> = Default::default();
    for line in std::fs::read_to_string(out.join("tracks.mot.txt")).unwrap().lines() {
        let fields: Vec<&str> = line.split(',').collect();
        let at = |i: usize| fields[i].parse::<f64>().unwrap();
        let frame = at(0) as usize - 1;
        let (figure, _) = scene
            .boxes(frame)
            .into_iter()
            .find(|(_, b)| (0..4).all(|i| (b[i] - at(i + 2)).abs() < 1e-6))
            .unwrap_or_else(|| panic!("no figure at {line}"));
        numbers.entry(figure).or_default().insert(fields[1].to_owned());
    }
    assert!(numbers.len() == 9 && numbers.values().all(|n| n.len() == 1), "{numbers:?}");
    // What was written as COCO and as a table reads back to the same detections.
    for (i, file) in ["tracks.coco.json", "detections.parquet"].iter().enumerate() {
        let again = folder.path().join(format!("again{i}"));
        let o =
            track(&[text(&clip), "-o", text(&again), "--detections", text(&out.join(file)), "--zones", text(&zones)]);
        assert_eq!(code(&o), 0, "{file}: {}", stderr(&o));
        assert_eq!(item(&o)["outcome"]["crossings"]["door"], serde_json::json!([5, 3]), "{file}");
    }
    assert_eq!(code(&track(&[text(&clip), "--detections", text(&truth), "--detector", "x"])), 2);
}

#[test]
fn frames_that_are_passed_over_are_told_and_boxes_between_are_interpolated() {
    let (folder, clip, zones) = door();
    let run = |name: &str, flags: &[&str]| {
        let out = folder.path().join(name);
        let o = track(&[&[text(&clip), "-o", text(&out), "--zones", text(&zones)][..], flags].concat());
        assert_eq!(code(&o), 0, "{name}: {}", stderr(&o));
        (item(&o)["outcome"].clone(), out)
    };
    let (every, out) = run("every", &["--every", "2"]);
    assert_eq!((&every["frames"], &every["decoded"], &every["looked"]), (&150.into(), &300.into(), &150.into()));
    assert_eq!(every["crossings"]["door"], serde_json::json!([5, 3]));
    let result = json(&out.join("result.json"));
    assert_eq!((&result["sampling"]["every"], &result["processed_frames"]), (&2.into(), &150.into()));
    assert!(std::fs::read_to_string(out.join("report.html")).unwrap().contains("1 of 2 frames used"));
    let (fps, _) = run("fps", &["--fps", "12.5"]);
    assert_eq!((&fps["frames"], &fps["crossings"]["door"]), (&150.into(), &serde_json::json!([5, 3])));
    let (between, out) = run("between", &["--detect-every", "2"]);
    assert_eq!((&between["frames"], &between["looked"]), (&300.into(), &150.into()));
    assert_eq!(between["crossings"]["door"], serde_json::json!([5, 3]), "{between}");
    // Interpolated boxes lie where the figures are, to about a pixel of the detector's reduced picture and of its codec.
    let scene = Scene::door();
    let (mut near, mut all) = (0, 0);
    for line in std::fs::read_to_string(out.join("tracks.jsonl"))
        .unwrap()
        .lines()
        .filter(|l| l.contains("\"interpolated\":true"))
    {
        let row: Value = serde_json::from_str(line).unwrap();
        let middle = row["x"].as_f64().unwrap() + row["width"].as_f64().unwrap() / 2.0;
        let boxes = scene.boxes(row["frame"].as_u64().unwrap() as usize);
        all += 1;
        near += usize::from(boxes.iter().any(|(_, b)| (b[0] + b[2] / 2.0 - middle).abs() < 6.0));
    }
    assert!(all > 300 && near * 100 >= all * 95, "{near} of {all}");
}

#[test]
fn an_annotated_video_has_all_frames_the_sound_and_the_boxes() {
    let (folder, clip, zones) = door();
    let out = folder.path().join("out");
    let o = track(&[text(&clip), "-o", text(&out), "--zones", text(&zones), "--annotate"]);
    assert_eq!(code(&o), 0, "{}", stderr(&o));
    let video = out.join("door_processed.mp4");
    assert_eq!(item(&o)["outcome"]["video"], "door_processed.mp4");
    let path = json(&out.join("result.json"))["processed_video_path"].clone();
    assert_eq!(path, text(&video));
    let (was, is) = (probed(&clip), probed(&video));
    assert_eq!(is["audio_tracks_count"], 1, "{is}");
    assert_eq!(is["video_streams"][0]["nb_frames"], 300);
    let seconds = |v: &Value| v["video_streams"][0]["duration"].as_f64().unwrap();
    assert!((seconds(&was) - seconds(&is)).abs() < 0.04);
    // Where nothing was drawn the picture is the one that was given; where a box is, it is not.
    let frame = |p: &Path| {
        let o = std::process::Command::new("ffmpeg")
            .args(["-v", "error", "-i"])
            .arg(p)
            .args(["-vf", "select=eq(n\\,100)", "-frames:v", "1", "-f", "rawvideo", "-pix_fmt", "gray", "-"])
            .output()
            .unwrap();
        assert_eq!(o.stdout.len(), 640 * 360);
        o.stdout
    };
    let (before, after) = (frame(&clip), frame(&video));
    let differ = |x: std::ops::Range<usize>, y: std::ops::Range<usize>| {
        let all: Vec<u32> = y
            .flat_map(|y| x.clone().map(move |x| y * 640 + x))
            .map(|i| u32::from(before[i].abs_diff(after[i])))
            .collect();
        all.iter().sum::<u32>() as f64 / all.len() as f64
    };
    let boxes = Scene::door().boxes(100);
    assert!(!boxes.is_empty());
    for (i, [x, y, w, h]) in boxes.iter().filter(|b| b.1[0] > 30.0 && b.1[0] + b.1[2] < 290.0) {
        let edge = differ(*x as usize - 2..*x as usize + 3, *y as usize + 10..(*y + *h) as usize - 10);
        assert!(edge > 15.0, "figure {i} at {x}, {y}, {w}: {edge}");
    }
    assert!(differ(600..638, 0..8) < 4.0);
}

#[test]
fn several_files_and_tracks_go_through_one_run() {
    let (folder, clip, zones) = door();
    let scene = Scene::door();
    let two = folder.path().join("two.mkv");
    let other = folder.path().join("other.mp4");
    let small = Scene { size: [320, 240], frames: 100, ..scene.clone() };
    small.write(&other, 0..100, &[], &[]);
    let o = std::process::Command::new("ffmpeg")
        .args(["-v", "error", "-y", "-i", text(&other), "-i", text(&clip)])
        .args(["-map", "0:v", "-map", "1:v", "-map", "1:a", "-c", "copy"])
        .arg(&two)
        .output()
        .unwrap();
    assert!(o.status.success(), "{}", stderr(&o));
    let out = folder.path().join("out");
    let o = track(&[text(&two), "-o", text(&out), "--track", "all", "--zones", text(&zones), "--jobs", "2"]);
    assert_eq!(code(&o), 0, "{}", stderr(&o));
    let second = json(&out.join("two_track1/result.json"));
    assert_eq!((&second["selected_track_index"], &second["available_video_tracks"]), (&1.into(), &2.into()));
    assert_eq!(second["lines"][0]["totals"], serde_json::json!({"left_to_right": 5, "right_to_left": 3}));
    assert_eq!(json(&out.join("two_track0/result.json"))["processed_frames"], 100);
    assert_eq!(json(&out.join("streams.json")).as_array().unwrap().len(), 2);
    // A stream alone gives the bytes that it gives among others.
    let alone = folder.path().join("alone");
    let o = track(&[text(&two), "-o", text(&alone), "--track", "1", "--zones", text(&zones)]);
    assert_eq!(code(&o), 0, "{}", stderr(&o));
    assert_eq!(stable(&alone), stable(&out.join("two_track1")));
    for (list, wanted) in [("2", 4), ("-1", 2), ("x", 2)] {
        let o = track(&[text(&two), "--track", list, "--dry-run"]);
        assert_eq!(code(&o), wanted, "{list}: {}", stderr(&o));
    }
    // One file that is none does not stop the others.
    let bad = folder.path().join("bad.mp4");
    std::fs::write(&bad, b"no video").unwrap();
    let mixed = folder.path().join("mixed");
    let o = track(&[text(&bad), text(&other), "-o", text(&mixed)]);
    assert_eq!(code(&o), 3, "{}", stderr(&o));
    assert!(mixed.join("other/report.html").is_file());
    assert_eq!(code(&track(&[text(&bad)])), 5);
}

#[test]
fn segments_of_a_recording_are_one_timeline() {
    let folder = tempfile::tempdir().unwrap();
    let scene = Scene::door();
    let zones = folder.path().join("zones.json");
    std::fs::write(&zones, DOOR).unwrap();
    let parts: Vec<PathBuf> = [0..110, 110..200, 200..300]
        .into_iter()
        .enumerate()
        .map(|(i, range)| {
            let path = folder.path().join(format!("part{i}.mp4"));
            scene.write(&path, range, &[], &[]);
            path
        })
        .collect();
    let out = folder.path().join("out");
    let names: Vec<&str> = parts.iter().map(|p| text(p)).collect();
    let o = track(&[&names[..], &["--join", "-o", text(&out), "--zones", text(&zones), "--annotate"]].concat());
    assert_eq!(code(&o), 0, "{}", stderr(&o));
    let outcome = item(&o)["outcome"].clone();
    // As in one piece: nobody is counted twice where segments meet.
    assert_eq!(outcome["crossings"]["door"], serde_json::json!([5, 3]), "{outcome}");
    assert_eq!((&outcome["objects"], &outcome["frames"]), (&9.into(), &300.into()), "{outcome}");
    assert!((outcome["seconds"].as_f64().unwrap() - 299.0 / 25.0).abs() < 1e-3);
    let result = json(&out.join("result.json"));
    let joints: Vec<f64> = result["segments_begin"].as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect();
    assert!(joints.len() == 2 && (joints[0] - 4.4).abs() < 1e-3 && (joints[1] - 8.0).abs() < 1e-3, "{joints:?}");
    assert!(out.join("part0_processed.mp4").is_file());
}

#[test]
fn a_zone_on_the_plan_is_the_one_in_the_picture() {
    let (folder, clip, zones) = door();
    // The plan is the picture at a third of its size, moved: the same zone and line, drawn there.
    let plan = folder.path().join("plan.json");
    let map = |x: f64, y: f64| (x / 3.0 + 20.0, y / 3.0 + 5.0);
    let point = |x: f64, y: f64| format!("[{},{}]", map(x, y).0, map(x, y).1);
    let polygon = [(400.0, 0.0), (560.0, 0.0), (560.0, 360.0), (400.0, 360.0)].map(|(x, y)| point(x, y)).join(",");
    let matrix = format!("[[{0},0,20],[0,{0},5],[0,0,1]]", 1.0 / 3.0);
    std::fs::write(
        &plan,
        format!(
            r#"{{"stores": {{"shop": {{"name": "Shop", "polygon": [{polygon}]}}}},
                "lines": {{"door": {{"points": [{},{}]}}}}, "calibration": {{"matrix": {matrix}}}}}"#,
            point(320.0, 360.0),
            point(320.0, 0.0)
        ),
    )
    .unwrap();
    let of = |name: &str, file: &Path| {
        let out = folder.path().join(name);
        let o = track(&[
            "--output_path",
            text(&clip),
            "-o",
            text(&out),
            "--camera",
            text(file),
            "--batch_size",
            "4",
            "--memory_limit_mb",
            "50",
        ]);
        assert_eq!(code(&o), 0, "{}", stderr(&o));
        (item(&o)["outcome"].clone(), json(&out.join("result.json")))
    };
    let ((a, in_video), (b, on_plan)) = (of("video", &zones), of("plan", &plan));
    assert_eq!((&a["crossings"], &a["entries"]), (&b["crossings"], &b["entries"]));
    assert_eq!((&in_video["blueprint_used"], &on_plan["blueprint_used"]), (&false.into(), &true.into()));
    // What the original changed in silence is told.
    assert_eq!(on_plan["memory_usage"]["memory_limit_mb"], 100);
    assert!(on_plan["notes"].to_string().contains("50 MB"), "{}", on_plan["notes"]);
}

#[test]
fn a_run_that_was_killed_ends_with_the_same_bytes() {
    let (folder, clip, zones) = door();
    let whole = folder.path().join("whole");
    let of =
        |out: &Path| vec![text(&clip).to_owned(), "-o".into(), text(out).into(), "--zones".into(), text(&zones).into()];
    let args: Vec<String> = of(&whole);
    assert_eq!(code(&track(&args.iter().map(String::as_str).collect::<Vec<_>>())), 0);
    let killed = folder.path().join("killed");
    let args: Vec<String> = of(&killed);
    for millis in [150, 400, 700, 1200] {
        let mut child = frameloom().arg("track").args(&args).args(["-q", "--progress", "none"]).spawn().unwrap();
        std::thread::sleep(std::time::Duration::from_millis(millis));
        child.kill().unwrap();
        child.wait().unwrap();
    }
    assert_eq!(code(&track(&args.iter().map(String::as_str).collect::<Vec<_>>())), 0);
    assert_eq!(stable(&whole), stable(&killed));
    assert!(leftovers(&killed).is_empty());
}

#[test]
fn what_is_typed_wrong_is_refused_before_anything_is_done() {
    let (folder, clip, _) = door();
    let bad = folder.path().join("bad.json");
    std::fs::write(&bad, r#"{"zones": {"a": {"polygon": [0,0,1]}}}"#).unwrap();
    for (flags, wanted) in [
        (&["--every", "2", "--fps", "5"][..], 2),
        (&["--min-score", "2"], 2),
        (&["--tracker", "sort"], 2),
        (&["--zones", text(&bad)], 2),
        (&["--zones", "missing.json"], 4),
        (&["--classes", "giraffe"], 2),
        (&["--detector", "no-such-model"], 9),
        (&["--detections", "missing.txt"], 4),
    ] {
        let out = folder.path().join("never");
        let o = track(&[&[text(&clip), "-o", text(&out)][..], flags].concat());
        assert_eq!(code(&o), wanted, "{flags:?}: {}", stderr(&o));
        assert!(!stderr(&o).contains("panicked"));
    }
    let o = track(&[text(&clip), "--dry-run", "--every", "3"]);
    assert_eq!((code(&o), &events(&o)[1]["frames"]), (0, &100.into()), "{}", stderr(&o));
    assert!(!Path::new("door.track").exists());
}
