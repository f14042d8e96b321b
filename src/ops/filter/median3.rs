//! `filter/median3`: median of 3x3 pixels.
//!
//! | | |
//! |---|---|
//! | input | the luma plane of any format (10 bit: 8 most significant bits), or packed RGBA; sizes may differ within a batch |
//! | output | 8-bit grey, or packed RGBA with every channel on its own, of the same size |
//! | border | replicate |
//! | exactness | exact, and equal to `cv2.medianBlur` with size 3 |
//! | determinism | the same bits on every adapter |
//! | errors | `Parameter` for sides above 32,768, other layouts than planned, and a result in the buffer of the input |
//! | source | sorted columns, Smith 1996 |

use super::picture::{Pictures, work as filter_work};
use crate::core::{Exactness, FrameLayout, Work};
use crate::error::Result;
use crate::gpu::{AdapterClass, GpuContext, Kernel};
use crate::ops::{BatchShape, FrameBatch, FramesBound, GpuFrames, OpInfo, run_frames};

const NAME: &str = "filter/median3";

/// What `frameloom ops` says about this operation.
pub const INFO: OpInfo = OpInfo {
    name: NAME,
    summary: "median of 3x3 pixels",
    input: "luma plane (10 bit: 8 most significant bits), or rgba8",
    output: "gray8, or rgba8 with every channel on its own",
    params: &[],
    border: "replicate",
    exactness: Exactness::Exact,
    reason: "comparisons only",
    source: "Smith 1996; border as cv2.medianBlur",
    entries: &["main"],
    fields: &[],
    work,
};

fn work(layout: &FrameLayout) -> Work {
    filter_work(layout, 20)
}

/// A planned `filter/median3`.
#[derive(Debug, Clone)]
pub struct Median3Plan {
    kernel: Kernel,
    pictures: Pictures,
    groups: [u32; 2],
}

impl Median3Plan {
    /// Plans for pictures of one layout or, with a mixed shape, of different sizes.
    pub fn new(ctx: &GpuContext, input: impl Into<BatchShape>) -> Result<Self> {
        let pictures = Pictures::of(NAME, input.into())?;
        let (workgroup, rows) = match ctx.caps().class {
            AdapterClass::Cpu => (8u32, 32u32),
            AdapterClass::Gpu => (64, 4),
        };
        let constants = pictures.constants([("REPLICATE", 1), ("WG", workgroup), ("ROWS", rows)]);
        let kernel = Kernel::new(ctx, NAME, "main", &constants)?;
        let groups = pictures.grid(ctx, (1, rows), workgroup)?;
        Ok(Self { kernel, pictures, groups })
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
        let bind = self.kernel.bind(
            ctx,
            &[
                ("src", src.buffer()),
                ("src_words", src.buffer()),
                ("src_pictures", pair.src.buffer()),
                ("dst", dst.buffer()),
                ("out_pictures", pair.dst.buffer()),
            ],
        )?;
        Ok(FramesBound::new(&self.kernel, bind, self.groups, pair.len()))
    }
}

/// Medians of all frames of `src`, at once: waits for the result. For scripts and tests; streams keep a bound plan.
pub fn median3(ctx: &GpuContext, src: &GpuFrames) -> Result<GpuFrames> {
    let plan = Median3Plan::new(ctx, src.layout())?;
    run_frames(ctx, NAME, plan.output(), src.slots(), |dst| plan.bind(ctx, src, 0, dst, 0))
}
