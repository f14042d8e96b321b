//! `histogram/luma`: how often each brightness occurs.
//!
//! | | |
//! |---|---|
//! | input | the luma plane of any YUV or grey format, 8 or 10 bits, at least 1x1 |
//! | output | `bins` counts of `u32` per frame: sample `v` of rows 0, `row_step`, `2 * row_step`, ... goes to bin `floor(v * bins / 256)` |
//! | parameters | `bins` 2..=256; `row_step` 1.. rows |
//! | border | none; padding is never counted |
//! | exactness | exact; the counts of a frame add up to `width * ceil(height / row_step)` |
//! | determinism | the same bits on every adapter |
//! | errors | `Parameter` for formats without luma, sides above 32,768, `bins` or `row_step` out of range |
//! | source | privatised histograms (Gómez-Luna et al. 2013): per lane on CPU adapters, per subgroup on GPUs |

use crate::core::{Exactness, FrameLayout, Work};
use crate::error::Result;
use crate::gpu::{AdapterClass, BindGroup, BufferUse, GpuBuffer, GpuContext, Kernel, Recorder};
use crate::ops::luma_plane::LumaPlane;
use crate::ops::{GpuFrames, OpInfo, ParamDoc, check_layout, gpu_params, plan_error};

const NAME: &str = "histogram/luma";
/// Most loop steps of an invocation, stated in the kernel; clearing and merging add 512.
const MAX_STEPS: u32 = 16_384;

/// What `frameloom ops` says about this operation.
pub const INFO: OpInfo = OpInfo {
    name: NAME,
    summary: "histogram of the luma plane, all rows or every n-th",
    input: "luma plane, u8 or 10 bit (8 most significant bits used)",
    output: "u32 counts, `bins` per frame",
    params: &[
        ParamDoc { name: "bins", range: "2..=256", meaning: "number of equal parts of the code range" },
        ParamDoc { name: "row_step", range: "1.. rows", meaning: "every n-th row counts, from row 0" },
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
        tail: [u32; 4],
        base: u32,
        stride: u32,
        slot: u32,
        columns: u32,
        rows: u32,
        padding: u32,
        steps: u32,
        step_columns: u32,
        step_rows: u32,
    }
}

/// What to count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HistogramParams {
    /// Number of bins, 2..=256.
    pub bins: u32,
    /// Every `row_step`-th row counts, from row 0; at least 1.
    pub row_step: u32,
}

impl Default for HistogramParams {
    fn default() -> Self {
        Self { bins: 256, row_step: 1 }
    }
}

/// A planned `histogram/luma` for frames of one layout.
#[derive(Debug, Clone)]
pub struct LumaHistogramPlan {
    kernel: Kernel,
    uniform: Uniform,
    layout: FrameLayout,
    bins: u32,
    groups: u32,
}

/// A plan bound to buffers.
#[derive(Debug, Clone)]
pub struct LumaHistogramBound {
    plan: LumaHistogramPlan,
    bind: BindGroup,
    counts: GpuBuffer,
    capacity: u32,
}

impl LumaHistogramPlan {
    /// Plans for frames like `layout`.
    pub fn new(ctx: &GpuContext, layout: &FrameLayout, params: HistogramParams) -> Result<Self> {
        Self::for_class(ctx, layout, params, ctx.caps().class)
    }

