//! Trials of operations that read pictures of any format as RGB.

use super::table::{self, Trial};
use frameloom::core::*;
use frameloom::gpu::GpuContext;
use frameloom::ops::color::rgb_from_yuv::RgbParams;
use frameloom::reference::Colours;

/// Semi-planar, packed, 10 bits high-aligned, planar 4:2:2 with 10 bits, planar 4:4:4, grey.
pub const FORMATS: [PixelFormat; 6] = [
    PixelFormat::Nv12,
    PixelFormat::Rgba8,
    PixelFormat::P010,
    PixelFormat::I210,
    PixelFormat::I444,
    PixelFormat::Gray8,
];

/// What the code values of a format mean in trials: another combination for each.
pub fn rgb_params(format: PixelFormat) -> RgbParams {
    let (matrix, range, siting, upsampling) = match format {
        PixelFormat::P010 => {
            (YuvMatrix::Bt2020, ColorRange::Limited, ChromaSiting::TopLeft, ChromaUpsampling::Bilinear)
        }
        PixelFormat::I210 => (YuvMatrix::Bt709, ColorRange::Full, ChromaSiting::Center, ChromaUpsampling::Bilinear),
        PixelFormat::I444 => (YuvMatrix::Bt601, ColorRange::Full, ChromaSiting::Left, ChromaUpsampling::Nearest),
        _ => (YuvMatrix::Bt709, ColorRange::Limited, ChromaSiting::Left, ChromaUpsampling::Nearest),
    };
    RgbParams { color: ColorSpec { matrix, range, siting }, upsampling }
}

/// Colours of each picture as the reference sees them.
pub fn colours(trial: &Trial) -> Vec<Colours> {
    let params = rgb_params(trial.batch.format());
    trial.slots().map(|slot| Colours::of(&slot, params.color, params.upsampling).unwrap()).collect()
}

/// [`table::each`] for all [`FORMATS`], with the parameters of the format and the colours of the pictures.
pub fn each(ctx: &GpuContext, mut visit: impl FnMut(&Trial, RgbParams, Vec<Colours>)) {
    table::each(ctx, &FORMATS, |trial| visit(trial, rgb_params(trial.batch.format()), colours(trial)));
}

/// Colours with one component of the last pixel changed by one: what a comparison must see.
pub fn sabotaged(colours: &Colours) -> Colours {
    let mut pixels = colours.pixels().to_vec();
    if let Some([_, g, _]) = pixels.last_mut() {
        *g ^= 128;
    }
    Colours::new(colours.size(), pixels).unwrap()
}
