//! The video of a run: what it declares, and its frames. All frames of the workflow are opened here, in [`decoder`].

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::config::{Sampler, Sampling, Use};
use crate::core::{BudgetPermit, FrameDesc, FrameInfo, FrameLayout, Rational, RowSink, Size};
use crate::error::{Error, Result};
use crate::gpu::GpuContext;
use crate::media::{DecodeOptions, MediaInfo, VideoDecoder};
use crate::pipeline::{FrameSource, MemoryPlan, PipelineOptions, SourceFrame, VideoEnd, VideoSource};
use crate::workflows::video::content_id;

/// A video track, or the segments of a recording one after the other.
#[derive(Debug, Clone)]
pub struct TrackVideo {
    /// Files as given, in order of time.
    pub paths: Vec<PathBuf>,
    /// Position among the video tracks of each.
    pub track: usize,
    /// What the first container declares.
    pub info: MediaInfo,
    /// Size of the pictures as they are shown.
    pub size: Size,
    /// Degrees in 0..360 by which the container says that its pictures are turned clockwise for display; quarter turns are in [`Self::size`].
    pub rotation: i32,
    /// Content ids of the files.
    pub fingerprints: Vec<String>,
    /// Frames to expect in all files.
    pub expected: Option<u64>,
    /// Declared seconds of all files.
    pub seconds: Option<f64>,
    /// Bytes of host memory that decoding it holds, about: pictures in the decoder, and memory shared with a decoder process.
    pub decoder_bytes: u64,
    /// How its frames lie in memory, as far as the container tells.
    pub layout: Option<FrameLayout>,
    /// How it is opened.
    pub open: DecodeOptions,
}

/// Frames under way, and what is known of them at the end.
pub(super) struct Opened {
    pub(super) source: Box<dyn FrameSource>,
    pub(super) timeline: Arc<Mutex<Timeline>>,
    pub(super) ends: Vec<Arc<Mutex<VideoEnd>>>,
}

/// Times of the frames that are used.
#[derive(Debug, Clone, Default)]
pub(super) struct Timeline {
    pub(super) frames: Vec<FrameTime>,
    /// Frames that came out of the decoder.
    pub(super) decoded: u64,
    /// Where segments begin, in seconds.
    pub(super) joints: Vec<f64>,
}

/// A frame of the timeline.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct FrameTime {
    /// Number in order of decoding, from 0.
    pub(super) index: u64,
    pub(super) seconds: f64,
    pub(super) looked: bool,
}

/// The one place where a run opens a decoder.
fn decoder(path: &Path, track: usize, open: &DecodeOptions) -> Result<VideoDecoder> {
    VideoDecoder::open(path, &DecodeOptions { track, ..open.clone() })
}

impl TrackVideo {
    /// Looks at what the containers of `paths` declare, and at their content for an id. Several paths are segments of one recording: their
    /// pictures must be of one size.
    ///
    /// # Errors
    /// Those of [`VideoDecoder::open`]; [`Error::InputUnsupported`] for segments that do not fit together; [`Error::Usage`] without a path.
    pub fn open(paths: &[PathBuf], track: usize, open: &DecodeOptions) -> Result<Self> {
        let mut out: Option<Self> = None;
        for path in paths {
            let decoder = decoder(path, track, open)?;
            let info = decoder.media_info();
            let stream = info.video_streams.get(track);
            let size = stream.map_or(Size::new(0, 0), |s| open.size_of(s));
            let rotation = stream.map_or(0, |s| s.rotation.rem_euclid(360));
            let layout = stream.and_then(|s| open.layout_of(s));
            let shared = open.isolation.as_ref().zip(layout).map_or(0, |(i, layout)| i.shared_bytes(&layout));
            let bytes = stream.map_or(0, |s| s.decoder_bytes(open.threads));
            let fingerprint = content_id(path, open, stream)?;
            let (expected, seconds) = (info.expected_frames(track), stream.and_then(|s| s.duration).or(info.duration));
            match &mut out {
                None => {
                    out = Some(Self {
                        paths: vec![path.clone()],
                        track,
                        size,
                        rotation,
                        fingerprints: vec![fingerprint],
                        expected,
                        seconds,
                        decoder_bytes: bytes + shared,
                        layout,
                        info,
                        open: open.clone(),
                    });
                }
                Some(all) => {
                    if size != all.size {
                        return Err(Error::InputUnsupported {
                            path: path.clone(),
                            what: format!("a segment of {size} after one of {}", all.size),
                            hint: Some("segments of one recording have one size; leave out --join otherwise".into()),
                        });
                    }
                    // Segments are decoded one after the other, and all are open.
                    all.decoder_bytes = all.decoder_bytes.max(bytes) + shared;
                    all.paths.push(path.clone());
                    all.fingerprints.push(fingerprint);
                    all.expected = all.expected.zip(expected).map(|(a, b)| a + b);
                    all.seconds = all.seconds.zip(seconds).map(|(a, b)| a + b);
                }
            }
        }
        out.ok_or_else(|| Error::usage("a video is missing"))
    }

