//! `edges/edge_density`: how many pixels lie on edges.
//!
//! | | |
//! |---|---|
//! | input | [`BitPlanes`] of edges, as `edges/canny` leaves them; sizes may differ within a batch |
//! | output | [`EdgeCount`] per picture: an exact count and the number of pixels |
//! | border | none |
//! | exactness | exact |
//! | determinism | the same bits on every adapter |
//! | errors | `Parameter` for planes larger than planned |
//! | source | share of Canny edge pixels, a usual measure of complexity |

use super::bit_planes::{BitPlanes, check_edges};
use super::canny::{CannyParams, CannyPlan};
use crate::core::{EdgeCount, Exactness, FrameLayout, Size, Work};
use crate::error::Result;
use crate::gpu::{AdapterClass, BufferUse, GpuBuffer, GpuContext, Kernel, Recorder};
use crate::ops::passes::words;
use crate::ops::{BatchShape, FrameBatch, Measure, OpInfo, Passes, check_sides, grid};
use std::sync::Arc;

const NAME: &str = "edges/edge_density";

/// What `frameloom ops` says about this operation.
pub const INFO: OpInfo = OpInfo {
    name: NAME,
    summary: "number and share of edge pixels",
    input: "bit planes of edges (edges/canny)",
    output: "EdgeCount per picture",
    params: &[],
    border: "none",
    exactness: Exactness::Exact,
    reason: "integer counts",
    source: "population count of Canny edges",
    entries: &["main"],
    fields: &[],
    work,
};

fn work(layout: &FrameLayout) -> Work {
    let n = layout.size.area();
    Work { bytes_read: n / 8, bytes_written: EdgeDensityPlan::RESULT_BYTES, ops: n / 16 }
}

/// A planned `edges/edge_density`.
#[derive(Debug, Clone)]
pub struct EdgeDensityPlan {
    kernel: Kernel,
    largest: Size,
    groups: [u32; 2],
}

/// A plan bound to planes.
pub type EdgeDensityBound = Measure<EdgeCount>;

impl EdgeDensityPlan {
    /// Bytes of results per picture.
    pub const RESULT_BYTES: u64 = 4;

    /// Plans for the edges of pictures of one layout or, with a mixed shape, of different sizes.
    pub fn new(ctx: &GpuContext, shape: impl Into<BatchShape>) -> Result<Self> {
        let shape = shape.into();
        check_sides(NAME, "input", shape.largest())?;
        let (workgroup, rows) = match ctx.caps().class {
            AdapterClass::Cpu => (8u32, 32u32),
            AdapterClass::Gpu => (64, 8),
        };
        let kernel = Kernel::new(ctx, NAME, "main", &[("WG", f64::from(workgroup)), ("ROWS", f64::from(rows))])?;
        let largest = shape.largest().size;
        let items = u64::from(largest.width.div_ceil(128)) * u64::from(largest.height.div_ceil(rows));
        Ok(Self { kernel, largest, groups: grid(ctx, NAME, items, workgroup)? })
    }

    /// Binds planes of edges. Record it behind what fills them: `canny.chain(density)`.
    pub fn bind(&self, ctx: &GpuContext, edges: &BitPlanes) -> Result<EdgeDensityBound> {
        check_edges(NAME, self.largest, edges)?;
        let bytes = Self::RESULT_BYTES * u64::from(edges.slots());
        let counts = GpuBuffer::new(ctx, NAME, bytes, BufferUse::Storage)?;
        let table = edges.table(ctx, NAME)?;
        let bind = self
            .kernel
            .bind(ctx, &[("src_bits", edges.buffer()), ("src_pictures", &table), ("dst_counts", &counts)])?;
        let passes = Passes::new(edges.slots()).clear(&counts, Self::RESULT_BYTES).run(&self.kernel, bind, self.groups);
        let sizes: Arc<[Size]> = edges.sizes().collect();
        Ok(Measure::new(passes, (&counts, Self::RESULT_BYTES), &sizes, |bytes, size| EdgeCount {
            edges: words(bytes).map(u64::from).sum(),
            pixels: size.area(),
        }))
    }
}

/// Edge pixels of all pictures of `src` after `edges/canny`, at once: waits for the result. For scripts and tests; streams keep bound
/// plans.
pub fn edge_density(ctx: &GpuContext, src: &dyn FrameBatch, params: CannyParams) -> Result<Vec<EdgeCount>> {
    let shape = BatchShape::of(src)?;
    let canny = CannyPlan::new(ctx, shape, params)?.bind_bits(ctx, src, 0)?;
    let density = EdgeDensityPlan::new(ctx, shape)?.bind(ctx, canny.edges())?;
    let mut rec = Recorder::new(ctx, NAME);
    canny.record(&mut rec, canny.capacity());
    rec.run()?;
    canny.status().check(ctx)?;
    density.run(ctx)
}
