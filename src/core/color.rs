//! Colour description of YUV frames: matrix, range and chroma siting (ITU-R BT.601, BT.709, BT.2020; H.273 names).

use super::pixel::PixelFormat;
use crate::error::{Error, Result};

/// Coefficients between RGB and YUV.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum YuvMatrix {
    /// ITU-R BT.601, standard definition.
    Bt601,
    /// ITU-R BT.709, high definition.
    Bt709,
    /// ITU-R BT.2020, non-constant luminance.
    Bt2020,
}

impl YuvMatrix {
    /// Luma weights `(Kr, Kb)`; `Kg = 1 - Kr - Kb`.
    pub const fn kr_kb(self) -> (f64, f64) {
        match self {
            Self::Bt601 => (0.299, 0.114),
            Self::Bt709 => (0.2126, 0.0722),
            Self::Bt2020 => (0.2627, 0.0593),
        }
    }

    /// Lower-case name, as in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bt601 => "bt601",
            Self::Bt709 => "bt709",
            Self::Bt2020 => "bt2020",
        }
    }
}

/// Range of code values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ColorRange {
    /// Luma 16..=235, chroma 16..=240 (times 4 for 10 bits), also called video or MPEG range.
    Limited,
    /// 0..=255 (0..=1023), also called JPEG range.
    Full,
}

impl ColorRange {
    /// Lower-case name, as in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Limited => "limited",
            Self::Full => "full",
        }
    }

    /// 8-bit luma code of black.
    const fn black_code(self) -> u8 {
        self.luma_codes().0
    }

    /// 8-bit luma codes of black and white.
    pub const fn luma_codes(self) -> (u8, u8) {
        match self {
            Self::Limited => (16, 235),
            Self::Full => (0, 255),
        }
    }
}

/// Where a subsampled chroma sample lies relative to the luma grid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ChromaSiting {
    /// Horizontally on the even luma column, vertically between two rows: MPEG-2, H.264 and HEVC default.
    Left,
    /// In the centre of the 2x2 block: MPEG-1, JPEG.
    Center,
    /// On the even column and the even row: usual for BT.2020 and 10-bit HDR.
    TopLeft,
}

impl ChromaSiting {
    /// Lower-case name, as in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Left => "left",
            Self::Center => "center",
            Self::TopLeft => "topleft",
        }
    }
}

/// Everything needed to turn YUV code values into RGB.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ColorSpec {
    /// Matrix coefficients.
    pub matrix: YuvMatrix,
    /// Range of code values.
    pub range: ColorRange,
    /// Position of chroma samples.
    pub siting: ChromaSiting,
}

impl ColorSpec {
    /// BT.601, limited range, left-sited chroma.
    pub const BT601: Self = Self { matrix: YuvMatrix::Bt601, range: ColorRange::Limited, siting: ChromaSiting::Left };
    /// BT.709, limited range, left-sited chroma.
    pub const BT709: Self = Self { matrix: YuvMatrix::Bt709, range: ColorRange::Limited, siting: ChromaSiting::Left };

    /// What to assume where a stream says nothing: BT.709 from 720 rows up, else BT.601; limited range, left-sited.
    pub const fn assumed_for_height(height: u32) -> Self {
        if height >= 720 { Self::BT709 } else { Self::BT601 }
    }

    /// Factor and summand that bring luma codes of `bits` bits to 0..=1, before clamping: what [`Self::rgb_from_yuv`] gives without chroma.
    pub fn gray_from_luma(&self, bits: u32) -> [f64; 2] {
        let unit = f64::from(1u32 << (bits - 8));
        match self.range {
            ColorRange::Limited => [1.0 / (219.0 * unit), -16.0 / 219.0],
            ColorRange::Full => [1.0 / f64::from((1u32 << bits) - 1), 0.0],
        }
    }

