//! `tensor/grid_pool`: means of the cells of a grid over feature maps.
//!
//! | | |
//! |---|---|
//! | input | `[N, C, height, width]` f32 in a buffer, as networks leave it |
//! | output | [`GpuRows`] of `grid * grid * C` f32, one a map: cells row by row, the channels of a cell together |
//! | border | none: rows and columns behind the last floor cell take no part |
//! | exactness | within 2e-5 of the f64 reference, in units of the largest magnitude of the cell (at least 1e-6) |
//! | determinism | the same bits on the same adapter: sums in a fixed order |
//! | errors | `Parameter` for grids finer than the map, cells above 128x128, `p` outside 1..=64, rows that do not fit, buffers too small |
//! | source | floor cells; GeM: Radenovic, Tolias, Chum 2018 |

use crate::core::{Exactness, FrameLayout, GridPooling, Size, Work};
use crate::error::Result;
use crate::gpu::{AdapterClass, GpuBuffer, GpuContext, Kernel};
use crate::ops::{
    GpuRows, OpInfo, ParamDoc, Passes, RowSample, RowsBound, RowsLayout, check_rows, gpu_params, grid, plan_error,
};

const NAME: &str = "tensor/grid_pool";
/// Longest side of a cell: bounds the loops and the number of roundings.
const MAX_CELL: u32 = 128;

/// What `frameloom ops` says about this operation.
pub const INFO: OpInfo = OpInfo {
    name: NAME,
    summary: "average or generalized mean over the cells of a grid on feature maps",
    input: "[N, C, height, width] f32",
    output: "rows of grid * grid * C f32: cells row by row, channels of a cell together",
    params: &[
        ParamDoc { name: "grid", range: "1 to the sides of the map", meaning: "cells across and down" },
        ParamDoc { name: "pooling", range: "average | generalized mean, p 1..=64", meaning: "what becomes of a cell" },
    ],
    border: "none; what lies behind the last floor cell takes no part",
    exactness: Exactness::Abs(2e-5),
    reason: "f32 sums of up to 128 rows of 128, powers within 2^-21; in units of the cell's largest magnitude",
    source: "floor cells; GeM: Radenovic, Tolias, Chum 2018",
    entries: &["main"],
    fields: Uniform::FIELDS,
    work,
};

/// For 1280 channels of 7x7.
fn work(_: &FrameLayout) -> Work {
    Work { bytes_read: 1280 * 49 * 4, bytes_written: 1280 * 4 * 4, ops: 1280 * 49 * 4 }
}

gpu_params! {
    struct Uniform {
        power: f32,
        count: u32,
        padded: u32,
        channels: u32,
        width: u32,
        height: u32,
        grid: u32,
        cell_width: u32,
        cell_height: u32,
        base: u32,
        dst_base: u32,
        dst_stride: u32,
    }
}

/// Shape of the maps and what becomes of them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GridPoolParams {
    /// Channels of a map.
    pub channels: u32,
    /// Width and height of a channel.
    pub size: Size,
    /// Cells across and down.
    pub grid: u32,
    /// Average or generalized mean.
    pub pooling: GridPooling,
}

/// A planned `tensor/grid_pool`.
#[derive(Debug, Clone)]
pub struct GridPoolPlan {
    kernel: Kernel,
    uniform: Uniform,
    layout: RowsLayout,
    map_bytes: u64,
    groups: [u32; 2],
}

