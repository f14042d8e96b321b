//! `fused/describe_image`: pictures of any size and format to descriptors.

use crate::Result;
use crate::core::{
    ChromaSiting, ColorSpec, DescriptorMethod, DescriptorSizes, DescriptorSpec, DescriptorStyle, HogParams,
    PixelFormat, Rect, RgbCoefficients, Size, projection_matrix,
};
use crate::reference::color::gray_from_rgb::gray_of;
use crate::reference::color::rgb_from_yuv::rgb_of;
use crate::reference::colors::Colors;
use crate::reference::edges::canny::canny;
use crate::reference::histogram::edge_grid::{cell_edges, edge_grid};
use crate::reference::histogram::gradient_texture::gradient_texture;
use crate::reference::histogram::hsv3d::hsv3d;
use crate::reference::histogram::rgb_grid::rgb_grid;
use crate::reference::hog::hog::hog;
use crate::reference::plane::{FrameSlot, Plane};
use std::sync::{Mutex, PoisonError};

/// Thresholds of Canny.
const CANNY: (u16, u16) = (50, 150);

/// The samples along an axis that pixel `x` of `to` covers, with integer weights, where the `to` pixels share out `size` pixels from
/// `start` on. With `half` the samples lie two pixels apart, on the first of the two (`Some(true)`) or between them, and stand for the
/// two pixels around them. Behind the last of `count` samples, that one counts once more.
pub fn part_weights(
    x: u32,
    (start, size): (u32, u32),
    to: u32,
    count: u32,
    half: Option<bool>,
) -> impl Iterator<Item = (u32, u64)> {
    // In quarters of 1 / `to` of a pixel; a sample on a pixel reaches half a pixel less far to the right.
    let (size, to) = (u64::from(size), u64::from(to));
    let shift = if half == Some(true) { 2 * to } else { 0 };
    let begin = 4 * (u64::from(start) * to + u64::from(x) * size) + shift;
    let (end, one) = (begin + 4 * size, 4 * to * if half.is_some() { 2 } else { 1 });
    (begin / one..end.div_ceil(one)).map(move |i| {
        let weight = ((i + 1) * one).min(end) - (i * one).max(begin);
        (i.min(u64::from(count) - 1) as u32, weight)
    })
}

/// The picture that is compared: the part `crop` of `frame`, R, G, B of `to.width` x `to.height` pixels, row by row.
///
/// Each component's 8 most significant bits are averaged over what a pixel covers ([`part_weights`] across and down, the quotient of
/// integers rounded, halves up), chroma at its own resolution and sited as `color` says; YUV is converted afterwards ([`rgb_of`] with the
/// coefficients of 8 bits). A pixel that covers less than a sample takes it as it is.
pub fn comparison_picture(frame: &FrameSlot<'_>, color: ColorSpec, crop: Rect, to: Size) -> Result<Colors> {
    let format = frame.format();
    let drop = format.bits() - 8;
    let component = |c: u32, x: u32, y: u32| {
        let ((sx, sy), planes) = if c > 0 && format.has_luma() {
            (format.chroma_shift(), format.chroma_size(frame.size()))
        } else {
            ((0, 0), frame.size())
        };
        let across = (sx > 0).then_some(color.siting != ChromaSiting::Center);
        let down = (sy > 0).then_some(color.siting == ChromaSiting::TopLeft);
        let (mut sum, mut total) = (0, 0);
        for (j, wy) in part_weights(y, (crop.y, crop.height), to.height, planes.height, down) {
            for (i, wx) in part_weights(x, (crop.x, crop.width), to.width, planes.width, across) {
                sum += wx * wy * u64::from(frame.sample(c, i, j) >> drop);
                total += wx * wy;
            }
        }
        ((sum + total / 2) / total) as u32
    };
    let coefficients = RgbCoefficients::for_format(color, if format.has_chroma() { PixelFormat::I444 } else { format });
    let pixel = |x: u32, y: u32| match format {
        PixelFormat::Rgba8 => [0, 1, 2].map(|c| component(c, x, y) as u8),
        f if f.has_chroma() => rgb_of([0, 1, 2].map(|c| component(c, x, y)), &coefficients),
        _ => rgb_of([component(0, x, y), 128, 128], &coefficients),
    };
    Colors::new(to, (0..to.height).flat_map(|y| (0..to.width).map(move |x| (x, y))).map(|(x, y)| pixel(x, y)).collect())
}

