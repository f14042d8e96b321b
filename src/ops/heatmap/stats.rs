//! `heatmap/stats`: how active a heat map is.
//!
//! | | |
//! |---|---|
//! | input | maps of `u32` or `f32`, or the 8-bit luma of pictures, at least 1x1; pictures may differ in size |
//! | output | [`ActivitySums`] per map: count, active values, least and largest value, sum, sum of squares; from them mean, deviation, total, activity ratio |
//! | parameters | `threshold` >= 0: a value is active above it. For integers its fraction is dropped, which changes nothing |
//! | border | none; padding is never counted |
//! | exactness | exact: `u32` as integers; `f32` values in fixed point, cut off below `2^-31` of the power of two at or below the largest. Negative values, those below `2^-96` and those that are not finite count as 0 |
//! | determinism | the same bits on every adapter |
//! | errors | `Parameter` for other maps or formats, sides above 32,768, a negative or infinite threshold |
//! | source | moments in integers |

use crate::core::{ActivitySums, Exactness, FrameLayout, Size, Work};
use crate::error::Result;
use crate::gpu::{AdapterClass, BufferUse, GpuBuffer, GpuContext, Kernel};
use crate::ops::{
    Field, FieldShape, FieldTable, MAX_SIDE, Measure, OpInfo, ParamDoc, Passes, check_count, gpu_params, grid,
    plan_error, words, words64,
};

const NAME: &str = "heatmap/stats";
/// Words of results per map.
const WORDS: u32 = 16;

/// What `frameloom ops` says about this operation.
pub const INFO: OpInfo = OpInfo {
    name: NAME,
    summary: "mean, deviation, extremes, total and active share of a heat map",
    input: "map of u32 or f32, or 8-bit luma",
    output: "ActivitySums per map (integers with a common power-of-two unit)",
    params: &[ParamDoc { name: "threshold", range: "0.0..", meaning: "a value is active above it" }],
    border: "none",
    exactness: Exactness::Exact,
    reason: "integer sums; f32 in fixed point with the largest value in 2^31..2^32",
    source: "moments in integers",
    entries: &["extremes", "sums"],
    fields: Uniform::FIELDS,
    work,
};

fn work(layout: &FrameLayout) -> Work {
    let n = layout.size.area();
    Work { bytes_read: n * 4, bytes_written: u64::from(WORDS) * 4, ops: n * 16 }
}

gpu_params! {
    struct Uniform {
        threshold: u32,
        dst: u32,
    }
}

/// A planned `heatmap/stats`.
#[derive(Debug, Clone)]
pub struct HeatStatsPlan {
    extremes: Option<Kernel>,
    sums: Kernel,
    uniform: Uniform,
    shape: FieldShape,
    groups: [u32; 2],
}

/// A plan bound to maps.
pub type HeatStatsBound = Measure<ActivitySums>;

/// Sides that indices of 32 bits allow.
pub(super) fn check_size(op: &'static str, size: Size) -> Result<()> {
    if size.width.max(size.height) > MAX_SIDE {
        return Err(plan_error(op, "input", format!("sides up to {MAX_SIDE}"), size));
    }
    Ok(())
}

impl HeatStatsPlan {
    /// Bytes of results per map.
    pub const RESULT_BYTES: u64 = WORDS as u64 * 4;