impl GridPoolPlan {
    /// Plans for maps of one shape.
    pub fn new(ctx: &GpuContext, params: GridPoolParams) -> Result<Self> {
        let GridPoolParams { channels, size, grid: cells, pooling } = params;
        let Size { width, height } = size;
        if cells == 0 || cells > width.min(height) {
            return Err(plan_error(NAME, "grid", format!("1 to the sides of {size}"), cells));
        }
        let (cell_width, cell_height) = (width / cells, height / cells);
        if cell_width.max(cell_height) > MAX_CELL {
            let given = format!("{cell_width}x{cell_height}");
            return Err(plan_error(NAME, "grid", format!("cells of at most {MAX_CELL}x{MAX_CELL}"), given));
        }
        let power = match pooling {
            GridPooling::Average => 1.0,
            GridPooling::GeneralizedMean { p } if (1.0..=64.0).contains(&p) => p,
            GridPooling::GeneralizedMean { p } => return Err(plan_error(NAME, "p", "1..=64", p)),
        };
        let count = u64::from(cells) * u64::from(cells) * u64::from(channels);
        let most = RowsLayout::MAX_DIM;
        let count = u32::try_from(count).ok().filter(|n| (1..=most).contains(n));
        let Some(count) = count else {
            return Err(plan_error(NAME, "channels", format!("1 to {most} with all cells"), channels));
        };
        let layout = RowsLayout::new(RowSample::F32, count)?;
        let map_bytes = size.area() * u64::from(channels) * 4;
        if map_bytes > ctx.caps().max_binding_bytes {
            let wanted = format!("a map of at most {} bytes", ctx.caps().max_binding_bytes);
            return Err(plan_error(NAME, "size", wanted, map_bytes));
        }
        let workgroup = match ctx.caps().class {
            AdapterClass::Cpu => 8u32,
            AdapterClass::Gpu => 64,
        };
        let generalized = f64::from(u8::from(pooling != GridPooling::Average));
        let kernel = Kernel::new(ctx, NAME, "main", &[("WG", f64::from(workgroup)), ("POWER", generalized)])?;
        let padded = layout.groups4() * 4;
        let uniform = Uniform {
            power,
            count,
            padded,
            channels,
            width,
            height,
            grid: cells,
            cell_width,
            cell_height,
            base: 0,
            dst_base: 0,
            dst_stride: layout.stride4() * 4,
        };
        let groups = grid(ctx, NAME, u64::from(padded), workgroup)?;
        Ok(Self { kernel, uniform, layout, map_bytes, groups })
    }

    /// Layout of the rows it makes.
    pub fn output(&self) -> &RowsLayout {
        &self.layout
    }

    /// Binds `count` maps that lie in `src` from map `first` on to rows of `dst` from row `dst_first` on.
    pub fn bind(
        &self,
        ctx: &GpuContext,
        (src, first, count): (&GpuBuffer, u32, u32),
        dst: &GpuRows,
        dst_first: u32,
    ) -> Result<RowsBound> {
        check_rows(NAME, "output", &self.layout, dst)?;
        let most = src.size_bytes() / self.map_bytes;
        let limit = most.saturating_sub(u64::from(first)).min(u64::from(ctx.caps().max_workgroups));
        if count == 0 || u64::from(count) > limit {
            return Err(plan_error(NAME, "count", format!("1 to {limit} maps"), count));
        }
        if dst.rows().saturating_sub(dst_first) < count {
            return Err(plan_error(NAME, "output", format!("{count} rows from {dst_first} on"), dst.rows()));
        }
        let mut uniform = self.uniform;
        // A binding is below 2^32 bytes.
        uniform.base = (u64::from(first) * self.map_bytes / 4) as u32;
        uniform.dst_base = dst_first * uniform.dst_stride;
        let params = uniform.upload(ctx, NAME)?;
        let bind = self.kernel.bind(ctx, &[("params", &params), ("src", src), ("dst", dst.buffer())])?;
        Ok(RowsBound::new(Passes::new(count).run(&self.kernel, bind, self.groups), dst, dst_first))
    }
}

/// Pools maps from the host, `[N, C, height, width]`, at once: waits for the result. For scripts and tests.
pub fn grid_pool(ctx: &GpuContext, maps: &[f32], params: GridPoolParams) -> Result<Vec<f32>> {
    let plan = GridPoolPlan::new(ctx, params)?;
    let bytes = bytemuck::cast_slice(maps);
    let count = u32::try_from(bytes.len() as u64 / plan.map_bytes).unwrap_or(u32::MAX);
    if u64::from(count) * plan.map_bytes != bytes.len() as u64 || count == 0 {
        let wanted = format!("a multiple of {} numbers", plan.map_bytes / 4);
        return Err(plan_error(NAME, "maps", wanted, maps.len()));
    }
    let src = GpuBuffer::with_data(ctx, NAME, bytes)?;
    let dst = GpuRows::new(ctx, NAME, plan.layout, count)?;
    plan.bind(ctx, (&src, 0, count), &dst, 0)?.run(ctx)
}
