//! `filter/unsharp_mask`: sharper pictures.
//!
//! | | |
//! |---|---|
//! | input | the luma plane of any format (10 bit: 8 most significant bits), or packed RGBA; sizes may differ within a batch |
//! | output | 8-bit grey, or packed RGBA with every channel sharpened alike, of the same size |
//! | mask | `p + amount * (p - g)`, `g` that of `filter/gaussian`, rounded to a code; halves up, limited to 0..=255 |
//! | sharpen | 9 times the pixel less its 8 neighbours, limited to 0..=255 |
//! | border | reflect-101 |
//! | exactness | exact |
//! | determinism | the same bits on every adapter |
//! | errors | `Parameter` for the errors of `filter/gaussian`, and an amount out of 0 to 16 |
//! | source | unsharp masking; the kernel of the sharpening step of curation |

use super::picture::{Pictures, work as filter_work};
use super::taps::{GaussianParams, Tables};
use crate::core::{Exactness, FrameLayout, Work};
use crate::error::Result;
use crate::gpu::{AdapterClass, GpuContext, Kernel};
use crate::ops::{
    BatchShape, FrameBatch, FramesBound, GpuFrames, OpInfo, ParamDoc, Passes, gpu_params, plan_error, run_frames,
};

const NAME: &str = "filter/unsharp_mask";

/// What `frameloom ops` says about this operation.
pub const INFO: OpInfo = OpInfo {
    name: NAME,
    summary: "sharper by what a Gaussian takes away, or by a 3x3 kernel",
    input: "luma plane (10 bit: 8 most significant bits), or rgba8",
    output: "gray8, or rgba8 with every channel sharpened",
    params: &[
        ParamDoc {
            name: "mode",
            range: "mask | sharpen",
            meaning: "blurred difference, or 9 in the centre and -1 around",
        },
        ParamDoc { name: "size, sigma", range: "as filter/gaussian", meaning: "mask: window of the blur" },
        ParamDoc { name: "amount", range: "0..=16, rounded to 256ths", meaning: "mask: weight of the difference" },
    ],
    border: "reflect-101",
    exactness: Exactness::Exact,
    reason: "integers",
    source: "unsharp masking in fixed point",
    entries: &["rows", "mask", "sharpen"],
    fields: Uniform::FIELDS,
    work,
};

/// For the 3x3 kernel.
fn work(layout: &FrameLayout) -> Work {
    filter_work(layout, 10)
}

gpu_params! {
    struct Uniform {
        first: u32,
        amount: u32,
    }
}

/// How to sharpen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Sharpening {
    /// What a Gaussian takes away is added once more.
    Mask {
        /// The Gaussian.
        blur: GaussianParams,
        /// Weight of the difference, 0 to 16; rounded to 256ths.
        amount: f64,
    },
    /// 3x3 kernel: 9 in the centre, -1 around.
    Sharpen,
}

#[derive(Debug, Clone)]
enum Way {
    Mask { kernels: Box<[Kernel; 2]>, groups: [u32; 2], tables: Tables, amount: u32 },
    Sharpen { kernel: Kernel, groups: [u32; 2] },
}

/// A planned `filter/unsharp_mask`.
#[derive(Debug, Clone)]
pub struct UnsharpMaskPlan {
    pictures: Pictures,
    way: Way,
}

impl UnsharpMaskPlan {
    /// Plans for pictures of one layout or, with a mixed shape, of different sizes.
    pub fn new(ctx: &GpuContext, input: impl Into<BatchShape>, sharpening: Sharpening) -> Result<Self> {
        let pictures = Pictures::of(NAME, input.into())?;
        let (workgroup, rows) = match ctx.caps().class {
            AdapterClass::Cpu => (8u32, 32u32),
            AdapterClass::Gpu => (64, 4),
        };
        let way = match sharpening {
            Sharpening::Mask { blur, amount } => {
                if !(0.0..=16.0).contains(&amount) {
                    return Err(plan_error(NAME, "amount", "0 to 16", amount));
                }
                let tables = Tables::new(ctx, NAME, &blur.taps(NAME)?, pictures.rgba())?;
                let constants = pictures.constants([("WG", workgroup), ("TAPS", blur.size), ("GROUPS", tables.groups)]);
                let kernel = |entry| Kernel::new(ctx, NAME, entry, &constants);
                let groups = pictures.grid(ctx, (1, 4), workgroup)?;
                let kernels = Box::new([kernel("rows")?, kernel("mask")?]);
                Way::Mask { kernels, groups, tables, amount: (amount * 256.0).round() as u32 }
            }
            Sharpening::Sharpen => {
                let constants = pictures.constants([("WG", workgroup), ("ROWS", rows)]);
                let kernel = Kernel::new(ctx, NAME, "sharpen", &constants)?;
                Way::Sharpen { kernel, groups: pictures.grid(ctx, (1, rows), workgroup)? }
            }
        };
        Ok(Self { pictures, way })
    }

    /// Layout of the results; of the largest one for mixed sizes.
    pub fn output(&self) -> &FrameLayout {
        self.pictures.output().largest()
    }

    /// Binds the pictures of `src` from slot `first` on to results of their sizes in `dst` from slot `dst_first` on.
    pub fn bind(
        &self,
        ctx: &GpuContext,
        src: &dyn FrameBatch,
        first: u32,
        dst: &dyn FrameBatch,
        dst_first: u32,
    ) -> Result<FramesBound> {
        let pair = self.pictures.pair(ctx, (src, first), (dst, dst_first))?;
        let pictures =
            [("src_words", src.buffer()), ("src_pictures", pair.src.buffer()), ("out_pictures", pair.dst.buffer())];
        let passes = Passes::new(pair.len());
        match &self.way {
            Way::Sharpen { kernel, groups } => {
                let mut all = pictures.to_vec();
                all.extend([("src", src.buffer()), ("dst", dst.buffer())]);
                Ok(passes.run(kernel, kernel.bind(ctx, &all)?, *groups).into())
            }
            Way::Mask { kernels, groups, tables, amount } => {
                let [rows, mask] = kernels.as_ref();
                let (sums, base) = self.pictures.sums(ctx, dst, dst_first, pair.len())?;
                let params = Uniform { first: base, amount: *amount }.upload(ctx, NAME)?;
                let mut all = pictures.to_vec();
                all.extend([("params", &params), ("row_taps", &tables.rows), ("dst_sums", &sums)]);
                let across = rows.bind(ctx, &all)?;
                let mut all = pictures.to_vec();
                all.extend([("src", src.buffer()), ("params", &params), ("dst", dst.buffer())]);
                all.extend([("column_taps", &tables.columns), ("sums", &sums)]);
                let down = mask.bind(ctx, &all)?;
                Ok(passes.run(rows, across, *groups).run(mask, down, *groups).into())
            }
        }
    }
}

/// Sharpens all frames of `src`, at once: waits for the result. For scripts and tests; streams keep a bound plan.
pub fn unsharp_mask(ctx: &GpuContext, src: &GpuFrames, sharpening: Sharpening) -> Result<GpuFrames> {
    let plan = UnsharpMaskPlan::new(ctx, src.layout(), sharpening)?;
    run_frames(ctx, NAME, plan.output(), src.slots(), |dst| plan.bind(ctx, src, 0, dst, 0))
}
