//! `edges/canny`: the Canny edge detector, as OpenCV computes it.
//!
//! | | |
//! |---|---|
//! | input | the luma plane of any YUV or grey format, 8 or 10 bits, at least 1x1; sizes may differ within a batch |
//! | output | 8-bit grey, 255 on edges, else 0; or one bit a pixel ([`BitPlanes`]) for operations on edges |
//! | border | gradients replicate the border; magnitudes outside are 0 |
//! | exactness | exact; the labels of `cv2.Canny` with aperture 3 and L1 gradient |
//! | determinism | the same bits on every adapter |
//! | errors | `Parameter` for formats without luma, sides above 32,768, other layouts than planned, a result in the buffer of the input |
//! | source | Canny 1986; sectors and comparisons as OpenCV |
//!
//! Hysteresis is complete when it was recorded once, see [`super::hysteresis`]; [`CannyBound::status`] tells.

use super::bit_planes::BitPlanes;
use super::hysteresis::{HysteresisPlan, HysteresisStatus};
use crate::core::{Exactness, FrameLayout, PixelFormat, Work};
use crate::error::Result;
use crate::gpu::{AdapterClass, GpuContext, Kernel, Recorder};
use crate::ops::luma_plane::LumaPlane;
use crate::ops::{
    BatchShape, FrameBatch, FramesBound, GpuFrames, OpInfo, ParamDoc, Passes, PicturePair, PictureTable, Record,
    gpu_params, grid,
};

const NAME: &str = "edges/canny";

/// What `frameloom ops` says about this operation.
pub const INFO: OpInfo = OpInfo {
    name: NAME,
    summary: "Canny edges: Sobel 3x3, L1 magnitude, suppression, complete hysteresis",
    input: "luma plane, u8 or 10 bit (8 most significant bits used)",
    output: "gray8, 255 on edges, else 0; or one bit a pixel",
    params: &[
        ParamDoc { name: "low", range: "0..=65535, |gx| + |gy|", meaning: "pixels above it may belong to an edge" },
        ParamDoc { name: "high", range: "0..=65535, |gx| + |gy|", meaning: "an edge has a pixel above it" },
    ],
    border: "replicate; magnitude 0 outside",
    exactness: Exactness::Exact,
    reason: "integers, also in the comparison of directions",
    source: "Canny 1986; as OpenCV with aperture 3 and L1 gradient",
    entries: &["main", "widen"],
    fields: Uniform::FIELDS,
    work,
};

fn work(layout: &FrameLayout) -> Work {
    let n = layout.size.area();
    let planes = n / 8;
    // Weak and strong written, read by one sweep, one of them written again, read for the result.
    Work {
        bytes_read: n * u64::from(layout.format.sample_bytes()) + 3 * planes,
        bytes_written: n + 3 * planes,
        ops: n * 60,
    }
}

gpu_params! {
    struct Uniform {
        low: u32,
        high: u32,
    }
}

/// Thresholds of `|gx| + |gy|`, whose largest possible value is 2040; they are swapped where `low` is above `high`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CannyParams {
    /// Pixels above it may belong to an edge.
    pub low: u16,
    /// An edge has at least one pixel above it.
    pub high: u16,
}

impl Default for CannyParams {
    fn default() -> Self {
        Self { low: 50, high: 150 }
    }
}

impl CannyParams {
    fn uniform(self) -> Uniform {
        // One below 2^15: no magnitude reaches it.
        let lanes = |v: u16| u32::from(v.min(0x7ffe)) * 0x1_0001;
        Uniform { low: lanes(self.low.min(self.high)), high: lanes(self.low.max(self.high)) }
    }
}

/// A planned `edges/canny`.
#[derive(Debug, Clone)]
pub struct CannyPlan {
    main: Kernel,
    widen: Kernel,
    hysteresis: HysteresisPlan,
    uniform: Uniform,
    input: BatchShape,
    output: BatchShape,
    main_groups: [u32; 2],
    widen_groups: [u32; 2],
}

/// A plan bound to pictures.
#[derive(Debug, Clone)]
pub struct CannyBound {
    passes: Passes,
    edges: BitPlanes,
    status: HysteresisStatus,
}

impl CannyPlan {
    /// Plans for pictures of one layout or, with a mixed shape, of different sizes.
    pub fn new(ctx: &GpuContext, input: impl Into<BatchShape>, params: CannyParams) -> Result<Self> {
        let input = input.into();
        let plane = LumaPlane::of_shape(NAME, &input)?;
        let (workgroup, rows) = match ctx.caps().class {
            AdapterClass::Cpu => (8u32, 40u32),
            AdapterClass::Gpu => (64, 16),
        };
        let size = input.largest().size;
        let blocks = u64::from(size.height.div_ceil(rows));
        let main = Kernel::new(ctx, NAME, "main", &plane.constants([("WG", workgroup), ("ROWS", rows)]))?;
        let constants = [("WG", f64::from(workgroup)), ("ROWS", f64::from(rows))];
        Ok(Self {
            main,
            widen: Kernel::new(ctx, NAME, "widen", &constants)?,
            hysteresis: HysteresisPlan::new(ctx, size)?,
            uniform: params.uniform(),
            input,
            output: input.with_format(PixelFormat::Gray8)?,
            main_groups: grid(ctx, NAME, u64::from(size.width.div_ceil(128)) * 4 * blocks, workgroup)?,
            widen_groups: grid(ctx, NAME, u64::from(size.width.div_ceil(32)) * blocks, workgroup)?,
        })
    }