    /// The first file.
    pub fn path(&self) -> &Path {
        self.paths.first().map_or(Path::new(""), PathBuf::as_path)
    }

    /// Declared frames a second.
    pub fn fps(&self) -> Option<f64> {
        let fps = self.info.video_streams.get(self.track).and_then(|s| s.fps);
        fps.filter(|f| (0.01..=1000.0).contains(f))
    }

    /// Video tracks of the container.
    pub fn tracks(&self) -> usize {
        self.info.video_tracks_count
    }

    /// Takes what decoding holds from the host's budget, and `more` bytes. Refuses, before anything is begun, what could not go on with a frame a
    /// batch and `work` bytes for it.
    ///
    /// # Errors
    /// [`Error::Memory`], which names the least limit with which it would fit.
    pub(super) fn admit(
        &self,
        ctx: &GpuContext,
        options: &PipelineOptions,
        work: &dyn Fn(&FrameLayout, u32) -> u64,
        more: u64,
    ) -> Result<BudgetPermit> {
        self.check(ctx, options, work, more)?;
        ctx.pool().acquire_host(self.decoder_bytes + more)
    }

    /// What [`Self::admit`] refuses, without taking anything.
    pub(super) fn check(
        &self,
        ctx: &GpuContext,
        options: &PipelineOptions,
        work: &dyn Fn(&FrameLayout, u32) -> u64,
        more: u64,
    ) -> Result<()> {
        let Some(layout) = &self.layout else { return Ok(()) };
        MemoryPlan::check_least(ctx, layout, options.ring_slots, self.decoder_bytes + more, work(layout, 1))
    }

    /// The frames that `sampling` asks for; the first `from` of those that are looked at are only timed.
    pub(super) fn frames(&self, sampling: Sampling, from: u64) -> Result<Opened> {
        let mut segments = VecDeque::new();
        let mut ends = Vec::new();
        for path in &self.paths {
            let (source, end) = VideoSource::new(decoder(path, self.track, &self.open)?);
            segments.push_back(source);
            ends.push(end);
        }
        let timeline = Arc::<Mutex<Timeline>>::default();
        let step = 1.0 / self.fps().unwrap_or(25.0);
        let source = Sampled {
            joined: self.paths.len() > 1,
            segments,
            sampler: Sampler::new(sampling),
            pass: from,
            timeline: Arc::clone(&timeline),
            unit: None,
            clock: Clock { step, offset: 0.0, last: None, fresh: true },
        };
        Ok(Opened { source: Box::new(source), timeline, ends })
    }
}

/// Times of frames over segments, and over clocks that go back within one.
struct Clock {
    /// Usual seconds from frame to frame.
    step: f64,
    /// What is added to the times of this segment.
    offset: f64,
    /// Where the last frame began and ended.
    last: Option<(f64, f64)>,
    /// No frame of this segment was seen yet.
    fresh: bool,
}

