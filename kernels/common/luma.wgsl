// Luma samples, 16 at a time, as packed bytes; 10-bit samples are reduced to their 8 most significant bits.
//
// Positions are in vec4 units (16 bytes). WIDE: two vec4 for 16 pixels. SHIFT: right shift to 8 bits.

#import common/samples

const S15: vec4<u32> = vec4<u32>(15u);
const HIGH_BIT: vec4<u32> = vec4<u32>(0x80008000u);
const LOW_BIT: vec4<u32> = vec4<u32>(0x00010001u);

// Pixels 16v .. 16v+15 of the row that starts at vec4 `row`; pixel 0 in the lowest byte of x.
// Past the end of the row the bytes are padding: mask them.
fn luma16(row: u32, v: u32) -> vec4<u32> {
    if (!WIDE) {
        return src[row + v];
    }
    let a = (src[row + 2u * v] >> vec4(SHIFT)) & LO;
    let b = (src[min(row + 2u * v + 1u, arrayLength(&src) - 1u)] >> vec4(SHIFT)) & LO;
    let p = vec4(a.x, a.z, b.x, b.z);
    let q = vec4(a.y, a.w, b.y, b.w);
    return (p & vec4(0xffu)) | ((p >> S8) & vec4(0xff00u)) | ((q & vec4(0xffu)) << S16) | ((q << S8) & vec4(0xff000000u));
}

// Pixel 16v-1 of the row; meaningless for v = 0.
fn luma_before(row: u32, v: u32) -> u32 {
    if (!WIDE) {
        return src_words[max((row + v) * 4u, 1u) - 1u] >> 24u;
    }
    return (src_words[max((row + 2u * v) * 4u, 1u) - 1u] >> (16u + SHIFT)) & 255u;
}

// Pixel 16v+16 of the row; meaningless for the last v.
fn luma_after(row: u32, v: u32) -> u32 {
    let last = arrayLength(&src_words) - 1u;
    if (!WIDE) {
        return src_words[min((row + v) * 4u + 4u, last)] & 255u;
    }
    return (src_words[min((row + 2u * v) * 4u + 8u, last)] >> SHIFT) & 255u;
}

// 16-bit lanes: the pixels left of the even ones, given the odd lanes and the pixel before.
fn left_of_even(odd: vec4<u32>, before: u32) -> vec4<u32> {
    return (odd << S16) | vec4(before, odd.x >> 16u, odd.y >> 16u, odd.z >> 16u);
}

// 16-bit lanes: the pixels right of the odd ones, given the even lanes and the pixel after.
fn right_of_odd(even: vec4<u32>, after: u32) -> vec4<u32> {
    return (even >> S16) | (vec4(even.y, even.z, even.w, after) << S16);
}

// |p - q| in 16-bit lanes; both below 0x8000.
fn absdiff_lanes(p: vec4<u32>, q: vec4<u32>) -> vec4<u32> {
    let d = (p | HIGH_BIT) - q;
    let negative = ((d >> S15) & LOW_BIT) ^ LOW_BIT;
    return ((d & vec4(0x7fff7fffu)) ^ (negative * 0x7fffu)) + negative;
}

// 1 in each 16-bit lane where p >= q; both below 0x8000.
fn at_least_lanes(p: vec4<u32>, q: vec4<u32>) -> vec4<u32> {
    return (((p | HIGH_BIT) - q) >> S15) & LOW_BIT;
}

// Full 16-bit lanes where fewer than `count` pixels of the 16 come before: masks for the even and the odd lanes.
fn even_mask(count: u32) -> vec4<u32> {
    let at = vec4(0u, 4u, 8u, 12u);
    return select(vec4(0u), vec4(0xffffu), at < vec4(count)) | select(vec4(0u), vec4(0xffff0000u), at + vec4(2u) < vec4(count));
}

fn odd_mask(count: u32) -> vec4<u32> {
    let at = vec4(1u, 5u, 9u, 13u);
    return select(vec4(0u), vec4(0xffffu), at < vec4(count)) | select(vec4(0u), vec4(0xffff0000u), at + vec4(2u) < vec4(count));
}

fn sum_lanes(v: vec4<u32>) -> u32 {
    let s = (v & HALF) + (v >> S16);
    return s.x + s.y + s.z + s.w;
}
