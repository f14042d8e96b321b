// Number of different 24-bit colours of each picture of a batch.
//
// In:   src          pictures of any format, sizes may differ; workgroup_id.z counts pictures from number `first` on
// Out:  dst_map      2^24 bits (2 MiB) per workgroup_id.z, zero before: a bit is set where its colour occurs
//       dst_counts   one u32 per picture, zero before
// Algorithm: mark: YUV turns to RGB in registers (common/rgb16); a bit is set where it is not set yet (common/color_map). count:
//       population count of the map.
// Border: none. Padding behind the last pixel takes the colour of a pixel.
// Exact: integers.
// Loop bound: ROWS steps in mark, at most 16, with up to 16 new colours each; LOADS steps in count, at most 64.

#import common/color_map
#import common/grid
#import common/parts
#import common/rgb16

override WG: u32 = 8u;
override TAIL: bool = true;
override ROWS: u32 = 16u;

struct Params {
    offset: vec4<i32>,  // see common/rgb16
    chroma: vec4<i32>,
    first: u32,         // number of the first picture
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(6) var<storage, read_write> dst_counts: array<atomic<u32>>;

@compute @workgroup_size(WG)
fn mark(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let part = part_of(item_of(group, groups, local), group.z);
    for (var y = part.first; y < part.end; y++) {
        mark16(group.z * MAP_WORDS, colors16(part.picture, part.v, y), 16u * part.v, part.picture.width);
    }
}

@compute @workgroup_size(WG)
fn count(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
    @builtin(subgroup_invocation_id) lane: u32,
) {
    let total = subgroupAdd(map_bits(group.z, item_of(group, groups, local)));
    if (lane == 0u && total != 0u) {
        atomicAdd(&dst_counts[params.first + group.z], total);
    }
}
