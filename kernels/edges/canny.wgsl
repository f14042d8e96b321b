// Canny edge detector: gradients, suppression and both thresholds fused into two bit planes; bits to bytes after hysteresis.
//
// In:   src          luma plane, u8 or 10-bit in 16-bit words (8 most significant bits used), one picture per workgroup_id.z
// Out:  dst_weak, dst_strong   bit planes, one bit a pixel, rows of whole vec4 (128 pixels): local maxima above `low` and above
//                    `high`; bits behind the width are 0. `widen`: dst, one byte a pixel, 255 where a bit is set, else 0
// Algorithm: Canny 1986 as OpenCV does it: Sobel 3x3, m = |gx| + |gy|, sectors bounded by 13573/32768 (tan 22.5 degrees) and
//       2 + 13573/32768, suppression against both neighbours along the gradient. Sliding window of three gradient rows down ROWS
//       rows, 32 pixels an invocation, pixels in 16-bit lanes; nothing but bits is stored. Hysteresis is edges/hysteresis.
// Border: pixels outside replicate; magnitudes outside are 0.
// Exact: integers below 2^16; the sector bounds are rounded so that the comparison of integers stays exact.
// Loop bound: ROWS + 2 steps, at most 66.

#import common/grid
#import common/luma
#import common/out_pictures
#import common/pictures
#import common/pixels32
#import common/sobel32

override WG: u32 = 8u;
override ROWS: u32 = 40u;

