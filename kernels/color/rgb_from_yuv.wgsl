// Frames as decoded to packed 8-bit RGB with alpha 255.
//
// In:   src          8-bit or 10-bit YUV of any subsampling and plane layout, or grey; one frame per workgroup_id.z
// Out:  dst          one word a pixel, R lowest, rows padded to 16 bytes (padding holds anything)
// Algorithm: ITU-R BT.601 / 709 / 2020 in integers: clamp((luma*y + chroma terms + offset) >> 20), 16 pixels an invocation in 16-bit
//       lanes; chroma nearest, or bilinear in 16ths, (sum + 8) >> 4, at the siting of the stream.
// Border: chroma taps are clamped to their plane.
// Exact: integers; all partial sums below 1200 * 2^20 (core::RgbCoefficients), chroma sums at most 16 * 1023 + 8 a lane.
// Loop bound: ROWS steps, at most 16.

#import common/grid
#import common/lanes16

override WG: u32 = 8u;
override ROWS: u32 = 8u;
override GRAY: bool = false;
// Chroma: U and V in one plane; log2 of the subsampling; bilinear instead of nearest; co-sited with luma across and down.
override SEMI: bool = false;
override SX: u32 = 1u;
override SY: u32 = 1u;
override BILINEAR: bool = false;
override COSITED_X: bool = true;
override COSITED_Y: bool = false;

