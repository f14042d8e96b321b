// Means of whole boxes of KX x KY samples, 16 pixels at a time, in 16-bit lanes. Needs common/channels.

// Sources per pixel across and down, and ceil(2^20 / (KX * KY)).
override KX: u32 = 2u;
override KY: u32 = 2u;
override RECIPROCAL: u32 = 262144u;

// The frames once more, as vec4 words.
@group(0) @binding(6) var<storage, read> src: array<vec4<u32>>;

const HALF: vec4<u32> = vec4<u32>(0xffffu);
const S16: vec4<u32> = vec4<u32>(16u);

// Sixteen samples of the first selected channel as bytes, from SPAN vec4.
fn sixteen(at: u32) -> vec4<u32> {
    let last = arrayLength(&src) - 1u;
    if (SPAN == 1u) {
        return src[min(at, last)];
    }
    if (SPAN == 2u) {
        let a = (src[min(at, last)] >> vec4(SHIFT)) & LO;
        let b = (src[min(at + 1u, last)] >> vec4(SHIFT)) & LO;
        let p = vec4(a.x, a.z, b.x, b.z);
        let q = vec4(a.y, a.w, b.y, b.w);
        return ((p | (p >> S8)) & HALF) | ((q | (q >> S8)) << S16);
    }
    let a = (src[min(at, last)] >> vec4(SHIFT)) & BYTE;
    let b = (src[min(at + 1u, last)] >> vec4(SHIFT)) & BYTE;
    let c = (src[min(at + 2u, last)] >> vec4(SHIFT)) & BYTE;
    let d = (src[min(at + 3u, last)] >> vec4(SHIFT)) & BYTE;
    return vec4(pack(a), pack(b), pack(c), pack(d));
}

// Sums down the box of 16 KX samples: even and odd ones in 16-bit lanes.
struct Sums {
    even: array<vec4<u32>, 8>,
    odd: array<vec4<u32>, 8>,
}

fn add(sums: ptr<function, Sums>, i: u32, at: u32) {
    if (i < KX) {
        let w = sixteen(at + i * SPAN);
        (*sums).even[i] += w & LO;
        (*sums).odd[i] += (w >> S8) & LO;
    }
}

// Word i of each of the four groups of KX words that make four pixels.
fn words(v: ptr<function, array<vec4<u32>, 8>>, i: u32) -> vec4<u32> {
    let n = vec4(0u, KX, 2u * KX, 3u * KX) + i;
    return vec4(
        (*v)[n.x >> 2u][n.x & 3u],
        (*v)[n.y >> 2u][n.y & 3u],
        (*v)[n.z >> 2u][n.z & 3u],
        (*v)[n.w >> 2u][n.w & 3u],
    );
}

// The lanes of word i that belong to pixel j of four.
fn part(sums: ptr<function, Sums>, i: u32, j: u32) -> vec4<u32> {
    let b = vec4(4u * i, 4u * i + 2u, 4u * i + 1u, 4u * i + 3u);
    let inside = (b >= vec4(j * KX)) & (b < vec4(j * KX + KX));
    let full = select(vec4(0u), vec4(0xffffu, 0xffff0000u, 0xffffu, 0xffff0000u), inside);
    if (i >= KX || !any(inside)) {
        return vec4(0u);
    }
    var even = (*sums).even;
    var odd = (*sums).odd;
    return (words(&even, i) & vec4(full.x | full.y)) + (words(&odd, i) & vec4(full.z | full.w));
}

fn mean(sums: ptr<function, Sums>, j: u32) -> vec4<u32> {
    let t = part(sums, 0u, j) + part(sums, 1u, j) + part(sums, 2u, j) + part(sums, 3u, j)
        + part(sums, 4u, j) + part(sums, 5u, j) + part(sums, 6u, j) + part(sums, 7u, j);
    return (((t & HALF) + (t >> S16) + (KX * KY / 2u)) * RECIPROCAL) >> vec4(20u);
}
