//! Motion detector and tracker on whole streams.
#![cfg(feature = "workflows")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    unreachable_pub,
    reason = "tests"
)]

#[path = "../support/gpu.rs"]
mod gpu;

use std::path::PathBuf;

use frameloom::core::*;
use frameloom::gpu::*;
use frameloom::media::{DecodeOptions, VideoDecoder};
use frameloom::pipeline::*;
use frameloom::workflows::track::associate::{Observation, TrackerKind};
use frameloom::workflows::track::detections::Detections;
use frameloom::workflows::track::motion::{MotionParams, motion_detections};
use frameloom::workflows::track::zones::ZonesFile;
use frameloom::workflows::track::{Session, SessionEnd, SessionParams};
use gpu::on_every_adapter;

fn detect(ctx: &GpuContext, source: Box<dyn FrameSource>, batch: u32) -> (Detections, SourceReport) {
    let options = PipelineOptions { batch, ..PipelineOptions::default() };
    motion_detections(ctx, &options, source, &MotionParams::default()).unwrap()
}

fn track(detections: &Detections, tracker: TrackerKind) -> SessionEnd {
    let params = SessionParams { tracker, ..SessionParams::default() };
    let mut session = Session::new(&params, ZonesFile::default()).unwrap();
    for frame in &detections.frames {
        let seen: Vec<Observation<'_>> = frame.detections.iter().map(|d| Observation::from(*d)).collect();
        session.frame(frame.seconds, &seen).unwrap();
    }
    session.finish()
}

#[test]
fn a_square_that_wanders_is_found_in_every_format_whatever_the_batch() {
    on_every_adapter("track motion", |ctx| {
        let mut seen = Vec::new();
        for format in [PixelFormat::I420, PixelFormat::P010, PixelFormat::Rgba8] {
            for batch in [1, 5, 10, 20] {
                let source = SyntheticSource::new(0, format, Size::new(640, 360), 80);
                let (found, report) = detect(ctx, Box::new(source), batch);
                assert!(report.result.is_ok() && report.frames == 80 && found.frames.len() == 80);
                // By then it has left what was learned as background in the first second.
                for frame in &found.frames[50..80] {
                    // Where the source paints it: it counts samples, of which RGBA has four a pixel.
                    let (t, each) = (frame.index as f32, if format == PixelFormat::Rgba8 { 4.0 } else { 1.0 });
                    let square = BoxF { x: t * 5.0 / each, y: t * 3.0, width: 90.0 / each, height: 90.0 };
                    let best = frame.detections.iter().map(|d| d.rect.iou(&square)).fold(0.0, f32::max);
                    assert!(best > 0.7, "{format} frame {}: {best}", frame.index);
                }
                seen.push((format, found));
            }
        }
        for pair in seen.windows(2).filter(|w| w[0].0 == w[1].0) {
            assert_eq!(pair[0].1, pair[1].1, "{}", pair[0].0);
        }
        let longest = track(&seen[0].1, TrackerKind::ByteTrack).tracks.into_iter().max_by_key(|t| t.frames).unwrap();
        assert!(longest.frames >= 25 && longest.moving >= 20, "{longest:?}");
    });
}

/// The folder of real videos; says loudly when there is none.
fn real_data(name: &str) -> Option<PathBuf> {
    let found = std::env::var_os("FRAMELOOM_TESTDATA").map(PathBuf::from);
    if found.is_none() {
        eprintln!("NOT RUN {name}: FRAMELOOM_TESTDATA is not set");
    }
    found
}

#[test]
fn people_of_a_real_street_are_tracked() {
    let Some(data) = real_data("people_of_a_real_street_are_tracked") else { return };
    on_every_adapter("track vtest", |ctx| {
        let decoder = VideoDecoder::open(data.join("video/vtest_480x360.mp4"), &DecodeOptions::default()).unwrap();
        let (source, _) = VideoSource::new(decoder);
        let (found, report) = detect(ctx, Box::new(source), 16);
        assert!(report.result.is_ok());
        assert_eq!(found.frames.len() as u64, report.frames);
        for tracker in [TrackerKind::ByteTrack, TrackerKind::OcSort] {
            let end = track(&found, tracker);
            let long = end.tracks.iter().filter(|t| t.last - t.first > 2.0).count();
            eprintln!(
                "vtest {tracker:?}: {} frames, {} detections, {} tracks, {long} longer than 2 s",
                end.frames,
                found.len(),
                end.tracks.len()
            );
            assert!(end.frames == report.frames && long >= 3, "{tracker:?}");
        }
    });
}