/// Seconds by which times may lie behind the last frame while the clock is still taken for the same one: frames out of order, times that are
/// given twice.
const TREMBLING: f64 = 1.0;

impl Clock {
    /// Where a frame begins and ends; times rise from frame to frame. What the container gives no time is counted on.
    ///
    /// Where a clock goes back - files put one behind the other, a camera that began anew - time goes on from the end of the frame before,
    /// at the steps of the new clock. Where single times go back by little, they alone are moved.
    fn time(&mut self, info: &FrameInfo) -> (f64, f64) {
        let own = info.seconds();
        if std::mem::take(&mut self.fresh)
            && let (Some((_, end)), Some(own)) = (self.last, own)
        {
            // A segment that goes on with the clock of the recording is left alone; one that begins anew follows the last one.
            let gap = own - end;
            self.offset = if gap > -0.5 * self.step && gap < 3600.0 { 0.0 } else { end - own };
        }
        let seconds = match (own.map(|t| t + self.offset), self.last) {
            (Some(t), Some((before, end))) if t <= before => {
                if before - t > TREMBLING {
                    self.offset += end - t;
                    end
                } else {
                    end.min(before + self.step)
                }
            }
            (Some(t), _) => t,
            (None, last) => last.map_or(0.0, |(_, end)| end),
        };
        let length = info.time_base.seconds(info.duration);
        let end = seconds + if length > 0.0 { length } else { self.step };
        self.last = Some((seconds, end));
        (seconds, end)
    }
}

/// A frame that is shown at other times than its container says, in `unit`; left alone where it is not.
fn placed(info: FrameInfo, (seconds, end): (f64, f64), unit: Rational) -> FrameInfo {
    if info.time_base == unit && info.seconds() == Some(seconds) {
        return info;
    }
    let units = |seconds: f64| seconds * f64::from(unit.den) / f64::from(unit.num);
    let pts = Some(units(seconds).round() as i64);
    FrameInfo { pts, time_base: unit, duration: (units(end) - units(seconds)).round() as i64, ..info }
}

struct Sampled {
    joined: bool,
    segments: VecDeque<VideoSource>,
    sampler: Sampler,
    /// Looked-at frames that are still to be passed over.
    pass: u64,
    timeline: Arc<Mutex<Timeline>>,
    /// Unit of the times of all frames, known from the first one on: writers take one.
    unit: Option<Rational>,
    clock: Clock,
}

/// Unit of the times of joined segments, and of files that begin without a time.
const MICROS: Rational = Rational { num: 1, den: 1_000_000 };

impl FrameSource for Sampled {
    fn next(&mut self, deliver: &mut dyn FnMut(&dyn SourceFrame) -> Result<()>) -> Result<bool> {
        let Self { joined, segments, sampler, pass, timeline, unit, clock } = self;
        while let Some(segment) = segments.front_mut() {
            let mut delivered = false;
            let more = segment.next(&mut |frame| {
                let info = frame.info();
                let unit = *unit.get_or_insert(if *joined || info.pts.is_none() { MICROS } else { info.time_base });
                let mut line = timeline.lock().unwrap_or_else(PoisonError::into_inner);
                let fresh = clock.fresh && clock.last.is_some();
                let (seconds, end) = clock.time(&info);
                if fresh {
                    line.joints.push(seconds);
                }
                let index = line.decoded;
                line.decoded += 1;
                let used = sampler.take(seconds);
                if used == Use::Skip {
                    return Ok(());
                }
                let looked = used == Use::Look;
                line.frames.push(FrameTime { index, seconds, looked });
                drop(line);
                if !looked {
                    return Ok(());
                }
                if *pass > 0 {
                    *pass -= 1;
                    return Ok(());
                }
                delivered = true;
                let info = FrameInfo { index, ..placed(info, (seconds, end), unit) };
                deliver(&Timed { frame, info })
            })?;
            if delivered {
                return Ok(true);
            }
            if !more {
                segments.pop_front();
                clock.fresh = true;
            }
        }
        Ok(false)
    }
}

