// Mean of SIZE x SIZE pixels.
//
// In:   src, src_words   luma, u8 or 10-bit in 16-bit words, or packed RGBA (alpha is averaged like a colour); one picture per
//                        workgroup_id.z, sizes may differ
// Out:  dst          bytes (grey or RGBA), rows padded to 16 bytes (padding holds anything)
//       dst_sums     sums along rows, for the second pass: even and odd bytes in 16-bit lanes, two vec4 a column of 16 bytes
// Algorithm: running sums: `rows` along segments of 16 words, `columns` down ROWS rows. A window begins SIZE / 2 pixels before its pixel.
//       Mean of a sum s of D = SIZE^2 pixels: ((s + params.delta) * params.scale) >> 23 up to D = 256; nearest, halves to even, above.
// Border: reflect-101.
// Exact: integers. Row sums below 2^16, column sums below 2^24; the quotient is estimated in f32 and corrected by its remainder.
// Loop bound: SIZE + WORDS <= 271 (rows), SIZE + ROWS <= 510 (columns).

#import common/grid
#import common/out_pictures
#import common/pictures
#import common/bytes

override WG: u32 = 8u;
override ROWS: u32 = 32u;
override SIZE: u32 = 3u;

struct Params {
    first: u32,     // first vec4 of the first result
    delta: u32,     // added to a sum before it is scaled
    scale: u32,     // about 2^23 / D; 0 for D above 256
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(3) var<storage, read_write> dst: array<vec4<u32>>;
@group(0) @binding(7) var<storage, read_write> dst_sums: array<u32>;
@group(0) @binding(7) var<storage, read> sums: array<vec4<u32>>;

const HALF: vec4<u32> = vec4<u32>(0xffffu);
const S16: vec4<u32> = vec4<u32>(16u);
const WORDS: u32 = 16u;

// First vec4 of the sums of row y.
fn sums_at(out: Picture, y: u32) -> u32 {
    return 2u * (out.first - params.first + y * out.stride);
}

// Four luma pixels from pixel x on, which may lie outside.
fn four_from(row: u32, x: i32, width: i32) -> u32 {
    let low = word_at(row, x >> 2u, width);
    let shift = u32(x & 3) * 8u;
    if (shift == 0u) {
        return low;
    }
    return (low >> shift) | (word_at(row, (x >> 2u) + 1, width) << (32u - shift));
}

fn store(out: Picture, y: u32, word: u32, even: u32, odd: u32) {
    let at = sums_at(out, y) * 4u + (word >> 2u) * 8u + (word & 3u);
    dst_sums[at] = even;
    dst_sums[at + 4u] = odd;
}

@compute @workgroup_size(WG)
fn rows(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let item = item_of(group, groups, local);
    let picture = src_pictures[group.z];
    let out = out_pictures[group.z];
    let words = out.stride * 4u;
    let segments = (words + WORDS - 1u) / WORDS;
    let y = item / segments;
    let begin = (item - y * segments) * WORDS;
    if (y >= out.height) {
        return;
    }
    let end = min(begin + WORDS, words);
    let width = i32(picture.width);
    let row = picture.first + y * picture.stride;
    let before = i32(SIZE / 2u);
    let size = i32(SIZE);
    if (RGBA) {
        // Red and blue, green and alpha.
        var even = 0u;
        var odd = 0u;
        var x = i32(begin) - before;
        for (var k = 0; k < size; k++) {
            let w = word_at(row, x + k, width);
            even += w & 0x00ff00ffu;
            odd += (w >> 8u) & 0x00ff00ffu;
        }
        for (var i = begin; i < end; i++) {
            store(out, y, i, even, odd);
            let gone = word_at(row, x, width);
            let come = word_at(row, x + size, width);
            even = even + (come & 0x00ff00ffu) - (gone & 0x00ff00ffu);
            odd = odd + ((come >> 8u) & 0x00ff00ffu) - ((gone >> 8u) & 0x00ff00ffu);
            x += 1;
        }
        return;
    }
    var x = i32(begin * 4u) - before;
    var sum = 0u;
    for (var k = 0; k < size; k++) {
        sum += luma_at(row * 4u, u32(inside(x + k, width)));
    }
    for (var i = begin; i < end; i++) {
        let gone = four_from(row, x, width);
        let come = four_from(row, x + size, width);
        let s1 = sum + (come & 0xffu) - (gone & 0xffu);
        let s2 = s1 + ((come >> 8u) & 0xffu) - ((gone >> 8u) & 0xffu);
        let s3 = s2 + ((come >> 16u) & 0xffu) - ((gone >> 16u) & 0xffu);
        store(out, y, i, sum | (s2 << 16u), s1 | (s3 << 16u));
        sum = s3 + (come >> 24u) - (gone >> 24u);
        x += 4;
    }
}

// Means of four sums.
fn mean(s: vec4<u32>) -> vec4<u32> {
    if (params.scale > 0u) {
        return ((s + params.delta) * params.scale) >> vec4(23u);
    }
    let twice = 2u * SIZE * SIZE;
    let t = 2u * s + SIZE * SIZE;
    var q = vec4<u32>(vec4<f32>(t) / f32(twice));
    q -= select(vec4(0u), vec4(1u), q * twice > t);
    q += select(vec4(0u), vec4(1u), t - q * twice >= vec4(twice));
    // Halfway: to the even one.
    return q - select(vec4(0u), q & vec4(1u), t == q * twice);
}

struct Sum {
    a: vec4<u32>,
    b: vec4<u32>,
    c: vec4<u32>,
    d: vec4<u32>,
}

// A row that enters a window, and one that leaves it.
fn add(sum: ptr<function, Sum>, at: u32) {
    let even = sums[at];
    let odd = sums[at + 1u];
    (*sum).a += even & HALF;
    (*sum).b += even >> S16;
    (*sum).c += odd & HALF;
    (*sum).d += odd >> S16;
}

fn take(sum: ptr<function, Sum>, at: u32) {
    let even = sums[at];
    let odd = sums[at + 1u];
    (*sum).a -= even & HALF;
    (*sum).b -= even >> S16;
    (*sum).c -= odd & HALF;
    (*sum).d -= odd >> S16;
}

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
    let begin = i32(block * ROWS);
    let height = i32(out.height);
    if (begin >= height) {
        return;
    }
    let before = i32(SIZE / 2u);
    let size = i32(SIZE);
    var sum: Sum;
    for (var k = 0; k < size; k++) {
        add(&sum, sums_at(out, u32(inside(begin - before + k, height))) + 2u * v);
    }
    for (var y = begin; y < min(begin + i32(ROWS), height); y++) {
        dst[out.first + u32(y) * out.stride + v] = mean(sum.a) | (mean(sum.c) << S8) | (mean(sum.b) << S16) | (mean(sum.d) << S24);
        take(&sum, sums_at(out, u32(inside(y - before, height))) + 2u * v);
        add(&sum, sums_at(out, u32(inside(y - before + size, height))) + 2u * v);
    }
}
