//! `heatmap/splat_gaussian`: boxes, as of faces, as bells of heat.
//!
//! | | |
//! |---|---|
//! | input | boxes with weights, a list per map |
//! | output | maps of `f32`, added to: each box adds `weight * exp(-(dx^2 + dy^2) / (2 s^2))` around `(x + width / 2, y + height / 2)`, `s = max(width, height) / 2`, halves rounded down |
//! | parameters | [`SplatParams::reach`]: how far a bell goes along an axis, in `s`; without it over the whole map |
//! | border | none; centres may lie outside |
//! | exactness | 1e-6 per unit of added weight: `exp` of WGSL is up to `3 + 2 abs(x)` ulp off, and sums are f32 |
//! | determinism | the same bits on one adapter: boxes are added in their order |
//! | errors | `Parameter` for maps of other types, sides above 32,768, boxes without a pixel of deviation (both sides below 2) or with sides above 2^25, weights that are not finite, more than [`SplatPlan::MAX_BOXES`] boxes a map, more lists than maps |
//! | source | isotropic Gaussian; separable |

use super::stats::check_size;
use crate::core::{Exactness, FrameLayout, Rect, Work};
use crate::error::Result;
use crate::gpu::{AdapterClass, BufferUse, GpuBuffer, GpuContext, Kernel, Recorder};
use crate::ops::{
    FieldTable, GpuMaps, MapLayout, MapSample, OpInfo, ParamDoc, Passes, Record, check_count, grid, plan_error,
};

const NAME: &str = "heatmap/splat_gaussian";

/// What `frameloom ops` says about this operation.
pub const INFO: OpInfo = OpInfo {
    name: NAME,
    summary: "adds weighted Gaussians at the places of boxes to a heat map",
    input: "boxes with weights, a list per map",
    output: "map of f32, added to",
    params: &[ParamDoc {
        name: "reach",
        range: "more than 0.0, or none",
        meaning: "distance along an axis, in deviations, behind which a box adds nothing",
    }],
    border: "none",
    exactness: Exactness::Abs(1e-6),
    reason: "per unit of added weight: exp of WGSL, f32 sums in the order of the boxes",
    source: "isotropic Gaussian, separable",
    entries: &["axes", "main"],
    fields: &[],
    work,
};

/// For one box.
fn work(layout: &FrameLayout) -> Work {
    let n = layout.size.area();
    Work { bytes_read: n * 4, bytes_written: n * 4, ops: n * 2 }
}

/// A box and how much it counts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WeightedBox {
    /// Pixels.
    pub rect: Rect,
    /// Height of its bell.
    pub weight: f32,
}

/// How far bells go.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct SplatParams {
    /// Distance along x or y, in deviations, behind which a box adds nothing: a bell then covers a square. `None`: the whole map.
    pub reach: Option<f32>,
}

/// A planned `heatmap/splat_gaussian` for maps of one layout.
#[derive(Debug, Clone)]
pub struct SplatPlan {
    axes: Kernel,
    main: Kernel,
    reach: f64,
    layout: MapLayout,
    workgroup: u32,
}

impl SplatPlan {
    /// Most boxes of one map.
    pub const MAX_BOXES: u32 = 16_384;

    /// Plans for maps like `layout`.
    pub fn new(ctx: &GpuContext, layout: &MapLayout, params: SplatParams) -> Result<Self> {
        if layout.sample != MapSample::F32 {
            return Err(plan_error(NAME, "maps", "a map of f32", layout.sample));
        }
        check_size(NAME, layout.size)?;
        let reach = params.reach.unwrap_or(f32::MAX);
        if !(reach > 0.0 && reach.is_finite()) {
            return Err(plan_error(NAME, "reach", "more than 0, finite", reach));
        }
        let workgroup = match ctx.caps().class {
            AdapterClass::Cpu => 8u32,
            AdapterClass::Gpu => 64,
        };
        let constants = [("WG", f64::from(workgroup))];
        let axes = Kernel::new(ctx, NAME, "axes", &constants)?;
        let main = Kernel::new(ctx, NAME, "main", &constants)?;
        Ok(Self { axes, main, reach: f64::from(reach), layout: *layout, workgroup })
    }

