//! Pictures as they are shown: quarter turns of decoded frames, plane by plane.

use crate::core::{ChromaSiting, FrameDesc, FrameLayout, PixelFormat, PlaneLayout, Rational, RowSink, Size};
use crate::error::{Error, Result};

/// Rows of the result that are made together: so many samples of a column lie side by side in the source.
const BLOCK: usize = 32;

/// A turn clockwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Turn {
    #[default]
    None,
    Right,
    Half,
    Left,
}

impl Turn {
    /// The one by `degrees` clockwise; `None` as well for what is not a multiple of 90, which no rearranging of samples gives.
    pub(crate) const fn by(degrees: i32) -> Self {
        match degrees.rem_euclid(360) {
            90 => Self::Right,
            180 => Self::Half,
            270 => Self::Left,
            _ => Self::None,
        }
    }

    const fn quarter(self) -> bool {
        matches!(self, Self::Right | Self::Left)
    }

    /// A picture of `size`, turned.
    pub(crate) const fn size(self, size: Size) -> Size {
        if self.quarter() { size.transposed() } else { size }
    }

    /// Pixels of the shape `aspect`, width to height, turned.
    pub(crate) const fn aspect(self, aspect: Rational) -> Rational {
        if self.quarter() { Rational { num: aspect.den, den: aspect.num } } else { aspect }
    }

    /// What a frame becomes. A quarter turn of 4:2:2 has the full chroma in neither direction that a format could name: it becomes 4:4:4, each
    /// sample twice.
    pub(crate) const fn format(self, format: PixelFormat) -> PixelFormat {
        match format {
            PixelFormat::I422 if self.quarter() => PixelFormat::I444,
            PixelFormat::I210 if self.quarter() => PixelFormat::I410,
            format => format,
        }
    }

    /// Format, size and colour of a turned frame. Chroma on the even columns or rows lies on others after a turn, for which there is no name:
    /// the centre is at most half a pixel beside it.
    pub(crate) const fn desc(self, desc: FrameDesc) -> FrameDesc {
        if matches!(self, Self::None) {
            return desc;
        }
        let mut color = desc.color;
        color.siting = ChromaSiting::Center;
        FrameDesc { format: self.format(desc.format), size: self.size(desc.size), color }
    }

    /// Writes the frame in `slot`, laid out as `from` says, turned, as `to` says, which is of [`Self::desc`].
    pub(crate) fn write<S: RowSink + ?Sized>(
        self,
        slot: &[u8],
        from: &FrameLayout,
        to: &FrameLayout,
        sink: &mut S,
    ) -> Result<()> {
        let doubled = from.format != to.format;
        for (index, (from_plane, to_plane)) in from.planes().iter().zip(to.planes()).enumerate() {
            // What moves together: a packed pixel, a pair of chroma samples, or one sample.
            let samples = match index {
                0 if !from.format.has_luma() => 4,
                1 if from.format.semi_planar() => 2,
                _ => 1,
            };
            let unit = samples * from_plane.shape.sample_bytes as usize;
            let double = doubled && index > 0;
            match unit {
                1 => self.plane::<1, S>(slot, from_plane, to_plane, double, sink),
                2 => self.plane::<2, S>(slot, from_plane, to_plane, double, sink),
                _ => self.plane::<4, S>(slot, from_plane, to_plane, double, sink),
            }?;
        }
        Ok(())
    }

    /// One plane, whose samples have `N` bytes; `double`: each of its columns counts twice.
    fn plane<const N: usize, S: RowSink + ?Sized>(
        self,
        slot: &[u8],
        from: &PlaneLayout,
        to: &PlaneLayout,
        double: bool,
        sink: &mut S,
    ) -> Result<()> {
        let lost = || Error::Bug("a turned sample outside of its frame".into());
        let (width, height) = (to.shape.row_bytes() as usize / N, to.shape.rows as usize);
        let mut twice = Vec::new();
        let mut rows = rows::<N>(slot, from).ok_or_else(lost)?;
        if double {
            twice.extend(rows.iter().flat_map(|row| row.iter().flat_map(|s| [*s; 2]).take(height)));
            rows = twice.chunks_exact(height.max(1)).collect();
        }
        let mut put = |y: usize, row: &[[u8; N]]| {
            sink.write(to.offset as usize + y * to.stride as usize, row.as_flattened());
        };
        if !self.quarter() {
            for (y, row) in rows.iter().enumerate() {
                match self {
                    Self::Half => put(height.saturating_sub(1 + y), &row.iter().rev().copied().collect::<Vec<_>>()),
                    _ => put(y, row),
                }
            }
            return Ok(());
        }
        let mut block = vec![[0u8; N]; width * BLOCK.min(height)];
        for top in (0..height).step_by(BLOCK) {
            let tall = BLOCK.min(height - top);
            let made = block.get_mut(..width * tall).ok_or_else(lost)?;
            for x in 0..width {
                let column = made.iter_mut().skip(x).step_by(width);
                if self == Self::Right {
                    let row = rows.get(width - 1 - x).and_then(|row| row.get(top..top + tall)).ok_or_else(lost)?;
                    column.zip(row).for_each(|(to, from)| *to = *from);
                } else {
                    let end = height - top;
                    let row = rows.get(x).and_then(|row| row.get(end - tall..end)).ok_or_else(lost)?;
                    column.zip(row.iter().rev()).for_each(|(to, from)| *to = *from);
                }
            }
            for (dy, row) in made.chunks_exact(width).enumerate() {
                put(top + dy, row);
            }
        }
        Ok(())
    }
}