    /// Plans with the kernel variant meant for adapters of `class`. Both variants run, and are exact, on every adapter: this
    /// exists so that tests and benchmarks can compare them.
    pub fn for_class(
        ctx: &GpuContext,
        layout: &FrameLayout,
        params: HistogramParams,
        class: AdapterClass,
    ) -> Result<Self> {
        let plane = LumaPlane::of(NAME, layout)?;
        let HistogramParams { bins, row_step } = params;
        if !(2..=256).contains(&bins) {
            return Err(plan_error(NAME, "bins", "2 to 256", bins));
        }
        if row_step == 0 {
            return Err(plan_error(NAME, "row_step", "at least 1", row_step));
        }
        let rows = layout.size.height.div_ceil(row_step);
        let loads = plane.columns * rows; // sides up to 32768: at most 2^26
        // CPU: few workgroups, since each clears and merges a table; GPU: 16 loads an invocation.
        let (entry, wg, aim) = match class {
            AdapterClass::Cpu => ("main_lanes", 8u32, 24),
            AdapterClass::Gpu => ("main_atomic", 256, loads.div_ceil(256 * 16)),
        };
        let groups = aim.min(loads.div_ceil(wg)).max(loads.div_ceil(wg * MAX_STEPS));
        if groups > ctx.caps().max_workgroups {
            return Err(plan_error(NAME, "input", "a picture for fewer workgroups", layout.size));
        }
        let stride = groups * wg;
        let mut constants = plane.constants([("TAIL", plane.tail()), ("BINS", bins)]);
        if class == AdapterClass::Gpu {
            constants.push(("WG", f64::from(wg)));
        }
        let kernel = Kernel::new(ctx, NAME, entry, &constants)?;
        let uniform = Uniform {
            tail: plane.tail_mask(),
            base: plane.base,
            // Only one row counts when the step is larger than the picture: the product cannot overflow where it is used.
            stride: plane.stride * row_step.min(layout.size.height),
            slot: plane.slot,
            columns: plane.columns,
            rows,
            padding: 16 - plane.last,
            steps: loads.div_ceil(stride),
            step_columns: stride % plane.columns,
            step_rows: stride / plane.columns,
        };
        Ok(Self { kernel, uniform, layout: *layout, bins, groups })
    }

    /// Binds the frames of `src` from slot `first` on.
    pub fn bind(&self, ctx: &GpuContext, src: &GpuFrames, first: u32) -> Result<LumaHistogramBound> {
        check_layout(NAME, "input", &self.layout, src)?;
        let capacity = src.slots().saturating_sub(first);
        let mut uniform = self.uniform;
        uniform.base += first * uniform.slot;
        let params = uniform.upload(ctx, NAME)?;
        let counts = GpuBuffer::new(ctx, NAME, self.result_bytes() * u64::from(capacity), BufferUse::Storage)?;
        let bind = self.kernel.bind(ctx, &[("params", &params), ("src", src.buffer()), ("dst_bins", &counts)])?;
        Ok(LumaHistogramBound { plan: self.clone(), bind, counts, capacity })
    }

    /// Bytes of results per frame.
    pub fn result_bytes(&self) -> u64 {
        u64::from(self.bins) * 4
    }
}

impl LumaHistogramBound {
    /// Records the histograms of the first `count` bound frames.
    pub fn record(&self, rec: &mut Recorder<'_>, count: u32) {
        let count = count.min(self.capacity);
        rec.clear(&self.counts, 0, u64::from(count) * self.plan.result_bytes());
        rec.dispatch(&self.plan.kernel, &self.bind, [self.plan.groups, 1, count]);
    }

    /// The buffer of results: [`LumaHistogramPlan::result_bytes`] a frame, see [`Self::decode`].
    pub fn results(&self) -> &GpuBuffer {
        &self.counts
    }

    /// Reads the counts of frames from the bytes of [`Self::results`].
    pub fn decode(&self, bytes: &[u8]) -> Vec<Vec<u32>> {
        bytes.chunks_exact(self.plan.bins as usize * 4).map(bytemuck::pod_collect_to_vec).collect()
    }
}

/// Histograms of all frames of `src`, at once: uploads nothing, waits for the result. For scripts and tests; streams keep a
/// bound plan.
pub fn luma(ctx: &GpuContext, src: &GpuFrames, params: HistogramParams) -> Result<Vec<Vec<u32>>> {
    let plan = LumaHistogramPlan::new(ctx, src.layout(), params)?;
    let bound = plan.bind(ctx, src, 0)?;
    let mut rec = Recorder::new(ctx, NAME);
    bound.record(&mut rec, src.slots());
    rec.run()?;
    let bytes = bound.results().read(ctx, plan.result_bytes() * u64::from(src.slots()))?;
    Ok(bound.decode(&bytes))
}
