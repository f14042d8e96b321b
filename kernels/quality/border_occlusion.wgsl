// Luma and edges along the border of a picture: how much seems to be cut off by it.
//
// In:   src          luma plane, u8 or 10-bit in 16-bit words (8 most significant bits used), one picture per workgroup_id.z
//       src_bits     bit planes of edges of the same pictures; src_planes tells their places
// Out:  dst_sums     6 words a picture, zero before: sum, sum of squares (two words each, low first), edge pixels, unused
// Algorithm: sums over the strips of `border` pixels at the top, bottom, left and right, put behind each other: a pixel counts once for
//       each strip it lies in. An invocation takes 128 pixels: of a row of the top and bottom strips, in a column of 16 of the others.
// Border: strips end at the picture.
// Exact: integers; an invocation adds at most 128 * 255^2.
// Loop bound: 8 steps.

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

// Eight steps through a strip: columns of 16 pixels and rows, pixels from_x .. to_x.
struct Walk {
    v: u32,
    y: u32,
    along: bool,    // a row, else a column
    from_x: u32,
    to_x: u32,
    end_y: u32,     // no rows behind the last item
}

fn walk_of(item: u32, width: u32, height: u32) -> Walk {
    let down = min(params.border, height);
    let across = min(params.border, width);
    let segments = (width + 127u) >> 7u;
    let rows = down * segments;
    if (item < 2u * rows) {
        let top = item < rows;
        let i = select(item - rows, item, top);
        let y = i / segments;
        return Walk((i - y * segments) * 8u, select(height - down + y, y, top), true, 0u, width, height);
    }
    let blocks = (height + 7u) >> 3u;
    let i = item - 2u * rows;
    let v = i / blocks;
    let y = (i - v * blocks) * 8u;
    // Left columns, then right ones.
    let lefts = (across + 15u) >> 4u;
    if (v < lefts) {
        return Walk(v, y, false, 0u, across, height);
    }
    let first = (width - across) >> 4u;
    let right = first + v - lefts;
    return Walk(right, y, false, width - across, width, select(0u, height, 16u * right < width));
}

@compute @workgroup_size(WG)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
    @builtin(subgroup_invocation_id) lane: u32,
) {
    let picture = src_pictures[group.z];
    let plane = src_planes[group.z];
    let walk = walk_of(item_of(group, groups, local), picture.width, picture.height);
    var sum = vec4(0u);
    var sum_sq = 0u;
    var edges = 0u;
    for (var k = 0u; k < 8u; k++) {
        let v = select(walk.v, walk.v + k, walk.along);
        let y = select(walk.y + k, walk.y, walk.along);
        let mask = inside(16u * v, walk.from_x, walk.to_x);
        if (y >= walk.end_y || mask == 0u) {
            break;
        }
        let w = luma16(picture.first + y * picture.stride, v);
        let p = w & vec4(bytes4(mask), bytes4(mask >> 4u), bytes4(mask >> 8u), bytes4(mask >> 12u));
        sum += (p & LO) + ((p >> S8) & LO);
        let a = p & vec4(255u);
        let b = (p >> S8) & vec4(255u);
        let c = (p >> S16) & vec4(255u);
        let d = p >> vec4(24u);
        sum_sq += dot(a, a) + dot(b, b) + dot(c, c) + dot(d, d);
        let bits = src_bits[(plane.first + y * plane.stride) * 4u + (v >> 1u)] >> (16u * (v & 1u));
        edges += countOneBits(bits & mask);
    }
    let at = group.z * 6u;
    sum64(at, sum_lanes(sum), lane);
    sum64(at + 2u, sum_sq, lane);
    let total = subgroupAdd(edges);
    if (lane == 0u) {
        atomicAdd(&dst_sums[at + 4u], total);
    }
}
