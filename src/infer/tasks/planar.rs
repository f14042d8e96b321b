//! Pictures on the host as models see them: planes of floats, red first, 0 black to 1 white.
//!
//! Models that give pictures (inpaint, upscale, restore-face, lowlight) are read and written here; their transfers are small beside their
//! run time. Models that only look take their tensors from the GPU instead.

use super::resample::resize;
use crate::core::{BoxRect, Limits, Size};
use crate::error::{Error, Result};

/// Weights of red, green and blue in luma (BT.601), as JPEG and the usual luma models have it.
const LUMA: [f32; 3] = [0.299, 0.587, 0.114];

/// Planes of floats: one of luma, or red, green and blue; 0..=1, row-major, never empty.
#[derive(Debug, Clone, PartialEq)]
pub struct PlanarPicture {
    size: Size,
    channels: usize,
    values: Vec<f32>,
}

impl PlanarPicture {
    /// From its planes, one after the other.
    ///
    /// # Errors
    /// [`crate::Error::Model`] with cause `shape` unless there are 1 or 3 channels, at least one pixel and as many values as that takes;
    /// [`crate::Error::LimitExceeded`] above the default limits of side and pixels.
    pub fn new(size: Size, channels: usize, values: Vec<f32>) -> Result<Self> {
        check(size, channels)?;
        let wanted = size.area() as usize * channels;
        if values.len() != wanted {
            let given = values.len();
            return Err(Error::model(
                "shape",
                format!("{channels} planes of {size} have {wanted} values, {given} were given"),
            ));
        }
        Ok(Self { size, channels, values })
    }

    /// One value everywhere.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn filled(size: Size, channels: usize, value: f32) -> Result<Self> {
        check(size, channels)?;
        Ok(Self { size, channels, values: vec![value; size.area() as usize * channels] })
    }

    /// From bytes red, green, blue of pixel after pixel, 255 white.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn from_rgb8(size: Size, bytes: &[u8]) -> Result<Self> {
        let plane = |c: usize| bytes.iter().skip(c).step_by(3).map(|v| f32::from(*v) / 255.0);
        if !bytes.len().is_multiple_of(3) {
            return Err(Error::model("shape", format!("{} bytes are no whole RGB pixels", bytes.len())));
        }
        Self::new(size, 3, plane(0).chain(plane(1)).chain(plane(2)).collect())
    }

    /// From bytes of luma, 255 white.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn from_gray8(size: Size, bytes: &[u8]) -> Result<Self> {
        Self::new(size, 1, bytes.iter().map(|v| f32::from(*v) / 255.0).collect())
    }

    /// Bytes red, green, blue of pixel after pixel, clamped and rounded to nearest; luma three times.
    pub fn to_rgb8(&self) -> Vec<u8> {
        let byte = |v: f32| (v * 255.0).round().clamp(0.0, 255.0) as u8;
        let mut out = vec![0u8; self.size.area() as usize * 3];
        for c in 0..3 {
            let plane = self.plane(c.min(self.channels - 1));
            for (to, v) in out.iter_mut().skip(c).step_by(3).zip(plane) {
                *to = byte(*v);
            }
        }
        out
    }

    /// Width and height.
    pub fn size(&self) -> Size {
        self.size
    }

    /// 1 or 3.
    pub fn channels(&self) -> usize {
        self.channels
    }

    /// All planes, one after the other.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// All planes, to write.
    pub(crate) fn values_mut(&mut self) -> &mut [f32] {
        &mut self.values
    }

    /// Plane `c`; empty when there is none.
    pub fn plane(&self, c: usize) -> &[f32] {
        self.values.chunks_exact(self.size.area() as usize).nth(c).unwrap_or_default()
    }

    /// Planes in order.
    pub fn planes(&self) -> impl Iterator<Item = &[f32]> {
        self.values.chunks_exact(self.size.area() as usize)
    }

    /// Row `y` of plane `c`; empty when there is none.
    pub(crate) fn row(&self, c: usize, y: usize) -> &[f32] {
        self.plane(c).chunks_exact(self.size.width as usize).nth(y).unwrap_or_default()
    }

    /// Row `y` of plane `c`, to write; empty when there is none.
    pub(crate) fn row_mut(&mut self, c: usize, y: usize) -> &mut [f32] {
        let (width, height) = (self.size.width as usize, self.size.height as usize);
        let at = if y < height { c * height + y } else { usize::MAX };
        self.values.chunks_exact_mut(width).nth(at).unwrap_or_default()
    }

    /// The part under `rect`; outside of the picture the nearest pixel counts.
    ///
    /// # Errors
    /// As [`Self::new`], for the size of `rect`.
    pub fn crop(&self, rect: BoxRect) -> Result<Self> {
        let size = Size::new(rect.width, rect.height);
        check(size, self.channels)?;
        let clamp = |v: i64, n: u32| v.clamp(0, i64::from(n) - 1) as usize;
        let mut values = Vec::with_capacity(size.area() as usize * self.channels);
        for c in 0..self.channels {
            for y in 0..i64::from(rect.height) {
                let row = self.row(c, clamp(i64::from(rect.y) + y, self.size.height));
                let inside = usize::try_from(rect.x).ok().and_then(|x| row.get(x..x + rect.width as usize));
                match inside {
                    Some(part) => values.extend_from_slice(part),
                    None => {
                        values.extend((0..i64::from(rect.width)).map(|x| {
                            row.get(clamp(i64::from(rect.x) + x, self.size.width)).copied().unwrap_or_default()
                        }))
                    }
                }
            }
        }
        Ok(Self { size, channels: self.channels, values })
    }

    /// In another size: the mean of what is covered where it shrinks, bilinear where it grows.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn resized(&self, size: Size) -> Result<Self> {
        check(size, self.channels)?;
        if size == self.size {
            return Ok(self.clone());
        }
        let values = self.planes().flat_map(|p| resize(p, self.size, size)).collect();
        Ok(Self { size, channels: self.channels, values })
    }

    /// One plane of luma (BT.601 weights); itself when it is that already.
    #[must_use]
    pub fn to_luma(&self) -> Self {
        if self.channels == 1 {
            return self.clone();
        }
        let mut values = vec![0.0f32; self.size.area() as usize];
        for (plane, weight) in self.planes().zip(LUMA) {
            for (sum, v) in values.iter_mut().zip(plane) {
                *sum += weight * v;
            }
        }
        Self { size: self.size, channels: 1, values }
    }

    /// Three planes; luma three times.
    #[must_use]
    pub fn to_rgb(&self) -> Self {
        if self.channels == 3 {
            return self.clone();
        }
        Self { size: self.size, channels: 3, values: self.values.repeat(3) }
    }

    /// Blends `part` in with its top-left corner at `(x, y)`: `self + (part - self) * alpha`, one alpha per pixel of `part`.
    /// What reaches outside is left out; where alpha is 0 nothing changes.
    pub(crate) fn blend(&mut self, part: &Self, x: i64, y: i64, alpha: &[f32]) {
        let width = part.size.width as usize;
        let skip = (-x).max(0) as usize;
        let to = x.max(0) as usize;
        for c in 0..self.channels.min(part.channels) {
            for (py, alpha) in alpha.chunks_exact(width).enumerate() {
                let Ok(ty) = usize::try_from(y + py as i64) else { continue };
                let new = part.row(c, py).iter().zip(alpha).skip(skip);
                for (old, (new, a)) in self.row_mut(c, ty).iter_mut().skip(to).zip(new) {
                    if *a > 0.0 {
                        *old = if *a >= 1.0 { *new } else { *old + (*new - *old) * a };
                    }
                }
            }
        }
    }
}

