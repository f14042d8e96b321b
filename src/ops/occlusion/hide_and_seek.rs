//! `occlusion/hide_and_seek`: cells of a grid hidden at random, in place.
//!
//! | | |
//! |---|---|
//! | input, output | packed RGBA (alpha is kept) or 8-bit grey, changed in place; sizes may differ within a batch |
//! | result | [`Covered`] per picture |
//! | parameters | per picture: [`Hiding`] (cells 1..=64, probability), [`Fill`], [`Draw`] |
//! | border | cells share the picture; their sides differ by a pixel where it does not divide |
//! | exactness | exact |
//! | determinism | the same bits on every adapter and for every batch size |
//! | errors | `Parameter` for other formats, sides above 32,768, parameters out of range, another number of them than of pictures |
//! | source | Singh and Lee, "Hide-and-Seek", 2017; random words: pcg4d (Jarzynski and Olano 2020) |

use super::cover::{Cover, CoverPlan, whole};
use crate::core::occlusion::{Fill, Hiding, parts};
use crate::core::random::Draw;
use crate::core::{Covered, Exactness, FrameLayout, Work};
use crate::error::Result;
use crate::gpu::GpuContext;
use crate::ops::{BatchShape, CoverBound, FrameBatch, GpuPictures, OpInfo, ParamDoc, on_copy, plan_error};

const NAME: &str = "occlusion/hide_and_seek";

/// What `frameloom ops` says about this operation.
pub const INFO: OpInfo = OpInfo {
    name: NAME,
    summary: "Hide-and-Seek: cells of a grid hidden at random, in place",
    input: "rgba8 or gray8",
    output: "the same pictures; Covered per picture",
    params: &[
        ParamDoc { name: "cells", range: "1..=64", meaning: "cells across, and down" },
        ParamDoc { name: "probability", range: "0..=1", meaning: "that a cell is hidden" },
        ParamDoc { name: "fill", range: "colour, mean, noise", meaning: "what hidden pixels become" },
        ParamDoc { name: "draw", range: "seed, picture", meaning: "counters of the random words" },
    ],
    border: "none",
    exactness: Exactness::Exact,
    reason: "integers; quotients corrected after f32 division",
    source: "Singh and Lee 2017; pcg4d",
    entries: &["main", "sum", "mean"],
    fields: &[],
    work,
};

/// For half the cells.
fn work(layout: &FrameLayout) -> Work {
    let bytes = u64::from(layout.first().shape.row_bytes()) * u64::from(layout.size.height) / 2;
    Work { bytes_read: bytes, bytes_written: bytes, ops: layout.size.area() * 10 }
}

/// What is hidden in one picture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HideAndSeek {
    /// Cells and probability.
    pub hiding: Hiding,
    /// What hidden cells are filled with.
    pub fill: Fill,
    /// Counters of the random words.
    pub draw: Draw,
}

impl HideAndSeek {
    fn check(&self) -> Result<()> {
        let Hiding { cells, probability } = self.hiding;
        if !(1..=64).contains(&cells) {
            return Err(plan_error(NAME, "cells", "1 to 64", cells));
        }
        if parts(probability).is_none() {
            return Err(plan_error(NAME, "probability", "0 to 1", probability));
        }
        Ok(())
    }

    /// One bit a cell, two words a row.
    fn bits(&self) -> Vec<u32> {
        let cells = self.hiding.cells;
        let word = |row: u32, start: u32| {
            let hidden = (start..cells.min(start + 32)).filter(|c| self.hiding.hides(self.draw, *c, row));
            hidden.fold(0u32, |word, c| word | 1 << (c - start))
        };
        (0..cells).flat_map(|row| [word(row, 0), word(row, 32)]).collect()
    }
}

/// A planned `occlusion/hide_and_seek`.
#[derive(Debug, Clone)]
pub struct HideAndSeekPlan(CoverPlan);

impl HideAndSeekPlan {
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
        params: &[HideAndSeek],
    ) -> Result<CoverBound> {
        let pictures = self.0.pictures(ctx, (frames, first), params.len())?;
        let mut covers = Vec::new();
        let mut items = Vec::new();
        for (size, p) in pictures.sizes().iter().zip(params) {
            p.check()?;
            let own = [p.hiding.cells, items.len() as u32, 0, 0, 0, 0, 0, 0];
            let bits = p.bits();
            let within = if bits.iter().any(|w| *w != 0) { whole(*size) } else { None };
            covers.push(Cover::filled(within, p.fill, p.draw, own));
            items.extend(bits);
        }
        self.0.bind(ctx, frames, &pictures, &covers, Some(&items))
    }
}

/// Copies of all pictures of `src` with cells hidden, at once: waits for the result. For scripts and tests; streams keep a plan and work
/// in place.
pub fn hide_and_seek(
    ctx: &GpuContext,
    src: &dyn FrameBatch,
    params: &[HideAndSeek],
) -> Result<(GpuPictures, Vec<Covered>)> {
    let plan = HideAndSeekPlan::new(ctx, BatchShape::of(src)?)?;
    on_copy(ctx, NAME, src, |copy| plan.bind(ctx, copy, 0, params))
}
