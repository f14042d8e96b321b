//! Records kernels and copies into one command buffer. Records, submits, counts: no allocation of buffers, no waiting.

use super::buffer::GpuBuffer;
use super::context::GpuContext;
use super::kernel::{BindGroup, Kernel};
use super::profile::{Profile, Timed};
use crate::error::{Error, GpuError, Result};

/// A command buffer in the making.
#[derive(Debug)]
pub struct Recorder<'a> {
    ctx: &'a GpuContext,
    encoder: wgpu::CommandEncoder,
    pass: Option<wgpu::ComputePass<'static>>,
    profile: Option<Timed<'a>>,
    dispatches: u32,
    failed: Option<Error>,
}

/// A submitted command buffer; wait for it with [`Submission::wait`].
#[derive(Debug, Clone)]
pub struct Submission {
    index: wgpu::SubmissionIndex,
}

impl<'a> Recorder<'a> {
    /// An empty recorder. The label appears in graphics debuggers.
    pub fn new(ctx: &'a GpuContext, label: &str) -> Self {
        let encoder = ctx.device().create_command_encoder(&wgpu::CommandEncoderDescriptor { label: Some(label) });
        Self { ctx, encoder, pass: None, profile: None, dispatches: 0, failed: None }
    }

    /// Times every dispatch on the device, where the device can. What is never submitted leaves nothing in the profile.
    pub fn with_profile(mut self, profile: &'a mut Profile) -> Self {
        self.profile = Some(Timed::new(profile));
        self
    }

    /// Runs `kernel` on `groups` workgroups. A dimension of zero records nothing.
    pub fn dispatch(&mut self, kernel: &Kernel, bind: &BindGroup, groups: [u32; 3]) {
        let [x, y, z] = groups;
        if x == 0 || y == 0 || z == 0 {
            return;
        }
        let limit = self.ctx.caps().max_workgroups;
        if x.max(y).max(z) > limit {
            self.failed.get_or_insert(Error::Gpu(GpuError::Unsupported {
                adapter: self.ctx.caps().name.clone(),
                needed: format!("{x}x{y}x{z} workgroups for {} (the limit is {limit} per dimension)", kernel.label),
            }));
            return;
        }
        let timed = match self.profile.as_mut().map(|t| t.begin(self.ctx, kernel.label)).transpose() {
            Ok(timed) => timed,
            Err(e) => {
                self.failed.get_or_insert(e);
                return;
            }
        };
        if timed.is_some() {
            self.pass = None;
        }
        let encoder = &mut self.encoder;
        let pass = self.pass.get_or_insert_with(|| {
            let timestamp_writes = timed.as_ref().map(|(set, first)| wgpu::ComputePassTimestampWrites {
                query_set: set,
                beginning_of_pass_write_index: Some(*first),
                end_of_pass_write_index: Some(first + 1),
            });
            let descriptor = wgpu::ComputePassDescriptor { label: Some(kernel.label), timestamp_writes };
            encoder.begin_compute_pass(&descriptor).forget_lifetime()
        });
        pass.set_pipeline(&kernel.pipeline);
        pass.set_bind_group(0, &bind.group, &[]);
        pass.dispatch_workgroups(x, y, z);
        self.dispatches += 1;
        if timed.is_some() {
            self.pass = None;
        }
    }

    /// Copies bytes between buffers; offsets and length are multiples of 4.
    pub fn copy(&mut self, from: &GpuBuffer, from_bytes: u64, to: &GpuBuffer, to_bytes: u64, len_bytes: u64) {
        if len_bytes > 0 {
            self.pass = None;
            self.encoder.copy_buffer_to_buffer(from.raw(), from_bytes, to.raw(), to_bytes, Some(len_bytes));
        }
    }

    /// Sets bytes to zero; offset and length are multiples of 4.
    pub fn clear(&mut self, buffer: &GpuBuffer, offset_bytes: u64, len_bytes: u64) {
        if len_bytes > 0 {
            self.pass = None;
            self.encoder.clear_buffer(buffer.raw(), offset_bytes, Some(len_bytes));
        }
    }

    /// Number of dispatches recorded so far.
    pub fn dispatches(&self) -> u32 {
        self.dispatches
    }

    /// Submits everything recorded.
    ///
    /// # Errors
    /// What validation of the recorded commands finds, or an earlier device loss.
    pub fn submit(mut self) -> Result<Submission> {
        self.pass = None;
        if let Some(e) = self.failed.take() {
            return Err(e);
        }
        if let Some(timed) = &self.profile {
            timed.resolve(&mut self.encoder);
        }
        let encoder = self.encoder;
        let index = self.ctx.scoped("submit", |_| self.ctx.queue().submit([encoder.finish()]))?;
        if let Some(timed) = self.profile {
            timed.keep();
        }
        Ok(Submission { index })
    }

    /// Submits and waits until the device is done.
    pub fn run(self) -> Result<()> {
        let ctx = self.ctx;
        self.submit()?.wait(ctx)
    }
}

impl Submission {
    /// Waits until the device is done, at most the context's timeout.
    ///
    /// # Errors
    /// `GpuError::Timeout`, or the loss of the device.
    pub fn wait(&self, ctx: &GpuContext) -> Result<()> {
        wait(ctx, Some(self.index.clone()), "a submission")
    }
}

/// Waits for a submission (the newest for `None`), then looks at the latch.
pub(super) fn wait(ctx: &GpuContext, index: Option<wgpu::SubmissionIndex>, what: &str) -> Result<()> {
    let timeout = ctx.timeout();
    let polled = ctx.device().poll(wgpu::PollType::Wait { submission_index: index, timeout: Some(timeout) });
    ctx.check()?;
    match polled {
        Ok(_) => Ok(()),
        Err(wgpu::PollError::Timeout) => Err(Error::Gpu(GpuError::Timeout {
            what: what.to_owned(),
            millis: u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX),
        })),
        Err(e) => Err(Error::Gpu(GpuError::Internal(format!("{what}: {e}")))),
    }
}
