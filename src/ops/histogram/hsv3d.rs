//! `histogram/hsv3d`: joint histogram of hue, saturation and value.
//!
//! | | |
//! |---|---|
//! | input | pictures of any format, 8 or 10 bits; YUV turns to RGB as in `color/rgb_from_yuv`; sizes may differ within a batch |
//! | output | `h * s * v` counts of `u32` per picture, bin `(h * S + s) * V + v`, where `h = floor(H * bins / 180)`, `s, v = floor(S or V * bins / 256)` of 8-bit HSV |
//! | parameters | `bins` of hue 1..=180, of saturation and value 1..=256, together at most 4096; `rgb`: what YUV codes mean |
//! | border | none; padding is never counted |
//! | exactness | exact; the counts of a picture add up to its pixels |
//! | determinism | the same bits on every adapter |
//! | errors | `Parameter` for sides above 32,768 and bins out of range |
//! | source | 8-bit HSV as OpenCV; privatised histograms (Gómez-Luna et al. 2013): per lane on CPU adapters, per 32 invocations on GPUs |

use crate::core::{Exactness, FrameLayout, Work};
use crate::error::Result;
use crate::gpu::{AdapterClass, BufferUse, GpuBuffer, GpuContext, Kernel};
use crate::ops::color::rgb_from_yuv::RgbParams;
use crate::ops::{
    BatchShape, FrameBatch, Measure, OpInfo, ParamDoc, Passes, PictureTable, RgbSource, gpu_params, grid, plan_error,
    reads_pictures, words,
};

const NAME: &str = "histogram/hsv3d";
/// Most bins: 16 KiB of workgroup memory hold one table of so many.
const MAX_BINS: u32 = 4096;
/// Most bins of the variant with a table per lane.
const MAX_LANE_BINS: u32 = 512;

/// What `frameloom ops` says about this operation.
pub const INFO: OpInfo = OpInfo {
    name: NAME,
    summary: "joint histogram of hue, saturation and value",
    input: "any format (YUV as color/rgb_from_yuv, then 8-bit HSV as color/hsv_from_rgb, in registers)",
    output: "u32 counts, h * s * v per picture, bin (h * S + s) * V + v",
    params: &[
        ParamDoc {
            name: "bins",
            range: "hue 1..=180, saturation and value 1..=256, product 1..=4096",
            meaning: "equal parts of 0..180, 0..256, 0..256",
        },
        ParamDoc { name: "rgb", range: "matrix, range, siting, upsampling", meaning: "how YUV turns to RGB" },
    ],
    border: "none",
    exactness: Exactness::Exact,
    reason: "integer counts of integer HSV (f32 only holds integers below 2^24)",
    source: "OpenCV, 8-bit HSV; Gómez-Luna, González-Linares, Benavides, Guil 2013",
    entries: &["main_lanes", "main_atomic"],
    fields: Uniform::FIELDS,
    work,
};

fn work(layout: &FrameLayout) -> Work {
    let n = layout.size.area();
    Work { bytes_read: layout.format.frame_bytes(layout.size), bytes_written: 216 * 4, ops: n * 60 }
}

gpu_params! {
    struct Uniform {
        offset: [i32; 4],
        chroma: [i32; 4],
    }
}

/// Numbers of bins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HsvBins {
    /// Equal parts of the hues 0..180 (half degrees), 1..=180.
    pub hue: u32,
    /// Equal parts of the saturations 0..256, 1..=256.
    pub saturation: u32,
    /// Equal parts of the values 0..256, 1..=256.
    pub value: u32,
}

impl Default for HsvBins {
    fn default() -> Self {
        Self { hue: 6, saturation: 6, value: 6 }
    }
}

impl HsvBins {
    /// All bins, at most 4096; an error of the operation otherwise.
    fn count(self) -> Result<u32> {
        let Self { hue, saturation, value } = self;
        let inside = (1..=180).contains(&hue) && (1..=256).contains(&saturation) && (1..=256).contains(&value);
        let count = if inside { hue * saturation * value } else { 0 };
        if !(1..=MAX_BINS).contains(&count) {
            let wanted = format!("1 to 180 of hue, 1 to 256 of saturation and value, at most {MAX_BINS} together");
            return Err(plan_error(NAME, "bins", wanted, format!("{hue} x {saturation} x {value}")));
        }
        Ok(count)
    }
}

