//! Operations that turn frames into frames, bound to buffers.

use super::frames::GpuFrames;
use crate::core::FrameLayout;
use crate::error::Result;
use crate::gpu::{BindGroup, GpuContext, Kernel, Recorder};

/// A planned frames-to-frames operation bound to its source and its result: ready to be recorded as often as wanted.
#[derive(Debug, Clone)]
pub struct FramesBound {
    kernel: Kernel,
    bind: BindGroup,
    groups: [u32; 2],
    capacity: u32,
}

impl FramesBound {
    /// `groups` workgroups a frame, for up to `capacity` frames.
    pub(crate) fn new(kernel: &Kernel, bind: BindGroup, groups: [u32; 2], capacity: u32) -> Self {
        Self { kernel: kernel.clone(), bind, groups, capacity }
    }

    /// Records the operation for the first `count` bound frames; more than there are slots for are not touched.
    pub fn record(&self, rec: &mut Recorder<'_>, count: u32) {
        let [x, y] = self.groups;
        rec.dispatch(&self.kernel, &self.bind, [x, y, count.min(self.capacity)]);
    }

    /// Frames there are slots for.
    pub fn capacity(&self) -> u32 {
        self.capacity
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
