// Luma and edges along the border of a picture: how much seems to be cut off by it.
//
// In:   src          luma plane, u8 or 10-bit in 16-bit words (8 most significant bits used), one picture per workgroup_id.z
//       src_edges    bit planes of edges of the same pictures; src_planes tells their places
// Out:  dst_sums     6 words a picture, zero before: sum, sum of squares (two words each, low first), edge pixels, unused
// Algorithm: sums over the strips of `border` pixels at the top, bottom, left and right, put behind each other: a pixel counts once for
//       each strip it lies in (common/border).
// Border: strips end at the picture.
// Exact: integers; an invocation adds at most 128 * 255^2.
// Loop bound: 8 steps.

#import common/border
#import common/byte_spans
#import common/grid
#import common/luma
#import common/pictures
#import common/sum64

override WG: u32 = 64u;

struct Params {
    border: u32,    // width of the strips in pixels, at least 1
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(3) var<storage, read_write> dst_sums: array<atomic<u32>>;
const WORDS: u32 = 6u;

@compute @workgroup_size(WG)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
    @builtin(subgroup_invocation_id) lane: u32,
) {
    let item = item_of(group, groups, local);
    let part = border_part(item, params.border, src_pictures[group.z], src_planes[group.z]);
    let at = group.z * WORDS;
    sum64(at, part.sum, lane);
    sum64(at + 2u, part.sum_sq, lane);
    let edges = subgroupAdd(part.edges);
    if (lane == 0u) {
        atomicAdd(&dst_sums[at + 4u], edges);
    }
}
