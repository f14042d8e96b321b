//! `quality/border_occlusion`: contrast and edges along the border, the sign of something cut off by it.
//!
//! | | |
//! |---|---|
//! | input | the luma plane of any YUV or grey format, 8 or 10 bits, and [`BitPlanes`] of its edges; sizes may differ within a batch |
//! | output | [`BorderSums`] per picture: exact integers; [`BorderSums::occlusion`] is the level, in f64 on the host |
//! | border | strips end at the picture |
//! | exactness | exact |
//! | determinism | the same bits on every adapter |
//! | errors | `Parameter` for formats without luma, sides above 32,768, a border of 0 or above 32,768, planes that do not fit the pictures |
//! | source | `0.5 deviation / 128 + 0.5 edge share` of a border 20 pixels wide, a heuristic of dataset curation |

use crate::core::{BorderSums, Exactness, FrameLayout, Size, Work};
use crate::error::Result;
use crate::gpu::{AdapterClass, BufferUse, GpuBuffer, GpuContext, Kernel, Recorder};
use crate::ops::edges::BitPlanes;
use crate::ops::edges::canny::{CannyParams, CannyPlan};
use crate::ops::luma_plane::LumaPlane;
use crate::ops::passes::{words, words64};
use crate::ops::{
    BatchShape, FrameBatch, MAX_SIDE, Measure, OpInfo, ParamDoc, Passes, PictureTable, gpu_params, grid, plan_error,
};

const NAME: &str = "quality/border_occlusion";

/// What `frameloom ops` says about this operation.
pub const INFO: OpInfo = OpInfo {
    name: NAME,
    summary: "contrast and edges along the border of a picture",
    input: "luma plane, u8 or 10 bit (8 most significant bits used), and bit planes of its edges",
    output: "BorderSums per picture (u64 sums in luma codes, edge pixels)",
    params: &[ParamDoc { name: "border", range: "1..=32768 pixels", meaning: "width of the strips; 20 is usual" }],
    border: "strips end at the picture",
    exactness: Exactness::Exact,
    reason: "integer sums",
    source: "heuristic of dataset curation",
    entries: &["main"],
    fields: Uniform::FIELDS,
    work,
};

fn work(layout: &FrameLayout) -> Work {
    let samples = BorderSums::new(layout.size, BORDER).samples();
    let bytes = samples * u64::from(layout.format.sample_bytes());
    Work { bytes_read: bytes + samples / 8, bytes_written: BorderOcclusionPlan::RESULT_BYTES, ops: samples * 4 }
}

/// The usual width of the border in pixels.
pub const BORDER: u32 = 20;

gpu_params! {
    struct Uniform {
        border: u32,
    }
}

/// Invocations for a picture of `size`, as `common/border` numbers them; a strip of the right may begin inside a column of 16.
pub(crate) fn border_items(border: u32, size: Size) -> u64 {
    let rows = border.min(size.height) * size.width.div_ceil(128);
    let columns = 2 * border.min(size.width).div_ceil(16) + 1;
    2 * u64::from(rows) + u64::from(columns) * u64::from(size.height.div_ceil(8))
}

/// A planned `quality/border_occlusion`.
#[derive(Debug, Clone)]
pub struct BorderOcclusionPlan {
    kernel: Kernel,
    uniform: Uniform,
    shape: BatchShape,
    groups: [u32; 2],
}

/// A plan bound to pictures and the planes of their edges.
pub type BorderOcclusionBound = Measure<BorderSums>;

impl BorderOcclusionPlan {
    /// Bytes of results per picture.
    pub const RESULT_BYTES: u64 = 24;

    /// Plans for pictures of one layout or, with a mixed shape, of different sizes, and strips of `border` pixels.
    pub fn new(ctx: &GpuContext, shape: impl Into<BatchShape>, border: u32) -> Result<Self> {
        let shape = shape.into();
        let plane = LumaPlane::of_shape(NAME, &shape)?;
        if !(1..=MAX_SIDE).contains(&border) {
            return Err(plan_error(NAME, "border", format!("1 to {MAX_SIDE} pixels"), border));
        }
        let workgroup = match ctx.caps().class {
            AdapterClass::Cpu => 8u32,
            AdapterClass::Gpu => 64,
        };
        let kernel = Kernel::new(ctx, NAME, "main", &plane.constants([("WG", workgroup)]))?;
        let groups = grid(ctx, NAME, border_items(border, shape.largest().size), workgroup)?;
        Ok(Self { kernel, uniform: Uniform { border }, shape, groups })
    }

    /// Binds the pictures of `src` from slot `first` on and the edges of the same pictures: plane 0 belongs to slot `first`. Record it
    /// behind what fills the planes: `canny.chain(border)`.
    pub fn bind(
        &self,
        ctx: &GpuContext,
        src: &dyn FrameBatch,
        first: u32,
        edges: &BitPlanes,
    ) -> Result<BorderOcclusionBound> {
        let pictures = PictureTable::each(ctx, NAME, "input", &self.shape, (src, first))?;
        if !edges.sizes().eq(pictures.sizes().iter().copied()) {
            let given = format!("{} planes", edges.slots());
            return Err(plan_error(NAME, "edges", "one plane of the size of each picture", given));
        }
        let params = self.uniform.upload(ctx, NAME)?;
        let sums = GpuBuffer::new(ctx, NAME, Self::RESULT_BYTES * u64::from(pictures.len()), BufferUse::Storage)?;
        let table = edges.table(ctx, NAME)?;
        let bind = self.kernel.bind(
            ctx,
            &[
                ("params", &params),
                ("src", src.buffer()),
                ("src_pictures", pictures.buffer()),
                ("src_edges", edges.buffer()),
                ("src_planes", &table),
                ("dst_sums", &sums),
            ],
        )?;
        let passes = Passes::new(pictures.len()).clear(&sums, Self::RESULT_BYTES).run(&self.kernel, bind, self.groups);
        let border = self.uniform.border;
        Ok(Measure::new(passes, (&sums, Self::RESULT_BYTES), pictures.sizes(), move |bytes, size| {
            decode(bytes, size, border)
        }))
    }
}

fn decode(bytes: &[u8], size: Size, border: u32) -> BorderSums {
    let (sums, counts) = bytes.split_at(bytes.len().min(16));
    let mut sums = words64(sums);
    let mut sum = || sums.next().unwrap_or(0);
    BorderSums { size, border, sum: sum(), sum_sq: sum(), edges: words(counts).next().map_or(0, u64::from) }
}

/// Sums over the border of all pictures of `src` with their edges after `edges/canny`, at once: waits for the result. For scripts and
/// tests; streams keep bound plans.
pub fn border_occlusion(
    ctx: &GpuContext,
    src: &dyn FrameBatch,
    border: u32,
    params: CannyParams,
) -> Result<Vec<BorderSums>> {
    let shape = BatchShape::of(src)?;
    let plan = BorderOcclusionPlan::new(ctx, shape, border)?;
    let canny = CannyPlan::new(ctx, shape, params)?.bind_bits(ctx, src, 0)?;
    let bound = plan.bind(ctx, src, 0, canny.edges())?;
    let mut rec = Recorder::new(ctx, NAME);
    canny.record(&mut rec, canny.capacity());
    rec.run()?;
    canny.status().check(ctx)?;
    bound.run(ctx)
}
