//! `resize/crop_resize`: boxes of pictures, which may reach outside, to a tensor.

use crate::Result;
use crate::core::{BoxRect, ColorSpec, Outside, Sampling, TensorLayout, TensorSpec};
use crate::reference::plane::FrameSlot;
use crate::reference::tensor::pack::pack;

/// As [`crate::reference::tensor::pack_nchw::pack_nchw`] with bilinear sampling of boxes that may lie outside the picture, `[N, 3, height,
/// width]` or `[N, height, width, 3]`.
///
/// Places are clamped to the first and last pixel of the box, as when the box were cut out first. Then those outside the picture are
/// clamped to it too, or, with [`Outside::Pad`], pixels whose place lies more than half a pixel outside the first and last centre of the
/// picture are `grey * mul + add`.
///
/// # Errors
/// [`crate::Error::Parameter`] if a box or the tensor is empty.
pub fn crop_resize(
    boxes: &[(FrameSlot<'_>, BoxRect)],
    color: ColorSpec,
    spec: &TensorSpec,
    (outside, layout): (Outside, TensorLayout),
) -> Result<Vec<f32>> {
    pack("resize/crop_resize", boxes, color, spec, (Sampling::Bilinear, outside, layout))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::{FrameLayout, PixelFormat, Size};

    fn gray(x: i32, width: u32, to: u32, outside: Outside) -> Vec<f32> {
        let layout = FrameLayout::of(PixelFormat::Gray8, Size::new(3, 1)).unwrap();
        let mut data = vec![0xEE; layout.slot_bytes() as usize];
        data[..3].copy_from_slice(&[51, 102, 255]);
        let rect = BoxRect { x, y: 0, width, height: 1 };
        let frame = FrameSlot::new(layout, &data).unwrap();
        let spec = TensorSpec::unit(Size::new(to, 1));
        crop_resize(&[(frame, rect)], ColorSpec::BT601, &spec, (outside, TensorLayout::Nchw)).unwrap()[..to as usize]
            .to_vec()
    }

    #[test]
    fn outside_is_the_edge_or_grey() {
        assert_eq!(gray(-2, 6, 6, Outside::Clamp), [0.2, 0.2, 0.2, 0.4, 1.0, 1.0]);
        assert_eq!(gray(-2, 6, 6, Outside::Pad(0.5)), [0.5, 0.5, 0.2, 0.4, 1.0, 0.5]);
        assert_eq!(gray(7, 2, 2, Outside::Pad(0.25)), [0.25; 2]);
        assert_eq!(gray(-9, 2, 1, Outside::Clamp), [0.2]);
        // Twice as large: places -1, -3/4, -1/4, 0 after the clamp to the box.
        assert_eq!(gray(-1, 2, 4, Outside::Pad(0.0)), [0.0, 0.0, 0.2, 0.2]);
        assert_eq!(gray(-1, 3, 6, Outside::Pad(0.0))[..4], [0.0, 0.0, 0.2, 0.25]);
    }
}
