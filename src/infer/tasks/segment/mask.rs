//! What segmentation gives: coverage per pixel, or a class per pixel.

use super::super::resample::{Taps, resample, resize};
use crate::core::{Rect, Size, TensorPlace};
use crate::error::{Error, Result};

/// Coverage per pixel.
#[derive(Debug, Clone, PartialEq)]
pub struct Mask {
    /// Width and height.
    pub size: Size,
    /// Row-major, 0 outside to 1 inside.
    pub values: Vec<f32>,
}

/// Class per pixel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClassMap {
    /// Width and height.
    pub size: Size,
    /// Row-major, index into the names of classes.
    pub classes: Vec<u16>,
}

/// Values under `rect`, row by row; nothing of what lies outside.
fn cut<T: Copy>(values: &[T], size: Size, rect: Rect) -> Vec<T> {
    let (x, width) = (rect.x as usize, rect.width as usize);
    let rows = values.chunks_exact((size.width as usize).max(1)).skip(rect.y as usize).take(rect.height as usize);
    rows.flat_map(|row| row.get(x..x + width).unwrap_or_default().iter().copied()).collect()
}

/// The part of a map that `place` fills, when the map covers the tensor at a resolution of its own: `content` scaled to `size` and rounded
/// outwards to whole cells.
fn content(place: &TensorPlace, size: Size) -> Rect {
    let along = |from: u32, n: u32, tensor: u32, map: u32| {
        let (tensor, map) = (u64::from(tensor.max(1)), u64::from(map));
        let first = u64::from(from) * map / tensor;
        let end = ((u64::from(from) + u64::from(n)) * map).div_ceil(tensor).min(map);
        (first as u32, (end.max(first + 1).min(map) - first.min(map)) as u32)
    };
    let (x, width) = along(place.content.x, place.content.width, place.tensor.width, size.width);
    let (y, height) = along(place.content.y, place.content.height, place.tensor.height, size.height);
    Rect { x, y, width, height }
}

/// The values of a map over the tensor of `place` that show its box, in the size of the box: bilinear where that is larger.
///
/// The map may have another resolution than the tensor; the edges of the box need not fall on its cells.
pub(super) fn to_picture(map: &[f32], size: Size, place: &TensorPlace) -> Vec<f32> {
    let axis = |map: u32, tensor: u32, from: u32, n: u32, to: u32| {
        let cells = f64::from(map) / f64::from(tensor.max(1));
        Taps::window(map as usize, f64::from(from) * cells, f64::from(n) * cells, to as usize)
    };
    let (c, t) = (place.content, place.tensor);
    let across = axis(size.width, t.width, c.x, c.width, place.source.width);
    let down = axis(size.height, t.height, c.y, c.height, place.source.height);
    resample(map, size.width as usize, &across, &down)
}

impl Mask {
    /// From row-major values.
    ///
    /// # Errors
    /// [`crate::Error::Model`] with cause `shape` when there are not as many as the size says, or none.
    pub fn new(size: Size, values: Vec<f32>) -> Result<Self> {
        if size.is_empty() || values.len() as u64 != size.area() {
            return Err(Error::model(
                "shape",
                format!("a mask of {size} has {} values, {} were given", size.area(), values.len()),
            ));
        }
        Ok(Self { size, values })
    }

    /// Share of pixels of at least `threshold`, 0..=1.
    pub fn share(&self, threshold: f32) -> f64 {
        let inside = self.values.iter().filter(|v| **v >= threshold).count();
        inside as f64 / self.values.len().max(1) as f64
    }

    /// Bytes of alpha, 255 inside.
    pub fn to_alpha(&self) -> Vec<u8> {
        self.values.iter().map(|v| (v * 255.0).round().clamp(0.0, 255.0) as u8).collect()
    }

    /// 1 from `threshold` on, 0 below.
    #[must_use]
    pub fn binary(&self, threshold: f32) -> Self {
        let values = self.values.iter().map(|v| f32::from(u8::from(*v >= threshold))).collect();
        Self { size: self.size, values }
    }

