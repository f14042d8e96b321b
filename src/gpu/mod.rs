//! wgpu plumbing: adapter choice, device, kernels, buffers, command recording, upload and readback rings, profiling.
//!
//! `wgpu::` appears in this folder only. Rules kept here once so that no operation has to: every wait has a deadline, nothing is
//! believed after a device loss, sizes are checked against the device's limits before a call, an uncaptured error becomes the
//! error of every later call, and all buffer bytes are counted.

mod buffer;
mod caps;
mod choice;
mod context;
mod kernel;
mod kernel_cache;
mod latch;
mod profile;
mod readback;
mod recorder;
mod reflect;
mod upload;

pub use buffer::{BufferPool, BufferUse, GpuBuffer, PoolStats};
pub use caps::{AdapterClass, Caps};
pub use choice::{AdapterSummary, DeviceChoice, list_adapters};
pub use context::{GpuContext, GpuOptions};
pub use kernel::{BindGroup, Kernel, KernelSource, kernel_source, kernel_sources};
pub use latch::LostLatch;
pub use profile::{Profile, ProfileEntry};
pub use readback::{MappedBytes, Readback, ReadbackRing, ReadbackTicket};
pub use recorder::{Recorder, Submission};
pub use reflect::{BindingInfo, EntryInfo, KernelInterface, StructField, reflect};
pub use upload::{FilledSlot, UploadRing, UploadSlot};

/// The graphics library, re-exported for hosts that own a device.
pub use wgpu;

/// Version of the graphics library, for reports; a test compares it with `Cargo.lock`.
pub const WGPU_VERSION: &str = "30.0.1";
