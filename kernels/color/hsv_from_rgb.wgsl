// Packed RGB to 8-bit HSV: H in half degrees 0..179, S and V 0..255.
//
// In:   src          one word a pixel, R lowest, alpha ignored; one picture per workgroup_id.z, sizes may differ
// Out:  dst          one word a pixel, H lowest, then S, V, 0; rows padded to 16 bytes (padding holds anything)
// Algorithm: V = max, d = V - min, S = (d * q(255*4096, V) + 2048) >> 12, H = (h * q(30*4096, d) + 2048) >> 12, where q is
//       the quotient rounded to nearest and h the signed distance in sextants; as OpenCV for 8 bits (common/hsv). Four pixels a step.
// Border: none.
// Exact: f32 that hold integers below 2^24; quotients are estimated and corrected by their remainder, so no rounding shows.
// Loop bound: ROWS steps, at most 64.

#import common/grid
#import common/hsv
#import common/out_pictures
#import common/pictures

override WG: u32 = 8u;
override ROWS: u32 = 16u;

@group(0) @binding(1) var<storage, read> src: array<vec4<u32>>;
@group(0) @binding(3) var<storage, read_write> dst: array<vec4<u32>>;

@compute @workgroup_size(WG)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let item = item_of(group, groups, local);
    let picture = src_pictures[group.z];
    let out = out_pictures[group.z];
    let columns = picture.stride;
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
        let p = hsv_of(src[picture.first + y * columns + v]);
        dst[out.first + y * out.stride + v] = vec4<u32>(p.h) | (vec4<u32>(p.s) << vec4(8u)) | (vec4<u32>(p.v) << vec4(16u));
    }
}
