//! The video that is analysed, and the frames of it that are wanted.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use crate::core::{FrameInfo, Size};
use crate::error::{Error, Result};
use crate::media::{AudioOptions, AudioReader, DecodeOptions, MediaInfo, VideoDecoder};
use crate::pipeline::{FrameSource, SourceFrame, VideoEnd, VideoSource};
use crate::workflows::video::content_id;

use super::super::levels::{LevelMeter, SoundLevels};
use super::units::{Run, Units};

/// Frames, the place where the decoder's verdict will be, and start and length in microseconds of all frames so far, wanted or not.
pub(super) type Opened = (Box<dyn FrameSource>, Arc<Mutex<VideoEnd>>, Arc<Mutex<Vec<(i64, i64)>>>);

/// How to open a video.
#[derive(Debug, Clone, Default)]
pub struct SyncOpen {
    /// How pictures are decoded; with isolation they are decoded in processes of their own, sound in this one.
    pub decode: DecodeOptions,
    /// Position among the audio tracks, from 0.
    pub audio_track: usize,
}

/// A video to be analysed.
#[derive(Debug, Clone)]
pub struct SyncVideo {
    /// Path as given.
    pub path: PathBuf,
    /// What the container declares.
    pub info: MediaInfo,
    /// Size of the pictures as they are shown.
    pub size: Size,
    /// Content id.
    pub fingerprint: String,
    /// How it is opened, once a pass.
    pub open: SyncOpen,
}

impl SyncVideo {
    /// Looks at what the container declares, and at the content for its id.
    ///
    /// # Errors
    /// Those of [`VideoDecoder::open`]; [`Error::TrackInvalid`] for an audio track beyond the first that is not there.
    pub fn open(path: &Path, open: &SyncOpen) -> Result<Self> {
        let decoder = VideoDecoder::open(path, &open.decode)?;
        let info = decoder.media_info();
        let stream = info.video_streams.get(open.decode.track);
        let size = stream.map_or(Size::new(0, 0), |s| open.decode.size_of(s));
        if open.audio_track > 0 && info.audio_streams.get(open.audio_track).is_none() {
            let (kind, index, available) = ("audio", open.audio_track, info.audio_streams.len());
            return Err(Error::TrackInvalid { path: path.to_path_buf(), kind, index, available });
        }
        let fingerprint = content_id(path, &open.decode, stream)?;
        Ok(Self { path: path.to_path_buf(), info, size, fingerprint, open: open.clone() })
    }

    /// Usual seconds from frame to frame, for frames that do not say how long they last.
    pub(super) fn usual(&self) -> f64 {
        let fps = self.info.video_streams.get(self.open.decode.track).and_then(|s| s.fps);
        1.0 / fps.filter(|f| (0.01..=1000.0).contains(f)).unwrap_or(25.0)
    }

    /// Frames that the container declares or that its duration suggests; for progress only.
    pub fn expected(&self) -> Option<u64> {
        self.info.expected_frames(self.open.decode.track)
    }

    /// Whether there is an audio track.
    pub fn has_sound(&self) -> bool {
        self.info.audio_streams.get(self.open.audio_track).is_some()
    }

    /// The frames that `wanted` asks for by their number; the others are decoded and not handed on.
    pub(super) fn frames(&self, wanted: Wanted) -> Result<Opened> {
        let (inner, end) = VideoSource::new(VideoDecoder::open(&self.path, &self.open.decode)?);
        let times = Arc::default();
        let source = SomeFrames { inner, wanted, usual: self.usual(), times: Arc::clone(&times) };
        Ok((Box::new(source), end, times))
    }

    /// How the pictures are decoded.
    pub(super) fn decoding(&self) -> DecodeOptions {
        self.open.decode.clone()
    }

    /// How the sound is read: 16 kHz mono.
    pub(super) fn audio(&self) -> AudioOptions {
        AudioOptions {
            track: self.open.audio_track,
            limits: self.open.decode.limits.clone(),
            ..AudioOptions::default()
        }
    }

    /// Levels of the whole sound, `None` without a track, and the number of damaged places in it.
    pub(super) fn levels(&self) -> Result<(Option<SoundLevels>, u64)> {
        if !self.has_sound() {
            return Ok((None, 0));
        }
        let mut reader = AudioReader::open(&self.path, &self.audio())?;
        let mut meter = LevelMeter::new();
        while let Some(block) = reader.next_block()? {
            self.open.decode.cancel.check()?;
            meter.push(block.start, &block.samples);
        }
        Ok((Some(meter.finish()), reader.damaged()))
    }
}

/// Which frames are wanted, by number.
#[derive(Debug, Clone)]
pub(super) enum Wanted {
    /// Some ranges, in order, the end not included.
    Ranges(Vec<(u64, u64)>),
    /// Units that this run does and that are not `done`, each with the frame before it; the others are decoded to the end.
    Units { units: Units, done: BTreeSet<u64> },
}

