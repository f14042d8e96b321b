//! `tensor/pack_nhwc`: frames to the input tensor of a model, the channels of a pixel together.

use super::pack::pack_inside;
use crate::Result;
use crate::core::{ColorSpec, Rect, Sampling, TensorLayout, TensorSpec};
use crate::reference::plane::FrameSlot;

/// As [`super::pack_nchw::pack_nchw`], but `[N, height, width, 3]`: channel `c` of pixel `(x, y)` of element `n` is number
/// `((n * height + y) * width + x) * 3 + c`.
///
/// # Errors
/// As there.
pub fn pack_nhwc(
    frames: &[(FrameSlot<'_>, Rect)],
    color: ColorSpec,
    spec: &TensorSpec,
    sampling: Sampling,
) -> Result<Vec<f32>> {
    pack_inside("tensor/pack_nhwc", frames, color, spec, (sampling, TensorLayout::Nhwc))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::{FrameLayout, PixelFormat, Size};
    use crate::reference::Pattern;
    use crate::reference::tensor::pack_nchw::pack_nchw;

    #[test]
    fn the_numbers_of_nchw_in_another_order() {
        let layout = FrameLayout::of(PixelFormat::Nv12, Size::new(11, 7)).unwrap();
        let data = Pattern::Random { seed: 4 }.frame(&layout);
        let frames = [(FrameSlot::new(layout, &data).unwrap(), Rect::full(layout.size)); 2];
        let spec = TensorSpec::unit(Size::new(5, 3)).with_mean_std([0.1, 0.2, 0.3], [1.0, 2.0, 3.0]);
        for sampling in [Sampling::Bilinear, Sampling::Area] {
            let planes = pack_nchw(&frames, ColorSpec::BT709, &spec, sampling).unwrap();
            let pixels = pack_nhwc(&frames, ColorSpec::BT709, &spec, sampling).unwrap();
            assert_eq!(pixels.len(), 2 * 45);
            for (i, v) in pixels.iter().enumerate() {
                let (n, pixel, c) = (i / 45, i / 3 % 15, i % 3);
                assert_eq!(*v, planes[n * 45 + c * 15 + pixel]);
            }
        }
    }
}