    /// Plans for maps of one layout, or for pictures.
    pub fn new(ctx: &GpuContext, shape: impl Into<FieldShape>, threshold: f32) -> Result<Self> {
        let shape = shape.into();
        let kind = shape.kind(NAME)?;
        check_size(NAME, shape.size())?;
        if !(threshold >= 0.0 && threshold.is_finite()) {
            return Err(plan_error(NAME, "threshold", "0 or more, finite", threshold));
        }
        let floats = kind == 2;
        let (wg, rows) = match ctx.caps().class {
            AdapterClass::Cpu => (8u32, 64u32),
            AdapterClass::Gpu => (64, 8),
        };
        let constants = [("KIND", f64::from(kind)), ("WG", f64::from(wg)), ("ROWS", f64::from(rows))];
        // Integers need no unit, so their extremes are found along with their sums.
        let extremes = floats.then(|| Kernel::new(ctx, NAME, "extremes", &constants)).transpose()?;
        let sums = Kernel::new(ctx, NAME, "sums", &constants)?;
        let Size { width, height } = shape.size();
        let groups = grid(ctx, NAME, u64::from(width.div_ceil(4)) * u64::from(height.div_ceil(rows)), wg)?;
        let threshold = if floats { (threshold + 0.0).to_bits() } else { threshold as u32 };
        Ok(Self { extremes, sums, uniform: Uniform { threshold, dst: WORDS }, shape, groups })
    }

    /// Binds the maps of `src` from slot `first` on.
    pub fn bind<'a>(&self, ctx: &GpuContext, src: impl Into<Field<'a>>, first: u32) -> Result<HeatStatsBound> {
        let src = src.into();
        let table = FieldTable::new(ctx, NAME, "input", &self.shape, (src, first))?;
        check_count(ctx, NAME, "input", u64::from(table.len()))?;
        let (passes, sums) = self.passes(ctx, src, &table)?;
        let floats = self.extremes.is_some();
        Ok(Measure::new(passes, (&sums, Self::RESULT_BYTES), table.sizes(), move |bytes, size| {
            decode(bytes, size, floats)
        }))
    }

    /// The steps for the fields of `table`, and the buffer they leave their sums in.
    pub(super) fn passes(&self, ctx: &GpuContext, src: Field<'_>, table: &FieldTable) -> Result<(Passes, GpuBuffer)> {
        let params = self.uniform.upload(ctx, NAME)?;
        let sums = GpuBuffer::new(ctx, NAME, Self::RESULT_BYTES * u64::from(table.len()), BufferUse::Storage)?;
        let buffers = [
            ("params", &params),
            ("src", src.buffer()),
            ("src_words", src.buffer()),
            ("src_pictures", table.buffer()),
            ("dst_sums", &sums),
        ];
        let mut passes = Passes::new(table.len()).clear(&sums, Self::RESULT_BYTES);
        for kernel in self.extremes.iter().chain([&self.sums]) {
            passes = passes.run(kernel, kernel.bind(ctx, &buffers)?, self.groups);
        }
        Ok((passes, sums))
    }
}

fn decode(bytes: &[u8], size: Size, floats: bool) -> ActivitySums {
    let (digits, rest) = bytes.split_at(bytes.len().min(48));
    let mut digits = words64(digits);
    let mut digit = |shift: u32| u128::from(digits.next().unwrap_or(0)) << shift;
    let sum = (digit(0) + digit(16)) as u64; // below 2^32 * 2^30
    let sum_sq = digit(0) + digit(16) + digit(32) + digit(48);
    let mut rest = words(rest);
    let mut word = || rest.next().unwrap_or(0);
    let (max, min, active) = (word(), !word(), u64::from(word()));
    let value = |bits: u32| if floats { f64::from(f32::from_bits(bits)) } else { f64::from(bits) };
    let fraction_bits = if floats { ActivitySums::fraction_bits_for(f32::from_bits(max)) } else { 0 };
    ActivitySums { n: size.area(), active, min: value(min), max: value(max), sum, sum_sq, fraction_bits }
}

/// Sums of all maps of `src`, at once: waits for the result. For scripts and tests; streams keep a bound plan.
pub fn stats<'a>(ctx: &GpuContext, src: impl Into<Field<'a>>, threshold: f32) -> Result<Vec<ActivitySums>> {
    let src = src.into();
    HeatStatsPlan::new(ctx, src.shape()?, threshold)?.bind(ctx, src, 0)?.run(ctx)
}
