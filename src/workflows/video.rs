//! What a video declares.

use std::path::{Path, PathBuf};

use crate::core::{Rational, Size};
use crate::error::{Error, Result};
use crate::media::{DecodeOptions, VideoDecoder};
use crate::store::Fingerprint;

/// What a video declares, of the track that is decoded.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq)]
pub struct VideoFacts {
    /// Path as given.
    pub path: PathBuf,
    /// File name.
    pub name: String,
    /// Content id.
    pub fingerprint: String,
    /// Position of the track among the video tracks.
    pub track: usize,
    /// Codec name.
    pub codec: String,
    /// Size in pixels as coded, before rotation.
    pub coded: Size,
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

impl VideoFacts {
    /// Of `path`, which `decoder` has opened as `options` say. Reads the file for its content id.
    pub(super) fn of(path: &Path, decoder: &VideoDecoder, options: &DecodeOptions) -> Result<Self> {
        let info = decoder.media_info();
        let stream = info.video_streams.get(options.track);
        let stream = stream.ok_or_else(|| Error::Bug("an opened track that is not declared".into()))?;
        Ok(Self {
            path: path.to_path_buf(),
            name: info.filename.clone(),
            fingerprint: Fingerprint::of_file(path, &options.cancel)?.to_string(),
            track: options.track,
            codec: stream.codec.clone(),
            coded: Size::new(stream.width, stream.height),
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
        })
    }

    /// Size in pixels as displayed.
    pub fn shown(&self) -> Size {
        turned_size(self.coded, self.rotation)
    }

    /// Frames to expect in so many seconds from the first one; `None`: in all.
    pub fn expected(&self, seconds: Option<f64>) -> Option<u64> {
        let frames = self.frames?;
        match (seconds, self.fps) {
            (Some(s), Some(fps)) => Some(frames.min((s * fps).ceil() as u64)),
            _ => Some(frames),
        }
    }
}

/// `size` turned by `degrees`.
pub(super) fn turned_size(size: Size, degrees: i32) -> Size {
    if degrees.rem_euclid(180) == 0 { size } else { size.transposed() }
}
