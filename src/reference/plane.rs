//! Pictures as the reference sees them, and the sampling rules that several operations share.

use crate::core::{ChromaSiting, ChromaUpsampling, FrameLayout, PixelFormat, Size};
use crate::{Error, Result};

/// The error for an input that does not fit `op`.
pub(crate) fn unfit(
    op: &'static str,
    name: &'static str,
    wanted: impl Into<String>,
    given: impl std::fmt::Display,
) -> Error {
    Error::Parameter { op, name, wanted: wanted.into(), given: given.to_string() }
}

/// 8-bit samples, one to four interleaved channels, rows `stride` bytes apart. Padding is never looked at.
#[derive(Debug, Clone, Copy)]
pub struct Plane<'a> {
    size: Size,
    channels: u32,
    stride: usize,
    data: &'a [u8],
}

impl<'a> Plane<'a> {
    /// A plane of one channel.
    ///
    /// # Errors
    /// [`Error::Parameter`] if a side is zero, a row does not fit into `stride` bytes, or `data` ends before the last
    /// sample.
    pub fn new(size: Size, stride: usize, data: &'a [u8]) -> Result<Self> {
        Self::interleaved(size, 1, stride, data)
    }

    /// A plane whose pixels are `channels` (1 to 4) neighbouring bytes; `size` is in pixels, `stride` in bytes.
    ///
    /// # Errors
    /// As [`Plane::new`], and for a number of channels out of range.
    pub fn interleaved(size: Size, channels: u32, stride: usize, data: &'a [u8]) -> Result<Self> {
        const OP: &str = "reference/plane";
        if size.is_empty() || !(1..=4).contains(&channels) {
            return Err(unfit(OP, "size", "at least 1x1 with 1 to 4 channels", format!("{size} with {channels}")));
        }
        let row = size.width as usize * channels as usize;
        let needed = stride.checked_mul(size.height as usize - 1).and_then(|v| v.checked_add(row));
        if stride < row || needed.is_none_or(|n| data.len() < n) {
            let given = format!("stride {stride}, {} bytes", data.len());
            return Err(unfit(OP, "data", format!("{} rows of {row} bytes", size.height), given));
        }
        Ok(Self { size, channels, stride, data })
    }

    /// A plane of one channel without padding.
    ///
    /// # Errors
    /// As [`Plane::new`].
    pub fn tight(size: Size, data: &'a [u8]) -> Result<Self> {
        Self::new(size, size.width as usize, data)
    }

    /// Size in pixels.
    pub const fn size(&self) -> Size {
        self.size
    }

    /// Bytes per pixel.
    pub const fn channels(&self) -> u32 {
        self.channels
    }

    /// Channel `c` of pixel `(x, y)`, which must lie inside.
    pub fn at(&self, x: u32, y: u32, c: u32) -> u8 {
        debug_assert!(x < self.size.width && y < self.size.height && c < self.channels);
        self.data[y as usize * self.stride + (x * self.channels + c) as usize]
    }

    /// First channel of the pixel at `(x, y)`, where coordinates outside are mirrored without repeating the edge
    /// (reflect-101).
    pub fn at_reflect101(&self, x: i64, y: i64) -> u8 {
        self.at(reflect101(x, self.size.width), reflect101(y, self.size.height), 0)
    }

    /// All pixel coordinates, row by row.
    pub fn pixels(&self) -> impl Iterator<Item = (u32, u32)> + use<> {
        let Size { width, height } = self.size;
        (0..height).flat_map(move |y| (0..width).map(move |x| (x, y)))
    }

    /// The plane itself if it has `channels` channels.
    pub(crate) fn expect_channels(&self, op: &'static str, channels: u32) -> Result<()> {
        if self.channels == channels {
            return Ok(());
        }
        Err(unfit(op, "input", format!("{channels} channel(s)"), self.channels))
    }
}

/// Index inside `0..n` for `i`, mirrored at the edges without repeating them: `dcb|abcd|cba`. For `n == 1` always 0.
pub fn reflect101(i: i64, n: u32) -> u32 {
    let last = i64::from(n) - 1;
    if last <= 0 {
        return 0;
    }
    let m = i.rem_euclid(2 * last);
    m.min(2 * last - m) as u32
}

/// One frame of any format in the slot layout of [`FrameLayout`]; padding is never looked at.
#[derive(Debug, Clone, Copy)]
pub struct FrameSlot<'a> {
    layout: FrameLayout,
    data: &'a [u8],
}

