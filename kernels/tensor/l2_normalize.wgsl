// Rows scaled to unit Euclidean length.
//
// In:   src          rows of f32, one per workgroup_id.z, padded with zeros to whole vec4
// Out:  dst          rows of f32 in the same layout, padding zero
// Algorithm: x * 2^-e / |x * 2^-e|, where 2^e is the power of two of the largest magnitude, so that squares neither overflow nor
//       vanish. Each of the WG lanes sums blocks of 16 vec4, then a tree over the lanes. A row of zeros stays zero.
// Border: none.
// Exact: no. Sums of squares in f32 take at most 1 + 16 + 32 + 3 + 6 roundings for 16384 numbers, half of that in the root; root and
//       quotient within 3 ulp each: below 2.5e-6, as declared. Subnormal numbers may count as zero.
// Loop bound: three passes of STEPS / WG vec4 steps, at most 3 * 512, and log2(WG).

override WG: u32 = 8u;

struct Params {
    steps: u32,         // vec4 of a row that hold numbers
    stride: u32,        // vec4 from row to row
    dst_stride: u32,
    base: u32,          // first vec4 of row 0
    dst_base: u32,
    last: u32,          // numbers in the last vec4, 1 to 4
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> src: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> dst: array<vec4<f32>>;

var<workgroup> parts: array<f32, WG>;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let row = params.base + group.z * params.stride;
    var most = 0.0;
    for (var i = lane; i < params.steps; i += WG) {
        let v = abs(src[row + i]);
        most = max(most, max(max(v.x, v.y), max(v.z, v.w)));
    }
    parts[lane] = most;
    workgroupBarrier();
    for (var span = WG / 2u; span > 0u; span /= 2u) {
        if (lane < span) {
            parts[lane] = max(parts[lane], parts[lane + span]);
        }
        workgroupBarrier();
    }
    let largest = parts[0];
    workgroupBarrier();
    // 2^-e from the exponent bits; the largest magnitude becomes 1 to 2 (up to 4 at the end of the range).
    let exponent = bitcast<u32>(largest) >> 23u;
    let scale = bitcast<f32>(max(254u - min(exponent, 254u), 1u) << 23u);
    var sum = vec4(0.0);
    for (var first = lane; first < params.steps; first += 16u * WG) {
        var block = vec4(0.0);
        for (var i = first; i < min(first + 16u * WG, params.steps); i += WG) {
            let v = src[row + i] * scale;
            block += v * v;
        }
        sum += block;
    }
    parts[lane] = (sum.x + sum.y) + (sum.z + sum.w);
    workgroupBarrier();
    for (var span = WG / 2u; span > 0u; span /= 2u) {
        if (lane < span) {
            parts[lane] += parts[lane + span];
        }
        workgroupBarrier();
    }
    let norm = sqrt(parts[0]);
    let to = params.dst_base + group.z * params.dst_stride;
    for (var i = lane; i < params.steps; i += WG) {
        let v = select(vec4(0.0), src[row + i] * scale / norm, exponent > 0u);
        let mask = vec4(0u, 1u, 2u, 3u) < vec4(select(4u, params.last, i + 1u == params.steps));
        dst[to + i] = select(vec4(0.0), v, mask);
    }
}