    /// The 3x4 matrix `M` with `rgb = M * (y, u, v, 1)` for code values of `bits` bits; rgb in 0..=1 before clamping.
    ///
    /// Source: ITU-R BT.601-7 / BT.709-6 / BT.2020-2, inverse of the quantised equations.
    pub fn rgb_from_yuv(&self, bits: u32) -> [[f64; 4]; 3] {
        let (kr, kb) = self.matrix.kr_kb();
        let kg = 1.0 - kr - kb;
        let unit = f64::from(1u32 << (bits - 8));
        let max = f64::from((1u32 << bits) - 1);
        let (y0, y_span, c_span) = match self.range {
            ColorRange::Limited => (16.0 * unit, 219.0 * unit, 224.0 * unit),
            ColorRange::Full => (0.0, max, max),
        };
        let mid = 128.0 * unit;
        let y = 1.0 / y_span;
        let rv = 2.0 * (1.0 - kr) / c_span;
        let bu = 2.0 * (1.0 - kb) / c_span;
        let gu = -bu * kb / kg;
        let gv = -rv * kr / kg;
        let row = |u: f64, v: f64| [y, u, v, -y0 * y - mid * (u + v)];
        [row(0.0, rv), row(gu, gv), row(bu, 0.0)]
    }
}

/// How chroma is brought to the luma grid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ChromaUpsampling {
    /// The sample of the block the pixel lies in, `(x >> sx, y >> sy)`; siting has no influence. What OpenCV does.
    Nearest,
    /// Linear in both directions, with the siting of the stream.
    Bilinear,
}

impl ChromaUpsampling {
    /// Lower-case name, as in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Nearest => "nearest",
            Self::Bilinear => "bilinear",
        }
    }
}

/// The integers with which YUV turns into 8-bit RGB: `clamp((m[c][0]*y + m[c][1]*u + m[c][2]*v + m[c][3]) >> shift, 0,
/// 255)` with an arithmetic shift, for channels R, G, B.
///
/// `m[c][0..3]` are the factors of [`ColorSpec::rgb_from_yuv`] times `255 * 2^shift`, rounded to nearest. The constant
/// is made from the *rounded* factors, `2^(shift-1) - y0*m[c][0] - mid*(m[c][1] + m[c][2])`, so that black is exactly
/// 0 and neutral chroma exactly grey (R = G = B) at every luma code and bit depth; it contains the rounding half.
///
/// `shift` is 20 for every bit depth. In output levels the terms are at most `255 * 255/219` (luma), `255 * 2.1419`
/// (one chroma term; blue of BT.2020 limited) or `255 * (gu + gv)` (both, smaller), and their constant; together below
/// 1200 for any code of the given depth, because the factors shrink as the codes grow. `1200 * 2^20 < 2^31`: the sum
/// and every partial sum fit into an `i32`. Rounding of the factors costs at most `3 * 1023 / 2^21`, about 0.0015
/// levels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RgbCoefficients {
    /// Rows R, G, B; columns luma, U, V, constant.
    pub m: [[i32; 4]; 3],
    /// Right shift of the sum.
    pub shift: u32,
}

impl RgbCoefficients {
    /// The shift of all coefficient sets.
    pub const SHIFT: u32 = 20;

    /// Coefficients for code values of `bits` bits, 8 to 16.
    pub fn new(color: ColorSpec, bits: u32) -> Self {
        let unit = 1i32 << (bits - 8);
        let (y0, mid) = (i32::from(color.range.black_code()) * unit, 128 * unit);
        let scale = 255.0 * f64::from(1u32 << Self::SHIFT);
        let m = color.rgb_from_yuv(bits).map(|[y, u, v, _]| {
            let [y, u, v] = [y, u, v].map(|k| (k * scale).round() as i32);
            [y, u, v, (1 << (Self::SHIFT - 1)) - y0 * y - mid * (u + v)]
        });
        Self { m, shift: Self::SHIFT }
    }

    /// Coefficients for frames of `format`. Grey frames are full range whatever `color` says: with chroma at 128 the
    /// result is exactly R = G = B = sample.
    pub fn for_format(color: ColorSpec, format: PixelFormat) -> Self {
        match format {
            PixelFormat::Gray8 => Self::new(ColorSpec { range: ColorRange::Full, ..color }, 8),
            _ => Self::new(color, format.bits()),
        }
    }

    /// R, G, B of code values of the depth the coefficients are for.
    pub fn rgb(&self, [y, u, v]: [u8; 3]) -> [u8; 3] {
        let [y, u, v] = [y, u, v].map(i32::from);
        self.m.map(|[my, mu, mv, one]| ((my * y + mu * u + mv * v + one) >> Self::SHIFT).clamp(0, 255) as u8)
    }
}

/// Colours between two ends, which belong to it: 8-bit hue in half degrees 0..=179, saturation and value 0..=255. A hue whose low end lies above
/// the high one goes through 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct HsvRange {
    /// Least hue, saturation, value.
    pub low: [u8; 3],
    /// Largest hue, saturation, value.
    pub high: [u8; 3],
}

