//! Pictures for benchmarks: made once, uploaded, rotated over.

use frameloom::Result;
use frameloom::core::{FrameLayout, PixelFormat};
use frameloom::ops::GpuFrames;
use frameloom::ops::bench::Bench;
use frameloom::reference::{FrameSlot, Pattern};

/// Like a photograph; all pixels equal, the worst case for atomics; noise, the worst case for caches of tables.
pub const CONTENTS: [&str; 3] = ["natural", "flat", "random"];

/// Frame `i` of a content.
pub fn pattern(content: &str, i: u32) -> Pattern {
    match content {
        "flat" => Pattern::Constant { level: 128 },
        "random" => Pattern::Random { seed: u64::from(i) },
        _ => Pattern::Natural { seed: u64::from(i), shift: 5 * i },
    }
}

/// Frames on the device, and their bytes on the host.
#[derive(Debug)]
pub struct Input {
    /// Layout of one frame.
    pub layout: FrameLayout,
    /// Batches, one behind the other, after `before` frames.
    pub frames: GpuFrames,
    /// Number of batches.
    pub sets: u32,
    host: Vec<Vec<u8>>,
}

impl Input {
    /// `before` frames and then as many batches as the cache of the adapter asks for.
    pub fn new(bench: &Bench<'_>, format: PixelFormat, content: &str, batch: u32, before: u32) -> Result<Self> {
        let frames = GpuFrames::new(bench.ctx(), "bench", format, bench.size(), 1)?;
        let layout = *frames.layout();
        let sets = bench.rotation(u64::from(layout.slot_bytes()) * u64::from(batch));
        // Four different frames in turn are enough: neighbours differ.
        let host: Vec<Vec<u8>> = (0..4).map(|i| pattern(content, i).frame(&layout)).collect();
        let refs: Vec<&[u8]> = host.iter().map(Vec::as_slice).cycle().take((before + sets * batch) as usize).collect();
        let frames = GpuFrames::from_host(bench.ctx(), "bench", layout, &refs)?;
        Ok(Self { layout, frames, sets, host })
    }

    /// Bytes of the frame in `slot`.
    pub fn bytes(&self, slot: u32) -> &[u8] {
        self.host.get(slot as usize % self.host.len()).map(Vec::as_slice).unwrap_or_default()
    }

    /// 8-bit luma of the frame in `slot`.
    pub fn luma(&self, slot: u32) -> Result<Vec<u8>> {
        Ok(FrameSlot::new(self.layout, self.bytes(slot))?.luma8().unwrap_or_default())
    }

    /// `nv12 1920x1080`.
    pub fn name(&self) -> String {
        format!("{} {}", self.layout.format, self.layout.size)
    }
}