/// Sizes and channel counts that pictures have.
fn check(size: Size, channels: usize) -> Result<()> {
    if size.is_empty() || !matches!(channels, 1 | 3) {
        return Err(Error::model(
            "shape",
            format!("a picture has 1 or 3 channels and at least one pixel, not {channels} of {size}"),
        ));
    }
    let l = Limits::default();
    Limits::check("side", l.side, u64::from(size.width.max(size.height)), || {
        format!("the longer side of a {size} picture")
    })?;
    Limits::check("pixels", l.pixels, size.area(), || format!("the pixel count of a {size} picture"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_go_through_and_come_back() {
        let bytes: Vec<u8> = (0..=255).chain(0..44).collect();
        let p = PlanarPicture::from_rgb8(Size::new(10, 10), &bytes).unwrap();
        assert_eq!(p.to_rgb8(), bytes);
        assert_eq!(p.plane(1)[0], 1.0 / 255.0);
        assert!(PlanarPicture::from_rgb8(Size::new(10, 10), &bytes[1..]).is_err());
        assert!(PlanarPicture::filled(Size::new(0, 3), 3, 0.0).is_err());
        assert!(PlanarPicture::filled(Size::new(100_000, 1), 1, 0.0).is_err());
        let gray = PlanarPicture::from_gray8(Size::new(1, 2), &[7, 9]).unwrap();
        assert_eq!(gray.to_rgb8(), [7, 7, 7, 9, 9, 9]);
        assert_eq!(gray.to_rgb().to_luma().to_rgb8(), gray.to_rgb8());
    }

    #[test]
    fn a_crop_outside_repeats_the_edge_and_blends_back() {
        let p = PlanarPicture::new(Size::new(3, 2), 1, vec![0.0, 1.0, 2.0, 3.0, 4.0, 5.0]).unwrap();
        let c = p.crop(BoxRect { x: -1, y: 1, width: 3, height: 2 }).unwrap();
        assert_eq!(c.values(), [3.0, 3.0, 4.0, 3.0, 3.0, 4.0]);
        assert_eq!(p.crop(BoxRect { x: 1, y: 0, width: 2, height: 1 }).unwrap().values(), [1.0, 2.0]);
        let mut q = p.clone();
        q.blend(&PlanarPicture::filled(Size::new(2, 2), 1, 9.0).unwrap(), -1, 1, &[1.0, 0.5, 1.0, 1.0]);
        assert_eq!(q.values(), [0.0, 1.0, 2.0, 6.0, 4.0, 5.0]);
        let mut q = p.clone();
        q.blend(&PlanarPicture::filled(Size::new(2, 2), 1, 9.0).unwrap(), 2, -1, &[1.0; 4]);
        assert_eq!(q.values(), [0.0, 1.0, 9.0, 3.0, 4.0, 5.0]);
    }
}
