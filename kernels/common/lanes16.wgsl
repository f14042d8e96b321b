// Samples with all their 8 or 10 bits in 16-bit lanes, two a word.
//
// Samples behind the end of a row are padding: results made of them must not count. WIDE: 10-bit samples. SHIFT: right shift that
// brings a stored sample to its value (6 for P010).

#import common/samples

const HIGH: vec4<u32> = vec4<u32>(0xffff0000u);
const CODE: vec4<u32> = vec4<u32>(0x03ff03ffu);

// Even and odd samples of 16: lanes 0 2 4 .. 14 and 1 3 5 .. 15.
struct Sixteen {
    even: vec4<u32>,
    odd: vec4<u32>,
}

fn wide8(at: u32) -> vec4<u32> {
    return (src[min(at, arrayLength(&src) - 1u)] >> vec4(SHIFT)) & CODE;
}

// Samples 16v .. 16v+15 of a row.
fn sixteen(row: u32, v: u32) -> Sixteen {
    if (!WIDE) {
        let w = src[row + v];
        return Sixteen(w & LO, (w >> S8) & LO);
    }
    let a = wide8(row + 2u * v);
    let b = wide8(row + 2u * v + 1u);
    let p = vec4(a.x, a.z, b.x, b.z);
    let q = vec4(a.y, a.w, b.y, b.w);
    return Sixteen((p & HALF) | (q << S16), (p >> S16) | (q & HIGH));
}

// Samples 8v .. 8v+7 of a row, in order.
fn eight(row: u32, v: u32) -> vec4<u32> {
    if (WIDE) {
        return wide8(row + v);
    }
    let at = row * 4u + 2u * v;
    let w = vec4(src_words[at], src_words[at], src_words[at + 1u], src_words[at + 1u]) >> vec4(0u, 16u, 0u, 16u);
    return (w & vec4(0xffu)) | ((w << S8) & vec4(0xff0000u));
}

// Sample x of a row.
fn sample(row: u32, x: u32) -> u32 {
    if (WIDE) {
        return (src_words[row * 4u + (x >> 1u)] >> ((x & 1u) * 16u + SHIFT)) & 0x3ffu;
    }
    return (src_words[row * 4u + (x >> 2u)] >> ((x & 3u) * 8u)) & 0xffu;
}