fn rows<'a, const N: usize>(slot: &'a [u8], plane: &PlaneLayout) -> Option<Vec<&'a [[u8; N]]>> {
    let bytes = plane.shape.row_bytes() as usize;
    let row = |y: u32| {
        let at = plane.offset as usize + y as usize * plane.stride as usize;
        slot.get(at..at + bytes).map(|row| row.as_chunks::<N>().0)
    };
    (0..plane.shape.rows).map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::ColorSpec;

    fn turned(format: PixelFormat, size: Size, degrees: i32, slot: &[u8]) -> (FrameLayout, Vec<u8>) {
        let turn = Turn::by(degrees);
        let from = FrameLayout::of(format, size).unwrap();
        let to = FrameLayout::of(turn.format(format), turn.size(size)).unwrap();
        let mut out = vec![0u8; to.slot_bytes() as usize];
        turn.write(slot, &from, &to, &mut out[..]).unwrap();
        (to, out)
    }

    /// Samples of all planes, row by row, without padding.
    fn samples(layout: &FrameLayout, slot: &[u8]) -> Vec<Vec<u8>> {
        let plane = |p: &PlaneLayout| {
            let row = |y: u32| {
                let at = (p.offset + y * p.stride) as usize;
                &slot[at..at + p.shape.row_bytes() as usize]
            };
            (0..p.shape.rows).flat_map(row).copied().collect()
        };
        layout.planes().iter().map(plane).collect()
    }

    #[test]
    fn the_left_column_becomes_the_top_row_from_the_bottom_up() {
        let size = Size::new(3, 2);
        for (format, unit) in [(PixelFormat::Gray8, 1), (PixelFormat::Rgba8, 4)] {
            let from = FrameLayout::of(format, size).unwrap();
            let mut slot = vec![0; from.slot_bytes() as usize];
            for y in 0..2usize {
                for x in 0..3usize {
                    let at = y * from.first().stride as usize + x * unit;
                    slot[at..at + unit].fill((y * 3 + x) as u8);
                }
            }
            for (degrees, want) in [
                (90, [3, 0, 4, 1, 5, 2]),
                (180, [5, 4, 3, 2, 1, 0]),
                (270, [2, 5, 1, 4, 0, 3]),
                (45, [0, 1, 2, 3, 4, 5]),
            ] {
                let (to, out) = turned(format, size, degrees, &slot);
                let want: Vec<u8> = want.into_iter().flat_map(|v| vec![v; unit]).collect();
                assert_eq!(samples(&to, &out), [want], "{format} {degrees}");
            }
        }
    }

    /// Four quarter turns, or two halves, give every plane of every format back, at sizes that no block divides.
    #[test]
    fn turns_add_up_to_nothing() {
        let color = ColorSpec::BT601;
        for format in PixelFormat::ALL {
            for size in [Size::new(75, 42), Size::new(1, 33), Size::new(64, 1)] {
                let layout = FrameLayout::of(format, size).unwrap();
                let bytes = crate::reference::pattern::lcg_bytes(7, layout.slot_bytes() as usize);
                let want = samples(&layout, &bytes);
                let (_, half) = turned(format, size, 180, &bytes);
                assert_eq!(samples(&layout, &turned(format, size, -180, &half).1), want, "{format} {size}");
                if matches!(format, PixelFormat::I422 | PixelFormat::I210) {
                    continue;
                }
                let (mut now, mut slot) = (layout, bytes);
                for _ in 0..4 {
                    (now, slot) = turned(format, now.size, 90, &slot);
                    assert_eq!(
                        Turn::Right.desc(FrameDesc { format, size: now.size, color }).size,
                        now.size.transposed()
                    );
                }
                assert_eq!(samples(&now, &slot), want, "{format} {size}");
                let (quarter, slot) = turned(format, size, 90, &samples_slot(&layout, &want));
                let (_, back) = turned(format, quarter.size, 270, &slot);
                assert_eq!(samples(&layout, &back), want, "{format} {size}");
            }
        }
    }

    fn samples_slot(layout: &FrameLayout, planes: &[Vec<u8>]) -> Vec<u8> {
        let mut slot = vec![0; layout.slot_bytes() as usize];
        for (p, bytes) in layout.planes().iter().zip(planes) {
            for (y, row) in bytes.chunks_exact(p.shape.row_bytes() as usize).enumerate() {
                let at = p.offset as usize + y * p.stride as usize;
                slot[at..at + row.len()].copy_from_slice(row);
            }
        }
        slot
    }

    #[test]
    fn a_quarter_turn_of_422_has_each_chroma_sample_twice() {
        let size = Size::new(4, 2);
        let from = FrameLayout::of(PixelFormat::I422, size).unwrap();
        let slot = samples_slot(&from, &[vec![1, 2, 3, 4, 5, 6, 7, 8], vec![10, 11, 12, 13], vec![20, 21, 22, 23]]);
        let (to, out) = turned(PixelFormat::I422, size, 90, &slot);
        assert_eq!((to.format, to.size), (PixelFormat::I444, Size::new(2, 4)));
        let want =
            [vec![5, 1, 6, 2, 7, 3, 8, 4], vec![12, 10, 12, 10, 13, 11, 13, 11], vec![22, 20, 22, 20, 23, 21, 23, 21]];
        assert_eq!(samples(&to, &out), want);
    }
}
