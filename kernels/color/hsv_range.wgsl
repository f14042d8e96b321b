// Packed RGB to a mask: white where the 8-bit HSV lies in a range.
//
// In:   src          one word a pixel, R lowest, alpha ignored; one picture per workgroup_id.z, sizes may differ
// Out:  dst          one byte a pixel, 255 inside, else 0; rows padded to 16 bytes (padding holds anything)
// Algorithm: HSV of four pixels in registers as OpenCV (common/hsv), compared with both ends, which belong to the range; a hue whose
//       low end lies above the high one goes through 0. 16 pixels an invocation.
// Border: none.
// Exact: HSV is, and comparisons are.
// Loop bound: ROWS steps, at most 16.

#import common/grid
#import common/hsv
#import common/out_pictures
#import common/pictures

override WG: u32 = 8u;
override ROWS: u32 = 8u;

struct Params {
    low: u32,   // H | S << 8 | V << 16
    high: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> src: array<vec4<u32>>;
@group(0) @binding(3) var<storage, read_write> dst: array<vec4<u32>>;

fn end_of(word: u32, channel: u32) -> vec4<f32> {
    return vec4(f32((word >> (8u * channel)) & 0xffu));
}

fn within(v: vec4<f32>, channel: u32) -> vec4<bool> {
    return (v >= end_of(params.low, channel)) & (v <= end_of(params.high, channel));
}

// Mask of four pixels as one word. Behind the end of a row it reads the row's last vec4.
fn mask4(row: u32, at: u32, stride: u32) -> u32 {
    let p = hsv_of(src[row + min(at, stride - 1u)]);
    let low = end_of(params.low, 0u);
    let high = end_of(params.high, 0u);
    let around = (low > high) & ((p.h >= low) | (p.h <= high));
    let inside = (within(p.h, 0u) | around) & within(p.s, 1u) & within(p.v, 2u);
    let m = select(vec4(0u), vec4(0xffu, 0xff00u, 0xff0000u, 0xff000000u), inside);
    return m.x | m.y | m.z | m.w;
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
    let columns = (picture.width + 15u) >> 4u;
    if (item >= columns * ((picture.height + ROWS - 1u) / ROWS)) {
        return;
    }
    let block = item / columns;
    let v = item - block * columns;
    for (var k = 0u; k < ROWS; k++) {
        let y = block * ROWS + k;
        if (y >= picture.height) {
            break;
        }
        let row = picture.first + y * picture.stride;
        let at = 4u * v;
        dst[out.first + y * out.stride + v] = vec4(
            mask4(row, at, picture.stride),
            mask4(row, at + 1u, picture.stride),
            mask4(row, at + 2u, picture.stride),
            mask4(row, at + 3u, picture.stride),
        );
    }
}
