// Gaussian blur of TAPS x TAPS pixels.
//
// In:   src, src_words   luma, u8 or 10-bit in 16-bit words, or packed RGBA (alpha is blurred like a colour); one picture per
//                        workgroup_id.z, sizes may differ
//       row_taps, column_taps   weights in 256ths that sum to 256
// Out:  dst          bytes (grey or RGBA), rows padded to 16 bytes (padding holds anything)
//       dst_sums     sums along rows, for the second pass
// Algorithm: separable, `rows` then `columns`: (sum of taps^2 * p + 32768) >> 16, nothing rounded in between; the same as OpenCV.
// Border: reflect-101.
// Exact: row sums are integers below 2^16, column sums integers below 2^24 in f32.
// Loop bound: GROUPS * 16 <= 144 (rows), TAPS + 3 <= 34 (columns).

#import common/grid
#import common/out_pictures
#import common/pictures
#import common/bytes
#import common/blur

struct Params {
    first: u32,     // first vec4 of the first result
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(3) var<storage, read_write> dst: array<vec4<u32>>;

@compute @workgroup_size(WG)
fn columns(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let item = item_of(group, groups, local);
    let out = out_pictures[group.z];
    let block = item / out.stride;
    let v = item - block * out.stride;
    let y = 4u * block;
    if (y >= out.height) {
        return;
    }
    let result = blurred(out, y, v);
    let at = out.first + y * out.stride + v;
    dst[at] = result.rows[0];
    if (y + 1u < out.height) {
        dst[at + out.stride] = result.rows[1];
    }
    if (y + 2u < out.height) {
        dst[at + 2u * out.stride] = result.rows[2];
    }
    if (y + 3u < out.height) {
        dst[at + 3u * out.stride] = result.rows[3];
    }
}
