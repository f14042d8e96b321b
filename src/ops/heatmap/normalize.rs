//! `heatmap/normalize`: counters and sums to shares.
//!
//! | | |
//! |---|---|
//! | input | maps of `u32` or `f32`, or the 8-bit luma of pictures of one size |
//! | output | maps of `f32` of the same size: `gain * value / divisor`, or that added to what is there; 0 where the divisor is 0. Negative `f32` values, those below `2^-96` and those that are not finite count as 0 |
//! | parameters | [`NormalizeParams`]: the divisor (a number, the largest value, the sum), `gain`, `add` |
//! | border | none |
//! | exactness | 8 ulp: conversions and one division in f32; the largest value divided by itself gives `gain` |
//! | determinism | the same bits on one adapter; the sum is taken in integers |
//! | errors | `Parameter` for other maps or formats, mixed sizes, sides above 32,768, a negative divisor, a gain that is not finite, a result in the buffer of the input |
//! | source | running mean `sum / (N * 255)`, scaling by maximum, scaling to unit mass |

use super::stats::{HeatStatsPlan, check_size};
use crate::core::{Exactness, FrameLayout, Size, Work};
use crate::error::Result;
use crate::gpu::{AdapterClass, GpuContext, Kernel, Recorder};
use crate::ops::{
    Field, FieldShape, FieldTable, GpuMaps, MapLayout, MapSample, OpInfo, ParamDoc, Passes, Record, check_count,
    gpu_params, grid, plan_error,
};

const NAME: &str = "heatmap/normalize";

/// What `frameloom ops` says about this operation.
pub const INFO: OpInfo = OpInfo {
    name: NAME,
    summary: "divides a heat map by a number, its largest value or its sum",
    input: "map of u32 or f32, or 8-bit luma",
    output: "map of f32",
    params: &[
        ParamDoc { name: "by", range: "Number(0.0..), Largest, Sum", meaning: "what is divided by; 0 gives 0" },
        ParamDoc { name: "gain", range: "finite", meaning: "what the shares are multiplied by" },
        ParamDoc { name: "add", range: "true, false", meaning: "whether to add to what the map holds" },
    ],
    border: "none",
    exactness: Exactness::Ulp(8),
    reason: "u32 rounded to f32, a division that WGSL lets be 2.5 ulp off, gain",
    source: "running mean, scaling by maximum, unit mass",
    entries: &["main"],
    fields: Uniform::FIELDS,
    work,
};

fn work(layout: &FrameLayout) -> Work {
    let n = layout.size.area();
    Work { bytes_read: n * 4, bytes_written: n * 4, ops: n * 3 }
}

gpu_params! {
    struct Uniform {
        divisor: f32,
        gain: f32,
    }
}

/// What a map is divided by.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Divisor {
    /// A number, as `frames * 255` for a sum of 8-bit masks; rounded to f32.
    Number(f64),
    /// The largest value of the map.
    Largest,
    /// The sum of the map: what results adds up to `gain`.
    Sum,
}

/// How a map is scaled.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NormalizeParams {
    /// What is divided by.
    pub by: Divisor,
    /// What the shares are multiplied by.
    pub gain: f32,
    /// Add to the result map instead of replacing it: `H + gain * F / max(F)`.
    pub add: bool,
}

impl From<Divisor> for NormalizeParams {
    fn from(by: Divisor) -> Self {
        Self { by, gain: 1.0, add: false }
    }
}

/// A planned `heatmap/normalize`.
#[derive(Debug, Clone)]
pub struct NormalizePlan {
    kernel: Kernel,
    stats: Option<HeatStatsPlan>,
    uniform: Uniform,
    shape: FieldShape,
    output: MapLayout,
    groups: [u32; 2],
}

