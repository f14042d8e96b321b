//! `quality/complexity`: how busy a picture is: edges, different colours, contrast.
//!
//! | | |
//! |---|---|
//! | input | pictures of any format, 8 or 10 bits; YUV turns to RGB as in `color/rgb_from_yuv`; sizes may differ within a batch |
//! | output | [`ComplexitySums`] per picture: exact counts and sums; its `complexity` is the level, in f64 on the host |
//! | parameters | `canny`: thresholds of the edges; `rgb`: what YUV codes mean. Grey is luma (10 bits: the 8 most significant), of packed RGB as `color/gray_from_rgb` |
//! | memory | a map of 2 MiB for each of up to 16 pictures at a time, see `histogram/unique_colors`; what `edges/canny` needs |
//! | border | as `edges/canny` |
//! | exactness | exact |
//! | determinism | the same bits on every adapter |
//! | errors | `Parameter` for sides above 32,768 |
//! | source | `0.4 edge share + 0.3 min(colours / (0.1 pixels), 1) + 0.3 deviation / 128`, a heuristic of dataset curation |
//!
//! The share of colours depends on the number of pixels: pictures are comparable at one size (`resize/area` first).

use crate::core::{ComplexitySums, EdgeCount, Exactness, FrameLayout, GraySums, Size, Work};
use crate::error::Result;
use crate::gpu::{AdapterClass, BufferUse, GpuBuffer, GpuContext, Kernel, Recorder};
use crate::ops::color::rgb_from_yuv::RgbParams;
use crate::ops::color_map::{COUNTERS, LOADS, MAP_BYTES, TOGETHER};
use crate::ops::edges::canny::{CannyParams, CannyPlan};
use crate::ops::edges::hysteresis::HysteresisStatus;
use crate::ops::{
    BatchShape, FrameBatch, GraySource, Measure, OpInfo, ParamDoc, Passes, PictureTable, Record, RgbSource, gpu_params,
    gray_shape, grid, reads_pictures, words, words64,
};

const NAME: &str = "quality/complexity";
/// Bytes of results per picture.
const RESULT: u64 = 24;

/// What `frameloom ops` says about this operation.
pub const INFO: OpInfo = OpInfo {
    name: NAME,
    summary: "how busy a picture is: Canny edges, different colours, contrast",
    input: "any format (YUV as color/rgb_from_yuv, in registers; grey is luma, or color/gray_from_rgb)",
    output: "ComplexitySums per picture (edge pixels, colours, sums of grey)",
    params: &[
        ParamDoc { name: "canny", range: "as edges/canny", meaning: "thresholds of the edges; 50 and 150 are usual" },
        ParamDoc { name: "rgb", range: "matrix, range, siting, upsampling", meaning: "how YUV turns to RGB" },
    ],
    border: "as edges/canny",
    exactness: Exactness::Exact,
    reason: "integer counts and sums; figures in f64 on the host",
    source: "heuristic of dataset curation",
    entries: &["scan", "count_colors", "count_edges"],
    fields: Uniform::FIELDS,
    work,
};

fn work(layout: &FrameLayout) -> Work {
    let n = layout.size.area();
    // The picture, its colours, the bit planes of Canny.
    let bytes_read = layout.format.frame_bytes(layout.size) + MAP_BYTES + n / 2;
    Work { bytes_read, bytes_written: MAP_BYTES + n / 2 + RESULT, ops: n * 90 }
}

gpu_params! {
    struct Uniform {
        offset: [i32; 4],
        chroma: [i32; 4],
        first: u32,
    }
}

/// A planned `quality/complexity`.
#[derive(Debug, Clone)]
pub struct ComplexityPlan {
    scan: Kernel,
    count_colors: Kernel,
    count_edges: Kernel,
    canny: CannyPlan,
    source: RgbSource,
    shape: BatchShape,
    scan_groups: [u32; 2],
    color_groups: [u32; 2],
    edge_groups: [u32; 2],
}

/// A plan bound to pictures.
#[derive(Debug, Clone)]
pub struct ComplexityBound {
    measure: Measure<ComplexitySums>,
    status: HysteresisStatus,
}

impl ComplexityPlan {
    /// Plans for pictures of one layout or, with a mixed shape, of different sizes.
    pub fn new(ctx: &GpuContext, shape: impl Into<BatchShape>, canny: CannyParams, rgb: RgbParams) -> Result<Self> {
        let shape = shape.into();
        let source = RgbSource::of(NAME, &shape, rgb)?;
        let (wg, rows) = match ctx.caps().class {
            AdapterClass::Cpu => (8u32, 16u32),
            AdapterClass::Gpu => (64, 4),
        };
        let constants = source.constants([("TAIL", source.tail), ("WG", wg), ("ROWS", rows)]);
        let counting = [("WG", f64::from(wg)), ("ROWS", f64::from(rows)), ("LOADS", f64::from(LOADS))];
        let blocks = u64::from(shape.largest().size.height.div_ceil(rows));
        let width = shape.largest().size.width;
        Ok(Self {
            scan: Kernel::new(ctx, NAME, "scan", &constants)?,
            count_colors: Kernel::new(ctx, NAME, "count_colors", &counting)?,
            count_edges: Kernel::new(ctx, NAME, "count_edges", &counting)?,
            canny: CannyPlan::new(ctx, gray_shape(&shape)?, canny)?,
            scan_groups: grid(ctx, NAME, u64::from(source.columns) * blocks, wg)?,
            color_groups: grid(ctx, NAME, COUNTERS, wg)?,
            edge_groups: grid(ctx, NAME, u64::from(width.div_ceil(128)) * blocks, wg)?,
            source,
            shape,
        })
    }

