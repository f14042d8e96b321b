// Colour histograms of the cells of a grid, for a batch of pictures.
//
// In:   src          pictures of any format, one per workgroup_id.z, sizes may differ
// Out:  dst_bins     512 counts of u32 per cell, cells row by row, `grid` * `grid` per picture, zero before
// Algorithm: YUV turns to RGB in registers (common/rgb16); bin = B / 32 * 64 + G / 32 * 8 + R / 32; cells of width / grid x
//       height / grid pixels, all floored. A workgroup counts a share of one cell. main_lanes: one table per lane, so that the loop
//       needs no atomics (software adapters). main_atomic: TABLES tables with atomics; four equal bins take one addition (GPUs).
// Border: pixels right of and below the last cells belong to none.
// Exact: integers.
// Loop bound: steps (at most 16384 for the largest cell, checked in plan) + 512 to clear + 512 to merge.

#import common/grid
#import common/rgb16
#import common/walk

override WG: u32 = 8u;

#import common/tables

struct Params {
    offset: vec4<i32>,  // see common/rgb16
    chroma: vec4<i32>,
    grid: u32,          // cells across and down
    shares: u32,        // workgroups per cell
}

@group(0) @binding(0) var<uniform> params: Params;

// The part of a picture that a workgroup counts.
struct Share {
    first: u32,         // first column of pixels
    end: u32,           // one behind the last
    column: u32,        // first column of 16 pixels
    row: u32,           // first row
    bins: u32,          // first word of the cell's counts
    walk: Walk,
    item: u32,          // of this invocation
}

fn share_of(picture: Picture, group: vec3<u32>, groups: vec3<u32>, local: u32) -> Share {
    let cells = params.grid * params.grid;
    let index = item_of(group, groups, local) / WG;
    let cell = min(index / params.shares, cells - 1u);
    let y = cell / params.grid;
    let x = cell - y * params.grid;
    let width = picture.width / params.grid;
    let height = picture.height / params.grid;
    let first = x * width;
    let column = first >> 4u;
    let columns = max((first + width + 15u) >> 4u, column + 1u) - column;
    // The last workgroups of the grid lie behind the last cell.
    let rows = select(height, 0u, width == 0u || index >= cells * params.shares);
    let item = (index - cell * params.shares) * WG + local;
    let walk = walk_of(columns, rows, params.shares * WG);
    return Share(first, first + width, column, y * height, (group.z * cells + cell) * BINS, walk, item);
}

fn bins_of(p: vec4<u32>) -> vec4<u32> {
    return ((p >> vec4(5u)) & vec4(7u)) | ((p >> vec4(10u)) & vec4(0x38u)) | ((p >> vec4(15u)) & vec4(0x1c0u));
}

// 1 for pixels x .. x+3 that lie in the cell, else 0.
fn inside4(share: Share, x: u32) -> vec4<u32> {
    let at = vec4(x) + vec4(0u, 1u, 2u, 3u);
    return vec4<u32>(at >= vec4(share.first)) & vec4<u32>(at < vec4(share.end));
}

@compute @workgroup_size(WG)
fn main_lanes(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    clear_lane(lane);
    let picture = src_pictures[group.z];
    let share = share_of(picture, group, groups, lane);
    var at = start(share.walk, share.item);
    for (var step = 0u; step < share.walk.steps; step++) {
        if (at.row < share.walk.rows) {
            let column = share.column + at.column;
            let p = colors16(picture, column, share.row + at.row);
            let x = column * 16u;
            count_in_lane(bins_of(p.a), inside4(share, x), lane);
            count_in_lane(bins_of(p.b), inside4(share, x + 4u), lane);
            count_in_lane(bins_of(p.c), inside4(share, x + 8u), lane);
            count_in_lane(bins_of(p.d), inside4(share, x + 12u), lane);
        }
        at = next(share.walk, at);
    }
    workgroupBarrier();
    merge_lanes(share.bins, lane);
}

@compute @workgroup_size(WG)
fn main_atomic(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    clear_tables(local);
    workgroupBarrier();
    let table = table_of(local);
    let picture = src_pictures[group.z];
    let share = share_of(picture, group, groups, local);
    var at = start(share.walk, share.item);
    for (var step = 0u; step < share.walk.steps; step++) {
        if (at.row < share.walk.rows) {
            let column = share.column + at.column;
            let p = colors16(picture, column, share.row + at.row);
            let x = column * 16u;
            count_in_table(bins_of(p.a), inside4(share, x), table);
            count_in_table(bins_of(p.b), inside4(share, x + 4u), table);
            count_in_table(bins_of(p.c), inside4(share, x + 8u), table);
            count_in_table(bins_of(p.d), inside4(share, x + 12u), table);
        }
        at = next(share.walk, at);
    }
    workgroupBarrier();
    merge_tables(share.bins, local);
}
