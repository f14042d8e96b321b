//! From frames as decoded to grey pictures in which bright is hot.

use super::grey::Source;
use super::{HeatConfig, HeatKind};
use crate::core::{ChromaUpsampling, FrameDesc, FrameLayout, HsvRange, PixelFormat};
use crate::error::{Error, Result};
use crate::gpu::{GpuContext, Recorder};
use crate::ops::color::gray_from_rgb::GrayFromRgbPlan;
use crate::ops::color::hsv_range::HsvRangePlan;
use crate::ops::color::rgb_from_yuv::{RgbFromYuvPlan, RgbParams};
use crate::ops::{FramesBound, GpuFrames};
use crate::pipeline::BatchView;

/// Marks what is hot: records kernels that write, for each frame of the batch, a grey picture of its size into the same slot of the
/// frames given last. 255 is as hot as can be.
///
/// What is bound must be kept, as the device works on it after the function returns: bind once per [`BatchView::ring_slot`], and anew where the
/// format of the frames changes.
pub type HeatFn<'f> = dyn FnMut(&GpuContext, &BatchView<'_>, &mut Recorder<'_>, &GpuFrames) -> Result<()> + Send + 'f;

/// How pictures are made.
pub(super) enum Front {
    /// The luma of the frames is what is wanted.
    Luma,
    Gray(Box<(GrayFromRgbPlan, GpuFrames)>),
    Colour(Box<Colour>),
    Made(GpuFrames),
}

/// How a mask of colours is made, by way of RGB where frames are not.
pub(super) struct Colour {
    rgb: Option<(RgbFromYuvPlan, GpuFrames)>,
    mask: HsvRangePlan,
    made: GpuFrames,
}

/// Bytes it takes for frames of `layout`.
pub(super) fn front_bytes(layout: &FrameLayout, batch: u32, config: &HeatConfig) -> u64 {
    let of = |format| FrameLayout::of(format, layout.size).map_or(0, |l| u64::from(l.slot_bytes())) * u64::from(batch);
    let (gray, rgb) = (of(PixelFormat::Gray8), of(PixelFormat::Rgba8));
    match config.source {
        HeatKind::Color if layout.format == PixelFormat::Rgba8 => gray,
        HeatKind::Color => gray + rgb,
        HeatKind::Custom => gray,
        _ if layout.format.has_luma() => 0,
        _ => gray,
    }
}

impl Front {
    pub(super) fn new(
        ctx: &GpuContext,
        config: &HeatConfig,
        desc: &FrameDesc,
        layout: &FrameLayout,
        batch: u32,
    ) -> Result<Self> {
        let frames = |format| GpuFrames::new(ctx, "heat", format, desc.size, batch);
        Ok(match config.source {
            HeatKind::Color => {
                let rgb = if desc.format == PixelFormat::Rgba8 {
                    None
                } else {
                    let params = RgbParams { color: desc.color, upsampling: ChromaUpsampling::Nearest };
                    Some((RgbFromYuvPlan::new(ctx, layout, params)?, frames(PixelFormat::Rgba8)?))
                };
                let range = HsvRange { low: config.color_low, high: config.color_high };
                let mask = HsvRangePlan::new(ctx, rgb.as_ref().map_or(layout, |(_, f)| f.layout()), range)?;
                Self::Colour(Box::new(Colour { rgb, mask, made: frames(PixelFormat::Gray8)? }))
            }
            HeatKind::Custom => Self::Made(frames(PixelFormat::Gray8)?),
            _ if desc.format.has_luma() => Self::Luma,
            _ => Self::Gray(Box::new((GrayFromRgbPlan::new(ctx, layout)?, frames(PixelFormat::Gray8)?))),
        })
    }

    /// The pictures that are made; `None` where the frames themselves are.
    pub(super) fn made(&self) -> Option<&GpuFrames> {
        match self {
            Self::Luma => None,
            Self::Gray(gray) => Some(&gray.1),
            Self::Made(made) => Some(made),
            Self::Colour(colour) => Some(&colour.made),
        }
    }

    /// What the grey pictures of a batch are taken from, and its ring slot unless it is always the same.
    pub(super) fn source<'a>(&'a self, batch: &BatchView<'a>) -> Source<'a> {
        self.made().map_or((batch.frames, Some(batch.ring_slot)), |made| (made, None))
    }

    /// What makes pictures of the frames in `src`.
    pub(super) fn bind(&self, ctx: &GpuContext, src: &GpuFrames) -> Result<Vec<FramesBound>> {
        Ok(match self {
            Self::Luma | Self::Made(_) => Vec::new(),
            Self::Gray(gray) => vec![gray.0.bind(ctx, src, 0, &gray.1, 0)?],
            Self::Colour(colour) => match &colour.rgb {
                None => vec![colour.mask.bind(ctx, src, 0, &colour.made, 0)?],
                Some((plan, frames)) => {
                    vec![plan.bind(ctx, src, 0, frames, 0)?, colour.mask.bind(ctx, frames, 0, &colour.made, 0)?]
                }
            },
        })
    }

    /// Records what the caller's function does.
    pub(super) fn call(
        &self,
        ctx: &GpuContext,
        batch: &BatchView<'_>,
        rec: &mut Recorder<'_>,
        make: Option<&mut HeatFn<'_>>,
    ) -> Result<()> {
        match (self, make) {
            (Self::Made(made), Some(make)) => make(ctx, batch, rec, made),
            (Self::Made(_), None) => Err(Error::Config {
                field: "source".into(),
                message: "`custom` is for a function of the caller, none is given".into(),
            }),
            _ => Ok(()),
        }
    }
}
