//! Videos that are turned for display: their frames are turned on the way to the device, so that they are compared as they are seen.

use crate::core::{FrameDesc, FrameInfo, FrameLayout, PlaneLayout, RowSink};
use crate::error::{Error, Result};
use crate::pipeline::{FrameSource, SourceFrame};
use crate::workflows::video::turned_size;

/// Frames of `inner`, turned clockwise by `degrees`: 90, 180 or 270.
pub(super) struct TurnedSource {
    pub(super) inner: Box<dyn FrameSource>,
    pub(super) degrees: i32,
}

impl FrameSource for TurnedSource {
    fn next(&mut self, deliver: &mut dyn FnMut(&dyn SourceFrame) -> Result<()>) -> Result<bool> {
        let degrees = self.degrees;
        self.inner.next(&mut |frame| deliver(&Turned { frame, degrees }))
    }
}

struct Turned<'a> {
    frame: &'a dyn SourceFrame,
    degrees: i32,
}

impl SourceFrame for Turned<'_> {
    fn desc(&self) -> FrameDesc {
        let desc = self.frame.desc();
        FrameDesc { size: turned_size(desc.size, self.degrees), ..desc }
    }

    fn info(&self) -> FrameInfo {
        self.frame.info()
    }

    fn copy_into(&self, layout: &FrameLayout, sink: &mut dyn RowSink) -> Result<()> {
        let desc = self.frame.desc();
        let (sx, sy) = desc.format.chroma_shift();
        if sx != sy && self.degrees.rem_euclid(180) != 0 {
            return Err(Error::Usage {
                message: format!("frames of {} cannot be turned by {} degrees", desc.format, self.degrees),
                hint: Some("write the video upright first: `ffmpeg -i INPUT -c:a copy upright.mp4`".into()),
            });
        }
        let from =
            FrameLayout::of(desc.format, desc.size).ok_or_else(|| Error::Bug("a frame without a layout".into()))?;
        let mut slot = vec![0; from.slot_bytes() as usize];
        self.frame.copy_into(&from, &mut slot)?;
        for (index, (from, to)) in from.planes().iter().zip(layout.planes()).enumerate() {
            // Bytes that move together: a packed pixel, a pair of chroma samples, or one sample.
            let samples = match index {
                0 if !desc.format.has_luma() => 4,
                1 if desc.format.semi_planar() => 2,
                _ => 1,
            };
            turn(&slot, from, to, (samples * from.shape.sample_bytes) as usize, self.degrees, sink)?;
        }
        Ok(())
    }
}

fn turn(
    slot: &[u8],
    from: &PlaneLayout,
    to: &PlaneLayout,
    unit: usize,
    degrees: i32,
    sink: &mut dyn RowSink,
) -> Result<()> {
    let wide = |p: &PlaneLayout| p.shape.row_bytes() as usize / unit.max(1);
    let (w, h) = (wide(from), from.shape.rows as usize);
    let mut row = vec![0; wide(to) * unit];
    for y in 0..to.shape.rows as usize {
        for (x, out) in row.chunks_exact_mut(unit).enumerate() {
            let (sx, sy) = match degrees.rem_euclid(360) {
                90 => (y, h.wrapping_sub(1 + x)),
                180 => (w.wrapping_sub(1 + x), h.wrapping_sub(1 + y)),
                270 => (w.wrapping_sub(1 + y), x),
                _ => (x, y),
            };
            let at = (from.offset as usize).wrapping_add(sy.wrapping_mul(from.stride as usize)).wrapping_add(sx * unit);
            let pixel = slot.get(at..at.wrapping_add(unit));
            out.copy_from_slice(pixel.ok_or_else(|| Error::Bug("a turned pixel outside of its frame".into()))?);
        }
        sink.write(to.offset as usize + y * to.stride as usize, &row);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::{PixelFormat, Size};

    #[test]
    fn frames_are_turned_plane_by_plane() {
        // 3 x 2 pixels, turned clockwise: the left column becomes the top row, from the bottom up.
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
            for (degrees, want) in
                [(90, vec![3, 0, 4, 1, 5, 2]), (180, vec![5, 4, 3, 2, 1, 0]), (270, vec![2, 5, 1, 4, 0, 3])]
            {
                let to = FrameLayout::of(format, turned_size(size, degrees)).unwrap();
                let mut out = vec![0u8; to.slot_bytes() as usize];
                turn(&slot, from.first(), to.first(), unit, degrees, &mut out).unwrap();
                let width = to.size.width as usize;
                let got: Vec<u8> =
                    (0..6).map(|i| out[i / width * to.first().stride as usize + i % width * unit]).collect();
                assert_eq!(got, want, "{format} {degrees}");
            }
        }
    }
}
