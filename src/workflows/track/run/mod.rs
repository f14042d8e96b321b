//! The whole workflow: a video in; tables, events, pictures, a report and, if wanted, an annotated video out.
//!
//! ```text
//! video -> frames -> detector -> detections.parquet, stills      one pass over the pictures, kept
//!                                      |
//!            tracker -> zones -> tables, events, counts, heat map, report      seconds, without pictures
//!                                      |
//!                                      `-> annotated video       a second pass, if wanted
//! ```
//! What the detector saw is kept in the run folder: another tracker, other thresholds and other zones need no second look ([`track_again`]).
//! Boxes, zones and all outputs are in pixels of the picture as it is shown, times in seconds on the clock of the video.

mod annotate;
mod blueprint;
mod canvas;
mod config;
mod counts;
mod eye;
mod follow;
mod font;
mod job;
mod log;
mod looks;
mod many;
#[cfg(feature = "onnx")]
mod model;
mod occupancy;
mod page;
mod pictures;
mod rejoin;
mod result;
mod seen;
#[cfg(feature = "onnx")]
mod slices;
mod source;
mod stills;
mod tables;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

pub use config::{MOTION, Sampling, TrackConfig, TrackerChoice};
pub use eye::{DetectionsFile, TrackDetector};
pub use job::{ZonesText, seen_settings, track_again, track_video};
pub use many::{StreamJob, track_streams};
#[cfg(feature = "onnx")]
pub use model::TrackModel;
#[cfg(feature = "onnx")]
pub use slices::TrackSlices;
pub use source::TrackVideo;

use crate::pipeline::{MemoryWatch, PipelineOptions};
use crate::workflows::reporter::stoppable;

/// What is told of frames that were decoded and looked at.
const LOOK: (&str, &str) = ("look", "frames");
/// What is told of frames of the annotated video.
const ANNOTATE: (&str, &str) = ("annotate", "frames");

/// How a run goes. None of it changes a byte of the output but for `result.json`, which says how long it took.
#[derive(Debug, Clone)]
pub struct TrackOptions {
    /// Batches, deadlines, cancellation.
    pub pipeline: PipelineOptions,
    /// Forget what an earlier run in the folder found.
    pub restart: bool,
    /// The memory limit that the run was given, in MB, for `result.json`.
    pub memory_limit_mb: u64,
    /// What watches the memory of the process tree, for `result.json`.
    pub watch: Option<Arc<MemoryWatch>>,
    /// What the caller changed of what was asked for, for `result.json`: a value that was too small, for instance.
    pub notes: Vec<String>,
}

impl TrackOptions {
    /// The same with a token of the call alone.
    fn stoppable(&self) -> Self {
        Self { pipeline: stoppable(&self.pipeline), ..self.clone() }
    }
}

impl Default for TrackOptions {
    fn default() -> Self {
        let pipeline = PipelineOptions::default();
        Self { pipeline, restart: false, memory_limit_mb: 1024, watch: None, notes: Vec::new() }
    }
}

/// Result of a run.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrackOutcome {
    /// Frames that were used; all of them unless fewer were asked for.
    pub frames: u64,
    /// Frames that came out of the decoder.
    pub decoded: u64,
    /// Frames that the detector looked at.
    pub looked: u64,
    /// Seconds from the first frame to the last.
    pub seconds: f64,
    /// Detections that the tracker got.
    pub detections: u64,
    /// Objects that were tracked.
    pub objects: u64,
    /// The same by the names of their classes.
    pub by_class: BTreeMap<String, u64>,
    /// Numbers of the objects that a recogniser knew, by their names.
    #[serde(default)]
    pub identities: BTreeMap<String, Vec<u64>>,
    /// Events at zones and lines.
    pub events: u64,
    /// Entries that count, by the key of the zone.
    pub entries: BTreeMap<String, u64>,
    /// Crossings from left to right and from right to left, by the key of the line.
    pub crossings: BTreeMap<String, [u64; 2]>,
    /// The annotated video's file name.
    pub video: Option<String>,
    /// Why the video is not whole. Empty: complete.
    pub reasons: Vec<String>,
    /// Assumptions and substitutions.
    pub notes: Vec<String>,
    /// Whether a whole output of an earlier run was kept.
    #[serde(skip)]
    pub cached: bool,
    /// Whether what an earlier run saw was used again.
    #[serde(skip)]
    pub reused: bool,
    /// Frames that an interrupted run had looked at.
    #[serde(skip)]
    pub resumed: u64,
}
