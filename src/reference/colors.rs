//! The colours of a picture of any format.

use crate::Result;
use crate::core::{ChromaUpsampling, ColorSpec, PixelFormat, Size};
use crate::reference::color::rgb_from_yuv::rgb_from_yuv;
use crate::reference::plane::{FrameSlot, unfit};

/// R, G, B of every pixel, 8 bits each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Colors {
    size: Size,
    pixels: Vec<[u8; 3]>,
}

impl Colors {
    /// Pixels row by row.
    ///
    /// # Errors
    /// [`crate::Error::Parameter`] for an empty size or another number of pixels.
    pub fn new(size: Size, pixels: Vec<[u8; 3]>) -> Result<Self> {
        if size.is_empty() || pixels.len() as u64 != size.area() {
            let wanted = format!("{size} pixels, at least 1x1");
            return Err(unfit("reference/colors", "pixels", wanted, pixels.len()));
        }
        Ok(Self { size, pixels })
    }

    /// Of a frame: packed RGB as it is, without alpha; YUV and grey as [`rgb_from_yuv`] defines.
    ///
    /// # Errors
    /// None for a [`FrameSlot`] of a known format.
    pub fn of(frame: &FrameSlot<'_>, color: ColorSpec, upsampling: ChromaUpsampling) -> Result<Self> {
        let size = frame.size();
        let pixels = if frame.format() == PixelFormat::Rgba8 {
            let at = |i: u64| ((i % u64::from(size.width)) as u32, (i / u64::from(size.width)) as u32);
            (0..size.area()).map(at).map(|(x, y)| [0, 1, 2].map(|c| frame.sample(c, x, y) as u8)).collect()
        } else {
            let rgb = |word: u32| {
                let [r, g, b, _] = word.to_le_bytes();
                [r, g, b]
            };
            rgb_from_yuv(frame, color, upsampling)?.into_iter().map(rgb).collect()
        };
        Self::new(size, pixels)
    }

    /// Size in pixels.
    pub const fn size(&self) -> Size {
        self.size
    }

    /// All pixels, row by row.
    pub fn pixels(&self) -> &[[u8; 3]] {
        &self.pixels
    }

    /// The pixel at `(x, y)`, which must lie inside.
    pub fn at(&self, x: u32, y: u32) -> [u8; 3] {
        debug_assert!(x < self.size.width && y < self.size.height);
        self.pixels[y as usize * self.size.width as usize + x as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::FrameLayout;

    #[test]
    fn packed_pixels_are_taken_as_they_are_and_grey_three_times() {
        let of = |format, data: &[(usize, u8)]| {
            let layout = FrameLayout::of(format, Size::new(2, 2)).unwrap();
            let mut slot = vec![0xEE; layout.slot_bytes() as usize];
            data.iter().for_each(|(at, v)| slot[*at] = *v);
            Colors::of(&FrameSlot::new(layout, &slot).unwrap(), ColorSpec::BT601, ChromaUpsampling::Nearest).unwrap()
        };
        let rgb = of(PixelFormat::Rgba8, &[(20, 1), (21, 2), (22, 3), (23, 4)]);
        assert_eq!((rgb.at(1, 1), rgb.at(0, 1)), ([1, 2, 3], [0xEE; 3]));
        assert_eq!(of(PixelFormat::Gray8, &[(1, 9)]).pixels()[1], [9; 3]);
        assert!(Colors::new(Size::new(2, 2), vec![[0; 3]; 3]).is_err());
    }
}
