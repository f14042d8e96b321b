// Smallest and largest value, values above a threshold, sum and sum of squares of scalar fields.
//
// In:   src          bytes, u32 or f32, one field per workgroup_id.z
// Out:  dst_sums     16 words a field, zero before. Six numbers of two words, low first: sums of the low and high halves of the
//                    values, and of the four 16-bit digits of their squares; then largest, ~smallest, above the threshold, unused.
//                    f32 values are compared by their bits and summed in fixed point: the largest one lies in 2^31 .. 2^32.
// Algorithm: 4 values x ROWS rows an invocation. `extremes` runs first for f32, whose unit depends on the largest value.
// Border: none; padding is masked.
// Exact: integers; f32 values are cut off below 2^-31 of the power of two at or below the largest one.
// Loop bound: ROWS steps, at most 128 (4 * 128 digits of 16 bits fit into a word, as do those of a subgroup of 128).

#import common/field
#import common/grid
#import common/pictures
#import common/sum64

override WG: u32 = 8u;
override ROWS: u32 = 64u;

struct Params {
    threshold: u32, // a value is active above it; the bits of an f32 for f32
    dst: u32,       // words of dst_sums per field
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(3) var<storage, read_write> dst_sums: array<atomic<u32>>;

const HALF: vec4<u32> = vec4<u32>(0xffffu);
const S16: vec4<u32> = vec4<u32>(16u);

struct Extremes {
    largest: vec4<u32>,
    smallest: vec4<u32>,    // complemented, so that both grow
    hot: vec4<u32>,
}

fn widen(e: ptr<function, Extremes>, v: vec4<u32>, valid: vec4<bool>) {
    (*e).largest = max((*e).largest, select(vec4(0u), v, valid));
    (*e).smallest = max((*e).smallest, select(vec4(0u), ~v, valid));
    (*e).hot += select(vec4(0u), vec4(1u), valid & (v > vec4(params.threshold)));
}

fn largest_of(v: vec4<u32>) -> u32 {
    return subgroupMax(max(max(v.x, v.y), max(v.z, v.w)));
}

fn total_of(v: vec4<u32>) -> u32 {
    return v.x + v.y + v.z + v.w;
}

fn store(e: Extremes, at: u32, lane: u32) {
    let largest = largest_of(e.largest);
    let smallest = largest_of(e.smallest);
    let hot = subgroupAdd(total_of(e.hot));
    if (lane == 0u) {
        atomicMax(&dst_sums[at + 12u], largest);
        atomicMax(&dst_sums[at + 13u], smallest);
        atomicAdd(&dst_sums[at + 14u], hot);
    }
}

@compute @workgroup_size(WG)
fn extremes(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
    @builtin(subgroup_invocation_id) lane: u32,
) {
    let item = item_of(group, groups, local);
    let field = src_pictures[group.z];
    let columns = (field.width + 3u) >> 2u;
    let block = item / columns;
    let q = item - block * columns;
    let valid = inside(q, 0u, field.width);
    var e = Extremes();
    for (var k = 0u; k < ROWS; k++) {
        let y = block * ROWS + k;
        if (y >= field.height) {
            break;
        }
        widen(&e, quad(field, q, y), valid);
    }
    store(e, group.z * params.dst, lane);
}

@compute @workgroup_size(WG)
fn sums(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
    @builtin(subgroup_invocation_id) lane: u32,
) {
    let item = item_of(group, groups, local);
    let field = src_pictures[group.z];
    let at = group.z * params.dst;
    let columns = (field.width + 3u) >> 2u;
    let block = item / columns;
    let q = item - block * columns;
    let valid = inside(q, 0u, field.width);
    // 2^(31 - exponent of the largest value).
    let exponent = clamp(atomicLoad(&dst_sums[at + 12u]) >> 23u, 31u, 254u);
    let scale = bitcast<f32>((285u - exponent) << 23u);
    var e = Extremes();
    var low = vec4(0u);
    var high = vec4(0u);
    var digits = array<vec4<u32>, 4>();
    for (var k = 0u; k < ROWS; k++) {
        let y = block * ROWS + k;
        if (y >= field.height) {
            break;
        }
        let v = quad(field, q, y);
        if (KIND != 2u) {
            widen(&e, v, valid);
        }
        let n = select(vec4(0u), fixed(v, scale), valid);
        let a = n & HALF;
        let b = n >> S16;
        low += a;
        high += b;
        // n^2 = a^2 + 2ab 2^16 + b^2 2^32, without losing a carry.
        let aa = a * a;
        let mid = a * b + (aa >> S16);
        let other = a * b + (mid & HALF);
        let top = b * b + (mid >> S16) + (other >> S16);
        digits[0] += aa & HALF;
        digits[1] += other & HALF;
        digits[2] += top & HALF;
        digits[3] += top >> S16;
    }
    if (KIND != 2u) {
        store(e, at, lane);
    }
    sum64(at, total_of(low), lane);
    sum64(at + 2u, total_of(high), lane);
    sum64(at + 4u, total_of(digits[0]), lane);
    sum64(at + 6u, total_of(digits[1]), lane);
    sum64(at + 8u, total_of(digits[2]), lane);
    sum64(at + 10u, total_of(digits[3]), lane);
}
