//! `resize/warp_affine`: pictures turned, scaled, sheared and moved into a tensor.

use crate::Result;
use crate::core::{Affine, ColorSpec, Outside, TensorLayout, TensorSpec};
use crate::reference::plane::FrameSlot;
use crate::reference::tensor::pack::warp;

/// As [`crate::reference::resize::crop_resize::crop_resize`], but the place of pixel `(x, y)` of the tensor is where its map leads from
/// `(x + 1/2, y + 1/2)`, less half a pixel: an exact fraction of [`Affine::steps`].
///
/// Places outside the picture are clamped to it, or, with [`Outside::Pad`], pixels whose place lies more than half a pixel outside the
/// first and last centre of the picture are `grey * mul + add`.
///
/// # Errors
/// [`crate::Error::Parameter`] for an empty tensor, a letterbox, and a map that leads too far.
pub fn warp_affine(
    boxes: &[(FrameSlot<'_>, Affine)],
    color: ColorSpec,
    spec: &TensorSpec,
    (outside, layout): (Outside, TensorLayout),
) -> Result<Vec<f32>> {
    warp("resize/warp_affine", boxes, color, spec, (outside, layout))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::{FrameLayout, PixelFormat, Size};

    fn gray(map: [[f32; 3]; 2], to: Size, outside: Outside) -> Vec<f32> {
        let layout = FrameLayout::of(PixelFormat::Gray8, Size::new(3, 2)).unwrap();
        let mut data = vec![0xEE; layout.slot_bytes() as usize];
        data[..3].copy_from_slice(&[51, 102, 255]);
        let second = layout.first().stride as usize;
        data[second..second + 3].copy_from_slice(&[0, 153, 204]);
        let frame = FrameSlot::new(layout, &data).unwrap();
        let spec = TensorSpec { order: crate::core::ChannelOrder::Gray, ..TensorSpec::unit(to) };
        warp_affine(&[(frame, Affine(map))], ColorSpec::BT601, &spec, (outside, TensorLayout::Nchw)).unwrap()
    }

    #[test]
    fn a_quarter_turn_by_hand() {
        // x = 3 - y', y = x': the tensor's first column is the picture's first row from right to left.
        let turned = gray([[0.0, -1.0, 3.0], [1.0, 0.0, 0.0]], Size::new(2, 3), Outside::Clamp);
        assert_eq!(turned, [1.0, 0.8, 0.4, 0.6, 0.2, 0.0]);
    }

    #[test]
    fn half_a_pixel_to_the_right_and_beyond() {
        let moved = [[1.0, 0.0, 0.5], [0.0, 1.0, 0.0]];
        assert_eq!(gray(moved, Size::new(3, 1), Outside::Clamp), [0.3, 0.7, 1.0]);
        // A place half a pixel outside still is the picture's; farther it is grey.
        assert_eq!(gray(moved, Size::new(4, 1), Outside::Pad(0.25)), [0.3, 0.7, 1.0, 0.25]);
        assert_eq!(gray([[1.0, 0.0, -2.0], [0.0, 1.0, 0.0]], Size::new(3, 1), Outside::Clamp), [0.2; 3]);
    }
}
