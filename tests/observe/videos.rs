//! Workflows on a video: analyze, chunk, split, track.

use std::ops::ControlFlow;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use frameloom::core::{Progress, Rect, Size};
use frameloom::gpu::{GpuContext, GpuOptions};
use frameloom::media::DecodeOptions;
use frameloom::pipeline::{FrameSource, PipelineOptions, SourceFrame, VideoSource};
use frameloom::store::OsIo;
use frameloom::workflows::analyze::{
    AnalyzeConfig, AnalyzeInput, AnalyzeOptions, OpenOptions, Outcome, OutcomeStatus, analyze, open_input,
};
use frameloom::workflows::chunk::heat::{HeatConfig, HeatInput, HeatKind, HeatOptions, Watching, heat_of, heat_video};
use frameloom::workflows::chunk::process::{
    ChunkOptions, ChunkTask, ChunkVideo, ChunkWork, EffectId, Identity, Placed, Placement, ProcessConfig, ProxyConfig,
    process_video, write_preview, write_proxy,
};
use frameloom::workflows::chunk::write_heat;
use frameloom::workflows::sync::{CutJob, CutOptions, SplitBy, SplitConfig, Tails, cut, split};
use frameloom::workflows::track::run::{
    StreamJob, TrackConfig, TrackDetector, TrackOptions, TrackOutcome, TrackVideo, ZonesText, track_streams,
    track_video,
};
use frameloom::{Error, Result, StateError};

use crate::support::*;

fn context() -> GpuContext {
    GpuContext::new(&GpuOptions::default()).unwrap()
}

#[test]
fn analyze_keeps_what_was_done_when_it_was_stopped() {
    let dir = tempfile::tempdir().unwrap();
    let ctx = context();
    let videos = [clip(dir.path(), "a.mp4", "64x48", 25, 10), clip(dir.path(), "b.mp4", "64x48", 25, 400)];
    let run = |out: &str, count: &mut Count| {
        let open = |path: &std::path::PathBuf| {
            let folder = dir.path().join(out).join(path.file_stem().unwrap());
            open_input(path, &folder, &OpenOptions::default()).unwrap()
        };
        let inputs = videos.iter().map(open).collect();
        let options = AnalyzeOptions { save_every: Duration::MAX, ..AnalyzeOptions::default() };
        let ended = analyze(&ctx, inputs, &AnalyzeConfig::default(), &options, count);
        assert!(!options.pipeline.cancel.is_cancelled(), "the caller's token is the caller's");
        ended
    };
    let mut count = Count::default();
    run("whole", &mut count).unwrap();
    count.ended.sort_unstable();
    assert_eq!(
        (&count.done[&(0, "measure")], &count.done[&(1, "measure")], &count.ended[..]),
        (&10, &400, &[0, 1][..])
    );
    assert_eq!(count.totals[&(1, "measure")], Some(400));
    // Stopped once the short one has ended: that one is kept, of the other nothing is left.
    let mut count = Count { stop_at_end: true, ..Count::default() };
    let ended = run("out", &mut count);
    assert!(matches!(ended, Err(Error::Cancelled)), "{ended:?} {count:?}");
    assert!(dir.path().join("out/a/summary.json").is_file() && !dir.path().join("out/b").exists());
    let mut count = Count::default();
    run("out", &mut count).unwrap();
    assert_eq!((count.done.get(&(0, "measure")), count.done[&(1, "measure")]), (None, 400), "a is kept");
    same(&dir.path().join("whole"), &dir.path().join("out"), &[]);
    // What the observer says of an outcome ends the call too.
    let no = |_: usize, _: Outcome| Err(Error::usage("no more"));
    let inputs = vec![open_input(&videos[0], &dir.path().join("no"), &OpenOptions::default()).unwrap()];
    let ended = analyze(&ctx, inputs, &AnalyzeConfig::default(), &AnalyzeOptions::default(), &mut ((), no));
    assert_eq!(ended.unwrap_err().code(), "usage");
}

