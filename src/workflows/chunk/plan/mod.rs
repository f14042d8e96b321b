//! Where chunks go, and how few suffice.
//!
//! ```text
//! HeatMap ─► plan()    ─► ChunkPlan   least pixels for a guaranteed coverage (default)
//!        └─► place()   ─► chunks      what the original system would do (parity)
//! sizes  ─► segments   ─► rectangles  without a heat map: auto, strips, grid
//! ActivityGrid ─► ChunkPlan::scheduled  when each chunk is processed
//! ```
//!
//! Host work on integers: the result depends on map and parameters alone. The map may come from the GPU (`heatmap/*`,
//! `placement/cell_sums`) or from anywhere else.

mod contact;
mod cover;
mod heat;
mod params;
mod parity;
mod picture;
mod record;
mod schedule;
mod segments;
mod smart;
mod table;
#[cfg(test)]
mod tests;
mod track;

pub use heat::{ActivityStats, HeatMap};
pub use params::PlanParams;
pub use parity::{PlacerParams, place};
pub use picture::overlay;
pub use record::{Chunk, ChunkCost, ChunkPlan, CoverageStats, Orientation, PlanRule, coverage_stats};
pub use schedule::Schedule;
pub use segments::{Segment, auto_segments, grid_segments, strip_segments};
pub use smart::{plan, plan_original};
pub use track::Place;
