//! A heat map on the host.

use serde::Serialize;

use crate::core::{Rect, Size};
use crate::error::{Error, Result};

/// How active each pixel of a frame is: finite numbers from 0 on, row by row. Their scale does not matter to [`super::plan`];
/// [`super::place`] expects 0..=1.
#[derive(Debug, Clone, PartialEq)]
pub struct HeatMap {
    size: Size,
    values: Vec<f32>,
    most: f32,
}

/// Figures of a map under the keys of the original system.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct ActivityStats {
    /// Mean value.
    pub mean_activity: f64,
    /// Largest value.
    pub max_activity: f64,
    /// Least value.
    pub min_activity: f64,
    /// Standard deviation of the population.
    pub std_activity: f64,
    /// Pixels above 0.1.
    pub active_pixels: u64,
    /// All pixels.
    pub total_pixels: u64,
    /// `active_pixels / total_pixels`.
    pub activity_ratio: f64,
}

impl HeatMap {
    /// Longest side, as for all operations.
    pub const MAX_SIDE: u32 = 32_768;

    /// A map of `size.area()` values.
    ///
    /// # Errors
    /// [`Error::Parameter`] for an empty or too large size, another number of values, and values that are negative or not finite.
    pub fn new(size: Size, values: Vec<f32>) -> Result<Self> {
        let bad = |name, wanted: String, given: String| Err(Error::Parameter { op: "chunk/heat", name, wanted, given });
        if size.is_empty() || size.width > Self::MAX_SIDE || size.height > Self::MAX_SIDE {
            return bad("size", format!("1x1 to {0}x{0}", Self::MAX_SIDE), size.to_string());
        }
        if values.len() as u64 != size.area() {
            return bad("values", format!("{} numbers for {size}", size.area()), values.len().to_string());
        }
        if let Some((at, v)) =
            values.iter().enumerate().find(|(_, v)| !v.is_finite() || v.is_sign_negative() && **v != 0.0)
        {
            return bad("values", "finite and not negative".into(), format!("{v} at {at}"));
        }
        let most = values.iter().copied().fold(0.0, f32::max);
        Ok(Self { size, values, most })
    }

    /// Width and height.
    pub const fn size(&self) -> Size {
        self.size
    }

    /// The values, row by row.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// The largest value.
    pub const fn most(&self) -> f32 {
        self.most
    }

    /// The values of row `y` from `x0` to `x1`.
    pub(super) fn row(&self, y: u32, x0: u32, x1: u32) -> &[f32] {
        let start = y as usize * self.size.width as usize;
        self.values.get(start + x0 as usize..start + x1 as usize).unwrap_or_default()
    }

    /// The map of `size`, each value that of the place it lies at.
    ///
    /// # Errors
    /// [`Error::Parameter`] for an empty or too large size.
    pub fn resized(&self, size: Size) -> Result<Self> {
        if size == self.size {
            return Ok(self.clone());
        }
        let area = if size.width <= Self::MAX_SIDE && size.height <= Self::MAX_SIDE { size.area() } else { 0 };
        let at = |n: u32, to: u32, from: u32| ((2 * u64::from(n) + 1) * u64::from(from) / (2 * u64::from(to))) as u32;
        let mut values = Vec::with_capacity(area as usize);
        for y in 0..if area > 0 { size.height } else { 0 } {
            let row = self.row(at(y, size.height, self.size.height), 0, self.size.width);
            values.extend((0..size.width).filter_map(|x| row.get(at(x, size.width, self.size.width) as usize)));
        }
        Self::new(size, values)
    }

    /// Keeps heat inside any of `regions` (everywhere, if there are none) and outside all of `exclude`. Rectangles may reach over the
    /// edges.
    /// `None` where that is everything.
    #[must_use]
    pub fn limited(&self, regions: &[Rect], exclude: &[Rect]) -> Option<Self> {
        if regions.is_empty() && exclude.is_empty() {
            return None;
        }
        let holds = |r: &Rect, x: u32, y: u32| x >= r.x && y >= r.y && x - r.x < r.width && y - r.y < r.height;
        let width = self.size.width as usize;
        let values: Vec<f32> = self
            .values
            .iter()
            .enumerate()
            .map(|(i, v)| {
                let (x, y) = ((i % width) as u32, (i / width) as u32);
                let inside = regions.is_empty() || regions.iter().any(|r| holds(r, x, y));
                if inside && !exclude.iter().any(|r| holds(r, x, y)) { *v } else { 0.0 }
            })
            .collect();
        let most = values.iter().copied().fold(0.0, f32::max);
        Some(Self { size: self.size, values, most })
    }

    /// Keeps heat where a mask is bright: where the pixel of `mask`, grey and row by row, that a pixel of the map lies at is 128 or more.
    ///
    /// # Errors
    /// [`Error::Parameter`] for an empty mask, or one with another number of pixels than `size` says.
    pub fn masked(&self, size: Size, mask: &[u8]) -> Result<Self> {
        if size.is_empty() || mask.len() as u64 != size.area() {
            let (wanted, given) = (format!("{} pixels for {size}", size.area()), mask.len().to_string());
            return Err(Error::Parameter { op: "chunk/heat", name: "mask", wanted, given });
        }
        let at = |n: u32, from: u32, to: u32| u64::from(n) * u64::from(to) / u64::from(from);
        let width = self.size.width as usize;
        let kept = self.values.iter().enumerate().map(|(i, v)| {
            let (x, y) = ((i % width) as u32, (i / width) as u32);
            let (x, y) = (at(x, self.size.width, size.width), at(y, self.size.height, size.height));
            let bright = mask.get((y * u64::from(size.width) + x) as usize).is_some_and(|m| *m >= 128);
            if bright { *v } else { 0.0 }
        });
        Self::new(self.size, kept.collect())
    }

    /// Figures of the map.
    pub fn stats(&self) -> ActivityStats {
        let n = self.values.len() as f64;
        let mean = self.values.iter().map(|v| f64::from(*v)).sum::<f64>() / n;
        let spread = self.values.iter().map(|v| (f64::from(*v) - mean).powi(2)).sum::<f64>() / n;
        let active = self.values.iter().filter(|v| **v > 0.1).count() as u64;
        ActivityStats {
            mean_activity: mean,
            max_activity: f64::from(self.most),
            min_activity: f64::from(self.values.iter().copied().fold(f32::INFINITY, f32::min)),
            std_activity: spread.sqrt(),
            active_pixels: active,
            total_pixels: self.values.len() as u64,
            activity_ratio: active as f64 / n,
        }
    }
}
