//! Where a network looks besides at the whole frame: small objects are too small for it there.

use std::sync::Arc;

use crate::core::slices::tiles;
use crate::core::{Rect, Size, Slices};
use crate::error::{Error, Result};

/// Overlap of tiles as a share of their shorter side, where none is given.
const OVERLAP: f64 = 0.2;
/// Most parts of a frame.
const MOST: usize = 1024;

/// Parts of the frame that a network looks at, each on its own, besides the whole.
#[derive(Debug, Clone)]
pub enum TrackSlices {
    /// Tiles of one size over the whole frame.
    Grid {
        /// Their size in pixels.
        tile: Size,
        /// Pixels by which neighbours overlap at least; below the sides of a tile.
        overlap: u32,
    },
    /// Parts that may change with time: a chunk plan, for instance.
    Plan {
        /// The parts.
        plan: Arc<dyn Slices>,
        /// Content id, for the run key.
        id: String,
    },
}

fn refused(message: impl Into<String>) -> Error {
    Error::Config { field: "slices".into(), message: message.into() }
}

impl TrackSlices {
    /// Reads a size of tiles: `640`, `640x360`, each with `+96` for an overlap in pixels; without it they overlap by a fifth of the shorter side.
    /// `None` for what is no size: the name of a file, for instance.
    ///
    /// # Errors
    /// [`Error::Config`] for tiles below 16 pixels and an overlap that is not below their sides.
    pub fn grid(text: &str) -> Result<Option<Self>> {
        let (sides, overlap) = text.split_once('+').map_or((text, None), |(sides, overlap)| (sides, Some(overlap)));
        let (width, height) = sides.split_once('x').unwrap_or((sides, sides));
        let number = |text: &str| text.parse::<u32>().ok();
        let (Some(width), Some(height)) = (number(width), number(height)) else { return Ok(None) };
        let overlap = match overlap.map(number) {
            Some(None) => return Ok(None),
            Some(Some(pixels)) => pixels,
            None => (f64::from(width.min(height)) * OVERLAP).round() as u32,
        };
        let least = width.min(height);
        if least < 16 || overlap >= least {
            return Err(refused(format!(
                "tiles must have sides of 16 pixels at least and overlap by less than that, got `{text}`"
            )));
        }
        Ok(Some(Self::Grid { tile: Size::new(width, height), overlap }))
    }

    /// What it is, for the run key.
    pub fn content(&self) -> String {
        match self {
            Self::Grid { tile, overlap } => format!("tiles {tile}+{overlap}"),
            Self::Plan { id, .. } => format!("plan {id}"),
        }
    }

    /// Whether it is for frames of a size.
    ///
    /// # Errors
    /// [`Error::Config`], which names both.
    pub(super) fn check(&self, frame: Size) -> Result<()> {
        if let Self::Plan { plan, .. } = self
            && plan.frame() != frame
        {
            return Err(refused(format!("the plan is for frames of {}, those of the video are {frame}", plan.frame())));
        }
        let most = self.most(frame);
        if most > MOST {
            return Err(refused(format!("at most {MOST} parts of a frame are looked at, got {most}")));
        }
        Ok(())
    }

    /// Parts of a frame at most, the whole of it among them.
    pub(super) fn most(&self, frame: Size) -> usize {
        1 + match self {
            Self::Grid { tile, overlap } => tiles(frame, *tile, *overlap).map_or(0, |t| t.len()),
            Self::Plan { plan, .. } => plan.most(),
        }
    }

    /// The whole frame, and its parts at a time.
    pub(super) fn rects(&self, frame: Size, seconds: f64) -> Vec<Rect> {
        let parts = match self {
            Self::Grid { tile, overlap } => tiles(frame, *tile, *overlap).unwrap_or_default(),
            Self::Plan { plan, .. } => plan.rects_at(seconds),
        };
        let whole = Rect::full(frame);
        std::iter::once(whole).chain(parts.into_iter().filter(|r| *r != whole)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_and_names_of_files_are_none() {
        let of = |text| TrackSlices::grid(text).map(|s| s.map(|s| s.content()));
        for (text, wanted) in [
            ("640", "tiles 640x640+128"),
            ("320x200", "tiles 320x200+40"),
            ("320x200+0", "tiles 320x200+0"),
            ("96+95", "tiles 96x96+95"),
        ] {
            assert_eq!(of(text).unwrap().as_deref(), Some(wanted), "{text}");
        }
        for text in ["chunks.json", "", "640x", "x640", "640+", "640+a", "-640", "./640x640.json"] {
            assert_eq!(of(text).unwrap(), None, "{text}");
        }
        for text in ["0", "15", "640+640", "640x15"] {
            assert!(of(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_whole_frame_is_looked_at_once() {
        let grid = |text: &str| TrackSlices::grid(text).unwrap().unwrap();
        let frame = Size::new(480, 360);
        let parts = grid("240").rects(frame, 0.0);
        assert_eq!((parts.len(), grid("240").most(frame), parts[0]), (7, 7, Rect::full(frame)));
        assert!(parts.iter().skip(1).all(|r| (r.width, r.height) == (240, 240) && r.fits(frame)));
        assert_eq!(grid("4000").rects(frame, 0.0), [Rect::full(frame)]);
        assert!(grid("16").check(frame).is_err() && grid("32").check(frame).is_ok());
    }
}
