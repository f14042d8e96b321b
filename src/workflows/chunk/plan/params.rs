//! Settings of the planner.

use serde::{Deserialize, Serialize};

use crate::config::Settings;
use crate::core::Rect;
use crate::error::{Error, Result};

/// How chunks are planned.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PlanParams {
    /// Sizes that chunks may have, `[width, height]` in pixels, 1 to 8 of them. They are rounded down to the factor and to the frame.
    pub sizes: Vec<[u32; 2]>,
    /// Positions and sizes are multiples of it, but for chunks that lie flush with the right or bottom edge; 1..=256.
    pub factor: u32,
    /// Whether width and height may be exchanged.
    pub rotate: bool,
    /// Share of the heat that chunks must cover, above 0 up to 1.
    pub coverage: f64,
    /// Heat up to this share of the largest value counts as none, 0..1.
    pub threshold: f64,
    /// Where covered area goes on over the edge of a chunk, another one covers both sides and at least this many pixels before the
    /// edge: room for blending.
    pub overlap: u32,
    /// Pixels along each edge inside the frame that are processed as context and not used.
    pub halo: u32,
    /// Scales of the frame at which chunks are planned, each on its own, above 0 up to 1, 1 to 8 of them. At 0.5, a chunk is processed
    /// in half its size.
    pub scales: Vec<f64>,
    /// Only heat in these counts, `[x, y, width, height]`; all, if there are none.
    pub regions: Vec<[u32; 4]>,
    /// Heat in these does not count, `[x, y, width, height]`.
    pub exclude: Vec<[u32; 4]>,
    /// Seconds that a chunk is active before its activity begins, 0..=60. Needs the activity of the heat map.
    pub lead_in: f64,
    /// Seconds that a chunk stays active after its activity, 0..=60.
    pub hold: f64,
    /// Seconds of a segment, 0.1..=3600: chunks are planned for each by itself and follow their subject from one to the next. Left out,
    /// they stay where they are. Needs the activity of the heat map.
    pub segment: Option<f64>,
}

impl Default for PlanParams {
    fn default() -> Self {
        Self {
            sizes: vec![[512, 512]],
            factor: 8,
            rotate: true,
            coverage: 0.99,
            threshold: 0.05,
            overlap: 16,
            halo: 0,
            scales: vec![1.0],
            regions: Vec::new(),
            exclude: Vec::new(),
            lead_in: 0.2,
            hold: 0.4,
            segment: None,
        }
    }
}

impl PlanParams {
    /// The factor in pixels of the frame, for chunks that are processed at `scale`.
    pub(in crate::workflows::chunk) fn factor_at(&self, scale: f64) -> u32 {
        ((f64::from(self.factor) / scale).round() as u32).max(1)
    }
}

pub(super) fn rects(list: &[[u32; 4]]) -> Vec<Rect> {
    list.iter().map(|[x, y, width, height]| Rect { x: *x, y: *y, width: *width, height: *height }).collect()
}

impl Settings for PlanParams {
    fn check(&self) -> Result<()> {
        let config = |field: &str, message: String| Err(Error::Config { field: field.into(), message });
        if !(1..=8).contains(&self.sizes.len()) {
            return config("sizes", format!("must be 1 to 8 sizes, got {}", self.sizes.len()));
        }
        if !(1..=256).contains(&self.factor) {
            return config("factor", format!("must be in 1..=256, got {}", self.factor));
        }
        for (field, value) in [("overlap", self.overlap), ("halo", self.halo)] {
            if value > 1024 {
                return config(field, format!("must be at most 1024 pixels, got {value}"));
            }
        }
        if !(self.coverage > 0.0 && self.coverage <= 1.0) {
            return config("coverage", format!("must be above 0 up to 1, got {}", self.coverage));
        }
        if !(0.0..1.0).contains(&self.threshold) {
            return config("threshold", format!("must be a share from 0 to below 1, got {}", self.threshold));
        }
        if !(1..=8).contains(&self.scales.len()) || self.scales.iter().any(|s| !(*s >= 1.0 / 64.0 && *s <= 1.0)) {
            return config("scales", format!("must be 1 to 8 scales of 1/64 to 1, got {:?}", self.scales));
        }
        for (i, [width, height]) in self.sizes.iter().enumerate() {
            for scale in &self.scales {
                let factor = self.factor_at(*scale);
                let least = (2 * self.overlap + 1).max(self.overlap + 2 * self.halo + factor).next_multiple_of(factor);
                if *width < least || *height < least || *width > 32_768 || *height > 32_768 {
                    let why = "more than twice the overlap; overlap, two halos and a factor; in whole factors";
                    let message = format!("must be {least} ({why}) to 32768 pixels a side, got {width}x{height}");
                    return config(&format!("sizes[{i}]"), message);
                }
            }
        }
        for (field, value) in [("lead_in", self.lead_in), ("hold", self.hold)] {
            if !(0.0..=60.0).contains(&value) {
                return config(field, format!("must be 0 to 60 seconds, got {value}"));
            }
        }
        if let Some(seconds) = self.segment.filter(|s| !(0.1..=3600.0).contains(s)) {
            return config("segment", format!("must be 0.1 to 3600 seconds, got {seconds}"));
        }
        for (field, list) in [("regions", &self.regions), ("exclude", &self.exclude)] {
            if list.len() > 1000 {
                return config(field, format!("must be at most 1000 rectangles, got {}", list.len()));
            }
        }
        Ok(())
    }
}
