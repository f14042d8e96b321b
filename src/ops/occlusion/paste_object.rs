//! `occlusion/paste_object`: foreground elements pasted on pictures, in place.
//!
//! | | |
//! |---|---|
//! | input, output | packed RGBA, changed in place, alpha is kept; sizes may differ within a batch |
//! | elements | packed RGBA with straight alpha, a batch of their own, any sizes |
//! | result | [`Covered`] per picture: pixels whose alpha and opacity are above 0 |
//! | parameters | per picture: [`Paste`] (element, place, scale, opacity 0..=1) |
//! | border | replicate at the borders of the element; what lies outside the picture does not count |
//! | exactness | exact |
//! | determinism | the same bits on every adapter |
//! | errors | `Parameter` for other formats, sides above 32,768, parameters out of range, elements that do not exist, elements and pictures in one buffer |
//! | source | Porter and Duff 1984 over opaque pictures; bilinear at half-pixel centres, colours weighted by alpha |

use crate::core::occlusion::Paste;
use crate::core::{Covered, Exactness, FrameLayout, PixelFormat, Size, Work};
use crate::error::Result;
use crate::gpu::{AdapterClass, GpuBuffer, GpuContext, Kernel};
use crate::ops::{
    BatchShape, CoverBound, FrameBatch, GpuPictures, OpInfo, ParamDoc, Passes, PictureTable, bytes_of, check_sides,
    counts, covering, grid, on_copy, one_each, plan_error,
};

const NAME: &str = "occlusion/paste_object";

/// What `frameloom ops` says about this operation.
pub const INFO: OpInfo = OpInfo {
    name: NAME,
    summary: "scaled foreground elements blended onto pictures, in place",
    input: "rgba8, and rgba8 elements with straight alpha",
    output: "the same pictures; Covered per picture",
    params: &[
        ParamDoc { name: "object", range: "a slot of the elements", meaning: "what is pasted" },
        ParamDoc { name: "x, y", range: "px, may lie outside", meaning: "top-left corner" },
        ParamDoc { name: "scale", range: "above 0, sides up to 32768 px", meaning: "of the element, bilinear" },
        ParamDoc { name: "opacity", range: "0..=1, in 256ths", meaning: "of the whole element" },
    ],
    border: "replicate",
    exactness: Exactness::Exact,
    reason: "8-bit fixed-point weights, sums below 2^32",
    source: "Porter and Duff 1984",
    entries: &["main"],
    fields: &[],
    work,
};

/// For an element on a sixteenth of the picture.
fn work(layout: &FrameLayout) -> Work {
    let n = layout.size.area() / 16;
    Work { bytes_read: n * 8, bytes_written: n * 4, ops: n * 60 }
}

/// A planned `occlusion/paste_object`.
#[derive(Debug, Clone)]
pub struct PasteObjectPlan {
    kernel: Kernel,
    shape: BatchShape,
    objects: BatchShape,
    workgroup: u32,
    rows: u32,
}

/// Where the visible part of a span of `length` at `at` begins in a side of `side` pixels, how long it is, and what is cut off before.
fn visible(at: i32, length: u32, side: u32) -> (u32, u32, u32) {
    let (at, length) = (i64::from(at), i64::from(length));
    let (start, end) = (at.max(0), (at + length).min(i64::from(side)));
    if start >= end {
        return (0, 0, 0);
    }
    (start as u32, (end - start) as u32, (start - at) as u32)
}

impl PasteObjectPlan {
    /// Plans for pictures and elements of one layout each or, with mixed shapes, of different sizes.
    pub fn new(ctx: &GpuContext, shape: impl Into<BatchShape>, objects: impl Into<BatchShape>) -> Result<Self> {
        let (shape, objects) = (shape.into(), objects.into());
        for (name, shape) in [("input", &shape), ("objects", &objects)] {
            if shape.largest().format != PixelFormat::Rgba8 {
                return Err(plan_error(NAME, name, "packed RGBA", shape.largest().format));
            }
            check_sides(NAME, name, shape.largest())?;
        }
        let (workgroup, rows) = match ctx.caps().class {
            AdapterClass::Cpu => (8u32, 8u32),
            AdapterClass::Gpu => (64, 1),
        };
        let kernel = Kernel::new(ctx, NAME, "main", &[("WG", f64::from(workgroup)), ("ROWS", f64::from(rows))])?;
        Ok(Self { kernel, shape, objects, workgroup, rows })
    }

