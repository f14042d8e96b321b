//! `motion/frame_difference`: how much each frame differs from the one before.
//!
//! | | |
//! |---|---|
//! | input | the luma plane of any YUV or grey format, 8 or 10 bits, at least 1x1; frame `i` is compared with the one in the slot before |
//! | output | [`DifferenceSums`] per frame: sum of `\|a-b\|`, pixels with `\|a-b\| > threshold`, pixels, sum of both frames; from them the mean difference, also relative to the mean luma |
//! | parameters | `threshold` 0..=255, in 8-bit codes |
//! | border | none; padding is never counted |
//! | exactness | exact |
//! | determinism | the same bits on every adapter |
//! | errors | `Parameter` for formats without luma, sides above 32,768, `first` without a slot before it |
//! | source | sum of absolute differences; lanes as in docs: ARCHITECTURE.md, "SWAR" |

use crate::core::{DifferenceSums, Exactness, FrameLayout, Work};
use crate::error::Result;
use crate::gpu::{AdapterClass, BindGroup, BufferUse, GpuBuffer, GpuContext, Kernel, Recorder};
use crate::ops::luma_plane::LumaPlane;
use crate::ops::{GpuFrames, OpInfo, ParamDoc, check_count, check_layout, gpu_params, grid, plan_error, words64};

const NAME: &str = "motion/frame_difference";
/// Words of results per frame.
const WORDS: u32 = 6;

/// What `frameloom ops` says about this operation.
pub const INFO: OpInfo = OpInfo {
    name: NAME,
    summary: "sum of absolute luma differences to the frame before, pixels over a threshold, sum of both frames",
    input: "luma plane, u8 or 10 bit (8 most significant bits used), frame before in the slot before",
    output: "DifferenceSums per frame (u64, luma codes)",
    params: &[ParamDoc {
        name: "threshold",
        range: "0..=255 luma codes",
        meaning: "a pixel counts when it differs by more",
    }],
    border: "none",
    exactness: Exactness::Exact,
    reason: "integer sums",
    source: "sum of absolute differences",
    entries: &["main"],
    fields: Uniform::FIELDS,
    work,
};

/// The frame before is read as well, but in a batch it is the last one read: the least traffic is one frame per frame.
fn work(layout: &FrameLayout) -> Work {
    let n = layout.size.area();
    Work { bytes_read: n * u64::from(layout.format.sample_bytes()), bytes_written: u64::from(WORDS) * 4, ops: n * 3 }
}

gpu_params! {
    struct Uniform {
        base: u32,
        stride: u32,
        slot: u32,
        width: u32,
        height: u32,
        columns: u32,
        blocks: u32,
        over: u32,
    }
}

/// A planned `motion/frame_difference` for frames of one layout.
#[derive(Debug, Clone)]
pub struct FrameDifferencePlan {
    kernel: Kernel,
    uniform: Uniform,
    layout: FrameLayout,
    groups: [u32; 2],
}

/// A plan bound to buffers.
#[derive(Debug, Clone)]
pub struct FrameDifferenceBound {
    plan: FrameDifferencePlan,
    bind: BindGroup,
    sums: GpuBuffer,
    capacity: u32,
}

impl FrameDifferencePlan {
    /// Plans for frames like `layout`; a pixel counts as over when it differs by more than `threshold`.
    pub fn new(ctx: &GpuContext, layout: &FrameLayout, threshold: u8) -> Result<Self> {
        let plane = LumaPlane::of(NAME, layout)?;
        let (wg, rows) = match ctx.caps().class {
            AdapterClass::Cpu => (8u32, 20u32),
            AdapterClass::Gpu => (64, 8),
        };
        let blocks = layout.size.height.div_ceil(rows);
        let groups = grid(ctx, NAME, u64::from(plane.columns) * u64::from(blocks), wg)?;
        let constants = plane.constants([("TAIL", plane.tail()), ("WG", wg), ("ROWS", rows)]);
        let kernel = Kernel::new(ctx, NAME, "main", &constants)?;
        let uniform = Uniform {
            base: plane.base,
            stride: plane.stride,
            slot: plane.slot,
            width: layout.size.width,
            height: layout.size.height,
            columns: plane.columns,
            blocks,
            over: u32::from(threshold) + 1,
        };
        Ok(Self { kernel, uniform, layout: *layout, groups })
    }