struct Params {
    offset: vec4<i32>,  // constants of R, G, B with the rounding half; luma factor
    chroma: vec4<i32>,  // V to R, U to G, V to G, U to B
    base: u32,          // first vec4 of luma of frame 0
    stride: u32,        // vec4 per luma row
    u_base: u32,        // first vec4 of U, or of U V
    v_base: u32,        // first vec4 of V
    c_stride: u32,      // vec4 per chroma row
    slot: u32,          // vec4 per frame
    height: u32,        // rows
    c_width: u32,       // chroma samples per row
    c_height: u32,      // chroma rows
    columns: u32,       // invocations per row: ceil(width / 16)
    blocks: u32,        // row blocks: ceil(height / ROWS)
    dst_base: u32,      // first vec4 of frame 0
    dst_stride: u32,    // vec4 per row
    dst_slot: u32,      // vec4 per frame
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(3) var<storage, read_write> dst: array<vec4<u32>>;

// Eight samples of U and of V in 16-bit lanes, in order.
struct Chroma {
    u: vec4<u32>,
    v: vec4<u32>,
}

// Row starts of U and V in frame `frame`.
fn chroma_rows(y: u32, frame: u32) -> vec2<u32> {
    return vec2(params.u_base, params.v_base) + vec2(frame * params.slot + y * params.c_stride);
}

fn chroma8(rows: vec2<u32>, v: u32) -> Chroma {
    if (SEMI) {
        let s = sixteen(rows.x, v);
        return Chroma(s.even, s.odd);
    }
    return Chroma(eight(rows.x, v), eight(rows.y, v));
}

// U and V number k of a row.
fn chroma1(rows: vec2<u32>, k: u32) -> vec2<u32> {
    if (SEMI) {
        return vec2(sample(rows.x, 2u * k), sample(rows.x, 2u * k + 1u));
    }
    return vec2(sample(rows.x, k), sample(rows.y, k));
}

// Full 16-bit lane of the last chroma sample of a row, if it is among the eight of column v.
fn last_lane(v: u32) -> vec4<u32> {
    let lane = params.c_width - 1u - 8u * v;
    return select(vec4(0u), vec4(0xffffu << ((lane & 1u) * 16u)), vec4(0u, 1u, 2u, 3u) == vec4(lane >> 1u));
}

// Even and odd pixels from eight samples in quarters, their neighbours beside them; `edge` replicates the last sample.
fn across(s: vec4<u32>, before: u32, after: u32, edge: vec4<u32>) -> Sixteen {
    let next = (((s >> S16) | (vec4(s.y, s.z, s.w, after) << S16)) & ~edge) | (s & edge);
    let half = vec4(0x00080008u);
    if (COSITED_X) {
        let even = (s << vec4(2u)) + half;
        let odd = ((s + next) << vec4(1u)) + half;
        return Sixteen((even >> vec4(4u)) & CODE, (odd >> vec4(4u)) & CODE);
    }
    let previous = (s << S16) | vec4(before, s.x >> 16u, s.y >> 16u, s.z >> 16u);
    let three = s * 3u + half;
    return Sixteen(((previous + three) >> vec4(4u)) & CODE, ((next + three) >> vec4(4u)) & CODE);
}

// The two chroma rows of luma row y, with weights in quarters: (first, second, weight, weight).
fn down(y: u32) -> vec4<u32> {
    let k = y >> SY;
    if (SY == 0u) {
        return vec4(k, k, 4u, 0u);
    }
    let after = min(k + 1u, params.c_height - 1u);
    let odd = (y & 1u) == 1u;
    if (COSITED_Y) {
        return select(vec4(k, k, 4u, 0u), vec4(k, after, 2u, 2u), odd);
    }
    return select(vec4(max(k, 1u) - 1u, k, 1u, 3u), vec4(k, after, 3u, 1u), odd);
}

// Four pixels.
fn rgb(y: vec4<u32>, u: vec4<u32>, v: vec4<u32>) -> vec4<u32> {
    let luma = vec4<i32>(y) * params.offset.w;
    let cu = vec4<i32>(u);
    let cv = vec4<i32>(v);
    let low = vec4(0);
    let high = vec4(255);
    let r = clamp((luma + (cv * params.chroma.x + params.offset.x)) >> vec4(20u), low, high);
    let g = clamp((luma + (cu * params.chroma.y + cv * params.chroma.z + params.offset.y)) >> vec4(20u), low, high);
    let b = clamp((luma + (cu * params.chroma.w + params.offset.z)) >> vec4(20u), low, high);
    return vec4<u32>(r | (g << vec4(8u)) | (b << S16)) | vec4(0xff000000u);
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
    let edge = last_lane(v);
    for (var k = 0u; k < ROWS; k++) {
        let y = block * ROWS + k;
        if (y >= params.height) {
            break;
        }
        let luma = sixteen(params.base + group.z * params.slot + y * params.stride, v);
        // Pixels 0 4 8 12, 1 5 9 13, 2 6 10 14 and 3 7 11 15.
        var a: vec4<u32>;
        var b: vec4<u32>;
        var c: vec4<u32>;
        var d: vec4<u32>;
        if (GRAY) {
            a = (luma.even & HALF) * 0x10101u | vec4(0xff000000u);
            b = (luma.odd & HALF) * 0x10101u | vec4(0xff000000u);
            c = (luma.even >> S16) * 0x10101u | vec4(0xff000000u);
            d = (luma.odd >> S16) * 0x10101u | vec4(0xff000000u);
        } else {
            var us: Sixteen;
            var vs: Sixteen;
            if (SX == 0u) {
                let rows = chroma_rows(y, group.z);
                us = sixteen(rows.x, v);
                vs = sixteen(rows.y, v);
            } else if (BILINEAR) {
                let taps = down(y);
                let first = chroma_rows(taps.x, group.z);
                let second = chroma_rows(taps.y, group.z);
                let p = chroma8(first, v);
                let q = chroma8(second, v);
                let left = max(8u * v, 1u) - 1u;
                let right = min(8u * v + 8u, params.c_width - 1u);
                let before = chroma1(first, left) * taps.z + chroma1(second, left) * taps.w;
                let after = chroma1(first, right) * taps.z + chroma1(second, right) * taps.w;
                us = across(p.u * taps.z + q.u * taps.w, before.x, after.x, edge);
                vs = across(p.v * taps.z + q.v * taps.w, before.y, after.y, edge);
            } else {
                let near = chroma8(chroma_rows(y >> SY, group.z), v);
                us = Sixteen(near.u, near.u);
                vs = Sixteen(near.v, near.v);
            }
            a = rgb(luma.even & HALF, us.even & HALF, vs.even & HALF);
            b = rgb(luma.odd & HALF, us.odd & HALF, vs.odd & HALF);
            c = rgb(luma.even >> S16, us.even >> S16, vs.even >> S16);
            d = rgb(luma.odd >> S16, us.odd >> S16, vs.odd >> S16);
        }
        let row = params.dst_base + group.z * params.dst_slot + y * params.dst_stride;
        let at = 4u * v;
        dst[row + at] = vec4(a.x, b.x, c.x, d.x);
        if (at + 1u < params.dst_stride) {
            dst[row + at + 1u] = vec4(a.y, b.y, c.y, d.y);
        }
        if (at + 2u < params.dst_stride) {
            dst[row + at + 2u] = vec4(a.z, b.z, c.z, d.z);
        }
        if (at + 3u < params.dst_stride) {
            dst[row + at + 3u] = vec4(a.w, b.w, c.w, d.w);
        }
    }
}
