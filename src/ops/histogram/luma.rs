//! `histogram/luma`: how often each brightness occurs.
//!
//! | | |
//! |---|---|
//! | input | the luma plane of any YUV or grey format, 8 or 10 bits, at least 1x1; sizes may differ within a batch |
//! | output | `bins` counts of `u32` per frame: sample `v` of rows 0, `row_step`, `2 * row_step`, ... goes to bin `floor(v * bins / 256)` |
//! | parameters | `bins` 2..=256; `row_step` 1.. rows; above the height only row 0 counts |
//! | border | none; padding is never counted |
//! | exactness | exact; the counts of a frame add up to `width * ceil(height / row_step)` |
//! | determinism | the same bits on every adapter |
//! | errors | `Parameter` for formats without luma, sides above 32,768, `bins` or `row_step` out of range |
//! | source | privatised histograms (Gómez-Luna et al. 2013): per lane on CPU adapters, per subgroup on GPUs |

use crate::core::{Exactness, FrameLayout, Work};
use crate::error::Result;
use crate::gpu::{AdapterClass, BufferUse, GpuBuffer, GpuContext, Kernel};
use crate::ops::luma_plane::LumaPlane;
use crate::ops::{
    BatchShape, FrameBatch, Measure, OpInfo, ParamDoc, Passes, PictureTable, gpu_params, grid, plan_error,
    reads_pictures, words,
};

const NAME: &str = "histogram/luma";

/// What `frameloom ops` says about this operation.
pub const INFO: OpInfo = OpInfo {
    name: NAME,
    summary: "histogram of the luma plane, all rows or every n-th",
    input: "luma plane, u8 or 10 bit (8 most significant bits used)",
    output: "u32 counts, `bins` per frame",
    params: &[
        ParamDoc { name: "bins", range: "2..=256", meaning: "number of equal parts of the code range" },
        ParamDoc { name: "row_step", range: "at least 1", meaning: "every n-th row counts, from row 0" },
    ],
    border: "none",
    exactness: Exactness::Exact,
    reason: "integer counts",
    source: "Gómez-Luna, González-Linares, Benavides, Guil 2013",
    entries: &["main_lanes", "main_atomic"],
    fields: Uniform::FIELDS,
    work,
};

fn work(layout: &FrameLayout) -> Work {
    let n = layout.size.area();
    Work { bytes_read: n * u64::from(layout.format.sample_bytes()), bytes_written: 1024, ops: n * 3 }
}

gpu_params! {
    struct Uniform {
        row_step: u32,
    }
}

/// What to count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HistogramParams {
    /// Number of bins, 2..=256.
    pub bins: u32,
    /// Every `row_step`-th row counts, from row 0; at least 1. Above the height only row 0 counts.
    pub row_step: u32,
}

impl Default for HistogramParams {
    fn default() -> Self {
        Self { bins: 256, row_step: 1 }
    }
}

/// A planned `histogram/luma`.
#[derive(Debug, Clone)]
pub struct LumaHistogramPlan {
    kernel: Kernel,
    uniform: Uniform,
    shape: BatchShape,
    bins: u32,
    groups: [u32; 2],
}

/// A plan bound to pictures: `bins` counts each.
pub type LumaHistogramBound = Measure<Vec<u32>>;

impl LumaHistogramPlan {
    /// Plans for pictures of one layout or, with a mixed shape, of different sizes.
    pub fn new(ctx: &GpuContext, shape: impl Into<BatchShape>, params: HistogramParams) -> Result<Self> {
        Self::for_class(ctx, shape, params, ctx.caps().class)
    }

    /// Plans with the kernel variant meant for adapters of `class`. Both variants run, and are exact, on every adapter: this
    /// exists so that tests and benchmarks can compare them.
    pub fn for_class(
        ctx: &GpuContext,
        shape: impl Into<BatchShape>,
        params: HistogramParams,
        class: AdapterClass,
    ) -> Result<Self> {
        let shape = shape.into();
        let plane = LumaPlane::of_shape(NAME, &shape)?;
        let HistogramParams { bins, row_step } = params;
        if !(2..=256).contains(&bins) {
            return Err(plan_error(NAME, "bins", "2 to 256", bins));
        }
        if row_step == 0 {
            return Err(plan_error(NAME, "row_step", "at least 1", row_step));
        }
        let loads = plane.columns * shape.largest().size.height.div_ceil(row_step); // sides up to 32768: at most 2^26
        let (entry, wg, groups) = super::tables(class, loads, 24);
        let groups = grid(ctx, NAME, u64::from(groups) * u64::from(wg), wg)?;
        let constants = plane.constants([("TAIL", plane.tail()), ("BINS", bins), ("WG", wg)]);
        let kernel = Kernel::new(ctx, NAME, entry, &constants)?;
        Ok(Self { kernel, uniform: Uniform { row_step }, shape, bins, groups })
    }

    /// Binds the pictures of `src` from slot `first` on.
    pub fn bind(&self, ctx: &GpuContext, src: &dyn FrameBatch, first: u32) -> Result<LumaHistogramBound> {
        let pictures = PictureTable::each(ctx, NAME, "input", &self.shape, (src, first))?;
        let params = self.uniform.upload(ctx, NAME)?;
        let frame_bytes = self.result_bytes();
        let counts = GpuBuffer::new(ctx, NAME, frame_bytes * u64::from(pictures.len()), BufferUse::Storage)?;
        let bind = self.kernel.bind(
            ctx,
            &[("params", &params), ("src", src.buffer()), ("src_pictures", pictures.buffer()), ("dst_bins", &counts)],
        )?;
        let passes = Passes::new(pictures.len()).clear(&counts, frame_bytes).run(&self.kernel, bind, self.groups);
        Ok(Measure::new(passes, (&counts, frame_bytes), pictures.sizes(), |bytes, _| words(bytes).collect()))
    }

    /// Bytes of results per picture.
    pub fn result_bytes(&self) -> u64 {
        u64::from(self.bins) * 4
    }
}

/// Histograms of all pictures of `src`, at once: uploads nothing, waits for the result. For scripts and tests; streams keep a
/// bound plan.
pub fn luma(ctx: &GpuContext, src: &dyn FrameBatch, params: HistogramParams) -> Result<Vec<Vec<u32>>> {
    LumaHistogramPlan::new(ctx, BatchShape::of(src)?, params)?.bind(ctx, src, 0)?.run(ctx)
}

reads_pictures!(LumaHistogramPlan, LumaHistogramBound, |plan| plan.shape);
