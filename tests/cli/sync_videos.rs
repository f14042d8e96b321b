//! Persons over shots, face videos and annotated videos of `sync`.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::support::*;
use crate::sync::{data, ffmpeg, item, json, sync, text};

/// Persons of the tracks of `sync.json`, in order.
fn persons(found: &Value) -> Vec<u64> {
    found["tracks"].as_array().unwrap().iter().map(|t| t["person"].as_u64().unwrap()).collect()
}

#[test]
fn five_people_who_come_back_are_five_persons() {
    let Some((root, models)) = data("five_people_who_come_back_are_five_persons") else { return };
    let out = tempfile::tempdir().unwrap();
    let once = root.join("video/grid_concat_gaps.mp4");
    let input = out.path().join("twice.mp4");
    ffmpeg(&["-stream_loop", "1", "-i", text(&once), "-c:v", "libx264", "-preset", "ultrafast"], &input);
    let folder = out.path().join("faces");
    let o = sync(models.path(), &[text(&input), "-o", text(&folder)]);
    assert_eq!(code(&o), 0, "{}", stderr(&o));
    let found = json(&folder.join("sync.json"));
    assert_eq!(persons(&found), [0, 1, 2, 3, 4, 0, 1, 2, 3, 4], "{}", found["persons"]);
    assert_eq!(item(&o)["outcome"]["persons"], 5);
    let people = found["persons"].as_array().unwrap();
    for (n, person) in people.iter().enumerate() {
        assert_eq!(person["tracks"], serde_json::json!([n, n + 5]), "{person}");
        assert!((person["seen_seconds"].as_f64().unwrap() - 6.0).abs() < 0.2, "{person}");
        let speaks = person["speaks_seconds"].as_f64().unwrap();
        assert!(speaks == 0.0 || (2.5..6.5).contains(&speaks), "{person}");
        if speaks > 0.0 {
            assert!(person["audio_late_ms"].as_f64().unwrap().abs() < 80.0, "{person}");
        }
    }
    assert!(people.iter().filter(|p| p["speaks_seconds"].as_f64().unwrap() > 0.0).count() >= 4);
    let speech = found["speech"].as_array().unwrap();
    for s in speech.iter().filter(|s| !s["track"].is_null()) {
        assert_eq!(s["person"], persons(&found)[s["track"].as_u64().unwrap() as usize], "{s}");
    }
    let curve = std::fs::read_to_string(folder.join("curve.csv")).unwrap();
    assert!(curve.lines().next().unwrap().contains("person"), "{curve}");
    // With a bound that hardly any two pictures meet, and without the network: after a cut, a place says nothing about who is there. For that
    // the first two of them are enough.
    let (pair, two) = (out.path().join("pair.mp4"), out.path().join("two.mp4"));
    ffmpeg(&["-i", text(&once), "-t", "8", "-c:v", "libx264", "-preset", "ultrafast"], &pair);
    ffmpeg(&["-stream_loop", "1", "-i", text(&pair), "-c:v", "libx264", "-preset", "ultrafast"], &two);
    for (name, input, place, flags) in
        [("strict", &input, "faces", ["--same-person", "0.999"]), ("none", &two, "none", ["--person-model", "none"])]
    {
        let folder = out.path().join(place);
        let o = sync(models.path(), &[&[text(input), "-o", text(&folder)][..], &flags[..]].concat());
        assert_eq!(code(&o), 0, "{}", stderr(&o));
        let people = persons(&json(&folder.join("sync.json")));
        assert!(if name == "none" { people == [0, 1, 2, 3] } else { people[5..].contains(&5) }, "{name}: {people:?}");
    }
    let o = sync(models.path(), &[text(&input), "-o", text(&out.path().join("x")), "--person-model", "yunet-n"]);
    assert!(code(&o) != 0 && stderr(&o).contains("yunet-n"), "{}", stderr(&o));
}