impl Wanted {
    /// Those in `ranges`, which may overlap.
    pub(super) fn inside(mut ranges: Vec<(u64, u64)>) -> Self {
        ranges.sort_unstable();
        let mut joined: Vec<(u64, u64)> = Vec::new();
        for (from, to) in ranges {
            match joined.last_mut() {
                Some(last) if from <= last.1 => last.1 = last.1.max(to),
                _ if from < to => joined.push((from, to)),
                _ => {}
            }
        }
        Self::Ranges(joined)
    }

    /// Those in `ranges` that lie in one of `runs`.
    pub(super) fn both(ranges: &[(u64, u64)], runs: &[Run]) -> Self {
        let both = |run: &Run| {
            let (first, end) = (run.first, run.end);
            ranges.iter().map(move |(from, to)| ((*from).max(first), (*to).min(end))).filter(|(from, to)| from < to)
        };
        Self::inside(runs.iter().flat_map(both).collect())
    }

    fn has(&self, frame: u64) -> bool {
        match self {
            Self::Ranges(ranges) => {
                let after = ranges.partition_point(|(from, _)| *from <= frame);
                after.checked_sub(1).and_then(|i| ranges.get(i)).is_some_and(|(_, to)| frame < *to)
            }
            Self::Units { units, done } => {
                let mine = |frame: u64| units.mine(units.of(frame)) && !done.contains(&units.of(frame));
                mine(frame) || mine(frame.saturating_add(1))
            }
        }
    }

    /// Whether no frame from `frame` on is wanted, nor its time.
    fn is_over(&self, frame: u64) -> bool {
        match self {
            Self::Ranges(ranges) => ranges.last().is_none_or(|(_, to)| *to <= frame),
            Self::Units { .. } => false,
        }
    }
}

struct SomeFrames {
    inner: VideoSource,
    wanted: Wanted,
    /// Seconds of a frame that does not say how long it lasts.
    usual: f64,
    times: Arc<Mutex<Vec<(i64, i64)>>>,
}

impl FrameSource for SomeFrames {
    fn next(&mut self, deliver: &mut dyn FnMut(&dyn SourceFrame) -> Result<()>) -> Result<bool> {
        let Self { inner, wanted, usual, times } = self;
        let times = || times.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let (mut delivered, mut over) = (false, false);
            let more = inner.next(&mut |frame| {
                let info = frame.info();
                over = wanted.is_over(info.index);
                // Before the frame is handed on: its time is asked for then.
                let mut all = times();
                let time = shown(&info, all.last().copied(), *usual);
                all.push(time);
                drop(all);
                if !wanted.has(info.index) {
                    return Ok(());
                }
                delivered = true;
                deliver(frame).inspect_err(|_| {
                    times().pop();
                })
            })?;
            if delivered {
                return Ok(true);
            }
            if !more || over {
                return Ok(false);
            }
        }
    }
}

/// Start and length of a frame in microseconds. One without a time follows the one before.
fn shown(info: &FrameInfo, before: Option<(i64, i64)>, usual: f64) -> (i64, i64) {
    let micros = |seconds: f64| (seconds * 1e6).round() as i64;
    let lasts = info.time_base.seconds(info.duration);
    let d = micros(if lasts > 0.0 { lasts } else { usual });
    let after = before.map(|(t, d)| t + d);
    let t = match (info.seconds().map(micros), before) {
        // A time that goes back is damage.
        (Some(t), Some((b, _))) if t <= b => after.unwrap_or(0),
        (Some(t), _) => t,
        (None, _) => after.unwrap_or(0),
    };
    (t, d)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_join_and_end() {
        let has = |w: &Wanted| (0..60).filter(|f| w.has(*f)).collect::<Vec<u64>>();
        let ranges = vec![(10, 20), (15, 25), (40, 50), (0, 3)];
        let w = Wanted::both(&ranges, &[Run { first: 12, end: 45 }, Run { first: 48, end: 60 }]);
        assert_eq!(has(&w), (12..25).chain(40..45).chain(48..50).collect::<Vec<_>>());
        assert!(!w.is_over(49) && w.is_over(50) && !w.has(u64::MAX));
        assert_eq!(has(&Wanted::inside(ranges)), (0..3).chain(10..25).chain(40..50).collect::<Vec<_>>());
        assert!(Wanted::inside(vec![]).is_over(0));
        // Units of 20 frames: the second of two parts has every other one, with the frame before it.
        let units = Units::new(0.2, Some("2/2".parse().unwrap()));
        let w = Wanted::Units { units, done: BTreeSet::from([1]) };
        assert!(has(&w) == [59] && w.has(60) && !w.has(80) && !w.is_over(1 << 60));
        let w = Wanted::Units { units, done: BTreeSet::new() };
        assert_eq!(has(&w), (19..40).chain([59]).collect::<Vec<_>>());
    }
}
