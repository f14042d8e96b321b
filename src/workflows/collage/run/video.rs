//! The video: what it declares, and its frames.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use super::super::config::aspect_of;
use super::turn::{TurnedSource, turned_size};
use crate::core::{ColorSpec, Rational, Size};
use crate::error::{Error, Result};
use crate::media::{DecodeOptions, VideoDecoder};
use crate::pipeline::{FrameSource, VideoEnd, VideoSource};
use crate::store::Fingerprint;

/// A video, opened.
pub struct CollageVideo {
    /// What it declares.
    pub facts: VideoFacts,
    pub(super) source: Box<dyn FrameSource>,
    pub(super) end: Arc<Mutex<VideoEnd>>,
}

impl std::fmt::Debug for CollageVideo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CollageVideo").field("facts", &self.facts).finish_non_exhaustive()
    }
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
    /// Size in pixels, as displayed.
    pub size: Size,
    /// Codec name.
    pub codec: String,
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
    /// What its codes mean.
    pub color: ColorSpec,
}

impl VideoFacts {
    /// Width and height without common factors: what pool pictures are cropped to.
    pub fn aspect(&self) -> [u32; 2] {
        aspect_of(self.size.width, self.size.height)
    }

    /// The same of one of so many columns and rows of tiles.
    pub fn tile_aspect(&self, tiles: Option<[u32; 2]>) -> [u32; 2] {
        let [columns, rows] = tiles.unwrap_or([1, 1]);
        aspect_of(self.size.width.saturating_mul(rows), self.size.height.saturating_mul(columns))
    }
}

impl CollageVideo {
    /// Opens a video file.
    ///
    /// # Errors
    /// Those of [`VideoDecoder::open`]; `InputUnsupported` for videos that are turned by a part of 90 degrees for display.
    pub fn open(path: &Path, options: &DecodeOptions) -> Result<Self> {
        let decoder = VideoDecoder::open(path, options)?;
        let degrees = decoder.rotation().rem_euclid(360);
        if degrees % 90 != 0 {
            return Err(Error::InputUnsupported {
                path: path.to_path_buf(),
                what: format!("a video that is turned by {degrees} degrees for display"),
                hint: Some("write it upright first: `ffmpeg -i INPUT -c:a copy upright.mp4`".into()),
            });
        }
        let info = decoder.media_info();
        let stream = info.video_streams.get(options.track);
        let stream = stream.ok_or_else(|| Error::Bug("an opened track that is not declared".into()))?;
        let size = turned_size(Size::new(stream.width, stream.height), degrees);
        let facts = VideoFacts {
            path: path.to_path_buf(),
            name: info.filename.clone(),
            fingerprint: Fingerprint::of_file(path, &options.cancel)?.to_string(),
            track: options.track,
            size,
            codec: stream.codec.clone(),
            fps: stream.fps,
            time_base: stream.time_unit().ok_or_else(|| Error::InputUnsupported {
                path: path.to_path_buf(),
                what: format!("a time base of {}", stream.time_base),
                hint: None,
            })?,
            frames: info.expected_frames(options.track),
            audio: info.audio_tracks_count,
            start: stream.start_time.unwrap_or(0.0),
            color: ColorSpec::assumed_for_height(size.height),
        };
        let (source, end) = VideoSource::new(decoder);
        let source: Box<dyn FrameSource> = match degrees {
            0 => Box::new(source),
            degrees => Box::new(TurnedSource { inner: Box::new(source), degrees }),
        };
        Ok(Self { facts, source, end })
    }
}
