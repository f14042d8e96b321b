//! Who walks where? Gives detections stable numbers, counts entries into a zone and crossings of a line.
//!
//! `cargo run --example 13_track_and_count [INPUT] [TRACKS] [TRACKER] [FPS] [ZONES]`: INPUT is a file of detections (MOT text, COCO JSON, JSONL), or
//! a video of a camera that stands still, in which everything that moves is one; TRACKS the MOT text to write; TRACKER `byte-track`,
//! `oc-sort` or `seed`; FPS for files without times; ZONES a JSON file. Without INPUT it makes a scene of its own.

use std::path::{Path, PathBuf};

use frameloom::core::{BoxF, Detection};
use frameloom::gpu::{GpuContext, GpuOptions};
use frameloom::media::{DecodeOptions, VideoDecoder};
use frameloom::pipeline::{PipelineOptions, VideoSource};
use frameloom::store::{OsIo, commit};
use frameloom::workflows::track::associate::{Observation, TrackerKind};
use frameloom::workflows::track::detections::{DetectionFrame, Detections, Format, MotTrack, write_jsonl, write_mot};
use frameloom::workflows::track::motion::{MotionParams, motion_detections};
use frameloom::workflows::track::zones::{Happening, ZonesFile};
use frameloom::workflows::track::{Session, SessionParams};
use frameloom::{Error, Result};

/// A door across the scene, and the shop behind it.
const ZONES: &str = r#"{
    "zones": {"shop": {"name": "Shop", "polygon": [[320,0],[640,0],[640,360],[320,360]]}},
    "lines": {"door": {"name": "Door", "points": [320,360,320,0]}}
}"#;

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let arg = |at: usize| args.get(at).map(String::as_str);
    let made = tempfile::tempdir().map_err(|e| Error::storage("create", std::env::temp_dir(), e))?;
    let input = match arg(0) {
        Some(given) => PathBuf::from(given),
        None => make_scene(&made.path().join("scene.jsonl"))?,
    };
    let output = arg(1).map_or_else(|| std::env::temp_dir().join("frameloom_tracks.txt"), PathBuf::from);
    let usage = |message: String| Error::Usage { message, hint: None };
    let tracker = match arg(2).unwrap_or("byte-track") {
        "byte-track" => TrackerKind::ByteTrack,
        "oc-sort" => TrackerKind::OcSort,
        "seed" => TrackerKind::Seed,
        other => return Err(usage(format!("TRACKER is byte-track, oc-sort or seed, not {other}"))),
    };
    let rate = arg(3).unwrap_or("30");
    let rate: f64 = rate.parse().map_err(|_| usage(format!("FPS is a number, not {rate}")))?;
    let zones = match arg(4) {
        Some(path) => {
            let text = std::fs::read_to_string(path)
                .map_err(|e| Error::InputNotFound { path: PathBuf::from(path), reason: e.to_string() })?;
            ZonesFile::parse(&text, Path::new(path))?
        }
        None => ZonesFile::parse(ZONES, Path::new("ZONES"))?,
    };

    let detections = detections_of(&input, rate)?;
    let mut session = Session::new(&SessionParams { tracker, ..SessionParams::default() }, zones)?;
    let (mut tracks, mut events) = (Vec::new(), Vec::new());
    let begun = std::time::Instant::now();
    for frame in &detections.frames {
        let seen: Vec<Observation<'_>> = frame.detections.iter().map(|d| Observation::from(*d)).collect();
        let found = session.frame(frame.seconds, &seen)?;
        events.extend(found.events);
        tracks.extend(found.seen.iter().map(|s| MotTrack {
            frame: frame.index,
            id: s.track.id,
            rect: s.track.rect,
            score: s.track.score,
            class: s.track.class,
        }));
    }
    let took = begun.elapsed().as_secs_f64();
    let mut end = session.finish();
    events.append(&mut end.events);
    commit(&OsIo, &output, |w| write_mot(w, &tracks))?;

    for e in &events {
        let what = match e.happening {
            Happening::Enter { repeat: false, .. } => "enters".to_owned(),
            Happening::Enter { repeat: true, .. } => "enters again".to_owned(),
            Happening::Exit { dwell, lost: false, .. } => format!("leaves after {dwell:.1} s"),
            Happening::Exit { dwell, lost: true, .. } => format!("is lost inside after {dwell:.1} s"),
            Happening::Cross { direction, .. } => format!("crosses, {direction:?}"),
        };
        println!("{:6.2} s  {} {what}", e.seconds, e.track);
    }
    for (zone, sums) in end.zones.file().zones.iter().zip(end.zones.totals()) {
        println!(
            "{}: {} entries, {} at most at a time, {:.1} s in all",
            zone.name, sums.entries, sums.most, sums.dwell
        );
    }
    for (line, sums) in end.zones.file().lines.iter().zip(end.zones.crossings()) {
        println!("{}: {} to the right, {} to the left", line.name, sums.left_to_right, sums.right_to_left);
    }
    println!("{} tracks in {} frames of {} detections, {took:.3} s", end.tracks.len(), end.frames, detections.len());
    println!("{}", output.display());
    Ok(())
}

/// What a detector saw, or what moves in a video.
fn detections_of(input: &Path, rate: f64) -> Result<Detections> {
    if Format::of(input).is_ok() {
        return Detections::read(input, rate);
    }
    let (source, _) = VideoSource::new(VideoDecoder::open(input, &DecodeOptions::default())?);
    let ctx = GpuContext::new(&GpuOptions::default())?;
    let (options, params) = (PipelineOptions::default(), MotionParams::default());
    let (found, report) = motion_detections(&ctx, &options, Box::new(source), &params)?;
    report.result?;
    Ok(found)
}

/// Six people on parallel ways, in both directions, who hide each other where they meet; detections tremble.
fn make_scene(path: &Path) -> Result<PathBuf> {
    let mut detections = Detections { classes: vec!["person".into()], ..Detections::default() };
    for index in 0..240u64 {
        let seconds = index as f64 / 30.0;
        let mut list: Vec<Detection> = Vec::new();
        for person in 0..6u32 {
            let (lane, speed) = (f64::from(person / 2), 70.0 + 8.0 * f64::from(person));
            let x = if person.is_multiple_of(2) { 20.0 + speed * seconds } else { 620.0 - speed * seconds };
            let tremble = (f64::from(person) * 1.7 + index as f64 * 2.3).sin();
            let y = 80.0 + 90.0 * lane + f64::from(person % 2) * 6.0;
            let rect = BoxF::from_center((x + tremble) as f32, (y - tremble) as f32, 30.0, 70.0);
            let hidden = list.iter().any(|d| d.rect.iou(&rect) > 0.6);
            if (0.0..640.0).contains(&x) && !hidden {
                list.push(Detection { rect, score: 0.9, class: 0 });
            }
        }
        detections.frames.push(DetectionFrame { index, seconds, detections: list });
    }
    commit(&OsIo, path, |w| write_jsonl(w, &detections))?;
    Ok(path.to_path_buf())
}
