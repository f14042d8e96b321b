//! `resize/letterbox`: pictures made to fit into others without a change of their aspect ratio.

use super::{area::area, bilinear::bilinear};
use crate::Result;
use crate::core::{Anchor, Fit, Rect, Size};
use crate::reference::plane::{Plane, unfit};

/// `src`: W x H pixels of 1, 2 or 4 channels. Gives `to.width` x `to.height` pixels of the same channels, rows without
/// padding, and the rectangle that the picture fills.
///
/// The rectangle is that of [`Fit::Letterbox`]. Inside lies [`bilinear`] of the picture, or [`area`] where `by_area` is
/// set and neither side grows; outside, every pixel has the first channels of `color`.
///
/// # Errors
/// [`crate::Error::Parameter`] for 3 channels or an empty target.
pub fn letterbox(src: &Plane<'_>, to: Size, anchor: Anchor, color: [u8; 4], by_area: bool) -> Result<(Vec<u8>, Rect)> {
    if to.is_empty() {
        return Err(unfit("resize/letterbox", "to", "at least 1x1", to));
    }
    let (from, channels) = (src.size(), src.channels() as usize);
    let rect = Fit::Letterbox { pad: 0.0, anchor }.content(from, to);
    let inner = Size::new(rect.width, rect.height);
    let shrinks = inner.width <= from.width && inner.height <= from.height;
    let resized = if by_area && shrinks { area(src, inner)? } else { bilinear(src, inner)? };
    let mut out = Vec::with_capacity(to.area() as usize * channels);
    for y in 0..to.height {
        for x in 0..to.width {
            // Left of and above the rectangle these wrap around to far outside.
            let (cx, cy) = (x.wrapping_sub(rect.x), y.wrapping_sub(rect.y));
            if cx < rect.width && cy < rect.height {
                let at = (cy * rect.width + cx) as usize * channels;
                out.extend_from_slice(&resized[at..at + channels]);
            } else {
                out.extend_from_slice(&color[..channels]);
            }
        }
    }
    Ok((out, rect))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wide_pictures_get_bars_above_and_below() {
        let four = Plane::tight(Size::new(4, 2), &[0, 10, 20, 30, 10, 20, 30, 40]).unwrap();
        let (out, rect) = letterbox(&four, Size::new(2, 3), Anchor::Center, [9, 0, 0, 0], true).unwrap();
        assert_eq!((out, rect), (vec![9, 9, 10, 30, 9, 9], Rect { x: 0, y: 1, width: 2, height: 1 }));
        let (out, rect) = letterbox(&four, Size::new(2, 3), Anchor::TopLeft, [9, 0, 0, 0], true).unwrap();
        assert_eq!((out, rect), (vec![10, 30, 9, 9, 9, 9], Rect { x: 0, y: 0, width: 2, height: 1 }));
    }

    #[test]
    fn what_grows_is_bilinear() {
        let two = Plane::interleaved(Size::new(1, 2), 4, 4, &[0, 0, 0, 255, 100, 40, 8, 255]).unwrap();
        let (out, rect) = letterbox(&two, Size::new(3, 4), Anchor::TopLeft, [1, 2, 3, 4], true).unwrap();
        assert_eq!(rect, Rect { x: 0, y: 0, width: 2, height: 4 });
        assert_eq!(out[12..24], [25, 10, 2, 255, 25, 10, 2, 255, 1, 2, 3, 4]);
        assert!(letterbox(&two, Size::new(0, 4), Anchor::Center, [0; 4], false).is_err());
    }
}
