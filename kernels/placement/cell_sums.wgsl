// Sums over the cells of scalar fields.
//
// In:   src          bytes, u32 or f32, one field per workgroup_id.z
//       src_cuts     columns + 1 cuts along x, rows + 1 along y, rising; cells are at most 64 wide and high
// Out:  dst          64-bit sums, low word first, SLOTS maps a field: all values; with ACTIVE, of the values above the threshold,
//                    their number, sum, and sums of value * x and value * y, from the cell's or the picture's corner (modulo 2^64)
// Algorithm: a cell an invocation, four values a step, in 16-bit halves that are put together at the end; plain sums of bytes
//       sixteen a step.
// Border: cells stop at the edge of the field.
// Exact: integers; f32 in fixed point. A half collects at most 64 * (3 + 7 + .. + 63) * 65535 < 2^32 as a moment.
// Loop bound: 64 rows of 17 steps, 1152 in all.

#import common/field
#import common/grid
#import common/out_pictures
#import common/pictures
#import common/wide

override WG: u32 = 8u;
override ACTIVE: bool = true;
override FROM_CELL: bool = false;
// Sums of bytes, cells that begin at multiples of 16: sixteen values a step.
override SIXTEEN: bool = false;

struct Params {
    columns: u32,   // cells across
    rows: u32,      // cells down
    threshold: u32, // a value, in fixed point, is active above it
    scale: f32,     // 2^fraction bits
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(3) var<storage, read_write> dst: array<vec2<u32>>;
@group(0) @binding(6) var<storage, read> src_cuts: array<u32>;

const HALF: vec4<u32> = vec4<u32>(0xffffu);
const S16: vec4<u32> = vec4<u32>(16u);

// Sums of the low and of the high halves of values; bytes have no high halves.
struct Halves {
    low: vec4<u32>,
    high: vec4<u32>,
}

fn collect(h: ptr<function, Halves>, v: vec4<u32>, weight: vec4<u32>) {
    (*h).low += (v & HALF) * weight;
    if (KIND != 0u) {
        (*h).high += (v >> S16) * weight;
    }
}

fn total(h: Halves) -> vec2<u32> {
    let x = wide_add(wide_halves(h.low.x, h.high.x), wide_halves(h.low.y, h.high.y));
    return wide_add(x, wide_add(wide_halves(h.low.z, h.high.z), wide_halves(h.low.w, h.high.w)));
}

// Bytes of a vec4 that lie before `end`.
fn bytes_before(v: u32, end: u32) -> vec4<u32> {
    let left = clamp(vec4<i32>(i32(end) - i32(16u * v)) - vec4(0, 4, 8, 12), vec4(0), vec4(4));
    return select((vec4(1u) << vec4<u32>(left * 8)) - vec4(1u), vec4(~0u), left == vec4(4));
}

fn sum_of_bytes(field: Picture, left: u32, right: u32, top: u32, bottom: u32) -> u32 {
    var sum = vec4(0u);
    for (var y = top; y < bottom; y++) {
        // At most four vec4 of two bytes a lane.
        var lanes = vec4(0u);
        for (var v = left >> 4u; v * 16u < right; v++) {
            var w = src[field.first + y * field.stride + v];
            if ((v + 1u) * 16u > right) {
                w &= bytes_before(v, right);
            }
            lanes += (w & vec4(0x00ff00ffu)) + ((w >> vec4(8u)) & vec4(0x00ff00ffu));
        }
        sum += (lanes & HALF) + (lanes >> S16);
    }
    return sum.x + sum.y + sum.z + sum.w;
}

@compute @workgroup_size(WG)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let item = item_of(group, groups, local);
    let row = item / params.columns;
    if (row >= params.rows) {
        return;
    }
    let column = item - row * params.columns;
    let field = src_pictures[group.z];
    let left = src_cuts[column];
    let right = src_cuts[column + 1u];
    let top = src_cuts[params.columns + 1u + row];
    let bottom = src_cuts[params.columns + 2u + row];
    let slots = select(1u, 5u, ACTIVE);
    let out = out_pictures[group.z * slots];
    let at = (out.first + row * out.stride) * 2u + column;
    if (SIXTEEN) {
        dst[at] = vec2(sum_of_bytes(field, left, right, top, bottom), 0u);
        return;
    }
    var all = Halves();
    var hot = Halves();
    var across = Halves();
    var down = Halves();
    var count = vec4(0u);
    for (var y = top; y < bottom; y++) {
        for (var q = left >> 2u; q * 4u < right; q++) {
            let v = select(vec4(0u), fixed(quad(field, q, y), params.scale), inside(q, left, right));
            collect(&all, v, vec4(1u));
            if (ACTIVE) {
                let is = v > vec4(params.threshold);
                let a = select(vec4(0u), v, is);
                count += select(vec4(0u), vec4(1u), is);
                collect(&hot, a, vec4(1u));
                // Beyond the cell the weight is meaningless and the value 0.
                collect(&across, a, vec4(4u * q) + vec4(0u, 1u, 2u, 3u) - left);
                collect(&down, a, vec4(y - top));
            }
        }
    }
    dst[at] = total(all);
    if (ACTIVE) {
        // Maps of a field lie one behind the other.
        let slot = (out_pictures[group.z * slots + 1u].first - out.first) * 2u;
        let sum = total(hot);
        var x = total(across);
        var y = total(down);
        if (!FROM_CELL) {
            x = wide_add(x, wide_scale(sum, left));
            y = wide_add(y, wide_scale(sum, top));
        }
        dst[at + slot] = vec2(count.x + count.y + count.z + count.w, 0u);
        dst[at + 2u * slot] = sum;
        dst[at + 3u * slot] = x;
        dst[at + 4u * slot] = y;
    }
}
