//! Rectangles drawn into frames of any format, on the host.

use super::super::plan::number_dots;
use crate::core::{ColorSpec, FrameLayout, PixelFormat, Rect, YuvCoefficients};

/// Colours that are told apart on most pictures.
pub const COLORS: [[u8; 3]; 6] =
    [[255, 214, 0], [0, 200, 255], [255, 80, 160], [80, 230, 90], [255, 140, 0], [170, 120, 255]];

/// Draws the outline of `rect`, `thickness` pixels wide, into the bytes of a frame; what lies outside of the frame is left out.
pub fn draw_outline(
    (layout, bytes): (&FrameLayout, &mut [u8]),
    color: ColorSpec,
    rect: Rect,
    thickness: u32,
    rgb: [u8; 3],
) {
    let samples = samples(layout.format, color, rgb);
    let t = thickness.max(1).min(rect.width).min(rect.height);
    let bars = [
        Rect { height: t, ..rect },
        Rect { y: rect.y + rect.height - t, height: t, ..rect },
        Rect { width: t, ..rect },
        Rect { x: rect.x + rect.width - t, width: t, ..rect },
    ];
    for bar in bars {
        fill(layout, bytes, bar, &samples);
    }
}

/// Samples of a colour: R, G, B, A, or Y, U, V as they are stored.
fn samples(format: PixelFormat, color: ColorSpec, rgb: [u8; 3]) -> [u32; 4] {
    let [r, g, b] = rgb.map(u32::from);
    if !format.has_luma() {
        return [r, g, b, 255];
    }
    let most = (1i64 << format.bits()) - 1;
    let offsets = match format {
        PixelFormat::Gray8 => [0, 0, 0],
        _ => [i64::from(color.range.luma_codes().0), 128, 128].map(|v| v << (format.bits() - 8)),
    };
    let mut out = [0; 4];
    let rows = YuvCoefficients::for_format(color, format).m;
    for ((to, row), offset) in out.iter_mut().zip(rows).zip(offsets) {
        let sum: i64 = row.iter().zip(rgb).map(|(k, v)| i64::from(*k) * i64::from(v)).sum();
        *to = (offset + ((sum + (1 << 15)) >> 16)).clamp(0, most) as u32;
    }
    out.map(|v| v << format.shift_to_value())
}

/// Draws a number from 0 on into the bytes of a frame: digits of 5x7 dots of `dot` pixels, their top left at `at`, with a dark edge so that
/// they can be read on anything.
pub fn draw_number(
    (layout, bytes): (&FrameLayout, &mut [u8]),
    color: ColorSpec,
    (number, [x, y]): (u32, [u32; 2]),
    dot: u32,
    rgb: [u8; 3],
) {
    let (dark, light) = (samples(layout.format, color, [0; 3]), samples(layout.format, color, rgb));
    let dots: Vec<[u32; 2]> = number_dots(number).collect();
    let edge = (dot / 2).max(1);
    for [column, row] in &dots {
        let (left, top) = ((x + column * dot).saturating_sub(edge), (y + row * dot).saturating_sub(edge));
        let side = dot + 2 * edge;
        fill(layout, bytes, Rect { x: left, y: top, width: side, height: side }, &dark);
    }
    for [column, row] in &dots {
        fill(layout, bytes, Rect { x: x + column * dot, y: y + row * dot, width: dot, height: dot }, &light);
    }
}

/// Makes a frame half as bright and half as colourful outside of `lit`.
pub fn dim_outside((layout, bytes): (&FrameLayout, &mut [u8]), color: ColorSpec, lit: &[Rect]) {
    let format = layout.format;
    let neutral = samples(format, color, [0; 3]);
    for (index, plane) in layout.planes().iter().enumerate() {
        let (sx, sy) = if index == 0 { (0, 0) } else { format.chroma_shift() };
        let parts = components(format, index);
        let values: Vec<u32> = parts.iter().filter_map(|c| neutral.get(*c)).copied().collect();
        let (width, per) = (plane.shape.sample_bytes as usize, values.len().max(1) as u32);
        for y in 0..plane.shape.rows {
            let row = (y << sy)..((y + 1) << sy);
            let here = |r: &&Rect| r.y < row.end && r.y + r.height > row.start;
            let spans: Vec<[u32; 2]> =
                lit.iter().filter(here).map(|r| [(r.x >> sx) * per, (r.x + r.width).div_ceil(1 << sx) * per]).collect();
            let from = plane.offset as usize + y as usize * plane.stride as usize;
            let line = bytes.get_mut(from..from + plane.shape.row_bytes() as usize).unwrap_or_default();
            for ((at, sample), zero) in (0u32..).zip(line.chunks_exact_mut(width)).zip(values.iter().cycle()) {
                // The alpha of packed pictures stays.
                let alpha = !format.has_luma() && at % 4 == 3;
                if alpha || spans.iter().any(|[a, b]| (*a..*b).contains(&at)) {
                    continue;
                }
                let v = sample.iter().rev().fold(0u32, |v, b| v << 8 | u32::from(*b));
                let shift = format.shift_to_value();
                let half = ((v + zero) / 2) >> shift << shift;
                sample.iter_mut().zip(half.to_le_bytes()).for_each(|(to, b)| *to = b);
            }
        }
    }
}

