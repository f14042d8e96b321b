//! `motion/hsv_cut_score`: how much the colours of each frame differ from those of the one before.
//!
//! | | |
//! |---|---|
//! | input | frames of any format and one size, 8 or 10 bits; YUV turns to RGB as in `color/rgb_from_yuv`; frame `i` is compared with the one in the slot before |
//! | output | [`HsvDifferenceSums`] per frame: sums of the absolute differences of 8-bit H (both ways round the circle), S, V; its `content_score` weighs them |
//! | parameters | `rgb`: what YUV codes mean; weights and the distance of hues belong to the score |
//! | border | none; padding is never counted |
//! | exactness | exact |
//! | determinism | the same bits on every adapter |
//! | errors | `Parameter` for mixed sizes, sides above 32,768, `first` without a slot before it |
//! | source | content detector of PySceneDetect without its edge term; 8-bit HSV as OpenCV |

use crate::core::{Exactness, FrameLayout, HsvDifferenceSums, Size, Work};
use crate::error::Result;
use crate::gpu::{AdapterClass, BufferUse, GpuBuffer, GpuContext, Kernel};
use crate::ops::color::rgb_from_yuv::RgbParams;
use crate::ops::{
    BatchShape, FrameBatch, Measure, OpInfo, ParamDoc, Passes, PictureTable, RgbSource, check_count, gpu_params, grid,
    plan_error, words64,
};
use std::sync::Arc;

const NAME: &str = "motion/hsv_cut_score";
/// Words of results per frame.
const WORDS: u32 = 8;

/// What `frameloom ops` says about this operation.
pub const INFO: OpInfo = OpInfo {
    name: NAME,
    summary: "sums of absolute HSV differences to the frame before: content score of scene detection",
    input: "any format (YUV as color/rgb_from_yuv, then 8-bit HSV, in registers), frame before in the slot before",
    output: "HsvDifferenceSums per frame (u64 sums of codes)",
    params: &[ParamDoc { name: "rgb", range: "matrix, range, siting, upsampling", meaning: "how YUV turns to RGB" }],
    border: "none",
    exactness: Exactness::Exact,
    reason: "integer sums (f32 only holds integers below 2^24)",
    source: "PySceneDetect ContentDetector without edges; OpenCV 8-bit HSV",
    entries: &["main"],
    fields: Uniform::FIELDS,
    work,
};

/// The frame before is read as well, but in a batch it is the last one read: the least traffic is one frame per frame.
fn work(layout: &FrameLayout) -> Work {
    let n = layout.size.area();
    let bytes_read = layout.format.frame_bytes(layout.size);
    Work { bytes_read, bytes_written: u64::from(WORDS) * 4, ops: n * 110 }
}

gpu_params! {
    struct Uniform {
        offset: [i32; 4],
        chroma: [i32; 4],
    }
}

/// A planned `motion/hsv_cut_score` for frames of one layout.
#[derive(Debug, Clone)]
pub struct HsvCutScorePlan {
    kernel: Kernel,
    uniform: Uniform,
    shape: BatchShape,
    groups: [u32; 2],
}

/// A plan bound to frames.
pub type HsvCutScoreBound = Measure<HsvDifferenceSums>;

impl HsvCutScorePlan {
    /// Bytes of results per frame.
    pub const RESULT_BYTES: u64 = WORDS as u64 * 4;

    /// Plans for frames of one layout.
    pub fn new(ctx: &GpuContext, shape: impl Into<BatchShape>, rgb: RgbParams) -> Result<Self> {
        let shape = shape.into();
        let size = shape.uniform(NAME)?.size;
        let source = RgbSource::of(NAME, &shape, rgb)?;
        let (wg, rows) = match ctx.caps().class {
            AdapterClass::Cpu => (8u32, 20u32),
            AdapterClass::Gpu => (64, 4),
        };
        let constants = source.constants([("TAIL", source.tail), ("WG", wg), ("ROWS", rows)]);
        let kernel = Kernel::new(ctx, NAME, "main", &constants)?;
        let groups = grid(ctx, NAME, u64::from(source.columns) * u64::from(size.height.div_ceil(rows)), wg)?;
        let uniform = Uniform { offset: source.offset, chroma: source.chroma };
        Ok(Self { kernel, uniform, shape, groups })
    }

    /// Binds the frames of `src` from slot `first` on; slot `first - 1` holds the frame before the first.
    ///
    /// # Errors
    /// `Parameter` when `first` is 0 or behind the last slot, or a layout is another.
    pub fn bind(&self, ctx: &GpuContext, src: &dyn FrameBatch, first: u32) -> Result<HsvCutScoreBound> {
        if first == 0 || first >= src.slots() {
            let wanted = format!("a slot with another before it, 1 to {}", src.slots().saturating_sub(1));
            return Err(plan_error(NAME, "first", wanted, first));
        }
        let pictures = PictureTable::new(ctx, NAME, "input", &self.shape, (src, first - 1))?;
        let sizes: Arc<[Size]> = pictures.sizes().iter().skip(1).copied().collect();
        let capacity = pictures.len() - 1;
        check_count(ctx, NAME, "input", u64::from(capacity))?;
        let params = self.uniform.upload(ctx, NAME)?;
        let sums = GpuBuffer::new(ctx, NAME, Self::RESULT_BYTES * u64::from(capacity), BufferUse::Storage)?;
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
        let passes = Passes::new(capacity).clear(&sums, Self::RESULT_BYTES).run(&self.kernel, bind, self.groups);
        Ok(Measure::new(passes, (&sums, Self::RESULT_BYTES), &sizes, decode))
    }
}

fn decode(frame: &[u8], size: Size) -> HsvDifferenceSums {
    let mut sums = words64(frame);
    let mut sum = || sums.next().unwrap_or(0);
    HsvDifferenceSums { hue: sum(), hue_circular: sum(), saturation: sum(), value: sum(), n: size.area() }
}

/// Differences of frames 1, 2, ... of `src` to those before them, at once; one result less than frames. For scripts and tests;
/// streams keep a bound plan.
///
/// # Errors
/// As [`HsvCutScorePlan::new`]; a single frame gives no results.
pub fn hsv_cut_score(ctx: &GpuContext, src: &dyn FrameBatch, rgb: RgbParams) -> Result<Vec<HsvDifferenceSums>> {
    let plan = HsvCutScorePlan::new(ctx, BatchShape::of(src)?, rgb)?;
    if src.slots() < 2 {
        return Ok(Vec::new());
    }
    plan.bind(ctx, src, 1)?.run(ctx)
}