/// Edge pixels of the cells by orientation, eight numbers a cell, cells row by row: the angle of the gradient (Sobel 3x3, border
/// replicated) rounded to a multiple of 22.5 degrees, opposite ones the same. Cells are `floor(W / across)` x `floor(H / down)` pixels.
pub fn orientations(gray: &Plane<'_>, cells: Size) -> Result<Vec<u32>> {
    let size = gray.size();
    let edges = canny(gray, CANNY.0, CANNY.1)?;
    let at = |x: i64, y: i64| {
        let inside = |v: i64, n: u32| v.clamp(0, i64::from(n) - 1) as u32;
        i64::from(gray.at(inside(x, size.width), inside(y, size.height), 0))
    };
    let (width, height) = (size.width / cells.width, size.height / cells.height);
    let mut counts = vec![0; 8 * cells.area() as usize];
    for (x, y) in gray.pixels().filter(|(x, y)| *x < width * cells.width && *y < height * cells.height) {
        if edges[(y * size.width + x) as usize] == 0 {
            continue;
        }
        let cell = (y / height * cells.width + x / width) as usize;
        let (x, y) = (i64::from(x), i64::from(y));
        let line =
            |dx: i64, dy: i64| at(x - dy + dx, y - dx + dy) + 2 * at(x + dx, y + dy) + at(x + dy + dx, y + dx + dy);
        counts[8 * cell + orientation(line(1, 0) - line(-1, 0), line(0, 1) - line(0, -1))] += 1;
    }
    Ok(counts)
}

/// Which multiple of 22.5 degrees is nearest to the angle of a gradient, 0 to 7.
pub fn orientation(gx: i64, gy: i64) -> usize {
    let steps = (f64::from(gy as i32).atan2(f64::from(gx as i32)) / std::f64::consts::PI * 8.0).round();
    (steps as i64).rem_euclid(8) as usize
}

/// Seed, inputs, rows.
type KeptMatrix = ((u32, usize), Vec<f32>);

/// Colours of 4x4 cells, shares of 512 bins each, times the matrix of `seed`.
pub fn projected_colors(picture: &Colors, seed: u32) -> Result<Vec<f64>> {
    let grid = DescriptorSpec::COLOR_GRID;
    let counts = rgb_grid(picture, grid)?;
    let pixels = f64::from(picture.size().width / grid) * f64::from(picture.size().height / grid);
    let inputs = counts.len();
    let key = (seed, inputs);
    // Two million random numbers: made once.
    static LAST: Mutex<Option<KeptMatrix>> = Mutex::new(None);
    let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
    if last.as_ref().is_none_or(|(k, _)| *k != key) {
        *last = Some((key, projection_matrix(seed, DescriptorSpec::PROJECTED, inputs as u32)));
    }
    let matrix = last.as_ref().map(|(_, m)| m.as_slice()).unwrap_or_default();
    let dot = |row: &[f32]| row.iter().zip(&counts).map(|(r, c)| f64::from(*r) * f64::from(*c)).sum::<f64>() / pixels;
    Ok(matrix.chunks_exact(inputs).map(dot).collect())
}

/// The edge, texture and colour part of a comparison picture, before any weight; empty where there is none, or it is reserved.
pub fn parts(picture: &Colors, spec: &DescriptorSpec) -> Result<[Vec<f64>; 3]> {
    let size = picture.size();
    let gray: Vec<u8> = picture.pixels().iter().map(|rgb| gray_of(*rgb)).collect();
    let gray = Plane::tight(size, &gray)?;
    let parity = spec.style == DescriptorStyle::Parity;
    let numbers = |counts: Vec<u32>| counts.into_iter().map(f64::from).collect::<Vec<_>>();
    let bins = spec.layout()?.edge.end as usize;
    let edge = match (spec.method, spec.orientation_cells()) {
        (DescriptorMethod::SpatialColor { seed }, _) => {
            return Ok([projected_colors(picture, seed)?, Vec::new(), Vec::new()]);
        }
        (DescriptorMethod::Hog, _) => hog(&gray, HogParams::square(DescriptorSpec::HOG_CELL))?,
        (DescriptorMethod::SpatialPyramid { grid }, _) if parity => {
            cell_edges(&gray, grid, CANNY.0, CANNY.1)?.histograms(bins / (grid * grid) as usize)
        }
        (DescriptorMethod::Canny, _) if parity => {
            edge_grid(&Plane::tight(size, &canny(&gray, CANNY.0, CANNY.1)?)?, 1)?.histograms(bins)
        }
        (_, Some(cells)) => numbers(orientations(&gray, cells)?),
        _ => Vec::new(),
    };
    let texture = numbers(gradient_texture(&gray, spec.sizes.texture())?.counts);
    let side = match spec.sizes {
        DescriptorSizes::Reduced => 6,
        DescriptorSizes::Legacy => 8,
    };
    Ok([edge, texture, numbers(hsv3d(picture, [side; 3])?)])
}

