//! `histogram/edge_grid`: edge pixels in the cells of a grid, for spatial pyramids.
//!
//! | | |
//! |---|---|
//! | input | [`BitPlanes`] of edges, as `edges/canny` leaves them; or the luma plane of any YUV or grey format, searched cell by cell |
//! | output | [`EdgeCells`] per picture: exact counts, row by row of cells |
//! | border | none; searched cell by cell, gradients replicate the border of each cell |
//! | exactness | exact |
//! | determinism | the same bits on every adapter |
//! | errors | `Parameter` for a grid of 0 or above 16, pictures with fewer pixels than cells along a side, layouts other than planned |
//! | source | spatial pyramid of Lazebnik, Schmid, Ponce 2006 over Canny edges |

use crate::core::{EdgeCells, Exactness, FrameLayout, PixelFormat, Size, Work};
use crate::error::Result;
use crate::gpu::{AdapterClass, BufferUse, GpuBuffer, GpuContext, Kernel, Recorder};
use crate::ops::edges::canny::{CannyParams, CannyPlan};
use crate::ops::edges::hysteresis::HysteresisStatus;
use crate::ops::edges::{BitPlanes, check_edges};
use crate::ops::luma_plane::LumaPlane;
use crate::ops::passes::words;
use crate::ops::{
    BatchShape, FrameBatch, GpuPictures, Measure, OpInfo, ParamDoc, Passes, PictureTable, check_count, check_sides,
    gpu_params, grid, plan_error,
};
use std::sync::Arc;

const NAME: &str = "histogram/edge_grid";
/// Most cells along a side.
const MAX_GRID: u32 = 16;

/// What `frameloom ops` says about this operation.
pub const INFO: OpInfo = OpInfo {
    name: NAME,
    summary: "edge pixels in the cells of a grid (spatial pyramid)",
    input: "bit planes of edges (edges/canny); or a luma plane, u8 or 10 bit, searched cell by cell",
    output: "EdgeCells per picture: counts of grid x grid cells",
    params: &[
        ParamDoc {
            name: "grid",
            range: "1..=16",
            meaning: "cells along each side, of W/grid x H/grid pixels rounded down",
        },
        ParamDoc {
            name: "canny",
            range: "CannyParams",
            meaning: "thresholds, where each cell is a picture of its own",
        },
    ],
    border: "none; per cell: replicate",
    exactness: Exactness::Exact,
    reason: "integer counts",
    source: "Lazebnik, Schmid, Ponce 2006; Canny 1986",
    entries: &["count", "cells"],
    fields: Uniform::FIELDS,
    work,
};

fn work(layout: &FrameLayout) -> Work {
    let n = layout.size.area();
    Work { bytes_read: n / 8, bytes_written: 64, ops: n / 16 }
}

gpu_params! {
    struct Uniform {
        grid: u32,
    }
}

/// A planned `histogram/edge_grid`.
#[derive(Debug, Clone)]
pub struct EdgeGridPlan {
    kernel: Kernel,
    grid: u32,
    shape: BatchShape,
    groups: [u32; 2],
}

/// A planned `histogram/edge_grid` that searches each cell by itself.
#[derive(Debug, Clone)]
pub struct CellEdgesPlan {
    cells: Kernel,
    counter: EdgeGridPlan,
    canny: CannyPlan,
    grid: u32,
    shape: BatchShape,
    groups: [u32; 2],
}

/// A plan bound to planes or pictures.
pub type EdgeGridBound = Measure<EdgeCells>;

/// Workgroup and rows an invocation.
fn sizes_of(ctx: &GpuContext) -> (u32, u32) {
    match ctx.caps().class {
        AdapterClass::Cpu => (8, 16),
        AdapterClass::Gpu => (64, 8),
    }
}

fn check_grid(cells: u32) -> Result<()> {
    if (1..=MAX_GRID).contains(&cells) {
        return Ok(());
    }
    Err(plan_error(NAME, "grid", format!("1 to {MAX_GRID} cells along a side"), cells))
}