impl<'a> FrameSlot<'a> {
    /// The frame at the start of `data`, which must hold a whole slot.
    ///
    /// # Errors
    /// [`Error::Parameter`] if `data` is shorter than [`FrameLayout::slot_bytes`].
    pub fn new(layout: FrameLayout, data: &'a [u8]) -> Result<Self> {
        if data.len() < layout.slot_bytes() as usize {
            let wanted = format!("at least {} bytes", layout.slot_bytes());
            return Err(unfit("reference/frame_slot", "data", wanted, data.len()));
        }
        Ok(Self { layout, data })
    }

    /// Layout of the slot.
    pub const fn layout(&self) -> &FrameLayout {
        &self.layout
    }

    /// Size in pixels.
    pub const fn size(&self) -> Size {
        self.layout.size
    }

    /// Pixel format.
    pub const fn format(&self) -> PixelFormat {
        self.layout.format
    }

    /// Sample of a component at its own resolution, with the full 8 or 10 bits: components 0, 1, 2 are Y, U, V, or 0
    /// to 3 are R, G, B, A of packed RGB. P010 words are shifted right by 6; of low-aligned 10-bit words the bits
    /// above the tenth are ignored. Where U and V lie is not the caller's concern.
    pub fn sample(&self, component: u32, x: u32, y: u32) -> u32 {
        let format = self.layout.format;
        let (plane, index) = match (format, component) {
            (PixelFormat::Rgba8, c) => (0, x * 4 + c),
            (_, 0) => (0, x),
            (f, c) if f.semi_planar() => (1, x * 2 + c - 1),
            (_, c) => (c as usize, x),
        };
        let p = self.layout.planes()[plane];
        debug_assert!(index < p.shape.samples && y < p.shape.rows);
        let at = (p.offset + y * p.stride + index * p.shape.sample_bytes) as usize;
        if p.shape.sample_bytes == 1 {
            u32::from(self.data[at])
        } else {
            let word = u32::from(u16::from_le_bytes([self.data[at], self.data[at + 1]]));
            (word >> format.shift_to_value()) & ((1 << format.bits()) - 1)
        }
    }

    /// The 8 most significant bits of all luma samples, row by row without padding; `None` for RGB.
    pub fn luma8(&self) -> Option<Vec<u8>> {
        let Size { width, height } = self.size();
        let drop = self.format().bits() - 8;
        self.format()
            .has_luma()
            .then(|| (0..height).flat_map(|y| (0..width).map(move |x| (self.sample(0, x, y) >> drop) as u8)).collect())
    }

    /// U and V at luma position `(x, y)`, at full sample precision: see [`chroma_taps`] for the bilinear weights,
    /// applied as `(sum of 16ths + 8) >> 4`. Formats without chroma give the neutral code.
    pub fn chroma(&self, x: u32, y: u32, siting: ChromaSiting, upsampling: ChromaUpsampling) -> [u32; 2] {
        let format = self.format();
        if !format.has_chroma() {
            return [1 << (format.bits() - 1); 2];
        }
        let (sx, sy) = format.chroma_shift();
        let count = format.chroma_size(self.size());
        [1, 2].map(|component| match upsampling {
            ChromaUpsampling::Nearest => self.sample(component, x >> sx, y >> sy),
            ChromaUpsampling::Bilinear => {
                let across = chroma_taps(x, sx, !matches!(siting, ChromaSiting::Center), count.width);
                let down = chroma_taps(y, sy, matches!(siting, ChromaSiting::TopLeft), count.height);
                let mut sum = 8;
                for (row, row_weight) in down {
                    for (column, weight) in across {
                        sum += self.sample(component, column, row) * weight * row_weight;
                    }
                }
                sum >> 4
            }
        })
    }
}

