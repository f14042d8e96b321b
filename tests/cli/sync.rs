//! `sync`, `sync fix` and `sync batch` as users type them.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

use crate::speech_models::speech_models;
use crate::support::*;

/// The test data, and a folder that lists its models.
pub(crate) fn data(test: &str) -> Option<(PathBuf, tempfile::TempDir)> {
    let root = real_data(test)?;
    let folder = speech_models(&root);
    Some((root, folder))
}

pub(crate) fn sync(models: &Path, args: &[&str]) -> Output {
    frameloom()
        .arg("sync")
        .args(args)
        .arg("--models")
        .arg(models)
        .args(["--json", "--progress", "none"])
        .output()
        .unwrap()
}

pub(crate) fn json(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))).unwrap()
}

pub(crate) fn item(o: &Output) -> Value {
    let found = events(o).into_iter().rfind(|e| e["event"] == "item");
    found.unwrap_or_else(|| panic!("no item; {}", stderr(o)))
}

pub(crate) fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

pub(crate) fn ffmpeg(args: &[&str], to: &Path) {
    let o = Command::new("ffmpeg").args(["-v", "error", "-y"]).args(args).arg(to).output().unwrap();
    assert!(o.status.success(), "{}", stderr(&o));
}

#[test]
fn shifted_clips_get_their_offset_and_their_verdict() {
    let Some((root, models)) = data("shifted_clips_get_their_offset_and_their_verdict") else { return };
    let out = tempfile::tempdir().unwrap();
    for (name, truth, verdict, other) in [
        ("grid_bbaf2n_audio_late200ms.mp4", 200.0, "audio_late", "grid_bbaf2n.mpg"),
        ("grid_brbk7n_audio_early160ms.mp4", -160.0, "audio_early", "grid_brbk7n.mpg"),
    ] {
        let late = |file: &str| {
            let (input, folder) = (root.join("video").join(file), out.path().join(file));
            let o = sync(models.path(), &[text(&input), "-o", text(&folder)]);
            assert_eq!(code(&o), 0, "{}", stderr(&o));
            (item(&o)["outcome"].clone(), folder)
        };
        let ((moved, folder), (whole, _)) = (late(name), late(other));
        let by = moved["audio_late_ms"].as_f64().unwrap() - whole["audio_late_ms"].as_f64().unwrap();
        eprintln!("{name}: moved by {by:+.0} ms, truth {truth:+.0}, {} {}", moved["verdict"], moved["probability"]);
        assert!((by - truth).abs() <= 60.0, "{name}: {by}");
        assert_eq!(moved["verdict"], verdict, "{name}: {moved}");
        // Frames of 25 a second, positive where the sound is early.
        let offsets = std::fs::read_to_string(folder.join("offsets.txt")).unwrap();
        let (offset, confidence) =
            offsets.trim().strip_prefix("TRACK 0: OFFSET ").unwrap().split_once(", CONF ").unwrap();
        let late = moved["audio_late_ms"].as_f64().unwrap();
        assert_eq!(offset.parse::<i64>().unwrap(), -(late / 40.0).round() as i64);
        assert!(confidence.parse::<f64>().unwrap() > 2.0);
        assert_eq!(moved["first_frame_seconds"], json(&folder.join("sync.json"))["first_frame_seconds"]);
        let summary = json(&folder.join("processing_summary.json"));
        for name in [
            "input_video",
            "total_chunks",
            "successful_analysis",
            "no_faces_chunks",
            "accepted_chunks",
            "rejected_chunks",
            "acceptance_rate",
            "chunk_duration",
            "overlap",
            "quality_filters",
            "processing_time",
            "results",
        ] {
            assert!(summary.get(name).is_some(), "{name}");
        }
        let chunk = &summary["results"][0];
        assert_eq!((&chunk["status"], &chunk["reference"]), (&"success".into(), &"chunk_000".into()));
        assert!(folder.join(chunk["offsets_file"].as_str().unwrap()).is_file());
        let html = std::fs::read_to_string(folder.join("report.html")).unwrap();
        assert_eq!(crate::pages::faults(&html, &folder), [""; 0]);
        for file in ["report.html", "curve.csv", "curve.parquet", "sync.json", "config.toml"] {
            assert!(folder.join(file).is_file(), "{file}");
        }
        // Again: kept. With other bounds: judged anew from what was seen. With other tracks: another run.
        let input = root.join("video").join(name);
        let o = sync(models.path(), &[text(&input), "-o", text(&folder)]);
        assert_eq!(item(&o)["cached"], true, "{}", stderr(&o));
        let o = sync(models.path(), &[text(&input), "-o", text(&folder), "--preset", "strict"]);
        assert_eq!((code(&o), &item(&o)["resumed"]), (0, &75.into()), "{}", stderr(&o));
        let summary = json(&folder.join("processing_summary.json"));
        assert_eq!(summary["quality_filters"]["min_confidence"], 6.0);
        assert_eq!(summary["rejected_chunks"], 1, "{truth} ms are more than two frames");
        let o = sync(models.path(), &[text(&input), "-o", text(&folder), "--min-track", "20"]);
        assert_eq!(code(&o), 11, "{}", stderr(&o));
        assert!(stderr(&o).contains("min_track"), "{}", stderr(&o));
    }
}

