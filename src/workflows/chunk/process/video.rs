//! The video: what it declares, and its frames as they are coded.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use crate::core::{CancelToken, Limits, Rational, Size};
use crate::error::{Error, Result};
use crate::media::{AudioCopy, DecodeOptions, HardwareDecode, VideoDecoder};
use crate::pipeline::{FrameSource, SourceFrame, VideoEnd, VideoSource};
use crate::store::Fingerprint;
use crate::workflows::encode::FileSpec;

/// How to open the video.
#[derive(Debug, Clone)]
pub struct VideoOptions {
    /// Position of the video track.
    pub track: usize,
    /// Decoder threads.
    pub threads: u32,
    /// Hardware decoding.
    pub hardware: HardwareDecode,
    /// Limits for untrusted input.
    pub limits: Limits,
    /// Stops opening and decoding.
    pub cancel: CancelToken,
}

/// What a video declares.
#[derive(Debug, Clone, PartialEq)]
pub struct VideoFacts {
    /// Path as given.
    pub path: PathBuf,
    /// File name.
    pub name: String,
    /// Content id.
    pub fingerprint: String,
    /// Position of the track.
    pub track: usize,
    /// Size in pixels as coded, before rotation.
    pub size: Size,
    /// Degrees by which pictures are turned clockwise for display.
    pub rotation: i32,
    /// Average frames per second.
    pub fps: Option<f64>,
    /// Unit of its times.
    pub time_base: Rational,
    /// Frames, declared or estimated.
    pub frames: Option<u64>,
    /// Number of audio tracks.
    pub audio: usize,
    /// When the track begins, in seconds.
    pub start: f64,
}

/// A video, opened. Frames are not turned: plans, chunks and what comes out lie as the video is coded, and players turn it as before.
pub struct ChunkVideo {
    /// What it declares.
    pub facts: VideoFacts,
    pub(super) source: Box<dyn FrameSource>,
    pub(super) end: Arc<Mutex<VideoEnd>>,
    pub(super) limits: Limits,
}

impl std::fmt::Debug for ChunkVideo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ChunkVideo").field("facts", &self.facts).finish_non_exhaustive()
    }
}

impl ChunkVideo {
    /// Opens a video file.
    ///
    /// # Errors
    /// Those of [`VideoDecoder::open`].
    pub fn open(path: &Path, options: &VideoOptions) -> Result<Self> {
        let decoding = DecodeOptions {
            track: options.track,
            threads: options.threads,
            limits: options.limits.clone(),
            hardware: options.hardware.clone(),
            cancel: options.cancel.clone(),
            ..DecodeOptions::default()
        };
        let decoder = VideoDecoder::open(path, &decoding)?;
        let info = decoder.media_info();
        let stream = info.video_streams.get(options.track);
        let stream = stream.ok_or_else(|| Error::Bug("an opened track that is not declared".into()))?;
        let facts = VideoFacts {
            path: path.to_path_buf(),
            name: info.filename.clone(),
            fingerprint: Fingerprint::of_file(path, &options.cancel)?.to_string(),
            track: options.track,
            size: Size::new(stream.width, stream.height),
            rotation: decoder.rotation(),
            fps: stream.fps,
            time_base: stream.time_unit().ok_or_else(|| Error::InputUnsupported {
                path: path.to_path_buf(),
                what: format!("a time base of {}", stream.time_base),
                hint: None,
            })?,
            frames: info.expected_frames(options.track),
            audio: info.audio_tracks_count,
            start: stream.start_time.unwrap_or(0.0),
        };
        let (source, end) = VideoSource::new(decoder);
        Ok(Self { facts, source: Box::new(source), end, limits: options.limits.clone() })
    }

    /// Its frames alone.
    pub fn into_source(self) -> Box<dyn FrameSource> {
        self.source
    }

    /// Frames to expect in so many seconds from the first one.
    pub fn expected(&self, seconds: Option<f64>) -> Option<u64> {
        let frames = self.facts.frames?;
        match (seconds, self.facts.fps) {
            (Some(s), Some(fps)) => Some(frames.min((s * fps).ceil() as u64)),
            _ => Some(frames),
        }
    }
}

/// A file made of `facts`.
pub(super) fn file_spec(path: PathBuf, facts: &VideoFacts, crf: f32, audio: Option<AudioCopy>) -> FileSpec {
    FileSpec { path, crf, audio, rotation: -facts.rotation, rate: FileSpec::rate_of(facts.fps) }
}

/// Frames of `inner` in so many seconds from the first one.
pub(super) struct UntilSource {
    pub(super) inner: Box<dyn FrameSource>,
    pub(super) seconds: Option<f64>,
    pub(super) first: Option<f64>,
}

impl FrameSource for UntilSource {
    fn next(&mut self, deliver: &mut dyn FnMut(&dyn SourceFrame) -> Result<()>) -> Result<bool> {
        let Some(most) = self.seconds else { return self.inner.next(deliver) };
        let (mut over, first) = (false, &mut self.first);
        let more = self.inner.next(&mut |frame| {
            let at = super::run::seconds(&frame.info());
            let zero = *first.get_or_insert(at);
            // Half a microsecond: times are sums of fractions.
            over = at - zero >= most - 5e-7;
            if over { Ok(()) } else { deliver(frame) }
        })?;
        Ok(more && !over)
    }
}
