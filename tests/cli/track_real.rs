//! `track` on real videos and on odd ones: turned, damaged, tiny.

use std::path::Path;

use serde_json::Value;

use crate::scene::{DOOR, Scene};
use crate::support::*;
#[cfg(feature = "onnx")]
use crate::track::stable;
use crate::track::{item, json, probed, text, track};

/// A folder that lists the models of the test data.
#[cfg(feature = "onnx")]
fn models(root: &Path) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let list = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/data_models.toml");
    std::fs::copy(list, folder.path().join("models.toml")).unwrap();
    for name in ["yolox_nano_416.onnx", "person_reid_retail_0288.onnx"] {
        std::fs::copy(root.join("onnx").join(name), folder.path().join(name)).unwrap();
    }
    folder
}

#[cfg(feature = "onnx")]
#[test]
fn people_who_come_one_by_one_are_counted() {
    let Some(root) = real_data("people_who_come_one_by_one_are_counted") else { return };
    let (models, out) = (models(&root), tempfile::tempdir().unwrap());
    let clip = root.join("video/intel_one-by-one-person.mp4");
    let flags =
        ["--detector", "yolox-nano", "--classes", "person", "--fps", "2.5", "--min-track", "2", "--patience", "2"];
    let models = ["--models", text(models.path())];
    let o = track(&[&[text(&clip), "-o", text(out.path())][..], &flags[..], &models[..]].concat());
    assert_eq!(code(&o), 0, "{}", stderr(&o));
    let outcome = item(&o)["outcome"].clone();
    eprintln!("one by one: {outcome}");
    assert_eq!(outcome["by_class"], serde_json::json!({"person": 6}), "{outcome}");
    assert_eq!((&outcome["decoded"], &outcome["frames"]), (&1394.into(), &349.into()));
}

#[test]
fn a_real_street_and_real_containers_of_many_tracks() {
    let Some(root) = real_data("a_real_street_and_real_containers_of_many_tracks") else { return };
    let out = tempfile::tempdir().unwrap();
    let video = |name: &str| root.join("video").join(name);
    let o = track(&[text(&video("vtest_480x360.mp4")), "-o", text(&out.path().join("vtest")), "--min-track", "1"]);
    assert_eq!(code(&o), 0, "{}", stderr(&o));
    let outcome = item(&o)["outcome"].clone();
    eprintln!("vtest: {outcome}");
    assert_eq!((&outcome["frames"], &outcome["decoded"]), (&795.into(), &795.into()));
    assert!((20..=200).contains(&outcome["objects"].as_u64().unwrap()), "{outcome}");
    for (name, frames) in
        [("multitrack_3v2a.mkv", &[92, 77, 75][..]), ("nasa_13013_2video_2audio_2subs.mp4", &[325, 390][..])]
    {
        let folder = out.path().join(name);
        let o = track(&[text(&video(name)), "-o", text(&folder), "--track", "all"]);
        assert!(matches!(code(&o), 0 | 3), "{}", stderr(&o));
        let stem = Path::new(name).file_stem().unwrap().to_str().unwrap();
        for (i, frames) in frames.iter().enumerate() {
            let result = json(&folder.join(format!("{stem}_track{i}/result.json")));
            assert_eq!(
                (&result["processed_frames"], &result["decoded_frames"]),
                (&(*frames).into(), &(*frames).into())
            );
            assert_eq!(result["available_video_tracks"], frames_len(name));
        }
    }
}

fn frames_len(name: &str) -> Value {
    if name.starts_with("multitrack") { 3.into() } else { 2.into() }
}