/// A planned `histogram/hsv3d`.
#[derive(Debug, Clone)]
pub struct HsvHistogramPlan {
    kernel: Kernel,
    uniform: Uniform,
    shape: BatchShape,
    bins: u32,
    groups: [u32; 2],
}

/// A plan bound to pictures: all counts of each.
pub type HsvHistogramBound = Measure<Vec<u32>>;

impl HsvHistogramPlan {
    /// Plans for pictures of one layout or, with a mixed shape, of different sizes.
    pub fn new(ctx: &GpuContext, shape: impl Into<BatchShape>, bins: HsvBins, rgb: RgbParams) -> Result<Self> {
        Self::for_class(ctx, shape, bins, rgb, ctx.caps().class)
    }

    /// Plans with the kernel variant meant for adapters of `class`. Both variants run, and are exact, on every adapter: this
    /// exists so that tests and benchmarks can compare them. Above 512 bins there is only the one of GPUs.
    pub fn for_class(
        ctx: &GpuContext,
        shape: impl Into<BatchShape>,
        bins: HsvBins,
        rgb: RgbParams,
        class: AdapterClass,
    ) -> Result<Self> {
        let shape = shape.into();
        let source = RgbSource::of(NAME, &shape, rgb)?;
        let count = bins.count()?;
        let loads = source.columns * shape.largest().size.height; // sides up to 32768: at most 2^26
        // Above that a table per lane takes too much memory.
        let class = if count <= MAX_LANE_BINS { class } else { AdapterClass::Gpu };
        let (entry, wg, groups) = super::tables(class, loads, 24);
        let groups = grid(ctx, NAME, u64::from(groups) * u64::from(wg), wg)?;
        let tables = (MAX_BINS / (count + 1)).clamp(1, 8);
        let HsvBins { hue, saturation, value } = bins;
        let own = [
            ("TAIL", source.tail),
            ("WG", wg),
            ("H_BINS", hue),
            ("S_BINS", saturation),
            ("V_BINS", value),
            ("BINS", count),
            ("TABLES", tables),
            ("TABLE", count + u32::from(tables > 1)),
        ];
        let kernel = Kernel::new(ctx, NAME, entry, &source.constants(own))?;
        let uniform = Uniform { offset: source.offset, chroma: source.chroma };
        Ok(Self { kernel, uniform, shape, bins: count, groups })
    }

    /// Binds the pictures of `src` from slot `first` on.
    pub fn bind(&self, ctx: &GpuContext, src: &dyn FrameBatch, first: u32) -> Result<HsvHistogramBound> {
        let pictures = PictureTable::each(ctx, NAME, "input", &self.shape, (src, first))?;
        let params = self.uniform.upload(ctx, NAME)?;
        let frame_bytes = self.result_bytes();
        let counts = GpuBuffer::new(ctx, NAME, frame_bytes * u64::from(pictures.len()), BufferUse::Storage)?;
        let bind = self.kernel.bind(
            ctx,
            &[
                ("params", &params),
                ("src", src.buffer()),
                ("src_words", src.buffer()),
                ("src_pictures", pictures.buffer()),
                ("dst_bins", &counts),
            ],
        )?;
        let passes = Passes::new(pictures.len()).clear(&counts, frame_bytes).run(&self.kernel, bind, self.groups);
        Ok(Measure::new(passes, (&counts, frame_bytes), pictures.sizes(), |bytes, _| words(bytes).collect()))
    }

    /// Bytes of results per picture.
    pub fn result_bytes(&self) -> u64 {
        u64::from(self.bins) * 4
    }
}

/// Histograms of all pictures of `src`, at once: uploads nothing, waits for the result. For scripts and tests; streams keep a
/// bound plan.
pub fn hsv3d(ctx: &GpuContext, src: &dyn FrameBatch, bins: HsvBins, rgb: RgbParams) -> Result<Vec<Vec<u32>>> {
    HsvHistogramPlan::new(ctx, BatchShape::of(src)?, bins, rgb)?.bind(ctx, src, 0)?.run(ctx)
}

reads_pictures!(HsvHistogramPlan, HsvHistogramBound, |plan| plan.shape);
