//! `tensor/l2_normalize`: rows scaled to unit Euclidean length.
//!
//! | | |
//! |---|---|
//! | input | [`GpuRows`] of up to 16,384 f32; values are finite |
//! | output | rows of the same layout, `x / |x|`; a row of zeros stays zero |
//! | border | none |
//! | exactness | within 2.5e-6 of the f64 reference; numbers below 2^-126 may count as zero |
//! | determinism | the same bits on the same class of adapter: sums in a fixed order |
//! | errors | `Parameter` for other numbers than f32, longer rows, more than 65,535 rows, the input's own buffer as output |
//! | source | definition; scaled by a power of two first, so that squares neither overflow nor vanish |

use crate::core::{Exactness, FrameLayout, Work};
use crate::error::Result;
use crate::gpu::{AdapterClass, GpuContext, Kernel};
use crate::ops::{GpuRows, OpInfo, Passes, RowSample, RowsBound, RowsLayout, check_rows, gpu_params, plan_error};

const NAME: &str = "tensor/l2_normalize";
/// Longest row that the declared distance holds for.
const MAX_DIM: u32 = 16_384;

/// What `frameloom ops` says about this operation.
pub const INFO: OpInfo = OpInfo {
    name: NAME,
    summary: "rows scaled to unit Euclidean length",
    input: "rows of up to 16,384 f32",
    output: "rows of f32; zeros stay zeros",
    params: &[],
    border: "none",
    exactness: Exactness::Abs(2.5e-6),
    reason: "f32 sums of squares in blocks and a tree: at most 60 roundings, half of that in the root",
    source: "definition",
    entries: &["main"],
    fields: Uniform::FIELDS,
    work,
};

/// For one row of 512 numbers.
fn work(_: &FrameLayout) -> Work {
    Work { bytes_read: 2048, bytes_written: 2048, ops: 512 * 4 }
}

gpu_params! {
    struct Uniform {
        steps: u32,
        stride: u32,
        dst_stride: u32,
        base: u32,
        dst_base: u32,
        last: u32,
    }
}

/// A planned `tensor/l2_normalize` for rows of one length.
#[derive(Debug, Clone)]
pub struct L2NormalizePlan {
    kernel: Kernel,
    layout: RowsLayout,
}

impl L2NormalizePlan {
    /// Plans for rows like `layout`.
    pub fn new(ctx: &GpuContext, layout: &RowsLayout) -> Result<Self> {
        Self::for_class(ctx, layout, ctx.caps().class)
    }

    /// Plans with the number of lanes meant for adapters of `class`: sums of another order, within the same distance of the
    /// reference. Both run everywhere: this exists so that tests can try them.
    pub fn for_class(ctx: &GpuContext, layout: &RowsLayout, class: AdapterClass) -> Result<Self> {
        if layout.sample != RowSample::F32 {
            return Err(plan_error(NAME, "input", "rows of f32", layout.sample));
        }
        if layout.dim > MAX_DIM {
            return Err(plan_error(NAME, "input", format!("rows of up to {MAX_DIM}"), layout.dim));
        }
        // Eight lanes are one vector of the software adapter, where barriers cost next to nothing.
        let lanes = match class {
            AdapterClass::Cpu => 8u32,
            AdapterClass::Gpu => 64,
        };
        let kernel = Kernel::new(ctx, NAME, "main", &[("WG", f64::from(lanes))])?;
        Ok(Self { kernel, layout: *layout })
    }

    /// Binds the rows of `src` from `first` on to results in `dst` from row `dst_first` on.
    pub fn bind(
        &self,
        ctx: &GpuContext,
        src: &GpuRows,
        first: u32,
        dst: &GpuRows,
        dst_first: u32,
    ) -> Result<RowsBound> {
        check_rows(NAME, "input", &self.layout, src)?;
        check_rows(NAME, "output", &self.layout, dst)?;
        if src.buffer().raw() == dst.buffer().raw() {
            return Err(plan_error(NAME, "output", "another buffer than the input", "the same"));
        }
        let count = src.rows().saturating_sub(first).min(dst.rows().saturating_sub(dst_first));
        let limit = ctx.caps().max_workgroups;
        if count == 0 || count > limit {
            return Err(plan_error(NAME, "rows", format!("1 to {limit}"), count));
        }
        let stride = self.layout.stride4();
        let steps = self.layout.groups4();
        let uniform = Uniform {
            steps,
            stride,
            dst_stride: stride,
            base: first * stride,
            dst_base: dst_first * stride,
            last: self.layout.dim - (steps - 1) * 4,
        };
        let params = uniform.upload(ctx, NAME)?;
        let bind = self.kernel.bind(ctx, &[("params", &params), ("src", src.buffer()), ("dst", dst.buffer())])?;
        Ok(RowsBound::new(Passes::new(count).run(&self.kernel, bind, [1, 1]), dst, dst_first))
    }
}

/// Scales all rows of `src` at once: waits for the result. For scripts and tests; streams keep a bound plan.
pub fn l2_normalize(ctx: &GpuContext, src: &GpuRows) -> Result<GpuRows> {
    let dst = GpuRows::new(ctx, NAME, *src.layout(), src.rows())?;
    let bound = L2NormalizePlan::new(ctx, src.layout())?.bind(ctx, src, 0, &dst, 0)?;
    let mut rec = crate::gpu::Recorder::new(ctx, NAME);
    bound.record(&mut rec, bound.capacity());
    rec.run()?;
    Ok(dst)
}
