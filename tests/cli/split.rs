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
