// Scalar fields to maps of f32: divided by a number, by their largest value, or by their sum.
//
// In:   src          bytes, u32 or f32, one field per workgroup_id.z
//       src_sums     results of heatmap/stats for the same fields, 16 words each
// Out:  dst          f32 per pixel: gain * value / divisor, added to what is there where ADD; 0 for a divisor of 0
// Algorithm: 4 values x ROWS rows an invocation.
// Border: none; padding of dst holds anything.
// Exact: not; conversions and one f32 division, which WGSL lets be 2.5 ulp off. A value equal to its divisor gives exactly `gain`.
// Loop bound: ROWS steps, at most 64.

#import common/field
#import common/grid
#import common/out_pictures
#import common/pictures

override WG: u32 = 8u;
override ROWS: u32 = 16u;
// 0: divide by `divisor`; 1: by the largest value; 2: by the sum.
override MODE: u32 = 0u;
override ADD: bool = false;

struct Params {
    divisor: f32,
    gain: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(3) var<storage, read_write> dst: array<vec4<f32>>;
@group(0) @binding(6) var<storage, read> src_sums: array<u32>;

fn wide(at: u32) -> f32 {
    return f32(src_sums[at]) + f32(src_sums[at + 1u]) * 4294967296.0;
}

fn values(bits: vec4<u32>) -> vec4<f32> {
    if (KIND == 2u) {
        return bitcast<vec4<f32>>(bits);
    }
    return vec4<f32>(bits);
}

fn divisor_of(at: u32) -> f32 {
    if (MODE == 0u) {
        return params.divisor;
    }
    let largest = src_sums[at + 12u];
    if (MODE == 1u) {
        return values(vec4(largest)).x;
    }
    let sum = wide(at) + wide(at + 2u) * 65536.0;
    if (KIND != 2u) {
        return sum;
    }
    // The sum is in units of 2^(exponent - 31); in two steps, as that may be smaller than an f32.
    let exponent = clamp(largest >> 23u, 31u, 254u);
    let half = exponent >> 1u;
    return sum * bitcast<f32>((half + 48u) << 23u) * bitcast<f32>((exponent - half + 48u) << 23u);
}

@compute @workgroup_size(WG)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let item = item_of(group, groups, local);
    let field = src_pictures[group.z];
    let out = out_pictures[group.z];
    let columns = (field.width + 3u) >> 2u;
    let block = item / columns;
    let q = item - block * columns;
    let divisor = divisor_of(group.z * 16u);
    for (var k = 0u; k < ROWS; k++) {
        let y = block * ROWS + k;
        if (y >= field.height) {
            break;
        }
        let v = values(quad(field, q, y));
        let share = select(v / select(divisor, 1.0, divisor == 0.0), vec4(1.0), v == vec4(divisor));
        let scaled = select(share * params.gain, vec4(0.0), vec4(divisor == 0.0));
        let at = out.first + y * out.stride + q;
        if (ADD) {
            dst[at] += scaled;
        } else {
            dst[at] = scaled;
        }
    }
}
