//! Rectangles drawn into frames of any format, on the host.

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

fn fill(layout: &FrameLayout, bytes: &mut [u8], rect: Rect, samples: &[u32; 4]) {
    let format = layout.format;
    for (index, plane) in layout.planes().iter().enumerate() {
        let (sx, sy) = if index == 0 { (0, 0) } else { format.chroma_shift() };
        // Which samples a place of this plane has.
        let components: &[usize] = match (format.has_luma(), index, format.semi_planar()) {
            (false, ..) => &[0, 1, 2, 3],
            (true, 0, _) => &[0],
            (true, _, true) => &[1, 2],
            (true, 1, false) => &[1],
            (true, ..) => &[2],
        };
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
