//! Operations that turn frames into frames, bound to buffers.

use super::frames::GpuFrames;
use super::passes::{Passes, Record};
use crate::core::FrameLayout;
use crate::error::Result;
use crate::gpu::{BindGroup, GpuContext, Kernel, Recorder};

/// A planned frames-to-frames operation bound to its source and its result: ready to be recorded as often as wanted.
#[derive(Debug, Clone)]
pub struct FramesBound(Passes);

impl FramesBound {
    /// `groups` workgroups a frame, for up to `capacity` frames.
    pub(crate) fn new(kernel: &Kernel, bind: BindGroup, groups: [u32; 2], capacity: u32) -> Self {
        Self(Passes::new(capacity).run(kernel, bind, groups))
    }

    /// Records the operation for the first `count` bound frames; more than there are slots for are not touched.
    pub fn record(&self, rec: &mut Recorder<'_>, count: u32) {
        self.0.record(rec, count);
    }

    /// Frames there are slots for.
    pub fn capacity(&self) -> u32 {
        self.0.capacity()
    }
}

impl From<Passes> for FramesBound {
    fn from(passes: Passes) -> Self {
        Self(passes)
    }
}

impl Record for FramesBound {
    fn record(&self, rec: &mut Recorder<'_>, count: u32) {
        Self::record(self, rec, count);
    }

    fn capacity(&self) -> u32 {
        Self::capacity(self)
    }
}

/// Makes room for `slots` results like `output`, binds, runs, waits. What the convenience functions of the operations do.
pub(crate) fn run_frames(
    ctx: &GpuContext,
    op: &'static str,
    output: &FrameLayout,
    slots: u32,
    bind: impl FnOnce(&GpuFrames) -> Result<FramesBound>,
) -> Result<GpuFrames> {
    let dst = GpuFrames::new(ctx, op, output.format, output.size, slots)?;
    let bound = bind(&dst)?;
    let mut rec = Recorder::new(ctx, op);
    bound.record(&mut rec, slots);
    rec.run()?;
    Ok(dst)
}