#[test]
fn analyze_goes_on_within_an_input() {
    let dir = tempfile::tempdir().unwrap();
    let ctx = context();
    let video = clip(dir.path(), "a.mp4", "64x48", 25, 300);
    // Pictures of two sizes: the heat of the first is done when the second begins.
    let (pictures, others) = (dir.path().join("b"), dir.path().join("others"));
    blocks(&pictures, 24, Size::new(64, 48));
    blocks(&others, 24, Size::new(80, 40));
    for n in 11..24 {
        let name = format!("frame_{n:04}.png");
        std::fs::rename(others.join(&name), pictures.join(&name)).unwrap();
    }
    let options = AnalyzeOptions { save_every: Duration::ZERO, ..AnalyzeOptions::default() };
    for (input, points) in [(&video, &[60u64, 150, 280][..]), (&pictures, &[3, 9, 13, 20])] {
        let run = |out: &str, count: &mut Count| {
            let folder = dir.path().join(out).join(input.file_stem().unwrap());
            let inputs = vec![open_input(input, &folder, &OpenOptions::default()).unwrap()];
            let mut outcomes = Vec::new();
            let mut all = (std::mem::take(count), |_: usize, o: Outcome| {
                outcomes.push(o);
                Ok(())
            });
            let ended = analyze(&ctx, inputs, &AnalyzeConfig::default(), &options, &mut all);
            *count = all.0;
            ended.map(|()| outcomes.pop().unwrap())
        };
        let mut count = Count::default();
        let whole = run("whole", &mut count).unwrap();
        assert_eq!((whole.resumed, count.of("measure")), (0, whole.frames), "{whole:?}");
        let mut before = 0;
        let outcome = stopped_then_whole(points, |count| {
            let ended = run("out", count);
            before = before.max(count.of("measure"));
            ended
        });
        assert_eq!((outcome.frames, before, outcome.cached), (whole.frames, whole.frames, false));
        // What was under way when it was stopped is saved, too.
        assert!((points[points.len() - 1] / 2..=whole.frames).contains(&outcome.resumed), "{outcome:?}");
        let folder = outcome.folder;
        for left in ["measured", "reached"] {
            assert!(!folder.join(".state").join(left).exists(), "{left} of a whole input");
        }
    }
    same(&dir.path().join("whole"), &dir.path().join("out"), &[]);
}

/// The first frames of another source, and then an error.
struct Broken {
    inner: Box<dyn FrameSource>,
    left: u64,
    end: fn() -> Error,
}

impl FrameSource for Broken {
    fn next(&mut self, deliver: &mut dyn FnMut(&dyn SourceFrame) -> Result<()>) -> Result<bool> {
        if self.left == 0 {
            return Err((self.end)());
        }
        self.left -= 1;
        self.inner.next(deliver)
    }
}

#[test]
fn an_input_that_ended_for_a_reason_that_may_pass_is_measured_again() {
    let dir = tempfile::tempdir().unwrap();
    let ctx = context();
    let video = clip(dir.path(), "a.mp4", "64x48", 25, 20);
    let run = |out: &str, end: Option<fn() -> Error>| {
        let open = open_input(&video, &dir.path().join(out), &OpenOptions::default()).unwrap();
        let input = match end {
            Some(end) => AnalyzeInput { source: Box::new(Broken { inner: open.source, left: 8, end }), ..open },
            None => open,
        };
        let mut outcomes = Vec::new();
        let mut all = (Count::default(), |_: usize, o: Outcome| {
            outcomes.push(o);
            Ok(())
        });
        analyze(&ctx, vec![input], &AnalyzeConfig::default(), &AnalyzeOptions::default(), &mut all).unwrap();
        outcomes.pop().unwrap()
    };
    let late: fn() -> Error =
        || Error::Deadline { what: "reading the input (no progress)".into(), after: Duration::from_secs(30) };
    let partial = run("late", Some(late));
    assert_eq!((partial.status, partial.frames, partial.cached), (OutcomeStatus::Partial, 8, false), "{partial:?}");
    let again = run("late", None);
    assert_eq!((again.frames, again.cached, again.reasons.len()), (20, false, 0), "{again:?}");
    assert!(run("late", None).cached);
    // What the file is to blame for is the same the next time.
    let bad: fn() -> Error = || Error::InputCorrupt { path: "a.mp4".into(), reason: "no more of it".into() };
    assert_eq!(run("bad", Some(bad)).frames, 8);
    let kept = run("bad", None);
    assert_eq!((kept.status, kept.frames, kept.cached), (OutcomeStatus::Partial, 8, true), "{kept:?}");
}

