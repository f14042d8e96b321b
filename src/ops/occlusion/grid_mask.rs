//! `occlusion/grid_mask`: a grid of squares covered, in place.
//!
//! | | |
//! |---|---|
//! | input, output | packed RGBA (alpha is kept) or 8-bit grey, changed in place; sizes may differ within a batch |
//! | result | [`Covered`] per picture |
//! | parameters | per picture: [`Grid`] (period, kept ratio, offset, angle), [`Fill`], [`Draw`] of the noise |
//! | border | the grid goes on forever |
//! | exactness | exact |
//! | determinism | the same bits on every adapter, given the same 2^-14 of cosine and sine |
//! | errors | `Parameter` for other formats, sides above 32,768, parameters out of range, another number of them than of pictures |
//! | source | Chen et al., "GridMask Data Augmentation", 2020 |

use super::cover::{Cover, CoverPlan, whole};
use crate::core::occlusion::{Fill, Grid, parts};
use crate::core::random::Draw;
use crate::core::{Covered, Exactness, FrameLayout, Work};
use crate::error::Result;
use crate::gpu::GpuContext;
use crate::ops::{BatchShape, CoverBound, FrameBatch, GpuPictures, MAX_SIDE, OpInfo, ParamDoc, on_copy, plan_error};

const NAME: &str = "occlusion/grid_mask";

/// What `frameloom ops` says about this operation.
pub const INFO: OpInfo = OpInfo {
    name: NAME,
    summary: "GridMask: a regular, possibly turned grid of squares covered, in place",
    input: "rgba8 or gray8",
    output: "the same pictures; Covered per picture",
    params: &[
        ParamDoc { name: "period", range: "2..=32768 px", meaning: "from hole to hole" },
        ParamDoc { name: "ratio", range: "0..=1", meaning: "share of the period kept between holes" },
        ParamDoc { name: "offset", range: "px, modulo the period", meaning: "where the first hole begins" },
        ParamDoc { name: "degrees", range: "finite", meaning: "turns the grid around the middle, clockwise" },
        ParamDoc { name: "fill", range: "colour, mean, noise", meaning: "what covered pixels become" },
        ParamDoc { name: "draw", range: "seed, picture", meaning: "counters of the noise" },
    ],
    border: "none",
    exactness: Exactness::Exact,
    reason: "integers; quotients corrected after f32 division",
    source: "Chen et al. 2020",
    entries: &["main", "sum", "mean"],
    fields: &[],
    work,
};

/// For a grid that covers a quarter.
fn work(layout: &FrameLayout) -> Work {
    let bytes = u64::from(layout.first().shape.row_bytes()) * u64::from(layout.size.height) / 4;
    Work { bytes_read: bytes, bytes_written: bytes, ops: layout.size.area() * 20 }
}

/// The grid over one picture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GridMask {
    /// Where holes are; [`Grid::drawn`] chooses offset and angle at random.
    pub grid: Grid,
    /// What they are filled with.
    pub fill: Fill,
    /// Counters of the noise.
    pub draw: Draw,
}

impl GridMask {
    fn check(&self) -> Result<()> {
        let Grid { period, ratio, degrees, .. } = self.grid;
        if !(2..=MAX_SIDE).contains(&period) {
            return Err(plan_error(NAME, "period", format!("2 to {MAX_SIDE}"), period));
        }
        if parts(ratio).is_none() {
            return Err(plan_error(NAME, "ratio", "0 to 1", ratio));
        }
        if !degrees.is_finite() {
            return Err(plan_error(NAME, "degrees", "a finite angle", degrees));
        }
        Ok(())
    }
}

/// A planned `occlusion/grid_mask`.
#[derive(Debug, Clone)]
pub struct GridMaskPlan(CoverPlan);

impl GridMaskPlan {
    /// Plans for pictures of one layout or, with a mixed shape, of different sizes.
    pub fn new(ctx: &GpuContext, shape: impl Into<BatchShape>) -> Result<Self> {
        Ok(Self(CoverPlan::new(ctx, NAME, shape.into(), true)?))
    }

    /// Binds the pictures of `frames` from slot `first` on, one of `params` each.
    pub fn bind(
        &self,
        ctx: &GpuContext,
        frames: &dyn FrameBatch,
        first: u32,
        params: &[GridMask],
    ) -> Result<CoverBound> {
        let pictures = self.0.pictures(ctx, (frames, first), params.len())?;
        let mut covers = Vec::new();
        for (size, p) in pictures.sizes().iter().zip(params) {
            p.check()?;
            let steps = p.grid.steps();
            let ([across, down], [cos, sin]) = (steps.offset, steps.turn.map(i32::cast_unsigned));
            let own = [steps.period, steps.hole, across, down, cos, sin, steps.turned.into(), 0];
            let within = if steps.hole > 0 { whole(*size) } else { None };
            covers.push(Cover::filled(within, p.fill, p.draw, own));
        }
        self.0.bind(ctx, frames, &pictures, &covers, None)
    }
}

/// Copies of all pictures of `src` with a grid covered, at once: waits for the result. For scripts and tests; streams keep a plan and
/// work in place.
pub fn grid_mask(ctx: &GpuContext, src: &dyn FrameBatch, params: &[GridMask]) -> Result<(GpuPictures, Vec<Covered>)> {
    let plan = GridMaskPlan::new(ctx, BatchShape::of(src)?)?;
    on_copy(ctx, NAME, src, |copy| plan.bind(ctx, copy, 0, params))
}