impl NormalizePlan {
    /// Plans for maps of one layout, or for pictures of one size.
    pub fn new(ctx: &GpuContext, shape: impl Into<FieldShape>, params: impl Into<NormalizeParams>) -> Result<Self> {
        let (shape, params) = (shape.into(), params.into());
        let kind = shape.kind(NAME)?;
        let size = shape.uniform(NAME)?;
        check_size(NAME, size)?;
        if !params.gain.is_finite() {
            return Err(plan_error(NAME, "gain", "a finite number", params.gain));
        }
        let (mode, divisor) = match params.by {
            Divisor::Number(n) if n >= 0.0 && n.is_finite() => (0u32, n as f32),
            Divisor::Number(n) => return Err(plan_error(NAME, "by", "a divisor from 0 on, finite", n)),
            Divisor::Largest => (1, 0.0),
            Divisor::Sum => (2, 0.0),
        };
        let (wg, rows) = match ctx.caps().class {
            AdapterClass::Cpu => (8u32, 16u32),
            AdapterClass::Gpu => (64, 4),
        };
        let constants = [("KIND", kind), ("MODE", mode), ("ADD", u32::from(params.add)), ("WG", wg), ("ROWS", rows)];
        let kernel = Kernel::new(ctx, NAME, "main", &constants.map(|(name, v)| (name, f64::from(v))))?;
        let stats = (mode > 0).then(|| HeatStatsPlan::new(ctx, shape, 0.0)).transpose()?;
        let Size { width, height } = size;
        let groups = grid(ctx, NAME, u64::from(width.div_ceil(4)) * u64::from(height.div_ceil(rows)), wg)?;
        let uniform = Uniform { divisor, gain: params.gain };
        Ok(Self { kernel, stats, uniform, shape, output: MapLayout::new(MapSample::F32, size)?, groups })
    }

    /// Layout of the results.
    pub fn output(&self) -> &MapLayout {
        &self.output
    }

    /// Binds the fields of `src` from slot `first` on to results in `dst` from slot `dst_first` on.
    pub fn bind<'a>(
        &self,
        ctx: &GpuContext,
        src: impl Into<Field<'a>>,
        first: u32,
        dst: &GpuMaps,
        dst_first: u32,
    ) -> Result<Passes> {
        let src = src.into();
        let table = FieldTable::new(ctx, NAME, "input", &self.shape, (src, first))?;
        let out = FieldTable::maps(ctx, NAME, "output", &self.output, (dst, dst_first))?;
        if src.buffer().raw() == dst.buffer().raw() {
            return Err(plan_error(NAME, "output", "another buffer than the input", "the same"));
        }
        check_count(ctx, NAME, "input", u64::from(table.len().min(out.len())))?;
        let params = self.uniform.upload(ctx, NAME)?;
        // Without statistics the kernel looks at none: any buffer will do.
        let (passes, sums) = match &self.stats {
            Some(stats) => stats.passes(ctx, src, &table)?,
            None => (Passes::new(table.len()), table.buffer().clone()),
        };
        let buffers = [
            ("params", &params),
            ("src", src.buffer()),
            ("src_words", src.buffer()),
            ("src_pictures", table.buffer()),
            ("src_sums", &sums),
            ("dst", dst.buffer()),
            ("out_pictures", out.buffer()),
        ];
        let bind = self.kernel.bind(ctx, &buffers)?;
        Ok(passes.run(&self.kernel, bind, self.groups).limit(out.len()))
    }
}

/// All maps of `src`, scaled, at once; `params.add` adds to nothing. For scripts and tests; streams keep a bound plan.
pub fn normalize<'a>(
    ctx: &GpuContext,
    src: impl Into<Field<'a>>,
    params: impl Into<NormalizeParams>,
) -> Result<GpuMaps> {
    let src = src.into();
    let plan = NormalizePlan::new(ctx, src.shape()?, params)?;
    let slots = src.slots();
    let dst = GpuMaps::new(ctx, NAME, *plan.output(), slots)?;
    let bound = plan.bind(ctx, src, 0, &dst, 0)?;
    let mut rec = Recorder::new(ctx, NAME);
    rec.clear(dst.buffer(), 0, u64::from(plan.output().slot_bytes()) * u64::from(slots));
    bound.record(&mut rec, slots);
    rec.run()?;
    Ok(dst)
}
