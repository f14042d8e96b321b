// Histogram of the Sobel magnitude of a batch of pictures, scaled by the largest magnitude of each picture.
//
// In:   src          luma plane, u8 or 10-bit in 16-bit words, one per picture (workgroup_id.z), sizes may differ
// Out:  dst_bins     1 + BINS words a picture, zero before: largest gx^2 + gy^2 (peak), then the counts of the bins
// Algorithm: bin = floor(255 sqrt(m / peak) BINS / 256) with m = gx^2 + gy^2, that is the largest k with
//       65025 m >= (65536 / BINS^2) k^2 peak; all pixels in bin 0 where peak is 0. First entry point peak, then one of the others:
//       bins_lanes with a table per lane and no atomics (software adapters), bins_atomic with a table per 32 invocations (GPUs).
//       Sliding window down ROWS rows, 16 pixels an invocation, 16-bit lanes.
// Border: reflect-101, replicate where a side is 1.
// Exact: integers decide. f32 holds m <= 1 300 500 exactly and estimates the bin; where it comes within 1/4 of a limit the difference
//       of both sides, then below 2^31, decides in wrapping u32.
// Loop bound: ROWS steps, at most 64, + BINS to clear + BINS to merge.

#import common/grid
#import common/blocks
#import common/luma
#import common/pictures
#import common/rows
#import common/signed16
#import common/inside
#import common/gradient
#import common/gradient_squares

const SIDE: u32 = 1u;
const CENTRE: u32 = 2u;

// 32 or 64.
override BINS: u32 = 32u;
override TABLES: u32 = 4u;

@group(0) @binding(3) var<storage, read_write> dst_bins: array<atomic<u32>>;

// Table of lane l: entries bin * 8 + l.
var<workgroup> lanes: array<u32, BINS * 8u>;
// Tables one behind the other, one word apart, so that equal bins of two tables lie in different banks.
var<workgroup> tables: array<atomic<u32>, (BINS + 1u) * TABLES>;

@compute @workgroup_size(WG)
fn peak(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
    @builtin(subgroup_invocation_id) lane: u32,
) {
    let picture = src_pictures[group.z];
    let block = block_of(item_of(group, groups, local), picture.width, picture.height);
    var most = vec4(0.0);
    if (block.inside) {
        var window = window_of(picture, block);
        for (var y = block.first; y < block.first + ROWS && y <= block.bottom; y++) {
            let m = slide(&window, y);
            most = max(most, max(max(m[0], m[1]), max(m[2], m[3])));
        }
    }
    let largest = subgroupMax(u32(max(max(most.x, most.y), max(most.z, most.w))));
    if (lane == 0u) {
        atomicMax(&dst_bins[group.z * (BINS + 1u)], largest);
    }
}

fn bins_of(m: vec4<f32>, largest: u32, scale: f32) -> vec4<u32> {
    let x = sqrt(m) * scale;
    let k = vec4<u32>(x + 0.5);
    let left = vec4<u32>(vec4<i32>(m)) * 65025u;
    let over = bitcast<vec4<i32>>(left - k * k * (65536u / (BINS * BINS) * largest)) >= vec4(0);
    let near = abs(x - vec4<f32>(k)) < vec4(0.25);
    return select(vec4<u32>(x), select(k - 1u, k, over), near);
}

fn scale_of(largest: u32) -> f32 {
    return 0.99609375 * f32(BINS) / sqrt(f32(max(largest, 1u)));
}

fn count_in_lane(bins: vec4<u32>, lane: u32) {
    let at = bins * 8u + lane;
    lanes[at.x] += 1u;
    lanes[at.y] += 1u;
    lanes[at.z] += 1u;
    lanes[at.w] += 1u;
}

@compute @workgroup_size(8)
fn bins_lanes(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    for (var bin = 0u; bin < BINS; bin++) {
        lanes[bin * 8u + lane] = 0u;
    }
    let picture = src_pictures[group.z];
    // Workgroups of 8, whatever WG is elsewhere.
    let block = block_of((group.y * groups.x + group.x) * 8u + lane, picture.width, picture.height);
    let at = group.z * (BINS + 1u);
    if (block.inside) {
        let largest = atomicLoad(&dst_bins[at]);
        let scale = scale_of(largest);
        var window = window_of(picture, block);
        var outside = 0u;
        for (var y = block.first; y < block.first + ROWS && y <= block.bottom; y++) {
            let m = slide(&window, y);
            count_in_lane(bins_of(m[0], largest, scale), lane);
            count_in_lane(bins_of(m[1], largest, scale), lane);
            count_in_lane(bins_of(m[2], largest, scale), lane);
            count_in_lane(bins_of(m[3], largest, scale), lane);
            outside += 16u - window.edge.valid;
        }
        lanes[lane] -= outside;
    }
    workgroupBarrier();
    for (var bin = lane; bin < BINS; bin += 8u) {
        let first = bin * 8u;
        var total = lanes[first] + lanes[first + 1u] + lanes[first + 2u] + lanes[first + 3u];
        total += lanes[first + 4u] + lanes[first + 5u] + lanes[first + 6u] + lanes[first + 7u];
        if (total != 0u) {
            atomicAdd(&dst_bins[at + 1u + bin], total);
        }
    }
}

// Counts all but bin 0 in the table and returns how many were in bin 0.
fn count_in_table(bins: vec4<u32>, table: u32) -> u32 {
    if (bins.x != 0u) {
        atomicAdd(&tables[table + bins.x], 1u);
    }
    if (bins.y != 0u) {
        atomicAdd(&tables[table + bins.y], 1u);
    }
    if (bins.z != 0u) {
        atomicAdd(&tables[table + bins.z], 1u);
    }
    if (bins.w != 0u) {
        atomicAdd(&tables[table + bins.w], 1u);
    }
    return 4u - dot(min(bins, vec4(1u)), vec4(1u));
}

@compute @workgroup_size(WG)
fn bins_atomic(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    for (var i = local; i < (BINS + 1u) * TABLES; i += WG) {
        atomicStore(&tables[i], 0u);
    }
    workgroupBarrier();
    let picture = src_pictures[group.z];
    let block = block_of(item_of(group, groups, local), picture.width, picture.height);
    let at = group.z * (BINS + 1u);
    if (block.inside) {
        let largest = atomicLoad(&dst_bins[at]);
        let scale = scale_of(largest);
        let table = (local >> 5u) % TABLES * (BINS + 1u);
        var window = window_of(picture, block);
        var zeros = 0u;
        for (var y = block.first; y < block.first + ROWS && y <= block.bottom; y++) {
            let m = slide(&window, y);
            zeros += count_in_table(bins_of(m[0], largest, scale), table);
            zeros += count_in_table(bins_of(m[1], largest, scale), table);
            zeros += count_in_table(bins_of(m[2], largest, scale), table);
            zeros += count_in_table(bins_of(m[3], largest, scale), table);
            zeros -= 16u - window.edge.valid;
        }
        atomicAdd(&tables[table], zeros);
    }
    workgroupBarrier();
    for (var bin = local; bin < BINS; bin += WG) {
        var total = 0u;
        for (var t = 0u; t < TABLES; t++) {
            total += atomicLoad(&tables[t * (BINS + 1u) + bin]);
        }
        if (total != 0u) {
            atomicAdd(&dst_bins[at + 1u + bin], total);
        }
    }
}
