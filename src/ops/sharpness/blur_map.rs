//! `sharpness/blur_map`: where a picture is sharp: variance of the Laplacian for every tile.
//!
//! | | |
//! |---|---|
//! | input | the luma plane of any YUV or grey format, 8 or 10 bits, at least 1x1; sizes may differ within a batch |
//! | output | [`BlurMap`] per picture: exact integer sums per tile, variances in f64 on the host |
//! | parameters | `tile`: side of a tile in pixels, a multiple of 16 in 16..=256 |
//! | filter | `[0 1 0; 1 -4 1; 0 1 0]` over the whole picture: tiles see their neighbours' pixels |
//! | border | reflect-101 (replicate where a side is 1); tiles at the right and bottom edge are smaller, never dropped |
//! | exactness | exact |
//! | determinism | the same bits on every adapter |
//! | errors | `Parameter` for formats without luma, sides above 32,768, `tile` out of range |
//! | source | Pech-Pacheco 2000, by tiles |

use crate::core::{BlurMap, Exactness, FrameLayout, LaplacianSums, Size, Work};
use crate::error::Result;
use crate::gpu::{AdapterClass, BufferUse, GpuBuffer, GpuContext, Kernel};
use crate::ops::luma_plane::LumaPlane;
use crate::ops::{
    BatchShape, FrameBatch, Measure, OpInfo, ParamDoc, Passes, PictureTable, gpu_params, grid, plan_error,
    reads_pictures, words,
};

const NAME: &str = "sharpness/blur_map";
/// Words of results per tile.
const WORDS: u32 = 3;

/// What `frameloom ops` says about this operation.
pub const INFO: OpInfo = OpInfo {
    name: NAME,
    summary: "variance of the Laplacian for every tile: where a picture is blurred",
    input: "luma plane, u8 or 10 bit (8 most significant bits used)",
    output: "BlurMap per picture (LaplacianSums per tile)",
    params: &[ParamDoc { name: "tile", range: "16..=256 pixels, multiple of 16", meaning: "side of a tile" }],
    border: "reflect-101; smaller tiles at the right and bottom",
    exactness: Exactness::Exact,
    reason: "integer sums",
    source: "Pech-Pacheco 2000, by tiles",
    entries: &["main"],
    fields: Uniform::FIELDS,
    work,
};

/// Results for tiles of 64 pixels.
fn work(layout: &FrameLayout) -> Work {
    let n = layout.size.area();
    let written = BlurMap::tiles_of(layout.size, 64).area() * u64::from(WORDS) * 4;
    Work { bytes_read: n * u64::from(layout.format.sample_bytes()), bytes_written: written, ops: n * 10 }
}

gpu_params! {
    struct Uniform {
        tile: u32,
        dst: u32,
    }
}

/// A planned `sharpness/blur_map`.
#[derive(Debug, Clone)]
pub struct BlurMapPlan {
    kernel: Kernel,
    uniform: Uniform,
    shape: BatchShape,
    groups: [u32; 2],
}

impl BlurMapPlan {
    /// Plans for pictures of one layout or, with a mixed shape, of different sizes, in tiles of `tile` x `tile` pixels.
    pub fn new(ctx: &GpuContext, shape: impl Into<BatchShape>, tile: u32) -> Result<Self> {
        let shape = shape.into();
        let plane = LumaPlane::of_shape(NAME, &shape)?;
        if !(16..=256).contains(&tile) || !tile.is_multiple_of(16) {
            return Err(plan_error(NAME, "tile", "a multiple of 16 from 16 to 256", tile));
        }
        // Rows of a block divide the tile.
        let (wg, rows) = match ctx.caps().class {
            AdapterClass::Cpu => (8u32, 1 << tile.trailing_zeros().min(6)),
            AdapterClass::Gpu => (64, 8),
        };
        let constants = plane.constants([("TAIL", plane.tail()), ("WG", wg), ("ROWS", rows)]);
        let kernel = Kernel::new(ctx, NAME, "main", &constants)?;
        let size = shape.largest().size;
        let items = u64::from(plane.columns) * u64::from(size.height.div_ceil(rows));
        // Sides up to 32,768 in tiles from 16 on: at most 2^22 tiles.
        let dst = BlurMap::tiles_of(size, tile).area() as u32 * WORDS;
        Ok(Self { kernel, uniform: Uniform { tile, dst }, shape, groups: grid(ctx, NAME, items, wg)? })
    }

    /// Bytes of results per picture, as many as the largest one needs.
    pub fn result_bytes(&self) -> u64 {
        u64::from(self.uniform.dst) * 4
    }

    /// Binds the pictures of `src` from slot `first` on.
    ///
    /// # Errors
    /// `Parameter` for other pictures than planned and a slot that does not exist.
    pub fn bind(&self, ctx: &GpuContext, src: &dyn FrameBatch, first: u32) -> Result<Measure<BlurMap>> {
        let pictures = PictureTable::each(ctx, NAME, "input", &self.shape, (src, first))?;
        let params = self.uniform.upload(ctx, NAME)?;
        let bytes = self.result_bytes();
        let sums = GpuBuffer::new(ctx, NAME, bytes * u64::from(pictures.len()), BufferUse::Storage)?;
        let bind = self.kernel.bind(
            ctx,
            &[
                ("params", &params),
                ("src", src.buffer()),
                ("src_words", src.buffer()),
                ("src_pictures", pictures.buffer()),
                ("dst_sums", &sums),
            ],
        )?;
        let passes = Passes::new(pictures.len()).clear(&sums, bytes).run(&self.kernel, bind, self.groups);
        let tile = self.uniform.tile;
        Ok(Measure::new(passes, (&sums, bytes), pictures.sizes(), move |bytes, size| decode(bytes, size, tile)))
    }
}

fn decode(picture: &[u8], size: Size, tile: u32) -> BlurMap {
    let tiles = BlurMap::tiles_of(size, tile);
    let mut sums = words(picture);
    let mut sum = || sums.next().unwrap_or(0);
    let places = (0..tiles.height).flat_map(|row| (0..tiles.width).map(move |column| (column, row)));
    let one = |(column, row)| LaplacianSums {
        n: BlurMap::pixels_of(size, tile, column, row),
        sum: i64::from(sum() as i32),
        sum_sq: u64::from(sum()) + (u64::from(sum()) << 16),
    };
    BlurMap { tile, size: tiles, tiles: places.map(one).collect() }
}

/// Maps of all pictures of `src`, at once: waits for the result. For scripts and tests; streams keep a bound plan.
pub fn blur_map(ctx: &GpuContext, src: &dyn FrameBatch, tile: u32) -> Result<Vec<BlurMap>> {
    BlurMapPlan::new(ctx, BatchShape::of(src)?, tile)?.bind(ctx, src, 0)?.run(ctx)
}

reads_pictures!(BlurMapPlan, Measure<BlurMap>, |plan| plan.shape);
