// Scores of all windows of one size over heat maps, and the best of them.
//
// In:   src          summed-area tables over cells, 64-bit integers, five per workgroup_id.z: all heat, number, heat, x and y moments
//                    (from the corner of the picture) of the active values
//       src_places   per column of windows: cut at its left, cut at its right, left edge in pixels, 0; then the same per row
// Out:  dst_scores   64-bit score of each window in twentieths: 20 times its heat, 17 times where the centre of the active heat lies
//                    in the margin
//       dst_best     `stride` words a frame, zero before; from `best` on: largest score (high, low), ~index of the best window, 1 if
//                    it is centred, its heat (low, high)
// Algorithm: `scores` from four corners of each table, largest high word on the way; `low`: largest low word below that; `first`:
//       first window within 2^-20 of the largest; `pick` measures it once more. Each maximum is an atomic on integers.
// Border: none.
// Exact: integers modulo 2^64; right where 20 times the heat of a window, and its heat times its longer side, are below 2^64.
// Loop bound: no loops.

#import common/grid
#import common/out_pictures
#import common/pictures
#import common/wide

override WG: u32 = 8u;

struct Params {
    columns: u32,   // windows across
    rows: u32,      // windows down
    width: u32,     // of a window, pixels
    height: u32,
    margin: u32,    // min(width / 6, height / 6)
    best: u32,      // first word of this orientation in the results of a frame
    stride: u32,    // words of results per frame
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> src: array<vec2<u32>>;
@group(0) @binding(3) var<storage, read_write> dst_scores: array<vec2<u32>>;
@group(0) @binding(6) var<storage, read> src_places: array<vec4<u32>>;
@group(0) @binding(7) var<storage, read_write> dst_best: array<atomic<u32>>;

struct Window {
    heat: vec2<u32>,
    centred: bool,
}

// Sum over a window in table `slot`.
fn corners(slot: u32, x: vec4<u32>, y: vec4<u32>) -> vec2<u32> {
    let table = src_pictures[slot];
    let top = (table.first + y.x * table.stride) * 2u;
    let bottom = (table.first + y.y * table.stride) * 2u;
    return wide_sub(wide_sub(src[bottom + x.y], src[bottom + x.x]), wide_sub(src[top + x.y], src[top + x.x]));
}

// Whether a moment lies outside margin .. side - margin times the active heat.
fn off(moment: vec2<u32>, hot: vec2<u32>, side: u32) -> bool {
    return wide_less(moment, wide_scale(hot, params.margin))
        || wide_less(wide_scale(hot, side - params.margin), moment);
}

fn window_of(z: u32, index: u32) -> Window {
    let row = index / params.columns;
    let x = src_places[index - row * params.columns];
    let y = src_places[params.columns + row];
    let hot = corners(z * 5u + 2u, x, y);
    let across = wide_sub(corners(z * 5u + 3u, x, y), wide_scale(hot, x.z));
    let down = wide_sub(corners(z * 5u + 4u, x, y), wide_scale(hot, y.z));
    let outside = off(across, hot, params.width) || off(down, hot, params.height);
    return Window(corners(z * 5u, x, y), !outside);
}

fn score_of(w: Window) -> vec2<u32> {
    return wide_scale(w.heat, select(17u, 20u, w.centred));
}

fn place_of(z: u32, index: u32) -> u32 {
    let out = out_pictures[z];
    let row = index / params.columns;
    return (out.first + row * out.stride) * 2u + index - row * params.columns;
}

@compute @workgroup_size(WG)
fn scores(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
    @builtin(subgroup_invocation_id) lane: u32,
) {
    let index = item_of(group, groups, local);
    var score = vec2(0u);
    if (index < params.columns * params.rows) {
        score = score_of(window_of(group.z, index));
        dst_scores[place_of(group.z, index)] = score;
    }
    let high = subgroupMax(score.y);
    if (lane == 0u) {
        atomicMax(&dst_best[group.z * params.stride + params.best], high);
    }
}

@compute @workgroup_size(WG)
fn low(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
    @builtin(subgroup_invocation_id) lane: u32,
) {
    let index = item_of(group, groups, local);
    let at = group.z * params.stride + params.best;
    let high = atomicLoad(&dst_best[at]);
    var largest = 0u;
    if (index < params.columns * params.rows) {
        let score = dst_scores[place_of(group.z, index)];
        largest = select(0u, score.x, score.y == high);
    }
    largest = subgroupMax(largest);
    if (lane == 0u) {
        atomicMax(&dst_best[at + 1u], largest);
    }
}

@compute @workgroup_size(WG)
fn first(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
    @builtin(subgroup_invocation_id) lane: u32,
) {
    let index = item_of(group, groups, local);
    let at = group.z * params.stride + params.best;
    let largest = vec2(atomicLoad(&dst_best[at + 1u]), atomicLoad(&dst_best[at]));
    let least = wide_sub(largest, vec2((largest.x >> 20u) | (largest.y << 12u), largest.y >> 20u));
    var found = 0u;
    if (index < params.columns * params.rows) {
        found = select(~index, 0u, wide_less(dst_scores[place_of(group.z, index)], least));
    }
    found = subgroupMax(found);
    if (lane == 0u) {
        atomicMax(&dst_best[at + 2u], found);
    }
}

@compute @workgroup_size(WG)
fn pick(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    if (local > 0u) {
        return;
    }
    let at = group.z * params.stride + params.best;
    let w = window_of(group.z, ~atomicLoad(&dst_best[at + 2u]));
    atomicStore(&dst_best[at + 3u], select(0u, 1u, w.centred));
    atomicStore(&dst_best[at + 4u], w.heat.x);
    atomicStore(&dst_best[at + 5u], w.heat.y);
}