#[test]
fn a_video_of_five_people_is_told_shot_by_shot() {
    let Some((root, models)) = data("a_video_of_five_people_is_told_shot_by_shot") else { return };
    let out = tempfile::tempdir().unwrap();
    let input = root.join("video/grid_concat_gaps.mp4");
    let flags = ["--chunk_duration", "6", "--overlap", "1", "--min_track", "10", "--min_face_size", "15", "-v"];
    let given = ["--input_video", text(&input), "--output_dir", text(out.path())];
    let o = sync(models.path(), &[&given[..], &flags[..]].concat());
    assert_eq!(code(&o), 0, "{}", stderr(&o));
    assert_eq!(item(&o)["outcome"]["verdict"], "in_sync");
    let found = json(&out.path().join("sync.json"));
    let truth = json(&root.join("video/grid_concat_gaps.json"));
    let starts: Vec<f64> = found["shots"].as_array().unwrap().iter().map(|s| s.as_f64().unwrap() / 25.0).collect();
    let mut speakers = found["speech"].as_array().unwrap().iter().filter(|s| !s["track"].is_null());
    for (i, segment) in truth["segments"].as_array().unwrap().iter().enumerate() {
        let (from, to) = (segment["start_s"].as_f64().unwrap(), segment["end_s"].as_f64().unwrap());
        for edge in [from, to] {
            assert!(starts.iter().any(|s| (s - edge).abs() <= 0.06), "{edge}: {starts:?}");
        }
        let track = &found["tracks"][i];
        assert!((track["from_seconds"].as_f64().unwrap() - from).abs() <= 0.06, "{track}");
        assert!((track["to_seconds"].as_f64().unwrap() - to).abs() <= 0.06, "{track}");
        assert!(track["estimate"]["audio_late_ms"].as_f64().unwrap().abs() < 80.0, "{track}");
        let speaker = speakers.next().unwrap();
        assert_eq!(speaker["track"], i, "{speaker}");
    }
    let summary = json(&out.path().join("processing_summary.json"));
    let chunks = summary["results"].as_array().unwrap();
    assert_eq!(chunks.len(), 4, "0, 5, 10, 15 s; the rest joins the last");
    assert!((chunks[3]["end_seconds"].as_f64().unwrap() - 21.6).abs() < 0.01);
    assert!(stderr(&o).contains("chunk_002"), "-v: {}", stderr(&o));
}

/// Payload of the packets of a stream, as a checksum; timestamps and containers do not count.
fn packets(path: &Path, stream: &str) -> String {
    let o = Command::new("ffmpeg")
        .args(["-v", "error", "-ignore_editlist", "1", "-i"])
        .arg(path)
        .args(["-map", stream, "-c", "copy", "-f", "streamhash", "-"])
        .output()
        .unwrap();
    assert!(o.status.success(), "{}", stderr(&o));
    String::from_utf8_lossy(&o.stdout).into_owned()
}

