// Number of different 24-bit colours of each picture of a batch.
//
// In:   src          pictures of any format, sizes may differ; workgroup_id.z counts pictures from number `first` on
// Out:  dst_map      2^24 bits (2 MiB) per workgroup_id.z, zero before: bit R + 256 G + 65536 B is set where the colour occurs
//       dst_counts   one u32 per picture, zero before
// Algorithm: mark: YUV turns to RGB in registers (common/rgb16); a bit is set by atomicOr only where it is not set yet, which leaves
//       few atomics. count: population count of the map.
// Border: none. Padding behind the last pixel takes the colour of a pixel.
// Exact: integers.
// Loop bound: ROWS steps in mark, at most 16; LOADS steps in count, at most 64.

#import common/grid
#import common/rgb16

override WG: u32 = 8u;
override TAIL: bool = true;
override ROWS: u32 = 16u;
override LOADS: u32 = 64u;

struct Params {
    offset: vec4<i32>,  // see common/rgb16
    chroma: vec4<i32>,
    first: u32,         // number of the first picture
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(3) var<storage, read_write> dst_map: array<atomic<u32>>;
@group(0) @binding(6) var<storage, read_write> dst_counts: array<atomic<u32>>;
// The map once more, for counting.
@group(0) @binding(7) var<storage, read> map: array<vec4<u32>>;

const MAP_WORDS: u32 = 524288u;

fn mark1(base: u32, colour: u32) {
    let at = base + (colour >> 5u);
    let bit = 1u << (colour & 31u);
    if ((atomicLoad(&dst_map[at]) & bit) == 0u) {
        atomicOr(&dst_map[at], bit);
    }
}

// Colours of pixels x .. x+3; behind the row's end that of `instead`.
fn mark4(base: u32, p: vec4<u32>, x: u32, width: u32, instead: u32) {
    var colour = p & vec4(0xffffffu);
    if (TAIL) {
        colour = select(vec4(instead & 0xffffffu), colour, vec4(x) + vec4(0u, 1u, 2u, 3u) < vec4(width));
    }
    mark1(base, colour.x);
    mark1(base, colour.y);
    mark1(base, colour.z);
    mark1(base, colour.w);
}

@compute @workgroup_size(WG)
fn mark(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let item = item_of(group, groups, local);
    let picture = src_pictures[params.first + group.z];
    let columns = (picture.width + 15u) >> 4u;
    if (item >= columns * ((picture.height + ROWS - 1u) / ROWS)) {
        return;
    }
    let block = item / columns;
    let v = item - block * columns;
    let base = group.z * MAP_WORDS;
    for (var k = 0u; k < ROWS; k++) {
        let y = block * ROWS + k;
        if (y >= picture.height) {
            break;
        }
        let p = colors16(picture, v, y);
        let x = v * 16u;
        mark4(base, p.a, x, picture.width, p.a.x);
        mark4(base, p.b, x + 4u, picture.width, p.a.x);
        mark4(base, p.c, x + 8u, picture.width, p.a.x);
        mark4(base, p.d, x + 12u, picture.width, p.a.x);
    }
}

@compute @workgroup_size(WG)
fn count(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
    @builtin(subgroup_invocation_id) lane: u32,
) {
    let invocations = MAP_WORDS / 4u / LOADS;
    let item = item_of(group, groups, local);
    var bits = vec4(0u);
    if (item < invocations) {
        let base = group.z * (MAP_WORDS / 4u) + item;
        for (var k = 0u; k < LOADS; k++) {
            bits += countOneBits(map[base + k * invocations]);
        }
    }
    let total = subgroupAdd(bits.x + bits.y + bits.z + bits.w);
    if (lane == 0u && total != 0u) {
        atomicAdd(&dst_counts[params.first + group.z], total);
    }
}
