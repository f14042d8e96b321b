//! Colour maps for heat maps.

use crate::core::Size;
use crate::error::{Error, Result};

/// A colour map of 256 entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Colormap {
    /// Matplotlib's viridis: even steps, readable without colour vision.
    #[default]
    Viridis,
    /// Matplotlib's inferno: black to yellow.
    Inferno,
    /// The blue-to-red map of older tools, for comparison with them.
    Jet,
}

/// Coefficients of a polynomial of degree 6 per channel, lowest first.
type Polynomial = [[f64; 3]; 7];

// Least-squares fits of matplotlib's tables by Matt Zucker (public domain), within 4 levels of them.
const VIRIDIS: Polynomial = [
    [0.2777273272234177, 0.005407344544966578, 0.3340998053353061],
    [0.1050930431085774, 1.404613529898575, 1.384590162594685],
    [-0.3308618287255563, 0.214847559468213, 0.09509516302823659],
    [-4.634230498983486, -5.799100973351585, -19.33244095627987],
    [6.228269936347081, 14.17993336680509, 56.69055260068105],
    [4.776384997670288, -13.74514537774601, -65.35303263337234],
    [-5.435455855934631, 4.645852612178535, 26.3124352495832],
];
const INFERNO: Polynomial = [
    [0.0002189403691192265, 0.001651004631001012, -0.01948089843709184],
    [0.1065134194856116, 0.5639564367884091, 3.932712388889277],
    [11.60249308247187, -3.972853965665698, -15.9423941062914],
    [-41.70399613139459, 17.43639888205313, 44.35414519872813],
    [77.162935699427, -33.40235894210092, -81.80730925738993],
    [-71.31942824499214, 32.62606426397723, 73.20951985803202],
    [25.13112622477341, -12.24266895238567, -23.07032500287172],
];

impl Colormap {
    /// R, G, B of entry `i`.
    pub fn rgb(self, i: u8) -> [u8; 3] {
        let t = f64::from(i) / 255.0;
        let unit = match self {
            Self::Viridis => evaluate(&VIRIDIS, t),
            Self::Inferno => evaluate(&INFERNO, t),
            // Trapezoids around 3/4 (red), 2/4 (green) and 1/4 (blue).
            Self::Jet => [3.0, 2.0, 1.0].map(|centre: f64| 1.5 - (4.0 * t - centre).abs()),
        };
        unit.map(|x| (x.clamp(0.0, 1.0) * 255.0).round() as u8)
    }

    /// All 256 entries.
    pub fn table(self) -> Vec<[u8; 3]> {
        (0..=255).map(|i| self.rgb(i)).collect()
    }
}

fn evaluate(polynomial: &Polynomial, t: f64) -> [f64; 3] {
    polynomial.iter().rev().fold([0.0; 3], |sum, row| {
        let mut next = row.iter().zip(sum).map(|(c, s)| s * t + c);
        std::array::from_fn(|_| next.next().unwrap_or(0.0))
    })
}

/// Colours a map of values: `height * width * 3` bytes, ready for [`super::encode_png`].
///
/// `range` is what the ends of the colour map stand for; `None` takes 0 (or the least value, when negative) to the largest.
/// A constant map has no range and gets the lowest colour everywhere; values that are not finite are grey.
///
/// # Errors
/// [`Error::Parameter`] unless there is one value per pixel.
pub fn heat_rgb(values: &[f32], size: Size, colormap: Colormap, range: Option<(f32, f32)>) -> Result<Vec<u8>> {
    if (size.width as usize).checked_mul(size.height as usize) != Some(values.len()) {
        return Err(Error::Parameter {
            op: "report/heat_rgb",
            name: "values",
            wanted: format!("{}x{} values", size.width, size.height),
            given: values.len().to_string(),
        });
    }
    let table = colormap.table();
    let finite = || values.iter().copied().filter(|v| v.is_finite());
    let (low, high) = range.unwrap_or_else(|| (finite().fold(0.0, f32::min), finite().fold(0.0, f32::max)));
    let span = high - low;
    let scale = if span > 0.0 && span.is_finite() { 255.0 / span } else { 0.0 };
    let grey = [128; 3];
    let colour = |v: f32| {
        let i = ((v - low) * scale).round().clamp(0.0, 255.0) as usize;
        if v.is_finite() { table.get(i).copied().unwrap_or(grey) } else { grey }
    };
    Ok(values.iter().flat_map(|v| colour(*v)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Entries of matplotlib's tables.
    #[test]
    fn known_entries_are_within_four_levels() {
        let known = [
            (Colormap::Viridis, 0, [68, 1, 84]),
            (Colormap::Viridis, 64, [59, 82, 139]),
            (Colormap::Viridis, 128, [33, 145, 140]),
            (Colormap::Viridis, 255, [253, 231, 37]),
            (Colormap::Inferno, 0, [0, 0, 4]),
            (Colormap::Inferno, 128, [188, 55, 84]),
            (Colormap::Inferno, 255, [252, 255, 164]),
        ];
        for (map, i, wanted) in known {
            let found = map.rgb(i);
            assert!(
                found.iter().zip(wanted).all(|(a, b)| a.abs_diff(b) <= 4),
                "{map:?}({i}) is {found:?}, not {wanted:?}"
            );
        }
    }

    #[test]
    fn jet_follows_its_formula() {
        let jet = |i| Colormap::Jet.rgb(i);
        assert_eq!((jet(0), jet(255)), ([0, 0, 128], [128, 0, 0]));
        for i in 0..=255u8 {
            let wanted =
                [3.0, 2.0, 1.0].map(|c: f64| 255.0 * (1.5 - (4.0 * f64::from(i) / 255.0 - c).abs()).clamp(0.0, 1.0));
            assert!(jet(i).iter().zip(wanted).all(|(a, b)| (f64::from(*a) - b).abs() <= 1.0));
        }
    }

    #[test]
    fn constant_empty_and_broken_maps_do_not_divide_by_zero() {
        let size = Size { width: 2, height: 1 };
        let low = Colormap::Viridis.rgb(0);
        let zero = heat_rgb(&[0.0, 0.0], size, Colormap::Viridis, None).unwrap();
        assert_eq!(zero, [low, low].concat());
        let nan = heat_rgb(&[f32::NAN, 1.0], size, Colormap::Viridis, None).unwrap();
        assert_eq!(nan, [[128; 3], Colormap::Viridis.rgb(255)].concat());
        assert!(heat_rgb(&[1.0], size, Colormap::Viridis, None).is_err());
    }
}
