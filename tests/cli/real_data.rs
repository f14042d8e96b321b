use std::path::{Path, PathBuf};

use crate::support::*;

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut all: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|e| e.unwrap().path())
        .filter(|p| p.is_file() && p.extension().is_none_or(|e| e != "json"))
        .collect();
    all.sort();
    all
}

fn counted(path: &Path) -> u64 {
    let o = std::process::Command::new("ffprobe")
        .args([
            "-v",
            "error",
            "-select_streams",
            "v:0",
            "-count_frames",
            "-show_entries",
            "stream=nb_read_frames",
            "-of",
            "csv=p=0",
        ])
        .arg(path)
        .output()
        .unwrap();
    String::from_utf8_lossy(&o.stdout).lines().next().unwrap().trim_end_matches(',').parse().unwrap()
}

#[test]
fn every_real_video_is_whole_and_has_the_frames_of_a_full_decode() {
    let Some(data) = real_data("every_real_video_is_whole") else { return };
    let dir = tempfile::tempdir().unwrap();
    let mut videos = [files(&data.join("video")), files(&data.join("video/fmt"))].concat();
    // Over 1100 frames each, and H.264 in MP4 as many that stay. That they decode to their end is tested below this command, in tests/media.
    videos.retain(|p| !["intel_one-by-one-person.mp4", "intel_bottle.mp4"].iter().any(|n| p.ends_with(n)));
    assert!(videos.len() >= 40, "{} videos", videos.len());
    // One run over all of them, as one would check an archive.
    let o =
        frameloom().arg("analyze").args(&videos).arg("-o").arg(dir.path().join("all")).arg("--json").output().unwrap();
    assert_eq!(code(&o), 0, "{}", stderr(&o));
    let items: Vec<_> = events(&o).into_iter().filter(|e| e["event"] == "item").collect();
    assert_eq!(items.len(), videos.len());
    for path in &videos {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let item = items.iter().find(|i| i["input"] == path.to_str().unwrap()).unwrap();
        // An MPEG program stream without an end code declares nothing.
        let want = if name.ends_with(".mpg") { "unverifiable" } else { "complete" };
        assert_eq!(item["status"], want, "{name}: {}", item["reasons"]);
        assert_eq!(item["frames"], counted(path), "{name}");
    }
}

#[test]
fn every_bad_file_gets_its_verdict_or_its_error() {
    let Some(data) = real_data("every_bad_file_gets_its_verdict") else { return };
    let dir = tempfile::tempdir().unwrap();
    let partial =
        [("asl_trunc50.mkv", 31), ("carphone_flip.mp4", 120), ("decord_corrupted.mp4", 49), ("grid_hole.mpg", 72)];
    let whole = [("torchcodec_1frame_mpeg4.mp4", 1), ("img_regression_image_resize-with-alpha-original.png", 1)];
    let bad = files(&data.join("bad"));
    assert!(bad.len() >= 20);
    for path in &bad {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let out = dir.path().join(&name);
        let o = frameloom().arg("analyze").arg(path).arg("-o").arg(&out).arg("--json").output().unwrap();
        assert!(!stderr(&o).contains("panicked"), "{name}: {}", stderr(&o));
        let item = events(&o).into_iter().find(|e| e["event"] == "item").unwrap();
        let frames = item["frames"].as_u64().unwrap();
        if let Some((_, want)) = partial.iter().find(|(n, _)| *n == name) {
            assert_eq!((code(&o), &item["status"], frames), (3, &"partial".into(), *want), "{name}");
        } else if let Some((_, want)) = whole.iter().find(|(n, _)| *n == name) {
            assert_eq!((code(&o), &item["status"], frames), (0, &"complete".into(), *want), "{name}");
        } else if name == "photo_trunc40.jpg" {
            assert_eq!((code(&o), &item["status"]), (3, &"partial".into()), "{name}");
        } else {
            assert!(matches!(code(&o), 4 | 5), "{name}: exit {} {}", code(&o), stderr(&o));
            assert_eq!(item["status"], "failed", "{name}");
            assert!(!out.exists(), "{name} left something behind");
        }
    }
}
