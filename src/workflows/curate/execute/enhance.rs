//! Frames repaired: larger, cleaner, faces, sharper.

use super::super::config::{CurateConfig, EnhanceStep};
use super::super::metrics::FrameMetrics;
use super::super::models::{Faces, Restore, Upscale, rgb_of, rgba_of};
use super::super::picture::Rgba;
use crate::core::{ColorSpec, Size};
use crate::error::Result;
use crate::gpu::GpuContext;
use crate::ops::filter::GaussianParams;
use crate::ops::filter::denoise::{DenoiseParams, Denoising, denoise};
use crate::ops::filter::unsharp_mask::{Sharpening, unsharp_mask};

/// Strength and window of the denoiser, as the original's.
const DENOISE: DenoiseParams = DenoiseParams { mode: Denoising::Lab { h: 10.0, h_color: 10.0 }, search: 21 };
/// Frames this clean are not denoised: it would only take detail away, and blurred ones have no noise.
const CLEAN: f64 = 0.97;
/// Weight of what a blur of 5 pixels takes away.
const AMOUNT: f64 = 0.8;

/// The networks of the steps.
#[derive(Debug, Default)]
pub(super) struct Repair {
    pub(super) upscale: Option<Upscale>,
    pub(super) restore: Option<Restore>,
    pub(super) faces: Option<Faces>,
}

impl Repair {
    /// The picture after one step, and what was done, in words.
    pub(super) fn step(
        &mut self,
        ctx: &GpuContext,
        step: EnhanceStep,
        picture: Rgba,
        metrics: &FrameMetrics,
        config: &CurateConfig,
    ) -> Result<(Rgba, String)> {
        match step {
            EnhanceStep::Upscale => self.upscaled(picture, config.strategies.enhance_segment.upscale_below),
            EnhanceStep::Denoise if !config.parity && metrics.cleanness >= CLEAN => {
                Ok((picture, format!("not denoised: clean (cleanness {:.2})", metrics.cleanness)))
            }
            EnhanceStep::Denoise => {
                let done = denoise(ctx, &Rgba::upload(ctx, &[&picture])?, DENOISE)?;
                Ok((Rgba::download(ctx, &done, 0)?, "denoised by non-local means".into()))
            }
            EnhanceStep::FaceEnhance => self.faces(ctx, picture),
            EnhanceStep::Sharpen => {
                let how = if config.parity {
                    Sharpening::Sharpen
                } else {
                    Sharpening::Mask { blur: GaussianParams { size: 5, sigma: None }, amount: AMOUNT }
                };
                let done = unsharp_mask(ctx, &Rgba::upload(ctx, &[&picture])?, how)?;
                Ok((Rgba::download(ctx, &done, 0)?, "sharpened".into()))
            }
        }
    }

    fn upscaled(&mut self, picture: Rgba, below: u32) -> Result<(Rgba, String)> {
        let Some(net) = &mut self.upscale else {
            return Ok((picture, "not upscaled: no model".into()));
        };
        let Size { width, height } = picture.size;
        if width.max(height) > below {
            return Ok((picture, format!("not upscaled: {width}x{height} is large enough")));
        }
        let (size, rgb) = net.upscale(picture.size, &rgb_of(&picture.pixels))?;
        Ok((Rgba { size, pixels: rgba_of(&rgb) }, format!("upscaled to {size}")))
    }

    fn faces(&mut self, ctx: &GpuContext, picture: Rgba) -> Result<(Rgba, String)> {
        let (Some(restore), Some(faces)) = (&mut self.restore, &mut self.faces) else {
            return Ok((picture, "faces not restored: no model".into()));
        };
        let frames = Rgba::upload(ctx, &[&picture])?;
        let found = faces.find(&frames, ColorSpec::assumed_for_height(picture.size.height), 1)?;
        let found = found.into_iter().next().unwrap_or_default();
        if found.is_empty() {
            return Ok((picture, "no faces to restore".into()));
        }
        let rgb = restore.restore(picture.size, &rgb_of(&picture.pixels), &found)?;
        let said = format!("{} faces restored", found.len());
        Ok((Rgba { size: picture.size, pixels: rgba_of(&rgb) }, said))
    }
}
