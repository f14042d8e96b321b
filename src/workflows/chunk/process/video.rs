//! The video: what it declares, and its frames as they are coded.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use crate::core::{FrameInfo, Limits, Rational, Size};
use crate::error::{Error, Result};
use crate::media::{AudioCopy, DecodeOptions, VideoDecoder};
use crate::pipeline::{FrameSource, SourceFrame, VideoEnd, VideoSource};
use crate::store::Fingerprint;
use crate::workflows::encode::FileSpec;

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
    pub fn open(path: &Path, options: &DecodeOptions) -> Result<Self> {
        let decoder = VideoDecoder::open(path, options)?;
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

/// The frames of a video in so many seconds from the first one, taken part by part.
pub(super) struct Stream {
    inner: Box<dyn FrameSource>,
    seconds: Option<f64>,
    /// Time of the first frame in seconds, once it is known.
    pub(super) first: Option<f64>,
    /// Frames taken.
    pub(super) taken: u64,
    /// Whether there are no more.
    pub(super) over: bool,
}

impl Stream {
    pub(super) fn new(inner: Box<dyn FrameSource>, seconds: Option<f64>) -> Self {
        Self { inner, seconds, first: None, taken: 0, over: false }
    }

    /// Passes over frames, at most so many, and shows what is known of each.
    pub(super) fn pass(&mut self, frames: u64, show: &mut dyn FnMut(FrameInfo) -> Result<()>) -> Result<()> {
        let mut part = self.part(frames);
        while part.next(&mut |frame| show(frame.info()))? {}
        Ok(())
    }

    /// The next frames, at most so many.
    pub(super) fn part(&mut self, frames: u64) -> Part<'_> {
        let end = self.taken.saturating_add(frames);
        Part { stream: self, end }
    }
}

/// A part of a stream.
pub(super) struct Part<'a> {
    stream: &'a mut Stream,
    /// Frames of the stream that are taken when it ends.
    end: u64,
}

impl FrameSource for Part<'_> {
    fn next(&mut self, deliver: &mut dyn FnMut(&dyn SourceFrame) -> Result<()>) -> Result<bool> {
        let stream = &mut *self.stream;
        if stream.over || stream.taken >= self.end {
            return Ok(false);
        }
        let (mut over, first, most) = (false, &mut stream.first, stream.seconds);
        let more = stream.inner.next(&mut |frame| {
            let at = super::run::seconds(&frame.info());
            let zero = *first.get_or_insert(at);
            // Half a microsecond: times are sums of fractions.
            over = most.is_some_and(|most| at - zero >= most - 5e-7);
            if over { Ok(()) } else { deliver(frame) }
        })?;
        stream.over = over || !more;
        stream.taken += u64::from(!stream.over);
        Ok(!stream.over)
    }
}
