//! Small pictures for the report, made on the device from the planes of each frame.

use crate::core::{ChromaUpsampling, FrameDesc, FrameLayout, PixelFormat, Size};
use crate::error::{Error, Result};
use crate::gpu::{GpuBuffer, GpuContext, Recorder};
use crate::ops::color::rgb_from_yuv::{RgbFromYuvPlan, RgbParams};
use crate::ops::resize::PlaneSelect;
use crate::ops::resize::area::AreaPlan;
use crate::ops::resize::bilinear::BilinearPlan;
use crate::ops::{FramesBound, GpuFrames};

/// A resize plan: area where the picture shrinks, bilinear where it grows (chroma of tiny videos).
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
        Ok(if shrinks {
            Self::Area(AreaPlan::new(ctx, from, to)?)
        } else {
            Self::Bilinear(BilinearPlan::new(ctx, from, to)?)
        })
    }

    fn bind(&self, ctx: &GpuContext, src: &GpuFrames, first: u32, dst: &GpuFrames) -> Result<FramesBound> {
        match self {
            Self::Area(p) => p.bind(ctx, src, first, dst, 0),
            Self::Bilinear(p) => p.bind(ctx, src, first, dst, 0),
        }
    }
}

/// Makes thumbnails for frames of one shape.
#[derive(Debug)]
pub(super) struct Thumbs {
    /// Pixels of a thumbnail, not rotated.
    pub(super) size: Size,
    /// Chroma planes, or all of a packed picture: straight from the source.
    from_source: Vec<Plan>,
    /// Luma: from the reduced picture, which is there already.
    from_reduced: Option<Plan>,
    small: Option<GpuFrames>,
    rgb: Option<(RgbFromYuvPlan, FramesBound)>,
    out: GpuFrames,
}

/// Bytes that [`Thumbs`] allocates for a batch.
pub(super) fn bytes(size: Size, batch: u32) -> u64 {
    let of = |f: PixelFormat| FrameLayout::of(f, size).map_or(0, |l| u64::from(l.slot_bytes()));
    (of(PixelFormat::Rgba8) + of(PixelFormat::I444)) * u64::from(batch)
}

/// Size of thumbnails: within `longest`, never larger than the reduced picture.
pub(super) fn size_for(reduced: Size, longest: u32) -> Size {
    reduced.fit_within(longest)
}

impl Thumbs {
    pub(super) fn new(
        ctx: &GpuContext,
        desc: &FrameDesc,
        source: &FrameLayout,
        reduced: &FrameLayout,
        longest: u32,
        batch: u32,
    ) -> Result<Self> {
        let size = size_for(reduced.size, longest);
        let out = GpuFrames::new(ctx, "thumbnails", PixelFormat::Rgba8, size, batch)?;
        if !desc.format.has_luma() {
            let plan = Plan::new(ctx, (source, PlaneSelect::FIRST), (out.layout(), PlaneSelect::FIRST), true)?;
            return Ok(Self { size, from_source: vec![plan], from_reduced: None, small: None, rgb: None, out });
        }
        let format = if desc.format.has_chroma() { PixelFormat::I444 } else { PixelFormat::Gray8 };
        let small = GpuFrames::new(ctx, "thumbnails", format, size, batch)?;
        let from_reduced =
            Plan::new(ctx, (reduced, PlaneSelect::FIRST), (small.layout(), PlaneSelect::plane(0)), true)?;
        let mut from_source = Vec::new();
        if desc.format.has_chroma() {
            let chroma = desc.format.chroma_size(desc.size);
            let shrinks = chroma.width >= size.width && chroma.height >= size.height;
            for component in 1..=2u32 {
                let select = PlaneSelect::component(desc.format, component)
                    .ok_or_else(|| Error::Bug(format!("{} has no component {component}", desc.format)))?;
                let to = (small.layout(), PlaneSelect::plane(component as usize));
                from_source.push(Plan::new(ctx, (source, select), to, shrinks)?);
            }
        }
        let params = RgbParams { color: desc.color, upsampling: ChromaUpsampling::Nearest };
        let plan = RgbFromYuvPlan::new(ctx, small.layout(), params)?;
        let bound = plan.bind(ctx, &small, 0, &out, 0)?;
        Ok(Self {
            size,
            from_source,
            from_reduced: Some(from_reduced),
            small: Some(small),
            rgb: Some((plan, bound)),
            out,
        })
    }

    /// Binds the frames of `source` and their reduced pictures from slot `first` of `reduced` on.
    pub(super) fn bind(
        &self,
        ctx: &GpuContext,
        source: &GpuFrames,
        reduced: &GpuFrames,
        first: u32,
    ) -> Result<ThumbsBound> {
        let target = self.small.as_ref().unwrap_or(&self.out);
        let mut bounds = Vec::new();
        for plan in &self.from_source {
            bounds.push(plan.bind(ctx, source, 0, target)?);
        }
        if let Some(plan) = &self.from_reduced {
            bounds.push(plan.bind(ctx, reduced, first, target)?);
        }
        Ok(ThumbsBound { bounds })
    }

    /// Records the thumbnails of `count` frames.
    pub(super) fn record(&self, rec: &mut Recorder<'_>, bound: &ThumbsBound, count: u32) {
        for b in &bound.bounds {
            b.record(rec, count);
        }
        if let Some((_, rgb)) = &self.rgb {
            rgb.record(rec, count);
        }
    }

    /// Buffer and bytes per frame of the results.
    pub(super) fn results(&self) -> (&GpuBuffer, u64) {
        (self.out.buffer(), u64::from(self.out.layout().slot_bytes()))
    }

    /// RGBA rows without padding from the bytes of one result.
    pub(super) fn unpack(&self, slot: &[u8]) -> Vec<u8> {
        let plane = self.out.layout().first();
        let row = plane.shape.row_bytes() as usize;
        slot.chunks(plane.stride.max(1) as usize)
            .take(self.size.height as usize)
            .flat_map(|r| r.iter().take(row))
            .copied()
            .collect()
    }
}

/// [`Thumbs`] bound to one ring slot.
#[derive(Debug)]
pub(super) struct ThumbsBound {
    bounds: Vec<FramesBound>,
}
