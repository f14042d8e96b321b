//! Trials of operations that read pictures of any format as RGB.

use super::pictures::{SHAPES, layout};
use super::table::{self, Trial};
use frameloom::core::*;
use frameloom::gpu::GpuContext;
use frameloom::ops::color::rgb_from_yuv::RgbParams;
use frameloom::reference::Colors;

/// Semi-planar, packed, 10 bits high-aligned, planar 4:2:2 with 10 bits, planar 4:4:4, grey.
pub const FORMATS: [PixelFormat; 6] = [
    PixelFormat::Nv12,
    PixelFormat::Rgba8,
    PixelFormat::P010,
    PixelFormat::I210,
    PixelFormat::I444,
    PixelFormat::Gray8,
];

/// One pixel, odd sides, whole columns of 16 pixels.
pub const FEW_SHAPES: [(u32, u32); 3] = [(1, 1), (77, 55), (176, 113)];

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
pub fn colors(trial: &Trial) -> Vec<Colors> {
    let params = rgb_params(trial.batch.format());
    trial.slots().map(|slot| Colors::of(&slot, params.color, params.upsampling).unwrap()).collect()
}

/// Every shape in uniform batches for the first two formats, a few for the others, which differ in what they load only; then
/// every shape in one batch for each. With the parameters of the format and the colours of the pictures.
pub fn each(ctx: &GpuContext, mut visit: impl FnMut(&Trial, RgbParams, Vec<Colors>)) {
    let mut try_one = |trial: &Trial| visit(trial, rgb_params(trial.batch.format()), colors(trial));
    table::each_uniform(ctx, &FORMATS[..2], &mut try_one);
    for (f, format) in FORMATS.into_iter().enumerate() {
        if f >= 2 {
            for (s, shape) in FEW_SHAPES.into_iter().enumerate() {
                try_one(&table::uniform(ctx, layout(format, shape), f + s, 1 + s));
            }
        }
        try_one(&table::mixed(ctx, format, &SHAPES, f));
    }
}

/// Colours with one component of the last pixel changed by one: what a comparison must see.
pub fn sabotaged(colors: &Colors) -> Colors {
    let mut pixels = colors.pixels().to_vec();
    if let Some([_, g, _]) = pixels.last_mut() {
        *g ^= 128;
    }
    Colors::new(colors.size(), pixels).unwrap()
}
