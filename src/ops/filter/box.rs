//! `filter/box`: mean of a square window.
//!
//! | | |
//! |---|---|
//! | input | the luma plane of any format (10 bit: 8 most significant bits), or packed RGBA; sizes may differ within a batch |
//! | output | 8-bit grey, or packed RGBA with every channel averaged alike, of the same size |
//! | window | `size` x `size` pixels; begins `size / 2` pixels before its pixel, so even windows reach further up and left |
//! | border | reflect-101 |
//! | exactness | exact; equal to `cv2.blur` for sizes up to 16 and for odd sizes; for larger even sizes OpenCV may round exact halves another way |
//! | determinism | the same bits on every adapter |
//! | errors | `Parameter` for a size out of 1 to 255, sides above 32,768, other layouts than planned, and a result in the buffer of the input |
//! | source | running sums; rounding as OpenCV |

use super::picture::{Pictures, work as filter_work};
use crate::core::{Exactness, FrameLayout, Work};
use crate::error::Result;
use crate::gpu::{AdapterClass, GpuContext, Kernel};
use crate::ops::{
    BatchShape, FrameBatch, FramesBound, GpuFrames, OpInfo, ParamDoc, Passes, gpu_params, plan_error, run_frames,
};

const NAME: &str = "filter/box";
/// Words of a row that an invocation sums up: `WORDS` of the kernel.
const SEGMENT_WORDS: u32 = 16;

/// What `frameloom ops` says about this operation.
pub const INFO: OpInfo = OpInfo {
    name: NAME,
    summary: "mean of a square window, by running sums",
    input: "luma plane (10 bit: 8 most significant bits), or rgba8",
    output: "gray8, or rgba8 with every channel averaged",
    params: &[ParamDoc { name: "size", range: "1..=255 px", meaning: "side of the window" }],
    border: "reflect-101",
    exactness: Exactness::Exact,
    reason: "integer sums below 2^24; quotient corrected by its remainder",
    source: "running sums; rounding as cv2.blur",
    entries: &["rows", "columns"],
    fields: Uniform::FIELDS,
    work,
};

fn work(layout: &FrameLayout) -> Work {
    filter_work(layout, 8)
}

gpu_params! {
    struct Uniform {
        first: u32,
        delta: u32,
        scale: u32,
    }
}

/// A planned `filter/box`.
#[derive(Debug, Clone)]
pub struct BoxPlan {
    kernels: [Kernel; 2],
    pictures: Pictures,
    rounding: (u32, u32),
    groups: [[u32; 2]; 2],
}

/// What is added to a sum of `area` pixels, and what it is multiplied with then, in 2^23rds; nothing above 256 pixels.
///
/// OpenCV's 16-bit column sums: where the scale was rounded down, one more is added. Powers of two so round upwards what lies less
/// than a half above: `[0 0; 0 1]` has a mean of 1.
const fn rounding(area: u32) -> (u32, u32) {
    const ONE: u32 = 1 << 23;
    if area == 1 {
        return (0, ONE);
    }
    if area > 256 {
        return (0, 0);
    }
    let (scale, rest) = (ONE / area, ONE % area);
    if rest * 2 < area { (area / 2 + 1, scale) } else { (area / 2, scale + 1) }
}

impl BoxPlan {
    /// Plans for pictures of one layout or, with a mixed shape, of different sizes; `size` is the side of the window.
    pub fn new(ctx: &GpuContext, input: impl Into<BatchShape>, size: u32) -> Result<Self> {
        let pictures = Pictures::of(NAME, input.into())?;
        if !(1..=255).contains(&size) {
            return Err(plan_error(NAME, "size", "1 to 255 pixels", size));
        }
        let (workgroup, rows) = match ctx.caps().class {
            AdapterClass::Cpu => (8u32, 64u32),
            AdapterClass::Gpu => (64, 16),
        };
        // Windows longer than a block would mostly sum up the same rows again.
        let rows = rows.max(size);
        let constants = pictures.constants([("WG", workgroup), ("ROWS", rows), ("SIZE", size)]);
        let kernel = |entry| Kernel::new(ctx, NAME, entry, &constants);
        let segment = SEGMENT_WORDS / 4;
        let groups = [pictures.grid(ctx, (segment, 1), workgroup)?, pictures.grid(ctx, (1, rows), workgroup)?];
        let kernels = [kernel("rows")?, kernel("columns")?];
        Ok(Self { kernels, pictures, rounding: rounding(size * size), groups })
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
        let (delta, scale) = self.rounding;
        let params = Uniform { first: base, delta, scale }.upload(ctx, NAME)?;
        let [rows, columns] = &self.kernels;
        let [row_groups, column_groups] = self.groups;
        let across = rows.bind(
            ctx,
            &[
                ("params", &params),
                ("src_words", src.buffer()),
                ("src_pictures", pair.src.buffer()),
                ("out_pictures", pair.dst.buffer()),
                ("dst_sums", &sums),
            ],
        )?;
        let down = columns.bind(
            ctx,
            &[("params", &params), ("dst", dst.buffer()), ("out_pictures", pair.dst.buffer()), ("sums", &sums)],
        )?;
        Ok(Passes::new(pair.len()).run(rows, across, row_groups).run(columns, down, column_groups).into())
    }
}

/// Means of all frames of `src`, at once: waits for the result. For scripts and tests; streams keep a bound plan.
pub fn box_mean(ctx: &GpuContext, src: &GpuFrames, size: u32) -> Result<GpuFrames> {
    let plan = BoxPlan::new(ctx, src.layout(), size)?;
    run_frames(ctx, NAME, plan.output(), src.slots(), |dst| plan.bind(ctx, src, 0, dst, 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_of_equal_bytes_give_that_byte() {
        for size in 1..=16u32 {
            let (area, (delta, scale)) = (size * size, rounding(size * size));
            assert!((0..=255).all(|v| ((v * area + delta) * scale) >> 23 == v), "{size}");
        }
        assert_eq!((rounding(4), rounding(289)), ((3, 1 << 21), (0, 0)));
    }
}