/// A row from its parts. Default: each part of length 1, times the root of its share of the weights; parity: the edge part as it is, texture
/// divided by its sum, colour of length 1, each times its share. Then all of them to length 1, or less by the share of a reserved part, whose
/// numbers are zero. Parts of zeros stay zero.
pub fn row([edge, texture, color]: [Vec<f64>; 3], spec: &DescriptorSpec) -> Result<Vec<f64>> {
    let layout = spec.layout()?;
    let shares = spec.shares()?;
    let length = |v: &[f64]| v.iter().map(|v| v * v).sum::<f64>().sqrt();
    let scaled = |v: &[f64], by: f64| v.iter().map(|v| v * by).collect::<Vec<_>>();
    let unit = |v: &[f64]| scaled(v, if length(v) > 0.0 { 1.0 / length(v) } else { 0.0 });
    let parts = match spec.style {
        DescriptorStyle::Default => [unit(&edge), unit(&texture), unit(&color)],
        DescriptorStyle::Parity if texture.is_empty() => [unit(&edge), texture, color],
        DescriptorStyle::Parity => [edge, scaled(&texture, 1.0 / texture.iter().sum::<f64>()), unit(&color)],
    };
    let root = |share: f64| if spec.style == DescriptorStyle::Default { share.sqrt() } else { share };
    let all: Vec<f64> = parts.iter().zip(shares).flat_map(|(part, share)| scaled(part, root(share))).collect();
    let whole = if layout.reserved { (1.0 - shares[0]).sqrt() } else { 1.0 };
    let mut out = if layout.reserved { vec![0.0; layout.edge.end as usize] } else { Vec::new() };
    out.extend(scaled(&unit(&all), whole));
    Ok(out)
}

