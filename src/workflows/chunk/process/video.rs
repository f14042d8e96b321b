//! The video: what it declares, and its frames.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use crate::core::{FrameInfo, Limits};
use crate::error::Result;
use crate::media::{AudioCopy, DecodeOptions, VideoDecoder};
use crate::pipeline::{FrameSource, SourceFrame, VideoEnd, VideoSource};
use crate::workflows::VideoFacts;
use crate::workflows::encode::FileSpec;

/// A video, opened.
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
        let facts = VideoFacts::of(path, &decoder, options)?;
        let (source, end) = VideoSource::new(decoder);
        Ok(Self { facts, source: Box::new(source), end, limits: options.limits.clone() })
    }

    /// Its frames alone.
    pub fn into_source(self) -> Box<dyn FrameSource> {
        self.source
    }
}

/// A file made of `facts`.
pub(super) fn file_spec(path: PathBuf, facts: &VideoFacts, crf: f32, audio: Option<AudioCopy>) -> FileSpec {
    FileSpec { path, crf, audio, rate: FileSpec::rate_of(facts.fps), pixel_aspect: facts.pixel_aspect }
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