    /// In another size: bilinear where it grows, the mean of what is covered where it shrinks. On the host: masks are small.
    #[must_use]
    pub fn resized(&self, size: Size) -> Self {
        if size == self.size {
            return self.clone();
        }
        Self { size, values: resize(&self.values, self.size, size) }
    }

    /// The part that shows the box of `place`, in the size of that box: from the tensor back to the picture.
    #[must_use]
    pub fn in_picture(&self, place: &TensorPlace) -> Self {
        let size = Size::new(place.source.width, place.source.height);
        Self { size, values: to_picture(&self.values, self.size, place) }
    }
}

impl ClassMap {
    /// Share of pixels of a class, 0..=1.
    pub fn share(&self, class: u16) -> f64 {
        let inside = self.classes.iter().filter(|c| **c == class).count();
        inside as f64 / self.classes.len().max(1) as f64
    }

    /// 1 where the class is, 0 elsewhere.
    pub fn mask(&self, class: u16) -> Mask {
        Mask { size: self.size, values: self.classes.iter().map(|c| f32::from(u8::from(*c == class))).collect() }
    }

    /// The part that shows the box of `place`, in the size of that box; each pixel takes the class of the nearest cell.
    #[must_use]
    pub fn in_picture(&self, place: &TensorPlace) -> Self {
        let size = Size::new(place.source.width, place.source.height);
        let rect = content(place, self.size);
        let part = cut(&self.classes, self.size, rect);
        let nearest =
            |i: u32, from: u32, to: u32| (u64::from(2 * i + 1) * u64::from(from) / u64::from(2 * to)) as usize;
        let rows: Vec<&[u16]> = part.chunks_exact((rect.width as usize).max(1)).collect();
        let classes = (0..size.height)
            .filter_map(|y| rows.get(nearest(y, rect.height, size.height)))
            .flat_map(|row| (0..size.width).filter_map(|x| row.get(nearest(x, rect.width, size.width)).copied()))
            .collect();
        Self { size, classes }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::{Anchor, BoxRect, Fit, TensorSpec};

    fn letterboxed() -> TensorPlace {
        let fit = Fit::Letterbox { pad: 0.0, anchor: Anchor::Center };
        let spec = TensorSpec { fit, ..TensorSpec::unit(Size::new(8, 8)) };
        TensorPlace::new(&spec, BoxRect { x: 3, y: 5, width: 16, height: 8 })
    }

    #[test]
    fn the_border_of_a_letterbox_is_left_out() {
        // 16x8 fills rows 2..6 of 8x8: mark them, and let the border be the opposite.
        let values: Vec<f32> = (0..64).map(|i| f32::from(u8::from((2..6).contains(&(i / 8))))).collect();
        let mask = Mask::new(Size::new(8, 8), values.clone()).unwrap();
        let back = mask.in_picture(&letterboxed());
        assert_eq!(back.size, Size::new(16, 8));
        assert!(back.values.iter().all(|v| *v == 1.0), "{back:?}");
        let map = ClassMap { size: mask.size, classes: values.iter().map(|v| *v as u16 * 7).collect() };
        let back = map.in_picture(&letterboxed());
        assert_eq!((back.size, back.classes.len(), back.share(7)), (Size::new(16, 8), 128, 1.0));
        // Half the resolution: rows 1..3 of 4.
        let half =
            Mask::new(Size::new(4, 4), (0..16).map(|i| f32::from(u8::from((1..3).contains(&(i / 4))))).collect());
        assert!(half.unwrap().in_picture(&letterboxed()).values.iter().all(|v| *v == 1.0));
    }

    #[test]
    fn halves_stay_halves_when_the_mask_grows() {
        let mask = Mask::new(Size::new(2, 1), vec![0.0, 1.0]).unwrap();
        let large = mask.resized(Size::new(8, 4));
        assert_eq!(large.share(0.5), 0.5);
        assert_eq!(mask.to_alpha(), [0, 255]);
        assert_eq!(large.binary(0.5).values[..8], [0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0]);
        assert!(Mask::new(Size::new(2, 2), vec![0.0]).is_err());
    }
}
