// Number of edge pixels of a picture.
//
// In:   src_bits     bit planes of edges, one bit a pixel, bits behind the width 0; src_pictures tells their places
// Out:  dst_counts   one word a picture, zero before
// Algorithm: population count of 128 pixels a step, ROWS rows an invocation.
// Border: none.
// Exact: integers below 2^31.
// Loop bound: ROWS steps, at most 64.

#import common/grid
#import common/edge_bits
#import common/pictures

override WG: u32 = 8u;
override ROWS: u32 = 32u;

@group(0) @binding(3) var<storage, read_write> dst_counts: array<atomic<u32>>;

@compute @workgroup_size(WG)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
    @builtin(subgroup_invocation_id) lane: u32,
) {
    let total = subgroupAdd(edge_bits(item_of(group, groups, local), src_pictures[group.z], ROWS));
    if (lane == 0u) {
        atomicAdd(&dst_counts[group.z], total);
    }
}