/// A frame with its place on the timeline of all segments.
struct Timed<'a> {
    frame: &'a dyn SourceFrame,
    info: FrameInfo,
}

impl SourceFrame for Timed<'_> {
    fn desc(&self) -> FrameDesc {
        self.frame.desc()
    }

    fn info(&self) -> FrameInfo {
        self.info
    }

    fn copy_into(&self, layout: &FrameLayout, sink: &mut dyn RowSink) -> Result<()> {
        self.frame.copy_into(layout, sink)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info(pts: Option<i64>) -> FrameInfo {
        let time_base = Rational { num: 1, den: 10 };
        FrameInfo { stream: 0, index: 0, pts, time_base, duration: 1, key: false, damaged: false }
    }

    fn clock() -> Clock {
        Clock { step: 0.1, offset: 0.0, last: None, fresh: true }
    }

    fn near(given: &[f64], wanted: &[f64]) -> bool {
        given.len() == wanted.len() && given.iter().zip(wanted).all(|(a, b)| (a - b).abs() < 1e-9)
    }

    #[test]
    fn segments_follow_each_other_on_one_clock() {
        let mut clock = clock();
        let mut times = Vec::new();
        // 0, 0.1, then a segment that begins anew, then one that goes on after a hole.
        for (fresh, pts) in
            [(true, Some(0)), (false, Some(1)), (true, Some(0)), (false, Some(1)), (true, Some(9)), (false, None)]
        {
            clock.fresh = fresh;
            times.push(clock.time(&info(pts)).0);
        }
        // Time never runs backwards, and does not stand still either: a track that no time passes for would last 0 s.
        times.push(clock.time(&info(Some(2))).0);
        assert!(near(&times, &[0.0, 0.1, 0.2, 0.3, 0.9, 1.0, 1.1]), "{times:?}");
    }

    #[test]
    fn a_clock_that_goes_back_in_a_file_counts_on() {
        let of = |all: &[i64]| {
            let mut clock = clock();
            all.iter().map(|pts| clock.time(&info(Some(*pts))).0).collect::<Vec<f64>>()
        };
        // A camera that began anew at 0, and at 7; the steps of the new clock stay, holes too.
        let times = of(&[50, 51, 52, 0, 1, 5, 6, 70, 7, 8]);
        assert!(near(&times, &[5.0, 5.1, 5.2, 5.3, 5.4, 5.8, 5.9, 12.3, 12.4, 12.5]), "{times:?}");
        // Times that are given twice, and frames out of order: times rise, and the clock is not moved for good.
        let times = of(&[0, 1, 1, 3, 2, 5, 6, 6, 6, 20]);
        assert!(near(&times, &[0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 2.0]), "{times:?}");
        // A small step back for good: what comes goes on at the usual step, and never slower than its own clock.
        let times = of(&[50, 51, 47, 48, 49, 50, 51, 60]);
        assert!(near(&times, &[5.0, 5.1, 5.2, 5.3, 5.4, 5.5, 5.6, 6.0]), "{times:?}");
    }

    #[test]
    fn frames_hand_their_times_on_in_one_unit() {
        let tenths = Rational { num: 1, den: 10 };
        // Left alone where nothing was changed, to the bit.
        let own = info(Some(7));
        assert_eq!(placed(own, (own.seconds().unwrap(), 0.8), tenths), own);
        // Moved, and without a time: still in the unit of the file, which a writer was told once.
        for pts in [Some(7), None] {
            let moved = placed(info(pts), (5.3, 5.4), tenths);
            assert_eq!((moved.pts, moved.time_base, moved.duration), (Some(53), tenths, 1));
        }
        let moved = placed(own, (5.3, 5.4), MICROS);
        assert_eq!((moved.pts, moved.time_base, moved.duration), (Some(5_300_000), MICROS, 100_000));
    }
}
