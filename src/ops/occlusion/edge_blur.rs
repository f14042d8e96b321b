//! `occlusion/edge_blur`: a band along a side blurred, in place.
//!
//! | | |
//! |---|---|
//! | input, output | packed RGBA, changed in place, alpha is kept; sizes may differ within a batch |
//! | result | [`Covered`] per picture: pixels of the band |
//! | parameters | per picture: [`EdgeBlur`] (side, share, radius 1..=127, feather 0..=4096, where it mirrors) |
//! | border | reflect-101 at the borders of the picture or of the band |
//! | exactness | exact; with a feather of 0 equal to OpenCV's `GaussianBlur` of the band (or of the picture) |
//! | determinism | the same bits on every adapter |
//! | errors | `Parameter` for other formats, sides above 32,768, parameters out of range, another number of them than of pictures |
//! | source | Gaussian with 8-bit fixed-point taps as OpenCV: [`gauss_taps`] |
//!
//! Work and scratch memory (8 bytes a pixel) are those of the band. Several bands of a picture are a chain of several bindings.

use crate::core::occlusion::{EdgeBlur, Inside, Side, gauss_taps, parts};
use crate::core::{Covered, Exactness, FrameLayout, PixelFormat, Rect, Size, Work};
use crate::error::Result;
use crate::gpu::{AdapterClass, BufferUse, GpuBuffer, GpuContext, Kernel};
use crate::ops::{
    BatchShape, CoverBound, FrameBatch, GpuPictures, OpInfo, ParamDoc, Passes, PictureTable, bytes_of, check_sides,
    counts, covering, grid, on_copy, one_each, plan_error,
};

const NAME: &str = "occlusion/edge_blur";
/// Results an invocation makes along a pass.
const STRIP: u32 = 8;

/// What `frameloom ops` says about this operation.
pub const INFO: OpInfo = OpInfo {
    name: NAME,
    summary: "Gaussian blur of a band along a side with a soft seam, in place",
    input: "rgba8",
    output: "the same pictures; Covered per picture",
    params: &[
        ParamDoc { name: "side", range: "left, right, top, bottom", meaning: "where the band lies" },
        ParamDoc { name: "share", range: "0..=1", meaning: "thickness, of the width or height, rounded down" },
        ParamDoc { name: "radius", range: "1..=127 px", meaning: "2 radius + 1 taps" },
        ParamDoc { name: "feather", range: "0..=4096 px", meaning: "over which the blur sets in; 0: hard seam" },
        ParamDoc { name: "inside", range: "picture, band", meaning: "where the blur mirrors" },
    ],
    border: "reflect-101 of the picture or of the band",
    exactness: Exactness::Exact,
    reason: "8-bit fixed-point taps, both passes exact, one rounding",
    source: "fixed-point Gaussian as OpenCV",
    entries: &["across", "down"],
    fields: &[],
    work,
};

/// For a quarter of the picture and 31 taps.
fn work(layout: &FrameLayout) -> Work {
    let n = layout.size.area() / 4;
    Work { bytes_read: n * 12, bytes_written: n * 12, ops: n * 3 * 31 * 4 }
}

/// A planned `occlusion/edge_blur`.
#[derive(Debug, Clone)]
pub struct EdgeBlurPlan {
    across: Kernel,
    down: Kernel,
    shape: BatchShape,
    workgroup: u32,
}

/// One entry of `src_bands`, and what it takes.
struct Band {
    words: [u32; 16],
    /// Invocations of both passes.
    across: u64,
    down: u64,
    /// Pixels of scratch.
    scratch: u64,
}

impl Band {
    /// The band of a picture; its scratch begins at `scratch`, its taps at `taps`.
    fn new(blur: &EdgeBlur, size: Size, scratch: u32, taps: u32) -> Option<Self> {
        let band = blur.side.band(size, blur.share)?;
        let around = if blur.inside == Inside::Band { band } else { Rect::full(size) };
        // Rows that the second pass reads: mirrored ones never lie outside these.
        let top = band.y.saturating_sub(blur.radius).max(around.y);
        let bottom = (band.y + band.height + blur.radius).min(around.y + around.height);
        let seam = match blur.side {
            Side::Left => 0,
            Side::Right => 1,
            Side::Top => 2,
            Side::Bottom => 3,
        };
        let words = [
            band.x,
            band.y,
            band.width,
            band.height,
            around.x,
            around.y,
            around.width,
            around.height,
            top,
            bottom - top,
            scratch,
            blur.radius,
            taps,
            blur.feather,
            seam,
            0,
        ];
        let strips = |n: u32| u64::from(n.div_ceil(STRIP));
        let rows = u64::from(bottom - top);
        Some(Self {
            words,
            across: strips(band.width) * rows,
            down: u64::from(band.width) * strips(band.height),
            scratch: strips(band.width) * u64::from(STRIP) * rows,
        })
    }
}

