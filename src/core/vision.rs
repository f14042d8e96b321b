//! What networks see in pictures: points, boxes, detections, and what is done with them. Pixel `i` covers `i..i+1`, fractions allowed.

use super::geometry::Size;
use super::tensor::BoxRect;

/// A point in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Point {
    /// To the right.
    pub x: f32,
    /// Down.
    pub y: f32,
}

/// A box in pixels with fractions, which may reach outside of its picture.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct BoxF {
    /// Left edge.
    pub x: f32,
    /// Top edge.
    pub y: f32,
    /// Width, not negative.
    pub width: f32,
    /// Height, not negative.
    pub height: f32,
}

impl BoxF {
    /// From two corners; a box of no area when they are the wrong way round.
    pub fn from_corners(x1: f32, y1: f32, x2: f32, y2: f32) -> Self {
        Self { x: x1, y: y1, width: (x2 - x1).max(0.0), height: (y2 - y1).max(0.0) }
    }

    /// From the centre and the sides.
    pub fn from_center(cx: f32, cy: f32, width: f32, height: f32) -> Self {
        Self { x: cx - width / 2.0, y: cy - height / 2.0, width, height }
    }

    /// Right edge.
    pub fn right(&self) -> f32 {
        self.x + self.width
    }

    /// Bottom edge.
    pub fn bottom(&self) -> f32 {
        self.y + self.height
    }

    /// Centre.
    pub fn center(&self) -> Point {
        Point { x: self.x + self.width / 2.0, y: self.y + self.height / 2.0 }
    }

    /// Area in square pixels.
    pub fn area(&self) -> f32 {
        self.width * self.height
    }

    /// Shared area over joint area, 0..=1; 0 when both are empty.
    pub fn iou(&self, other: &Self) -> f32 {
        let width = (self.right().min(other.right()) - self.x.max(other.x)).max(0.0);
        let height = (self.bottom().min(other.bottom()) - self.y.max(other.y)).max(0.0);
        let shared = width * height;
        if shared == 0.0 {
            return 0.0;
        }
        let joint = self.area() + other.area() - shared;
        if joint > 0.0 { shared / joint } else { 0.0 }
    }

    /// The part inside a picture of `size`.
    #[must_use]
    pub fn clip(&self, size: Size) -> Self {
        let (w, h) = (size.width as f32, size.height as f32);
        Self::from_corners(
            self.x.clamp(0.0, w),
            self.y.clamp(0.0, h),
            self.right().clamp(0.0, w),
            self.bottom().clamp(0.0, h),
        )
    }

    /// The same centre, sides multiplied by `factor`.
    #[must_use]
    pub fn scaled(&self, factor: f32) -> Self {
        let c = self.center();
        Self::from_center(c.x, c.y, self.width * factor, self.height * factor)
    }

    /// The same centre, both sides as long as the longer one.
    #[must_use]
    pub fn squared(&self) -> Self {
        let c = self.center();
        let side = self.width.max(self.height);
        Self::from_center(c.x, c.y, side, side)
    }

    /// Edges rounded to whole pixels, at least 1x1, for `resize/crop_resize`.
    pub fn to_pixels(&self) -> BoxRect {
        let (x, y) = (self.x.round(), self.y.round());
        let side = |a: f32, b: f32| (b.round() - a).max(1.0) as u32;
        BoxRect { x: x as i32, y: y as i32, width: side(x, self.right()), height: side(y, self.bottom()) }
    }
}

/// A box of an object.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Detection {
    /// Where.
    pub rect: BoxF,
    /// 0..=1.
    pub score: f32,
    /// Index into the names of classes.
    pub class: u32,
}

/// A face.
#[derive(Debug, Clone, PartialEq)]
pub struct Face {
    /// Where.
    pub rect: BoxF,
    /// 0..=1.
    pub score: f32,
    /// Key points in the order of the model; empty when it has none.
    pub points: Vec<Point>,
}

/// Greedy non-maximum suppression: indices into `boxes` of those kept, best score first, equal scores by index.
///
/// A box goes when its intersection over union with a kept one of the same class exceeds `iou`. Scores that are no numbers go.
/// Give all boxes one class to suppress across classes.
pub fn suppress(boxes: &[(BoxF, f32, u32)], iou: f32) -> Vec<usize> {
    let mut order: Vec<(usize, &(BoxF, f32, u32))> = boxes.iter().enumerate().filter(|(_, b)| !b.1.is_nan()).collect();
    let by_score =
        |a: &(usize, &(BoxF, f32, u32)), b: &(usize, &(BoxF, f32, u32))| b.1.1.total_cmp(&a.1.1).then(a.0.cmp(&b.0));
    // Class by class, so that no box is compared with those of other classes.
    order.sort_unstable_by(|a, b| a.1.2.cmp(&b.1.2).then_with(|| by_score(a, b)));
    let mut kept: Vec<(usize, &(BoxF, f32, u32))> = Vec::new();
    for run in order.chunk_by(|a, b| a.1.2 == b.1.2) {
        let first = kept.len();
        for candidate in run {
            let rivals = kept.get(first..).unwrap_or_default();
            if !rivals.iter().any(|k| k.1.0.iou(&candidate.1.0) > iou) {
                kept.push(*candidate);
            }
        }
    }
    kept.sort_unstable_by(by_score);
    kept.into_iter().map(|(i, _)| i).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intersection_over_union_by_hand() {
        let a = BoxF::from_corners(0.0, 0.0, 2.0, 2.0);
        let b = BoxF::from_corners(1.0, 1.0, 3.0, 3.0);
        assert!((a.iou(&b) - 1.0 / 7.0).abs() < 1e-6);
        assert_eq!(a.iou(&BoxF::from_corners(5.0, 5.0, 6.0, 6.0)), 0.0);
        assert_eq!(BoxF::default().iou(&BoxF::default()), 0.0);
    }

    #[test]
    fn suppression_keeps_the_best_of_each_class() {
        let a = BoxF::from_corners(0.0, 0.0, 10.0, 10.0);
        let near = BoxF::from_corners(1.0, 0.0, 11.0, 10.0);
        let boxes = [(near, 0.5, 0), (a, 0.9, 0), (near, 0.5, 1), (a, f32::NAN, 0)];
        assert_eq!(suppress(&boxes, 0.5), [1, 2]);
        assert_eq!(suppress(&boxes, 0.95), [1, 0, 2]);
    }

    #[test]
    fn whole_pixels_are_never_empty() {
        let r = BoxF::from_corners(1.4, -0.6, 1.4, 0.2).to_pixels();
        assert_eq!((r.x, r.y, r.width, r.height), (1, -1, 1, 1));
    }
}
