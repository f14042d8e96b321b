//! `tensor/pack_nchw`: frames to the input tensor of a model, in one step.

use super::pack::pack_inside;
use crate::Result;
use crate::core::{ColorSpec, Rect, Sampling, TensorLayout, TensorSpec};
use crate::reference::plane::FrameSlot;

/// `frames`: a slot of any format and the rectangle of it to use, in luma pixels. Gives `[N, 3, height, width]`
/// values, 1 instead of 3 for [`crate::core::ChannelOrder::Gray`].
///
/// For each output pixel inside the content rectangle `C` ([`crate::core::Fit::content`] of the crop's size):
/// 1. Place in the source, per axis, half-pixel centres: `p = crop.x + (x - C.x + 1/2) * crop.width / C.width - 1/2`,
///    clamped to the centres of the crop's first and last pixel. `p` is a fraction of small integers; a kernel that
///    splits it in integers keeps full f32 accuracy.
/// 2. Luma (or R, G, B): bilinear at `p` from the samples around. Chroma: bilinear in its own plane at the same place,
///    `p/2` along a co-sited axis, `(p - 1/2) / 2` along a centred one, `p` without subsampling (siting: Left is
///    co-sited horizontally and centred vertically, Center is centred twice, TopLeft co-sited twice); its taps are
///    clamped to the plane, not to the crop, as the whole picture was upsampled and then cut.
///
///    Area instead ([`Sampling::Area`]): each component is the mean over what the pixel covers, samples at the edges weighted by the covered
///    share: luma pixels from `crop.x + (x - C.x) * crop.width / C.width` on, up to the same of the next pixel. A chroma sample covers
///    the two luma pixels beside its centre, so along a co-sited axis the edges `e` become `(e + 1/2) / 2`, else `e / 2`, cut off at
///    the end of the plane.
/// 3. The interpolated code values, not rounded, go through [`ColorSpec::rgb_from_yuv`] for the bits of the format and
///    are clamped to 0..=1. Grey is `v / 255` in all three channels, packed RGB `v / 255`; both ignore `color`. Alpha
///    is ignored. The one channel of [`crate::core::ChannelOrder::Gray`] is the luma alone, by [`ColorSpec::gray_from_luma`] and clamped;
///    `0.299 R + 0.587 G + 0.114 B` (BT.601) of packed RGB.
/// 4. `out[c] = rgb[c] * mul[c] + add[c]`, where `c` counts in the order of the tensor (for BGR channel 0 is blue).
///
/// Pixels outside the content rectangle get `pad * mul[c] + add[c]`. All in f64, rounded to f32 once at the end. Bilinear
/// has no low-pass: below half size pixels are skipped; take area there.
///
/// # Errors
/// [`crate::Error::Parameter`] if a rectangle is empty or leaves its frame, or the tensor is empty.
pub fn pack_nchw(
    frames: &[(FrameSlot<'_>, Rect)],
    color: ColorSpec,
    spec: &TensorSpec,
    sampling: Sampling,
) -> Result<Vec<f32>> {
    pack_inside("tensor/pack_nchw", frames, color, spec, (sampling, TensorLayout::Nchw))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::{Anchor, ChannelOrder, Fit, FrameLayout, PixelFormat, Size};
    use crate::reference::Pattern;

    fn slot(format: PixelFormat, width: u32, height: u32, planes: &[&[u8]]) -> (FrameLayout, Vec<u8>) {
        let layout = FrameLayout::of(format, Size::new(width, height)).unwrap();
        let mut data = vec![0xFF; layout.slot_bytes() as usize];
        for (plane, bytes) in layout.planes().iter().zip(planes) {
            for (y, row) in bytes.chunks_exact(plane.shape.row_bytes() as usize).enumerate() {
                let at = plane.offset as usize + y * plane.stride as usize;
                data[at..at + row.len()].copy_from_slice(row);
            }
        }
        (layout, data)
    }

    fn packed((layout, data): &(FrameLayout, Vec<u8>), crop: Rect, spec: &TensorSpec) -> Vec<f32> {
        pack_nchw(&[(FrameSlot::new(*layout, data).unwrap(), crop)], ColorSpec::BT601, spec, Sampling::Bilinear)
            .unwrap()
    }

    #[test]
    fn grey_stretched_by_hand() {
        let picture = slot(PixelFormat::Gray8, 2, 2, &[&[0, 102, 204, 51]]);
        let out = packed(&picture, Rect::full(Size::new(2, 2)), &TensorSpec::unit(Size::new(4, 1)));
        // One row in the middle: means 102 and 76.5; columns at -1/4, 1/4, 3/4, 5/4.
        let row = [0.4f32, 0.375, 0.325, 0.3];
        assert_eq!(out, [row, row, row].concat());
    }

    #[test]
    fn order_normalisation_and_letterbox_by_hand() {
        let picture = slot(PixelFormat::Rgba8, 2, 1, &[&[255, 0, 51, 9, 255, 0, 51, 8]]);
        let spec = TensorSpec {
            size: Size::new(2, 3),
            fit: Fit::Letterbox { pad: 0.5, anchor: Anchor::Center },
            order: ChannelOrder::Bgr,
            mul: [10.0, 20.0, 2.0],
            add: [1.0, 0.0, -1.0],
        };
        let out = packed(&picture, Rect::full(Size::new(2, 1)), &spec);
        let (blue, green, red) = (
            [6.0f32, 6.0, 3.0, 3.0, 6.0, 6.0],
            [10.0f32, 10.0, 0.0, 0.0, 10.0, 10.0],
            [0.0f32, 0.0, 1.0, 1.0, 0.0, 0.0],
        );
        assert_eq!(out, [blue, green, red].concat());
    }

    #[test]
    fn chroma_is_taken_where_it_lies() {
        // 4x2 at 1:1. V = 128, 240: left-sited odd columns see the mean, vertically one row.
        let picture = slot(PixelFormat::Nv12, 4, 2, &[&[60; 8], &[128, 128, 128, 240]]);
        let out = packed(&picture, Rect::full(Size::new(4, 2)), &TensorSpec::unit(Size::new(4, 2)));
        let red = |v: f64| ((60.0 - 16.0) / 219.0 + 1.402 / 224.0 * (v - 128.0)) as f32;
        let row = [red(128.0), red(184.0), red(240.0), red(240.0)];
        for (got, want) in out.iter().zip([row, row].concat()) {
            assert!((got - want).abs() < 1e-6, "{got} {want}");
        }
    }

    #[test]
    fn a_crop_clamps_luma_at_its_edge_but_chroma_at_the_picture() {
        let picture = slot(PixelFormat::I420, 4, 2, &[&[16, 16, 235, 235, 16, 16, 235, 235], &[128, 128], &[128, 240]]);
        let crop = Rect { x: 0, y: 0, width: 2, height: 2 };
        // Twice as large: luma never sees the 235 beside the crop; the last column (place 1) takes half of each chroma
        // sample.
        let out = packed(&picture, crop, &TensorSpec::unit(Size::new(4, 2)));
        let red = |v: f64| (1.402 / 224.0 * (v - 128.0)) as f32;
        for (got, want) in out.iter().zip([red(128.0), red(142.0), red(170.0), red(184.0)]) {
            assert!((got - want).abs() < 1e-6, "{got} {want}");
        }
    }

    #[test]
    fn identity_equals_the_8_bit_conversion_within_half_a_level() {
        use crate::core::ChromaUpsampling;
        use crate::reference::color::rgb_from_yuv::rgb_from_yuv;
        for format in [PixelFormat::I444, PixelFormat::P010, PixelFormat::I422, PixelFormat::I410, PixelFormat::Gray8] {
            let layout = FrameLayout::of(format, Size::new(9, 7)).unwrap();
            let data = Pattern::Random { seed: 11 }.frame(&layout);
            let slot = FrameSlot::new(layout, &data).unwrap();
            let words = rgb_from_yuv(&slot, ColorSpec::BT709, ChromaUpsampling::Bilinear).unwrap();
            let spec = TensorSpec { mul: [255.0; 3], ..TensorSpec::unit(Size::new(9, 7)) };
            let out =
                pack_nchw(&[(slot, Rect::full(Size::new(9, 7)))], ColorSpec::BT709, &spec, Sampling::Bilinear).unwrap();
            // Upsampled 8-bit chroma is rounded there and not here: up to half a code, times 2.1 levels.
            let bound = if format == PixelFormat::I422 { 1.6 } else { 0.8 };
            for (i, word) in words.iter().enumerate() {
                for c in 0..3 {
                    let (a, b) = (f32::from(word.to_le_bytes()[c]), out[c * 63 + i]);
                    assert!((a - b).abs() <= bound, "{format:?} pixel {i} channel {c}: {a} {b}");
                }
            }
        }
    }

    #[test]
    fn area_means_by_hand() {
        let area = |picture: &(FrameLayout, Vec<u8>), crop, to| {
            let frame = FrameSlot::new(picture.0, &picture.1).unwrap();
            pack_nchw(&[(frame, crop)], ColorSpec::BT601, &TensorSpec::unit(to), Sampling::Area).unwrap()
        };
        let grey = slot(PixelFormat::Gray8, 3, 2, &[&[0, 30, 255, 60, 90, 255]]);
        let full = Rect::full(Size::new(3, 2));
        // Column means 30, 60, 255: (a + b/2) / 1.5 and (b/2 + c) / 1.5.
        assert_eq!(area(&grey, full, Size::new(2, 1))[..2], [40.0f32 / 255.0, 190.0 / 255.0]);
        assert_eq!(area(&grey, Rect { width: 2, ..full }, Size::new(1, 1))[0], 45.0 / 255.0);
        // Enlarged: a pixel covers part of one sample.
        assert_eq!(area(&grey, Rect { width: 1, height: 1, ..full }, Size::new(2, 2))[..4], [0.0; 4]);
        // Left-sited chroma: luma 0..4 covers a quarter of chroma 0, which lies at -1/2..3/2, more than of the last one, cut off at 2.
        let yuv = slot(PixelFormat::I420, 4, 2, &[&[16; 8], &[128, 128], &[128, 198]]);
        let red = area(&yuv, Rect::full(Size::new(4, 2)), Size::new(1, 1))[0];
        let v = (0.75 * 128.0 + 198.0) / 1.75;
        assert!((f64::from(red) - 1.402 / 224.0 * (v - 128.0)).abs() < 1e-6, "{red}");
    }

    #[test]
    fn crops_outside_and_empty_tensors_are_refused() {
        let (layout, data) = slot(PixelFormat::Gray8, 2, 2, &[&[0; 4]]);
        let frame = FrameSlot::new(layout, &data).unwrap();
        let outside = Rect { x: 1, y: 0, width: 2, height: 1 };
        assert!(
            pack_nchw(&[(frame, outside)], ColorSpec::BT601, &TensorSpec::unit(Size::new(1, 1)), Sampling::Area)
                .is_err()
        );
        let full = Rect::full(Size::new(2, 2));
        assert!(
            pack_nchw(&[(frame, full)], ColorSpec::BT601, &TensorSpec::unit(Size::new(0, 1)), Sampling::Bilinear)
                .is_err()
        );
    }
}
