//! `placement/cell_sums`: sums over the cells of a field.
//!
//! | | |
//! |---|---|
//! | input | the 8-bit luma of pictures of one size, or maps of `u32` or `f32` |
//! | output | maps of 64-bit integers ([`wide_layout`]), a number a cell, in slots one behind the other per field: the sum; with [`Active`] also, of the values above its threshold, the number, the sum, and the sums of `value * x` and `value * y` |
//! | parameters | [`CellGrid`]; `fraction_bits` 0..=31 for `f32`: values are summed in units of `2^-fraction_bits`, cut off, at most `2^32 - 256` units. Negative values, those below `2^-96` and those that are not finite count as 0 |
//! | border | cells at the right and bottom edge stop at the edge |
//! | exactness | exact; moments from the corner of the picture are modulo `2^64` |
//! | determinism | the same bits on every adapter |
//! | errors | `Parameter` for other maps or formats, mixed sizes, a grid or results of another size, sides above 32,768, a threshold out of range |
//! | source | block sums and first moments |

use super::{fixed_point, wide_layout};
use crate::core::{CellGrid, Exactness, FrameLayout, Work};
use crate::error::Result;
use crate::gpu::{AdapterClass, BufferUse, GpuBuffer, GpuContext, Kernel, Recorder};
use crate::ops::{
    Field, FieldShape, FieldTable, GpuMaps, MAX_SIDE, MapLayout, OpInfo, ParamDoc, Passes, Record, check_count,
    gpu_params, grid, plan_error,
};

const NAME: &str = "placement/cell_sums";

/// What `frameloom ops` says about this operation.
pub const INFO: OpInfo = OpInfo {
    name: NAME,
    summary: "sums, active counts and first moments of the cells of a picture or map",
    input: "8-bit luma, or map of u32 or f32",
    output: "maps of u64 per cell: sum; with `active` number, sum, x and y moment of values above a threshold",
    params: &[
        ParamDoc { name: "cells", range: "4..=64 px", meaning: "uniform side, a multiple of 4, or cuts" },
        ParamDoc { name: "fraction_bits", range: "0..=31", meaning: "f32 is summed in units of 2^-fraction_bits" },
        ParamDoc { name: "active", range: "none, or threshold and origin", meaning: "measure values above it, too" },
    ],
    border: "cells stop at the edge",
    exactness: Exactness::Exact,
    reason: "integers; f32 in fixed point",
    source: "block sums and first moments",
    entries: &["main"],
    fields: Uniform::FIELDS,
    work,
};

fn work(layout: &FrameLayout) -> Work {
    let n = layout.size.area();
    Work { bytes_read: n, bytes_written: n.div_ceil(256) * 8, ops: n }
}

gpu_params! {
    struct Uniform {
        columns: u32,
        rows: u32,
        threshold: u32,
        scale: f32,
    }
}

/// From where moments are measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// Each cell's own corner.
    Cell,
    /// The corner of the picture: then moments of cells can be added. Modulo `2^64`.
    Picture,
}

/// What is measured besides sums.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Active {
    /// A value is active above it, both cut off to whole units; in the units of the input.
    pub threshold: f64,
    /// From where moments are measured.
    pub origin: Origin,
}

/// How cells are summed.
#[derive(Debug, Clone, PartialEq)]
pub struct CellSumsParams {
    /// The cells.
    pub cells: CellGrid,
    /// Binary places of `f32` values, 0..=31: 31 for values 0..=1. Not looked at for integers.
    pub fraction_bits: u32,
    /// What is measured besides sums.
    pub active: Option<Active>,
}

/// A planned `placement/cell_sums` for fields of one size.
#[derive(Debug, Clone)]
pub struct CellSumsPlan {
    kernel: Kernel,
    uniform: Uniform,
    cuts: GpuBuffer,
    shape: FieldShape,
    output: MapLayout,
    slots: u32,
    groups: [u32; 2],
}

