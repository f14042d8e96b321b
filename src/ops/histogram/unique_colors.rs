//! `histogram/unique_colors`: how many different colours a picture has.
//!
//! | | |
//! |---|---|
//! | input | pictures of any format, 8 or 10 bits; YUV turns to RGB as in `color/rgb_from_yuv`; sizes may differ within a batch |
//! | output | number of different 24-bit colours per picture, `u32` |
//! | parameters | `rgb`: what YUV codes mean |
//! | memory | a map of 2 MiB for each of up to 16 pictures at a time; larger batches take turns |
//! | border | none; padding is never counted |
//! | exactness | exact |
//! | determinism | the same bits on every adapter |
//! | errors | `Parameter` for sides above 32,768 |
//! | source | a bit per colour, population count |

use crate::core::{Exactness, FrameLayout, Work};
use crate::error::Result;
use crate::gpu::{AdapterClass, BufferUse, GpuBuffer, GpuContext, Kernel};
use crate::ops::color::rgb_from_yuv::RgbParams;
use crate::ops::color_map::{COUNTERS, LOADS, MAP_BYTES, TOGETHER};
use crate::ops::{
    BatchShape, FrameBatch, Measure, OpInfo, ParamDoc, Passes, PictureTable, RgbSource, gpu_params, grid,
    reads_pictures, words,
};

const NAME: &str = "histogram/unique_colors";

/// What `frameloom ops` says about this operation.
pub const INFO: OpInfo = OpInfo {
    name: NAME,
    summary: "number of different 24-bit colours",
    input: "any format (YUV as color/rgb_from_yuv, in registers)",
    output: "u32 per picture",
    params: &[ParamDoc { name: "rgb", range: "matrix, range, siting, upsampling", meaning: "how YUV turns to RGB" }],
    border: "none",
    exactness: Exactness::Exact,
    reason: "integer counts",
    source: "bit map of all colours, population count",
    entries: &["mark", "count"],
    fields: Uniform::FIELDS,
    work,
};

fn work(layout: &FrameLayout) -> Work {
    let n = layout.size.area();
    let bytes_read = layout.format.frame_bytes(layout.size) + MAP_BYTES;
    Work { bytes_read, bytes_written: MAP_BYTES + 4, ops: n * 30 }
}

gpu_params! {
    struct Uniform {
        offset: [i32; 4],
        chroma: [i32; 4],
        first: u32,
    }
}

/// A planned `histogram/unique_colors`.
#[derive(Debug, Clone)]
pub struct UniqueColorsPlan {
    mark: Kernel,
    count: Kernel,
    source: RgbSource,
    shape: BatchShape,
    mark_groups: [u32; 2],
    count_groups: [u32; 2],
}

/// A plan bound to pictures.
pub type UniqueColorsBound = Measure<u32>;

impl UniqueColorsPlan {
    /// Bytes of results per picture.
    pub const RESULT_BYTES: u64 = 4;

    /// Plans for pictures of one layout or, with a mixed shape, of different sizes.
    pub fn new(ctx: &GpuContext, shape: impl Into<BatchShape>, rgb: RgbParams) -> Result<Self> {
        let shape = shape.into();
        let source = RgbSource::of(NAME, &shape, rgb)?;
        let (wg, rows) = match ctx.caps().class {
            AdapterClass::Cpu => (8u32, 16u32),
            AdapterClass::Gpu => (64, 2),
        };
        let constants = source.constants([("TAIL", source.tail), ("WG", wg), ("ROWS", rows)]);
        let mark = Kernel::new(ctx, NAME, "mark", &constants)?;
        let count = Kernel::new(ctx, NAME, "count", &[("WG", f64::from(wg)), ("LOADS", f64::from(LOADS))])?;
        let blocks = shape.largest().size.height.div_ceil(rows);
        let mark_groups = grid(ctx, NAME, u64::from(source.columns) * u64::from(blocks), wg)?;
        let count_groups = grid(ctx, NAME, COUNTERS, wg)?;
        Ok(Self { mark, count, source, shape, mark_groups, count_groups })
    }

    /// Binds the pictures of `src` from slot `first` on.
    pub fn bind(&self, ctx: &GpuContext, src: &dyn FrameBatch, first: u32) -> Result<UniqueColorsBound> {
        let pictures = PictureTable::new(ctx, NAME, "input", &self.shape, (src, first))?;
        let total = pictures.len();
        let map = GpuBuffer::new(ctx, NAME, MAP_BYTES * u64::from(total.min(TOGETHER)), BufferUse::Storage)?;
        let counts = GpuBuffer::new(ctx, NAME, Self::RESULT_BYTES * u64::from(total), BufferUse::Storage)?;
        let mut passes = Passes::new(total).clear(&counts, Self::RESULT_BYTES);
        for first in (0..total).step_by(TOGETHER as usize) {
            let (offset, chroma) = (self.source.offset, self.source.chroma);
            let params = Uniform { offset, chroma, first }.upload(ctx, NAME)?;
            let mark = self.mark.bind(
                ctx,
                &[
                    ("params", &params),
                    ("src", src.buffer()),
                    ("src_words", src.buffer()),
                    ("src_pictures", pictures.buffer()),
                    ("dst_map", &map),
                ],
            )?;
            let count = self.count.bind(ctx, &[("params", &params), ("map", &map), ("dst_counts", &counts)])?;
            let turn = Passes::new((total - first).min(TOGETHER))
                .clear(&map, MAP_BYTES)
                .run(&self.mark, mark, self.mark_groups)
                .run(&self.count, count, self.count_groups);
            passes = passes.then_from(first, turn);
        }
        let decode = |bytes: &[u8], _| words(bytes).next().unwrap_or(0);
        Ok(Measure::new(passes, (&counts, Self::RESULT_BYTES), pictures.sizes(), decode))
    }
}

/// Colours of all pictures of `src`, at once: uploads nothing, waits for the result. For scripts and tests; streams keep a bound
/// plan.
pub fn unique_colors(ctx: &GpuContext, src: &dyn FrameBatch, rgb: RgbParams) -> Result<Vec<u32>> {
    UniqueColorsPlan::new(ctx, BatchShape::of(src)?, rgb)?.bind(ctx, src, 0)?.run(ctx)
}

reads_pictures!(UniqueColorsPlan, UniqueColorsBound, |plan| plan.shape);
