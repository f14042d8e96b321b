//! `chunk`: processing power where the action is. A heat map says where; the planner lays chunks over it.

mod files;
pub mod heat;
pub mod plan;
pub mod process;

pub use files::{HeatSidecar, read_heat, write_heat, write_plan};