impl CellSumsPlan {
    /// Plans for maps of one layout, or for pictures of one size.
    pub fn new(ctx: &GpuContext, shape: impl Into<FieldShape>, params: &CellSumsParams) -> Result<Self> {
        let shape = shape.into();
        let kind = shape.kind(NAME)?;
        let size = shape.uniform(NAME)?;
        if params.cells.size() != size {
            return Err(plan_error(NAME, "cells", format!("a grid for {size}"), params.cells.size()));
        }
        if size.width.max(size.height) > MAX_SIDE {
            return Err(plan_error(NAME, "input", format!("sides up to {MAX_SIDE}"), size));
        }
        let bits = if kind == 2 { params.fraction_bits } else { 0 };
        let (scale, threshold) = fixed_point(NAME, bits, params.active.map_or(0.0, |a| a.threshold))?;
        let wg = match ctx.caps().class {
            AdapterClass::Cpu => 8u32,
            AdapterClass::Gpu => 64,
        };
        let cuts_of_16 = params.cells.xs().iter().rev().skip(1).all(|x| x.is_multiple_of(16));
        let sixteen = kind == 0 && params.active.is_none() && cuts_of_16;
        let from_cell = params.active.is_some_and(|a| a.origin == Origin::Cell);
        let constants = [
            ("KIND", kind),
            ("WG", wg),
            ("ACTIVE", u32::from(params.active.is_some())),
            ("FROM_CELL", u32::from(from_cell)),
            ("SIXTEEN", u32::from(sixteen)),
        ];
        let kernel = Kernel::new(ctx, NAME, "main", &constants.map(|(name, v)| (name, f64::from(v))))?;
        let cells = params.cells.cells();
        let bytes: Vec<u8> = params.cells.xs().iter().chain(params.cells.ys()).flat_map(|c| c.to_le_bytes()).collect();
        let cuts = GpuBuffer::new(ctx, NAME, bytes.len() as u64, BufferUse::Storage)?;
        cuts.write(ctx, 0, &bytes)?;
        let uniform = Uniform { columns: cells.width, rows: cells.height, threshold, scale };
        let slots = if params.active.is_some() { 5 } else { 1 };
        let groups = grid(ctx, NAME, cells.area(), wg)?;
        Ok(Self { kernel, uniform, cuts, shape, output: wide_layout(cells)?, slots, groups })
    }

    /// Layout of the results.
    pub fn output(&self) -> &MapLayout {
        &self.output
    }

    /// Maps of results per field, 1 or 5.
    pub fn slots(&self) -> u32 {
        self.slots
    }

    /// Binds the fields of `src` from slot `first` on to results in `dst`, [`Self::slots`] maps each, from its beginning on.
    pub fn bind<'a>(&self, ctx: &GpuContext, src: impl Into<Field<'a>>, first: u32, dst: &GpuMaps) -> Result<Passes> {
        let src = src.into();
        let table = FieldTable::new(ctx, NAME, "input", &self.shape, (src, first))?;
        let out = FieldTable::maps(ctx, NAME, "output", &self.output, (dst, 0))?;
        let room = out.len() / self.slots;
        if room == 0 {
            return Err(plan_error(NAME, "output", format!("room for {} maps", self.slots), out.len()));
        }
        check_count(ctx, NAME, "input", u64::from(table.len().min(room)))?;
        if src.buffer().raw() == dst.buffer().raw() {
            return Err(plan_error(NAME, "output", "another buffer than the input", "the same"));
        }
        let params = self.uniform.upload(ctx, NAME)?;
        let buffers = [
            ("params", &params),
            ("src", src.buffer()),
            ("src_words", src.buffer()),
            ("src_pictures", table.buffer()),
            ("src_cuts", &self.cuts),
            ("dst", dst.buffer()),
            ("out_pictures", out.buffer()),
        ];
        let bind = self.kernel.bind(ctx, &buffers)?;
        Ok(Passes::new(table.len().min(room)).run(&self.kernel, bind, self.groups))
    }
}

/// Sums of the cells of all fields of `src`, at once: 1 or 5 maps a field. For scripts and tests; streams keep a bound plan.
pub fn cell_sums<'a>(ctx: &GpuContext, src: impl Into<Field<'a>>, params: &CellSumsParams) -> Result<GpuMaps> {
    let src = src.into();
    let plan = CellSumsPlan::new(ctx, src.shape()?, params)?;
    let dst = GpuMaps::new(ctx, NAME, plan.output, src.slots() * plan.slots)?;
    let bound = plan.bind(ctx, src, 0, &dst)?;
    let mut rec = Recorder::new(ctx, NAME);
    bound.record(&mut rec, src.slots());
    rec.run()?;
    Ok(dst)
}
