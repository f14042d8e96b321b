// Luma histogram of a batch of pictures.
//
// In:   src          luma plane, u8 or 10-bit in 16-bit words, one per picture (workgroup_id.z), sizes may differ
// Out:  dst_bins     BINS counts of u32 per picture, zero before
// Algorithm: bin = (sample * BINS) >> 8 of every row_step-th row. main_lanes: one table per lane, so that the loop needs no atomics
//       (software adapters). main_atomic: one table per 32 invocations with atomics; 16 equal pixels take one addition, and a
//       subgroup of equal pixels one in all, since flat pictures are the worst case (GPUs).
// Border: none. Padding behind the last pixel is set to 0 and its number taken away from bin 0 again.
// Exact: integer counts; a frame slot holds less than 2^31 samples.
// Loop bound: steps (at most 16384 for the largest picture, checked in plan) + BINS to clear + BINS to merge.

#import common/grid
#import common/luma
#import common/pictures
#import common/walk

override BINS: u32 = 256u;
override WG: u32 = 8u;
override TAIL: bool = true;
override TABLES: u32 = 8u;

struct Params {
    row_step: u32,      // every row_step-th row counts
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(3) var<storage, read_write> dst_bins: array<atomic<u32>>;

// Table of lane l: entries bin * 8 + l, so that the 8 lanes of a vector touch one cache line for neighbouring bins.
var<workgroup> lanes: array<u32, BINS * 8u>;
// Tables one behind the other, one word apart, so that equal bins of two tables lie in different banks.
var<workgroup> tables: array<atomic<u32>, (BINS + 1u) * TABLES>;

// The counted rows of a plane.
struct Plane {
    tail: vec4<u32>,    // bytes of the last column that are pixels
    first: u32,         // first vec4
    stride: u32,        // vec4 from one counted row to the next
    padding: u32,       // bytes of the last column that are not pixels
    walk: Walk,
}

fn plane_of(picture: Picture, invocations: u32) -> Plane {
    let columns = (picture.width + 15u) >> 4u;
    let rows = (picture.height - 1u) / params.row_step + 1u;
    let valid = vec4(picture.width - (columns - 1u) * 16u);
    let at = vec4(0u, 4u, 8u, 12u);
    let bytes = min(max(valid, at) - at, vec4(4u));
    return Plane(
        select((vec4(1u) << (bytes * 8u)) - 1u, vec4(~0u), bytes == vec4(4u)),
        picture.first,
        // Where only one row counts the step may be larger than the picture, and is not used.
        picture.stride * min(params.row_step, picture.height),
        columns * 16u - picture.width,
        walk_of(columns, rows, invocations),
    );
}

fn is_padded(plane: Plane, at: Cursor) -> bool {
    return TAIL && at.column + 1u == plane.walk.columns;
}

// 16 pixels, padding as 0.
fn pixels(plane: Plane, at: Cursor) -> vec4<u32> {
    let w = luma16(plane.first + min(at.row, plane.walk.rows - 1u) * plane.stride, at.column);
    return select(w, w & plane.tail, vec4(is_padded(plane, at)));
}

fn count_in_lane(code: u32, lane: u32) {
    lanes[((code * BINS) >> 8u) * 8u + lane] += 1u;
}

fn count_word_in_lane(w: u32, lane: u32) {
    count_in_lane(w & 255u, lane);
    count_in_lane((w >> 8u) & 255u, lane);
    count_in_lane((w >> 16u) & 255u, lane);
    count_in_lane(w >> 24u, lane);
}

@compute @workgroup_size(WG)
fn main_lanes(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let plane = plane_of(src_pictures[group.z], groups.x * groups.y * WG);
    for (var bin = 0u; bin < BINS; bin++) {
        lanes[bin * 8u + lane] = 0u;
    }
    var at = start(plane.walk, item_of(group, groups, lane));
    var padding = 0u;
    for (var step = 0u; step < plane.walk.steps; step++) {
        if (at.row < plane.walk.rows) {
            let w = pixels(plane, at);
            count_word_in_lane(w.x, lane);
            count_word_in_lane(w.y, lane);
            count_word_in_lane(w.z, lane);
            count_word_in_lane(w.w, lane);
            padding += select(0u, plane.padding, is_padded(plane, at));
        }
        at = next(plane.walk, at);
    }
    lanes[lane] -= padding;
    workgroupBarrier();
    for (var bin = lane; bin < BINS; bin += 8u) {
        var total = 0u;
        let first = bin * 8u;
        total += lanes[first] + lanes[first + 1u] + lanes[first + 2u] + lanes[first + 3u];
        total += lanes[first + 4u] + lanes[first + 5u] + lanes[first + 6u] + lanes[first + 7u];
        if (total != 0u) {
            atomicAdd(&dst_bins[group.z * BINS + bin], total);
        }
    }
}

fn count_word_in_table(w: u32, table: u32) {
    let bins = (vec4(w, w >> 8u, w >> 16u, w >> 24u) & vec4(255u)) * BINS >> vec4(8u);
    if (all(bins.xyz == bins.yzw)) {
        atomicAdd(&tables[table + bins.x], 4u);
        return;
    }
    atomicAdd(&tables[table + bins.x], 1u);
    atomicAdd(&tables[table + bins.y], 1u);
    atomicAdd(&tables[table + bins.z], 1u);
    atomicAdd(&tables[table + bins.w], 1u);
}

@compute @workgroup_size(WG)
fn main_atomic(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
    @builtin(subgroup_invocation_id) lane: u32,
) {
    let plane = plane_of(src_pictures[group.z], groups.x * groups.y * WG);
    for (var i = local; i < (BINS + 1u) * TABLES; i += WG) {
        atomicStore(&tables[i], 0u);
    }
    workgroupBarrier();
    // Pixels that the subgroup loads in a step; its size alone would not do, since the last one need not be full.
    let together = subgroupAdd(16u);
    let table = (local >> 5u) % TABLES * (BINS + 1u);
    var at = start(plane.walk, item_of(group, groups, local));
    var padding = 0u;
    for (var step = 0u; step < plane.walk.steps; step++) {
        let inside = at.row < plane.walk.rows;
        let w = pixels(plane, at);
        let flat = inside && all(w == vec4((w.x & 255u) * 0x01010101u));
        if (subgroupAll(flat && w.x == subgroupBroadcastFirst(w.x))) {
            if (lane == 0u) {
                atomicAdd(&tables[table + (((w.x & 255u) * BINS) >> 8u)], together);
            }
        } else if (flat) {
            atomicAdd(&tables[table + (((w.x & 255u) * BINS) >> 8u)], 16u);
        } else if (inside) {
            count_word_in_table(w.x, table);
            count_word_in_table(w.y, table);
            count_word_in_table(w.z, table);
            count_word_in_table(w.w, table);
        }
        padding += select(0u, plane.padding, inside && is_padded(plane, at));
        at = next(plane.walk, at);
    }
    if (TAIL && padding != 0u) {
        atomicSub(&tables[table], padding);
    }
    workgroupBarrier();
    for (var bin = local; bin < BINS; bin += WG) {
        var total = 0u;
        for (var t = 0u; t < TABLES; t++) {
            total += atomicLoad(&tables[t * (BINS + 1u) + bin]);
        }
        if (total != 0u) {
            atomicAdd(&dst_bins[group.z * BINS + bin], total);
        }
    }
}
