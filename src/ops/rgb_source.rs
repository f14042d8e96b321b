//! What kernels that import `common/rgb16` must know about the pixels they read.

use super::batch::BatchShape;
use super::color::rgb_from_yuv::RgbParams;
use super::plan::check_sides;
use crate::core::{ChromaSiting, ChromaUpsampling, PixelFormat, RgbCoefficients};
use crate::error::{Error, Result};

/// Pictures of any format, read as RGB.
#[derive(Debug, Clone)]
pub(crate) struct RgbSource {
    /// `Params.offset`: constants of R, G, B; luma factor.
    pub(crate) offset: [i32; 4],
    /// `Params.chroma`: V to R, U to G, V to G, U to B.
    pub(crate) chroma: [i32; 4],
    /// Columns of 16 pixels of the largest picture.
    pub(crate) columns: u32,
    /// 1 where a width may not be a multiple of 16, else 0: the override `TAIL`.
    pub(crate) tail: u32,
    constants: [(&'static str, u32); 10],
}

/// The integers of `coefficients` in the order of the kernel, which knows that luma has one factor, red no U and blue no V.
fn factors(op: &'static str, coefficients: &RgbCoefficients) -> Result<([i32; 4], [i32; 4])> {
    match coefficients.m {
        [[y, 0, rv, r], [yg, gu, gv, g], [yb, bu, 0, b]] if y == yg && y == yb && coefficients.shift == 20 => {
            Ok(([r, g, b, y], [rv, gu, gv, bu]))
        }
        _ => Err(Error::Bug(format!("{op}: unexpected coefficients {coefficients:?}"))),
    }
}

impl RgbSource {
    /// For pictures of `shape`; `params` say what YUV code values mean.
    ///
    /// # Errors
    /// `Parameter` of `op` for sides above 32,768: every index stays below 2^31 and every loop within its bound.
    pub(crate) fn of(op: &'static str, shape: &BatchShape, params: RgbParams) -> Result<Self> {
        check_sides(op, "input", shape.largest())?;
        Self::of_any_side(op, shape, params)
    }

    /// As [`Self::of`], for operations without sums or fixed-point coordinates.
    pub(crate) fn of_any_side(op: &'static str, shape: &BatchShape, params: RgbParams) -> Result<Self> {
        let largest = shape.largest();
        let format = largest.format;
        let (offset, chroma) = match format {
            PixelFormat::Rgba8 => ([0; 4], [0; 4]),
            _ => factors(op, &RgbCoefficients::for_format(params.color, format))?,
        };
        let (sx, sy) = format.chroma_shift();
        let siting = params.color.siting;
        let constants = [
            ("WIDE", u32::from(format.sample_bytes() == 2)),
            ("SHIFT", format.shift_to_value()),
            ("RGBA", u32::from(!format.has_luma())),
            ("GRAY", u32::from(format.has_luma() && !format.has_chroma())),
            ("SEMI", u32::from(format.semi_planar())),
            ("SX", sx),
            ("SY", sy),
            ("BILINEAR", u32::from(params.upsampling == ChromaUpsampling::Bilinear)),
            ("COSITED_X", u32::from(siting != ChromaSiting::Center)),
            ("COSITED_Y", u32::from(siting == ChromaSiting::TopLeft)),
        ];
        let width = largest.size.width;
        let tail = u32::from(shape.is_mixed() || !width.is_multiple_of(16));
        Ok(Self { offset, chroma, columns: width.div_ceil(16), tail, constants })
    }

    /// Values of the overrides of `common/rgb16`, followed by `more`.
    pub(crate) fn constants<const N: usize>(&self, more: [(&'static str, u32); N]) -> Vec<(&'static str, f64)> {
        self.constants.into_iter().chain(more).map(|(name, value)| (name, f64::from(value))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::{ColorRange, ColorSpec, YuvMatrix};

    #[test]
    fn every_coefficient_set_has_the_shape_the_kernel_knows() {
        for format in PixelFormat::ALL.into_iter().filter(|f| f.has_luma()) {
            for matrix in [YuvMatrix::Bt601, YuvMatrix::Bt709, YuvMatrix::Bt2020] {
                for range in [ColorRange::Limited, ColorRange::Full] {
                    let color = ColorSpec { matrix, range, siting: ChromaSiting::Left };
                    let coefficients = RgbCoefficients::for_format(color, format);
                    assert!(factors("t", &coefficients).is_ok(), "{color:?} {format}");
                }
            }
        }
    }
}
