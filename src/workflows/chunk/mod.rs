//! `chunk`: processing power where the action is. A heat map says where; the planner lays chunks over it.

mod activity;
mod files;
pub mod heat;
pub mod plan;
pub mod process;
mod report;

pub use activity::{ActivityCell, ActivityGrid, ActivityShape, ActivityStep};
pub use files::{HeatSidecar, read_activity, read_heat, read_plan, read_sidecar, write_heat, write_plan};
pub use report::plan_page;
