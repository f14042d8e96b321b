// Sixteen pixels of a picture as packed 8-bit RGB in registers, whatever the format of the picture.
//
// A kernel that imports this begins its Params with `offset: vec4<i32>` (constants of R, G, B with the rounding half; luma factor)
// and `chroma: vec4<i32>` (V to R, U to G, V to G, U to B). YUV turns into RGB by the integers of core::RgbCoefficients; all
// partial sums lie below 1200 * 2^20, chroma sums at most 16 * 1023 + 8 a lane. Chroma taps are clamped to their plane.

#import common/lanes16
#import common/pictures

// Packed RGB, one word a pixel; grey; else YUV.
override RGBA: bool = false;
override GRAY: bool = false;
// Chroma: U and V in one plane; log2 of the subsampling; bilinear instead of nearest; co-sited with luma across and down.
override SEMI: bool = false;
override SX: u32 = 1u;
override SY: u32 = 1u;
override BILINEAR: bool = false;
override COSITED_X: bool = true;
override COSITED_Y: bool = false;

// Pixels 0-3, 4-7, 8-11, 12-15 of a column: R lowest, then G, B; the highest byte holds anything.
struct Colors {
    a: vec4<u32>,
    b: vec4<u32>,
    c: vec4<u32>,
    d: vec4<u32>,
}

// Eight samples of U and of V in 16-bit lanes, in order.
struct Chroma {
    u: vec4<u32>,
    v: vec4<u32>,
}

// U and V of 16 pixels.
struct Upsampled {
    u: Sixteen,
    v: Sixteen,
}

// Row starts of U and V.
fn chroma_rows(picture: Picture, y: u32) -> vec2<u32> {
    return vec2(picture.second, picture.third) + vec2(y * picture.chroma_stride);
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

// Full 16-bit lane of the last chroma sample of a row of `count`, if it is among the eight of column v.
fn last_lane(count: u32, v: u32) -> vec4<u32> {
    let lane = count - 1u - 8u * v;
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

// The two chroma rows of luma row y, of `count`, with weights in quarters: (first, second, weight, weight).
fn down(y: u32, count: u32) -> vec4<u32> {
    let k = y >> SY;
    if (SY == 0u) {
        return vec4(k, k, 4u, 0u);
    }
    let after = min(k + 1u, count - 1u);
    let odd = (y & 1u) == 1u;
    if (COSITED_Y) {
        return select(vec4(k, k, 4u, 0u), vec4(k, after, 2u, 2u), odd);
    }
    return select(vec4(max(k, 1u) - 1u, k, 1u, 3u), vec4(k, after, 3u, 1u), odd);
}

fn upsampled(picture: Picture, v: u32, y: u32) -> Upsampled {
    if (SX == 0u) {
        let rows = chroma_rows(picture, y);
        return Upsampled(sixteen(rows.x, v), sixteen(rows.y, v));
    }
    if (!BILINEAR) {
        let near = chroma8(chroma_rows(picture, y >> SY), v);
        return Upsampled(Sixteen(near.u, near.u), Sixteen(near.v, near.v));
    }
    let count = (vec2(picture.width, picture.height) + (vec2(1u) << vec2(SX, SY)) - 1u) >> vec2(SX, SY);
    let taps = down(y, count.y);
    let first = chroma_rows(picture, taps.x);
    let second = chroma_rows(picture, taps.y);
    let p = chroma8(first, v);
    let q = chroma8(second, v);
    let left = max(8u * v, 1u) - 1u;
    let right = min(8u * v + 8u, count.x - 1u);
    let before = chroma1(first, left) * taps.z + chroma1(second, left) * taps.w;
    let after = chroma1(first, right) * taps.z + chroma1(second, right) * taps.w;
    let edge = last_lane(count.x, v);
    return Upsampled(
        across(p.u * taps.z + q.u * taps.w, before.x, after.x, edge),
        across(p.v * taps.z + q.v * taps.w, before.y, after.y, edge),
    );
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
    return vec4<u32>(r | (g << vec4(8u)) | (b << S16));
}

// Four words of a row of packed RGB; behind its end the last four once more.
fn packed4(picture: Picture, row: u32, at: u32) -> vec4<u32> {
    return src[row + min(at, picture.stride - 1u)];
}

// Pixels 16v .. 16v+15 of row y. What lies behind the width is no pixel: it must not count.
fn colors16(picture: Picture, v: u32, y: u32) -> Colors {
    return colors_of(picture, v, y, luma_of(picture, v, y));
}

// Luma of the same pixels with all its bits; nothing for packed RGB.
fn luma_of(picture: Picture, v: u32, y: u32) -> Sixteen {
    if (RGBA) {
        return Sixteen(vec4(0u), vec4(0u));
    }
    return sixteen(picture.first + y * picture.stride, v);
}

// Their colours, given luma_of them.
fn colors_of(picture: Picture, v: u32, y: u32, luma: Sixteen) -> Colors {
    let row = picture.first + y * picture.stride;
    if (RGBA) {
        let at = 4u * v;
        return Colors(
            packed4(picture, row, at),
            packed4(picture, row, at + 1u),
            packed4(picture, row, at + 2u),
            packed4(picture, row, at + 3u),
        );
    }
    // Pixels 0 4 8 12, 1 5 9 13, 2 6 10 14 and 3 7 11 15.
    var p: vec4<u32>;
    var q: vec4<u32>;
    var r: vec4<u32>;
    var s: vec4<u32>;
    if (GRAY) {
        p = (luma.even & HALF) * 0x10101u;
        q = (luma.odd & HALF) * 0x10101u;
        r = (luma.even >> S16) * 0x10101u;
        s = (luma.odd >> S16) * 0x10101u;
    } else {
        let chroma = upsampled(picture, v, y);
        p = rgb(luma.even & HALF, chroma.u.even & HALF, chroma.v.even & HALF);
        q = rgb(luma.odd & HALF, chroma.u.odd & HALF, chroma.v.odd & HALF);
        r = rgb(luma.even >> S16, chroma.u.even >> S16, chroma.v.even >> S16);
        s = rgb(luma.odd >> S16, chroma.u.odd >> S16, chroma.v.odd >> S16);
    }
    return Colors(
        vec4(p.x, q.x, r.x, s.x),
        vec4(p.y, q.y, r.y, s.y),
        vec4(p.z, q.z, r.z, s.z),
        vec4(p.w, q.w, r.w, s.w),
    );
}