struct Params {
    low: u32,       // thresholds of |gx| + |gy|, below 2^15, in both 16-bit lanes
    high: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(3) var<storage, read_write> dst_weak: array<u32>;
@group(0) @binding(6) var<storage, read_write> dst_strong: array<u32>;
@group(0) @binding(1) var<storage, read> src_bits: array<u32>;
@group(0) @binding(3) var<storage, read_write> dst: array<vec4<u32>>;

// 1 in each lane of m that is a maximum along its gradient: n, e, ... are its neighbours.
fn maxima(m: vec4<u32>, sectors: vec4<u32>, w: vec4<u32>, e: vec4<u32>, n: vec4<u32>, s: vec4<u32>, nw: vec4<u32>,
          se: vec4<u32>, ne: vec4<u32>, sw: vec4<u32>) -> vec4<u32> {
    let h = (sectors & LOW_BIT) * 0xffffu;
    let v = ((sectors >> vec4(1u)) & LOW_BIT) * 0xffffu;
    let differ = ((sectors >> vec4(2u)) & LOW_BIT) * 0xffffu;
    let diagonal = ~(h | v);
    let down = diagonal & ~differ;
    let up = diagonal & differ;
    let before = (w & h) | (n & v) | (nw & down) | (ne & up);
    let behind = (e & h) | (s & v) | (se & down) | (sw & up);
    return at_least_lanes(m, before + LOW_BIT) & at_least_lanes(m, behind + (diagonal & LOW_BIT));
}

// Lanes 0 2 .. 14 and 1 3 .. 15, each 0 or 1, as 16 bits.
fn bits16(even: vec4<u32>, odd: vec4<u32>) -> u32 {
    let pairs = even | (odd << vec4(1u));
    let four = (pairs | (pairs >> vec4(14u))) & vec4(15u);
    return four.x | (four.y << 4u) | (four.z << 8u) | (four.w << 12u);
}

struct Neighbours {
    before: u32,
    after: u32,
}

// Weak and strong bits of 16 pixels of the middle row; the sides of the rows come along.
fn suppress(t: Gradient, m: Gradient, b: Gradient, ts: Neighbours, ms: Neighbours, bs: Neighbours) -> vec2<u32> {
    let tl = left_of_even(t.odd, ts.before);
    let tr = right_of_odd(t.even, ts.after);
    let bl = left_of_even(b.odd, bs.before);
    let br = right_of_odd(b.even, bs.after);
    let even = maxima(m.even, m.sector_even, left_of_even(m.odd, ms.before), m.odd, t.even, b.even, tl, b.odd, t.odd, bl);
    let odd = maxima(m.odd, m.sector_odd, m.even, right_of_odd(m.even, ms.after), t.odd, b.odd, t.even, br, tr, b.even);
    let low = vec4(params.low) + LOW_BIT;
    let high = vec4(params.high) + LOW_BIT;
    return vec2(
        bits16(even & at_least_lanes(m.even, low), odd & at_least_lanes(m.odd, low)),
        bits16(even & at_least_lanes(m.even, high), odd & at_least_lanes(m.odd, high)),
    );
}

fn left_sides(l: Line) -> Neighbours {
    return Neighbours(l.sides & 0xffffu, l.right.even.x & 0xffffu);
}

fn right_sides(l: Line) -> Neighbours {
    return Neighbours(l.left.odd.w >> 16u, l.sides >> 16u);
}

@compute @workgroup_size(WG)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let item = item_of(group, groups, local);
    let picture = src_pictures[group.z];
    let out = out_pictures[group.z];
    let columns = 4u * out.stride;
    if (item >= columns * ((picture.height + ROWS - 1u) / ROWS)) {
        return;
    }
    let block = item / columns;
    let c = item - block * columns;
    let first = block * ROWS;
    let end = min(first + ROWS, picture.height);
    var at = (out.first + first * out.stride) * 4u + c;
    if (32u * c >= picture.width) {
        for (var y = first; y < end; y++) {
            dst_weak[at] = 0u;
            dst_strong[at] = 0u;
            at += columns;
        }
        return;
    }
    let bottom = picture.height - 1u;
    let width = picture.width;
    let start = max(first, 1u) - 1u;
    var top = pixels(picture.first + (max(start, 1u) - 1u) * picture.stride, c, width);
    var mid = pixels(picture.first + start * picture.stride, c, width);
    var above: Line;
    var here: Line;
    // One gradient row ahead of the row that is suppressed.
    for (var y = start; y <= end; y++) {
        var ahead: Line;
        if (y <= bottom) {
            let low = pixels(picture.first + min(y + 1u, bottom) * picture.stride, c, width);
            ahead = line(top, mid, low, width, c);
            top = mid;
            mid = low;
        }
        if (y > first) {
            let a = suppress(above.left, here.left, ahead.left, left_sides(above), left_sides(here), left_sides(ahead));
            let b = suppress(above.right, here.right, ahead.right, right_sides(above), right_sides(here), right_sides(ahead));
            dst_weak[at] = a.x | (b.x << 16u);
            dst_strong[at] = a.y | (b.y << 16u);
            at += columns;
        }
        above = here;
        here = ahead;
    }
}

// Four bits as four bytes, 0 or 255.
fn bytes4(bits: u32) -> u32 {
    return (((bits & 15u) * 0x00204081u) & 0x01010101u) * 255u;
}

fn bytes16(bits: u32) -> vec4<u32> {
    return vec4(bytes4(bits), bytes4(bits >> 4u), bytes4(bits >> 8u), bytes4(bits >> 12u));
}

// src_bits to bytes; src_pictures says where the bits lie, 32 pixels an invocation and step.
@compute @workgroup_size(WG)
fn widen(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let item = item_of(group, groups, local);
    let picture = src_pictures[group.z];
    let out = out_pictures[group.z];
    let columns = (picture.width + 31u) >> 5u;
    if (item >= columns * ((picture.height + ROWS - 1u) / ROWS)) {
        return;
    }
    let block = item / columns;
    let c = item - block * columns;
    let first = block * ROWS;
    for (var y = first; y < min(first + ROWS, picture.height); y++) {
        let bits = src_bits[(picture.first + y * picture.stride) * 4u + c];
        let at = out.first + y * out.stride + 2u * c;
        dst[at] = bytes16(bits);
        if (32u * c + 16u < picture.width) {
            dst[at + 1u] = bytes16(bits >> 16u);
        }
    }
}
