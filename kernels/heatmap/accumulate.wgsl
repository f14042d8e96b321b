// Adds a batch of frames, their differences to the frames before, maps of bits or maps of numbers, to a map of u32 counters.
//
// In:   src          luma plane, u8 or 10-bit in 16-bit words, the frame before one slot before; `numbers`: f32 per pixel
//       src_words    `bits`: one bit a pixel, 32 a word
// Out:  dst_heat     u32 per pixel, 16 * columns of them a row, added to; what lies behind the last pixel of a row means nothing
// Algorithm: 16 pixels an invocation through all frames of the batch, the frame before stays in registers, sums in 16-bit lanes,
//       widened into the map once per batch (docs: ARCHITECTURE.md, "SWAR"). `bits`: 32 pixels an invocation, in nine words of a
//       binary digit of each counter (carry-save). `numbers`: four an invocation, cut off to 0..255 in units of 1 / scale.
// Border: none.
// Exact: integers; of a number one f32 product. A 16-bit lane collects at most 255 * 256 frames = 65280, nine digits hold 256;
//       the host counts frames for the sums.
// Loop bound: one step per frame, at most 256 (checked in bind), and eight to widen `bits`.

#import common/grid
#import common/luma

override WG: u32 = 64u;
// 0: count differences of at least `over`; 1: sum of absolute differences; 2: sum of samples; 3: count samples that are not 0.
override MODE: u32 = 0u;

struct Params {
    base: u32,      // first vec4 of the first frame; at least `slot` where differences are taken
    stride: u32,    // vec4 per row; `bits`: base, stride and slot in words; `numbers`: in vec4 of four
    slot: u32,      // vec4 per frame
    columns: u32,   // vec4 of 16 pixels per row: ceil(width / 16)
    height: u32,    // rows
    over: u32,      // a difference counts from here on: threshold + 1
    frames: u32,    // frames of this dispatch
    scale: f32,     // `numbers`: counts per 1
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(3) var<storage, read_write> dst_heat: array<vec4<u32>>;

struct Halves {
    even: vec4<u32>,
    odd: vec4<u32>,
}

fn halves(w: vec4<u32>) -> Halves {
    return Halves(w & LO, (w >> S8) & LO);
}

// 1 in each 16-bit lane where p and q differ by at least `over`, 1..=256: in one direction or the other.
fn apart(p: vec4<u32>, q: vec4<u32>, over: vec4<u32>) -> vec4<u32> {
    return ((((p | HIGH_BIT) - (q + over)) | ((q | HIGH_BIT) - (p + over))) >> S15) & LOW_BIT;
}

@compute @workgroup_size(WG)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let item = item_of(group, groups, local);
    let y = item / params.columns;
    if (y >= params.height) {
        return;
    }
    let v = item - y * params.columns;
    var row = params.base + y * params.stride;
    var before = vec4(0u);
    if (MODE < 2u) {
        before = luma16(row - params.slot, v);
    }
    let over = vec4(params.over * 0x10001u);
    var even = vec4(0u);
    var odd = vec4(0u);
    var last = halves(before);
    for (var k = 0u; k < params.frames; k++) {
        let now = halves(luma16(row, v));
        if (MODE == 0u) {
            even += apart(now.even, last.even, over);
            odd += apart(now.odd, last.odd, over);
        } else if (MODE == 1u) {
            even += absdiff_lanes(now.even, last.even);
            odd += absdiff_lanes(now.odd, last.odd);
        } else if (MODE == 2u) {
            even += now.even;
            odd += now.odd;
        } else {
            even += at_least_lanes(now.even, LOW_BIT);
            odd += at_least_lanes(now.odd, LOW_BIT);
        }
        last = now;
        row += params.slot;
    }
    let at = (y * params.columns + v) * 4u;
    dst_heat[at] += vec4(even.x & 0xffffu, odd.x & 0xffffu, even.x >> 16u, odd.x >> 16u);
    dst_heat[at + 1u] += vec4(even.y & 0xffffu, odd.y & 0xffffu, even.y >> 16u, odd.y >> 16u);
    dst_heat[at + 2u] += vec4(even.z & 0xffffu, odd.z & 0xffffu, even.z >> 16u, odd.z >> 16u);
    dst_heat[at + 3u] += vec4(even.w & 0xffffu, odd.w & 0xffffu, even.w >> 16u, odd.w >> 16u);
}

// Binary digits 0..=8 of 32 counters, one bit of a word each. Named, not indexed: an array would not stay in registers.
struct Digits {
    a: u32,
    b: u32,
    c: u32,
    d: u32,
    e: u32,
    f: u32,
    g: u32,
    h: u32,
    i: u32,
}

fn count(n: Digits, bits: u32) -> Digits {
    let b = n.a & bits;
    let c = n.b & b;
    let d = n.c & c;
    let e = n.d & d;
    let f = n.e & e;
    let g = n.f & f;
    let h = n.g & g;
    let i = n.h & h;
    return Digits(n.a ^ bits, n.b ^ b, n.c ^ c, n.d ^ d, n.e ^ e, n.f ^ f, n.g ^ g, n.h ^ h, n.i ^ i);
}

// Digit `word` of pixels shift.x, .. as the value it stands for.
fn digit(word: u32, shift: vec4<u32>, place: u32) -> vec4<u32> {
    return ((vec4(word) >> shift) & vec4(1u)) << vec4(place);
}

// Counters of pixels 4i .. 4i+3 of 32; digits that few frames cannot reach are left out.
fn counters(n: Digits, i: u32, frames: u32) -> vec4<u32> {
    let s = vec4(4u * i) + vec4(0u, 1u, 2u, 3u);
    let low = digit(n.a, s, 0u) | digit(n.b, s, 1u) | digit(n.c, s, 2u) | digit(n.d, s, 3u);
    if (frames < 16u) {
        return low;
    }
    return low | digit(n.e, s, 4u) | digit(n.f, s, 5u) | digit(n.g, s, 6u) | digit(n.h, s, 7u) | digit(n.i, s, 8u);
}

@compute @workgroup_size(WG)
fn bits(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let item = item_of(group, groups, local);
    let words = (params.columns + 1u) >> 1u;
    let y = item / words;
    if (y >= params.height) {
        return;
    }
    let v = item - y * words;
    var at = params.base + y * params.stride + v;
    var digits = Digits();
    for (var k = 0u; k < params.frames; k++) {
        digits = count(digits, src_words[at]);
        at += params.slot;
    }
    let first = (y * params.columns + 2u * v) * 4u;
    for (var i = 0u; i < 8u; i++) {
        // The last word of a row may have only 16 counters in the map.
        if (2u * v + (i >> 2u) < params.columns) {
            dst_heat[first + i] += counters(digits, i, params.frames);
        }
    }
}

// Counts of four numbers; what is negative, infinite or none counts as 0.
fn counts(bits: vec4<u32>) -> vec4<u32> {
    let good = ((bits & vec4(0x7f800000u)) != vec4(0x7f800000u)) & ((bits >> vec4(31u)) == vec4(0u));
    let v = bitcast<vec4<f32>>(select(vec4(0u), bits, good));
    return vec4<u32>(min(v * params.scale, vec4(255.0)));
}

@compute @workgroup_size(WG)
fn numbers(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let item = item_of(group, groups, local);
    let quads = params.columns * 4u;
    let y = item / quads;
    if (y >= params.height) {
        return;
    }
    var at = params.base + y * params.stride + item - y * quads;
    var sum = vec4(0u);
    for (var k = 0u; k < params.frames; k++) {
        sum += counts(src[at]);
        at += params.slot;
    }
    dst_heat[item] += sum;
}
