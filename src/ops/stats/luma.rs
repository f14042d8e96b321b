//! `stats/luma`: mean, variance, Laplacian variance, Tenengrad, noise, shares of dark and bright pixels in one pass.
//!
//! | | |
//! |---|---|
//! | input | the luma plane of any YUV or grey format, 8 or 10 bits, at least 1x1 |
//! | output | [`LumaSums`] per frame: exact integers |
//! | border | reflect-101 (replicate where a side is 1); the noise mask covers interior pixels |
//! | exactness | exact |
//! | determinism | the same bits on every adapter |
//! | errors | `Parameter` for formats without luma and sides above 32,768 |
//! | source | Pech-Pacheco 2000, Krotkov 1987, Immerkaer 1996; border as OpenCV |

use crate::core::{ColorRange, Exactness, FrameLayout, LumaSums, Work};
use crate::error::Result;
use crate::gpu::{AdapterClass, BindGroup, BufferUse, GpuBuffer, GpuContext, Kernel, Recorder};
use crate::ops::luma_plane::LumaPlane;
use crate::ops::{GpuFrames, OpInfo, ParamDoc, check_layout, gpu_params, grid};

const NAME: &str = "stats/luma";
/// Words of results per frame.
const WORDS: u32 = 14;

/// What `frameloom ops` says about this operation.
pub const INFO: OpInfo = OpInfo {
    name: NAME,
    summary: "mean, variance, Laplacian variance, Tenengrad, noise, dark and bright share in one pass",
    input: "luma plane, u8 or 10 bit (8 most significant bits used)",
    output: "LumaSums per frame (u64/i64 sums in luma codes)",
    params: &[
        ParamDoc { name: "dark", range: "0..=255 luma code", meaning: "a pixel is dark at or below it" },
        ParamDoc { name: "bright", range: "0..=255 luma code", meaning: "a pixel is bright at or above it" },
    ],
    border: "reflect-101; noise mask: interior only",
    exactness: Exactness::Exact,
    reason: "integer sums; f32 holds only integers below 2^24",
    source: "Pech-Pacheco 2000; Krotkov 1987; Immerkaer 1996",
    entries: &["main"],
    fields: Uniform::FIELDS,
    work,
};

fn work(layout: &FrameLayout) -> Work {
    let n = layout.size.area();
    Work { bytes_read: n * u64::from(layout.format.sample_bytes()), bytes_written: u64::from(WORDS) * 4, ops: n * 40 }
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
        dark: u32,
        bright: u32,
        dst: u32,
    }
}

/// Thresholds of dark and bright pixels, in 8-bit luma codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LumaParams {
    /// A pixel is dark at or below this code.
    pub dark: u8,
    /// A pixel is bright at or above this code.
    pub bright: u8,
}

impl LumaParams {
    /// Codes for shares of the way from black to white, in a given range of code values: `0.1, 0.9` for "lowest and highest tenth".
    pub fn from_shares(range: ColorRange, dark: f64, bright: f64) -> Self {
        let (black, white) = range.luma_codes();
        let code = |share: f64| {
            let span = f64::from(white) - f64::from(black);
            (f64::from(black) + share.clamp(0.0, 1.0) * span).round() as u8
        };
        Self { dark: code(dark), bright: code(bright) }
    }
}

/// A planned `stats/luma` for frames of one layout.
#[derive(Debug, Clone)]
pub struct LumaStatsPlan {
    kernel: Kernel,
    uniform: Uniform,
    layout: FrameLayout,
    groups: [u32; 2],
}

/// A plan bound to buffers.
#[derive(Debug, Clone)]
pub struct LumaStatsBound {
    plan: LumaStatsPlan,
    bind: BindGroup,
    sums: GpuBuffer,
    capacity: u32,
}

