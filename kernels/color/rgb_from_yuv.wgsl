// Pictures as decoded to packed 8-bit RGB with alpha 255.
//
// In:   src          8-bit or 10-bit YUV of any subsampling and plane layout, or grey; one picture per workgroup_id.z, sizes may differ
// Out:  dst          one word a pixel, R lowest, rows padded to 16 bytes (padding holds anything)
// Algorithm: ITU-R BT.601 / 709 / 2020 in integers: clamp((luma*y + chroma terms + offset) >> 20), 16 pixels an invocation in 16-bit
//       lanes; chroma nearest, or bilinear in 16ths, (sum + 8) >> 4, at the siting of the stream (common/rgb16).
// Border: chroma taps are clamped to their plane.
// Exact: integers; all partial sums below 1200 * 2^20 (core::RgbCoefficients), chroma sums at most 16 * 1023 + 8 a lane.
// Loop bound: ROWS steps, at most 16.

#import common/grid
#import common/out_pictures
#import common/rgb16

override WG: u32 = 8u;
override ROWS: u32 = 8u;

struct Params {
    offset: vec4<i32>,  // see common/rgb16
    chroma: vec4<i32>,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(3) var<storage, read_write> dst: array<vec4<u32>>;

const ALPHA: vec4<u32> = vec4<u32>(0xff000000u);

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
        let p = colors16(picture, v, y);
        let row = out.first + y * out.stride;
        let at = 4u * v;
        dst[row + at] = p.a | ALPHA;
        if (at + 1u < out.stride) {
            dst[row + at + 1u] = p.b | ALPHA;
        }
        if (at + 2u < out.stride) {
            dst[row + at + 2u] = p.c | ALPHA;
        }
        if (at + 3u < out.stride) {
            dst[row + at + 3u] = p.d | ALPHA;
        }
    }
}
