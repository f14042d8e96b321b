// Joint histogram of hue, saturation and value of a batch of pictures.
//
// In:   src          pictures of any format, one per workgroup_id.z, sizes may differ
// Out:  dst_bins     BINS counts of u32 per picture, zero before; bin (h * S_BINS + s) * V_BINS + v
// Algorithm: YUV turns to RGB (common/rgb16) and RGB to 8-bit HSV (common/hsv) in registers; h = H * H_BINS / 180,
//       s = S * S_BINS / 256, v = V * V_BINS / 256, all floored. main_lanes: one table per lane, so that the loop needs no atomics
//       (software adapters, at most 512 bins). main_atomic: TABLES tables a workgroup; four equal bins take one addition, and a
//       subgroup of one bin one in all, since flat pictures are the worst case (GPUs).
// Border: none. Padding behind the last pixel is not counted.
// Exact: f32 that hold integers below 2^24, see common/hsv_bins.
// Loop bound: steps (at most 16384 for the largest picture, checked in plan) + BINS to clear + BINS to merge.

#import common/grid
#import common/hsv
#import common/hsv_bins
#import common/rgb16
#import common/walk

override WG: u32 = 8u;
override TAIL: bool = true;

#import common/tables

struct Params {
    offset: vec4<i32>,  // see common/rgb16
    chroma: vec4<i32>,
}

@group(0) @binding(0) var<uniform> params: Params;

@compute @workgroup_size(WG)
fn main_lanes(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    clear_lane(lane);
    let picture = src_pictures[group.z];
    let walk = walk_of((picture.width + 15u) >> 4u, picture.height, groups.x * groups.y * WG);
    var at = start(walk, item_of(group, groups, lane));
    for (var step = 0u; step < walk.steps; step++) {
        if (at.row < walk.rows) {
            let p = colors16(picture, at.column, at.row);
            let x = at.column * 16u;
            count_in_lane(bins_of(p.a), inside4(x, picture.width), lane);
            count_in_lane(bins_of(p.b), inside4(x + 4u, picture.width), lane);
            count_in_lane(bins_of(p.c), inside4(x + 8u, picture.width), lane);
            count_in_lane(bins_of(p.d), inside4(x + 12u, picture.width), lane);
        }
        at = next(walk, at);
    }
    workgroupBarrier();
    merge_lanes(group.z * BINS, lane);
}

@compute @workgroup_size(WG)
fn main_atomic(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
    @builtin(subgroup_invocation_id) lane: u32,
) {
    clear_tables(local);
    workgroupBarrier();
    // Pixels that the subgroup loads in a step; its size alone would not do, since the last one need not be full.
    let together = subgroupAdd(16u);
    let table = table_of(local);
    let picture = src_pictures[group.z];
    let walk = walk_of((picture.width + 15u) >> 4u, picture.height, groups.x * groups.y * WG);
    var at = start(walk, item_of(group, groups, local));
    for (var step = 0u; step < walk.steps; step++) {
        let inside = at.row < walk.rows;
        let p = colors16(picture, at.column, min(at.row, walk.rows - 1u));
        let a = bins_of(p.a);
        let b = bins_of(p.b);
        let c = bins_of(p.c);
        let d = bins_of(p.d);
        let x = at.column * 16u;
        let one = all(a == vec4(a.x)) && all(b == vec4(a.x)) && all(c == vec4(a.x)) && all(d == vec4(a.x));
        let flat = inside && one && (!TAIL || x + 16u <= picture.width);
        if (subgroupAll(flat && a.x == subgroupBroadcastFirst(a.x))) {
            if (lane == 0u) {
                atomicAdd(&tables[table + a.x], together);
            }
        } else if (flat) {
            atomicAdd(&tables[table + a.x], 16u);
        } else if (inside) {
            count_in_table(a, inside4(x, picture.width), table);
            count_in_table(b, inside4(x + 4u, picture.width), table);
            count_in_table(c, inside4(x + 8u, picture.width), table);
            count_in_table(d, inside4(x + 12u, picture.width), table);
        }
        at = next(walk, at);
    }
    workgroupBarrier();
    merge_tables(group.z * BINS, local);
}
