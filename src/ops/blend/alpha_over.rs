//! `blend/alpha_over`: one picture over another.
//!
//! | | |
//! |---|---|
//! | input | two batches of packed RGBA, picture by picture of one size; sizes may differ within a batch |
//! | output | packed RGBA of the same sizes, alpha as the colours |
//! | parameters | `alpha`: straight or premultiplied, of both inputs and the result |
//! | border | none |
//! | exactness | exact |
//! | determinism | the same bits on every adapter |
//! | errors | `Parameter` for other formats, sizes that differ, results in the buffer of an input |
//! | source | Porter and Duff, "Compositing Digital Images", 1984; divisions rounded half up, see the reference |

use super::two::{Three, TwoPlan, run_like};
use crate::core::blend::Alpha;
use crate::core::{Exactness, FrameLayout, PixelFormat, Work};
use crate::error::Result;
use crate::gpu::GpuContext;
use crate::ops::{BatchShape, FrameBatch, FramesBound, GpuPictures, OpInfo, ParamDoc, check_sides, plan_error};

const NAME: &str = "blend/alpha_over";

/// What `frameloom ops` says about this operation.
pub const INFO: OpInfo = OpInfo {
    name: NAME,
    summary: "one picture over another, straight or premultiplied alpha",
    input: "rgba8, twice",
    output: "rgba8 with its own alpha",
    params: &[ParamDoc { name: "alpha", range: "straight, premultiplied", meaning: "of inputs and result" }],
    border: "none",
    exactness: Exactness::Exact,
    reason: "integers; quotients corrected after f32 division",
    source: "Porter and Duff 1984",
    entries: &["main"],
    fields: &[],
    work,
};

fn work(layout: &FrameLayout) -> Work {
    let n = layout.size.area();
    Work { bytes_read: n * 8, bytes_written: n * 4, ops: n * 40 }
}

/// A planned `blend/alpha_over`.
#[derive(Debug, Clone)]
pub struct AlphaOverPlan(TwoPlan);

impl AlphaOverPlan {
    /// Plans for pictures of one layout or, with a mixed shape, of different sizes.
    pub fn new(ctx: &GpuContext, shape: impl Into<BatchShape>, alpha: Alpha) -> Result<Self> {
        let shape = shape.into();
        if shape.largest().format != PixelFormat::Rgba8 {
            return Err(plan_error(NAME, "input", "packed RGBA", shape.largest().format));
        }
        check_sides(NAME, "input", shape.largest())?;
        Ok(Self(TwoPlan::new(ctx, NAME, shape, 4, ("PREMULTIPLIED", alpha == Alpha::Premultiplied))?))
    }

    /// Binds upper and lower pictures to results, each from a slot on.
    pub fn bind(
        &self,
        ctx: &GpuContext,
        top: (&dyn FrameBatch, u32),
        bottom: (&dyn FrameBatch, u32),
        output: (&dyn FrameBatch, u32),
    ) -> Result<FramesBound> {
        self.0.bind(ctx, &Three { first: top, second: bottom, output }, |_| Ok(None))
    }
}

/// All pictures of `top` over those of `bottom`, at once: waits for the result. For scripts and tests; streams keep a bound plan.
pub fn alpha_over(
    ctx: &GpuContext,
    top: &dyn FrameBatch,
    bottom: &dyn FrameBatch,
    alpha: Alpha,
) -> Result<GpuPictures> {
    let plan = AlphaOverPlan::new(ctx, BatchShape::of(top)?, alpha)?;
    run_like(ctx, NAME, top, |dst| plan.bind(ctx, (top, 0), (bottom, 0), (dst, 0)))
}
