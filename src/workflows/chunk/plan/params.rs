//! Settings of the planner.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::{Settings, check_ranges};
use crate::core::{Rect, Size};
use crate::error::{Error, Result};

/// How chunks are planned.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PlanParams {
    /// Sizes that chunks may have, `[width, height]` in pixels, 1 to 8 of them. They are rounded down to the factor and to the frame.
    #[schemars(length(min = 1, max = 8), inner(inner(range(max = 32768))))]
    pub sizes: Vec<[u32; 2]>,
    /// Positions and sizes are multiples of it, but for chunks that lie flush with the right or bottom edge; 1..=256.
    #[schemars(range(min = 1, max = 256), extend("x-unit" = "pixels"))]
    pub factor: u32,
    /// Whether width and height may be exchanged.
    pub rotate: bool,
    /// Share of the heat that chunks must cover, above 0 up to 1.
    #[schemars(range(max = 1.0), extend("exclusiveMinimum" = 0))]
    pub coverage: f64,
    /// Heat up to this share of the largest value counts as none, 0..1.
    #[schemars(range(min = 0.0), extend("exclusiveMaximum" = 1))]
    pub threshold: f64,
    /// Where covered area goes on over the edge of a chunk, another one covers both sides and at least this many pixels before the
    /// edge: room for blending.
    #[schemars(range(min = 0, max = 1024), extend("x-unit" = "pixels"))]
    pub overlap: u32,
    /// Pixels along each edge inside the frame that are processed as context and not used.
    #[schemars(range(min = 0, max = 1024), extend("x-unit" = "pixels"))]
    pub halo: u32,
    /// Width and height in pixels of what must lie whole in a chunk wherever its middle is hot, as boxes marked by their middles are; up to
    /// 1024, 0 for nothing.
    #[schemars(inner(range(max = 1024)))]
    pub subject: [u32; 2],
    /// Scales of the frame at which chunks are planned, each on its own, above 0 up to 1, 1 to 8 of them. At 0.5, a chunk is processed
    /// in half its size.
    #[schemars(length(min = 1, max = 8), inner(range(min = 0.015625, max = 1.0)))]
    pub scales: Vec<f64>,
    /// Only heat in these counts, `[x, y, width, height]`; all, if there are none.
    #[schemars(length(max = 1000))]
    pub regions: Vec<[u32; 4]>,
    /// Heat in these does not count, `[x, y, width, height]`.
    #[schemars(length(max = 1000))]
    pub exclude: Vec<[u32; 4]>,
    /// Seconds that a chunk is active before its activity begins, 0..=60. Needs the activity of the heat map.
    #[schemars(range(min = 0.0, max = 60.0), extend("x-unit" = "seconds"))]
    pub lead_in: f64,
    /// Seconds that a chunk stays active after its activity, 0..=60.
    #[schemars(range(min = 0.0, max = 60.0), extend("x-unit" = "seconds"))]
    pub hold: f64,
    /// Seconds of a segment, 0.1..=3600: chunks are planned for each by itself and follow their subject from one to the next. Left out,
    /// they stay where they are. Needs the activity of the heat map.
    #[schemars(range(min = 0.1, max = 3600.0), extend("x-unit" = "seconds"))]
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
            subject: [0, 0],
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
    /// Settings for a detector, over a heat map of the middles of boxes ([`super::super::heat::BoxMark::Middle`]) of up to about `subject` in size: every
    /// object that was seen lies whole in a chunk at its time. Chunks are planned second by second, no heat is too little, and what is
    /// left out is one of 200 objects.
    pub fn for_objects(subject: [u32; 2]) -> Self {
        Self {
            coverage: 0.995,
            threshold: 0.0,
            overlap: 8,
            // Boxes of the detector shake a little, and a detector wants to see what is around.
            subject: subject.map(|side| side + side.div_ceil(8) + 4),
            lead_in: 0.1,
            hold: 0.1,
            segment: Some(1.0),
            ..Self::default()
        }
    }

    /// The same over a heat map of motion or anything else that marks what objects of up to about `size` cover. Heat reaches into most of an
    /// object, so three quarters of it need room; what stops stays in its chunk for two seconds.
    pub fn for_moving_objects(size: [u32; 2]) -> Self {
        Self { threshold: 0.01, subject: size.map(|side| (side * 3).div_ceil(4)), hold: 2.0, ..Self::for_objects(size) }
    }

    /// The same with a subject that chunks of all sizes have room for: what is larger lies whole in none of them anyway.
    #[must_use]
    pub fn with_room(mut self) -> Self {
        let taken = self.overlap + 2 * self.factor;
        for (axis, side) in self.subject.iter_mut().enumerate() {
            let least = self.sizes.iter().filter_map(|s| s.get(axis)).min();
            *side = (*side).min(least.map_or(0, |l| l.saturating_sub(taken)));
        }
        self
    }

    /// Pixels along the sides of a chunk inside the frame, across and down, in which heat is not covered: the halo, or half a subject.
    pub(super) fn margins(&self) -> [u32; 2] {
        self.subject.map(|side| side.div_ceil(2).max(self.halo))
    }

    /// The part of a chunk in which heat is covered.
    pub(super) fn covers(&self, chunk: Rect, frame: Size) -> Rect {
        let [mx, my] = self.margins();
        let cut = |start: u32, side: u32, frame: u32, margin: u32| {
            let from = if start > 0 { start + margin } else { 0 };
            let to = if start + side < frame { (start + side).saturating_sub(margin) } else { frame };
            [from, to.saturating_sub(from)]
        };
        let [x, width] = cut(chunk.x, chunk.width, frame.width, mx);
        let [y, height] = cut(chunk.y, chunk.height, frame.height, my);
        Rect { x, y, width, height }
    }

    /// Least sides of a chunk at a scale: for one as it lies.
    fn least_sides(&self, scale: f64) -> [u32; 2] {
        let factor = self.factor_at(scale);
        self.margins().map(|m| (2 * self.overlap + 1).max(self.overlap + 2 * m + factor).next_multiple_of(factor))
    }

    /// Whether chunks of this size have room for overlap and margins.
    pub(super) fn has_room(&self, size: Size, scale: f64) -> bool {
        let [width, height] = self.least_sides(scale);
        size.width >= width && size.height >= height
    }

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
        check_ranges(self, "")?;
        for (i, [width, height]) in self.sizes.iter().enumerate() {
            for scale in &self.scales {
                let [least_width, least_height] = self.least_sides(*scale);
                if *width < least_width || *height < least_height || *width > 32_768 || *height > 32_768 {
                    let why =
                        "more than twice the overlap; overlap, two halos or a subject, and a factor; in whole factors";
                    let message = format!(
                        "must be {least_width}x{least_height} ({why}) to 32768 pixels a side, got {width}x{height}"
                    );
                    return Err(Error::Config { field: format!("sizes[{i}]"), message });
                }
            }
        }
        Ok(())
    }
}
