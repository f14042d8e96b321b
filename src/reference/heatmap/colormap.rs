//! `heatmap/colormap`: heat in colour.

use crate::core::Palette;

/// Index of the colour of heat `v`: `int(255 v)` with the product rounded to f32, `v` clamped to 0..=1; not finite: 0.
pub fn level(v: f32) -> u8 {
    if v.is_finite() { (v.clamp(0.0, 1.0) * 255.0) as u8 } else { 0 }
}

/// Packed colours of `levels`, red lowest.
pub fn colormap(levels: &[u8], palette: Palette) -> Vec<u32> {
    levels.iter().map(|i| palette.color(*i)).collect()
}

/// Colours laid over packed pictures: `(alpha * colour + (255 - alpha) * under + 127) / 255` per channel, opaque.
pub fn overlay(colors: &[u32], under: &[u32], alpha: u8) -> Vec<u32> {
    let alpha = u32::from(alpha);
    let mix = |color: u32, under: u32| {
        let channel = |shift: u32| {
            let (c, u) = (color >> shift & 255, under >> shift & 255);
            ((alpha * c + (255 - alpha) * u + 127) / 255) << shift
        };
        channel(0) | channel(8) | channel(16) | 0xff00_0000
    };
    colors.iter().zip(under).map(|(c, u)| mix(*c, *u)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_hand() {
        assert_eq!([0.0, 0.5, 1.0, 2.0, -1.0, f32::NAN, f32::INFINITY].map(level), [0, 127, 255, 255, 0, 0, 0]);
        assert_eq!(colormap(&[0, 255], Palette::Jet), [0xff80_0000, 0xff00_0080]);
        assert_eq!(overlay(&[0xff80_0000], &[0x0000_00ff], 255), [0xff80_0000]);
        assert_eq!(overlay(&[0xff80_0000], &[0x0000_00ff], 0), [0xff00_00ff]);
        assert_eq!(overlay(&[0xff80_0000], &[0x1200_00ff], 128), [0xff40_007f]);
    }
}
