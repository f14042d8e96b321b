//! `placement/integral`: summed-area tables.
//!
//! | | |
//! |---|---|
//! | input | the 8-bit luma of pictures of one size, maps of `u32` or `f32`, or maps of 64-bit integers as `placement/cell_sums` makes them |
//! | output | maps of 64-bit integers ([`wide_layout`]), one entry more across and down: entry `(x, y)` is the sum of all values left of column `x` and above row `y`. Modulo `2^64`: the sum of a rectangle, the difference of its corners, is right wherever it is itself below `2^64` |
//! | parameters | `fraction_bits` 0..=31 for `f32`: units of `2^-fraction_bits`, cut off, at most `2^32 - 256`; negative values, those below `2^-96` and those that are not finite count as 0 |
//! | border | none |
//! | exactness | exact |
//! | determinism | the same bits on every adapter |
//! | errors | `Parameter` for other maps or formats, mixed sizes, sides above 32,767, results of another size or too few |
//! | source | Crow 1984; reduce, then scan (no forward progress of other workgroups is assumed) |

use super::{fixed_point, wide_layout};
use crate::core::{Exactness, FrameLayout, Size, Work};
use crate::error::Result;
use crate::gpu::{AdapterClass, BufferUse, GpuBuffer, GpuContext, Kernel, Recorder};
use crate::ops::{
    Field, FieldShape, FieldTable, GpuMaps, MAX_SIDE, MapLayout, MapSample, OpInfo, ParamDoc, Passes, Record,
    check_count, gpu_params, grid, plan_error,
};

const NAME: &str = "placement/integral";

/// What `frameloom ops` says about this operation.
pub const INFO: OpInfo = OpInfo {
    name: NAME,
    summary: "summed-area table of a picture or map, in 64 bits",
    input: "8-bit luma, or map of u32, f32 or u64",
    output: "map of u64, one more across and down",
    params: &[ParamDoc {
        name: "fraction_bits",
        range: "0..=31",
        meaning: "f32 is summed in units of 2^-fraction_bits",
    }],
    border: "none",
    exactness: Exactness::Exact,
    reason: "64-bit integers; f32 in fixed point",
    source: "Crow 1984; reduce, then scan",
    entries: &["rows", "column_sums", "columns"],
    fields: Uniform::FIELDS,
    work,
};

fn work(layout: &FrameLayout) -> Work {
    let n = layout.size.area();
    Work { bytes_read: n, bytes_written: n * 8, ops: n * 2 }
}

gpu_params! {
    struct Uniform {
        width: u32,
        height: u32,
        blocks: u32,
        scale: f32,
    }
}

/// A planned `placement/integral` for fields of one size.
#[derive(Debug, Clone)]
pub struct IntegralPlan {
    kernels: [Kernel; 3],
    lines: [u32; 2],
    pairs: [u32; 2],
    uniform: Uniform,
    shape: FieldShape,
    output: MapLayout,
    slots: u32,
}

impl IntegralPlan {
    /// Plans for maps of `u32` or `f32` of one layout, or for pictures of one size.
    pub fn new(ctx: &GpuContext, shape: impl Into<FieldShape>, fraction_bits: u32) -> Result<Self> {
        let shape = shape.into();
        let kind = shape.kind(NAME)?;
        let size = shape.uniform(NAME)?;
        Self::plan(ctx, shape, size, kind, if kind == 2 { fraction_bits } else { 0 }, 1)
    }

    /// Plans for maps of 64-bit integers like `layout`, of which `slots`, one behind the other, belong to a frame.
    pub fn of_wide(ctx: &GpuContext, layout: &MapLayout, slots: u32) -> Result<Self> {
        let Size { width, height } = layout.size;
        if layout.sample != MapSample::U32 || !width.is_multiple_of(2) {
            let given = format!("{} {}", layout.sample, layout.size);
            return Err(plan_error(NAME, "input", "a map of u32 with two numbers an integer", given));
        }
        if !(1..=16).contains(&slots) {
            return Err(plan_error(NAME, "slots", "1 to 16 maps a frame", slots));
        }
        Self::plan(ctx, layout.into(), Size::new(width / 2, height), 3, 0, slots)
    }

