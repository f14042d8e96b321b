// A forward and a reversed pass over the same frames blended.
//
// In:   src          forward pictures, packed RGBA or grey, one per workgroup_id.z, sizes may differ; src_second: reversed ones
//       src_blends   per picture: mode, weights of both passes, their sum n
// Out:  dst          pictures of the same sizes, rows padded to 16 bytes (padding holds anything)
// Algorithm: (f wf + r wr + n/2) / n for every byte, or the pixel with the larger or smaller alpha (of grey pictures:
//       value), the forward one where both are equal. Sixteen bytes an invocation and row.
// Border: none.
// Exact: integers below 2^32; quotients corrected after f32 division.
// Loop bound: ROWS * 4, at most 32.

#import common/divide
#import common/grid
#import common/out_pictures
#import common/pictures
#import common/second_pictures

override WG: u32 = 8u;
override ROWS: u32 = 8u;
// One byte a pixel, else packed RGBA.
override GRAY: bool = false;

const BLEND: u32 = 0u;
const LARGER: u32 = 1u;

@group(0) @binding(1) var<storage, read> src: array<vec4<u32>>;
@group(0) @binding(3) var<storage, read_write> dst: array<vec4<u32>>;
@group(0) @binding(7) var<storage, read> src_blends: array<vec4<u32>>;

// Full words where the forward pixel is chosen.
fn chosen(f: vec4<u32>, r: vec4<u32>, larger: bool) -> vec4<u32> {
    let forward = select(f, r, larger);
    let other = select(r, f, larger);
    return select(vec4(0u), vec4(~0u), forward <= other);
}

fn blend(f: vec4<u32>, r: vec4<u32>, how: vec4<u32>) -> vec4<u32> {
    let larger = how.x == LARGER;
    if (how.x != BLEND && !GRAY) {
        let take = chosen(f >> vec4(24u), r >> vec4(24u), larger);
        return (f & take) | (r & ~take);
    }
    var out = vec4(0u);
    for (var c = 0u; c < 4u; c++) {
        let shift = vec4(8u * c);
        let p = (f >> shift) & vec4(0xffu);
        let q = (r >> shift) & vec4(0xffu);
        let take = chosen(p, q, larger);
        let blended = quotient(p * how.y + q * how.z + how.w / 2u, vec4(how.w));
        out |= select((p & take) | (q & ~take), blended, vec4(how.x == BLEND)) << shift;
    }
    return out;
}

@compute @workgroup_size(WG)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let item = item_of(group, groups, local);
    let picture = src_pictures[group.z];
    let second = src_second_pictures[group.z];
    let out = out_pictures[group.z];
    if (item >= picture.stride * ((picture.height + ROWS - 1u) / ROWS)) {
        return;
    }
    let how = src_blends[group.z];
    let block = item / picture.stride;
    let v = item - block * picture.stride;
    for (var k = 0u; k < ROWS; k++) {
        let y = block * ROWS + k;
        if (y >= picture.height) {
            break;
        }
        let f = src[picture.first + y * picture.stride + v];
        let r = src_second[second.first + y * second.stride + v];
        dst[out.first + y * out.stride + v] = blend(f, r, how);
    }
}