#[cfg(feature = "onnx")]
#[test]
fn a_network_that_was_stopped_goes_on_where_it_was() {
    let Some(root) = real_data("a_network_that_was_stopped_goes_on_where_it_was") else { return };
    let (models, out) = (models(&root), tempfile::tempdir().unwrap());
    let clip = beginning(&root.join("video/vtest_480x360.mp4"), "12", out.path());
    let of = |name: &str, batch: &str| -> Vec<String> {
        let out = out.path().join(name);
        let words = ["--detector", "yolox-nano", "--classes", "person", "--fps", "4", "--batch-size", batch];
        let words = words.into_iter().chain(["--appearance", "person-reid-retail-0288"]);
        let places = [text(&clip), "-o", text(&out), "--models", text(models.path())].map(str::to_owned);
        places.into_iter().chain(words.map(str::to_owned)).collect()
    };
    let go = |args: &[String]| track(&args.iter().map(String::as_str).collect::<Vec<_>>());
    let o = go(&of("whole", "10"));
    assert_eq!(code(&o), 0, "{}", stderr(&o));
    eprintln!("vtest with yolox-nano: {}", item(&o)["outcome"]);
    let args = of("stopped", "3");
    let looks = out.path().join("stopped/.state/looks");
    let mut child = frameloom().arg("track").args(&args).args(["-q", "--progress", "none"]).spawn().unwrap();
    // As soon as something of what it saw is durable.
    let begun = std::time::Instant::now();
    while std::fs::metadata(&looks).map_or(0, |m| m.len()) < 20_000 && child.try_wait().unwrap().is_none() {
        assert!(begun.elapsed().as_secs() < 120);
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let o = go(&args);
    assert_eq!(code(&o), 0, "{}", stderr(&o));
    assert!(item(&o)["resumed"].as_u64().unwrap() > 0, "{}", item(&o));
    assert_eq!(stable(&out.path().join("whole")), stable(&out.path().join("stopped")));

    // A vector for each strong box, and tracks that use them; from what was kept, the same without a look at the video.
    let looks = std::fs::read(out.path().join("whole/appearance.npy")).unwrap();
    let mut from = looks.as_slice();
    let array = frameloom::report::read_npy::<i8>(&mut from, 1 << 28).unwrap();
    assert_eq!(array.shape[1], 256);
    let with = array.data.chunks_exact(256).filter(|row| row.contains(&127) || row.contains(&-127)).count();
    assert!(with > array.shape[0] / 4 && with < array.shape[0], "{with} of {}", array.shape[0]);
    let (again, whole) = (out.path().join("again"), out.path().join("whole"));
    let o = track(&["report", "--from", text(&whole), "-o", text(&again), "--classes", "person"]);
    assert_eq!(code(&o), 0, "{}", stderr(&o));
    let tracks = |folder: &Path| std::fs::read(folder.join("tracks.csv")).unwrap();
    assert_eq!(tracks(&again), tracks(&whole));
    // Without what they look like the tracks are others: it is used.
    let mut source = json(&whole.join("source.json"));
    source["appearance"] = Value::Null;
    std::fs::write(whole.join("source.json"), source.to_string()).unwrap();
    let o = track(&["report", "--from", text(&whole), "-o", text(&out.path().join("blind")), "--classes", "person"]);
    assert_eq!(code(&o), 0, "{}", stderr(&o));
    assert_ne!(tracks(&out.path().join("blind")), tracks(&whole));
}

#[cfg(feature = "onnx")]
#[test]
fn a_network_that_stands_in_is_named_and_one_of_another_task_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (clip, out) = (folder.path().join("clip.mp4"), folder.path().join("out"));
    let scene = Scene::door();
    scene.write(&clip, 0..scene.frames, &[], &[]);
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/models");
    let flags = ["--detector", "yolox-like", "--models", text(&models), "-o", text(&out), "--fps", "2"];
    let with = |appearance: &str| track(&[&[text(&clip), "--appearance", appearance][..], &flags[..]].concat());
    let o = with("reid");
    assert_eq!(code(&o), 0, "{}", stderr(&o));
    assert!(stderr(&o).contains("stands in for a real one"), "{}", stderr(&o));
    let notes = json(&out.join("result.json"))["notes"].to_string();
    assert!(notes.contains("stands in") && out.join("appearance.npy").is_file(), "{notes}");
    let o = with("classify");
    assert_eq!(code(&o), 2);
    assert!(stderr(&o).contains("not for appearance"), "{}", stderr(&o));
}

