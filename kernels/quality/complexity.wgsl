// What makes a picture busy: edge pixels, different colours, spread of grey, for a batch of pictures.
//
// In:   src          pictures of any format, sizes may differ; in scan and count_colors workgroup_id.z counts them from number `first` on
//       src_bits     bit planes of the edges of all pictures (edges/canny); src_pictures then tells their places
// Out:  dst_sums     6 words a picture, zero before: sum and sum of squares of grey (two words each, low first), colours, edge pixels
//       dst_map      2 MiB per workgroup_id.z, zero before: a bit per colour (common/color_map)
//       dst_gray     of packed RGB its grey, one byte a pixel, at out_pictures; else not written
// Algorithm: scan reads the picture once: grey (common/gray16), its sums, colours marked. count_colors, count_edges: population counts.
// Border: none. Padding behind the last pixel is masked.
// Exact: integers: an invocation adds at most 16 * ROWS * 255^2.
// Loop bound: ROWS steps, at most 32, with up to 16 new colours each; LOADS steps in count_colors, at most 64.

#import common/color_map
#import common/edge_bits
#import common/gray16
#import common/grid
#import common/out_pictures
#import common/parts
#import common/rgb16
#import common/sum64

override WG: u32 = 8u;
override ROWS: u32 = 16u;
override TAIL: bool = true;

struct Params {
    offset: vec4<i32>,  // see common/rgb16
    chroma: vec4<i32>,
    first: u32,         // number of the first picture
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(6) var<storage, read_write> dst_sums: array<atomic<u32>>;
@group(0) @binding(8) var<storage, read_write> dst_gray: array<vec4<u32>>;

const WORDS: u32 = 6u;

@compute @workgroup_size(WG)
fn scan(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
    @builtin(subgroup_invocation_id) lane: u32,
) {
    let part = part_of(item_of(group, groups, local), group.z);
    let picture = part.picture;
    let x = 16u * part.v;
    let inside = gray_inside(picture.width - x);
    var sum = vec4(0u);
    var sum_sq = vec4(0u);
    for (var y = part.first; y < part.end; y++) {
        let luma = luma_of(picture, part.v, y);
        let p = colors_of(picture, part.v, y, luma);
        mark16(group.z * MAP_WORDS, p, x, picture.width);
        let gray = gray_of(luma, p);
        let a = gray.a * inside.a;
        let b = gray.b * inside.b;
        let c = gray.c * inside.c;
        let d = gray.d * inside.d;
        sum += (a + b) + (c + d);
        sum_sq += (a * a + b * b) + (c * c + d * d);
        if (RGBA) {
            let out = out_pictures[params.first + group.z];
            dst_gray[out.first + y * out.stride + part.v] = gray_packed(gray);
        }
    }
    let at = (params.first + group.z) * WORDS;
    sum64(at, sum.x + sum.y + sum.z + sum.w, lane);
    sum64(at + 2u, sum_sq.x + sum_sq.y + sum_sq.z + sum_sq.w, lane);
}

@compute @workgroup_size(WG)
fn count_colors(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
    @builtin(subgroup_invocation_id) lane: u32,
) {
    let total = subgroupAdd(map_bits(group.z, item_of(group, groups, local)));
    if (lane == 0u && total != 0u) {
        atomicAdd(&dst_sums[(params.first + group.z) * WORDS + 4u], total);
    }
}

@compute @workgroup_size(WG)
fn count_edges(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
    @builtin(subgroup_invocation_id) lane: u32,
) {
    let total = subgroupAdd(edge_bits(item_of(group, groups, local), src_pictures[group.z], ROWS));
    if (lane == 0u) {
        atomicAdd(&dst_sums[group.z * WORDS + 5u], total);
    }
}
