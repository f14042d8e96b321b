//! `occlusion/erase`: random erasing, in place.
//!
//! | | |
//! |---|---|
//! | input, output | packed RGBA (alpha is kept) or 8-bit grey, changed in place; sizes may differ within a batch |
//! | result | [`Covered`] per picture: erased pixels, each counted once |
//! | parameters | per picture: [`Erasing`] (count 0..=64, probability, area share, ratio), [`Fill`], [`Draw`] |
//! | border | rectangles lie inside the picture |
//! | exactness | exact |
//! | determinism | the same bits on every adapter and for every batch size |
//! | errors | `Parameter` for other formats, sides above 32,768, parameters out of range, another number of them than of pictures |
//! | source | Zhong et al. 2020; random words: pcg4d (Jarzynski and Olano 2020) |
//!
//! Only the box that holds the rectangles is visited; [`Fill::Mean`] reads each picture once.

use super::cover::{Cover, CoverPlan, around};
use crate::core::occlusion::{Erasing, Fill, parts};
use crate::core::random::Draw;
use crate::core::{Covered, Exactness, FrameLayout, Work};
use crate::error::Result;
use crate::gpu::GpuContext;
use crate::ops::{BatchShape, CoverBound, FrameBatch, GpuPictures, OpInfo, ParamDoc, on_copy, plan_error};

const NAME: &str = "occlusion/erase";
/// Most rectangles in a picture: bounds the loop of the kernel.
const MAX_COUNT: u32 = 64;

/// What `frameloom ops` says about this operation.
pub const INFO: OpInfo = OpInfo {
    name: NAME,
    summary: "random erasing: rectangles filled with a colour, the mean or noise, in place",
    input: "rgba8 or gray8",
    output: "the same pictures; Covered per picture",
    params: &[
        ParamDoc { name: "count", range: "0..=64", meaning: "rectangles per picture" },
        ParamDoc { name: "probability", range: "0..=1", meaning: "whether a rectangle is erased at all" },
        ParamDoc { name: "area", range: "0..=1, least and largest", meaning: "share of the picture" },
        ParamDoc { name: "aspect", range: "above 0, least and largest", meaning: "height / width" },
        ParamDoc { name: "fill", range: "colour, mean, noise", meaning: "what erased pixels become" },
        ParamDoc { name: "draw", range: "seed, picture", meaning: "counters of the random words" },
    ],
    border: "rectangles lie inside",
    exactness: Exactness::Exact,
    reason: "integers; rectangles drawn by correctly rounded operations",
    source: "Zhong et al. 2020; pcg4d",
    entries: &["main", "sum", "mean"],
    fields: &[],
    work,
};

/// For a fifth of the picture.
fn work(layout: &FrameLayout) -> Work {
    let bytes = u64::from(layout.first().shape.row_bytes()) * u64::from(layout.size.height) / 5;
    Work { bytes_read: bytes, bytes_written: bytes, ops: layout.size.area() }
}

/// What is erased in one picture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Erase {
    /// How rectangles are drawn.
    pub erasing: Erasing,
    /// What they are filled with.
    pub fill: Fill,
    /// Counters of the random words.
    pub draw: Draw,
}

impl Erase {
    fn check(&self) -> Result<()> {
        let Erasing { count, probability, area: [least, most], aspect: [flat, tall] } = self.erasing;
        let error = |name, wanted: &str, given: String| Err(plan_error(NAME, name, wanted, given));
        if count > MAX_COUNT {
            return error("count", "at most 64", count.to_string());
        }
        if parts(probability).is_none() {
            return error("probability", "0 to 1", probability.to_string());
        }
        if !(0.0 <= least && least <= most && most <= 1.0) {
            return error("area", "0 <= least <= largest <= 1", format!("{least}, {most}"));
        }
        if !(0.0 < flat && flat <= tall && tall.is_finite()) {
            return error("aspect", "0 < least <= largest", format!("{flat}, {tall}"));
        }
        Ok(())
    }
}

/// A planned `occlusion/erase`.
#[derive(Debug, Clone)]
pub struct ErasePlan(CoverPlan);

impl ErasePlan {
    /// Plans for pictures of one layout or, with a mixed shape, of different sizes.
    pub fn new(ctx: &GpuContext, shape: impl Into<BatchShape>) -> Result<Self> {
        Ok(Self(CoverPlan::new(ctx, NAME, shape.into(), true)?))
    }

    /// Binds the pictures of `frames` from slot `first` on, one of `params` each.
    pub fn bind(&self, ctx: &GpuContext, frames: &dyn FrameBatch, first: u32, params: &[Erase]) -> Result<CoverBound> {
        let pictures = self.0.pictures(ctx, (frames, first), params.len())?;
        let mut covers = Vec::new();
        let mut items = Vec::new();
        for (size, p) in pictures.sizes().iter().zip(params) {
            p.check()?;
            let rects = p.erasing.rects(*size, p.draw);
            let own = [items.len() as u32 / 4, rects.len() as u32, 0, 0, 0, 0, 0, 0];
            covers.push(Cover::filled(around(&rects), p.fill, p.draw, own));
            items.extend(rects.iter().flat_map(|r| [r.x, r.y, r.x + r.width, r.y + r.height]));
        }
        items.extend([0; 4]); // a binding is never empty
        self.0.bind(ctx, frames, &pictures, &covers, Some(&items))
    }
}

/// Copies of all pictures of `src` with rectangles erased, at once: waits for the result. For scripts and tests; streams keep a plan
/// and work in place.
pub fn erase(ctx: &GpuContext, src: &dyn FrameBatch, params: &[Erase]) -> Result<(GpuPictures, Vec<Covered>)> {
    let plan = ErasePlan::new(ctx, BatchShape::of(src)?)?;
    on_copy(ctx, NAME, src, |copy| plan.bind(ctx, copy, 0, params))
}