fn check(blur: &EdgeBlur) -> Result<()> {
    if parts(blur.share).is_none() {
        return Err(plan_error(NAME, "share", "0 to 1", blur.share));
    }
    if !(1..=127).contains(&blur.radius) {
        return Err(plan_error(NAME, "radius", "1 to 127", blur.radius));
    }
    if blur.feather > 4096 {
        return Err(plan_error(NAME, "feather", "at most 4096", blur.feather));
    }
    Ok(())
}

impl EdgeBlurPlan {
    /// Plans for pictures of one layout or, with a mixed shape, of different sizes.
    pub fn new(ctx: &GpuContext, shape: impl Into<BatchShape>) -> Result<Self> {
        let shape = shape.into();
        let largest = shape.largest();
        if largest.format != PixelFormat::Rgba8 {
            return Err(plan_error(NAME, "input", "packed RGBA", largest.format));
        }
        check_sides(NAME, "input", largest)?;
        let workgroup = match ctx.caps().class {
            AdapterClass::Cpu => 8u32,
            AdapterClass::Gpu => 64,
        };
        let own = [("WG", f64::from(workgroup))];
        let (across, down) = (Kernel::new(ctx, NAME, "across", &own)?, Kernel::new(ctx, NAME, "down", &own)?);
        Ok(Self { across, down, shape, workgroup })
    }

    /// Binds the pictures of `frames` from slot `first` on, one of `params` each.
    pub fn bind(
        &self,
        ctx: &GpuContext,
        frames: &dyn FrameBatch,
        first: u32,
        params: &[EdgeBlur],
    ) -> Result<CoverBound> {
        let pictures = PictureTable::each(ctx, NAME, "input", &self.shape, (frames, first))?;
        one_each(NAME, "params", params.len(), pictures.len())?;
        let (mut bands, mut taps, mut scratch) = (Vec::new(), Vec::new(), 0u64);
        let (mut across, mut down) = (0u64, 0u64);
        for (size, blur) in pictures.sizes().iter().zip(params) {
            check(blur)?;
            // A scratch that does not fit into 32-bit places is refused as a buffer below.
            let place = u32::try_from(scratch).unwrap_or(u32::MAX);
            let band = Band::new(blur, *size, place, taps.len() as u32);
            bands.extend(band.as_ref().map_or([0; 16], |b| b.words));
            if let Some(band) = band {
                scratch += band.scratch;
                across = across.max(band.across);
                down = down.max(band.down);
                taps.extend(gauss_taps(blur.radius));
                taps.extend([0; STRIP as usize - 1]);
            }
        }
        taps.push(0); // a binding is never empty
        let table = GpuBuffer::with_data(ctx, NAME, &bytes_of(&bands))?;
        let taps = GpuBuffer::with_data(ctx, NAME, &bytes_of(&taps))?;
        let scratch = GpuBuffer::new(ctx, NAME, scratch.max(1) * 8, BufferUse::Storage)?;
        let counts = counts(ctx, NAME, pictures.len())?;
        let shared = [
            ("dst_words", frames.buffer()),
            ("out_pictures", pictures.buffer()),
            ("src_bands", &table),
            ("src_taps", &taps),
            ("dst_scratch", &scratch),
        ];
        let first_pass = self.across.bind(ctx, &shared)?;
        let [a, b, c, d, e] = shared;
        let second_pass = self.down.bind(ctx, &[a, b, c, d, e, ("dst_covered", &counts)])?;
        let passes = Passes::new(pictures.len())
            .clear(&counts, 4)
            .run(&self.across, first_pass, grid(ctx, NAME, across, self.workgroup)?)
            .run(&self.down, second_pass, grid(ctx, NAME, down, self.workgroup)?);
        Ok(covering(passes, &counts, pictures.sizes()))
    }
}

/// Copies of all pictures of `src` with a band blurred, at once: waits for the result. For scripts and tests; streams keep a plan and
/// work in place.
pub fn edge_blur(ctx: &GpuContext, src: &dyn FrameBatch, params: &[EdgeBlur]) -> Result<(GpuPictures, Vec<Covered>)> {
    let plan = EdgeBlurPlan::new(ctx, BatchShape::of(src)?)?;
    on_copy(ctx, NAME, src, |copy| plan.bind(ctx, copy, 0, params))
}