/// What `ffprobe` says about frames and times of both streams.
fn probe(path: &Path) -> (u64, u64, u64, f64, f64) {
    let o = Command::new("ffprobe")
        .args(["-v", "error", "-count_frames", "-of", "json", "-show_entries"])
        .arg("stream=codec_type,width,height,nb_read_frames,start_time,duration")
        .arg(path)
        .output()
        .unwrap();
    let all: Value = serde_json::from_slice(&o.stdout).unwrap();
    let stream = |kind: &str| {
        let of = |s: &&Value| s["codec_type"] == kind;
        all["streams"].as_array().unwrap().iter().find(of).cloned().unwrap_or_else(|| panic!("no {kind}: {all}"))
    };
    let number = |v: &Value| v.as_str().map_or(f64::NAN, |s| s.parse().unwrap());
    let (v, a) = (stream("video"), stream("audio"));
    let size = (v["width"].as_u64().unwrap(), v["height"].as_u64().unwrap());
    let apart = number(&a["start_time"]) - number(&v["start_time"]);
    (number(&v["nb_read_frames"]) as u64, size.0, size.1, apart, number(&a["duration"]) - number(&v["duration"]))
}

/// A frame of a video: red, green, blue of each pixel.
fn picture(path: &Path, seconds: &str) -> Vec<u8> {
    let o = Command::new("ffmpeg")
        .args(["-v", "error", "-nostdin", "-ss", seconds, "-i", text(path)])
        .args(["-frames:v", "1", "-f", "rawvideo", "-pix_fmt", "rgb24", "-"])
        .output()
        .unwrap();
    o.stdout
}

#[test]
fn faces_and_the_whole_picture_are_written_on_request() {
    let Some((root, models)) = data("faces_and_the_whole_picture_are_written_on_request") else { return };
    let out = tempfile::tempdir().unwrap();
    let input = root.join("video/grid_brbk7n.mpg");
    let folder = out.path().join("talk");
    let run = |more: &[&str]| {
        let o = sync(models.path(), &[&[text(&input), "-o", text(&folder)][..], more].concat());
        assert_eq!(code(&o), 0, "{}", stderr(&o));
        item(&o)
    };
    run(&[]);
    assert!(!folder.join("faces").exists() && !folder.join("annotated.mp4").exists());
    let before = contents(&folder);
    // Asked for later: what was found is used again, and its files stay as they are.
    let later = run(&["--face-videos", "--annotate"]);
    assert_eq!((&later["cached"], &later["resumed"]), (&false.into(), &75.into()));
    let after = contents(&folder);
    assert!(before.iter().all(|(name, bytes)| after[name] == *bytes));
    assert_eq!(run(&["--face-videos", "--annotate"])["cached"], true, "they are there");
    let face = folder.join("faces/track_0000.mp4");
    let (frames, width, height, apart, longer) = probe(&face);
    assert_eq!((frames, width, height), (75, 224, 224));
    assert!(apart.abs() <= 0.04 && longer.abs() <= 0.05, "{apart} {longer}");
    let whole = folder.join("annotated.mp4");
    let (frames, width, height, apart, longer) = probe(&whole);
    assert_eq!((frames, width, height), (75, 360, 288));
    assert!(apart.abs() <= 0.04 && longer.abs() <= 0.05, "{apart} {longer}");
    // The box and its label, and nothing else, are not what the source shows.
    let (drawn, source) = (picture(&whole, "1.5"), picture(&input, "1.5"));
    assert_eq!((drawn.len(), source.len()), (3 * 360 * 288, 3 * 360 * 288));
    let differs = |at: usize| (0..3).any(|c| drawn[3 * at + c].abs_diff(source[3 * at + c]) > 60);
    let row = |y: usize| (0..360).filter(|x| differs(y * 360 + x)).count();
    let side = json(&folder.join("sync.json"))["tracks"][0]["face_pixels"].as_f64().unwrap();
    let (few, all) = ((0..288).filter(|y| (2..=8).contains(&row(*y))).count(), (0..288).map(row).sum::<usize>());
    eprintln!("a face of {side:.0} pixels: {few} rows with two edges, {all} pixels drawn");
    assert!(few as f64 > side / 2.0, "{few} rows of a box of {side}");
    assert!((all as f64) < 12.0 * side + 4_000.0 && all as f64 > 2.0 * side, "{all}");
    // The face video shows what the estimator saw: sound and lips are as far apart as in the source.
    let again = out.path().join("again");
    let o = sync(models.path(), &[text(&face), "-o", text(&again)]);
    assert_eq!(code(&o), 0, "{}", stderr(&o));
    let (a, b) = (&later["outcome"]["audio_late_ms"], &item(&o)["outcome"]["audio_late_ms"]);
    let moved = b.as_f64().unwrap() - a.as_f64().unwrap();
    assert!(moved.abs() < 40.0, "{a} {b}");
}