#[test]
fn a_heat_map_goes_on_behind_its_last_saving() {
    let dir = tempfile::tempdir().unwrap();
    let (ctx, path) = (context(), clip(dir.path(), "clip.mp4", "64x48", 25, 60));
    let run = |out: &Path, config: &HeatConfig, restart: bool, count: &mut Count| {
        let decoder = frameloom::media::VideoDecoder::open(&path, &DecodeOptions::default()).unwrap();
        let source = Box::new(VideoSource::new(decoder).0);
        let input = HeatInput { path: &path, source, content: vec![("input", "clip".into())], reasons: &Vec::new };
        let options = HeatOptions { save_every: Duration::ZERO, restart, ..HeatOptions::default() };
        heat_video(&ctx, input, Watching::default(), out, config, &options, count)
    };
    for source in [HeatKind::Motion, HeatKind::Flow, HeatKind::Masks] {
        let config = HeatConfig { source, step: 0.5, ..HeatConfig::default() };
        let [whole, out] = ["whole", "out"].map(|name| dir.path().join(source.name()).join(name));
        // In one go, by the call that keeps nothing.
        let decoder = frameloom::media::VideoDecoder::open(&path, &DecodeOptions::default()).unwrap();
        let source = Box::new(VideoSource::new(decoder).0);
        let found = heat_of(&ctx, &path, source, &config, &PipelineOptions::default(), &mut Count::default()).unwrap();
        std::fs::create_dir_all(&whole).unwrap();
        write_heat(&OsIo, &whole, &found, &config).unwrap();
        let mut done = 0;
        let outcome = stopped_then_whole(&[1, 20, 55], |count| {
            let ended = run(&out, &config, false, count);
            assert_eq!(out.exists(), count.stop != Some(1), "nothing is left of a run that saved nothing");
            done = count.of("measure");
            ended
        });
        assert_eq!((outcome.frames, outcome.cached, done), (60, false, 60), "{config:?} {outcome:?}");
        assert!((50..60).contains(&outcome.resumed), "{outcome:?}");
        same(&whole, &out, &[]);
        let again = run(&out, &config, false, &mut Count::default()).unwrap();
        assert_eq!((again.frames, again.cached), (60, true));
        let other = HeatConfig { threshold: 99, ..config.clone() };
        let refused = run(&out, &other, false, &mut Count::default()).unwrap_err();
        assert!(matches!(refused, Error::State(StateError::KeyMismatch { .. })), "{refused:?}");
        assert!(!run(&out, &other, true, &mut Count::default()).unwrap().cached);
    }
}

fn video(path: &Path) -> ChunkVideo {
    ChunkVideo::open(path, &DecodeOptions::default()).unwrap()
}

fn placement() -> Placement {
    let placed = Placed::still(0, Rect { x: 8, y: 8, width: 32, height: 24 });
    Placement::new(Size::new(64, 48), vec![placed], 0).unwrap()
}

#[test]
fn chunk_run_goes_on_behind_its_last_whole_part() {
    let dir = tempfile::tempdir().unwrap();
    let (ctx, path) = (context(), clip(dir.path(), "clip.mp4", "64x48", 25, 600));
    let effect = EffectId { name: "identity".into(), content: String::new() };
    let run = |out: &str, count: &mut Count| {
        let task = ChunkTask { placement: &placement(), work: ChunkWork::Tiles(&mut Identity), effect: &effect };
        let (config, options) = (ProcessConfig::default(), ChunkOptions::default());
        process_video(&ctx, video(&path), task, &dir.path().join(out), &config, &options, count)
    };
    let mut count = Count::default();
    assert_eq!(run("whole", &mut count).unwrap().frames, 600);
    assert_eq!((count.of("process"), count.totals[&(0, "process")]), (600, Some(600)));
    let mut parts = Vec::new();
    let outcome = stopped_then_whole(&[100, 480, 590], |count| {
        let ended = run("out", count);
        parts.push(std::fs::read_dir(dir.path().join("out/.state/parts")).map_or(0, |d| d.count()));
        ended
    });
    assert_eq!((outcome.frames, outcome.cached), (600, false));
    assert!(parts[1] > 0 && parts[2] >= parts[1], "{parts:?}");
    same(&dir.path().join("whole"), &dir.path().join("out"), &[]);
}