impl HsvRange {
    /// Whether a colour belongs to it.
    pub fn holds(&self, [h, s, v]: [u8; 3]) -> bool {
        let ([h0, s0, v0], [h1, s1, v1]) = (self.low, self.high);
        let hue = if h0 <= h1 { h0 <= h && h <= h1 } else { h >= h0 || h <= h1 };
        hue && (s0..=s1).contains(&s) && (v0..=v1).contains(&v)
    }

    /// Whether some colour belongs to it.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a hue above 179, and a saturation or value whose low end lies above the high one.
    pub fn check(&self) -> Result<()> {
        let bad = |name, wanted: &str, given: String| {
            Err(Error::Parameter { op: "color/hsv_range", name, wanted: wanted.into(), given })
        };
        let ([h0, s0, v0], [h1, s1, v1]) = (self.low, self.high);
        if h0.max(h1) > 179 {
            return bad("hue", "half degrees 0..=179", h0.max(h1).to_string());
        }
        if s0 > s1 || v0 > v1 {
            return bad(
                "range",
                "a saturation and a value whose low end is not above the high one",
                format!("{self:?}"),
            );
        }
        Ok(())
    }
}

/// The integers with which 8-bit RGB turns into code values, or a difference of colours into a difference of codes: rows Y, U, V, factors
/// of R, G, B in 16.16 fixed point, without the constants.
///
/// The factors of a row of chroma sum to 0 but for rounding. In absolute value those of luma sum to at most `1023/255 * 2^16`, those of
/// chroma to `1023/255 * 2^16` as well: 255 levels of four pixels stay below 2^31.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct YuvCoefficients {
    /// Rows Y, U, V.
    pub m: [[i32; 3]; 3],
}

impl YuvCoefficients {
    /// Factors for code values of `bits` bits, 8 or 10.
    pub fn new(color: ColorSpec, bits: u32) -> Self {
        let (kr, kb) = color.matrix.kr_kb();
        let kg = 1.0 - kr - kb;
        let unit = f64::from(1u32 << (bits - 8));
        let most = f64::from((1u32 << bits) - 1);
        let (y_span, c_span) = match color.range {
            ColorRange::Limited => (219.0 * unit, 224.0 * unit),
            ColorRange::Full => (most, most),
        };
        let fix = |c: f64, span: f64| (c * span / 255.0 * 65536.0).round() as i32;
        let (cb, cr) = (0.5 / (1.0 - kb), 0.5 / (1.0 - kr));
        Self {
            m: [
                [fix(kr, y_span), fix(kg, y_span), fix(kb, y_span)],
                [fix(-kr * cb, c_span), fix(-kg * cb, c_span), fix(0.5, c_span)],
                [fix(0.5, c_span), fix(-kg * cr, c_span), fix(-kb * cr, c_span)],
            ],
        }
    }

