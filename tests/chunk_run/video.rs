//! Videos in, videos out: lossless encoders show that nothing is lost on the way.

use std::path::{Path, PathBuf};
use std::process::Command;

use frameloom::core::{Limits, Progress, Rect, Size};
use frameloom::gpu::GpuContext;
use frameloom::media::{DecodeOptions, VideoDecoder, probe};
use frameloom::pipeline::PipelineOptions;
use frameloom::workflows::chunk::process::{
    ChunkOptions, ChunkOutcome, ChunkTask, ChunkVideo, ChunkWork, EffectId, FilterEffect, Identity, Placed, Placement,
    ProcessConfig, ProxyConfig, process_video, write_proxy,
};

use crate::gpu::on_every_adapter;

/// Two seconds of a moving pattern with uneven frame times and a tone.
fn clip(folder: &Path) -> PathBuf {
    let path = folder.join("clip.mkv");
    let video = "testsrc2=size=230x130:rate=30:duration=2,setpts='PTS+if(mod(N,3),0.013/TB,0)'";
    let o = Command::new("ffmpeg")
        .args(["-v", "error", "-y", "-f", "lavfi", "-i", video, "-f", "lavfi", "-i", "sine=frequency=440:duration=2"])
        .args(["-vsync", "passthrough", "-c:v", "libx264", "-qp", "0", "-pix_fmt", "yuv420p", "-c:a", "aac"])
        .arg(&path)
        .output()
        .expect("the ffmpeg command (scripts/setup.sh installs it)");
    assert!(o.status.success(), "{}", String::from_utf8_lossy(&o.stderr));
    path
}

fn open(path: &Path) -> ChunkVideo {
    let options = DecodeOptions { threads: 2, ..DecodeOptions::default() };
    ChunkVideo::open(path, &options).unwrap()
}

/// Bytes and seconds of all frames.
fn frames(path: &Path) -> Vec<(Vec<u8>, f64)> {
    let mut decoder = VideoDecoder::open(path, &DecodeOptions::default()).unwrap();
    let mut out = Vec::new();
    while let Some(frame) = decoder.next_frame().unwrap() {
        let layout = frameloom::core::FrameLayout::new(&frame.desc()).unwrap();
        let mut slot = vec![0u8; layout.slot_bytes() as usize];
        frame.copy_into(&layout, slot.as_mut_slice()).unwrap();
        out.push((slot, frame.info().seconds().unwrap()));
    }
    out
}

fn placement() -> Placement {
    let rect = |x, y, width, height| Rect { x, y, width, height };
    let chunks = [rect(0, 0, 96, 80), rect(80, 16, 96, 80), rect(150, 50, 80, 80)];
    let placed = (0..).zip(chunks).map(|(id, r)| Placed::still(id, r)).collect();
    Placement::new(Size::new(230, 130), placed, 0).unwrap()
}

fn go(
    ctx: &GpuContext,
    video: &Path,
    out: &Path,
    work: ChunkWork<'_>,
    name: &str,
    config: &ProcessConfig,
) -> frameloom::Result<ChunkOutcome> {
    let effect = EffectId { name: name.into(), content: String::new() };
    let task = ChunkTask { placement: &placement(), work, effect: &effect };
    process_video(ctx, open(video), task, out, config, &ChunkOptions::default(), &mut ())
}

#[test]
fn frames_times_and_sound_survive() {
    on_every_adapter("chunk run: a video", |ctx| {
        let dir = tempfile::tempdir().unwrap();
        let (video, out) = (clip(dir.path()), dir.path().join("out"));
        let lossless = ProcessConfig { crf: 0.0, ..ProcessConfig::default() };
        let outcome = go(ctx, &video, &out, ChunkWork::Tiles(&mut Identity), "identity", &lossless).unwrap();
        assert_eq!((outcome.frames, outcome.tiles, outcome.cached), (60, 180, false));
        assert!(outcome.reasons.is_empty(), "{:?}", outcome.reasons);
        let made = out.join(outcome.video.as_deref().unwrap());
        let (before, after) = (frames(&video), frames(&made));
        assert_eq!(before.len(), after.len());
        for (i, ((a, t), (b, u))) in before.iter().zip(&after).enumerate() {
            assert!(a == b, "frame {i}");
            assert!((t - u).abs() < 1e-6, "frame {i} at {t} and {u}");
        }
        let (a, b) = (probe(&video, &Limits::default()).unwrap(), probe(&made, &Limits::default()).unwrap());
        assert_eq!((a.audio_tracks_count, b.audio_tracks_count), (1, 1));

        // A second run keeps what is there; another setting in the same folder is named; what was changed is made anew.
        let again = go(ctx, &video, &out, ChunkWork::Tiles(&mut Identity), "identity", &lossless).unwrap();
        assert!(again.cached && again.frames == 60);
        let other = ProcessConfig { feather: 3, ..lossless.clone() };
        let e = go(ctx, &video, &out, ChunkWork::Tiles(&mut Identity), "identity", &other).unwrap_err();
        assert!(e.to_string().contains("feather"), "{e}");
        let bytes = std::fs::read(&made).unwrap();
        std::fs::write(&made, b"torn").unwrap();
        assert!(!go(ctx, &video, &out, ChunkWork::Tiles(&mut Identity), "identity", &lossless).unwrap().cached);
        assert!(std::fs::read(&made).unwrap() == bytes, "the same bytes again");
    });
}

