//! What the operations that make tensors from rectangles of pictures share.

use crate::Result;
use crate::core::{
    Affine, BoxRect, ChannelOrder, ChromaSiting, ColorSpec, Fit, Outside, PixelFormat, Sampling, Size, TensorLayout,
    TensorSpec,
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

/// R, G, B in 0..=1 (or three times grey) from the components of a pixel, which `luma` and `chroma` give by number.
fn channels(
    format: PixelFormat,
    (color, order): (ColorSpec, ChannelOrder),
    luma: impl Fn(u32) -> f64,
    chroma: impl Fn(u32) -> f64,
) -> [f64; 3] {
    let gray = order == ChannelOrder::Gray;
    match format {
        PixelFormat::Rgba8 => {
            let [r, g, b] = [0, 1, 2].map(|c| luma(c) / 255.0);
            if gray { [0.299 * r + 0.587 * g + 0.114 * b; 3] } else { [r, g, b] }
        }
        _ if !format.has_chroma() => [luma(0) / 255.0; 3],
        _ if gray => {
            let [factor, summand] = color.gray_from_luma(format.bits());
            [(factor * luma(0) + summand).clamp(0.0, 1.0); 3]
        }
        _ => {
            let (y, [u, v]) = (luma(0), [1, 2].map(chroma));
            color.rgb_from_yuv(format.bits()).map(|m| (m[0] * y + m[1] * u + m[2] * v + m[3]).clamp(0.0, 1.0))
        }
    }
}

/// The channels at a place of the luma grid.
fn channels_at(frame: &FrameSlot<'_>, color: (ColorSpec, ChannelOrder), x: Position, y: Position) -> [f64; 3] {
    let (format, size, siting) = (frame.format(), frame.size(), color.0.siting);
    let (sx, sy) = format.chroma_shift();
    let on_chroma = || {
        let size = format.chroma_size(size);
        let cx = x.on_chroma(sx, !matches!(siting, ChromaSiting::Center));
        (cx, y.on_chroma(sy, matches!(siting, ChromaSiting::TopLeft)), (size.width, size.height))
    };
    let luma = |c| interpolated(frame, c, x, y, (size.width, size.height));
    let chroma = |c| {
        let (cx, cy, size) = on_chroma();
        interpolated(frame, c, cx, cy, size)
    };
    channels(format, color, luma, chroma)
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

/// The channels as the mean over pixels `x` and `y` of the luma grid.
fn channels_over(frame: &FrameSlot<'_>, color: (ColorSpec, ChannelOrder), x: [f64; 2], y: [f64; 2]) -> [f64; 3] {
    let (format, size, siting) = (frame.format(), frame.size(), color.0.siting);
    // A chroma sample covers the luma pixels beside its centre.
    let on_chroma = |v: [f64; 2], shift: u32, cosited: bool| match (shift, cosited) {
        (0, _) => v,
        (_, true) => v.map(|v| (v + 0.5) / 2.0),
        (_, false) => v.map(|v| v / 2.0),
    };
    let (sx, sy) = format.chroma_shift();
    let chroma = |c| {
        let cx = on_chroma(x, sx, !matches!(siting, ChromaSiting::Center));
        let cy = on_chroma(y, sy, matches!(siting, ChromaSiting::TopLeft));
        mean_over(frame, c, cx, cy, format.chroma_size(size))
    };
    channels(format, color, |c| mean_over(frame, c, x, y, size), chroma)
}

/// Appends a tensor of pixels, normalised.
fn fill(out: &mut Vec<f32>, spec: &TensorSpec, layout: TensorLayout, pixel: impl Fn(u32, u32) -> [f64; 3]) {
    let Size { width, height } = spec.size;
    let pixels: Vec<[f64; 3]> =
        (0..height).flat_map(|y| (0..width).map(move |x| (x, y))).map(|(x, y)| pixel(x, y)).collect();
    let value = |p: &[f64; 3], c: usize| {
        let source = if spec.order == ChannelOrder::Bgr { 2 - c } else { c };
        (p[source] * f64::from(spec.mul[c]) + f64::from(spec.add[c])) as f32
    };
    let channels = spec.order.channels() as usize;
    match layout {
        TensorLayout::Nchw => (0..channels).for_each(|c| out.extend(pixels.iter().map(|p| value(p, c)))),
        TensorLayout::Nhwc => out.extend(pixels.iter().flat_map(|p| (0..channels).map(|c| value(p, c)))),
    }
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
    let color = (color, spec.order);
    let mut out = Vec::with_capacity(frames.len() * spec.order.channels() as usize * spec.size.area() as usize);
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
                return channels_over(frame, color, x, span(cy, content.height, crop.y, crop.height));
            }
            let x = Position::of(cx, content.width, crop.x, crop.width);
            let y = Position::of(cy, content.height, crop.y, crop.height);
            match outside {
                Outside::Pad(grey) if x.outside(picture.width) || y.outside(picture.height) => [f64::from(grey); 3],
                _ => channels_at(frame, color, x.clamped(picture.width), y.clamped(picture.height)),
            }
        };
        fill(&mut out, spec, layout, pixel);
    }
    Ok(out)
}

/// Pixels of tensors where maps lead, as the documentation of `resize/warp_affine` says.
///
/// # Errors
/// [`crate::Error::Parameter`] for an empty tensor, a letterbox, and a map that leads too far.
pub(in crate::reference) fn warp(
    op: &'static str,
    frames: &[(FrameSlot<'_>, Affine)],
    color: ColorSpec,
    spec: &TensorSpec,
    (outside, layout): (Outside, TensorLayout),
) -> Result<Vec<f32>> {
    if spec.size.is_empty() || spec.fit != Fit::Stretch {
        return Err(unfit(op, "spec", "at least 1x1, stretched", format!("{spec:?}")));
    }
    let mut out = Vec::with_capacity(frames.len() * spec.order.channels() as usize * spec.size.area() as usize);
    for (frame, map) in frames {
        let picture = frame.size();
        let Some(steps) = map.steps(spec.size) else {
            return Err(unfit(op, "to_picture", "a map that leads to places nearby", format!("{map:?}")));
        };
        let pixel = |i: u32, j: u32| -> [f64; 3] {
            let [x, y] = steps.map(|row| {
                let [a, b, c] = row.map(i64::from);
                Position { num: a * i64::from(i) + b * i64::from(j) + c, den: i64::from(Affine::PARTS) }
            });
            match outside {
                Outside::Pad(grey) if x.outside(picture.width) || y.outside(picture.height) => [f64::from(grey); 3],
                _ => {
                    let (x, y) = (x.clamped(picture.width), y.clamped(picture.height));
                    channels_at(frame, (color, spec.order), x, y)
                }
            }
        };
        fill(&mut out, spec, layout, pixel);
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