    /// Layout of the pictures of edges; of the largest one for mixed sizes.
    pub fn output(&self) -> &FrameLayout {
        self.output.largest()
    }

    /// Binds the pictures of `src` from slot `first` on to pictures of their sizes in `dst` from slot `dst_first` on.
    pub fn bind(
        &self,
        ctx: &GpuContext,
        src: &dyn FrameBatch,
        first: u32,
        dst: &dyn FrameBatch,
        dst_first: u32,
    ) -> Result<CannyBound> {
        let pair = PicturePair::new(ctx, NAME, (src, first, &self.input), (dst, dst_first, &self.output), |size| size)?;
        let bound = self.edges_of(ctx, src, &pair.src, pair.len())?;
        let bind = self.widen.bind(
            ctx,
            &[
                ("src_bits", bound.edges.buffer()),
                ("src_pictures", &bound.edges.table(ctx, NAME)?),
                ("dst", dst.buffer()),
                ("out_pictures", pair.dst.buffer()),
            ],
        )?;
        Ok(CannyBound { passes: bound.passes.run(&self.widen, bind, self.widen_groups), ..bound })
    }

    /// Binds the pictures of `src` from slot `first` on; the result is [`CannyBound::edges`].
    pub fn bind_bits(&self, ctx: &GpuContext, src: &dyn FrameBatch, first: u32) -> Result<CannyBound> {
        let table = PictureTable::each(ctx, NAME, "input", &self.input, (src, first))?;
        self.edges_of(ctx, src, &table, table.len())
    }

    fn edges_of(&self, ctx: &GpuContext, src: &dyn FrameBatch, table: &PictureTable, count: u32) -> Result<CannyBound> {
        let sizes = table.sizes().get(..count as usize).unwrap_or_default();
        let weak = BitPlanes::new(ctx, NAME, sizes)?;
        let edges = BitPlanes::new(ctx, NAME, sizes)?;
        let params = self.uniform.upload(ctx, NAME)?;
        let bind = self.main.bind(
            ctx,
            &[
                ("params", &params),
                ("src", src.buffer()),
                ("src_words", src.buffer()),
                ("src_pictures", table.buffer()),
                ("out_pictures", &edges.table(ctx, NAME)?),
                ("dst_weak", weak.buffer()),
                ("dst_strong", edges.buffer()),
            ],
        )?;
        let growth = self.hysteresis.bind(ctx, &weak, &edges)?;
        let passes = Passes::new(count).run(&self.main, bind, self.main_groups).then(growth.passes(), 1);
        Ok(CannyBound { passes, edges, status: growth.status().clone() })
    }
}

impl CannyBound {
    /// The edges, one bit a pixel, of the pictures recorded last: operations on edges bind them.
    pub fn edges(&self) -> &BitPlanes {
        &self.edges
    }

    /// Tells whether hysteresis was complete.
    pub fn status(&self) -> &HysteresisStatus {
        &self.status
    }

    /// The recorded steps.
    pub(crate) fn passes(&self) -> &Passes {
        &self.passes
    }

    /// Records the first `count` bound pictures, as [`Record::record`].
    pub fn record(&self, rec: &mut Recorder<'_>, count: u32) {
        self.passes.record(rec, count);
    }

    /// Pictures there are slots for.
    pub fn capacity(&self) -> u32 {
        self.passes.capacity()
    }
}

impl Record for CannyBound {
    fn record(&self, rec: &mut Recorder<'_>, count: u32) {
        Self::record(self, rec, count);
    }

    fn capacity(&self) -> u32 {
        Self::capacity(self)
    }
}

impl From<CannyBound> for FramesBound {
    fn from(bound: CannyBound) -> Self {
        bound.passes.into()
    }
}

/// Edges of all frames of `src`, at once: waits for the result. For scripts and tests; streams keep a bound plan.
pub fn canny(ctx: &GpuContext, src: &GpuFrames, params: CannyParams) -> Result<GpuFrames> {
    let plan = CannyPlan::new(ctx, src.layout(), params)?;
    let size = plan.output().size;
    let dst = GpuFrames::new(ctx, NAME, PixelFormat::Gray8, size, src.slots())?;
    let bound = plan.bind(ctx, src, 0, &dst, 0)?;
    let mut rec = Recorder::new(ctx, NAME);
    bound.record(&mut rec, src.slots());
    rec.run()?;
    bound.status.check(ctx)?;
    Ok(dst)
}
