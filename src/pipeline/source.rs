//! Where frames come from.

use crate::core::{ColorSpec, FrameDesc, FrameInfo, FrameLayout, PixelFormat, Rational, RowSink, Size};
use crate::error::{Error, Result};

/// A frame that a source holds ready.
pub trait SourceFrame {
    /// Format, size and colour; may differ from the frame before.
    fn desc(&self) -> FrameDesc;

    /// Place and time in its stream.
    fn info(&self) -> FrameInfo;

    /// Writes all planes into a slot of `layout`, row by row.
    fn copy_into(&self, layout: &FrameLayout, sink: &mut dyn RowSink) -> Result<()>;
}

/// A stream of frames. Implemented by decoders, picture folders, synthetic sources and hosts with frames of their own.
pub trait FrameSource: Send {
    /// Hands the next frame to `deliver`, which must be called exactly once before `Ok(true)`; `Ok(false)` at the end of the stream.
    ///
    /// A damaged frame is not an error: it is a frame with [`FrameInfo::damaged`] set. An error ends the stream; errors of `deliver`
    /// are passed on.
    fn next(&mut self, deliver: &mut dyn FnMut(&dyn SourceFrame) -> Result<()>) -> Result<bool>;
}

/// A source that makes its frames: a bright square wanders over a gradient. For tests, examples and benchmarks.
#[derive(Debug, Clone)]
pub struct SyntheticSource {
    desc: FrameDesc,
    stream: u32,
    frames: u64,
    next: u64,
}

impl SyntheticSource {
    /// `frames` frames of `format` and `size` at 25 frames/s.
    pub fn new(stream: u32, format: PixelFormat, size: Size, frames: u64) -> Self {
        let color = ColorSpec::assumed_for_height(size.height);
        Self { desc: FrameDesc { format, size, color }, stream, frames, next: 0 }
    }

    fn sample(&self, plane: usize, x: u32, y: u32) -> u8 {
        let t = self.next as u32;
        let size = self.desc.size;
        let side = (size.width.min(size.height) / 4).max(1);
        let (left, top) = ((t * 5) % size.width, (t * 3) % size.height);
        let (shift_x, shift_y) = if plane == 0 { (0, 0) } else { self.desc.format.chroma_shift() };
        let inside = (x << shift_x).wrapping_sub(left) < side && (y << shift_y).wrapping_sub(top) < side;
        match (plane, inside) {
            (0, true) => 220,
            (0, false) => (16 + (x + y) % 180) as u8,
            (_, true) => 90,
            (_, false) => 128,
        }
    }
}

impl FrameSource for SyntheticSource {
    fn next(&mut self, deliver: &mut dyn FnMut(&dyn SourceFrame) -> Result<()>) -> Result<bool> {
        if self.next >= self.frames {
            return Ok(false);
        }
        deliver(self)?;
        self.next += 1;
        Ok(true)
    }
}

impl SourceFrame for SyntheticSource {
    fn desc(&self) -> FrameDesc {
        self.desc
    }

    fn info(&self) -> FrameInfo {
        FrameInfo {
            stream: self.stream,
            index: self.next,
            pts: Some(self.next as i64),
            time_base: Rational { num: 1, den: 25 },
            duration: 1,
            key: self.next.is_multiple_of(12),
            damaged: false,
        }
    }

    fn copy_into(&self, layout: &FrameLayout, sink: &mut dyn RowSink) -> Result<()> {
        if sink.capacity() < layout.slot_bytes() as usize {
            return Err(Error::Bug(format!("{} bytes for a slot of {}", sink.capacity(), layout.slot_bytes())));
        }
        let wide = layout.format.sample_bytes() == 2;
        let scale = layout.format.shift_to_8bit();
        for (index, plane) in layout.planes().iter().enumerate() {
            for y in 0..plane.shape.rows {
                let row: Vec<u8> = (0..plane.shape.samples)
                    .flat_map(|x| {
                        let v = u16::from(self.sample(index, x, y)) << scale;
                        let [low, high] = v.to_le_bytes();
                        [low, high].into_iter().take(if wide { 2 } else { 1 })
                    })
                    .collect();
                sink.write(plane.offset as usize + y as usize * plane.stride as usize, &row);
            }
        }
        Ok(())
    }
}
