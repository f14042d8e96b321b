//! Frames on the host as a source, and what comes out of a run.

use frameloom::Result;
use frameloom::core::{ColorSpec, FrameDesc, FrameInfo, FrameLayout, PixelFormat, Rational, RowSink, Size};
use frameloom::gpu::GpuContext;
use frameloom::pipeline::{FrameSource, SourceFrame};
use frameloom::reference::Pattern;
use frameloom::workflows::chunk::process::{
    ChunkEffect, Placement, ProcessOptions, ProcessReport, ProcessedFrame, process_chunks,
};

/// Frames in the slot layout of their format.
pub struct HostFrames {
    pub desc: FrameDesc,
    pub layout: FrameLayout,
    pub frames: Vec<Vec<u8>>,
    next: usize,
}

impl HostFrames {
    /// Different pictures, noise among them.
    pub fn new(format: PixelFormat, size: Size, count: usize) -> Self {
        let layout = FrameLayout::of(format, size).unwrap();
        let pattern = |i: usize| match i % 3 {
            0 => Pattern::Natural { seed: i as u64, shift: i as u32 },
            1 => Pattern::Random { seed: i as u64 },
            _ => Pattern::Natural { seed: i as u64 + 9, shift: 5 },
        };
        let mut frames: Vec<Vec<u8>> = (0..count).map(|i| pattern(i).frame(&layout)).collect();
        if format == PixelFormat::Rgba8 {
            // Decoders give opaque pictures.
            frames.iter_mut().for_each(|f| f.iter_mut().skip(3).step_by(4).for_each(|a| *a = 255));
        }
        Self { desc: FrameDesc { format, size, color: ColorSpec::BT709 }, layout, frames, next: 0 }
    }
}

/// Time of frame `i` in milliseconds: uneven.
pub fn time(i: usize) -> i64 {
    1000 + i as i64 * 40 + (i as i64 % 3) * 7
}

impl FrameSource for HostFrames {
    fn next(&mut self, deliver: &mut dyn FnMut(&dyn SourceFrame) -> Result<()>) -> Result<bool> {
        if self.next >= self.frames.len() {
            return Ok(false);
        }
        deliver(self)?;
        self.next += 1;
        Ok(true)
    }
}

impl SourceFrame for HostFrames {
    fn desc(&self) -> FrameDesc {
        self.desc
    }

    fn info(&self) -> FrameInfo {
        FrameInfo {
            stream: 0,
            index: self.next as u64,
            pts: Some(time(self.next)),
            time_base: Rational { num: 1, den: 1000 },
            duration: 40,
            key: false,
            damaged: false,
        }
    }

    fn copy_into(&self, layout: &FrameLayout, sink: &mut dyn RowSink) -> Result<()> {
        for p in layout.planes() {
            for y in 0..p.shape.rows {
                let at = (p.offset + y * p.stride) as usize;
                sink.write(at, &self.frames[self.next][at..at + p.shape.row_bytes() as usize]);
            }
        }
        Ok(())
    }
}

/// A frame that came out.
pub struct Out {
    pub desc: FrameDesc,
    pub info: FrameInfo,
    pub layout: FrameLayout,
    pub bytes: Vec<u8>,
    pub chunks: Vec<u32>,
}

/// Runs `effect` over `frames`.
pub fn process(
    ctx: &GpuContext,
    frames: HostFrames,
    placement: &Placement,
    effect: &mut dyn ChunkEffect,
    options: &ProcessOptions,
) -> Result<(Vec<Out>, ProcessReport)> {
    let mut out = Vec::new();
    let mut keep = |f: ProcessedFrame<'_>| {
        let ProcessedFrame { desc, info, layout, bytes, chunks, .. } = f;
        out.push(Out { desc, info, layout, bytes: bytes.to_vec(), chunks: chunks.to_vec() });
        Ok(())
    };
    let mut report = process_chunks(ctx, Box::new(frames), placement, effect, options, &mut keep)?;
    std::mem::replace(&mut report.source.result, Ok(()))?;
    Ok((out, report))
}

/// Rows of a plane without padding.
pub fn tight(layout: &FrameLayout, plane: usize, slot: &[u8]) -> Vec<u8> {
    let p = layout.planes()[plane];
    let rows = slot[p.offset as usize..].chunks(p.stride as usize).take(p.shape.rows as usize);
    rows.flat_map(|row| &row[..p.shape.row_bytes() as usize]).copied().collect()
}
