//! Files copied with another sound: what else is in them stays what it is, or is said to be left out.

use std::path::{Path, PathBuf};

use frameloom::core::Limits;
use frameloom::media::{
    CopyOptions, CopyPiece, RetimeOptions, Retimed, SoundChange, SoundOptions, copy_pieces, probe, retime,
};
use frameloom::store::OsIo;
use serde_json::Value;

use crate::support::*;

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn moved(input: &Path, output: &Path) -> frameloom::Result<Retimed> {
    retime(&OsIo, input, output, SoundChange::Shift(40_000), &RetimeOptions::default())
}

/// Kind of each stream, and what it is for.
fn streams(path: &Path) -> Vec<(String, Vec<String>)> {
    let flags = |s: &Value| {
        let all = s["disposition"].as_object().unwrap().iter();
        all.filter(|(_, on)| **on == 1).map(|(name, _)| name.clone()).collect()
    };
    let all = ffprobe(path, &["-show_streams"]);
    let one = |s: &Value| (s["codec_type"].as_str().unwrap().to_owned(), flags(s));
    all["streams"].as_array().unwrap().iter().map(one).collect()
}

const PICTURE: &str = "testsrc2=size=96x64:rate=25:duration=1";
const TONE: &str = "sine=frequency=440:duration=1";
const X264: [&str; 4] = ["-c:v:0", "libx264", "-preset:v:0", "ultrafast"];

/// A clip with a cover, as MP4 and as Matroska have it, and the cover.
fn covered(folder: &Path) -> (PathBuf, PathBuf, PathBuf) {
    let [cover, mp4, mkv] = ["cover.png", "covered.mp4", "covered.mkv"].map(|n| folder.join(n));
    ffmpeg(&["-f", "lavfi", "-i", "color=c=red:size=32x32", "-frames:v", "1", text(&cover)]);
    let tracks = ["-f", "lavfi", "-i", PICTURE, "-f", "lavfi", "-i", TONE];
    let picture = ["-i", text(&cover), "-map", "0", "-map", "1", "-map", "2", "-c:v:1", "copy"];
    let flag = ["-disposition:v:1", "attached_pic", "-c:a", "aac", text(&mp4)];
    ffmpeg(&[&tracks[..], &picture, &X264, &flag].concat());
    let attached = ["-attach", text(&cover), "-metadata:s:t:0", "mimetype=image/png", "-c:a", "aac", text(&mkv)];
    ffmpeg(&[&tracks[..], &X264, &attached].concat());
    (mp4, mkv, cover)
}

#[test]
fn a_cover_stays_a_cover_or_is_left_out() {
    let dir = tempfile::tempdir().unwrap();
    let (mp4, mkv, cover) = covered(dir.path());
    let is = |path: &Path| streams(path).into_iter().map(|(kind, of)| (kind, of.contains(&"attached_pic".to_owned())));
    let track = |kind: &str| (kind.to_owned(), false);
    let whole = [track("video"), track("audio"), ("video".to_owned(), true)];
    for input in [&mp4, &mkv] {
        assert_eq!(is(input).collect::<Vec<_>>(), whole, "the clip is what it should be");
        let out = dir.path().join("out.mp4");
        let done = moved(input, &out).unwrap();
        assert!(done.left_out.is_empty(), "{done:?}");
        assert_eq!(is(&out).collect::<Vec<_>>(), whole, "{}", input.display());
        let again = dir.path().join("again.png");
        ffmpeg(&["-i", text(&out), "-map", "0:2", "-c", "copy", "-f", "image2", "-update", "1", text(&again)]);
        assert!(std::fs::read(&again).unwrap() == std::fs::read(&cover).unwrap(), "the very picture");
        // Matroska would make a track of one frame of it.
        let out = dir.path().join("out.mkv");
        let done = moved(input, &out).unwrap();
        assert_eq!(done.left_out, ["png attached picture"]);
        assert_eq!(is(&out).collect::<Vec<_>>(), whole[..2], "{}", input.display());
    }
}

