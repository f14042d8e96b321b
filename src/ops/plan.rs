//! Checks that plans and bindings share.

use super::frames::GpuFrames;
use super::params::plan_error;
use crate::core::FrameLayout;
use crate::error::Result;
use crate::gpu::GpuContext;

/// Longest side that operations with 32-bit fixed-point coordinates accept.
pub(crate) const MAX_SIDE: u32 = 32_768;

/// Workgroups along x and y for `items` invocations per frame: kernels number them with `item_of` of `common/grid`.
pub(crate) fn grid(ctx: &GpuContext, op: &'static str, items: u64, workgroup: u32) -> Result<[u32; 2]> {
    let limit = u64::from(ctx.caps().max_workgroups);
    let groups = items.div_ceil(u64::from(workgroup));
    let y = groups.div_ceil(limit).max(1);
    let x = groups.div_ceil(y);
    match (u32::try_from(x), u32::try_from(y)) {
        (Ok(x), Ok(y)) if u64::from(y) <= limit => Ok([x, y]),
        _ => Err(plan_error(op, "size", format!("at most {limit} x {limit} workgroups of {workgroup}"), groups)),
    }
}

/// The pictures, or cells of pictures, of a bound operation fit into one dispatch, of which each is a layer.
pub(crate) fn check_count(ctx: &GpuContext, op: &'static str, name: &'static str, count: u64) -> Result<()> {
    let most = ctx.caps().max_workgroups;
    if count > u64::from(most) {
        let wanted = format!("at most {most} at a time (bind fewer, several times)");
        return Err(plan_error(op, name, wanted, count));
    }
    Ok(())
}

/// Neither side of `layout` is above [`MAX_SIDE`].
pub(crate) fn check_sides(op: &'static str, name: &'static str, layout: &FrameLayout) -> Result<()> {
    if layout.size.width.max(layout.size.height) > MAX_SIDE {
        return Err(plan_error(op, name, format!("sides up to {MAX_SIDE}"), layout.size));
    }
    Ok(())
}

/// `frames` are laid out as planned.
pub(crate) fn check_layout(
    op: &'static str,
    name: &'static str,
    planned: &FrameLayout,
    frames: &GpuFrames,
) -> Result<()> {
    let text = |l: &FrameLayout| format!("{} {}", l.format, l.size);
    if frames.layout() != planned {
        return Err(plan_error(op, name, text(planned), text(frames.layout())));
    }
    Ok(())
}
