//! The scheduler: frames from many sources through one GPU queue, bounded by bytes, ordered, cancellable.
//!
//! ```text
//! source thread (one per source)            GPU thread                      caller
//! decode -> rows into a mapped ring slot -> record, submit -> wait -> decode results -> sink, in frame order per source
//!           (waits for a free slot)         (2 batches in flight)          (bounded channel)
//! ```
//! Batch size, ring depth, thread counts and budgets change speed, never results. The GPU thread itself waits for the oldest batch when
//! enough are in flight: wgpu holds a lock during a wait that a submission needs, so a separate poll thread would stall the very
//! submissions it should overlap with (gfx-rs/wgpu#9470); with two batches queued the device stays busy meanwhile.

mod batches;
mod feeder;
#[cfg(feature = "ffmpeg")]
mod folder;
mod memory;
mod options;
mod run;
mod source;
mod stats;
#[cfg(feature = "ffmpeg")]
mod video;
#[cfg(feature = "onnx")]
pub mod vision;

pub use batches::{Batches, HeldBatch, batches};
#[cfg(feature = "ffmpeg")]
pub use folder::FolderSource;
pub use memory::{MemoryWatch, Resident, TreeMemory, resident};
pub use options::{MemoryPlan, OnError, PipelineOptions};
pub use run::{BatchView, BatchWork, Event, SourceReport, run};
pub use source::{FrameSource, SourceFrame, SyntheticSource};
pub use stats::{StageStats, StageTimer};
#[cfg(feature = "ffmpeg")]
pub use video::{VideoEnd, VideoSource};
