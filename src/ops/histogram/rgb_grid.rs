//! `histogram/rgb_grid`: colour histograms of the cells of a grid.
//!
//! | | |
//! |---|---|
//! | input | pictures of any format, 8 or 10 bits; YUV turns to RGB as in `color/rgb_from_yuv`; sizes may differ within a batch |
//! | output | `grid * grid` cells, row by row, of 512 counts of `u32`: bin `b * 64 + g * 8 + r` of the components divided by 32 |
//! | parameters | `grid` 1..=16 cells across and down, `floor(width / grid)` x `floor(height / grid)` pixels each; `rgb`: what YUV codes mean |
//! | border | pixels right of and below the last cells belong to none; a picture with a side below `grid` has empty cells |
//! | exactness | exact; the counts of a cell add up to its pixels |
//! | determinism | the same bits on every adapter |
//! | errors | `Parameter` for sides above 32,768 and `grid` out of range |
//! | source | privatised histograms (Gómez-Luna et al. 2013): per lane on CPU adapters, per 32 invocations on GPUs |

use crate::core::{Exactness, FrameLayout, Work};
use crate::error::Result;
use crate::gpu::{AdapterClass, BufferUse, GpuBuffer, GpuContext, Kernel};
use crate::ops::color::rgb_from_yuv::RgbParams;
use crate::ops::{
    BatchShape, FrameBatch, Measure, OpInfo, ParamDoc, Passes, PictureTable, RgbSource, gpu_params, grid as dispatch,
    plan_error, reads_pictures, words,
};

const NAME: &str = "histogram/rgb_grid";
/// Bins of a cell.
const BINS: u32 = 512;
/// Tables of a workgroup on a GPU.
const TABLES: u32 = 4;

/// What `frameloom ops` says about this operation.
pub const INFO: OpInfo = OpInfo {
    name: NAME,
    summary: "8x8x8 RGB histograms of the cells of a grid",
    input: "any format (YUV as color/rgb_from_yuv, in registers)",
    output: "u32 counts, 512 per cell, cells row by row; bin B / 32 * 64 + G / 32 * 8 + R / 32",
    params: &[
        ParamDoc { name: "grid", range: "1..=16", meaning: "cells across and down, of floored sizes" },
        ParamDoc { name: "rgb", range: "matrix, range, siting, upsampling", meaning: "how YUV turns to RGB" },
    ],
    border: "pixels behind the last cells belong to none",
    exactness: Exactness::Exact,
    reason: "integer counts",
    source: "Gómez-Luna, González-Linares, Benavides, Guil 2013",
    entries: &["main_lanes", "main_atomic"],
    fields: Uniform::FIELDS,
    work,
};

fn work(layout: &FrameLayout) -> Work {
    let n = layout.size.area();
    Work { bytes_read: layout.format.frame_bytes(layout.size), bytes_written: 16 * u64::from(BINS) * 4, ops: n * 30 }
}

gpu_params! {
    struct Uniform {
        offset: [i32; 4],
        chroma: [i32; 4],
        grid: u32,
        shares: u32,
    }
}

/// A planned `histogram/rgb_grid`.
#[derive(Debug, Clone)]
pub struct RgbGridPlan {
    kernel: Kernel,
    uniform: Uniform,
    shape: BatchShape,
    groups: [u32; 2],
}

/// A plan bound to pictures: all counts of each.
pub type RgbGridBound = Measure<Vec<u32>>;

impl RgbGridPlan {
    /// Plans for pictures of one layout or, with a mixed shape, of different sizes.
    pub fn new(ctx: &GpuContext, shape: impl Into<BatchShape>, grid: u32, rgb: RgbParams) -> Result<Self> {
        Self::for_class(ctx, shape, grid, rgb, ctx.caps().class)
    }

    /// Plans with the kernel variant meant for adapters of `class`. Both variants run, and are exact, on every adapter: this
    /// exists so that tests and benchmarks can compare them.
    pub fn for_class(
        ctx: &GpuContext,
        shape: impl Into<BatchShape>,
        grid: u32,
        rgb: RgbParams,
        class: AdapterClass,
    ) -> Result<Self> {
        let shape = shape.into();
        let source = RgbSource::of(NAME, &shape, rgb)?;
        if !(1..=16).contains(&grid) {
            return Err(plan_error(NAME, "grid", "1 to 16", grid));
        }
        // A cell may begin and end inside a column of 16 pixels.
        let size = shape.largest().size;
        let loads = ((size.width / grid).div_ceil(16) + 1) * (size.height / grid).max(1);
        let cells = grid * grid;
        let (entry, wg, shares) = super::tables(class, loads, 24u32.div_ceil(cells));
        let groups = dispatch(ctx, NAME, u64::from(cells) * u64::from(shares) * u64::from(wg), wg)?;
        let kernel = Kernel::new(
            ctx,
            NAME,
            entry,
            &source.constants([("WG", wg), ("BINS", BINS), ("TABLES", TABLES), ("TABLE", BINS + 1)]),
        )?;
        let uniform = Uniform { offset: source.offset, chroma: source.chroma, grid, shares };
        Ok(Self { kernel, uniform, shape, groups })
    }

    /// Binds the pictures of `src` from slot `first` on.
    pub fn bind(&self, ctx: &GpuContext, src: &dyn FrameBatch, first: u32) -> Result<RgbGridBound> {
        let pictures = PictureTable::each(ctx, NAME, "input", &self.shape, (src, first))?;
        let params = self.uniform.upload(ctx, NAME)?;
        let frame_bytes = self.result_bytes();
        let counts = GpuBuffer::new(ctx, NAME, frame_bytes * u64::from(pictures.len()), BufferUse::Storage)?;
        let bind = self.kernel.bind(
            ctx,
            &[
                ("params", &params),
                ("src", src.buffer()),
                ("src_words", src.buffer()),
                ("src_pictures", pictures.buffer()),
                ("dst_bins", &counts),
            ],
        )?;
        let passes = Passes::new(pictures.len()).clear(&counts, frame_bytes).run(&self.kernel, bind, self.groups);
        Ok(Measure::new(passes, (&counts, frame_bytes), pictures.sizes(), |bytes, _| words(bytes).collect()))
    }

    /// Bytes of results per picture.
    pub fn result_bytes(&self) -> u64 {
        u64::from(self.uniform.grid * self.uniform.grid * BINS) * 4
    }
}

/// Histograms of all pictures of `src`, at once: uploads nothing, waits for the result. For scripts and tests; streams keep a
/// bound plan.
pub fn rgb_grid(ctx: &GpuContext, src: &dyn FrameBatch, grid: u32, rgb: RgbParams) -> Result<Vec<Vec<u32>>> {
    RgbGridPlan::new(ctx, BatchShape::of(src)?, grid, rgb)?.bind(ctx, src, 0)?.run(ctx)
}

reads_pictures!(RgbGridPlan, RgbGridBound, |plan| plan.shape);