#[test]
fn tracks_stay_what_they_are_for() {
    let dir = tempfile::tempdir().unwrap();
    let [words, clip, out] = ["words.srt", "clip.mkv", "out.mkv"].map(|n| dir.path().join(n));
    let line = "1\n00:00:00,100 --> 00:00:00,900\nWords\n";
    std::io::Write::write_all(&mut std::fs::File::create(&words).unwrap(), line.as_bytes()).unwrap();
    let tracks = ["-f", "lavfi", "-i", PICTURE, "-f", "lavfi", "-i", TONE, "-i", text(&words)];
    let order = ["-map", "0", "-map", "1", "-map", "1", "-map", "2", "-c:a", "aac", "-c:s", "srt"];
    // The first sound is a commentary, the second one is heard unless a viewer chooses; the words are always shown.
    let what = ["-disposition:a:0", "comment", "-disposition:a:1", "default", "-disposition:s:0", "forced"];
    let name = ["-metadata:s:a:1", "language=spa", text(&clip)];
    ffmpeg(&[&tracks[..], &order, &X264, &what, &name].concat());
    let wanted = streams(&clip);
    let has = |at: usize, flag: &str| wanted[at].1.contains(&flag.to_owned());
    assert!(wanted.len() == 4 && has(1, "comment") && !has(1, "default") && has(2, "default") && has(3, "forced"));
    assert!(moved(&clip, &out).unwrap().left_out.is_empty());
    assert_eq!(streams(&out), wanted);
    // Sound that is made anew takes the place of the one it replaces.
    let mut parts = vec![vec![0.0f32; 48_000]];
    let sound = SoundOptions { rate: 48_000, channels: 1, start: 0 };
    let options = RetimeOptions { audio_track: 1, ..RetimeOptions::default() };
    retime(&OsIo, &clip, &out, SoundChange::Replace(sound, &mut || Ok(parts.pop())), &options).unwrap();
    assert_eq!(streams(&out), wanted);
    assert_eq!(ffprobe(&out, &["-show_streams"])["streams"][2]["tags"]["language"], "spa");
}

#[test]
fn a_turned_video_is_not_laid_on_its_side() {
    let dir = tempfile::tempdir().unwrap();
    let [lying, turned, mp4, mkv] = ["lying.mp4", "turned.mp4", "out.mp4", "out.mkv"].map(|n| dir.path().join(n));
    let tracks = ["-f", "lavfi", "-i", PICTURE, "-f", "lavfi", "-i", TONE];
    ffmpeg(&[&tracks[..], &X264, &["-c:a", "aac", text(&lying)]].concat());
    ffmpeg(&["-i", text(&lying), "-c", "copy", "-metadata:s:v:0", "rotate=90", text(&turned)]);
    let rotation = |path: &Path| probe(path, &Limits::default()).unwrap().video_streams[0].rotation;
    // Which way `rotate` turns depends on the version of the tool.
    let by = rotation(&turned);
    assert!(by == 90 || by == 270, "{by}");
    let piece = |path: &Path| [CopyPiece { path: path.to_path_buf(), start: Some(0), end: None }];
    let copied = |path: &Path| copy_pieces(&OsIo, &turned, &piece(path), &CopyOptions::default());
    for refused in [moved(&turned, &mkv).map(drop), copied(&mkv).map(drop)] {
        let e = refused.unwrap_err();
        assert_eq!(e.exit_code(), 2, "{e}");
        let said = format!("a rotation of {} degrees cannot be stored in a Matroska file", -by);
        assert!(e.to_string().contains(&said), "{e}");
    }
    moved(&turned, &mp4).unwrap();
    assert_eq!(rotation(&mp4), by);
    copied(&mp4).unwrap();
    assert_eq!(rotation(&mp4), by);
    assert_eq!(names(dir.path()), ["lying.mp4", "out.mp4", "turned.mp4"]);
}