#[test]
fn heat_maps_proxies_and_previews_end_where_they_are_told_to() {
    let dir = tempfile::tempdir().unwrap();
    let (ctx, path) = (context(), clip(dir.path(), "clip.mp4", "64x48", 25, 120));
    let options = PipelineOptions::default();
    let heat = |count: &mut Count| {
        let decoder = frameloom::media::VideoDecoder::open(&path, &DecodeOptions::default()).unwrap();
        let source = Box::new(VideoSource::new(decoder).0);
        heat_of(&ctx, &path, source, &HeatConfig::default(), &options, count)
    };
    assert_eq!(stopped_then_whole(&[1, 60, 120], heat).frames, 120);
    let (proxy, preview) = (dir.path().join("proxy.mp4"), dir.path().join("preview.mp4"));
    let made = stopped_then_whole(&[1, 60, 120], |count| {
        assert!(!proxy.exists(), "half a video has no name");
        let config = ProxyConfig { scale: 0.5, ..ProxyConfig::default() };
        write_proxy(&ctx, video(&path), &proxy, &config, &options, count)
    });
    assert_eq!(made.frames, 120);
    let made = stopped_then_whole(&[1, 60, 120], |count| {
        assert!(!preview.exists());
        write_preview(video(&path), &placement(), &preview, None, count)
    });
    assert_eq!(made.frames, 120);
    assert!(!options.cancel.is_cancelled());
}

#[test]
fn pixels_keep_their_shape_in_every_video_that_is_made_of_one() {
    let dir = tempfile::tempdir().unwrap();
    let (ctx, square) = (context(), clip(dir.path(), "square.mp4", "160x128", 25, 40));
    let path = dir.path().join("wide.mp4");
    // The container says so, and the codec otherwise: players go by the container.
    let made = Command::new("ffmpeg")
        .args(["-v", "error", "-y", "-i"])
        .arg(&square)
        .args(["-c", "copy", "-aspect", "16:9"])
        .arg(&path)
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let shape = |path: &Path| {
        let entries = ["-v", "error", "-select_streams", "v", "-show_entries", "stream=sample_aspect_ratio"];
        let o = Command::new("ffprobe").args(entries).args(["-of", "csv=p=0"]).arg(path).output().unwrap();
        String::from_utf8_lossy(&o.stdout).trim().to_owned()
    };
    assert_eq!(shape(&path), "64:45");
    let (pipeline, mut count) = (PipelineOptions::default(), Count::default());
    let count = &mut count;
    let proxy = dir.path().join("proxy.mp4");
    let config = ProxyConfig { scale: 0.5, ..ProxyConfig::default() };
    write_proxy(&ctx, video(&path), &proxy, &config, &pipeline, count).unwrap();
    assert_eq!(shape(&proxy), "64:45");

    let placed = Placed::still(0, Rect { x: 8, y: 8, width: 64, height: 48 });
    let placement = Placement::new(Size::new(160, 128), vec![placed], 0).unwrap();
    let effect = EffectId { name: "identity".into(), content: String::new() };
    let task = ChunkTask { placement: &placement, work: ChunkWork::Tiles(&mut Identity), effect: &effect };
    let (config, options) = (ProcessConfig::default(), ChunkOptions::default());
    let out = dir.path().join("chunks");
    process_video(&ctx, video(&path), task, &out, &config, &options, count).unwrap();
    assert_eq!(shape(&out.join("wide_chunks.mp4")), "64:45");

    let job = CutJob { start: 0.4, end: 1.2, video: dir.path().join("piece.mp4"), wav: None };
    cut(&OsIo, &path, std::slice::from_ref(&job), &CutOptions::default(), count).unwrap();
    assert_eq!(shape(&job.video), "64:45");

    let seen = TrackVideo::open(&[path], 0, &DecodeOptions::default()).unwrap();
    let config = TrackConfig { annotate: true, ..TrackConfig::default() };
    let (zones, options, out) = (ZonesText::default(), TrackOptions::default(), dir.path().join("track"));
    let made = track_video(&ctx, &seen, &TrackDetector::Motion, &zones, &out, &config, &options, count).unwrap();
    assert_eq!(shape(&out.join(made.video.unwrap())), "64:45");
}

