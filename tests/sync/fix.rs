//! Repairs against sound whose lateness is known: clicks on whole seconds, moved by the file under test.

use std::path::{Path, PathBuf};

use frameloom::media::{AudioOptions, AudioReader, SampleFormat, WavWriter};
use frameloom::store::OsIo;
use frameloom::workflows::sync::{
    OffsetJump, OffsetPoint, RepairOptions, SyncRepair, TimelineOptions, offset_timeline, repair,
};

use crate::support::{decoded, ffmpeg};

const RATE: u32 = 48_000;
const SECONDS: usize = 40;

/// A video of 40 s whose clicks belong to whole seconds and come `late(t)` seconds later.
fn clip(folder: &Path, late: impl Fn(f64) -> f64) -> PathBuf {
    let mut samples = vec![0.0f32; SECONDS * RATE as usize];
    for t in 1..SECONDS - 1 {
        let at = ((t as f64 + late(t as f64)) * f64::from(RATE)).round() as usize;
        // A short tone in a bell, so that coding and resampling keep its place.
        for i in 0..960usize {
            let x = (i as f64 - 480.0) / 480.0;
            let tone = (std::f64::consts::TAU * 1500.0 * (i as f64 - 480.0) / f64::from(RATE)).cos();
            let place = (at + i).checked_sub(480).filter(|p| *p < samples.len());
            if let Some(place) = place {
                samples[place] = (0.8 * tone * (-8.0 * x * x).exp()) as f32;
            }
        }
    }
    let (wav, out) = (folder.join("clicks.wav"), folder.join("clicks.mkv"));
    let mut writer = WavWriter::create(&wav, RATE, 1, SampleFormat::I16).unwrap();
    writer.write(&samples).unwrap();
    writer.finish().unwrap();
    let (from, to) = (wav.to_str().unwrap(), out.to_str().unwrap());
    let picture = ["-f", "lavfi", "-i", "testsrc2=size=64x64:rate=25:duration=40", "-i", from];
    ffmpeg(&[&picture[..], &["-c:v", "libx264", "-preset", "ultrafast", "-c:a", "flac", to]].concat());
    out
}

/// Times of the clicks: the loudest sample of each, in seconds on the container's clock.
fn clicks(path: &Path) -> Vec<f64> {
    let options = AudioOptions { rate: RATE, ..AudioOptions::default() };
    let mut reader = AudioReader::open(path, &options).unwrap();
    let (mut all, mut start) = (Vec::new(), None);
    while let Some(block) = reader.next_block().unwrap() {
        start.get_or_insert(block.start);
        all.extend(block.samples);
    }
    let mut found = Vec::new();
    let mut i = 0;
    while i < all.len() {
        if all[i].abs() > 0.3 {
            let end = (i + 1200).min(all.len());
            let at = (i..end).max_by(|a, b| all[*a].abs().total_cmp(&all[*b].abs())).unwrap();
            found.push((start.unwrap() + at as i64) as f64 / f64::from(RATE));
            i = end;
        }
        i += 1;
    }
    found
}

fn mend(input: &Path, how: &SyncRepair) -> Vec<f64> {
    let output = input.with_file_name("mended.mkv");
    let done = repair(&OsIo, input, &output, how, &RepairOptions::default()).unwrap();
    assert!(done.packets > 900 && done.left_out.is_empty(), "{done:?}");
    // Matroska has no times before 0: where sound begins earlier (coding delay, a shift), all streams move together, the picture with them.
    let (zero, frames) = decoded(&output, "v:0");
    assert_eq!(frames, 25 * SECONDS);
    clicks(&output).into_iter().map(|at| at - zero).collect()
}

/// What the analysis would say of clicks that come `late(t)`.
fn measured(late: &dyn Fn(f64) -> f64) -> (Vec<frameloom::workflows::sync::OffsetSegment>, Vec<OffsetJump>, f64) {
    let points: Vec<OffsetPoint> = (0..200)
        .map(|i| {
            let t = f64::from(i) * 0.2;
            OffsetPoint { seconds: t, offset: late(t), weight: 1.0 }
        })
        .collect();
    let found = offset_timeline(&points, &TimelineOptions { shared: 1.0, ..TimelineOptions::default() }).unwrap();
    (found.segments, found.jumps, 0.0)
}

#[test]
fn edits_are_taken_out() {
    let folder = tempfile::tempdir().unwrap();
    // Sound is inserted at 12.5 s and lost at 25.5 s.
    let late = |t: f64| if t < 12.5 { 0.1 } else { 0.3 } - if t > 25.5 { 0.45 } else { 0.0 };
    let input = clip(folder.path(), late);
    let (segments, jumps, drift) = measured(&late);
    assert_eq!(jumps.len(), 2, "{jumps:?}");
    let found = mend(&input, &SyncRepair::piecewise(&segments, &jumps, drift).unwrap());
    assert_eq!(found.len(), SECONDS - 2, "{found:?}");
    for at in &found {
        assert!((at - at.round()).abs() < 0.002, "{at}");
    }
}

#[test]
fn a_drift_is_taken_out() {
    let folder = tempfile::tempdir().unwrap();
    let late = |t: f64| 0.05 + 2e-3 * t;
    let input = clip(folder.path(), late);
    let before = clicks(&input);
    assert!((before[30] - 31.0 - late(31.0)).abs() < 0.001, "the clip is what it should be");
    let segment = frameloom::workflows::sync::OffsetSegment {
        from: 0.0,
        to: 40.0,
        offset_from: 0.05,
        offset_to: 0.13,
        points: 20,
    };
    let found = mend(&input, &SyncRepair::piecewise(&[segment], &[], 2000.0).unwrap());
    assert_eq!(found.len(), SECONDS - 2);
    for at in &found {
        assert!((at - at.round()).abs() < 0.002, "{at}");
    }
}

#[test]
fn a_shift_moves_timestamps() {
    let folder = tempfile::tempdir().unwrap();
    for late in [0.3, -0.2] {
        let input = clip(folder.path(), |_| late);
        let found = mend(&input, &SyncRepair::shift(late));
        assert!(found.len() >= SECONDS - 3);
        for at in &found {
            assert!((at - at.round()).abs() < 0.002, "{at}");
        }
    }
}
