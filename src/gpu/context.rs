//! The device and all that belongs to it. Made once, passed along, cheap to clone.

use std::sync::Arc;
use std::time::Duration;

use wgpu::Features;

use super::buffer::BufferPool;
use super::caps::Caps;
use super::choice::{DeviceChoice, choose, instance};
use super::kernel_cache::KernelCache;
use super::latch::LostLatch;
use crate::core::ByteBudget;
use crate::error::{Error, GpuError, Result};

/// How to open a device.
#[derive(Debug, Clone)]
pub struct GpuOptions {
    /// Which adapter.
    pub device: DeviceChoice,
    /// Budget that every buffer is taken from; with [`Self::host_budget`] that of the device alone.
    pub budget: ByteBudget,
    /// Budget of the host's memory, where it is counted apart from the device's: buffers that the host writes and reads. A device whose memory
    /// is the host's (a software adapter, an integrated GPU) takes all its buffers from it.
    pub host_budget: Option<ByteBudget>,
    /// Longest wait for a submission, in milliseconds.
    pub timeout_millis: u64,
}

impl Default for GpuOptions {
    fn default() -> Self {
        Self {
            device: DeviceChoice::Auto,
            budget: ByteBudget::new("GPU", 4 << 30),
            host_budget: None,
            timeout_millis: 30_000,
        }
    }
}

#[derive(Debug)]
struct Inner {
    device: wgpu::Device,
    queue: wgpu::Queue,
    caps: Caps,
    latch: LostLatch,
    pool: BufferPool,
    kernels: KernelCache,
    timeout: Duration,
}

/// An open device with its queue, capabilities, buffer pool and loss latch. Clones share the device.
#[derive(Debug, Clone)]
pub struct GpuContext(Arc<Inner>);

/// Features used where the adapter has them.
const OPTIONAL: Features = Features::MAPPABLE_PRIMARY_BUFFERS
    .union(Features::TIMESTAMP_QUERY)
    .union(Features::SHADER_F16)
    .union(Features::PIPELINE_CACHE);
/// Features without which no kernel runs.
pub(super) const REQUIRED: Features = Features::SUBGROUP;

impl GpuContext {
    /// Opens the device that `options.device` asks for.
    ///
    /// # Errors
    /// `GpuError::Unavailable` when no adapter matches, `Unsupported` when it lacks subgroup operations, `Internal` when the
    /// driver refuses.
    pub fn new(options: &GpuOptions) -> Result<Self> {
        let adapter = choose(&instance(), &options.device)?;
        let (info, features) = (adapter.get_info(), adapter.features());
        require(&info.name, features)?;
        let descriptor = wgpu::DeviceDescriptor {
            label: Some("frameloom"),
            required_features: REQUIRED | (features & OPTIONAL),
            required_limits: adapter.limits(),
            ..Default::default()
        };
        let (device, queue) = pollster::block_on(adapter.request_device(&descriptor)).map_err(|e| {
            Error::Gpu(GpuError::Internal(format!("adapter `{}` refused to open a device: {e}", info.name)))
        })?;
        Self::assemble(&info, device, queue, options)
    }

    /// Uses a device that the host owns. The device needs the subgroup feature; mappable storage buffers, timestamps and f16 are
    /// used when they were enabled. The host's own error handler and loss callback are replaced.
    ///
    /// An error that nobody captured stays: one validation error in the host's own calls outside of an error scope, and every later call
    /// with this context fails with it, for good. Hosts put error scopes around what may fail.
    ///
    /// # Errors
    /// `GpuError::Unsupported` when the device has no subgroup operations.
    pub fn from_wgpu(device: wgpu::Device, queue: wgpu::Queue, options: &GpuOptions) -> Result<Self> {
        let info = device.adapter_info();
        require(&info.name, device.features())?;
        Self::assemble(&info, device, queue, options)
    }

    fn assemble(
        info: &wgpu::AdapterInfo,
        device: wgpu::Device,
        queue: wgpu::Queue,
        options: &GpuOptions,
    ) -> Result<Self> {
        let caps = Caps::new(info, device.features(), &device.limits());
        let latch = LostLatch::default();
        let on_lost = latch.clone();
        device.set_device_lost_callback(move |reason, message| {
            on_lost.set(GpuError::Lost(format!("{reason:?}: {message}")));
        });
        let on_error = latch.clone();
        device.on_uncaptured_error(Arc::new(move |e: wgpu::Error| on_error.set(gpu_error(&e, "an unscoped call"))));
        let pool = match &options.host_budget {
            Some(host) if caps.shares_host_memory() => BufferPool::new(host.clone(), None),
            host => BufferPool::new(options.budget.clone(), host.clone()),
        };
        let timeout = Duration::from_millis(options.timeout_millis.max(1));
        let kernels = KernelCache::default();
        Ok(Self(Arc::new(Inner { device, queue, caps, latch, pool, kernels, timeout })))
    }