impl LumaStatsPlan {
    /// Plans for frames like `layout`.
    pub fn new(ctx: &GpuContext, layout: &FrameLayout, params: LumaParams) -> Result<Self> {
        let plane = LumaPlane::of(NAME, layout)?;
        // Per row an f32 component holds at most 8 squared gradients, per invocation a u32 at most ROWS times that.
        let (wg, rows) = match ctx.caps().class {
            AdapterClass::Cpu => (8u32, 20u32),
            AdapterClass::Gpu => (64, 8),
        };
        let constants = plane.constants([("TAIL", plane.tail()), ("WG", wg), ("ROWS", rows)]);
        let kernel = Kernel::new(ctx, NAME, "main", &constants)?;
        let blocks = layout.size.height.div_ceil(rows);
        let uniform = Uniform {
            base: plane.base,
            stride: plane.stride,
            slot: plane.slot,
            width: layout.size.width,
            height: layout.size.height,
            columns: plane.columns,
            blocks,
            dark: u32::from(params.dark),
            bright: u32::from(params.bright),
            dst: WORDS,
        };
        let groups = grid(ctx, NAME, u64::from(plane.columns) * u64::from(blocks), wg)?;
        Ok(Self { kernel, uniform, layout: *layout, groups })
    }

    /// Binds the frames of `src` from slot `first` on.
    pub fn bind(&self, ctx: &GpuContext, src: &GpuFrames, first: u32) -> Result<LumaStatsBound> {
        check_layout(NAME, "input", &self.layout, src)?;
        let capacity = src.slots().saturating_sub(first);
        let mut uniform = self.uniform;
        uniform.base += first * uniform.slot;
        let params = uniform.upload(ctx, NAME)?;
        let bytes = u64::from(WORDS) * 4 * u64::from(capacity);
        let sums = GpuBuffer::new(ctx, NAME, bytes, BufferUse::Storage)?;
        let bind = self.kernel.bind(
            ctx,
            &[("params", &params), ("src", src.buffer()), ("src_words", src.buffer()), ("dst_sums", &sums)],
        )?;
        Ok(LumaStatsBound { plan: self.clone(), bind, sums, capacity })
    }
}

impl LumaStatsBound {
    /// Bytes of results per frame.
    pub const RESULT_BYTES: u64 = WORDS as u64 * 4;

    /// Records the statistics of the first `count` bound frames.
    pub fn record(&self, rec: &mut Recorder<'_>, count: u32) {
        let count = count.min(self.capacity);
        rec.clear(&self.sums, 0, u64::from(count) * Self::RESULT_BYTES);
        let [x, y] = self.plan.groups;
        rec.dispatch(&self.plan.kernel, &self.bind, [x, y, count]);
    }

    /// The buffer of results: [`Self::RESULT_BYTES`] a frame, see [`Self::decode`].
    pub fn results(&self) -> &GpuBuffer {
        &self.sums
    }

    /// Reads the results of frames from the bytes of [`Self::results`].
    pub fn decode(&self, bytes: &[u8]) -> Vec<LumaSums> {
        let size = self.plan.layout.size;
        bytes
            .chunks_exact(WORDS as usize * 4)
            .map(|frame| {
                let mut words = frame.chunks_exact(4).map(|c| c.iter().rev().fold(0u64, |v, b| v << 8 | u64::from(*b)));
                let mut word = || words.next().unwrap_or(0);
                let mut pair = || word() | word() << 32;
                let (sum, sum_sq, lap, lap_sum_sq) = (pair(), pair(), pair(), pair());
                let (tenengrad_sum, noise_sum) = (pair(), pair());
                LumaSums {
                    n: size.area(),
                    sum,
                    sum_sq,
                    lap_sum: lap as i64,
                    lap_sum_sq,
                    tenengrad_sum,
                    noise_sum,
                    dark: word(),
                    bright: word(),
                }
            })
            .collect()
    }
}

/// Statistics of all frames of `src`, at once: uploads nothing, waits for the result. For scripts and tests; streams keep a
/// bound plan.
pub fn luma(ctx: &GpuContext, src: &GpuFrames, params: LumaParams) -> Result<Vec<LumaSums>> {
    let bound = LumaStatsPlan::new(ctx, src.layout(), params)?.bind(ctx, src, 0)?;
    let mut rec = Recorder::new(ctx, NAME);
    bound.record(&mut rec, src.slots());
    rec.run()?;
    let bytes = bound.results().read(ctx, LumaStatsBound::RESULT_BYTES * u64::from(src.slots()))?;
    Ok(bound.decode(&bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_follow_the_range() {
        let full = LumaParams::from_shares(ColorRange::Full, 0.1, 0.9);
        let limited = LumaParams::from_shares(ColorRange::Limited, 0.1, 0.9);
        assert_eq!((full.dark, full.bright), (26, 230));
        assert_eq!((limited.dark, limited.bright), (38, 213));
    }
}
