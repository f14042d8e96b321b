//! `tensor/pack_nchw`: frames to the input tensor of a model, in one step.

use crate::Result;
use crate::core::{ChannelOrder, ChromaSiting, ColorSpec, Fit, PixelFormat, Rect, Size, TensorSpec};
use crate::reference::plane::{FrameSlot, unfit};

/// A position along one axis as an exact fraction `num / den`, `den > 0`, in samples: sample `i` has its centre at `i`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Position {
    num: i64,
    den: i64,
}

impl Position {
    /// Where destination `i` of `to` lies in a source of `from` samples that begins at `start`: `start + (i + 1/2) *
    /// from / to - 1/2`, clamped to `start ..= start + from - 1`.
    fn of(i: u32, to: u32, start: u32, from: u32) -> Self {
        let [i, to, start, from] = [i, to, start, from].map(i64::from);
        let num = ((2 * i + 1) * from - to).clamp(0, 2 * to * (from - 1)) + start * 2 * to;
        Self { num, den: 2 * to }
    }

    /// The same place on a chroma axis: unchanged without subsampling, `p / 2` co-sited, `(p - 1/2) / 2` centred.
    fn on_chroma(self, shift: u32, cosited: bool) -> Self {
        match (shift, cosited) {
            (0, _) => self,
            (_, true) => Self { num: self.num, den: 2 * self.den },
            // den is even, so half of it is exact
            (_, false) => Self { num: self.num - self.den / 2, den: 2 * self.den },
        }
    }

    /// The two taps, clamped to `0..count`, and the weight of the second.
    fn taps(self, count: u32) -> ([u32; 2], f64) {
        let first = self.num.div_euclid(self.den);
        let weight = self.num.rem_euclid(self.den) as f64 / self.den as f64;
        ([first, first + 1].map(|i| i.clamp(0, i64::from(count) - 1) as u32), weight)
    }
}

/// Bilinear sample of a component whose axes have `(width, height)` samples.
fn interpolated(frame: &FrameSlot<'_>, component: u32, x: Position, y: Position, (width, height): (u32, u32)) -> f64 {
    let (columns, fx) = x.taps(width);
    let (rows, fy) = y.taps(height);
    let [top, bottom] = rows.map(|row| {
        let [a, b] = columns.map(|column| f64::from(frame.sample(component, column, row)));
        a * (1.0 - fx) + b * fx
    });
    top * (1.0 - fy) + bottom * fy
}

/// R, G, B in 0..=1 at a place of the luma grid.
fn rgb_at(frame: &FrameSlot<'_>, color: ColorSpec, x: Position, y: Position) -> [f64; 3] {
    let (format, size) = (frame.format(), frame.size());
    let luma_grid = (size.width, size.height);
    if format == PixelFormat::Rgba8 {
        return [0, 1, 2].map(|c| interpolated(frame, c, x, y, luma_grid) / 255.0);
    }
    let luma = interpolated(frame, 0, x, y, luma_grid);
    if !format.has_chroma() {
        return [luma / 255.0; 3];
    }
    let (sx, sy) = format.chroma_shift();
    let chroma = format.chroma_size(size);
    let cx = x.on_chroma(sx, !matches!(color.siting, ChromaSiting::Center));
    let cy = y.on_chroma(sy, matches!(color.siting, ChromaSiting::TopLeft));
    let [u, v] = [1, 2].map(|c| interpolated(frame, c, cx, cy, (chroma.width, chroma.height)));
    color.rgb_from_yuv(format.bits()).map(|m| (m[0] * luma + m[1] * u + m[2] * v + m[3]).clamp(0.0, 1.0))
}

