//! What the operations that make tensors from rectangles of pictures share.

use crate::Result;
use crate::core::{
    BoxRect, ChannelOrder, ChromaSiting, ColorSpec, Fit, Outside, PixelFormat, Sampling, Size, TensorLayout, TensorSpec,
};
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
    fn of(i: u32, to: u32, start: i32, from: u32) -> Self {
        let [i, to, from] = [i, to, from].map(i64::from);
        let num = ((2 * i + 1) * from - to).clamp(0, 2 * to * (from - 1)) + i64::from(start) * 2 * to;
        Self { num, den: 2 * to }
    }

    /// Whether it lies more than half a sample outside the first and last of `count` samples.
    fn outside(self, count: u32) -> bool {
        2 * self.num < -self.den || 2 * self.num > (2 * i64::from(count) - 1) * self.den
    }

    /// Clamped to the first and last of `count` samples.
    fn clamped(self, count: u32) -> Self {
        Self { num: self.num.clamp(0, (i64::from(count) - 1) * self.den), den: self.den }
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

/// The samples that `[a, b)`, in samples of an axis of `count`, covers, with the share that is covered of each. Cut off at the end of
/// the axis; what lies wholly behind it takes the last sample.
fn covered(a: f64, b: f64, count: u32) -> impl Iterator<Item = (u32, f64)> {
    let last = f64::from(count - 1);
    let first = a.floor().min(last);
    let cut = move |i: f64| (b.min(i + 1.0) - a.max(i)).max(0.0);
    let alone = cut(first) <= 0.0;
    let to = (b.min(f64::from(count)).ceil() - 1.0).max(first);
    (first as u32..=to as u32).map(move |i| (i, if alone { 1.0 } else { cut(f64::from(i)) }))
}

/// Mean of a component over what a pixel covers.
fn mean_over(
    frame: &FrameSlot<'_>,
    component: u32,
    [left, right]: [f64; 2],
    [top, bottom]: [f64; 2],
    size: Size,
) -> f64 {
    let (mut sum, mut weights) = (0.0, 0.0);
    for (y, wy) in covered(top, bottom, size.height) {
        for (x, wx) in covered(left, right, size.width) {
            sum += wx * wy * f64::from(frame.sample(component, x, y));
            weights += wx * wy;
        }
    }
    sum / weights
}

/// R, G, B in 0..=1 as the mean over pixels `x` and `y` of the luma grid.
fn rgb_over(frame: &FrameSlot<'_>, color: ColorSpec, x: [f64; 2], y: [f64; 2]) -> [f64; 3] {
    let (format, size) = (frame.format(), frame.size());
    if format == PixelFormat::Rgba8 {
        return [0, 1, 2].map(|c| mean_over(frame, c, x, y, size) / 255.0);
    }
    let luma = mean_over(frame, 0, x, y, size);
    if !format.has_chroma() {
        return [luma / 255.0; 3];
    }
    // A chroma sample covers the luma pixels beside its centre.
    let on_chroma = |v: [f64; 2], shift: u32, cosited: bool| match (shift, cosited) {
        (0, _) => v,
        (_, true) => v.map(|v| (v + 0.5) / 2.0),
        (_, false) => v.map(|v| v / 2.0),
    };
    let (sx, sy) = format.chroma_shift();
    let cx = on_chroma(x, sx, !matches!(color.siting, ChromaSiting::Center));
    let cy = on_chroma(y, sy, matches!(color.siting, ChromaSiting::TopLeft));
    let [u, v] = [1, 2].map(|c| mean_over(frame, c, cx, cy, format.chroma_size(size)));
    color.rgb_from_yuv(format.bits()).map(|m| (m[0] * luma + m[1] * u + m[2] * v + m[3]).clamp(0.0, 1.0))
}

/// Pixels of tensors, normalised, as the documentation of `tensor/pack_nchw` says; `outside` is what lies outside the picture.
///
/// # Errors
/// [`crate::Error::Parameter`] for empty boxes and tensors, and where only boxes inside the picture have a meaning (area).
pub fn pack(
    op: &'static str,
    frames: &[(FrameSlot<'_>, BoxRect)],
    color: ColorSpec,
    spec: &TensorSpec,
    (sampling, outside, layout): (Sampling, Outside, TensorLayout),
) -> Result<Vec<f32>> {
    if spec.size.is_empty() {
        return Err(unfit(op, "size", "at least 1x1", spec.size));
    }
    let Size { width, height } = spec.size;
    let mut out = Vec::with_capacity(frames.len() * 3 * spec.size.area() as usize);
    for (frame, crop) in frames {
        let picture = frame.size();
        if crop.width == 0 || crop.height == 0 {
            return Err(unfit(op, "crop", "at least 1x1", format!("{crop:?}")));
        }
        let content = spec.fit.content(Size::new(crop.width, crop.height), spec.size);
        let pad = match spec.fit {
            Fit::Letterbox { pad, .. } => f64::from(pad),
            Fit::Stretch => 0.0,
        };
        let pixel = |ox: u32, oy: u32| -> [f64; 3] {
            let (cx, cy) = (ox.wrapping_sub(content.x), oy.wrapping_sub(content.y));
            if cx >= content.width || cy >= content.height {
                return [pad; 3];
            }
            if sampling == Sampling::Area {
                let span = |i: u32, to: u32, start: i32, size: u32| {
                    let edge = |i: u32| f64::from(start) + f64::from(i) * f64::from(size) / f64::from(to);
                    [edge(i), edge(i + 1)]
                };
                let x = span(cx, content.width, crop.x, crop.width);
                return rgb_over(frame, color, x, span(cy, content.height, crop.y, crop.height));
            }
            let x = Position::of(cx, content.width, crop.x, crop.width);
            let y = Position::of(cy, content.height, crop.y, crop.height);
            match outside {
                Outside::Pad(grey) if x.outside(picture.width) || y.outside(picture.height) => [f64::from(grey); 3],
                _ => rgb_at(frame, color, x.clamped(picture.width), y.clamped(picture.height)),
            }
        };
        let pixels: Vec<[f64; 3]> =
            (0..height).flat_map(|y| (0..width).map(move |x| (x, y))).map(|(x, y)| pixel(x, y)).collect();
        let value = |p: &[f64; 3], c: usize| {
            let source = if spec.order == ChannelOrder::Bgr { 2 - c } else { c };
            (p[source] * f64::from(spec.mul[c]) + f64::from(spec.add[c])) as f32
        };
        match layout {
            TensorLayout::Nchw => (0..3).for_each(|c| out.extend(pixels.iter().map(|p| value(p, c)))),
            TensorLayout::Nhwc => out.extend(pixels.iter().flat_map(|p| [0, 1, 2].map(|c| value(p, c)))),
        }
    }
    Ok(out)
}

/// [`pack`] of rectangles that must lie inside their pictures.
pub(super) fn pack_inside(
    op: &'static str,
    frames: &[(FrameSlot<'_>, crate::core::Rect)],
    color: ColorSpec,
    spec: &TensorSpec,
    (sampling, layout): (Sampling, TensorLayout),
) -> Result<Vec<f32>> {
    for (frame, crop) in frames {
        if !crop.fits(frame.size()) {
            return Err(unfit(op, "crop", format!("a rectangle inside {}", frame.size()), format!("{crop:?}")));
        }
    }
    let boxes: Vec<_> = frames.iter().map(|(frame, crop)| (*frame, BoxRect::from(*crop))).collect();
    pack(op, &boxes, color, spec, (sampling, Outside::Clamp, layout))
}