#[test]
fn shifted_clips_are_repaired_without_touching_a_packet() {
    let Some((root, models)) = data("shifted_clips_are_repaired_without_touching_a_packet") else { return };
    let out = tempfile::tempdir().unwrap();
    for (name, extension) in [
        ("grid_bbaf2n_audio_late200ms.mp4", "mp4"),
        ("grid_brbk7n_audio_early160ms.mp4", "mp4"),
        ("grid_brbk7n_audio_early160ms.mp4", "mkv"),
    ] {
        let input = root.join("video").join(name);
        let fixed = out.path().join(name).with_extension(extension);
        let o = sync(models.path(), &["fix", text(&input), "-o", text(&fixed)]);
        assert_eq!(code(&o), 0, "{}", stderr(&o));
        let result = events(&o).pop().unwrap();
        let residual = result["residual_ms"].as_f64().unwrap();
        eprintln!("{name} to {extension}: {residual:+.0} ms are left, {}", result["repair"]);
        assert!(residual.abs() <= 40.0, "{result}");
        if extension == "mp4" {
            for stream in ["0:v", "0:a"] {
                assert_eq!(packets(&input, stream), packets(&fixed, stream), "{name} {stream}");
            }
        }
    }
    // What cannot be told is not changed.
    let silent = out.path().join("silent.mp4");
    ffmpeg(&["-i", text(&root.join("video/grid_brbk7n.mpg")), "-af", "volume=0", "-c:v", "libx264"], &silent);
    let o = sync(models.path(), &["fix", text(&silent), "-o", text(&out.path().join("no.mp4"))]);
    assert_eq!(code(&o), 2, "{}", stderr(&o));
    assert!(!out.path().join("no.mp4").exists());
    let o = sync(models.path(), &["fix", text(&silent), "-o", text(&silent)]);
    assert!(code(&o) == 2 && stderr(&o).contains("itself"), "{}", stderr(&o));
    // A user who knows says so; nothing is measured, no model is needed.
    let o = frameloom()
        .args([
            "sync",
            "fix",
            text(&silent),
            "--offset-ms",
            "-120",
            "--no-check",
            "-o",
            text(&out.path().join("said.mkv")),
        ])
        .output()
        .unwrap();
    assert_eq!(code(&o), 0, "{}", stderr(&o));
    assert!(out.path().join("said.mkv").is_file());
}

