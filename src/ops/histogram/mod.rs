//! How often each value occurs.

pub mod edge_grid;
pub mod gradient_texture;
pub mod hsv3d;
pub mod luma;
pub mod rgb_grid;
pub mod unique_colors;

use crate::gpu::AdapterClass;

/// Most loop steps of an invocation, stated in the kernels; clearing and merging tables add at most 1024.
const MAX_STEPS: u32 = 16_384;

/// How histograms of tables in workgroup memory run: entry point, invocations of a workgroup, workgroups for `loads` of 16 pixels.
///
/// CPU: few workgroups, `few`, since each clears and merges a table per lane; GPU: 16 loads an invocation.
fn tables(class: AdapterClass, loads: u32, few: u32) -> (&'static str, u32, u32) {
    let (entry, wg, aim) = match class {
        AdapterClass::Cpu => ("main_lanes", 8u32, few),
        AdapterClass::Gpu => ("main_atomic", 256, loads.div_ceil(256 * 16)),
    };
    (entry, wg, aim.min(loads.div_ceil(wg)).max(loads.div_ceil(wg * MAX_STEPS)))
}