    /// Binds lists of boxes to as many maps of `dst` from slot `first` on.
    pub fn bind(&self, ctx: &GpuContext, boxes: &[&[WeightedBox]], dst: &GpuMaps, first: u32) -> Result<Passes> {
        let table = FieldTable::maps(ctx, NAME, "maps", &self.layout, (dst, first))?;
        if boxes.is_empty() || boxes.len() as u64 > u64::from(table.len()) {
            let wanted = format!("1 to {} lists, one a map", table.len());
            return Err(plan_error(NAME, "boxes", wanted, boxes.len()));
        }
        check_count(ctx, NAME, "boxes", boxes.len() as u64)?;
        let (mut bytes, mut spans, mut start) = (Vec::new(), Vec::new(), 0u32);
        for list in boxes {
            let count = list.len() as u64;
            if count > u64::from(Self::MAX_BOXES) {
                return Err(plan_error(NAME, "boxes", format!("at most {} a map", Self::MAX_BOXES), count));
            }
            spans.extend([start, count as u32].map(u32::to_le_bytes).concat());
            start += count as u32;
            for one in *list {
                bytes.extend(encode(one, self.reach)?);
            }
        }
        let [columns, rows] = [self.layout.size.width, self.layout.size.height].map(|n| u64::from(n.div_ceil(4)));
        // A buffer has at least one element, though there be no box.
        bytes.resize(bytes.len().max(20), 0);
        let axes_bytes = (columns + rows) * u64::from(start.max(1)) * 16;
        let axes = GpuBuffer::new(ctx, NAME, axes_bytes, BufferUse::Storage)?;
        let upload = |data: &[u8]| -> Result<GpuBuffer> {
            let buffer = GpuBuffer::new(ctx, NAME, data.len() as u64, BufferUse::Storage)?;
            buffer.write(ctx, 0, data)?;
            Ok(buffer)
        };
        let (boxes_buffer, spans) = (upload(&bytes)?, upload(&spans)?);
        let out = ("out_pictures", table.buffer());
        let shared = [("src_spans", &spans), ("dst_axes", &axes), out];
        let axes_bind = self.axes.bind(ctx, &[&shared[..], &[("src_boxes", &boxes_buffer)]].concat())?;
        let main_bind = self.main.bind(ctx, &[&shared[..], &[("dst", dst.buffer())]].concat())?;
        let most = boxes.iter().map(|list| list.len() as u64).max().unwrap_or(0).max(1);
        let passes = Passes::new(boxes.len() as u32)
            .run(&self.axes, axes_bind, grid(ctx, NAME, (columns + rows) * most, self.workgroup)?)
            .run(&self.main, main_bind, grid(ctx, NAME, columns * rows, self.workgroup)?);
        Ok(passes)
    }
}

/// The box as the kernel reads it.
fn encode(one: &WeightedBox, reach: f64) -> Result<Vec<u8>> {
    let Rect { x, y, width, height } = one.rect;
    let deviation = width.max(height) / 2;
    let refused = |wanted: &str| Err(plan_error(NAME, "boxes", wanted, format!("{one:?}")));
    if deviation == 0 {
        return refused("a side of at least 2 pixels");
    }
    if deviation > 1 << 24 {
        return refused("sides of at most 33554432 pixels");
    }
    if !one.weight.is_finite() {
        return refused("a finite weight");
    }
    let centre = |start: u32, side: u32| i32::try_from(u64::from(start) + u64::from(side / 2));
    let (Ok(x), Ok(y)) = (centre(x, width), centre(y, height)) else {
        return refused("a centre below 2^31 pixels");
    };
    let tail = [deviation as f32, one.weight].map(f32::to_le_bytes).concat();
    // Whole pixels: the conversion cuts off and saturates.
    let reach = (reach * f64::from(deviation)) as i32;
    Ok([[x, y].map(i32::to_le_bytes).concat(), tail, reach.to_le_bytes().to_vec()].concat())
}

/// Adds lists of boxes to the first maps of `dst`, at once. For scripts and tests; streams keep a plan.
pub fn splat_gaussian(ctx: &GpuContext, boxes: &[&[WeightedBox]], dst: &GpuMaps, params: SplatParams) -> Result<()> {
    let bound = SplatPlan::new(ctx, dst.layout(), params)?.bind(ctx, boxes, dst, 0)?;
    let mut rec = Recorder::new(ctx, NAME);
    bound.record(&mut rec, bound.capacity());
    rec.run()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_say_what_was_wrong() {
        let text = |rect: [u32; 4], weight: f32| {
            let [x, y, width, height] = rect;
            let refused = encode(&WeightedBox { rect: Rect { x, y, width, height }, weight }, 1.0).err();
            refused.map(|e| e.to_string()).unwrap_or_default()
        };
        assert!(text([0, 0, 1, 1], 1.0).contains("at least 2 pixels"));
        assert!(text([0, 0, 1 << 26, 4], 1.0).contains("at most 33554432 pixels"));
        assert!(text([0, 0, 4, 4], f32::NAN).contains("a finite weight"));
        assert!(text([0, u32::MAX, 4, 4], 1.0).contains("a centre below 2^31 pixels"));
        assert_eq!(text([0, 0, 1 << 25, 2], -1.0), "");
    }
}
