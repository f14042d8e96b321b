//! Runs the binary and makes clips with the `ffmpeg` command, which is part of the setup.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io::Read;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use frameloom::core::Size;
use frameloom::media::encode_jpeg;

pub const BIN: &str = env!("CARGO_BIN_EXE_frameloom");

/// The command, away from the environment of whoever runs the tests.
pub fn frameloom() -> Command {
    away(Command::new(BIN))
}

/// Any command, away from that environment.
pub fn away(mut c: Command) -> Command {
    c.env_remove("FRAMELOOM_DEVICE").env_remove("FRAMELOOM_MODELS").env("XDG_RUNTIME_DIR", std::env::temp_dir());
    if let Ok(adapter) = std::env::var("FRAMELOOM_ADAPTER") {
        c.env("FRAMELOOM_DEVICE", adapter);
    }
    c
}

pub fn run<S: AsRef<OsStr>>(args: &[S]) -> Output {
    frameloom().args(args).output().expect("the binary starts")
}

pub fn code(o: &Output) -> i32 {
    o.status.code().unwrap_or(-1)
}

pub fn stderr(o: &Output) -> String {
    String::from_utf8_lossy(&o.stderr).into_owned()
}

/// The JSON Lines events on standard output.
pub fn events(o: &Output) -> Vec<serde_json::Value> {
    String::from_utf8_lossy(&o.stdout)
        .lines()
        .map(|l| serde_json::from_str(l).unwrap_or_else(|e| panic!("not JSON ({e}): {l}")))
        .collect()
}

/// A clip in `folder`, made by `ffmpeg` from a test source.
pub fn clip(folder: &Path, name: &str, source: &str, options: &[&str]) -> PathBuf {
    let path = folder.join(name);
    let o = Command::new("ffmpeg")
        .args(["-v", "error", "-y", "-f", "lavfi", "-i", source])
        .args(options)
        .arg(&path)
        .output()
        .expect("the ffmpeg command (scripts/setup.sh installs it)");
    assert!(o.status.success(), "ffmpeg: {}", stderr(&o));
    path
}

/// 60 frames of 321x241: moving patterns, odd size.
pub fn small_clip(folder: &Path) -> PathBuf {
    clip(
        folder,
        "small.mp4",
        "testsrc2=size=320x240:rate=30:duration=2,scale=321:241",
        &["-c:v", "libx264", "-pix_fmt", "yuv444p", "-g", "12", "-preset", "ultrafast"],
    )
}

/// Every file below `folder` with its content, but not the state, whose journal holds no promise about bytes.
pub fn contents(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut all = BTreeMap::new();
    let mut open = vec![folder.to_path_buf()];
    while let Some(dir) = open.pop() {
        for entry in std::fs::read_dir(&dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                if path.file_name() != Some(OsStr::new(".state")) {
                    open.push(path);
                }
            } else {
                all.insert(path.strip_prefix(folder).unwrap().to_path_buf(), std::fs::read(&path).unwrap());
            }
        }
    }
    all
}

/// Names below `folder` that look like unfinished files.
pub fn leftovers(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_path_buf()];
    while let Some(dir) = open.pop() {
        for entry in std::fs::read_dir(&dir).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.file_name().is_some_and(|n| n.to_string_lossy().contains(".tmp-")) {
                found.push(path.clone());
            }
            if path.is_dir() {
                open.push(path);
            }
        }
    }
    found
}

pub const OUTPUTS: [&str; 9] = [
    "config.toml",
    "frames.csv",
    "frames.jsonl",
    "frames.parquet",
    "frames.schema.json",
    "heat.npy",
    "heat.png",
    "report.html",
    "summary.json",
];

/// The folder of real test data, or a loud line.
pub fn real_data(test: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("FRAMELOOM_TESTDATA").map(PathBuf::from);
    if folder.is_none() {
        eprintln!("NOT RUN (FRAMELOOM_TESTDATA is not set): {test}");
    }
    folder
}

/// The first seconds of a video as a file of the same name in `folder`, its packets as they are.
#[cfg(feature = "onnx")]
pub fn beginning(video: &Path, seconds: &str, folder: &Path) -> PathBuf {
    let to = folder.join(video.file_name().unwrap());
    let o = Command::new("ffmpeg")
        .args(["-v", "error", "-y", "-i"])
        .arg(video)
        .args(["-t", seconds, "-c", "copy"])
        .arg(&to)
        .output()
        .unwrap();
    assert!(o.status.success(), "{}", stderr(&o));
    to
}

/// Small pictures that differ, `STEM0000.jpg` and on.
pub fn pictures(folder: &Path, stem: &str, count: u8) {
    std::fs::create_dir_all(folder).unwrap();
    for number in 0..count {
        let pixel = |i: u32| [number * 6, (i % 64) as u8 * 3, (i / 64) as u8 * 5, 255];
        let jpeg = encode_jpeg(Size::new(64, 36), &(0..64 * 36).flat_map(pixel).collect::<Vec<u8>>(), 90).unwrap();
        std::fs::write(folder.join(format!("{stem}{number:04}.jpg")), jpeg).unwrap();
    }
}

/// Body of an HTTP request with JSON.
pub fn request(stream: &mut TcpStream) -> Option<serde_json::Value> {
    let mut all = Vec::new();
    let mut buffer = vec![0u8; 1 << 16];
    loop {
        let n = stream.read(&mut buffer).ok().filter(|n| *n > 0)?;
        all.extend_from_slice(&buffer[..n]);
        let Some(split) = all.windows(4).position(|w| w == b"\r\n\r\n") else { continue };
        let head = String::from_utf8_lossy(&all[..split]).to_ascii_lowercase();
        let length: usize = head.lines().find_map(|l| l.strip_prefix("content-length: "))?.trim().parse().ok()?;
        if all.len() >= split + 4 + length {
            return serde_json::from_slice(&all[split + 4..]).ok();
        }
    }
}
