//! `filter/gaussian`: Gaussian blur.
//!
//! | | |
//! |---|---|
//! | input | the luma plane of any format (10 bit: 8 most significant bits), or packed RGBA; sizes may differ within a batch |
//! | output | 8-bit grey, or packed RGBA with every channel blurred alike, of the same size |
//! | border | reflect-101 |
//! | exactness | exact, and equal to OpenCV on 8 bits |
//! | determinism | the same bits on every adapter |
//! | errors | `Parameter` for an even size or one out of 3 to 31, a sigma that is no number above 0, sides above 32,768, other layouts than planned, and a result in the buffer of the input |
//! | source | weights in 256ths, each rounded with the error of the ones before (OpenCV's 8-bit Gaussian) |

use super::picture::{Pictures, work as filter_work};
use super::taps::{GaussianParams, Tables};
use crate::core::{Exactness, FrameLayout, Work};
use crate::error::Result;
use crate::gpu::{AdapterClass, GpuContext, Kernel};
use crate::ops::{BatchShape, FrameBatch, FramesBound, GpuFrames, OpInfo, ParamDoc, Passes, gpu_params, run_frames};

const NAME: &str = "filter/gaussian";

/// What `frameloom ops` says about this operation.
pub const INFO: OpInfo = OpInfo {
    name: NAME,
    summary: "Gaussian blur, equal to OpenCV's on 8 bits",
    input: "luma plane (10 bit: 8 most significant bits), or rgba8",
    output: "gray8, or rgba8 with every channel blurred",
    params: &[
        ParamDoc { name: "size", range: "odd, 3..=31 px", meaning: "side of the window" },
        ParamDoc { name: "sigma", range: "above 0 px, or from the size", meaning: "standard deviation" },
    ],
    border: "reflect-101",
    exactness: Exactness::Exact,
    reason: "integer sums below 2^24, rounded once",
    source: "8-bit fixed-point Gaussian of OpenCV",
    entries: &["rows", "columns"],
    fields: Uniform::FIELDS,
    work,
};

/// For a window of 5x5 pixels.
fn work(layout: &FrameLayout) -> Work {
    filter_work(layout, 20)
}

gpu_params! {
    struct Uniform {
        first: u32,
    }
}

/// A planned `filter/gaussian`.
#[derive(Debug, Clone)]
pub struct GaussianPlan {
    kernels: [Kernel; 2],
    pictures: Pictures,
    tables: Tables,
    groups: [u32; 2],
}

impl GaussianPlan {
    /// Plans for pictures of one layout or, with a mixed shape, of different sizes.
    pub fn new(ctx: &GpuContext, input: impl Into<BatchShape>, params: GaussianParams) -> Result<Self> {
        let pictures = Pictures::of(NAME, input.into())?;
        let taps = params.taps(NAME)?;
        let tables = Tables::new(ctx, NAME, &taps, pictures.rgba())?;
        let workgroup = match ctx.caps().class {
            AdapterClass::Cpu => 8u32,
            AdapterClass::Gpu => 64,
        };
        let constants = pictures.constants([("WG", workgroup), ("TAPS", params.size), ("GROUPS", tables.groups)]);
        let kernel = |entry| Kernel::new(ctx, NAME, entry, &constants);
        let groups = pictures.grid(ctx, (1, 4), workgroup)?;
        Ok(Self { kernels: [kernel("rows")?, kernel("columns")?], pictures, tables, groups })
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
        let (sums, base) = self.pictures.sums(ctx, dst, dst_first, pair.len())?;
        let params = Uniform { first: base }.upload(ctx, NAME)?;
        let [rows, columns] = &self.kernels;
        let across = rows.bind(
            ctx,
            &[
                ("params", &params),
                ("src_words", src.buffer()),
                ("src_pictures", pair.src.buffer()),
                ("out_pictures", pair.dst.buffer()),
                ("row_taps", &self.tables.rows),
                ("dst_sums", &sums),
            ],
        )?;
        let down = columns.bind(
            ctx,
            &[
                ("params", &params),
                ("dst", dst.buffer()),
                ("out_pictures", pair.dst.buffer()),
                ("column_taps", &self.tables.columns),
                ("sums", &sums),
            ],
        )?;
        Ok(Passes::new(pair.len()).run(rows, across, self.groups).run(columns, down, self.groups).into())
    }
}

/// Blurs all frames of `src`, at once: waits for the result. For scripts and tests; streams keep a bound plan.
pub fn gaussian(ctx: &GpuContext, src: &GpuFrames, params: GaussianParams) -> Result<GpuFrames> {
    let plan = GaussianPlan::new(ctx, src.layout(), params)?;
    run_frames(ctx, NAME, plan.output(), src.slots(), |dst| plan.bind(ctx, src, 0, dst, 0))
}