/// Sizes of the cells of pictures.
fn cells_of(sizes: impl Iterator<Item = Size>, cells: u32) -> Result<Vec<Size>> {
    let cell = |size: Size| {
        EdgeCells::cell_of(size, cells).ok_or_else(|| {
            plan_error(NAME, "grid", format!("at most as many cells as pixels along a side of {size}"), cells)
        })
    };
    sizes.map(cell).collect()
}

fn decode(bytes: &[u8], picture: Size, cells: u32) -> EdgeCells {
    let cell = EdgeCells::cell_of(picture, cells).unwrap_or(Size::new(0, 0));
    EdgeCells { grid: cells, cell, counts: words(bytes).collect() }
}

impl EdgeGridPlan {
    /// Plans for the edges of pictures of one layout or, with a mixed shape, of different sizes.
    pub fn new(ctx: &GpuContext, shape: impl Into<BatchShape>, cells: u32) -> Result<Self> {
        let shape = shape.into();
        check_grid(cells)?;
        check_sides(NAME, "input", shape.largest())?;
        let (workgroup, rows) = sizes_of(ctx);
        let kernel = Kernel::new(ctx, NAME, "count", &[("WG", f64::from(workgroup)), ("ROWS", f64::from(rows))])?;
        let strips = (shape.largest().size.height / cells).div_ceil(rows);
        let groups = grid(ctx, NAME, u64::from(cells * cells) * u64::from(strips), workgroup)?;
        Ok(Self { kernel, grid: cells, shape, groups })
    }

    /// Bytes of results per picture.
    pub fn result_bytes(&self) -> u64 {
        u64::from(self.grid * self.grid) * 4
    }

    /// Binds planes of edges. Record it behind what fills them: `canny.chain(grid)`.
    pub fn bind(&self, ctx: &GpuContext, edges: &BitPlanes) -> Result<EdgeGridBound> {
        check_edges(NAME, self.shape.largest().size, edges)?;
        cells_of(edges.sizes(), self.grid)?;
        let counts = GpuBuffer::new(ctx, NAME, self.result_bytes() * u64::from(edges.slots()), BufferUse::Storage)?;
        let passes = self.passes(ctx, edges, &counts)?;
        let (sizes, cells): (Arc<[Size]>, u32) = (edges.sizes().collect(), self.grid);
        Ok(Measure::new(passes, (&counts, self.result_bytes()), &sizes, move |bytes, size| decode(bytes, size, cells)))
    }

    fn passes(&self, ctx: &GpuContext, edges: &BitPlanes, counts: &GpuBuffer) -> Result<Passes> {
        let params = Uniform { grid: self.grid }.upload(ctx, NAME)?;
        let table = edges.table(ctx, NAME)?;
        let bind = self.kernel.bind(
            ctx,
            &[("params", &params), ("src_bits", edges.buffer()), ("src_pictures", &table), ("dst_counts", counts)],
        )?;
        Ok(Passes::new(edges.slots()).clear(counts, self.result_bytes()).run(&self.kernel, bind, self.groups))
    }
}

impl CellEdgesPlan {
    /// Plans for pictures of one layout or, with a mixed shape, of different sizes, whose cells are each searched for edges with
    /// `params` as if they were pictures.
    pub fn new(ctx: &GpuContext, shape: impl Into<BatchShape>, cells: u32, params: CannyParams) -> Result<Self> {
        let shape = shape.into();
        check_grid(cells)?;
        let plane = LumaPlane::of_shape(NAME, &shape)?;
        let (workgroup, rows) = sizes_of(ctx);
        let largest = shape.largest().size;
        let cell = *cells_of(std::iter::once(largest), cells)?.first().unwrap_or(&largest);
        let cut = BatchShape::mixed(PixelFormat::Gray8, cell)?;
        let items = u64::from(cell.width.div_ceil(16)) * u64::from(cell.height.div_ceil(rows));
        Ok(Self {
            cells: Kernel::new(ctx, NAME, "cells", &plane.constants([("WG", workgroup), ("ROWS", rows)]))?,
            counter: EdgeGridPlan::new(ctx, cut, 1)?,
            canny: CannyPlan::new(ctx, cut, params)?,
            grid: cells,
            shape,
            groups: grid(ctx, NAME, items, workgroup)?,
        })
    }