#[test]
fn a_turned_video_is_tracked_as_it_is_shown() {
    let folder = tempfile::tempdir().unwrap();
    let (clip, zones) = (folder.path().join("turned.mp4"), folder.path().join("zones.json"));
    std::fs::write(&zones, DOOR).unwrap();
    let scene = Scene::door();
    // Coded lying on its side, shown upright.
    scene.write_turned(&clip);
    let out = folder.path().join("out");
    let o = track(&[text(&clip), "-o", text(&out), "--zones", text(&zones), "--annotate"]);
    assert_eq!(code(&o), 0, "{}", stderr(&o));
    let result = json(&out.join("result.json"));
    assert_eq!((&result["rotation"], &result["size"]), (&90.into(), &serde_json::json!([640, 360])));
    assert_eq!(item(&o)["outcome"]["crossings"]["door"], serde_json::json!([5, 3]));
    // The annotated video lies as it is shown, and its boxes lie where the figures are.
    let is = probed(&out.join("turned_processed.mp4"));
    for (key, wanted) in [("width", 640), ("height", 360), ("rotation", 0)] {
        assert_eq!(is["video_streams"][0][key], wanted, "{key}");
    }
    let boxes: Vec<Value> = std::fs::read_to_string(out.join("tracks.jsonl"))
        .unwrap()
        .lines()
        .map(|l| serde_json::from_str::<Value>(l).unwrap())
        .filter(|r| r["frame"] == 100)
        .collect();
    let number = |r: &Value, k: &str| r[k].as_f64().unwrap();
    for (i, [x, y, w, h]) in scene.boxes(100) {
        let near = boxes.iter().any(|r| {
            let (dx, dy) = (number(r, "x") - x, number(r, "y") - y);
            dx.abs() < 6.0
                && dy.abs() < 6.0
                && (number(r, "width") - w).abs() < 8.0
                && (number(r, "height") - h).abs() < 8.0
        });
        assert!(near, "figure {i} at {x}, {y}: {boxes:?}");
    }
}

#[test]
fn damaged_and_tiny_videos_give_all_that_is_in_them() {
    let folder = tempfile::tempdir().unwrap();
    let scene = Scene { size: [160, 120], ..Scene::door() };
    for frames in [1, 2, 3, 9, 10, 11, 60] {
        let (clip, out) = (folder.path().join(format!("n{frames}.mkv")), folder.path().join(format!("o{frames}")));
        scene.write(&clip, 0..frames, &[], &[]);
        let o = track(&[text(&clip), "-o", text(&out), "--annotate"]);
        assert_eq!(code(&o), 0, "{frames}: {}", stderr(&o));
        let result = json(&out.join("result.json"));
        assert_eq!((&result["processed_frames"], &result["decoded_frames"]), (&frames.into(), &frames.into()));
        assert!(out.join("report.html").is_file() && out.join(format!("n{frames}_processed.mp4")).is_file());
    }
    let (whole, cut) = (folder.path().join("n60.mkv"), folder.path().join("cut.mkv"));
    let bytes = std::fs::read(&whole).unwrap();
    std::fs::write(&cut, &bytes[..bytes.len() * 6 / 10]).unwrap();
    let out = folder.path().join("cut");
    let o = track(&[text(&cut), "-o", text(&out)]);
    assert_eq!(code(&o), 3, "{}", stderr(&o));
    let result = json(&out.join("result.json"));
    let frames = result["processed_frames"].as_u64().unwrap();
    assert!((5..60).contains(&frames) && result["decoded_frames"] == frames, "{result}");
    assert!(!result["reasons"].as_array().unwrap().is_empty());
    assert!(std::fs::read_to_string(out.join("report.html")).unwrap().contains("partial"));
}

