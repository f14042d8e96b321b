//! `curate`: frames into a balanced training set, with a reason for every decision.
//!
//! Map, reduce, map: figures of every frame ([`FrameMetrics`]), decisions on all of them ([`decide`]), and the pictures that each
//! decision asks for. Figures and pictures are units of a journal; decisions take no time and touch no pixel, so that other thresholds are tried
//! on what was measured once.

mod analyze;
mod config;
mod decide;
mod detail;
mod execute;
mod expand;
mod inputs;
mod layouts;
mod metrics;
mod models;
mod page;
mod picture;
mod report;
mod run;
mod shard;
mod strategy;

pub use analyze::{Analysis, Times};
pub use config::{
    AnalysisConfig, CaptionConfig, Condition, CreateOcclusion, CurateConfig, CustomStrategy, DatasetNeeds,
    DecisionConfig, Engine, EnhanceSegment, EnhanceStep, KeepFull, LAYOUTS, LayoutConfig, OcclusionType, Position,
    Processing, Relation, Segment, Step, Strategies, StrategyTargets, Surplus, Thresholds, VideoConfig, VideoPick,
};
pub use decide::{
    Alternative, DROP, Decision, Decisions, Margin, Mix, MixLine, ShotLine, Tuned, decide, explain, ledger_schema,
    read_ledger, tune, write_ledger,
};
pub use detail::{BlurTiles, Embedding};
pub use expand::{ExpandOptions, Expanded, expand};
pub use inputs::{Input, Inputs};
pub use layouts::{MergeOptions, Merged, merge};
pub use metrics::{FrameEntry, FrameMetrics, FramePlace, Shot};
pub use models::{ModelUse, Networks};
pub use run::{ANALYSIS, CurateOptions, CurateOutcome, analyze, curate, read_run, write_decisions};
pub use shard::{Joined, Shard, join};
pub use strategy::{OwnStrategies, Strategy, StrategyFrame, StrategyPicture};

/// Frames kept as they are.
pub const KEEP_FULL: &str = "keep_full";
/// Frames cut into character and background.
pub const SEGMENT: &str = "segment";
/// Frames that get covered.
pub const CREATE_OCCLUSION: &str = "create_occlusion";
/// Frames repaired, then cut.
pub const ENHANCE_SEGMENT: &str = "enhance_segment";
/// The four strategies of the original, in its order.
pub const STRATEGIES: [&str; 4] = [KEEP_FULL, SEGMENT, CREATE_OCCLUSION, ENHANCE_SEGMENT];
