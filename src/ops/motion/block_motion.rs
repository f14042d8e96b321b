//! `motion/block_motion`: motion vectors of blocks, by full search.
//!
//! | | |
//! |---|---|
//! | input | the luma plane of any YUV or grey format, 8 or 10 bits, at least 1x1; frame `i` is compared with the one in the slot before |
//! | output | three maps per frame, one number per block: `dx`, `dy` (i32, pixels, from the block to its match in the frame before), `sad` (u32, sum of absolute differences in 8-bit codes) |
//! | parameters | `block` 8 or 16 pixels; `range` 1 to 16 pixels |
//! | border | only blocks wholly inside the frame before are candidates; the last blocks of a row and a column may be smaller |
//! | exactness | exact; ties go to the shortest vector, then to the first in raster order |
//! | determinism | the same bits on every adapter |
//! | errors | `Parameter` for formats without luma, sides above 32,768, mixed sizes, `first` without a slot before it, parameters out of range |
//! | source | full-search block matching by sum of absolute differences |
//!
//! The cost grows with `(2 range + 1)^2`: on a software adapter a 1080p frame takes about 30 ms at range 7 and 150 ms at range 16. Long
//! searches are recorded as several dispatches, each over some rows of candidates, so that none comes near the time-outs of drivers.

use crate::core::{BlockSearch, BlockVector, Exactness, FrameLayout, Work};
use crate::error::Result;
use crate::gpu::{AdapterClass, GpuContext, Kernel, Recorder};
use crate::ops::luma_plane::LumaPlane;
use crate::ops::{
    BatchShape, FrameBatch, GpuMaps, MapLayout, MapSample, OpInfo, ParamDoc, Passes, PictureTable, Record, check_count,
    gpu_params, grid, plan_error,
};

const NAME: &str = "motion/block_motion";

/// What `frameloom ops` says about this operation.
pub const INFO: OpInfo = OpInfo {
    name: NAME,
    summary: "motion vectors of blocks by full search",
    input: "luma plane, u8 or 10 bit (8 most significant bits used), frame before in the slot before",
    output: "maps dx, dy (i32 pixels) and sad (u32 codes), one number per block",
    params: &[
        ParamDoc { name: "block", range: "8 or 16 pixels", meaning: "side of a block" },
        ParamDoc { name: "range", range: "1..=16 pixels", meaning: "longest component of a vector" },
    ],
    border: "only blocks inside the frame before; smaller last blocks",
    exactness: Exactness::Exact,
    reason: "integer sums",
    source: "full-search block matching",
    entries: &["main"],
    fields: Uniform::FIELDS,
    work,
};

/// Blocks of 16 pixels, range 7: 225 candidates, three operations a pixel. The frame before is the last one read of a batch.
fn work(layout: &FrameLayout) -> Work {
    let n = layout.size.area();
    let blocks = BlockSearch { block: 16, range: 7 }.blocks(layout.size).area();
    Work { bytes_read: n * u64::from(layout.format.sample_bytes()), bytes_written: blocks * 12, ops: n * 225 * 3 }
}

gpu_params! {
    struct Uniform {
        map_stride: u32,
        map_slot: u32,
        range: i32,
        dy_from: i32,
        dy_to: i32,
    }
}

/// A planned `motion/block_motion` for frames of one layout.
#[derive(Debug, Clone)]
pub struct BlockMotionPlan {
    kernel: Kernel,
    shape: BatchShape,
    search: BlockSearch,
    dispatch_work: u64,
    maps: [MapLayout; 2],
    groups: [u32; 2],
}

/// A plan bound to frames, with the maps it fills.
#[derive(Debug, Clone)]
pub struct BlockMotionBound {
    passes: Passes,
    dx: GpuMaps,
    dy: GpuMaps,
    sad: GpuMaps,
}

impl BlockMotionPlan {
    /// Plans for frames of one layout.
    ///
    /// # Errors
    /// See the head of this module.
    pub fn new(ctx: &GpuContext, shape: impl Into<BatchShape>, search: BlockSearch) -> Result<Self> {
        let shape = shape.into();
        let size = shape.uniform(NAME)?.size;
        let plane = LumaPlane::of_shape(NAME, &shape)?;
        if !matches!(search.block, 8 | 16) {
            return Err(plan_error(NAME, "block", "8 or 16 pixels", search.block));
        }
        if !(1..=16).contains(&search.range) {
            return Err(plan_error(NAME, "range", "1 to 16 pixels", search.range));
        }
        // Differences of a dispatch, far below the time-outs of drivers: about 30 ms on two cores, a few on a GPU.
        let (wg, dispatch_work) = match ctx.caps().class {
            AdapterClass::Cpu => (8u32, 1u64 << 29),
            AdapterClass::Gpu => (64, 1 << 33),
        };
        let own = [("WG", wg), ("BLOCK", search.block), ("TAIL", plane.tail())];
        let kernel = Kernel::new(ctx, NAME, "main", &plane.constants(own))?;
        let blocks = search.blocks(size);
        let maps = [MapLayout::new(MapSample::I32, blocks)?, MapLayout::new(MapSample::U32, blocks)?];
        let groups = grid(ctx, NAME, u64::from(plane.columns) * u64::from(blocks.height), wg)?;
        Ok(Self { kernel, shape, search, dispatch_work, maps, groups })
    }

