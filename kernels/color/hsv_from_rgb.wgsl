// Packed RGB to 8-bit HSV: H in half degrees 0..179, S and V 0..255.
//
// In:   src          one word a pixel, R lowest, alpha ignored; one frame per workgroup_id.z
// Out:  dst          one word a pixel, H lowest, then S, V, 0; rows padded to 16 bytes (padding holds anything)
// Algorithm: V = max, d = V - min, S = (d * q(255*4096, V) + 2048) >> 12, H = (h * q(30*4096, d) + 2048) >> 12, where q is
//       the quotient rounded to nearest and h the signed distance in sextants; as OpenCV for 8 bits. Four pixels a step.
// Border: none.
// Exact: integers; quotients are estimated in f32 and corrected by their integer remainder, so no rounding of f32 shows.
// Loop bound: ROWS steps, at most 64.

#import common/grid

override WG: u32 = 8u;
override ROWS: u32 = 16u;

struct Params {
    base: u32,        // first vec4 of frame 0
    slot: u32,        // vec4 per frame
    height: u32,      // rows
    columns: u32,     // vec4 per row of source and result: ceil(width / 4)
    blocks: u32,      // row blocks: ceil(height / ROWS)
    dst_base: u32,    // first vec4 of frame 0
    dst_slot: u32,    // vec4 per frame
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> src: array<vec4<u32>>;
@group(0) @binding(2) var<storage, read_write> dst: array<vec4<u32>>;

const BYTE: vec4<i32> = vec4<i32>(0xff);
const ZERO: vec4<i32> = vec4<i32>(0);

// (2n + d) / (2d), that is n/d rounded to nearest (halves up; there are none for the two n in use), 0 for d = 0.
// 2n + d is below 2^24, so it is exact in f32, and the estimate is off by one at most.
fn rounded_quotient(n: i32, d: vec4<i32>) -> vec4<i32> {
    let twice = max(d << vec4(1u), vec4(1));
    let top = vec4(2 * n) + d;
    var q = vec4<i32>(vec4<f32>(top) / vec4<f32>(twice));
    let rest = top - q * twice;
    q = select(select(q, q + 1, rest >= twice), q - 1, rest < ZERO);
    return select(q, ZERO, d == ZERO);
}

fn hsv(p: vec4<u32>) -> vec4<u32> {
    let r = vec4<i32>(p) & BYTE;
    let g = vec4<i32>(p >> vec4(8u)) & BYTE;
    let b = vec4<i32>(p >> vec4(16u)) & BYTE;
    let v = max(max(r, g), b);
    let d = v - min(min(r, g), b);
    let s = (d * rounded_quotient(255 << 12u, v) + 2048) >> vec4(12u);
    let sextants = select(select(r - g + d * 4, b - r + d * 2, v == g), g - b, v == r);
    let h = (sextants * rounded_quotient(30 << 12u, d) + 2048) >> vec4(12u);
    return vec4<u32>(select(h, h + 180, h < ZERO) | (s << vec4(8u)) | (v << vec4(16u)));
}

@compute @workgroup_size(WG)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let item = item_of(group, groups, local);
    if (item >= params.columns * params.blocks) {
        return;
    }
    let block = item / params.columns;
    let v = item - block * params.columns;
    for (var k = 0u; k < ROWS; k++) {
        let y = block * ROWS + k;
        if (y >= params.height) {
            break;
        }
        let at = y * params.columns + v;
        dst[params.dst_base + group.z * params.dst_slot + at] = hsv(src[params.base + group.z * params.slot + at]);
    }
}