/// The descriptor of `frame`: [`comparison_picture`] of its crop, [`parts`], [`row`].
///
/// # Errors
/// [`crate::Error::Parameter`] for what [`DescriptorSpec::layout`] refuses.
pub fn describe_image(frame: &FrameSlot<'_>, color: ColorSpec, spec: &DescriptorSpec) -> Result<Vec<f64>> {
    spec.layout()?;
    let picture = comparison_picture(frame, color, spec.aspect.crop(frame.size()), spec.size())?;
    row(parts(&picture, spec)?, spec)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::{DescriptorWeights, FrameLayout};

    #[test]
    fn weights_of_parts_and_chroma_by_hand() {
        let of = |x, part, to, count, half| part_weights(x, part, to, count, half).collect::<Vec<_>>();
        // Samples 2 to 4 of ten in two: in quarters of half pixels.
        assert_eq!(of(0, (2, 3), 2, 10, None), [(2, 8), (3, 4)]);
        assert_eq!(of(1, (2, 3), 2, 10, None), [(3, 4), (4, 8)]);
        // Four pixels to two, two samples of chroma: one each, or a quarter of the next, of which there is none behind the last.
        assert_eq!(of(0, (0, 4), 2, 2, Some(false)), [(0, 16)]);
        assert_eq!(of(0, (0, 4), 2, 2, Some(true)), [(0, 12), (1, 4)]);
        assert_eq!(of(1, (0, 4), 2, 2, Some(true)), [(1, 12), (1, 4)]);
        // Enlarged: pixels repeat.
        assert_eq!(of(2, (0, 1), 4, 1, None), [(0, 4)]);
    }

    #[test]
    fn orientations_by_hand() {
        let around = [(5, 0), (5, 2), (5, 5), (2, 5), (0, 5), (-2, 5), (-5, 5), (-5, 2)];
        assert_eq!(around.map(|(x, y)| orientation(x, y)), [0, 1, 2, 3, 4, 5, 6, 7]);
        assert_eq!(around.map(|(x, y)| orientation(-x, -y)), [0, 1, 2, 3, 4, 5, 6, 7]);
        // The border between 0 and 1 is at 11.25 degrees: a tangent of 0.1989.
        assert_eq!((orientation(1000, 198), orientation(1000, 199), orientation(1000, -198)), (0, 1, 0));
        // A step down the middle of 8x8 pixels: one column of edges, gradients to the right.
        let data: Vec<u8> = (0..64).map(|i| if i % 8 < 4 { 0 } else { 200 }).collect();
        let counts = orientations(&Plane::tight(Size::new(8, 8), &data).unwrap(), Size::new(2, 2)).unwrap();
        let found: Vec<(usize, u32)> = counts.into_iter().enumerate().filter(|(_, n)| *n > 0).collect();
        assert_eq!(found, [(0, 4), (16, 4)]);
    }

    /// The tangents of the kernel file every gradient of 8-bit samples as its angle does.
    #[test]
    fn integer_tangents_agree_with_angles() {
        for gx in -1020i64..=1020 {
            for gy in (-1020i64..=1020).filter(|gy| (gx, *gy) != (0, 0)) {
                let steps =
                    [104_287, 350_318, 784_652, 2_635_774].iter().filter(|t| gy.abs() << 19 > **t * gx.abs()).count();
                let got = if (gx ^ gy) < 0 { (8 - steps) % 8 } else { steps };
                assert_eq!(got, orientation(gx, gy), "{gx} {gy}");
            }
        }
    }

    #[test]
    fn rows_by_hand() {
        let weights = DescriptorWeights { edge: 1.0, texture: 1.0, color: 2.0 };
        let spec = DescriptorSpec { weights, ..DescriptorSpec::new(DescriptorMethod::Canny) };
        let near = |a: Vec<f64>, b: &[f64]| a.len() == b.len() && a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-12);
        let parts = || [vec![3.0, 4.0], vec![2.0, 0.0], vec![0.0, 5.0]];
        assert!(near(row(parts(), &spec).unwrap(), &[0.3, 0.4, 0.5, 0.0, 0.0, f64::sqrt(0.5)]));
        // No edges: the others share out the length.
        let flat = row([vec![0.0; 2], vec![2.0, 0.0], vec![0.0, 5.0]], &spec).unwrap();
        assert!(near(flat, &[0.0, 0.0, f64::sqrt(1.0 / 3.0), 0.0, 0.0, f64::sqrt(2.0 / 3.0)]));
        let parity = DescriptorSpec { style: DescriptorStyle::Parity, ..spec };
        let whole = (25.0 + 1.0 + 4.0f64).sqrt();
        assert!(near(row(parts(), &parity).unwrap(), &[3.0, 4.0, 1.0, 0.0, 0.0, 2.0].map(|v| v / whole)));
        let reserved = DescriptorSpec { method: DescriptorMethod::Reserved { len: 4 }, ..spec };
        let rest = row([vec![], vec![2.0, 0.0], vec![0.0, 5.0]], &reserved).unwrap();
        assert!(near(rest, &[0.0, 0.0, 0.0, 0.0, 0.5, 0.0, 0.0, f64::sqrt(0.5)]));
    }

    /// Where nothing is cut off or enlarged, packed pixels are averaged as by `resize/area`, and planes of full size, too.
    #[test]
    fn whole_pictures_shrink_as_by_area() {
        let (size, to) = (Size::new(33, 20), Size::new(16, 9));
        for format in [PixelFormat::Rgba8, PixelFormat::I444, PixelFormat::Gray8] {
            let layout = FrameLayout::of(format, size).unwrap();
            let slot = crate::reference::Pattern::Random { seed: 3 }.frame(&layout);
            let frame = FrameSlot::new(layout, &slot).unwrap();
            let got = comparison_picture(&frame, ColorSpec::BT601, Rect::full(size), to).unwrap();
            let channels = if format == PixelFormat::Rgba8 { 4 } else { 1 };
            let small: Vec<Vec<u8>> = layout
                .planes()
                .iter()
                .map(|p| {
                    let bytes = &slot[p.offset as usize..];
                    let plane = Plane::interleaved(size, channels, p.stride as usize, bytes).unwrap();
                    crate::reference::resize::area::area(&plane, to).unwrap()
                })
                .collect();
            let coefficients = RgbCoefficients::for_format(ColorSpec::BT601, format);
            for (i, pixel) in got.pixels().iter().enumerate() {
                let want = match format {
                    PixelFormat::Rgba8 => [0, 1, 2].map(|c| small[0][4 * i + c]),
                    PixelFormat::Gray8 => [small[0][i]; 3],
                    _ => rgb_of([0, 1, 2].map(|c| u32::from(small[c][i])), &coefficients),
                };
                assert_eq!(*pixel, want, "{format} {i}");
            }
        }
    }

    #[test]
    fn one_grey_pixel_fills_the_comparison_picture() {
        let layout = FrameLayout::of(PixelFormat::Gray8, Size::new(1, 1)).unwrap();
        let slot = vec![77; layout.slot_bytes() as usize];
        let frame = FrameSlot::new(layout, &slot).unwrap();
        let crop = Rect::full(Size::new(1, 1));
        let got = comparison_picture(&frame, ColorSpec::BT709, crop, Size::new(16, 9)).unwrap();
        assert!(got.pixels().iter().all(|p| *p == [77; 3]));
    }
}
