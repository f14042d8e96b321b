//! The small pictures that are compared: centre crops, made smaller by area, in RGB.

use super::DescribeParams;
use crate::core::{FrameLayout, PixelFormat, Rect};
use crate::error::Result;
use crate::gpu::GpuContext;
use crate::ops::color::rgb_from_yuv::{RgbFromYuvPlan, RgbParams};
use crate::ops::resize::{PlaneSelect, area::AreaPlan};
use crate::ops::{BatchShape, FrameBatch, FramesBound, GpuFrames, plan_error};

/// Crops and makes smaller plane by plane, then converts what is left to RGB.
#[derive(Debug, Clone)]
pub(super) struct ComparisonPlan {
    planes: Vec<AreaPlan>,
    /// Of what `planes` make: packed RGB, or planes of full size.
    small: FrameLayout,
    to_rgb: Option<RgbFromYuvPlan>,
    params: DescribeParams,
}

/// Room for small pictures, before and after conversion.
#[derive(Debug, Clone)]
pub(super) struct Comparison {
    planes: GpuFrames,
    /// Packed RGB.
    pub(super) rgb: GpuFrames,
}

impl ComparisonPlan {
    pub(super) fn new(ctx: &GpuContext, shape: &BatchShape, params: DescribeParams) -> Result<Self> {
        let source = shape.largest().format;
        let format = match source {
            PixelFormat::Rgba8 => PixelFormat::Rgba8,
            f if f.has_chroma() => PixelFormat::I444,
            _ => PixelFormat::Gray8,
        };
        let small = layout(format, &params)?;
        // Packed pixels are one plane.
        let components = if format == PixelFormat::I444 { 3 } else { 1 };
        let plane = |c: usize| {
            let whole = PlaneSelect::FIRST;
            let from = if c == 0 { whole } else { PlaneSelect::component(source, c as u32).unwrap_or(whole) };
            AreaPlan::for_parts(ctx, (*shape, from), (&small, PlaneSelect::plane(c)))
        };
        let rgb = RgbParams { color: params.color, upsampling: crate::core::ChromaUpsampling::Nearest };
        let to_rgb = small.format.has_luma().then(|| RgbFromYuvPlan::new(ctx, &small, rgb)).transpose()?;
        Ok(Self { planes: (0..components).map(plane).collect::<Result<_>>()?, small, to_rgb, params })
    }

    /// Layout of the small pictures in packed RGB.
    pub(super) fn output(&self) -> Result<FrameLayout> {
        layout(PixelFormat::Rgba8, &self.params)
    }

    /// Room for `capacity` pictures.
    pub(super) fn room(&self, ctx: &GpuContext, capacity: u32) -> Result<Comparison> {
        let frames = |layout: &FrameLayout| GpuFrames::new(ctx, super::NAME, layout.format, layout.size, capacity);
        let planes = frames(&self.small)?;
        let rgb = if self.to_rgb.is_some() { frames(&self.output()?)? } else { planes.clone() };
        Ok(Comparison { planes, rgb })
    }

    /// Binds the pictures of `src` from slot `first` on.
    pub(super) fn bind(
        &self,
        ctx: &GpuContext,
        (src, first): (&dyn FrameBatch, u32),
        room: &Comparison,
    ) -> Result<Vec<FramesBound>> {
        let aspect = self.params.spec.aspect;
        let siting = self.params.color.siting;
        let crop = |size| -> Rect { aspect.crop(size) };
        let mut steps: Vec<FramesBound> = self
            .planes
            .iter()
            .map(|plan| plan.bind_parts(ctx, (src, first), &room.planes, siting, crop))
            .collect::<Result<_>>()?;
        if let Some(to_rgb) = &self.to_rgb {
            steps.push(to_rgb.bind(ctx, &room.planes, 0, &room.rgb, 0)?);
        }
        Ok(steps)
    }
}

fn layout(format: PixelFormat, params: &DescribeParams) -> Result<FrameLayout> {
    let size = params.spec.size();
    FrameLayout::of(format, size).ok_or_else(|| plan_error(super::NAME, "longest", "a picture below 2 GiB", size))
}