/// Which samples a place of a plane has.
fn components(format: PixelFormat, plane: usize) -> &'static [usize] {
    match (format.has_luma(), plane, format.semi_planar()) {
        (false, ..) => &[0, 1, 2, 3],
        (true, 0, _) => &[0],
        (true, _, true) => &[1, 2],
        (true, 1, false) => &[1],
        (true, ..) => &[2],
    }
}

fn fill(layout: &FrameLayout, bytes: &mut [u8], rect: Rect, samples: &[u32; 4]) {
    let format = layout.format;
    for (index, plane) in layout.planes().iter().enumerate() {
        let (sx, sy) = if index == 0 { (0, 0) } else { format.chroma_shift() };
        let components = components(format, index);
        let unit: Vec<u8> = components
            .iter()
            .filter_map(|c| samples.get(*c))
            .flat_map(|v| v.to_le_bytes().into_iter().take(plane.shape.sample_bytes as usize))
            .collect();
        let places = plane.shape.samples / components.len() as u32;
        let (x0, x1) = ((rect.x >> sx).min(places), (rect.x + rect.width).div_ceil(1 << sx).min(places));
        let (y0, y1) =
            ((rect.y >> sy).min(plane.shape.rows), (rect.y + rect.height).div_ceil(1 << sy).min(plane.shape.rows));
        for y in y0..y1 {
            let row = plane.offset as usize + y as usize * plane.stride as usize;
            let (from, to) = (row + x0 as usize * unit.len(), row + x1 as usize * unit.len());
            for place in bytes.get_mut(from..to).unwrap_or_default().chunks_exact_mut(unit.len().max(1)) {
                place.copy_from_slice(&unit);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::Size;
    use crate::reference::FrameSlot;

    #[test]
    fn what_is_not_lit_is_half_as_bright() {
        for format in PixelFormat::ALL {
            let layout = FrameLayout::of(format, Size::new(20, 12)).unwrap();
            let mut bytes = vec![0u8; layout.slot_bytes() as usize];
            let whole = Rect { x: 0, y: 0, width: 20, height: 12 };
            let white = samples(format, ColorSpec::BT709, [255; 3]);
            fill(&layout, &mut bytes, whole, &white);
            let lit = [Rect { x: 4, y: 2, width: 6, height: 4 }, Rect { x: 8, y: 4, width: 6, height: 4 }];
            dim_outside((&layout, &mut bytes), ColorSpec::BT709, &lit);
            let slot = FrameSlot::new(layout, &bytes).unwrap();
            let unit = 1 << (format.bits() - 8);
            let packed = matches!(format, PixelFormat::Rgba8 | PixelFormat::Gray8);
            let (bright, half) = if packed { (255, 127) } else { (235 * unit, (235 + 16) * unit / 2) };
            let at = |x, y| slot.sample(0, x, y);
            assert_eq!([at(4, 2), at(9, 5), at(13, 7), at(8, 4)], [bright; 4], "{format}");
            assert_eq!([at(3, 2), at(4, 6), at(14, 7), at(0, 0), at(19, 11)], [half; 5], "{format}");
            if format.has_chroma() {
                assert_eq!([slot.sample(1, 0, 0), slot.sample(2, 0, 0)], [128 * unit; 2], "{format}");
            }
            if format == PixelFormat::Rgba8 {
                assert_eq!(slot.sample(3, 0, 0), 255);
            }
        }
    }

    #[test]
    fn numbers_are_drawn() {
        let layout = FrameLayout::of(PixelFormat::Gray8, Size::new(40, 20)).unwrap();
        let mut bytes = vec![100u8; layout.slot_bytes() as usize];
        draw_number((&layout, &mut bytes), ColorSpec::BT709, (17, [4, 3]), 2, [255; 3]);
        let slot = FrameSlot::new(layout, &bytes).unwrap();
        let count =
            |v| (0..20).flat_map(|y| (0..40).map(move |x| (x, y))).filter(move |(x, y)| slot.sample(0, *x, *y) == v);
        // Dots of a 1 and a 7.
        assert_eq!((count(255).count(), slot.sample(0, 0, 0)), (4 * (10 + 11), 100));
        assert!(count(0).count() > 50);
    }

    #[test]
    fn white_is_white_in_every_format_and_inside_only() {
        for format in PixelFormat::ALL {
            let layout = FrameLayout::of(format, Size::new(20, 12)).unwrap();
            let mut bytes = vec![0u8; layout.slot_bytes() as usize];
            let rect = Rect { x: 4, y: 2, width: 30, height: 8 };
            draw_outline((&layout, &mut bytes), ColorSpec::BT709, rect, 2, [255; 3]);
            let slot = FrameSlot::new(layout, &bytes).unwrap();
            let unit = 1 << (format.bits() - 8);
            let white = if matches!(format, PixelFormat::Rgba8 | PixelFormat::Gray8) { 255 } else { 235 * unit };
            let at = |x, y| slot.sample(0, x, y);
            assert_eq!([at(4, 2), at(5, 9), at(19, 3), at(19, 8)], [white; 4], "{format}");
            assert_eq!([at(3, 2), at(6, 4), at(19, 5), at(10, 10), at(10, 1)], [0; 5], "{format}");
            if format.has_chroma() {
                let (sx, sy) = format.chroma_shift();
                assert_eq!([slot.sample(1, 4 >> sx, 2 >> sy), slot.sample(2, 4 >> sx, 2 >> sy)], [128 * unit; 2]);
                assert_eq!(slot.sample(1, 0, 0), 0, "{format}");
            }
        }
    }
}
