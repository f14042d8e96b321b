//! Frames at the size at which they are measured.

use crate::core::{FrameLayout, PixelFormat, Size};
use crate::error::{Error, Result};
use crate::gpu::{GpuContext, Recorder};
use crate::ops::resize::PlaneSelect;
use crate::ops::resize::area::AreaPlan;
use crate::ops::resize::bilinear::BilinearPlan;
use crate::ops::{FramesBound, GpuFrames};

/// Area where a plane shrinks, bilinear where it grows (chroma of small videos).
#[derive(Debug)]
enum Plan {
    Area(AreaPlan),
    Bilinear(BilinearPlan),
}

impl Plan {
    fn new(
        ctx: &GpuContext,
        from: (&FrameLayout, PlaneSelect),
        to: (&FrameLayout, PlaneSelect),
        shrinks: bool,
    ) -> Result<Self> {
        if shrinks {
            AreaPlan::new(ctx, from, to).map(Self::Area)
        } else {
            BilinearPlan::new(ctx, from, to).map(Self::Bilinear)
        }
    }

    fn bind(&self, ctx: &GpuContext, src: &GpuFrames, dst: &GpuFrames) -> Result<FramesBound> {
        match self {
            Self::Area(p) => p.bind(ctx, src, 0, dst, 0),
            Self::Bilinear(p) => p.bind(ctx, src, 0, dst, 0),
        }
    }
}

/// Frames of one layout made smaller: packed RGBA stays so, grey too, YUV gets full chroma.
#[derive(Debug)]
pub(super) struct Reduce {
    plans: Vec<Plan>,
    layout: FrameLayout,
}

/// Size of about `pixels` pixels with the ratio of `size`; nothing where that would not shrink it.
pub(super) fn reduced(size: Size, pixels: u32) -> Option<Size> {
    if pixels == 0 || size.area() <= u64::from(pixels) {
        return None;
    }
    let scale = (f64::from(pixels) / size.area() as f64).sqrt();
    let side = |v: u32| ((f64::from(v) * scale).round() as u32).clamp(1, v);
    Some(Size::new(side(size.width), side(size.height)))
}

impl Reduce {
    pub(super) fn new(ctx: &GpuContext, from: &FrameLayout, size: Size) -> Result<Self> {
        let source = from.format;
        let format = match (source.has_luma(), source.has_chroma()) {
            (false, _) => PixelFormat::Rgba8,
            (true, true) => PixelFormat::I444,
            (true, false) => PixelFormat::Gray8,
        };
        let none = || Error::Bug(format!("{source} {size} has no such layout"));
        let layout = FrameLayout::of(format, size).ok_or_else(none)?;
        if format == PixelFormat::Rgba8 {
            let plan = Plan::new(ctx, (from, PlaneSelect::FIRST), (&layout, PlaneSelect::FIRST), true)?;
            return Ok(Self { plans: vec![plan], layout });
        }
        let mut plans = Vec::new();
        for component in 0..if format == PixelFormat::I444 { 3u32 } else { 1 } {
            let of = if component == 0 { from.size } else { source.chroma_size(from.size) };
            let select = PlaneSelect::component(source, component).ok_or_else(none)?;
            let shrinks = of.width >= size.width && of.height >= size.height;
            plans.push(Plan::new(ctx, (from, select), (&layout, PlaneSelect::plane(component as usize)), shrinks)?);
        }
        Ok(Self { plans, layout })
    }

    /// The first `count` frames of `src`, smaller.
    pub(super) fn run(&self, ctx: &GpuContext, src: &GpuFrames, count: u32) -> Result<GpuFrames> {
        let out = GpuFrames::new(ctx, "curate", self.layout.format, self.layout.size, src.slots())?;
        let bounds = self.plans.iter().map(|p| p.bind(ctx, src, &out)).collect::<Result<Vec<_>>>()?;
        let mut rec = Recorder::new(ctx, "curate reduce");
        bounds.iter().for_each(|b| b.record(&mut rec, count));
        rec.submit()?;
        Ok(out)
    }

    pub(super) fn layout(&self) -> &FrameLayout {
        &self.layout
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_large_frames_are_reduced_and_keep_their_ratio() {
        assert_eq!(reduced(Size::new(512, 512), 512 * 512), None);
        assert_eq!(reduced(Size::new(1920, 1080), 512 * 512), Some(Size::new(683, 384)));
        assert_eq!(reduced(Size::new(1920, 1080), 0), None);
        assert_eq!(reduced(Size::new(9_000_000, 1), 4096), Some(Size::new(192_000, 1)));
    }
}
