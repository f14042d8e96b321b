//! Videos that lie on their side and say so, as telephones write them: every workflow works on what is shown.

use std::path::{Path, PathBuf};
use std::process::Command;

use frameloom::core::Limits;
use frameloom::media::{VideoStream, probe};

use crate::support::*;

fn ffmpeg(args: &[&str]) {
    let o = Command::new("ffmpeg").args(["-v", "error", "-y"]).args(args).output().unwrap();
    assert!(o.status.success(), "{args:?}: {}", stderr(&o));
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

const EXACT: [&str; 8] = ["-c:v", "libx264", "-preset", "ultrafast", "-qp", "0", "-pix_fmt", "yuv420p"];

/// Two videos without loss that are shown alike, both of one name in folders of their own: upright, and coded on its side.
fn both(folder: &Path, input: &[&str]) -> [PathBuf; 2] {
    let [upright, aside] = ["upright", "aside"].map(|name| {
        std::fs::create_dir(folder.join(name)).unwrap();
        folder.join(name).join("clip.mp4")
    });
    ffmpeg(&[input, &EXACT, &["-c:a", "aac", text(&upright)]].concat());
    let lying = folder.join("lying.mp4");
    let turn = ["-vf", "transpose=cclock", "-c:a", "copy", text(&lying)];
    ffmpeg(&[&["-i", text(&upright)], &EXACT[..], &turn].concat());
    ffmpeg(&["-i", text(&lying), "-c", "copy", "-metadata:s:v:0", "rotate=270", text(&aside)]);
    [upright, aside]
}

fn stream(path: &Path) -> VideoStream {
    probe(path, &Limits::default()).unwrap().video_streams.remove(0)
}

fn well(args: &[&str]) {
    let o = run(args);
    assert_eq!(code(&o), 0, "{args:?}: {}", stderr(&o));
}

#[test]
fn what_lies_on_its_side_gives_what_stands_upright() {
    let dir = tempfile::tempdir().unwrap();
    // A figure walks through a portrait; it is nowhere where it would be in the coded picture.
    let scene = "color=c=gray:size=240x426:rate=25:duration=3,noise=c0s=2[a];color=c=white:size=40x60:rate=25:duration=3[b];[a][b]overlay=x='10+50*t':y=330:shortest=1";
    let videos = both(dir.path(), &["-filter_complex", scene]);
    let is = videos.each_ref().map(|v| stream(v)).map(|s| (s.width, s.height, s.rotation));
    assert_eq!(is, [(240, 426, 0), (426, 240, 90)]);
    let [upright, aside] = videos.each_ref().map(|video| {
        let to = |name: &str| video.with_file_name(name);
        well(&["analyze", text(video), "-o", text(&to("analyze"))]);
        well(&["heatmap", text(video), "-o", text(&to("heat"))]);
        let plan = ["chunk", "plan", text(&to("heat/heat.npy")), "-o", text(&to("plan")), "--sizes", "64x96"]
            .map(String::from);
        well(&plan.each_ref().map(String::as_str));
        let chunks = ["chunk", "run", text(video), "--plan", text(&to("plan/chunks.json")), "-o", text(&to("run"))]
            .map(String::from);
        well(&[&chunks.each_ref().map(String::as_str)[..], &["--effect", "filter:negate"]].concat());
        well(&["track", text(video), "-o", text(&to("track")), "--annotate"]);
        well(&["curate", "run", text(video), "-o", text(&to("set")), "--every", "25"]);
        well(&["proxy", text(video), "-o", text(&to("small.mp4")), "--scale", "0.5"]);
        well(&["analyze", text(&to("run/clip_chunks.mp4")), "-o", text(&to("processed"))]);
        let read = |name: &str| std::fs::read(to(name)).unwrap_or_else(|e| panic!("{name}: {e}"));
        for made in ["run/clip_chunks.mp4", "track/clip_processed.mp4"] {
            let s = stream(&to(made));
            assert_eq!((s.width, s.height, s.rotation), (240, 426, 0), "{made}");
        }
        let s = stream(&to("small.mp4"));
        assert_eq!((s.width, s.height, s.rotation), (120, 208, 0));
        let files = [
            "analyze/frames.csv",
            "analyze/heat.npy",
            "heat/heat.npy",
            "plan/chunks.json",
            "track/tracks.csv",
            "processed/frames.csv",
        ];
        (files.map(|name| (name, read(name))), contents(&to("set")))
    });
    for ((name, a), (_, b)) in upright.0.iter().zip(&aside.0) {
        assert!(a == b, "{name} differs");
    }
    // Chroma of a turned frame lies half a pixel elsewhere: pictures are as large and as many, not the same bytes.
    let pictures = |set: &std::collections::BTreeMap<PathBuf, Vec<u8>>| {
        let pictures = set.iter().filter(|(name, _)| name.extension().is_some_and(|e| e == "png" || e == "jpg"));
        let sizes = pictures.map(|(name, bytes)| {
            let limits = Limits::default();
            let hint = frameloom::media::DecodeHint::default();
            (name.clone(), frameloom::media::decode_image_bytes(bytes, name, &limits, hint).unwrap().size)
        });
        sizes.collect::<Vec<_>>()
    };
    let (a, b) = (pictures(&upright.1), pictures(&aside.1));
    assert!(!a.is_empty() && a == b, "{a:?} against {b:?}");
}

#[cfg(feature = "onnx")]
#[test]
fn lips_of_a_video_on_its_side_are_read() {
    use crate::sync::{data, item, sync};
    let Some((root, models)) = data("lips_of_a_video_on_its_side_are_read") else { return };
    let dir = tempfile::tempdir().unwrap();
    let speaker = root.join("video/grid_bbaf2n_audio_late200ms.mp4");
    let [upright, aside] = both(dir.path(), &["-i", text(&speaker)]).map(|video| {
        let out = video.with_file_name("sync");
        let o = sync(models.path(), &[text(&video), "-o", text(&out), "--annotate"]);
        assert_eq!(code(&o), 0, "{}", stderr(&o));
        let s = stream(&out.join("annotated.mp4"));
        assert_eq!((s.width, s.height, s.rotation), (360, 288, 0));
        item(&o)["outcome"].clone()
    });
    eprintln!(
        "upright {} {}, aside {} {}",
        upright["verdict"], upright["audio_late_ms"], aside["verdict"], aside["audio_late_ms"]
    );
    assert_eq!((&upright["verdict"], &aside["verdict"]), (&"audio_late".into(), &"audio_late".into()));
    let ms = |v: &serde_json::Value| v["audio_late_ms"].as_f64().unwrap();
    assert!((ms(&upright) - ms(&aside)).abs() <= 10.0);
}