#[test]
fn each_odd_input_has_its_outcome() {
    let Some((root, models)) = data("each_odd_input_has_its_outcome") else { return };
    let out = tempfile::tempdir().unwrap();
    let talk = root.join("video/grid_brbk7n.mpg");
    let other = root.join("video/grid_lbbc2a.mpg");
    let (talk, other) = (text(&talk), text(&other));
    let x264 = ["-c:v", "libx264", "-preset", "ultrafast"];
    let cases: [(&str, Vec<&str>, &str, &str); 9] = [
        ("no_audio", vec!["-i", talk, "-an"], "cannot_tell", "no audio track"),
        ("silent", vec!["-i", talk, "-af", "volume=0"], "cannot_tell", "silent"),
        (
            "no_face",
            vec![
                "-f",
                "lavfi",
                "-i",
                "testsrc2=size=320x240:rate=25:duration=3",
                "-i",
                talk,
                "-map",
                "0:v",
                "-map",
                "1:a",
            ],
            "cannot_tell",
            "no face was found",
        ),
        ("short", vec!["-i", talk, "-t", "0.3"], "cannot_tell", "none that stays"),
        ("fps12", vec!["-i", talk, "-vf", "fps=12"], "in_sync", ""),
        ("fps60", vec!["-i", talk, "-vf", "fps=60"], "in_sync", ""),
        (
            "vfr",
            vec!["-i", talk, "-vf", "select='not(eq(mod(n,5),2))*not(eq(mod(n,7),3))'", "-fps_mode", "vfr"],
            "in_sync",
            "",
        ),
        ("six_channels", vec!["-i", talk, "-ac", "6"], "in_sync", ""),
        ("two_faces", vec!["-i", other, "-i", talk, "-filter_complex", "hstack", "-map", "1:a"], "in_sync", ""),
    ];
    for (name, how, verdict, reason) in cases {
        let input = out.path().join(format!("{name}.mp4"));
        ffmpeg(&[&how[..], &x264[..]].concat(), &input);
        let folder = out.path().join(name);
        let o = sync(models.path(), &[text(&input), "-o", text(&folder)]);
        assert_eq!(code(&o), 0, "{name}: {}", stderr(&o));
        let outcome = &item(&o)["outcome"];
        assert_eq!(outcome["verdict"], verdict, "{name}: {outcome}");
        let reasons = outcome["verdict_reasons"].to_string();
        assert!(reasons.contains(reason), "{name}: {reasons}");
        if verdict == "in_sync" {
            assert!(outcome["audio_late_ms"].as_f64().unwrap().abs() < 60.0, "{name}: {outcome}");
        }
        let item = item(&o);
        let share = item["networks_share"].as_f64().unwrap();
        assert!(share > 0.0 && share <= 1.0, "{name}: {share}");
        if name == "two_faces" {
            // The one on the right speaks.
            let found = json(&folder.join("sync.json"));
            let right = found["tracks"].as_array().unwrap().iter().max_by(|a, b| {
                let p = |t: &Value| t["estimate"]["probability"].as_f64().unwrap();
                p(a).total_cmp(&p(b))
            });
            assert_eq!(found["tracks"].as_array().unwrap().len(), 2);
            assert_eq!(found["speech"][0]["track"], right.unwrap()["track"]);
        }
    }
    let o = sync(models.path(), &[talk, "-o", text(&out.path().join("x")), "--overlap", "30"]);
    assert_eq!(code(&o), 2, "{}", stderr(&o));
    assert!(stderr(&o).contains("overlap") && !out.path().join("x").exists(), "{}", stderr(&o));
}

