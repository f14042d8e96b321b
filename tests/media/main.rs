//! Probe, decode and verdict on real and damaged files.
#![cfg(feature = "ffmpeg")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "tests: they may panic, write scratch files and run ffmpeg and ffprobe"
)]

mod decode;
mod probe;
mod share;
mod upright;
mod verdict;

use std::path::{Path, PathBuf};
use std::process::Command;

use frameloom::core::{FrameDesc, FrameInfo, FrameLayout};
use frameloom::media::{DecodeOptions, Verdict, VideoDecoder};

/// The folder of real test files; says loudly that a test did not run without it.
pub(crate) fn test_data(test: &str) -> Option<PathBuf> {
    let found = std::env::var_os("FRAMELOOM_TESTDATA").map(PathBuf::from);
    if found.is_none() {
        eprintln!("NOT RUN (FRAMELOOM_TESTDATA is not set): {test}");
    }
    found
}

/// Runs a command and returns its output; setup installs `ffmpeg` and `ffprobe`, so their absence is a failure.
pub(crate) fn run(program: &str, args: &[&str]) -> String {
    let out = Command::new(program).args(args).output().unwrap_or_else(|e| panic!("{program} cannot be started: {e}"));
    assert!(out.status.success(), "{program} {args:?}: {}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8_lossy(&out.stdout).into_owned()
}

/// Makes a small clip with ffmpeg: `filter` is a lavfi source, `args` the encoder settings.
pub(crate) fn clip(folder: &Path, name: &str, filter: &str, args: &[&str]) -> PathBuf {
    let path = folder.join(name);
    let mut all = vec!["-v", "error", "-y", "-f", "lavfi", "-i", filter];
    all.extend_from_slice(args);
    all.push(path.to_str().unwrap());
    run("ffmpeg", &all);
    path
}

/// Frames that a full decode of video track `track` gives according to ffprobe.
pub(crate) fn ffprobe_frames(path: &Path, track: usize) -> u64 {
    let select = format!("v:{track}");
    let args = ["-v", "quiet", "-count_frames", "-select_streams", &select, "-show_entries", "stream=nb_read_frames"];
    let text = run("ffprobe", &[&args[..], &["-of", "csv=p=0", path.to_str().unwrap()]].concat());
    // Transport streams list a stream once more under its program, with a trailing comma.
    text.lines()
        .find_map(|l| l.trim_end_matches(',').parse().ok())
        .unwrap_or_else(|| panic!("{}: {text}", path.display()))
}

/// All frames as tight planes, the way `ffmpeg -f rawvideo` writes them, and what each of them is.
pub(crate) fn raw_frames(decoder: &mut VideoDecoder) -> (Vec<u8>, FrameDesc) {
    let (mut all, mut slot, mut desc) = (Vec::new(), Vec::new(), None);
    while let Some(frame) = decoder.next_frame().unwrap() {
        assert_eq!(*desc.get_or_insert(frame.desc()), frame.desc());
        let layout = FrameLayout::new(&frame.desc()).unwrap();
        slot.resize(layout.slot_bytes() as usize, 0u8);
        frame.copy_into(&layout, &mut slot[..]).unwrap();
        for p in layout.planes() {
            for y in 0..p.shape.rows {
                let at = (p.offset + p.stride * y) as usize;
                all.extend_from_slice(&slot[at..at + p.shape.row_bytes() as usize]);
            }
        }
    }
    assert_eq!(decoder.desc(), desc);
    (all, desc.unwrap())
}

/// What a full decode gives.
pub(crate) struct Decoded {
    pub(crate) infos: Vec<FrameInfo>,
    pub(crate) hashes: Vec<blake3::Hash>,
    pub(crate) verdict: Verdict,
}

/// Decodes to the end; every frame is copied into a poisoned slot and the slot is hashed.
pub(crate) fn decode(path: &Path, options: &DecodeOptions) -> frameloom::Result<Decoded> {
    let mut decoder = VideoDecoder::open(path, options)?;
    let (mut infos, mut hashes, mut slot) = (Vec::new(), Vec::new(), Vec::new());
    while let Some(frame) = decoder.next_frame()? {
        let layout = FrameLayout::new(&frame.desc()).unwrap();
        slot.clear();
        slot.resize(layout.slot_bytes() as usize, 0xa5u8);
        frame.copy_into(&layout, &mut slot[..])?;
        infos.push(frame.info());
        hashes.push(blake3::hash(&slot));
    }
    assert!(decoder.next_frame()?.is_none(), "the end must stay the end");
    Ok(Decoded { infos, hashes, verdict: decoder.verdict().unwrap().clone() })
}

/// All files of `video/` and `video/fmt/`.
pub(crate) fn intact_files(data: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = ["video", "video/fmt"]
        .iter()
        .flat_map(|d| std::fs::read_dir(data.join(d)).unwrap())
        .map(|e| e.unwrap().path())
        .filter(|p| p.is_file() && p.extension().is_some_and(|e| e != "json"))
        .collect();
    files.sort();
    assert!(files.len() >= 40, "{} files", files.len());
    files
}
