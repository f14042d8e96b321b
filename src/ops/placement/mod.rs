//! Where to put windows over a heat map.

pub mod cell_sums;
pub mod integral;
pub mod window_scores;

use crate::core::Size;
use crate::error::Result;
use crate::gpu::GpuContext;
use crate::ops::{GpuMaps, MapLayout, MapSample, plan_error};

/// Layout of a map of 64-bit integers: a map of `u32` with two numbers each, low first.
pub fn wide_layout(size: Size) -> Result<MapLayout> {
    MapLayout::new(MapSample::U32, Size::new(size.width.saturating_mul(2), size.height))
}

/// Waits for everything submitted and copies a map of 64-bit integers to the host, row by row.
pub fn read_wide(ctx: &GpuContext, maps: &GpuMaps, index: u32) -> Result<Vec<u64>> {
    Ok(bytemuck::pod_collect_to_vec(&maps.read(ctx, index)?))
}

/// `2^fraction_bits` and a threshold in that unit.
fn fixed_point(op: &'static str, fraction_bits: u32, threshold: f64) -> Result<(f32, u32)> {
    if fraction_bits > 31 {
        return Err(plan_error(op, "fraction_bits", "0 to 31", fraction_bits));
    }
    let scale = f64::from(fraction_bits).exp2();
    let fixed = threshold * scale;
    if !(0.0..4_294_967_296.0).contains(&fixed) {
        let wanted = format!("0 or more, below {}", 4_294_967_296.0 / scale);
        return Err(plan_error(op, "threshold", wanted, threshold));
    }
    Ok((scale as f32, fixed as u32))
}