    /// Binds the pictures of `src` from slot `first` on.
    ///
    /// # Errors
    /// `Parameter` for other pictures than planned and a slot that does not exist; the budget.
    pub fn bind(&self, ctx: &GpuContext, src: &dyn FrameBatch, first: u32) -> Result<ComplexityBound> {
        let pictures = PictureTable::each(ctx, NAME, "input", &self.shape, (src, first))?;
        let gray = GraySource::new(ctx, NAME, &self.shape, (src, first), &pictures)?;
        let (grays, gray_first) = gray.pictures();
        let canny = self.canny.bind_bits(ctx, grays, gray_first)?;
        let total = pictures.len();
        let map = GpuBuffer::new(ctx, NAME, MAP_BYTES * u64::from(total.min(TOGETHER)), BufferUse::Storage)?;
        let sums = GpuBuffer::new(ctx, NAME, RESULT * u64::from(total), BufferUse::Storage)?;
        let mut passes = Passes::new(total).clear(&sums, RESULT);
        for turn in (0..total).step_by(TOGETHER as usize) {
            let (offset, chroma) = (self.source.offset, self.source.chroma);
            let params = Uniform { offset, chroma, first: turn }.upload(ctx, NAME)?;
            let scan = self.scan.bind(
                ctx,
                &[
                    ("params", &params),
                    ("src", src.buffer()),
                    ("src_words", src.buffer()),
                    ("src_pictures", pictures.buffer()),
                    ("out_pictures", gray.table(&pictures)),
                    ("dst_gray", gray.target()),
                    ("dst_map", &map),
                    ("dst_sums", &sums),
                ],
            )?;
            let count = self.count_colors.bind(ctx, &[("params", &params), ("map", &map), ("dst_sums", &sums)])?;
            let steps = Passes::new((total - turn).min(TOGETHER))
                .clear(&map, MAP_BYTES)
                .run(&self.scan, scan, self.scan_groups)
                .run(&self.count_colors, count, self.color_groups);
            passes = passes.then_from(turn, steps);
        }
        let count = self.count_edges.bind(
            ctx,
            &[
                ("src_bits", canny.edges().buffer()),
                ("src_pictures", &canny.edges().table(ctx, NAME)?),
                ("dst_sums", &sums),
            ],
        )?;
        passes = passes.then(canny.passes(), 1).run(&self.count_edges, count, self.edge_groups);
        let measure = Measure::new(passes, (&sums, RESULT), pictures.sizes(), decode);
        Ok(ComplexityBound { measure, status: canny.status().clone() })
    }
}

fn decode(bytes: &[u8], size: Size) -> ComplexitySums {
    let (sums, counts) = bytes.split_at(bytes.len().min(16));
    let mut sums = words64(sums);
    let mut sum = || sums.next().unwrap_or(0);
    let gray = GraySums { n: size.area(), sum: sum(), sum_sq: sum() };
    let mut counts = words(counts);
    let unique_colors = counts.next().unwrap_or(0);
    let edges = EdgeCount { edges: u64::from(counts.next().unwrap_or(0)), pixels: size.area() };
    ComplexitySums { edges, unique_colors, gray }
}

impl ComplexityBound {
    /// The measurement: its results, and how to read them.
    pub fn measure(&self) -> &Measure<ComplexitySums> {
        &self.measure
    }

    /// Tells whether the hysteresis of the edges was complete.
    pub fn status(&self) -> &HysteresisStatus {
        &self.status
    }

    /// Records all bound pictures, waits, and reads their values. For scripts and tests; streams record, and read through a ring.
    pub fn run(&self, ctx: &GpuContext) -> Result<Vec<ComplexitySums>> {
        let found = self.measure.run(ctx)?;
        self.status.check(ctx)?;
        Ok(found)
    }
}

impl Record for ComplexityBound {
    fn record(&self, rec: &mut Recorder<'_>, count: u32) {
        self.measure.record(rec, count);
    }

    fn capacity(&self) -> u32 {
        self.measure.capacity()
    }
}

reads_pictures!(ComplexityPlan, ComplexityBound, |plan| plan.shape);

/// Counts of all pictures of `src`, at once: uploads nothing, waits for the result. For scripts and tests; streams keep a bound plan.
pub fn complexity(
    ctx: &GpuContext,
    src: &dyn FrameBatch,
    canny: CannyParams,
    rgb: RgbParams,
) -> Result<Vec<ComplexitySums>> {
    ComplexityPlan::new(ctx, BatchShape::of(src)?, canny, rgb)?.bind(ctx, src, 0)?.run(ctx)
}