    /// Factors for frames of `format`. Grey frames are full range whatever `color` says.
    pub fn for_format(color: ColorSpec, format: PixelFormat) -> Self {
        match format {
            PixelFormat::Gray8 => Self::new(ColorSpec { range: ColorRange::Full, ..color }, 8),
            _ => Self::new(color, format.bits()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn black_and_white_map_to_zero_and_one() {
        for (range, bits, black, white, mid) in [
            (ColorRange::Limited, 8, 16.0, 235.0, 128.0),
            (ColorRange::Full, 8, 0.0, 255.0, 128.0),
            (ColorRange::Limited, 10, 64.0, 940.0, 512.0),
            (ColorRange::Full, 10, 0.0, 1023.0, 512.0),
        ] {
            for matrix in [YuvMatrix::Bt601, YuvMatrix::Bt709, YuvMatrix::Bt2020] {
                let color = ColorSpec { matrix, range, siting: ChromaSiting::Left };
                let [k, b] = color.gray_from_luma(bits);
                assert!((k * black + b).abs() < 1e-12 && (k * white + b - 1.0).abs() < 1e-12);
                let m = color.rgb_from_yuv(bits);
                for row in m {
                    let at = |y: f64| row[0] * y + row[1] * mid + row[2] * mid + row[3];
                    assert!(at(black).abs() < 1e-12 && (at(white) - 1.0).abs() < 1e-12);
                }
            }
        }
    }

    #[test]
    fn bt601_limited_has_the_textbook_coefficients() {
        let m = ColorSpec::BT601.rgb_from_yuv(8);
        assert!((m[0][2] * 255.0 - 1.596).abs() < 1e-3);
        assert!((m[2][1] * 255.0 - 2.017).abs() < 1e-3);
        assert!((m[1][1] * 255.0 + 0.392).abs() < 1e-3 && (m[1][2] * 255.0 + 0.813).abs() < 1e-3);
    }

    fn all_specs() -> impl Iterator<Item = (ColorSpec, u32)> {
        [YuvMatrix::Bt601, YuvMatrix::Bt709, YuvMatrix::Bt2020].into_iter().flat_map(|matrix| {
            [ColorRange::Limited, ColorRange::Full].into_iter().flat_map(move |range| {
                [8, 10].map(|bits| (ColorSpec { matrix, range, siting: ChromaSiting::Left }, bits))
            })
        })
    }

    #[test]
    fn no_partial_sum_of_the_integer_form_leaves_i32() {
        for (color, bits) in all_specs() {
            let max = (1i64 << bits) - 1;
            for [y, u, v, one] in RgbCoefficients::new(color, bits).m.map(|row| row.map(|k| i64::from(k).abs())) {
                assert!((y + u + v) * max + one < 1200 << 20, "{color:?} {bits}");
            }
        }
    }

    #[test]
    fn integer_form_keeps_grey_grey_and_stays_within_half_a_level_of_the_real_one() {
        for (color, bits) in all_specs() {
            let c = RgbCoefficients::new(color, bits);
            let real = color.rgb_from_yuv(bits);
            let int =
                |row: [i32; 4], y: i32, u: i32, v: i32| (row[0] * y + row[1] * u + row[2] * v + row[3]) >> c.shift;
            let mid = 128 << (bits - 8);
            for y in 0..1 << bits {
                let [r, g, b] = c.m.map(|row| int(row, y, mid, mid));
                assert!(r == g && g == b, "{color:?} {bits} {y}");
            }
            for (y, u, v) in [(0, 0, 0), (77, 200, 3), (255, 255, 255), (16, 128, 240), (235, 16, 128)] {
                for (row, k) in c.m.into_iter().zip(real) {
                    let want = 255.0 * (k[0] * f64::from(y) + k[1] * f64::from(u) + k[2] * f64::from(v) + k[3]);
                    assert!((f64::from(int(row, y, u, v)) - want).abs() <= 0.502, "{color:?} {bits} {y} {u} {v}");
                }
            }
        }
    }

    #[test]
    fn forward_factors_are_the_inverse_and_sums_fit() {
        for (color, bits) in all_specs() {
            let (there, back) = (YuvCoefficients::new(color, bits), color.rgb_from_yuv(bits));
            for [r, g, b] in there.m {
                let sum: i64 = [r, g, b].iter().map(|k| i64::from(*k).abs()).sum();
                assert!(sum * 255 * 4 + (1 << 17) < 1 << 31, "{color:?} {bits}");
            }
            for (i, row) in back.iter().enumerate() {
                for j in 0..3 {
                    let unit: f64 = (0..3).map(|k| row[k] * 255.0 * f64::from(there.m[k][j]) / 65536.0).sum();
                    assert!((unit - f64::from(u8::from(i == j))).abs() < 1e-4, "{color:?} {bits} {i} {j}: {unit}");
                }
            }
        }
    }

    #[test]
    fn bt601_limited_integers() {
        // 2^20 times 255/219, 1.402 * 255/224, -0.344136 * 255/224, -0.714136 * 255/224 and 1.772 * 255/224, to nearest.
        let want = [
            [1_220_945, 0, 1_673_555, -233_225_872],
            [1_220_945, -410_793, -852_458, 142_685_296],
            [1_220_945, 2_115_221, 0, -289_759_120],
        ];
        assert_eq!(RgbCoefficients::new(ColorSpec::BT601, 8), RgbCoefficients { m: want, shift: 20 });
    }

    #[test]
    fn grey_frames_are_copied_whatever_the_range_says() {
        let c = RgbCoefficients::for_format(ColorSpec::BT601, PixelFormat::Gray8);
        for y in 0..=255 {
            assert_eq!(c.m.map(|k| (k[0] * y + (k[1] + k[2]) * 128 + k[3]) >> c.shift), [y; 3]);
        }
    }
}
