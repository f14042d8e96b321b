//! The commands of the README do what it says: each is run as it stands there, in a folder that has the files it names.

use std::path::Path;

use super::support::{clip, frameloom, pictures, stderr};

/// Lines of the console blocks that are commands of ours, in order; transcripts with a prompt are not.
fn commands() -> Vec<String> {
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    let blocks = text.split("```console\n").skip(1).filter_map(|rest| Some(rest.split_once("```")?.0));
    blocks.flat_map(str::lines).filter(|l| l.starts_with("frameloom ")).map(str::to_owned).collect()
}

/// What the commands read.
fn inputs(folder: &Path) {
    let h264 = ["-c:v", "libx264", "-pix_fmt", "yuv420p", "-preset", "ultrafast"];
    let made = clip(folder, "clip.mp4", "testsrc2=size=192x108:rate=10:duration=3", &h264);
    std::fs::copy(made, folder.join("talk.mp4")).unwrap();
    // As many pictures as frames, so that none need be shown twice.
    pictures(&folder.join("photos"), "", 30);
    let zones = r#"{ "lines": { "door": { "points": [[96, 10], [96, 100]] } } }"#;
    std::fs::write(folder.join("zones.json"), zones).unwrap();
}

#[test]
fn every_command_of_the_readme_runs() {
    let dir = tempfile::tempdir().unwrap();
    inputs(dir.path());
    let all = commands();
    assert!(all.len() >= 9, "{all:?}");
    for line in &all {
        let words: Vec<&str> = line.split_whitespace().skip(1).collect();
        let o = frameloom().args(&words).current_dir(dir.path()).env("HOME", dir.path()).output().unwrap();
        // The lip-sync commands want networks, which are the reader's to bring.
        let wanted = if line.contains("--models") { 9 } else { 0 };
        assert_eq!(o.status.code(), Some(wanted), "{line}\n{}", stderr(&o));
        if wanted == 9 {
            assert!(stderr(&o).contains("hint:"), "{line}\n{}", stderr(&o));
        }
    }
    for made in ["clip.frameloom/report.html", "plan/report.html", "out/clip_chunks.mp4", "set/review.html"] {
        assert!(dir.path().join(made).is_file(), "{made}");
    }
}
