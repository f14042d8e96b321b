//! `analyze`: every frame of a video measured in one decode pass.
//!
//! Per frame: luma mean, contrast, Laplacian variance, Tenengrad, noise, dark and bright share (full size); percentiles and
//! motion (on a reduced picture); over all frames: a motion heat map. Written as JSONL, CSV and Parquet, `.npy` and PNG, a summary
//! and a single-file report. An input that was interrupted is gone on with behind its last saving. Batch size, thread counts and
//! memory budget change speed, never a byte of the output.

mod config;
mod heat;
mod kept;
mod metrics;
mod open;
mod page;
mod picks;
mod run;
mod series;
mod summary;
mod thumbs;
mod work;

pub use config::AnalyzeConfig;
pub use metrics::{FrameMetrics, schema};
pub use open::{OpenOptions, open_folder, open_input, open_video};
pub use picks::{Pick, PickKind, Thumbnail};
pub use run::{AnalyzeInput, AnalyzeOptions, Outcome, OutcomeStatus, analyze};
pub use work::{AnalyzeOutput, AnalyzeWork, FrameBatch, HeatMap, work_bytes};
