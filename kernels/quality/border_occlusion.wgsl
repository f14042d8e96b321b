// Luma and edges along the border of a picture: how much seems to be cut off by it.
//
// In:   src          luma plane, u8 or 10-bit in 16-bit words (8 most significant bits used), one picture per workgroup_id.z
//       src_bits     bit planes of edges of the same pictures; src_planes tells their places
// Out:  dst_sums     6 words a picture, zero before: sum, sum of squares (two words each, low first), edge pixels, unused
// Algorithm: sums over the strips of `border` pixels at the top, bottom, left and right, put behind each other: a pixel counts once for
//       each strip it lies in. 128 pixels of a row an invocation.
// Border: strips end at the picture.
// Exact: integers; an invocation adds at most 4 * 128 * 255^2.
// Loop bound: 32 steps.

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
@group(0) @binding(6) var<storage, read> src_bits: array<u32>;
@group(0) @binding(7) var<storage, read> src_planes: array<Picture>;

// Bits of the 16 pixels from x on that lie in from_x .. to_x.
fn inside(x: u32, from_x: u32, to_x: u32) -> u32 {
    let low = min(max(from_x, x) - x, 16u);
    let high = min(max(to_x, x) - x, 16u);
    return (0xffffu << low) & 0xffffu & ((1u << high) - 1u);
}

// 4 bits as 4 bytes of 0 or 255.
fn bytes4(bits: u32) -> u32 {
    return (((bits & 15u) * 0x00204081u) & 0x01010101u) * 255u;
}

@compute @workgroup_size(WG)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
    @builtin(subgroup_invocation_id) lane: u32,
) {
    let item = item_of(group, groups, local);
    let picture = src_pictures[group.z];
    let plane = src_planes[group.z];
    var sum = 0u;
    var sum_sq = 0u;
    var edges = 0u;
    if (item < plane.stride * picture.height) {
        let y = item / plane.stride;
        let c = item - y * plane.stride;
        let b = params.border;
        // Strips of top and bottom hold the whole row, the others its ends.
        let whole = select(0u, 1u, y < b) + select(0u, 1u, picture.height - y <= b);
        let right = max(picture.width, b) - b;
        let columns = (picture.width + 15u) >> 4u;
        let row = picture.first + y * picture.stride;
        for (var v = 8u * c; v < min(8u * c + 8u, columns); v++) {
            let x = 16u * v;
            let ends = vec2(inside(x, 0u, min(b, picture.width)), inside(x, right, picture.width));
            if (whole == 0u && (ends.x | ends.y) == 0u) {
                continue;
            }
            let all = inside(x, 0u, picture.width);
            let w = luma16(row, v);
            let bits = src_bits[(plane.first + y * plane.stride) * 4u + (v >> 1u)] >> (16u * (v & 1u));
            for (var strip = 0u; strip < 3u; strip++) {
                let times = select(1u, whole, strip == 0u);
                let mask = select(select(ends.x, ends.y, strip == 2u), all, strip == 0u);
                if (times == 0u || mask == 0u) {
                    continue;
                }
                let p = w & vec4(bytes4(mask), bytes4(mask >> 4u), bytes4(mask >> 8u), bytes4(mask >> 12u));
                let q = (p & LO) + ((p >> S8) & LO);
                sum += times * sum_lanes(q);
                let parts = array(p & vec4(255u), (p >> S8) & vec4(255u), (p >> S16) & vec4(255u), p >> vec4(24u));
                sum_sq += times * (dot(parts[0], parts[0]) + dot(parts[1], parts[1]) + dot(parts[2], parts[2]) + dot(parts[3], parts[3]));
                edges += times * countOneBits(bits & mask);
            }
        }
    }
    let at = group.z * 6u;
    sum64(at, sum, lane);
    sum64(at + 2u, sum_sq, lane);
    let total = subgroupAdd(edges);
    if (lane == 0u) {
        atomicAdd(&dst_sums[at + 4u], total);
    }
}
