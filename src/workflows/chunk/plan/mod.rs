//! Where chunks go, and how few suffice.
//!
//! ```text
//! HeatMap ─► plan()    ─► ChunkPlan   least pixels for a guaranteed coverage (default)
//!        └─► place()   ─► chunks      what the original system would do (parity)
//! sizes  ─► segments   ─► rectangles  without a heat map: auto, strips, grid
//! ActivityGrid ─► ChunkPlan::scheduled  when each chunk is processed
//!              └► plan_moving()         chunks that follow their subject
//! ```
//!
//! Host work on integers: the result depends on map and parameters alone. The map may come from the GPU (`heatmap/*`,
//! `placement/cell_sums`) or from anywhere else.

mod contact;
mod cover;
mod fixed;
mod heat;
mod moving;
mod params;
mod parity;
mod picture;
mod record;
mod schedule;
mod segments;
mod shares;
mod smart;
mod table;
#[cfg(test)]
mod tests;
mod track;

pub use fixed::{Segmentation, plan_segments};
pub use heat::{ActivityStats, HeatMap};
pub use moving::{plan_moving, segment_pictures};
pub use params::PlanParams;
pub use parity::{PlacerParams, place};
pub(super) use picture::number_dots;
pub use picture::{overlay, timeline};
pub use record::{Chunk, ChunkCost, ChunkPlan, CoverageStats, Orientation, PlanRule, coverage_stats};
pub use schedule::Schedule;
pub use segments::{Segment, auto_segments, grid_segments, strip_segments};
pub use smart::{plan, plan_original};
pub use track::Place;