    /// Bytes of results per picture.
    pub fn result_bytes(&self) -> u64 {
        u64::from(self.grid * self.grid) * 4
    }

    /// Binds the pictures of `src` from slot `first` on. The status tells whether hysteresis was complete in all cells.
    ///
    /// # Errors
    /// `Parameter` for other pictures than planned, a slot that does not exist, more cells of all pictures together than the device takes
    /// in one dispatch; the budget.
    pub fn bind(
        &self,
        ctx: &GpuContext,
        src: &dyn FrameBatch,
        first: u32,
    ) -> Result<(EdgeGridBound, HysteresisStatus)> {
        let per_frame = self.grid * self.grid;
        // The cells are what is dispatched.
        let cells = u64::from(src.slots().saturating_sub(first)) * u64::from(per_frame);
        check_count(ctx, NAME, "cells", cells)?;
        let pictures = PictureTable::new(ctx, NAME, "input", &self.shape, (src, first))?;
        let sizes = cells_of(pictures.sizes().iter().copied(), self.grid)?;
        let sizes: Vec<Size> = sizes.into_iter().flat_map(|s| std::iter::repeat_n(s, per_frame as usize)).collect();
        let cut = GpuPictures::new(ctx, NAME, PixelFormat::Gray8, &sizes)?;
        let shape = BatchShape::mixed(PixelFormat::Gray8, self.counter.shape.largest().size)?;
        let table = PictureTable::new(ctx, NAME, "cells", &shape, (&cut, 0))?;
        let params = Uniform { grid: self.grid }.upload(ctx, NAME)?;
        let bind = self.cells.bind(
            ctx,
            &[
                ("params", &params),
                ("src_words", src.buffer()),
                ("src_pictures", pictures.buffer()),
                ("dst", FrameBatch::buffer(&cut)),
                ("out_pictures", table.buffer()),
            ],
        )?;
        let canny = self.canny.bind_bits(ctx, &cut, 0)?;
        let counts = GpuBuffer::new(ctx, NAME, 4 * sizes.len() as u64, BufferUse::Storage)?;
        let cutting = Passes::new(table.len()).run(&self.cells, bind, self.groups);
        let counting = self.counter.passes(ctx, canny.edges(), &counts)?;
        let passes = Passes::new(pictures.len())
            .then(&cutting, per_frame)
            .then(canny.passes(), per_frame)
            .then(&counting, per_frame);
        let cells = self.grid;
        let measure = Measure::new(passes, (&counts, self.result_bytes()), pictures.sizes(), move |bytes, size| {
            decode(bytes, size, cells)
        });
        Ok((measure, canny.status().clone()))
    }
}

/// Edge pixels in the cells of all pictures of `src` after `edges/canny`, at once: waits for the result. For scripts and tests;
/// streams keep bound plans.
pub fn edge_grid(ctx: &GpuContext, src: &dyn FrameBatch, cells: u32, params: CannyParams) -> Result<Vec<EdgeCells>> {
    let shape = BatchShape::of(src)?;
    let canny = CannyPlan::new(ctx, shape, params)?.bind_bits(ctx, src, 0)?;
    let counter = EdgeGridPlan::new(ctx, shape, cells)?.bind(ctx, canny.edges())?;
    let mut rec = Recorder::new(ctx, NAME);
    canny.record(&mut rec, canny.capacity());
    rec.run()?;
    canny.status().check(ctx)?;
    counter.run(ctx)
}

/// As [`edge_grid`], with each cell searched as a picture of its own.
pub fn cell_edges(ctx: &GpuContext, src: &dyn FrameBatch, cells: u32, params: CannyParams) -> Result<Vec<EdgeCells>> {
    let (measure, status) = CellEdgesPlan::new(ctx, BatchShape::of(src)?, cells, params)?.bind(ctx, src, 0)?;
    let counts = measure.run(ctx)?;
    status.check(ctx)?;
    Ok(counts)
}
