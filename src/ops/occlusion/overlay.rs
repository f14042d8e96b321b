//! `occlusion/overlay`: a colour over a region, in place.
//!
//! | | |
//! |---|---|
//! | input, output | packed RGBA (alpha is kept) or 8-bit grey, changed in place; sizes may differ within a batch |
//! | result | [`Covered`] per picture: pixels of the region |
//! | parameters | per picture: [`Region`] (band or rectangle), colour, opacity 0..=1, [`LayMode`] |
//! | border | what lies outside the picture does not count |
//! | exactness | exact |
//! | determinism | the same bits on every adapter |
//! | errors | `Parameter` for other formats, sides above 32,768, parameters out of range, another number of them than of pictures |
//! | source | alpha blend `(p (65536 - s) + c s + 32768) >> 16`; the saturating sum is the overlay of older curation tools |

use super::cover::{Cover, CoverPlan};
use crate::core::occlusion::{LayMode, Region, parts};
use crate::core::random::Draw;
use crate::core::{Covered, Exactness, FrameLayout, Work};
use crate::error::Result;
use crate::gpu::GpuContext;
use crate::ops::{BatchShape, CoverBound, FrameBatch, GpuPictures, OpInfo, ParamDoc, on_copy, plan_error};

const NAME: &str = "occlusion/overlay";

/// What `frameloom ops` says about this operation.
pub const INFO: OpInfo = OpInfo {
    name: NAME,
    summary: "a colour blended over a band or a rectangle, in place",
    input: "rgba8 or gray8",
    output: "the same pictures; Covered per picture",
    params: &[
        ParamDoc { name: "region", range: "band (side, share 0..=1) or rectangle", meaning: "where" },
        ParamDoc { name: "colour", range: "R, G, B (grey: the first)", meaning: "what is laid over" },
        ParamDoc { name: "opacity", range: "0..=1, in 65 536ths", meaning: "share of the colour" },
        ParamDoc { name: "mode", range: "blend, add", meaning: "alpha blend, or the share added and saturated" },
    ],
    border: "none",
    exactness: Exactness::Exact,
    reason: "16-bit fixed point, rounded half up",
    source: "alpha blend",
    entries: &["main"],
    fields: &[],
    work,
};

/// For a third of the picture.
fn work(layout: &FrameLayout) -> Work {
    let bytes = u64::from(layout.first().shape.row_bytes()) * u64::from(layout.size.height) / 3;
    Work { bytes_read: bytes, bytes_written: bytes, ops: bytes * 4 }
}

/// What is laid over one picture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Overlay {
    /// Where.
    pub region: Region,
    /// R, G, B; of grey pictures the first.
    pub colour: [u8; 3],
    /// Share of the colour, 0..=1.
    pub opacity: f64,
    /// Blended or added.
    pub mode: LayMode,
}

/// A planned `occlusion/overlay`.
#[derive(Debug, Clone)]
pub struct OverlayPlan(CoverPlan);

impl OverlayPlan {
    /// Plans for pictures of one layout or, with a mixed shape, of different sizes.
    pub fn new(ctx: &GpuContext, shape: impl Into<BatchShape>) -> Result<Self> {
        Ok(Self(CoverPlan::new(ctx, NAME, shape.into(), false)?))
    }

    /// Binds the pictures of `frames` from slot `first` on, one of `params` each.
    pub fn bind(
        &self,
        ctx: &GpuContext,
        frames: &dyn FrameBatch,
        first: u32,
        params: &[Overlay],
    ) -> Result<CoverBound> {
        let pictures = self.0.pictures(ctx, (frames, first), params.len())?;
        let mut covers = Vec::new();
        for (size, p) in pictures.sizes().iter().zip(params) {
            let share = parts(p.opacity).ok_or_else(|| plan_error(NAME, "opacity", "0 to 1", p.opacity))?;
            if let Region::Band { share, .. } = p.region
                && parts(share).is_none()
            {
                return Err(plan_error(NAME, "region", "a share of 0 to 1", share));
            }
            let within = p.region.rect(*size);
            let [x, y, right, bottom] = within.map_or([0; 4], |r| [r.x, r.y, r.x + r.width, r.y + r.height]);
            covers.push(Cover {
                within,
                kind: u32::from(p.mode == LayMode::Add),
                colour: p.colour,
                draw: Draw::default(),
                own: [x, y, right, bottom, share, 0, 0, 0],
            });
        }
        self.0.bind(ctx, frames, &pictures, &covers, None)
    }
}

/// Copies of all pictures of `src` with a colour laid over, at once: waits for the result. For scripts and tests; streams keep a plan
/// and work in place.
pub fn overlay(ctx: &GpuContext, src: &dyn FrameBatch, params: &[Overlay]) -> Result<(GpuPictures, Vec<Covered>)> {
    let plan = OverlayPlan::new(ctx, BatchShape::of(src)?)?;
    on_copy(ctx, NAME, src, |copy| plan.bind(ctx, copy, 0, params))
}
