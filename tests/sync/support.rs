//! Test data and FFmpeg's command-line tools.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// Path of a test file, or `None` with a loud line when the test data is not there.
pub fn data(test: &str, name: &str) -> Option<PathBuf> {
    let root = std::env::var_os("FRAMELOOM_TESTDATA");
    if root.is_none() {
        eprintln!("NOT RUN (FRAMELOOM_TESTDATA is not set): {test}");
    }
    root.map(|r| Path::new(&r).join(name))
}

#[allow(clippy::disallowed_methods, reason = "tests look at files with FFmpeg's own tools")]
fn command(program: &str) -> Command {
    Command::new(program)
}

/// Runs `ffmpeg` quietly; it must succeed. Gives what it wrote to standard output.
pub fn ffmpeg(args: &[&str]) -> Vec<u8> {
    let out = command("ffmpeg").args(["-v", "error", "-nostdin", "-y"]).args(args).output().expect("ffmpeg runs");
    assert!(out.status.success(), "ffmpeg {args:?}: {}", String::from_utf8_lossy(&out.stderr));
    out.stdout
}

/// `ffprobe -of json` with some `-show_…` arguments.
pub fn ffprobe(path: &Path, args: &[&str]) -> Value {
    let out =
        command("ffprobe").args(["-v", "error", "-of", "json"]).args(args).arg(path).output().expect("ffprobe runs");
    assert!(out.status.success() && out.stderr.is_empty(), "ffprobe: {}", String::from_utf8_lossy(&out.stderr));
    serde_json::from_slice(&out.stdout).unwrap()
}

/// First decoded time of a stream ("v:0" or "a:0") in seconds, and the number of decoded frames.
pub fn decoded(path: &Path, kind: &str) -> (f64, usize) {
    let json = ffprobe(path, &["-show_entries", "frame=pts_time", "-select_streams", kind]);
    let frames = json["frames"].as_array().unwrap();
    (frames[0]["pts_time"].as_str().unwrap().parse().unwrap(), frames.len())
}

/// Mono samples of a file at 16 kHz, as FFmpeg decodes them.
pub fn samples(path: &Path) -> Vec<f32> {
    let bytes = ffmpeg(&["-i", path.to_str().unwrap(), "-ac", "1", "-ar", "16000", "-f", "f32le", "-"]);
    bytes.chunks_exact(4).map(|c| f32::from_le_bytes([c[0], c[1], c[2], c[3]])).collect()
}

/// Mean luma of every frame.
pub fn lumas(path: &Path) -> Vec<f64> {
    let bytes = ffmpeg(&[
        "-i",
        path.to_str().unwrap(),
        "-vf",
        "scale=16:16",
        "-pix_fmt",
        "gray",
        "-fps_mode",
        "passthrough",
        "-f",
        "rawvideo",
        "-",
    ]);
    bytes.chunks_exact(256).map(|c| c.iter().map(|v| f64::from(*v)).sum::<f64>() / 256.0).collect()
}
