//! The video: what it declares, and its frames.

use std::path::Path;
use std::sync::{Arc, Mutex};

use super::super::config::aspect_of;
use crate::error::{Error, Result};
use crate::media::{DecodeOptions, VideoDecoder};
use crate::pipeline::{FrameSource, VideoEnd, VideoSource};
use crate::workflows::VideoFacts;

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

impl CollageVideo {
    /// Opens a video file.
    ///
    /// # Errors
    /// Those of [`VideoDecoder::open`]; `InputUnsupported` for videos that are turned by a part of 90 degrees for display.
    pub fn open(path: &Path, options: &DecodeOptions) -> Result<Self> {
        let decoder = VideoDecoder::open(path, options)?;
        let degrees = decoder.rotation().rem_euclid(360);
        if degrees != 0 {
            return Err(Error::InputUnsupported {
                path: path.to_path_buf(),
                what: format!("a video that is turned by {degrees} degrees for display"),
                hint: Some("write it upright first: `ffmpeg -i INPUT -c:a copy upright.mp4`".into()),
            });
        }
        let facts = VideoFacts::of(path, &decoder, options)?;
        let (source, end) = VideoSource::new(decoder);
        Ok(Self { facts, source: Box::new(source), end })
    }

    /// Width and height of its pictures without common factors: what pool pictures are cropped to.
    pub fn aspect(&self) -> [u32; 2] {
        self.tile_aspect(None)
    }

    /// The same of one of so many columns and rows of tiles.
    pub fn tile_aspect(&self, tiles: Option<[u32; 2]>) -> [u32; 2] {
        let ([columns, rows], size) = (tiles.unwrap_or([1, 1]), self.facts.size);
        aspect_of(size.width.saturating_mul(rows), size.height.saturating_mul(columns))
    }
}