/// The two chroma samples around luma position `i` along one axis, with weights in quarters.
///
/// `shift` is 0 or 1 (subsampling by two). A co-sited sample `k` lies on luma position `2k`: even positions take
/// sample `i/2` alone, odd ones `(i-1)/2` and the next in equal parts. A centred sample lies at `2k + 1/2`: even
/// positions take 3/4 of sample `i/2` and 1/4 of the one before, odd ones 3/4 of `(i-1)/2` and 1/4 of the next.
/// Indices are clamped to `0..count`.
pub fn chroma_taps(i: u32, shift: u32, cosited: bool, count: u32) -> [(u32, u32); 2] {
    if shift == 0 {
        return [(i, 4), (i, 0)];
    }
    let k = i >> 1;
    let (before, after) = (k.saturating_sub(1), (k + 1).min(count - 1));
    match (cosited, i & 1) {
        (true, 0) => [(k, 4), (k, 0)],
        (true, _) => [(k, 2), (after, 2)],
        (false, 0) => [(before, 1), (k, 3)],
        (false, _) => [(k, 3), (after, 1)],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reflection_does_not_repeat_the_edge() {
        let row = |n| (-3..=6).map(move |i| reflect101(i, n)).collect::<Vec<_>>();
        assert_eq!(row(4), [3, 2, 1, 0, 1, 2, 3, 2, 1, 0]);
        assert_eq!(row(2), [1, 0, 1, 0, 1, 0, 1, 0, 1, 0]);
        assert_eq!(row(1), [0; 10]);
    }

    #[test]
    fn short_data_and_empty_sizes_are_refused() {
        assert!(Plane::new(Size::new(3, 2), 4, &[0; 7]).is_ok());
        assert!(Plane::new(Size::new(3, 2), 4, &[0; 6]).is_err());
        assert!(Plane::new(Size::new(3, 2), 2, &[0; 60]).is_err());
        assert!(Plane::new(Size::new(0, 2), 4, &[0; 60]).is_err());
        assert!(Plane::new(Size::new(1, 2), usize::MAX, &[0; 60]).is_err());
        let layout = FrameLayout::of(PixelFormat::Nv12, Size::new(2, 2)).unwrap();
        assert!(FrameSlot::new(layout, &[0; 511]).is_err());
    }

    #[test]
    fn samples_are_found_in_every_layout() {
        // 2x2 pictures: luma rows 16 bytes apart, planes 256 bytes apart.
        let mut data = vec![0xEE; 768];
        data[16] = 7;
        data[256..258].copy_from_slice(&[40, 50]);
        let slot = |format| FrameSlot::new(FrameLayout::of(format, Size::new(2, 2)).unwrap(), &data).unwrap();
        let nv12 = slot(PixelFormat::Nv12);
        assert_eq!((nv12.sample(0, 0, 1), nv12.sample(1, 0, 0), nv12.sample(2, 0, 0)), (7, 40, 50));
        assert_eq!((slot(PixelFormat::I420).sample(1, 0, 0), slot(PixelFormat::I420).sample(2, 0, 0)), (40, 0xEE));
        data[0..4].copy_from_slice(&[0xC0, 0xFF, 0xFF, 0x03]);
        let slot = |format| FrameSlot::new(FrameLayout::of(format, Size::new(2, 2)).unwrap(), &data).unwrap();
        assert_eq!(slot(PixelFormat::P010).sample(0, 0, 0), 1023);
        assert_eq!(slot(PixelFormat::I010).sample(0, 1, 0), 1023);
        assert_eq!(slot(PixelFormat::Rgba8).sample(3, 0, 0), 3);
        assert_eq!(slot(PixelFormat::I010).luma8().unwrap()[1], 255);
        assert_eq!(slot(PixelFormat::Rgba8).luma8(), None);
    }

    #[test]
    fn chroma_lies_where_the_siting_says() {
        // 4x4 luma, chroma U = [0 100; 200 40], V = U + 1, as 4:2:0.
        let layout = FrameLayout::of(PixelFormat::I420, Size::new(4, 4)).unwrap();
        let mut data = vec![0xFF; layout.slot_bytes() as usize];
        for (plane, add) in [(1, 0), (2, 1)] {
            let p = layout.planes()[plane];
            for (at, v) in [(0, 0), (1, 100), (p.stride, 200), (p.stride + 1, 40)] {
                data[(p.offset + at) as usize] = v + add;
            }
        }
        let slot = FrameSlot::new(layout, &data).unwrap();
        let u = |x, y, siting| slot.chroma(x, y, siting, ChromaUpsampling::Bilinear)[0];
        let row = |y, siting| [0, 1, 2, 3].map(|x| u(x, y, siting));
        assert_eq!(row(0, ChromaSiting::TopLeft), [0, 50, 100, 100]);
        assert_eq!(row(1, ChromaSiting::TopLeft), [100, 85, 70, 70]);
        // Left: rows lie at 1/4 and 3/4; row 1 is 3/4 of chroma row 0 and 1/4 of row 1.
        assert_eq!(row(0, ChromaSiting::Left), [0, 50, 100, 100]);
        assert_eq!(row(1, ChromaSiting::Left), [50, 68, 85, 85]); // 67.5 up to 68
        // Centre: columns 1/4, 3/4 as well: 25, 75 in row 0; row 1: (3*25 + 160)/4 and (3*75 + 80)/4.
        assert_eq!(row(0, ChromaSiting::Center), [0, 25, 75, 100]);
        assert_eq!(row(1, ChromaSiting::Center), [50, 59, 76, 85]); // 58.75, 76.25
        assert_eq!(slot.chroma(3, 1, ChromaSiting::Left, ChromaUpsampling::Nearest), [100, 101]);
    }
}
