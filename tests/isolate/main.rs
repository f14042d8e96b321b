//! Decoding in a process of its own: the same results, and an explanation for whatever ends that process.
#![cfg(all(feature = "cli", target_os = "linux"))]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    missing_docs,
    unreachable_pub,
    reason = "tests: they may panic, write scratch files, run ffmpeg and send signals"
)]

mod deaths;
mod liars;
mod same;
mod shut_in;

use std::path::{Path, PathBuf};
use std::process::Command;

use frameloom::core::{FrameDesc, FrameInfo, FrameLayout};
use frameloom::media::{DecodeOptions, Isolation, MediaInfo, Verdict, VideoDecoder};

/// Decoder processes of the `frameloom` command.
pub fn isolation() -> Isolation {
    Isolation::new(env!("CARGO_BIN_EXE_frameloom"))
}

/// The same with something changed.
pub fn with(change: impl FnOnce(&mut Isolation)) -> Isolation {
    let mut isolation = isolation();
    change(&mut isolation);
    isolation
}

pub fn isolated(isolation: &Isolation) -> DecodeOptions {
    DecodeOptions { threads: 2, isolation: Some(isolation.clone()), ..DecodeOptions::default() }
}

/// A clip made by `ffmpeg` from a test source.
pub fn clip(folder: &Path, name: &str, source: &str, options: &[&str]) -> PathBuf {
    let path = folder.join(name);
    let o = Command::new("ffmpeg")
        .args(["-v", "error", "-y", "-f", "lavfi", "-i", source])
        .args(options)
        .arg(&path)
        .output()
        .expect("the ffmpeg command (scripts/setup.sh installs it)");
    assert!(o.status.success(), "ffmpeg: {}", String::from_utf8_lossy(&o.stderr));
    path
}

/// 200 frames of 320x240.
pub fn long_clip(folder: &Path) -> PathBuf {
    let options = ["-c:v", "libx264", "-pix_fmt", "yuv420p", "-preset", "ultrafast"];
    clip(folder, "long.mp4", "testsrc2=s=320x240:r=25:d=8", &options)
}

/// The folder of real test files; says loudly that a test did not run without it.
pub fn test_data(test: &str) -> Option<PathBuf> {
    let found = std::env::var_os("FRAMELOOM_TESTDATA").map(PathBuf::from);
    if found.is_none() {
        eprintln!("NOT RUN (FRAMELOOM_TESTDATA is not set): {test}");
    }
    found
}

/// All that a decoder says of a file.
#[derive(Debug, Clone, PartialEq)]
pub struct Said {
    pub info: MediaInfo,
    pub rotation: i32,
    pub frames: Vec<(FrameDesc, FrameInfo, blake3::Hash)>,
    pub verdict: Option<Verdict>,
    pub notes: Vec<String>,
    /// Code and message of the error that ended it.
    pub error: Option<(&'static str, String)>,
    pub bytes_read: u64,
}

/// Decodes to the end, whatever the end is.
pub fn listen(path: &Path, options: &DecodeOptions) -> frameloom::Result<Said> {
    let mut decoder = VideoDecoder::open(path, options)?;
    let (mut frames, mut slot) = (Vec::new(), Vec::new());
    let error = loop {
        match decoder.next_frame() {
            Ok(Some(frame)) => {
                let layout = FrameLayout::new(&frame.desc()).unwrap();
                slot.clear();
                slot.resize(layout.slot_bytes() as usize, 0xa5u8);
                frame.copy_into(&layout, &mut slot[..])?;
                frames.push((frame.desc(), frame.info(), blake3::hash(&slot)));
            }
            Ok(None) => break None,
            Err(e) => break Some((e.code(), e.to_string())),
        }
    };
    if error.is_none() {
        assert!(decoder.next_frame().unwrap().is_none(), "the end must stay the end");
    }
    Ok(Said {
        info: decoder.media_info(),
        rotation: decoder.rotation(),
        frames,
        verdict: decoder.verdict().cloned(),
        notes: decoder.notes().to_vec(),
        error,
        bytes_read: decoder.bytes_read(),
    })
}

/// Sends a signal by number.
pub fn signal(pid: u32, number: i32) {
    let status = Command::new("kill").args([format!("-{number}"), pid.to_string()]).status().unwrap();
    assert!(status.success(), "kill -{number} {pid}");
}

/// Whether there is such a process, as a zombie or otherwise.
pub fn exists(pid: u32) -> bool {
    Path::new("/proc").join(pid.to_string()).exists()
}
