//! `heatmap/decay`: lets a heat map fade.
//!
//! | | |
//! |---|---|
//! | input, output | maps of `f32`, changed in place |
//! | parameters | [`Decay`]: a factor 0..=1, or the time that passed and a time constant |
//! | border | none |
//! | exactness | exact: one rounded multiplication; results whose magnitude is below `2^-120` become 0 |
//! | determinism | the same bits on every adapter |
//! | errors | `Parameter` for maps of other types, sides above 32,768, a factor outside 0..=1, a negative time, a time constant that is not positive |
//! | source | exponential smoothing |

use super::stats::check_size;
use crate::core::{Exactness, FrameLayout, Work};
use crate::error::Result;
use crate::gpu::{AdapterClass, GpuBuffer, GpuContext, Kernel, Recorder};
use crate::ops::{
    FieldTable, GpuMaps, MapLayout, MapSample, OpInfo, ParamDoc, Passes, Record, check_count, gpu_params, grid,
    plan_error,
};

const NAME: &str = "heatmap/decay";

/// What `frameloom ops` says about this operation.
pub const INFO: OpInfo = OpInfo {
    name: NAME,
    summary: "multiplies a heat map by a factor or by exp(-dt/tau), in place",
    input: "map of f32",
    output: "the same map",
    params: &[ParamDoc {
        name: "decay",
        range: "factor 0.0..=1.0, or dt >= 0 s and tau > 0 s",
        meaning: "what each value is multiplied by",
    }],
    border: "none",
    exactness: Exactness::Exact,
    reason: "one correctly rounded multiplication, results below 2^-120 set to 0",
    source: "exponential smoothing",
    entries: &["main"],
    fields: Uniform::FIELDS,
    work,
};

fn work(layout: &FrameLayout) -> Work {
    let n = layout.size.area();
    Work { bytes_read: n * 4, bytes_written: n * 4, ops: n }
}

gpu_params! {
    struct Uniform {
        factor: f32,
    }
}

/// How much is left.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Decay {
    /// This share, 0..=1.
    Factor(f32),
    /// `exp(-dt / tau)`, computed in f64 and rounded.
    Time {
        /// Seconds that passed.
        dt: f64,
        /// Time constant in seconds: after it 1/e is left.
        tau: f64,
    },
}

impl Decay {
    /// The factor.
    ///
    /// # Errors
    /// `Parameter` for values out of range.
    pub fn factor(self) -> Result<f32> {
        match self {
            Self::Factor(f) if (0.0..=1.0).contains(&f) => Ok(f),
            Self::Factor(f) => Err(plan_error(NAME, "factor", "0 to 1", f)),
            Self::Time { tau, .. } if !(tau > 0.0 && tau.is_finite()) => {
                Err(plan_error(NAME, "tau", "more than 0 seconds", tau))
            }
            Self::Time { dt, .. } if dt.is_nan() || dt < 0.0 => Err(plan_error(NAME, "dt", "0 seconds or more", dt)),
            Self::Time { dt, tau } => Ok((-dt / tau).exp() as f32),
        }
    }
}

/// A planned `heatmap/decay` for maps of one layout.
#[derive(Debug, Clone)]
pub struct DecayPlan {
    kernel: Kernel,
    layout: MapLayout,
    groups: [u32; 2],
}

/// A plan bound to maps.
#[derive(Debug, Clone)]
pub struct DecayBound {
    passes: Passes,
    params: GpuBuffer,
}

impl DecayPlan {
    /// Plans for maps like `layout`.
    pub fn new(ctx: &GpuContext, layout: &MapLayout) -> Result<Self> {
        if layout.sample != MapSample::F32 {
            return Err(plan_error(NAME, "maps", "a map of f32", layout.sample));
        }
        check_size(NAME, layout.size)?;
        let (wg, rows) = match ctx.caps().class {
            AdapterClass::Cpu => (8u32, 16u32),
            AdapterClass::Gpu => (64, 4),
        };
        let kernel = Kernel::new(ctx, NAME, "main", &[("WG", f64::from(wg)), ("ROWS", f64::from(rows))])?;
        let items = u64::from(layout.size.width.div_ceil(4)) * u64::from(layout.size.height.div_ceil(rows));
        Ok(Self { kernel, layout: *layout, groups: grid(ctx, NAME, items, wg)? })
    }

    /// Binds `maps` from slot `first` on.
    pub fn bind(&self, ctx: &GpuContext, maps: &GpuMaps, first: u32, decay: Decay) -> Result<DecayBound> {
        let factor = decay.factor()?;
        let table = FieldTable::maps(ctx, NAME, "maps", &self.layout, (maps, first))?;
        check_count(ctx, NAME, "maps", u64::from(table.len()))?;
        let params = Uniform { factor }.upload(ctx, NAME)?;
        let buffers = [("params", &params), ("dst", maps.buffer()), ("out_pictures", table.buffer())];
        let bind = self.kernel.bind(ctx, &buffers)?;
        Ok(DecayBound { passes: Passes::new(table.len()).run(&self.kernel, bind, self.groups), params })
    }
}

impl DecayBound {
    /// Another decay from the next submission on: frames of a stream are not always equally far apart. What was recorded and not
    /// yet submitted follows it too.
    ///
    /// # Errors
    /// As [`Decay::factor`].
    pub fn set(&self, ctx: &GpuContext, decay: Decay) -> Result<()> {
        self.params.write(ctx, 0, &Uniform { factor: decay.factor()? }.to_bytes())
    }
}

impl Record for DecayBound {
    fn record(&self, rec: &mut Recorder<'_>, count: u32) {
        self.passes.record(rec, count);
    }

    fn capacity(&self) -> u32 {
        self.passes.capacity()
    }
}

/// Lets all `maps` decay, at once. For scripts and tests; streams keep a bound plan.
pub fn decay(ctx: &GpuContext, maps: &GpuMaps, decay: Decay) -> Result<()> {
    let bound = DecayPlan::new(ctx, maps.layout())?.bind(ctx, maps, 0, decay)?;
    let mut rec = Recorder::new(ctx, NAME);
    bound.record(&mut rec, bound.capacity());
    rec.run()
}
