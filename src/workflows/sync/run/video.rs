//! The video that is analysed, and the frames of it that are wanted.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use crate::core::{CancelToken, Limits, Size};
use crate::error::{Error, Result};
use crate::media::{AudioOptions, AudioReader, DecodeOptions, HardwareDecode, Isolation, MediaInfo, VideoDecoder};
use crate::pipeline::{FrameSource, SourceFrame, VideoEnd, VideoSource};
use crate::store::Fingerprint;

use super::super::levels::{LevelMeter, SoundLevels};

/// Frames, and the place where the decoder's verdict will be.
pub(super) type Opened = (Box<dyn FrameSource>, Arc<Mutex<VideoEnd>>);

/// How to open a video.
#[derive(Debug, Clone)]
pub struct SyncOpen {
    /// Position among the video tracks, from 0.
    pub track: usize,
    /// Position among the audio tracks, from 0.
    pub audio_track: usize,
    /// Decoder threads, 1 to 64.
    pub threads: u32,
    /// Hardware decoding.
    pub hardware: HardwareDecode,
    /// Limits for untrusted input.
    pub limits: Limits,
    /// Decode pictures in processes of their own; sound is decoded in this one.
    pub isolation: Option<Isolation>,
    /// Stops opening and decoding.
    pub cancel: CancelToken,
}

impl Default for SyncOpen {
    fn default() -> Self {
        Self {
            track: 0,
            audio_track: 0,
            threads: 1,
            hardware: HardwareDecode::Off,
            limits: Limits::default(),
            isolation: None,
            cancel: CancelToken::new(),
        }
    }
}

/// A video to be analysed.
#[derive(Debug, Clone)]
pub struct SyncVideo {
    /// Path as given.
    pub path: PathBuf,
    /// What the container declares.
    pub info: MediaInfo,
    /// Size of the pictures as coded.
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
        let decoder = VideoDecoder::open(path, &decode_options(open))?;
        let info = decoder.media_info();
        let stream = info.video_streams.get(open.track);
        let size = stream.map_or(Size::new(0, 0), |s| Size::new(s.width, s.height));
        if open.audio_track > 0 && info.audio_streams.get(open.audio_track).is_none() {
            let (kind, index, available) = ("audio", open.audio_track, info.audio_streams.len());
            return Err(Error::TrackInvalid { path: path.to_path_buf(), kind, index, available });
        }
        let fingerprint = Fingerprint::of_file(path, &open.cancel)?.to_string();
        Ok(Self { path: path.to_path_buf(), info, size, fingerprint, open: open.clone() })
    }

    /// Usual seconds from frame to frame, for frames that do not say how long they last.
    pub(super) fn usual(&self) -> f64 {
        let fps = self.info.video_streams.get(self.open.track).and_then(|s| s.fps);
        1.0 / fps.filter(|f| (0.01..=1000.0).contains(f)).unwrap_or(25.0)
    }

    /// Frames that the container declares or that its duration suggests; for progress only.
    pub fn expected(&self) -> Option<u64> {
        self.info.expected_frames(self.open.track)
    }

    /// Whether there is an audio track.
    pub fn has_sound(&self) -> bool {
        self.info.audio_streams.get(self.open.audio_track).is_some()
    }

    /// The frames that `wanted` asks for by their number; the others are decoded and not handed on.
    pub(super) fn frames(&self, wanted: Wanted) -> Result<Opened> {
        let (source, end) = VideoSource::new(VideoDecoder::open(&self.path, &decode_options(&self.open))?);
        Ok((Box::new(SomeFrames { inner: source, wanted }), end))
    }

    /// How the pictures are decoded.
    pub(super) fn decoding(&self) -> DecodeOptions {
        decode_options(&self.open)
    }

    /// How the sound is read: 16 kHz mono.
    pub(super) fn audio(&self) -> AudioOptions {
        AudioOptions { track: self.open.audio_track, limits: self.open.limits.clone(), ..AudioOptions::default() }
    }

    /// Levels of the whole sound, `None` without a track, and the number of damaged places in it.
    pub(super) fn levels(&self) -> Result<(Option<SoundLevels>, u64)> {
        if !self.has_sound() {
            return Ok((None, 0));
        }
        let mut reader = AudioReader::open(&self.path, &self.audio())?;
        let mut meter = LevelMeter::new();
        while let Some(block) = reader.next_block()? {
            self.open.cancel.check()?;
            meter.push(block.start, &block.samples);
        }
        Ok((Some(meter.finish()), reader.damaged()))
    }
}

fn decode_options(open: &SyncOpen) -> DecodeOptions {
    DecodeOptions {
        track: open.track,
        threads: open.threads,
        limits: open.limits.clone(),
        hardware: open.hardware.clone(),
        cancel: open.cancel.clone(),
        isolation: open.isolation.clone(),
        ..DecodeOptions::default()
    }
}

/// Which frames are wanted, by number: some ranges, in order, the end not included.
#[derive(Debug, Clone)]
pub(super) struct Wanted(Vec<(u64, u64)>);

impl Wanted {
    /// All from `first` on.
    pub(super) fn from(first: u64) -> Self {
        Self(vec![(first, u64::MAX)])
    }

    /// Those from `first` on that lie in one of `ranges`, which may overlap.
    pub(super) fn inside(mut ranges: Vec<(u64, u64)>, first: u64) -> Self {
        ranges.sort_unstable();
        let mut joined: Vec<(u64, u64)> = Vec::new();
        for (from, to) in ranges {
            let from = from.max(first);
            match joined.last_mut() {
                Some(last) if from <= last.1 => last.1 = last.1.max(to),
                _ if from < to => joined.push((from, to)),
                _ => {}
            }
        }
        Self(joined)
    }

    fn has(&self, frame: u64) -> bool {
        let after = self.0.partition_point(|(from, _)| *from <= frame);
        after.checked_sub(1).and_then(|i| self.0.get(i)).is_some_and(|(_, to)| frame < *to)
    }

    /// Whether no frame from `frame` on is wanted.
    fn is_over(&self, frame: u64) -> bool {
        self.0.last().is_none_or(|(_, to)| *to <= frame)
    }
}

struct SomeFrames {
    inner: VideoSource,
    wanted: Wanted,
}

impl FrameSource for SomeFrames {
    fn next(&mut self, deliver: &mut dyn FnMut(&dyn SourceFrame) -> Result<()>) -> Result<bool> {
        let Self { inner, wanted } = self;
        loop {
            let (mut delivered, mut over) = (false, false);
            let more = inner.next(&mut |frame| {
                let index = frame.info().index;
                over = wanted.is_over(index);
                if wanted.has(index) {
                    delivered = true;
                    return deliver(frame);
                }
                Ok(())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_join_and_end() {
        let w = Wanted::inside(vec![(10, 20), (15, 25), (40, 50), (0, 3)], 12);
        let has: Vec<u64> = (0..60).filter(|f| w.has(*f)).collect();
        let want: Vec<u64> = (12..25).chain(40..50).collect();
        assert_eq!(has, want);
        assert!(!w.is_over(49) && w.is_over(50) && !w.has(u64::MAX));
        assert!(Wanted::inside(vec![], 0).is_over(0));
        assert!(Wanted::from(7).has(7) && !Wanted::from(7).has(6) && !Wanted::from(0).is_over(1 << 60));
    }
}
