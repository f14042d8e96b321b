//! Batches of frames in GPU memory.

use crate::core::{FrameLayout, PixelFormat, Size};
use crate::error::{Error, Result};
use crate::gpu::{BufferUse, GpuBuffer, GpuContext};

/// Equally laid out frames, one behind the other, in one GPU buffer.
#[derive(Debug, Clone)]
pub struct GpuFrames {
    buffer: GpuBuffer,
    layout: FrameLayout,
    slots: u32,
}

impl GpuFrames {
    /// Room for `slots` frames of `format` and `size`; contents undefined.
    pub fn new(ctx: &GpuContext, label: &str, format: PixelFormat, size: Size, slots: u32) -> Result<Self> {
        let layout = FrameLayout::of(format, size).ok_or_else(|| Error::Parameter {
            op: "frames",
            name: "size",
            wanted: "both sides at least 1 and a frame below 2 GiB".into(),
            given: size.to_string(),
        })?;
        let bytes = u64::from(layout.slot_bytes()) * u64::from(slots);
        Ok(Self { buffer: GpuBuffer::new(ctx, label, bytes, BufferUse::Storage)?, layout, slots })
    }

    /// Frames that lie in `buffer` already, for instance in a slot of an upload ring.
    pub fn in_buffer(buffer: GpuBuffer, layout: FrameLayout, slots: u32) -> Result<Self> {
        let needed = u64::from(layout.slot_bytes()) * u64::from(slots);
        if buffer.size_bytes() < needed {
            return Err(Error::Bug(format!(
                "{slots} frames need {needed} bytes, the buffer has {}",
                buffer.size_bytes()
            )));
        }
        Ok(Self { buffer, layout, slots })
    }

    /// A batch that holds `frames`, each in the bytes of one slot of its layout.
    pub fn from_host(ctx: &GpuContext, label: &str, layout: FrameLayout, frames: &[&[u8]]) -> Result<Self> {
        let slot = layout.slot_bytes() as usize;
        if let Some(bad) = frames.iter().find(|f| f.len() != slot) {
            return Err(Error::Bug(format!("a frame of {} bytes for slots of {slot}", bad.len())));
        }
        let this = Self::new(ctx, label, layout.format, layout.size, frames.len() as u32)?;
        for (i, frame) in frames.iter().enumerate() {
            this.buffer.write(ctx, (i * slot) as u64, frame)?;
        }
        Ok(this)
    }

    /// The buffer.
    pub fn buffer(&self) -> &GpuBuffer {
        &self.buffer
    }

    /// Layout of one frame.
    pub fn layout(&self) -> &FrameLayout {
        &self.layout
    }

    /// Number of frames there is room for.
    pub fn slots(&self) -> u32 {
        self.slots
    }

    /// Copies the bytes of slot `index` to the host, padding included.
    pub fn read_slot(&self, ctx: &GpuContext, index: u32) -> Result<Vec<u8>> {
        let slot = u64::from(self.layout.slot_bytes());
        if index >= self.slots {
            return Err(Error::Bug(format!("slot {index} of {}", self.slots)));
        }
        self.buffer.read_range(ctx, slot * u64::from(index), slot)
    }
}