#[test]
fn a_batch_goes_on_after_a_failure() {
    let Some((root, models)) = data("a_batch_goes_on_after_a_failure") else { return };
    let (from, out) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    for name in ["grid_brbk7n.mpg", "grid_lbbc2a.mpg", "counter_30frames.mp4"] {
        std::fs::copy(root.join("video").join(name), from.path().join(name)).unwrap();
    }
    std::fs::write(from.path().join("bad.mkv"), "no video").unwrap();
    std::fs::write(from.path().join("notes.txt"), "no video either").unwrap();
    let o = sync(models.path(), &["batch", text(from.path()), "-o", text(out.path()), "--max_workers", "2"]);
    assert_eq!(code(&o), 3, "{}", stderr(&o));
    let summary = json(&out.path().join("batch_processing_summary.json"));
    let count = |name: &str| summary[name].as_u64().unwrap();
    assert_eq!([count("total_chunks"), count("successful"), count("no_faces"), count("failed")], [4, 2, 1, 1]);
    let statuses: Vec<_> = summary["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|r| (r["reference_name"].as_str().unwrap(), r["status"].as_str().unwrap()))
        .collect();
    let wanted =
        [("bad", "failed"), ("counter_30frames", "no_faces"), ("grid_brbk7n", "success"), ("grid_lbbc2a", "success")];
    assert_eq!(statuses, wanted);
    let one = &summary["results"][2];
    assert!(one["processing_time"].as_f64().unwrap() > 0.0 && one["offset"].is_i64(), "{one}");
    assert!(out.path().join(one["offsets_file"].as_str().unwrap()).is_file());
    assert!(summary["results"][0]["error"].as_str().unwrap().contains("input"), "{}", summary["results"][0]);
}

#[test]
fn a_run_that_is_killed_goes_on_and_ends_with_the_same_bytes() {
    let Some((root, models)) = data("a_run_that_is_killed_goes_on_and_ends_with_the_same_bytes") else { return };
    let out = tempfile::tempdir().unwrap();
    let input = beginning(&root.join("video/grid_concat_gaps.mp4"), "12", out.path());
    let whole = out.path().join("whole");
    let flags = ["--chunk-duration", "1", "--overlap", "0", "--batch", "4"];
    let o = sync(models.path(), &[&[text(&input), "-o", text(&whole)][..], &flags[..]].concat());
    assert_eq!(code(&o), 0, "{}", stderr(&o));
    let folder = out.path().join("killed");
    let seen = folder.join(".state/seen");
    let mut last = 0;
    let mut kills = 0;
    loop {
        let mut child = frameloom()
            .arg("sync")
            .args([text(&input), "-o", text(&folder), "--models", text(models.path()), "--progress", "none", "-q"])
            .args(flags)
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        // Some chunks further, by the length of what is kept.
        let grown = loop {
            let length = std::fs::metadata(&seen).map_or(0, |m| m.len());
            if child.try_wait().unwrap().is_some() {
                break false;
            }
            if length > last + 9_000 {
                last = length;
                break true;
            }
            std::thread::sleep(std::time::Duration::from_millis(5));
        };
        if !grown || kills == 4 {
            child.wait().unwrap();
            break;
        }
        child.kill().unwrap();
        child.wait().unwrap();
        kills += 1;
    }
    assert!(kills >= 2, "{kills} kills");
    let o = sync(models.path(), &[&[text(&input), "-o", text(&folder)][..], &flags[..]].concat());
    assert_eq!((code(&o), &item(&o)["cached"]), (0, &true.into()), "{}", stderr(&o));
    let (a, b) = (contents(&whole), contents(&folder));
    assert_eq!(a.keys().collect::<Vec<_>>(), b.keys().collect::<Vec<_>>());
    for (name, bytes) in &a {
        assert!(*bytes == b[name], "{} differs after {kills} kills", name.display());
    }
    assert!(leftovers(out.path()).is_empty());
}

#[test]
fn the_networks_of_syncnet_are_run_on_the_clock_of_the_container() {
    let Some((root, models)) = data("the_networks_of_syncnet_are_run_on_the_clock_of_the_container") else { return };
    // Tiny graphs in the place of the networks: what they say means nothing, but it must not depend on batches, and follow the sound.
    let tiny = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/models");
    let out = tempfile::tempdir().unwrap();
    let run = |input: &Path, name: &str, more: &[&str]| {
        let folder = out.path().join(name);
        let flags =
            ["--estimator", "syncnet", "--lips-model", "lips", "--audio-model", "sound", "--models", text(&tiny)];
        let o = sync(models.path(), &[&[text(input), "-o", text(&folder)][..], &flags, more].concat());
        assert_eq!(code(&o), 0, "{name}: {}", stderr(&o));
        (folder, o)
    };
    let input = out.path().join("talk.mp4");
    let talk = root.join("video/grid_brbk7n.mpg");
    ffmpeg(&["-i", text(&talk), "-c:v", "libx264", "-preset", "ultrafast", "-c:a", "aac"], &input);
    let (a, o) = run(&input, "a", &["--batch", "8"]);
    assert!(stderr(&o).contains("stand-in"), "{}", stderr(&o));
    let (b, _) = run(&input, "b", &["--batch", "3"]);
    for (name, bytes) in contents(&a) {
        assert!(bytes == contents(&b)[&name], "{} depends on the batch", name.display());
    }
    let found = json(&a.join("sync.json"));
    assert_eq!((&found["estimator"], &found["stand_in"]), (&"syncnet".into(), &true.into()));
    assert!(found["calibration"].as_str().unwrap().contains("not calibrated"));
    // The same packets with the sound 200 ms earlier: five ticks, whatever the vectors are.
    let earlier = out.path().join("earlier.mp4");
    let o = frameloom()
        .args(["sync", "fix", text(&input), "--offset-ms", "200", "--no-check", "-o", text(&earlier)])
        .output()
        .unwrap();
    assert_eq!(code(&o), 0, "{}", stderr(&o));
    let (c, _) = run(&earlier, "c", &[]);
    let late =
        |folder: &Path| json(&folder.join("sync.json"))["tracks"][0]["estimate"]["audio_late_ms"].as_f64().unwrap();
    assert!((late(&c) - late(&a) + 200.0).abs() < 10.0, "{} {}", late(&a), late(&c));
}
