//! Settings of a collage.

use serde::Serialize;

use super::super::config::DescriptorConfig;
use super::super::select::SelectParams;
use crate::core::Rational;
use crate::error::{Error, Result};
use crate::index::IndexSpec;

/// Candidates of the tiles of a frame, at most: a frame is saved as one record.
const CANDIDATES: u32 = 20_000;

/// Settings that can change a byte of the output. All are part of a key and written with the output.
#[derive(Debug, Clone)]
pub struct CollageConfig {
    /// What frames and pictures are compared by.
    pub descriptor: DescriptorConfig,
    /// How the pool is searched.
    pub search: IndexSpec,
    /// Nearest pictures that are found for each frame and written to the results, 1 to 1000.
    pub depth: u32,
    /// How pictures are chosen among them.
    pub select: SelectParams,
    /// Frames per second of the output; `None`: the video's own times.
    pub rate: Option<Rational>,
    /// Seconds of the video to use; `None`: all.
    pub seconds: Option<f64>,
    /// Whether a video is written.
    pub video: bool,
    /// Whether the video's first audio track is copied.
    pub audio: bool,
    /// Columns and rows of tiles that every frame is rebuilt from, each by a picture of its own; `None`: one picture a frame. The
    /// descriptor's aspect is that of a tile then.
    pub tiles: Option<[u32; 2]>,
    /// Quality of the video on the scale of x264, 0 (best) to 51.
    pub crf: f32,
    /// Whether each output picture is written as a JPEG as well.
    pub frames: bool,
    /// Frames of which a comparison with the chosen picture is written.
    pub samples: u32,
    /// One of so many matched frames is a sample, at least 1.
    pub sample_interval: u32,
}

impl CollageConfig {
    /// A collage by `descriptor` with the usual settings: of the ten nearest pictures the best, audio copied.
    pub fn new(descriptor: DescriptorConfig) -> Self {
        Self {
            descriptor,
            search: IndexSpec::Auto,
            depth: 10,
            select: SelectParams::default(),
            rate: None,
            seconds: None,
            video: true,
            audio: true,
            tiles: None,
            crf: 20.0,
            frames: false,
            samples: 0,
            sample_interval: 1,
        }
    }

    /// Checks ranges.
    ///
    /// # Errors
    /// [`Error::Config`].
    pub fn check(&self) -> Result<()> {
        let wrong = |field: &str, message: String| Err(Error::Config { field: field.into(), message });
        self.descriptor.spec()?;
        if !(1..=1000).contains(&self.depth) {
            return wrong("search_depth", format!("must be 1 to 1000, got {}", self.depth));
        }
        self.select.check()?;
        if self.sample_interval == 0 {
            return wrong("sample_interval", "must be at least 1, got 0".into());
        }
        if let Some([columns, rows]) = self.tiles {
            if columns == 0 || rows == 0 || columns.saturating_mul(rows) > 4096 {
                return wrong("tiles", format!("must be 1x1 to 4096 in all, got {columns}x{rows}"));
            }
            let most = CANDIDATES / self.per_frame() as u32;
            if self.depth > most {
                return wrong(
                    "search_depth",
                    format!("must be at most {most} for {columns}x{rows} tiles, got {}", self.depth),
                );
            }
            if self.select.smoothness > 0.0 {
                return wrong("smoothness", "keeps one picture a frame; it does not go with tiles".into());
            }
        }
        if !(0.0..=51.0).contains(&self.crf) {
            return wrong("crf", format!("must be 0 to 51, got {}", self.crf));
        }
        Ok(())
    }

    /// Pictures a frame is made of.
    pub(super) fn per_frame(&self) -> usize {
        self.tiles.map_or(1, |[columns, rows]| columns as usize * rows as usize)
    }

    /// Candidates a frame: selections that look ahead want more than they show.
    pub(super) fn candidates(&self) -> u32 {
        let ahead = self.select.smoothness > 0.0 || self.select.assignment == super::super::select::Assignment::Global;
        let most = (CANDIDATES / self.per_frame() as u32).min(64);
        if ahead { self.depth.max(most) } else { self.depth }
    }

    /// Whether a frame may have to be searched for again, when its candidates are used up.
    pub(super) fn searches_again(&self) -> bool {
        self.select.max_uses.is_some() || self.select.cooldown > 0.0
    }

    /// What matching depends on.
    pub(super) fn matching(&self) -> impl Serialize + use<> {
        #[derive(Serialize)]
        struct Matching {
            descriptor: DescriptorConfig,
            search: String,
            candidates: u32,
            keeps_queries: bool,
            rate: Option<String>,
            seconds: Option<f64>,
            tiles: Option<[u32; 2]>,
            samples: u32,
            sample_interval: u32,
        }
        Matching {
            descriptor: self.descriptor.clone(),
            search: self.search.to_string(),
            candidates: self.candidates(),
            keeps_queries: self.searches_again(),
            rate: self.rate.map(|r| r.to_string()),
            seconds: self.seconds,
            tiles: self.tiles,
            samples: self.samples,
            sample_interval: self.sample_interval,
        }
    }

    /// What the rest depends on, beside the matches.
    pub(super) fn showing(&self) -> impl Serialize + use<> {
        #[derive(Serialize)]
        struct Showing {
            depth: u32,
            select: SelectParams,
            video: bool,
            audio: bool,
            crf: f32,
            frames: bool,
        }
        Showing {
            depth: self.depth,
            select: self.select.clone(),
            video: self.video,
            audio: self.audio,
            crf: self.crf,
            frames: self.frames,
        }
    }
}