/// A wall of twelve cameras: a street, twelve of its frames beside each other. What a network sees in a frame alone is there, too small for it.
#[cfg(feature = "onnx")]
#[test]
fn people_that_are_too_small_in_the_whole_frame_are_found_in_parts_of_it() {
    use frameloom::core::BoxF;
    use frameloom::workflows::track::detections::Detections;

    let Some(root) = real_data("people_that_are_too_small_in_the_whole_frame_are_found_in_parts_of_it") else { return };
    let (models, out) = (models(&root), tempfile::tempdir().unwrap());
    let street = beginning(&root.join("video/vtest_480x360.mp4"), "36", out.path());
    let wall = out.path().join("wall.mp4");
    let o = std::process::Command::new("ffmpeg")
        .args(["-v", "error", "-y", "-i", text(&street), "-an", "-vf", "select=not(mod(n\\,10)),tile=4x3"])
        .args([
            "-fps_mode",
            "passthrough",
            "-frames:v",
            "3",
            "-c:v",
            "libx264",
            "-crf",
            "12",
            "-preset",
            "veryfast",
            text(&wall),
        ])
        .output()
        .unwrap();
    assert!(o.status.success(), "{}", stderr(&o));
    let go = |clip: &Path, name: &str, more: &[&str]| {
        let folder = out.path().join(name);
        let words = ["--detector", "yolox-nano", "--classes", "person", "--models", text(models.path())];
        (track(&[&[text(clip), "-o", text(&folder)][..], &words, more].concat()), folder)
    };
    let good = |clip: &Path, name: &str, more: &[&str]| {
        let (o, folder) = go(clip, name, more);
        assert_eq!(code(&o), 0, "{name}: {}", stderr(&o));
        folder
    };
    let people = |folder: &Path, least: f32| -> Vec<(u64, BoxF)> {
        let all = Detections::read(&folder.join("detections.parquet"), 10.0).unwrap().frames;
        let of = |f: frameloom::workflows::track::detections::DetectionFrame| {
            f.detections.into_iter().filter(move |d| d.class == 0 && d.score >= least).map(move |d| (f.index, d.rect))
        };
        all.into_iter().flat_map(of).collect()
    };
    // Those of the street, where they stand on the wall.
    let truth: Vec<(u64, BoxF)> = people(&good(&street, "street", &["--every", "10"]), 0.5)
        .into_iter()
        .map(|(frame, b)| (frame / 10, b))
        .filter(|(n, _)| *n < 36)
        .map(|(n, b)| {
            let (column, row) = (n % 12 % 4, n % 12 / 4);
            (n / 12, BoxF { x: b.x + 480.0 * column as f32, y: b.y + 360.0 * row as f32, ..b })
        })
        .collect();
    let found = |folder: &Path| {
        let seen = people(folder, 0.3);
        let hit = |t: &&(u64, BoxF)| seen.iter().any(|s| s.0 == t.0 && s.1.iou(&t.1) >= 0.5);
        (truth.iter().filter(hit).count(), seen.len())
    };
    let (whole, tiles) = (good(&wall, "whole", &[]), good(&wall, "tiles", &["--slices", "480"]));
    let (a, b) = (found(&whole), found(&tiles));
    eprintln!("{} people: {a:?} found and seen in whole frames, {b:?} with tiles of 480", truth.len());
    assert!(truth.len() > 75 && a.0 * 5 <= truth.len() && b.0 * 10 >= truth.len() * 9, "{a:?} {b:?}");
    assert!(b.1 * 2 <= truth.len() * 5, "{b:?}");
    assert!(json(&tiles.join("result.json"))["slices"] == "480");
    // Nothing of it depends on the frames in flight, and other parts are another run.
    assert_eq!(stable(&good(&wall, "one", &["--slices", "480", "--batch-size", "1"])), stable(&tiles));
    let (o, _) = go(&wall, "tiles", &["--slices", "480+20"]);
    assert_eq!(code(&o), 11, "{}", stderr(&o));
    // A plan of chunks: made for frames of this size, or refused.
    let plan = |size: &str| {
        let folder = out.path().join(format!("plan{size}"));
        let o = run(&["chunk", "segments", "--frame", size, "--auto", "480x480", "-o", text(&folder)]);
        assert_eq!(code(&o), 0, "{}", stderr(&o));
        folder.join("chunks.json")
    };
    let c = found(&good(&wall, "planned", &["--slices", text(&plan("1920x1080"))]));
    assert!(c.0 * 10 >= truth.len() * 8, "{c:?} of {}", truth.len());
    let (o, _) = go(&wall, "other", &["--slices", text(&plan("640x480"))]);
    assert_eq!(code(&o), 2, "{}", stderr(&o));
    assert!(stderr(&o).contains("640x480") && stderr(&o).contains("1920x1080"), "{}", stderr(&o));
    for (slices, wanted) in [("missing.json", 4), ("15", 2), ("480+480", 2)] {
        let (o, _) = go(&wall, "never", &["--slices", slices]);
        assert_eq!(code(&o), wanted, "{slices}: {}", stderr(&o));
    }
}