/// `frames`: a slot of any format and the rectangle of it to use, in luma pixels. Gives `[N, 3, height, width]`
/// values.
///
/// For each output pixel inside the content rectangle `C` ([`Fit::content`] of the crop's size):
/// 1. Place in the source, per axis, half-pixel centres: `p = crop.x + (x - C.x + 1/2) * crop.width / C.width - 1/2`,
///    clamped to the centres of the crop's first and last pixel. `p` is a fraction of small integers; a kernel that
///    splits it in integers keeps full f32 accuracy.
/// 2. Luma (or R, G, B): bilinear at `p` from the samples around. Chroma: bilinear in its own plane at the same place,
///    `p/2` along a co-sited axis, `(p - 1/2) / 2` along a centred one, `p` without subsampling (siting: Left is
///    co-sited horizontally and centred vertically, Center is centred twice, TopLeft co-sited twice); its taps are
///    clamped to the plane, not to the crop, as the whole picture was upsampled and then cut.
/// 3. The interpolated code values, not rounded, go through [`ColorSpec::rgb_from_yuv`] for the bits of the format and
///    are clamped to 0..=1. Grey is `v / 255` in all three channels, packed RGB `v / 255`; both ignore `color`. Alpha
///    is ignored.
/// 4. `out[c] = rgb[c] * mul[c] + add[c]`, where `c` counts in the order of the tensor (for BGR channel 0 is blue).
///
/// Pixels outside the content rectangle get `pad * mul[c] + add[c]`. All in f64, rounded to f32 once at the end. There
/// is no low-pass: below half size pixels are skipped, so shrink with `resize/area` first where that matters.
///
/// # Errors
/// [`crate::Error::Parameter`] if a rectangle is empty or leaves its frame, or the tensor is empty.
pub fn pack_nchw(frames: &[(FrameSlot<'_>, Rect)], color: ColorSpec, spec: &TensorSpec) -> Result<Vec<f32>> {
    const OP: &str = "tensor/pack_nchw";
    if spec.size.is_empty() {
        return Err(unfit(OP, "size", "at least 1x1", spec.size));
    }
    let mut out = Vec::with_capacity(frames.len() * 3 * spec.size.area() as usize);
    for (frame, crop) in frames {
        if !crop.fits(frame.size()) {
            return Err(unfit(OP, "crop", format!("a rectangle inside {}", frame.size()), format!("{crop:?}")));
        }
        let content = spec.fit.content(Size::new(crop.width, crop.height), spec.size);
        let pad = match spec.fit {
            Fit::Letterbox { pad, .. } => f64::from(pad),
            Fit::Stretch => 0.0,
        };
        for c in 0..3 {
            let source = if spec.order == ChannelOrder::Bgr { 2 - c } else { c };
            let (mul, add) = (f64::from(spec.mul[c]), f64::from(spec.add[c]));
            for oy in 0..spec.size.height {
                for ox in 0..spec.size.width {
                    let (cx, cy) = (ox.wrapping_sub(content.x), oy.wrapping_sub(content.y));
                    let value = if cx < content.width && cy < content.height {
                        let x = Position::of(cx, content.width, crop.x, crop.width);
                        let y = Position::of(cy, content.height, crop.y, crop.height);
                        rgb_at(frame, color, x, y)[source]
                    } else {
                        pad
                    };
                    out.push((value * mul + add) as f32);
                }
            }
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::{Anchor, FrameLayout};
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
        pack_nchw(&[(FrameSlot::new(*layout, data).unwrap(), crop)], ColorSpec::BT601, spec).unwrap()
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
            let out = pack_nchw(&[(slot, Rect::full(Size::new(9, 7)))], ColorSpec::BT709, &spec).unwrap();
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
    fn crops_outside_and_empty_tensors_are_refused() {
        let (layout, data) = slot(PixelFormat::Gray8, 2, 2, &[&[0; 4]]);
        let frame = FrameSlot::new(layout, &data).unwrap();
        let outside = Rect { x: 1, y: 0, width: 2, height: 1 };
        assert!(pack_nchw(&[(frame, outside)], ColorSpec::BT601, &TensorSpec::unit(Size::new(1, 1))).is_err());
        let full = Rect::full(Size::new(2, 2));
        assert!(pack_nchw(&[(frame, full)], ColorSpec::BT601, &TensorSpec::unit(Size::new(0, 1))).is_err());
    }
}