    /// Vertical components of a dispatch for `frames` frames, at least one.
    fn rows(&self, frames: u32) -> i32 {
        let row = self.shape.largest().size.area() * u64::from(frames) * u64::from(2 * self.search.range + 1);
        (self.dispatch_work / row.max(1)).clamp(1, 33) as i32
    }

    /// Binds the frames of `src` from slot `first` on, and makes room for their maps; slot `first - 1` holds the frame before the first.
    ///
    /// # Errors
    /// `Parameter` when `first` has no slot before it or the layout is another.
    pub fn bind(&self, ctx: &GpuContext, src: &dyn FrameBatch, first: u32) -> Result<BlockMotionBound> {
        if first == 0 || first >= src.slots() {
            let wanted = format!("a slot with another before it, of {}", src.slots());
            return Err(plan_error(NAME, "first", wanted, first));
        }
        let pictures = PictureTable::new(ctx, NAME, "input", &self.shape, (src, first - 1))?;
        let count = pictures.len() - 1;
        check_count(ctx, NAME, "input", u64::from(count))?;
        let [vector, sad] = self.maps;
        let maps = |layout| GpuMaps::new(ctx, NAME, layout, count);
        let (dx, dy, sad) = (maps(vector)?, maps(vector)?, maps(sad)?);
        let (range, rows) = (self.search.range as i32, self.rows(count));
        let mut passes = Passes::new(count);
        // Each goes on from the best match of the one before.
        for dy_from in (-range..=range).step_by(rows as usize) {
            let dy_to = (dy_from + rows - 1).min(range);
            let uniform =
                Uniform { map_stride: vector.stride(), map_slot: vector.slot_bytes() / 4, range, dy_from, dy_to };
            let params = uniform.upload(ctx, NAME)?;
            let bind = self.kernel.bind(
                ctx,
                &[
                    ("params", &params),
                    ("src", src.buffer()),
                    ("src_pictures", pictures.buffer()),
                    ("dst_dx", dx.buffer()),
                    ("dst_dy", dy.buffer()),
                    ("dst_sad", sad.buffer()),
                ],
            )?;
            passes = passes.run(&self.kernel, bind, self.groups);
        }
        Ok(BlockMotionBound { passes, dx, dy, sad })
    }
}

impl BlockMotionBound {
    /// Pixels to the right from each block to its match; i32.
    pub fn dx(&self) -> &GpuMaps {
        &self.dx
    }

    /// Pixels down; i32.
    pub fn dy(&self) -> &GpuMaps {
        &self.dy
    }

    /// Sum of absolute differences to the match; u32.
    pub fn sad(&self) -> &GpuMaps {
        &self.sad
    }

    /// Waits for everything submitted and copies the vectors of frame `index` to the host, row by row.
    pub fn read(&self, ctx: &GpuContext, index: u32) -> Result<Vec<BlockVector>> {
        let (dx, dy) = (self.dx.read_as::<i32>(ctx, index)?, self.dy.read_as::<i32>(ctx, index)?);
        let all = dx.into_iter().zip(dy).zip(self.sad.read_as::<u32>(ctx, index)?);
        Ok(all.map(|((dx, dy), sad)| BlockVector { dx, dy, sad }).collect())
    }
}

impl Record for BlockMotionBound {
    fn record(&self, rec: &mut Recorder<'_>, count: u32) {
        self.passes.record(rec, count);
    }

    fn capacity(&self) -> u32 {
        self.passes.capacity()
    }
}

/// Vectors of frames 1, 2, ... of `src` to those before them, at once; one result less than frames. For scripts and tests; streams
/// keep a bound plan.
///
/// # Errors
/// As [`BlockMotionPlan::new`]; fewer than two frames give no results.
pub fn block_motion(ctx: &GpuContext, src: &dyn FrameBatch, search: BlockSearch) -> Result<Vec<Vec<BlockVector>>> {
    let plan = BlockMotionPlan::new(ctx, BatchShape::of(src)?, search)?;
    if src.slots() < 2 {
        return Ok(Vec::new());
    }
    let bound = plan.bind(ctx, src, 1)?;
    let mut rec = Recorder::new(ctx, NAME);
    bound.record(&mut rec, bound.capacity());
    rec.run()?;
    (0..bound.capacity()).map(|i| bound.read(ctx, i)).collect()
}
