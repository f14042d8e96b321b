//! The video of a run: what it declares, and its frames. All frames of the workflow are opened here, in [`decoder`].

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::config::{Sampler, Sampling, Use};
use crate::core::{BudgetPermit, FrameDesc, FrameInfo, FrameLayout, Rational, RowSink, Size};
use crate::error::{Error, Result};
use crate::gpu::GpuContext;
use crate::media::{DecodeOptions, MediaInfo, VideoDecoder, VideoStream};
use crate::pipeline::{FrameSource, MemoryPlan, PipelineOptions, SourceFrame, VideoEnd, VideoSource};
use crate::store::Fingerprint;

/// A video track, or the segments of a recording one after the other.
#[derive(Debug, Clone)]
pub struct TrackVideo {
    /// Files as given, in order of time.
    pub paths: Vec<PathBuf>,
    /// Position among the video tracks of each.
    pub track: usize,
    /// What the first container declares.
    pub info: MediaInfo,
    /// Size of the pictures as coded.
    pub coded: Size,
    /// Degrees by which pictures are turned clockwise for display: a multiple of 90 in 0..360; other angles are passed over.
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
            let (info, rotation) = (decoder.media_info(), decoder.rotation().rem_euclid(360));
            let stream = info.video_streams.get(track);
            let coded = stream.map_or(Size::new(0, 0), |s| Size::new(s.width, s.height));
            let layout = stream.and_then(VideoStream::layout);
            let shared = open.isolation.as_ref().zip(layout).map_or(0, |(i, layout)| i.shared_bytes(&layout));
            let bytes = stream.map_or(0, |s| s.decoder_bytes(open.threads));
            let fingerprint = Fingerprint::of_file(path, &open.cancel)?.to_string();
            let (expected, seconds) = (info.expected_frames(track), stream.and_then(|s| s.duration).or(info.duration));
            match &mut out {
                None => {
                    out = Some(Self {
                        paths: vec![path.clone()],
                        track,
                        coded,
                        rotation: if rotation % 90 == 0 { rotation } else { 0 },
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
                    if (coded, rotation) != (all.coded, all.rotation) {
                        return Err(Error::InputUnsupported {
                            path: path.clone(),
                            what: format!("a segment of {coded} after one of {}", all.coded),
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

    /// Size of the pictures as they are shown.
    pub fn shown(&self) -> Size {
        if self.rotation % 180 == 0 { self.coded } else { self.coded.transposed() }
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
        ctx.pool().host_budget().try_acquire(self.decoder_bytes + more)
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
            clock: Clock { step, offset: 0.0, end: None, fresh: true },
        };
        Ok(Opened { source: Box::new(source), timeline, ends })
    }
}

/// Times of frames over segments.
struct Clock {
    /// Usual seconds from frame to frame.
    step: f64,
    /// What is added to the times of this segment.
    offset: f64,
    /// Where the last frame ended.
    end: Option<f64>,
    /// No frame of this segment was seen yet.
    fresh: bool,
}

impl Clock {
    /// The time of a frame; `None` of the container is counted on. Never before the frame before.
    fn time(&mut self, info: &FrameInfo, before: Option<f64>) -> f64 {
        let own = info.seconds();
        if std::mem::take(&mut self.fresh)
            && let (Some(end), Some(own)) = (self.end, own)
        {
            // A segment that goes on with the clock of the recording is left alone; one that begins anew follows the last one.
            let gap = own - end;
            self.offset = if gap > -0.5 * self.step && gap < 3600.0 { 0.0 } else { end - own };
        }
        let seconds = own.map_or_else(|| self.end.unwrap_or(0.0), |t| t + self.offset);
        let seconds = before.map_or(seconds, |b| seconds.max(b));
        let length = info.time_base.seconds(info.duration);
        self.end = Some(seconds + if length > 0.0 { length } else { self.step });
        seconds
    }
}

struct Sampled {
    joined: bool,
    segments: VecDeque<VideoSource>,
    sampler: Sampler,
    /// Looked-at frames that are still to be passed over.
    pass: u64,
    timeline: Arc<Mutex<Timeline>>,
    clock: Clock,
}

/// Unit of the times of joined segments.
const MICROS: Rational = Rational { num: 1, den: 1_000_000 };

impl FrameSource for Sampled {
    fn next(&mut self, deliver: &mut dyn FnMut(&dyn SourceFrame) -> Result<()>) -> Result<bool> {
        let Self { joined, segments, sampler, pass, timeline, clock } = self;
        while let Some(segment) = segments.front_mut() {
            let mut delivered = false;
            let more = segment.next(&mut |frame| {
                let mut info = frame.info();
                let mut line = timeline.lock().unwrap_or_else(PoisonError::into_inner);
                let fresh = clock.fresh && clock.end.is_some();
                let seconds = clock.time(&info, line.frames.last().map(|f| f.seconds));
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
                info.index = index;
                if *joined || info.pts.is_none() {
                    info.time_base = MICROS;
                    info.pts = Some((seconds * 1e6).round() as i64);
                    info.duration = (clock.end.unwrap_or(seconds) * 1e6 - seconds * 1e6).round() as i64;
                }
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

    #[test]
    fn segments_follow_each_other_on_one_clock() {
        let mut clock = Clock { step: 0.1, offset: 0.0, end: None, fresh: true };
        let mut times = Vec::new();
        // 0, 0.1, then a segment that begins anew, then one that goes on after a hole.
        for (fresh, pts) in
            [(true, Some(0)), (false, Some(1)), (true, Some(0)), (false, Some(1)), (true, Some(9)), (false, None)]
        {
            clock.fresh = fresh;
            times.push(clock.time(&info(pts), times.last().copied()));
        }
        let wanted = [0.0, 0.1, 0.2, 0.3, 0.9, 1.0];
        assert!(times.iter().zip(wanted).all(|(a, b)| (a - b).abs() < 1e-9), "{times:?}");
        // Time never runs backwards.
        assert_eq!(clock.time(&info(Some(2)), Some(1.0)), 1.0);
    }
}
