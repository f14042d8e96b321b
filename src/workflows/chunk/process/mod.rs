//! Processing where the chunks are, and nowhere else.
//!
//! ```text
//! decoder thread ─► batch of frames in GPU memory ─► tiles of the chunks that are active, cut on the GPU
//!                                │                      │ effect: a closure on the GPU, a network, a filter graph
//!                                └─► canvas ◄───────────┘ laid over it with feathered weights that sum to one
//!                                      │ what changed, added to the samples of the frame
//!                                      ▼
//!                                frames like the decoder's ─► sink
//! ```
//! Effects see and give RGB. What they change is added to the decoder's own samples (`color/yuv_change`), so that everything outside of
//! chunks comes out bit for bit, and an effect that changes nothing changes nothing.

mod compose;
mod config;
#[cfg(feature = "onnx")]
mod detect;
mod draw;
mod effect;
mod fade;
mod filter;
mod job;
#[cfg(feature = "onnx")]
mod model;
mod parts;
mod placement;
mod preview;
mod propagate;
mod proxy;
mod run;
mod shard;
mod tiles;
mod video;
mod work;

pub use crate::core::{MergeRule, merge_detections};
pub use config::ProcessConfig;
#[cfg(feature = "onnx")]
pub use detect::{ChunkDetector, FrameDetections, detect_chunks};
pub use draw::{COLORS, dim_outside, draw_number, draw_outline};
pub use effect::{ChunkEffect, Identity, MaskLook, OnGpu, TilePlace, Tiles};
pub use filter::FilterEffect;
pub use job::{ChunkOptions, ChunkOutcome, ChunkTask, ChunkWork, EffectId, claim_output, process_video};
#[cfg(feature = "onnx")]
pub use model::ModelEffect;
pub use placement::{Placed, Placement};
pub use preview::{Preview, write_preview};
pub use propagate::{ChunkData, Neighbour, propagate_chunk_data, propagate_weighted};
pub use proxy::{ProxyConfig, ProxyReport, proxy_size, write_proxy};
pub use run::{Outside, ProcessOptions, ProcessReport, ProcessedFrame, process_chunks};
pub use shard::{ChunkPart, join_chunks, process_part};
pub use video::ChunkVideo;