    /// Binds the frames of `src` from slot `first` on; slot `first - 1` holds the frame before the first.
    ///
    /// # Errors
    /// `Parameter` when `first` is 0 or behind the last slot, or the layout is another.
    pub fn bind(&self, ctx: &GpuContext, src: &GpuFrames, first: u32) -> Result<FrameDifferenceBound> {
        check_layout(NAME, "input", &self.layout, src)?;
        if first == 0 || first >= src.slots() {
            let wanted = format!("a slot with another before it, 1 to {}", src.slots().saturating_sub(1));
            return Err(plan_error(NAME, "first", wanted, first));
        }
        let capacity = src.slots() - first;
        check_count(ctx, NAME, "input", u64::from(capacity))?;
        let mut uniform = self.uniform;
        uniform.base += first * uniform.slot;
        let params = uniform.upload(ctx, NAME)?;
        let sums = GpuBuffer::new(ctx, NAME, Self::RESULT_BYTES * u64::from(capacity), BufferUse::Storage)?;
        let bind = self.kernel.bind(ctx, &[("params", &params), ("src", src.buffer()), ("dst_sums", &sums)])?;
        Ok(FrameDifferenceBound { plan: self.clone(), bind, sums, capacity })
    }

    /// Bytes of results per frame.
    pub const RESULT_BYTES: u64 = WORDS as u64 * 4;
}

impl FrameDifferenceBound {
    /// Records the differences of the first `count` bound frames to the frames before them.
    pub fn record(&self, rec: &mut Recorder<'_>, count: u32) {
        let count = count.min(self.capacity);
        rec.clear(&self.sums, 0, u64::from(count) * FrameDifferencePlan::RESULT_BYTES);
        let [x, y] = self.plan.groups;
        rec.dispatch(&self.plan.kernel, &self.bind, [x, y, count]);
    }

    /// The buffer of results: [`FrameDifferencePlan::RESULT_BYTES`] a frame, see [`Self::decode`].
    pub fn results(&self) -> &GpuBuffer {
        &self.sums
    }

    /// Reads the results of frames from the bytes of [`Self::results`].
    pub fn decode(&self, bytes: &[u8]) -> Vec<DifferenceSums> {
        let n = self.plan.layout.size.area();
        bytes
            .chunks_exact(WORDS as usize * 4)
            .map(|frame| {
                let mut sums = words64(frame);
                let mut sum = || sums.next().unwrap_or(0);
                DifferenceSums { sum_abs: sum(), over: sum(), n, sum_both: sum() }
            })
            .collect()
    }
}

/// Differences of frames 1, 2, ... of `src` to those before them, at once; one result less than frames. For scripts and tests;
/// streams keep a bound plan.
///
/// # Errors
/// As [`FrameDifferencePlan::new`]; no frames give no results.
pub fn frame_difference(ctx: &GpuContext, src: &GpuFrames, threshold: u8) -> Result<Vec<DifferenceSums>> {
    let plan = FrameDifferencePlan::new(ctx, src.layout(), threshold)?;
    let count = src.slots().saturating_sub(1);
    if count == 0 {
        return Ok(Vec::new());
    }
    let bound = plan.bind(ctx, src, 1)?;
    let mut rec = Recorder::new(ctx, NAME);
    bound.record(&mut rec, count);
    rec.run()?;
    let bytes = bound.results().read(ctx, FrameDifferencePlan::RESULT_BYTES * u64::from(count))?;
    Ok(bound.decode(&bytes))
}