    /// Capabilities of the device.
    pub fn caps(&self) -> &Caps {
        &self.0.caps
    }

    /// The loss latch.
    pub fn latch(&self) -> &LostLatch {
        &self.0.latch
    }

    /// The buffer pool with its byte counts.
    pub fn pool(&self) -> &BufferPool {
        &self.0.pool
    }

    /// Kernels compiled so far.
    pub(super) fn kernels(&self) -> &KernelCache {
        &self.0.kernels
    }

    /// Longest wait for a submission.
    pub fn timeout(&self) -> Duration {
        self.0.timeout
    }

    /// The device, for hosts that share it.
    pub fn device(&self) -> &wgpu::Device {
        &self.0.device
    }

    /// The queue, for hosts that share it.
    pub fn queue(&self) -> &wgpu::Queue {
        &self.0.queue
    }

    /// A sentence to show once when kernels run on a software adapter, else `None`.
    pub fn software_warning(&self) -> Option<String> {
        self.caps().is_software().then(|| {
            format!("no GPU in use: kernels run on the software adapter `{}`, far slower than a GPU", self.caps().name)
        })
    }

    /// `Err` once the device was lost or an error went uncaptured; it stays so.
    pub fn check(&self) -> Result<()> {
        match self.0.latch.get() {
            None => Ok(()),
            Some(e @ GpuError::Lost(_)) => Err(Error::Gpu(e)),
            Some(e) => Err(Error::Gpu(self.loss_behind(e))),
        }
    }

    /// A lost device first shows itself by other errors ("buffer is invalid"), and tells of the loss only when it is polled: asks, so
    /// that the error is attributed to the loss if there was one.
    fn loss_behind(&self, e: GpuError) -> GpuError {
        let _ = self.device().poll(wgpu::PollType::Poll); // a failing poll says nothing that the latch does not
        match self.0.latch.get() {
            Some(lost @ GpuError::Lost(_)) => lost,
            _ => e,
        }
    }

    /// Runs `f` and turns every validation, memory or internal error it causes on this thread into an `Err` naming `what`.
    pub fn scoped<T>(&self, what: &str, f: impl FnOnce(&wgpu::Device) -> T) -> Result<T> {
        self.check()?;
        let device = self.device();
        let internal = device.push_error_scope(wgpu::ErrorFilter::Internal);
        let memory = device.push_error_scope(wgpu::ErrorFilter::OutOfMemory);
        let validation = device.push_error_scope(wgpu::ErrorFilter::Validation);
        let value = f(device);
        let mut first = None;
        // Scopes pop innermost first; on native the futures are ready at once.
        for error in
            [pollster::block_on(validation.pop()), pollster::block_on(memory.pop()), pollster::block_on(internal.pop())]
        {
            first = first.or(error);
        }
        match first {
            None => Ok(value),
            Some(e) => Err(Error::Gpu(self.loss_behind(gpu_error(&e, what)))),
        }
    }

    /// Lets finished work be noticed (callbacks run, memory is freed) without waiting.
    pub fn poll(&self) -> Result<()> {
        self.device().poll(wgpu::PollType::Poll).map_err(|e| Error::Gpu(GpuError::Internal(e.to_string())))?;
        self.check()
    }
}

fn require(name: &str, features: Features) -> Result<()> {
    if features.contains(REQUIRED) {
        return Ok(());
    }
    Err(Error::Gpu(GpuError::Unsupported { adapter: name.to_owned(), needed: "subgroup operations".into() }))
}

fn gpu_error(e: &wgpu::Error, what: &str) -> GpuError {
    match e {
        wgpu::Error::OutOfMemory { .. } => GpuError::OutOfMemory(what.to_owned()),
        wgpu::Error::Validation { description, .. } | wgpu::Error::Internal { description, .. } => {
            GpuError::Internal(format!("{what}: {description}"))
        }
    }
}
