//! `audio extract` and `split` as users type them, and as the scripts around SyncNet did.

use crate::support::*;

fn talk(folder: &std::path::Path) -> std::path::PathBuf {
    clip(
        folder,
        "talk.mkv",
        "testsrc2=size=64x64:rate=25:duration=12",
        &[
            "-f",
            "lavfi",
            "-i",
            "sine=frequency=440:sample_rate=44100:duration=12",
            "-ac",
            "2",
            "-c:v",
            "libx264",
            "-preset",
            "ultrafast",
            "-c:a",
            "flac",
        ],
    )
}

#[test]
fn audio_is_extracted_under_both_names() {
    let dir = tempfile::tempdir().unwrap();
    let (input, own, seed) = (talk(dir.path()), dir.path().join("new/own.wav"), dir.path().join("seed.wav"));
    let o = frameloom().args(["audio", "extract"]).arg(&input).arg("-o").arg(&own).arg("--json").output().unwrap();
    assert_eq!(code(&o), 0, "{}", stderr(&o));
    let last = events(&o).pop().unwrap();
    assert_eq!((last["event"].as_str(), last["samples"].as_u64()), (Some("result"), Some(192_000)));
    let o = frameloom()
        .args(["extract-audio", "--sample_rate", "16000", "--channels", "1", "--input"])
        .arg(&input)
        .arg("--output")
        .arg(&seed)
        .output()
        .unwrap();
    assert_eq!(code(&o), 0, "{}", stderr(&o));
    assert!(std::fs::read(&own).unwrap() == std::fs::read(&seed).unwrap());
    assert_eq!(code(&frameloom().args(["audio", "extract"]).output().unwrap()), 2, "no input");
    let o = frameloom().args(["audio", "extract", "--channels", "9"]).arg(&input).output().unwrap();
    assert_eq!(code(&o), 2, "{}", stderr(&o));
}

#[test]
fn a_video_is_looked_at_under_both_names() {
    let dir = tempfile::tempdir().unwrap();
    let input = talk(dir.path());
    let own = frameloom().arg("probe").arg(&input).output().unwrap();
    let seed = frameloom().args(["info", "--input"]).arg(&input).output().unwrap();
    assert_eq!((code(&own), code(&seed)), (0, 0), "{}", stderr(&seed));
    assert!(!own.stdout.is_empty() && own.stdout == seed.stdout);
    assert_eq!(code(&frameloom().arg("probe").output().unwrap()), 2, "no input");
}

#[test]
fn videos_are_split_under_both_names() {
    let dir = tempfile::tempdir().unwrap();
    let input = talk(dir.path());
    let run = |command: &[&str], out: &str, more: &[&str]| {
        let folder = dir.path().join(out);
        let flag = if command[0] == "split" { "-o" } else { "--output_dir" };
        let input_flag: &[&str] = if command[0] == "split" { &[] } else { &["--input"] };
        let o = frameloom()
            .args(command)
            .args(input_flag)
            .arg(&input)
            .arg(flag)
            .arg(&folder)
            .args(more)
            .arg("--json")
            .output()
            .unwrap();
        (o, folder)
    };
    let (o, folder) = run(&["split", "time"], "own", &["--duration", "6", "--overlap", "1", "--wav"]);
    assert_eq!(code(&o), 0, "{}", stderr(&o));
    let all = events(&o);
    let frames: Vec<_> =
        all.iter().filter(|e| e["event"] == "item").map(|e| e["chunk"]["frames"].as_u64().unwrap()).collect();
    assert_eq!(frames, [150, 175], "the tail of 2 s is kept");
    let names: Vec<_> = contents(&folder).into_keys().map(|p| p.to_string_lossy().into_owned()).collect();
    assert_eq!(names, ["chunk_000.mp4", "chunk_000.wav", "chunk_001.mp4", "chunk_001.wav", "split_summary.json"]);
    let summary: serde_json::Value =
        serde_json::from_slice(&contents(&folder)[std::path::Path::new("split_summary.json")]).unwrap();
    assert_eq!(
        (summary["total_chunks"].as_u64(), summary["settings"]["chunk_duration"].as_f64()),
        (Some(2), Some(6.0))
    );
    let (o, _) = run(&["chunk-time"], "seed", &["--duration", "6", "--overlap", "1", "--parity"]);
    let counts: Vec<_> =
        events(&o).iter().filter(|e| e["event"] == "item").map(|e| e["chunk"]["frames"].as_u64().unwrap()).collect();
    assert_eq!((code(&o), counts), (0, vec![150, 150]), "{}", stderr(&o));
    let (o, folder) =
        run(&["chunk-silence"], "quiet", &["--threshold", "-30", "--min_silence", "1.0", "--min_chunk", "5.0"]);
    assert_eq!(code(&o), 0, "{}", stderr(&o));
    assert!(folder.join("silence_chunk_000_0000.0s.mp4").exists(), "no silence: one piece");
    for (overlap, wanted) in [("6", 2), ("7", 2), ("-1", 2)] {
        let (o, folder) = run(&["split", "time"], "bad", &["--duration", "6", "--overlap", overlap]);
        assert_eq!(code(&o), wanted, "{}", stderr(&o));
        assert!(!folder.exists() && stderr(&o).contains("overlap"), "{}", stderr(&o));
    }
    assert!(leftovers(dir.path()).is_empty());
}

#[test]
fn a_split_that_is_killed_keeps_its_pieces() {
    let dir = tempfile::tempdir().unwrap();
    let sound = ["-f", "lavfi", "-i", "sine=frequency=440:duration=60", "-c:v", "libx264", "-preset", "ultrafast"];
    let input = clip(dir.path(), "long.mkv", "testsrc2=size=240x180:rate=25:duration=60", &sound);
    let split = |out: &str, more: &[&str]| {
        let mut command = frameloom();
        command
            .args(["split", "time", "--duration", "5", "--wav", "--json"])
            .arg(&input)
            .arg("-o")
            .arg(dir.path().join(out));
        command.args(more);
        command
    };
    let whole = split("whole", &[]).output().unwrap();
    assert_eq!(code(&whole), 0, "{}", stderr(&whole));
    let folder = dir.path().join("killed");
    let mut child =
        split("killed", &[]).stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null()).spawn().unwrap();
    while !folder.join("chunk_002.mp4").exists() {
        assert!(child.try_wait().unwrap().is_none(), "it ended before it could be killed");
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(!folder.join("chunk_011.mp4").exists(), "it was killed too late");
    let kept = |o: &std::process::Output| {
        assert_eq!(code(o), 0, "{}", stderr(o));
        events(o).pop().unwrap()["kept"].as_u64().unwrap()
    };
    let again = kept(&split("killed", &[]).output().unwrap());
    assert!((2..12).contains(&again), "{again}");
    assert_eq!(kept(&split("killed", &[]).output().unwrap()), 12, "nothing is left to do");
    assert!(contents(&dir.path().join("whole")) == contents(&folder), "after {again} pieces were kept");
    assert!(leftovers(dir.path()).is_empty());
    // A piece that is gone is made again, and other settings count.
    std::fs::remove_file(folder.join("chunk_004.wav")).unwrap();
    assert_eq!(kept(&split("killed", &[]).output().unwrap()), 11);
    assert!(contents(&dir.path().join("whole")) == contents(&folder));
    assert_eq!(kept(&split("killed", &["--crf", "30"]).output().unwrap()), 0);
}