    /// Binds the pictures of `frames` from slot `first` on, one of `params` each, and all of `objects`.
    pub fn bind(
        &self,
        ctx: &GpuContext,
        frames: &dyn FrameBatch,
        first: u32,
        objects: &dyn FrameBatch,
        params: &[Paste],
    ) -> Result<CoverBound> {
        if frames.buffer().raw() == objects.buffer().raw() {
            return Err(plan_error(NAME, "objects", "another buffer than the pictures", "the same"));
        }
        let pictures = PictureTable::each(ctx, NAME, "input", &self.shape, (frames, first))?;
        let elements = PictureTable::new(ctx, NAME, "objects", &self.objects, (objects, 0))?;
        one_each(NAME, "params", params.len(), pictures.len())?;
        let (mut table, mut items) = (Vec::new(), 0u64);
        for (size, paste) in pictures.sizes().iter().zip(params) {
            let words = self.entry(*size, elements.sizes(), paste)?;
            let [_, _, width, height, ..] = words;
            items = items.max(u64::from(width) * u64::from(height.div_ceil(self.rows)));
            table.extend(words);
        }
        let table = GpuBuffer::with_data(ctx, NAME, &bytes_of(&table))?;
        let counts = counts(ctx, NAME, pictures.len())?;
        let bind = self.kernel.bind(
            ctx,
            &[
                ("src_words", objects.buffer()),
                ("src_pictures", elements.buffer()),
                ("dst_words", frames.buffer()),
                ("out_pictures", pictures.buffer()),
                ("src_pastes", &table),
                ("dst_covered", &counts),
            ],
        )?;
        let groups = grid(ctx, NAME, items, self.workgroup)?;
        let passes = Passes::new(pictures.len()).clear(&counts, 4).run(&self.kernel, bind, groups);
        Ok(covering(passes, &counts, pictures.sizes()))
    }

    fn entry(&self, size: Size, objects: &[Size], paste: &Paste) -> Result<[u32; 10]> {
        let object = objects
            .get(paste.object as usize)
            .ok_or_else(|| plan_error(NAME, "object", format!("below {}", objects.len()), paste.object))?;
        let to = paste.target(*object).ok_or_else(|| {
            plan_error(NAME, "scale", "above 0, scaled sides up to 32768", format!("{} of {object}", paste.scale))
        })?;
        let opacity = paste.opacity_256ths().ok_or_else(|| plan_error(NAME, "opacity", "0 to 1", paste.opacity))?;
        let (x, width, skip_x) = visible(paste.x, to.width, size.width);
        let (y, height, skip_y) = visible(paste.y, to.height, size.height);
        Ok([x, y, width, height, paste.object, skip_x, skip_y, to.width, to.height, opacity])
    }
}

/// Copies of all pictures of `src` with elements pasted, at once: waits for the result. For scripts and tests; streams keep a plan and
/// work in place.
pub fn paste_object(
    ctx: &GpuContext,
    src: &dyn FrameBatch,
    objects: &dyn FrameBatch,
    params: &[Paste],
) -> Result<(GpuPictures, Vec<Covered>)> {
    let plan = PasteObjectPlan::new(ctx, BatchShape::of(src)?, BatchShape::of(objects)?)?;
    on_copy(ctx, NAME, src, |copy| plan.bind(ctx, copy, 0, objects, params))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_inside_is_visible() {
        assert_eq!(visible(2, 5, 10), (2, 5, 0));
        assert_eq!(visible(-2, 5, 10), (0, 3, 2));
        assert_eq!(visible(8, 5, 10), (8, 2, 0));
        assert_eq!(visible(-3, 20, 10), (0, 10, 3));
        for at in [-5, 10, i32::MIN, i32::MAX] {
            assert_eq!(visible(at, 5, 10), (0, 0, 0));
        }
    }
}