    fn plan(
        ctx: &GpuContext,
        shape: FieldShape,
        size: Size,
        kind: u32,
        fraction_bits: u32,
        slots: u32,
    ) -> Result<Self> {
        if size.width.max(size.height) >= MAX_SIDE {
            return Err(plan_error(NAME, "input", format!("sides below {MAX_SIDE}"), size));
        }
        let (scale, _) = fixed_point(NAME, fraction_bits, 0.0)?;
        let (wg, rows) = match ctx.caps().class {
            AdapterClass::Cpu => (8u32, 64u32),
            AdapterClass::Gpu => (64, 32),
        };
        let constants = [("KIND", kind), ("SLOTS", slots), ("WG", wg), ("ROWS", rows)];
        let constants = constants.map(|(name, v)| (name, f64::from(v)));
        let kernel = |entry| Kernel::new(ctx, NAME, entry, &constants);
        let kernels = [kernel("rows")?, kernel("column_sums")?, kernel("columns")?];
        let table = Size::new(size.width + 1, size.height + 1);
        let blocks = table.height.div_ceil(rows);
        let lines = grid(ctx, NAME, u64::from(table.height) * u64::from(slots) * u64::from(wg), wg)?;
        let pairs = u64::from(table.width.div_ceil(2)) * u64::from(blocks) * u64::from(slots);
        let pairs = grid(ctx, NAME, pairs, wg)?;
        let uniform = Uniform { width: size.width, height: size.height, blocks, scale };
        Ok(Self { kernels, lines, pairs, uniform, shape, output: wide_layout(table)?, slots })
    }

    /// Layout of the tables.
    pub fn output(&self) -> &MapLayout {
        &self.output
    }

    /// Binds the fields of `src` from slot `first` on to tables in `dst` from its beginning on.
    pub fn bind<'a>(&self, ctx: &GpuContext, src: impl Into<Field<'a>>, first: u32, dst: &GpuMaps) -> Result<Passes> {
        let src = src.into();
        let table = FieldTable::new(ctx, NAME, "input", &self.shape, (src, first))?;
        let out = FieldTable::maps(ctx, NAME, "output", &self.output, (dst, 0))?;
        let frames = table.len().min(out.len()) / self.slots;
        if frames == 0 {
            let given = table.len().min(out.len());
            return Err(plan_error(NAME, "output", format!("{} maps a frame", self.slots), given));
        }
        check_count(ctx, NAME, "input", u64::from(frames))?;
        if src.buffer().raw() == dst.buffer().raw() {
            return Err(plan_error(NAME, "output", "another buffer than the input", "the same"));
        }
        let params = self.uniform.upload(ctx, NAME)?;
        let sums = u64::from(self.output.size.width.div_ceil(4)) * u64::from(self.uniform.blocks) * 16;
        let blocks = GpuBuffer::new(ctx, NAME, sums * u64::from(frames * self.slots), BufferUse::Storage)?;
        let shared = [("params", &params), ("dst", dst.buffer()), ("out_pictures", out.buffer())];
        let source = [("src", src.buffer()), ("src_words", src.buffer()), ("src_pictures", table.buffer())];
        let scratch = [("dst_blocks", &blocks)];
        let [rows, column_sums, columns] = &self.kernels;
        Ok(Passes::new(frames)
            .run(rows, rows.bind(ctx, &[&shared[..], &source].concat())?, self.lines)
            .run(column_sums, column_sums.bind(ctx, &[&shared[..], &scratch].concat())?, self.pairs)
            .run(columns, columns.bind(ctx, &[&shared[..], &scratch].concat())?, self.pairs))
    }
}

/// Tables of all fields of `src`, at once. For scripts and tests; streams keep a bound plan.
pub fn integral<'a>(ctx: &GpuContext, src: impl Into<Field<'a>>, fraction_bits: u32) -> Result<GpuMaps> {
    let src = src.into();
    let plan = IntegralPlan::new(ctx, src.shape()?, fraction_bits)?;
    let dst = GpuMaps::new(ctx, NAME, plan.output, src.slots())?;
    let bound = plan.bind(ctx, src, 0, &dst)?;
    let mut rec = Recorder::new(ctx, NAME);
    bound.record(&mut rec, src.slots());
    rec.run()?;
    Ok(dst)
}
