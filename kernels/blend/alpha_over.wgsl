// One picture over another: Porter and Duff's "over".
//
// In:   src          upper pictures, packed RGBA, one per workgroup_id.z, sizes may differ; src_second: lower ones
// Out:  dst          pictures of the same sizes, packed RGBA, rows padded to 16 bytes (padding holds anything)
// Algorithm: q = 255 - a; alpha a + (A q + 127) / 255; premultiplied colours min(c + (C q + 127) / 255, 255); straight ones
//       (255 c a + C A q + n/2) / n, n = 255 a + A q. Four pixels an invocation and row. (Porter and Duff 1984)
// Border: none.
// Exact: integers below 2^24 + 2^15; quotients corrected after f32 division.
// Loop bound: ROWS * 3, at most 12.

#import common/divide
#import common/grid
#import common/out_pictures
#import common/pictures
#import common/second_pictures

override WG: u32 = 8u;
override ROWS: u32 = 4u;
override PREMULTIPLIED: bool = false;

@group(0) @binding(1) var<storage, read> src: array<vec4<u32>>;
@group(0) @binding(3) var<storage, read_write> dst: array<vec4<u32>>;

fn over(top: vec4<u32>, bottom: vec4<u32>) -> vec4<u32> {
    let a = top >> vec4(24u);
    let q = 255u - a;
    let below = (bottom >> vec4(24u)) * q;
    let n = 255u * a + below;
    let divisor = max(n, vec4(1u));
    let inverse = 1.0 / vec4<f32>(divisor);
    var out = (a + by255(below + 127u)) << vec4(24u);
    for (var k = 0u; k < 3u; k++) {
        let shift = vec4(8u * k);
        let c = (top >> shift) & vec4(0xffu);
        let d = (bottom >> shift) & vec4(0xffu);
        if (PREMULTIPLIED) {
            out |= min(c + by255(d * q + 127u), vec4(255u)) << shift;
        } else {
            let mixed = quotient_by(255u * c * a + d * below + (n >> vec4(1u)), divisor, inverse);
            out |= select(mixed, vec4(0u), n == vec4(0u)) << shift;
        }
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
    let block = item / picture.stride;
    let v = item - block * picture.stride;
    for (var k = 0u; k < ROWS; k++) {
        let y = block * ROWS + k;
        if (y >= picture.height) {
            break;
        }
        let top = src[picture.first + y * picture.stride + v];
        let bottom = src_second[second.first + y * second.stride + v];
        dst[out.first + y * out.stride + v] = over(top, bottom);
    }
}