/// A filter graph changes chunks and nothing else; only the first second is asked for, without sound.
#[test]
fn filters_change_chunks_only() {
    on_every_adapter("chunk run: a filter graph", |ctx| {
        let dir = tempfile::tempdir().unwrap();
        let (video, out) = (clip(dir.path()), dir.path().join("out"));
        let config = ProcessConfig { crf: 0.0, audio: false, seconds: Some(1.0), ..ProcessConfig::default() };
        let mut effect = FilterEffect::new("negate").unwrap();
        let outcome = go(ctx, &video, &out, ChunkWork::Tiles(&mut effect), "filter:negate", &config).unwrap();
        let made = out.join(outcome.video.as_deref().unwrap());
        let (before, after) = (frames(&video), frames(&made));
        assert_eq!((after.len(), outcome.frames), (30, 30));
        assert_eq!(probe(&made, &Limits::default()).unwrap().audio_tracks_count, 0);
        for ((a, _), (b, _)) in before.iter().zip(&after) {
            // Rows of luma lie 240 bytes apart. A pixel of no chunk, one in the middle of the first chunk.
            assert_eq!(a[10 * 240 + 200], b[10 * 240 + 200]);
            let (was, is) = (i32::from(a[40 * 240 + 40]), i32::from(b[40 * 240 + 40]));
            // Saturated colours of the pattern are no exact negatives of each other in limited range.
            assert!((was + is - 251).abs() <= 20 && (was - is).abs() > 20, "{was} became {is}");
        }
        let mut large = FilterEffect::new("scale=2*iw:2*ih").unwrap();
        let e = go(ctx, &video, &dir.path().join("b"), ChunkWork::Tiles(&mut large), "x", &config).unwrap_err();
        assert_eq!(e.code(), "usage", "{e}");
        assert!(!dir.path().join("b").join("clip_chunks.mp4").exists(), "no half video");
        assert!(FilterEffect::new("movie=x").is_err());
    });
}

#[test]
fn a_proxy_is_small_and_keeps_times() {
    on_every_adapter("chunk run: proxy", |ctx| {
        let dir = tempfile::tempdir().unwrap();
        let (video, out) = (clip(dir.path()), dir.path().join("small.mkv"));
        let config = ProxyConfig { scale: 0.5, audio: true, crf: 4.0, ..ProxyConfig::default() };
        let mut heard = 0;
        let done = write_proxy(ctx, open(&video), &out, &config, &PipelineOptions::default(), &mut |p: Progress| {
            heard += p.done
        })
        .unwrap();
        assert_eq!((done.frames, done.size, heard), (60, [112, 64], 60));
        let info = probe(&out, &Limits::default()).unwrap();
        assert_eq!((info.audio_tracks_count, info.video_streams[0].width), (1, 112));
        let (large, small) = (frames(&video), frames(&out));
        assert_eq!(large.len(), small.len());
        for ((a, t), (b, u)) in large.iter().zip(&small) {
            assert!((t - u).abs() < 2e-3, "{t} {u}");
            // Mean luma of both.
            let mean = |bytes: &[u8], stride: usize, w: usize, h: usize| {
                let rows = bytes.chunks(stride).take(h).map(|r| r[..w].iter().map(|v| u64::from(*v)).sum::<u64>());
                rows.sum::<u64>() as f64 / (w * h) as f64
            };
            assert!((mean(a, 240, 230, 130) - mean(b, 112, 112, 64)).abs() < 2.0);
        }
    });
}
