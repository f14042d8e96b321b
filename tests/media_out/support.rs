//! Test data, FFmpeg's command-line tools and synthetic pictures.

use std::path::{Path, PathBuf};
use std::process::Command;

use frameloom::core::{PixelFormat, Rational, Size};
use frameloom::media::{Plane, VideoWriter, WriterOptions};
use serde_json::Value;

/// Path of a test file, or `None` with a loud line when the test data is not there.
pub(crate) fn data(test: &str, name: &str) -> Option<PathBuf> {
    match std::env::var_os("FRAMELOOM_TESTDATA") {
        Some(root) => Some(Path::new(&root).join(name)),
        None => {
            eprintln!("NOT RUN (FRAMELOOM_TESTDATA is not set): {test}");
            None
        }
    }
}

#[allow(clippy::disallowed_methods, reason = "tests look at files with FFmpeg's own tools")]
pub(crate) fn command(program: &str) -> Command {
    Command::new(program)
}

/// Runs `ffmpeg` quietly; it must succeed.
pub(crate) fn ffmpeg(args: &[&str]) {
    let out = command("ffmpeg").args(["-v", "error", "-nostdin", "-y"]).args(args).output().expect("ffmpeg runs");
    assert!(out.status.success(), "ffmpeg {args:?}: {}", String::from_utf8_lossy(&out.stderr));
}

/// `ffprobe -of json` with some `-show_…` arguments.
pub(crate) fn ffprobe(path: &Path, args: &[&str]) -> Value {
    let out =
        command("ffprobe").args(["-v", "error", "-of", "json"]).args(args).arg(path).output().expect("ffprobe runs");
    assert!(out.status.success() && out.stderr.is_empty(), "ffprobe: {}", String::from_utf8_lossy(&out.stderr));
    serde_json::from_slice(&out.stdout).unwrap()
}

/// The first stream of a kind ("v" or "a").
pub(crate) fn stream(path: &Path, kind: &str) -> Value {
    ffprobe(path, &["-show_streams", "-select_streams", kind])["streams"][0].clone()
}

/// Presentation times in seconds of all packets of a stream, in file order.
pub(crate) fn packet_times(path: &Path, kind: &str) -> Vec<f64> {
    let json = ffprobe(path, &["-show_entries", "packet=pts_time", "-select_streams", kind]);
    let packets = json["packets"].as_array().unwrap();
    packets.iter().map(|p| p["pts_time"].as_str().unwrap().parse().unwrap()).collect()
}

/// Presentation times in seconds of all decoded pictures.
pub(crate) fn frame_times(path: &Path) -> Vec<f64> {
    let json = ffprobe(path, &["-show_entries", "frame=pts_time", "-select_streams", "v:0"]);
    let frames = json["frames"].as_array().unwrap();
    frames.iter().map(|p| p["pts_time"].as_str().unwrap().parse().unwrap()).collect()
}

/// A picture with a gradient and a moving square, as packed RGBA.
pub(crate) fn rgba(size: Size, n: u32) -> Vec<u8> {
    let mut v = Vec::with_capacity(size.area() as usize * 4);
    for y in 0..size.height {
        for x in 0..size.width {
            let square = x.wrapping_sub(n * 3 % size.width) < 16 && y.wrapping_sub(8) < 16;
            let c = if square { [250, 40, 30, 255] } else { [(x * 2) as u8, (y * 3) as u8, 90, 255] };
            v.extend(c);
        }
    }
    v
}

pub(crate) fn options(size: Size, den: i32) -> WriterOptions {
    WriterOptions::new(size, PixelFormat::Rgba8, Rational { num: 1, den })
}

/// Writes synthetic pictures at the given times.
pub(crate) fn write_rgba(mut writer: VideoWriter, size: Size, times: &[i64]) -> frameloom::media::WriteSummary {
    for (n, pts) in times.iter().enumerate() {
        let data = rgba(size, n as u32);
        writer.write_frame(&[Plane { data: &data, stride: size.width as usize * 4 }], *pts).unwrap();
    }
    writer.finish().unwrap()
}

/// Names in a folder, sorted.
pub(crate) fn names(dir: &Path) -> Vec<String> {
    let mut v: Vec<_> =
        std::fs::read_dir(dir).unwrap().map(|e| e.unwrap().file_name().to_string_lossy().into_owned()).collect();
    v.sort();
    v
}
