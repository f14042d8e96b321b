//! `color/yuv_change`: YUV frames changed as RGB pictures of them were.
//!
//! | | |
//! |---|---|
//! | input | YUV of any subsampling and plane layout, 8 or 10 bits, or 8-bit grey; two batches of packed RGBA of the same sizes: before and after the change |
//! | output | frames of the same layouts |
//! | parameters | `color`: what the code values mean |
//! | border | pixels of a chroma block outside the picture repeat its last column and row |
//! | exactness | exact |
//! | determinism | the same bits on every adapter |
//! | errors | `Parameter` for RGB frames, other layouts than planned, sizes that differ, results in the buffer of an input |
//! | source | ITU-R BT.601-7, BT.709-6, BT.2020-2, applied to differences |
//!
//! A sample keeps its bits where the pixels that it covers are equal before and after: pictures that are edited as RGB come back to YUV
//! without a trace elsewhere, and an edit that changes nothing changes nothing. A chroma sample takes the mean of the block it covers
//! whatever the siting, so that no change reaches over the edge of a block.

use crate::core::{ColorSpec, Exactness, FrameLayout, PixelFormat, Work, YuvCoefficients};
use crate::error::Result;
use crate::gpu::{AdapterClass, GpuContext, Kernel};
use crate::ops::{
    BatchShape, FrameBatch, FramesBound, GpuFrames, OpInfo, ParamDoc, PicturePair, PictureTable, gpu_params, grid,
    plan_error, run_frames,
};

const NAME: &str = "color/yuv_change";

/// What `frameloom ops` says about this operation.
pub const INFO: OpInfo = OpInfo {
    name: NAME,
    summary: "YUV frames changed as RGB pictures of them were; all else keeps its bits",
    input: "any YUV format, 8 or 10 bits, or gray8; rgba8 before and after",
    output: "frames like the input",
    params: &[ParamDoc { name: "color", range: "matrix, range", meaning: "what the code values mean" }],
    border: "blocks repeat the last column and row",
    exactness: Exactness::Exact,
    reason: "32-bit integers, all sums below 2^31",
    source: "ITU-R BT.601-7, BT.709-6, BT.2020-2",
    entries: &["main"],
    fields: Uniform::FIELDS,
    work,
};

fn work(layout: &FrameLayout) -> Work {
    let (n, frame) = (layout.size.area(), layout.format.frame_bytes(layout.size));
    Work { bytes_read: n * 8 + frame, bytes_written: frame, ops: n * 24 }
}

gpu_params! {
    struct Uniform {
        luma: [i32; 4],
        u: [i32; 4],
        v: [i32; 4],
    }
}

/// A planned `color/yuv_change`.
#[derive(Debug, Clone)]
pub struct YuvChangePlan {
    kernel: Kernel,
    uniform: Uniform,
    frames: BatchShape,
    pictures: BatchShape,
    groups: [u32; 2],
}

/// An RGB picture of each frame, from a slot on: before the change and after it.
#[derive(Debug, Clone, Copy)]
pub struct Change<'a> {
    /// Before.
    pub before: (&'a dyn FrameBatch, u32),
    /// After.
    pub after: (&'a dyn FrameBatch, u32),
}

impl YuvChangePlan {
    /// Plans for frames of one layout or, with a mixed shape, of different sizes.
    pub fn new(ctx: &GpuContext, frames: impl Into<BatchShape>, color: ColorSpec) -> Result<Self> {
        let frames = frames.into();
        let largest = *frames.largest();
        let format = largest.format;
        let pictures = match frames.with_format(PixelFormat::Rgba8) {
            Ok(pictures) if format.has_luma() => pictures,
            _ => {
                let given = format!("{format} {}", largest.size);
                return Err(plan_error(NAME, "input", "YUV or grey whose RGB frame is below 2 GiB", given));
            }
        };
        let workgroup = match ctx.caps().class {
            AdapterClass::Cpu => 8u32,
            AdapterClass::Gpu => 64,
        };
        let (sx, sy) = format.chroma_shift();
        let constants = [
            ("WG", workgroup),
            ("BYTES", format.sample_bytes()),
            ("SHIFT", format.shift_to_value()),
            ("MOST", (1 << format.bits()) - 1),
            ("SX", sx),
            ("SY", sy),
            ("CHROMA", u32::from(format.has_chroma())),
            ("SEMI", u32::from(format.semi_planar())),
        ];
        let kernel = Kernel::new(ctx, NAME, "main", &constants.map(|(name, v)| (name, f64::from(v))))?;
        let [luma, u, v] = YuvCoefficients::for_format(color, format).m.map(|[r, g, b]| [r, g, b, 0]);
        let items = u64::from(largest.size.width.div_ceil(8)) * u64::from(largest.size.height.div_ceil(1 << sy));
        let groups = grid(ctx, NAME, items, workgroup)?;
        Ok(Self { kernel, uniform: Uniform { luma, u, v }, frames, pictures, groups })
    }

    /// Binds frames of `src` and RGB pictures of them to results, each from a slot on.
    pub fn bind(
        &self,
        ctx: &GpuContext,
        (src, first): (&dyn FrameBatch, u32),
        change: Change<'_>,
        (dst, dst_first): (&dyn FrameBatch, u32),
    ) -> Result<FramesBound> {
        let pair = PicturePair::new(ctx, NAME, (src, first, &self.frames), (dst, dst_first, &self.frames), |s| s)?;
        let before = PictureTable::new(ctx, NAME, "before", &self.pictures, change.before)?;
        let after = PictureTable::new(ctx, NAME, "after", &self.pictures, change.after)?;
        for (name, table) in [("before", &before), ("after", &after)] {
            for (frame, picture) in pair.src.sizes().iter().zip(table.sizes().iter()) {
                if frame != picture {
                    return Err(plan_error(NAME, name, format!("{frame} as the frame"), picture));
                }
            }
        }
        let params = self.uniform.upload(ctx, NAME)?;
        let bind = self.kernel.bind(
            ctx,
            &[
                ("params", &params),
                ("src_words", src.buffer()),
                ("src_pictures", pair.src.buffer()),
                ("src_second", change.before.0.buffer()),
                ("src_second_pictures", before.buffer()),
                ("src_third", change.after.0.buffer()),
                ("src_third_pictures", after.buffer()),
                ("dst", dst.buffer()),
                ("out_pictures", pair.dst.buffer()),
            ],
        )?;
        let count = pair.len().min(before.len()).min(after.len());
        Ok(FramesBound::new(&self.kernel, bind, self.groups, count))
    }
}

/// All frames of `src` changed, at once: waits for the result. For scripts and tests; streams keep a bound plan.
pub fn yuv_change(
    ctx: &GpuContext,
    src: &GpuFrames,
    before: &dyn FrameBatch,
    after: &dyn FrameBatch,
    color: ColorSpec,
) -> Result<GpuFrames> {
    let plan = YuvChangePlan::new(ctx, src.layout(), color)?;
    let change = Change { before: (before, 0), after: (after, 0) };
    run_frames(ctx, NAME, src.layout(), src.slots(), |dst| plan.bind(ctx, (src, 0), change, (dst, 0)))
}
