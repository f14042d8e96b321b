//! `blend/temporal_blend`: a forward and a reversed pass over the same frames blended.
//!
//! | | |
//! |---|---|
//! | input | two batches, packed RGBA or 8-bit grey, picture by picture of one size; sizes may differ within a batch |
//! | output | pictures of the same sizes |
//! | parameters | per picture: [`TemporalMode`] (weighted by the place in the pass, average, larger or smaller alpha) |
//! | border | none |
//! | exactness | exact |
//! | determinism | the same bits on every adapter |
//! | errors | `Parameter` for other formats, sizes that differ, an index that is not below the count, another number of modes than of pictures, results in the buffer of an input |
//! | source | whole weights divided by their sum, rounded half up; alpha is blended as the colours |

use super::two::{Three, TwoPlan, run_like};
use crate::core::blend::TemporalMode;
use crate::core::{Exactness, FrameLayout, PixelFormat, Work};
use crate::error::Result;
use crate::gpu::{GpuBuffer, GpuContext};
use crate::ops::{BatchShape, FrameBatch, FramesBound, GpuPictures, OpInfo, ParamDoc, check_sides, plan_error};

const NAME: &str = "blend/temporal_blend";

/// What `frameloom ops` says about this operation.
pub const INFO: OpInfo = OpInfo {
    name: NAME,
    summary: "a forward and a reversed pass over the same frames blended",
    input: "rgba8 or gray8, twice",
    output: "pictures like the input",
    params: &[ParamDoc {
        name: "mode",
        range: "weighted (index below count), average, max alpha, min alpha",
        meaning: "how the passes go together",
    }],
    border: "none",
    exactness: Exactness::Exact,
    reason: "whole weights divided by their sum; quotients corrected after f32 division",
    source: "forward (1 - a/2) / 1.5, reversed (1/2 + a/2) / 1.5, a = index / (count - 1)",
    entries: &["main"],
    fields: &[],
    work,
};

fn work(layout: &FrameLayout) -> Work {
    let bytes = u64::from(layout.first().shape.row_bytes()) * u64::from(layout.size.height);
    Work { bytes_read: 2 * bytes, bytes_written: bytes, ops: bytes * 5 }
}

/// A planned `blend/temporal_blend`.
#[derive(Debug, Clone)]
pub struct TemporalBlendPlan(TwoPlan);

/// Mode and weights as the kernel reads them.
fn entry(mode: TemporalMode) -> Result<[u32; 4]> {
    match (mode, mode.weights()) {
        (_, Some([forward, reversed, sum])) => Ok([0, forward, reversed, sum]),
        (TemporalMode::MaxAlpha, _) => Ok([1, 0, 0, 1]),
        (TemporalMode::MinAlpha, _) => Ok([2, 0, 0, 1]),
        (_, None) => {
            let wanted = format!("an index below the count, and at most {} frames", TemporalMode::MAX_COUNT);
            Err(plan_error(NAME, "mode", wanted, format!("{mode:?}")))
        }
    }
}

impl TemporalBlendPlan {
    /// Plans for pictures of one layout or, with a mixed shape, of different sizes.
    pub fn new(ctx: &GpuContext, shape: impl Into<BatchShape>) -> Result<Self> {
        let shape = shape.into();
        let format = shape.largest().format;
        if !matches!(format, PixelFormat::Rgba8 | PixelFormat::Gray8) {
            return Err(plan_error(NAME, "input", "packed RGBA or 8-bit grey", format));
        }
        check_sides(NAME, "input", shape.largest())?;
        Ok(Self(TwoPlan::new(ctx, NAME, shape, 8, ("GRAY", format == PixelFormat::Gray8))?))
    }

    /// Binds pictures of the forward and of the reversed pass to results, each from a slot on; one of `modes` each. The frames of the
    /// reversed pass lie in the order of the forward one.
    pub fn bind(
        &self,
        ctx: &GpuContext,
        forward: (&dyn FrameBatch, u32),
        reversed: (&dyn FrameBatch, u32),
        output: (&dyn FrameBatch, u32),
        modes: &[TemporalMode],
    ) -> Result<FramesBound> {
        self.0.bind(ctx, &Three { first: forward, second: reversed, output }, |sizes| {
            if sizes.len() != modes.len() {
                let wanted = format!("one for each of {} pictures", sizes.len());
                return Err(plan_error(NAME, "modes", wanted, modes.len()));
            }
            let mut bytes = Vec::new();
            for mode in modes {
                bytes.extend(entry(*mode)?.iter().flat_map(|w| w.to_le_bytes()));
            }
            Ok(Some(("src_blends", GpuBuffer::with_data(ctx, NAME, &bytes)?)))
        })
    }
}

/// All pictures of both passes blended, at once: waits for the result. For scripts and tests; streams keep a bound plan.
pub fn temporal_blend(
    ctx: &GpuContext,
    forward: &dyn FrameBatch,
    reversed: &dyn FrameBatch,
    modes: &[TemporalMode],
) -> Result<GpuPictures> {
    let plan = TemporalBlendPlan::new(ctx, BatchShape::of(forward)?)?;
    run_like(ctx, NAME, forward, |dst| plan.bind(ctx, (forward, 0), (reversed, 0), (dst, 0), modes))
}