#[test]
fn chunks_are_written_in_the_tree_of_the_scripts_on_request() {
    let Some((root, models)) = data("chunks_are_written_in_the_tree_of_the_scripts_on_request") else { return };
    let out = tempfile::tempdir().unwrap();
    let input = root.join("video/grid_concat_gaps.mp4");
    let folder = out.path().join("talk");
    let flags = ["--chunk_duration", "8", "--overlap", "2", "--save-chunks", "--person-model", "none"];
    let run = |more: &[&str]| {
        let o = sync(models.path(), &[&[text(&input), "-o", text(&folder)], &flags[..], more].concat());
        assert_eq!(code(&o), 0, "{}", stderr(&o));
        json(&folder.join("processing_summary.json"))
    };
    let names = |place: &str| -> Vec<String> {
        let mut all: Vec<String> = std::fs::read_dir(folder.join(place))
            .unwrap()
            .map(|e| e.unwrap().file_name().to_string_lossy().into_owned())
            .collect();
        all.sort();
        all
    };
    let accepted = |summary: &Value| -> Vec<String> {
        let all = summary["results"].as_array().unwrap().iter();
        all.filter(|c| c["quality_status"] == "accepted").map(|c| c["reference"].as_str().unwrap().to_owned()).collect()
    };
    let relaxed = run(&["--preset", "relaxed"]);
    let all: Vec<String> = (0..3).map(|i| format!("chunk_{i:03}")).collect();
    let with = |names: &[String], end: &str| names.iter().map(|n| format!("{n}.{end}")).collect::<Vec<_>>();
    assert_eq!((names("chunks"), names("audio")), (with(&all, "mp4"), with(&all, "wav")), "0, 6 and 12 s to the end");
    let good = accepted(&relaxed);
    assert!(!good.is_empty());
    assert_eq!((names("filtered_chunks"), names("filtered_audio")), (with(&good, "mp4"), with(&good, "wav")));
    for (chunk, (from, to)) in
        relaxed["results"].as_array().unwrap().iter().zip([(0.0, 8.0), (6.0, 14.0), (12.0, 21.6)])
    {
        let path = folder.join(chunk["video_path"].as_str().unwrap());
        assert!(folder.join(chunk["audio_path"].as_str().unwrap()).is_file());
        let (frames, _, _, apart, _) = probe(&path);
        assert_eq!(frames as f64, ((to - from) * 25.0f64).round(), "{chunk}");
        assert!(apart.abs() <= 0.04, "{apart}");
    }
    // Others are accepted: the chunks stay, their copies follow.
    let before = std::fs::metadata(folder.join("chunks/chunk_000.mp4")).unwrap().modified().unwrap();
    let nobody = run(&["--min-confidence", "900"]);
    assert!(accepted(&nobody).is_empty() && names("filtered_chunks").is_empty() && names("filtered_audio").is_empty());
    assert_eq!(std::fs::metadata(folder.join("chunks/chunk_000.mp4")).unwrap().modified().unwrap(), before);
    assert!(leftovers(out.path()).is_empty());
}