#[test]
fn split_keeps_the_pieces_that_are_whole() {
    let dir = tempfile::tempdir().unwrap();
    let path = clip(dir.path(), "clip.mp4", "64x48", 25, 500);
    let config = SplitConfig {
        by: SplitBy::Time { chunk_duration: 2.0, overlap: 0.0 },
        tails: Tails::Keep,
        copy: false,
        wav: true,
        cut: CutOptions::default(),
    };
    let run = |out: &str, count: &mut Count| split(&OsIo, &path, &dir.path().join(out), &config, count);
    let mut count = Count::default();
    assert_eq!(run("whole", &mut count).unwrap().total_chunks, 10);
    assert_eq!(count.of("cut"), 500);
    let outcome = stopped_then_whole(&[60, 260], |count| run("out", count));
    assert_eq!(outcome.kept, 5, "of 260 frames");
    assert!(!config.cut.cancel.is_cancelled());
    same(&dir.path().join("whole"), &dir.path().join("out"), &[]);
    let job = CutJob { start: 0.0, end: 9.0, video: dir.path().join("one.mp4"), wav: None };
    let jobs = std::slice::from_ref(&job);
    let ended = cut(&OsIo, &path, jobs, &config.cut, &mut |_: Progress| ControlFlow::Break(()));
    assert!(matches!(ended, Err(Error::Cancelled)) && !job.video.exists(), "{ended:?}");
}

/// What each run says of itself.
const TIMES: &[&str] = &["result.json"];

#[test]
fn track_goes_on_with_what_it_saw() {
    let dir = tempfile::tempdir().unwrap();
    let (ctx, path) = (context(), clip(dir.path(), "clip.mp4", "160x120", 25, 100));
    let video = TrackVideo::open(&[path], 0, &DecodeOptions::default()).unwrap();
    let config = TrackConfig { annotate: true, ..TrackConfig::default() };
    let (zones, run) = (ZonesText::default(), TrackOptions::default());
    let of = |out: &str, count: &mut Count| {
        let folder = dir.path().join(out);
        track_video(&ctx, &video, &TrackDetector::Motion, &zones, &folder, &config, &run, count)
    };
    let mut count = Count::default();
    of("whole", &mut count).unwrap();
    assert_eq!((count.of("look"), count.of("annotate")), (100, 100));
    let outcome = stopped_then_whole(&[20, 110, 50], |count| {
        let ended = of("out", count);
        // All was seen the second time.
        assert!(count.stop != Some(50) || count.of("look") == 0, "{count:?}");
        ended
    });
    assert!(outcome.reused && !outcome.cached && outcome.video.is_some(), "{outcome:?}");
    assert!(!run.pipeline.cancel.is_cancelled());
    same(&dir.path().join("whole"), &dir.path().join("out"), TIMES);
    // Two streams beside each other, told apart by their positions.
    let jobs = ["s0", "s1"].map(|name| StreamJob { video: video.clone(), folder: dir.path().join(name) });
    let streams = |count: &mut Count| {
        let detector = TrackDetector::Motion;
        track_streams(&ctx, &jobs, &detector, &zones, &config, &run, 2, count)?;
        count.ended.sort_unstable();
        assert_eq!((&count.ended[..], count.done[&(1, "annotate")]), (&[0, 1][..], 100));
        Ok(())
    };
    stopped_then_whole(&[30, 230], streams);
    jobs.iter().for_each(|job| same(&dir.path().join("whole"), &job.folder, TIMES));
    let no = |_: usize, _: Result<TrackOutcome>| Err(Error::usage("no more"));
    let ended = track_streams(&ctx, &jobs, &TrackDetector::Motion, &zones, &config, &run, 1, &mut ((), no));
    assert_eq!(ended.unwrap_err().code(), "usage");
}
