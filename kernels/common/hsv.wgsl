// 8-bit HSV of four colours at a time, as OpenCV: V = max, d = V - min, S = (d * q(255*4096, V) + 2048) >> 12,
// H = (h * q(30*4096, d) + 2048) >> 12, where q is the quotient rounded to nearest and h the signed distance in sextants.
//
// Exact: quotients are estimated in f32 and corrected by their integer remainder, so no rounding of f32 shows.

// H in half degrees 0..179, S and V 0..255.
struct Hsv {
    h: vec4<i32>,
    s: vec4<i32>,
    v: vec4<i32>,
}

const HSV_BYTE: vec4<i32> = vec4<i32>(0xff);
const HSV_ZERO: vec4<i32> = vec4<i32>(0);

// (2n + d) / (2d), that is n/d rounded to nearest (halves up; there are none for the two n in use), 0 for d = 0.
// 2n + d is below 2^24, so it is exact in f32, and the estimate is off by one at most.
fn rounded_quotient(n: i32, d: vec4<i32>) -> vec4<i32> {
    let twice = max(d << vec4(1u), vec4(1));
    let top = vec4(2 * n) + d;
    var q = vec4<i32>(vec4<f32>(top) / vec4<f32>(twice));
    let rest = top - q * twice;
    q = select(select(q, q + 1, rest >= twice), q - 1, rest < HSV_ZERO);
    return select(q, HSV_ZERO, d == HSV_ZERO);
}

// Of four packed colours, R lowest; the highest byte is ignored.
fn hsv_of(p: vec4<u32>) -> Hsv {
    let r = vec4<i32>(p) & HSV_BYTE;
    let g = vec4<i32>(p >> vec4(8u)) & HSV_BYTE;
    let b = vec4<i32>(p >> vec4(16u)) & HSV_BYTE;
    let v = max(max(r, g), b);
    let d = v - min(min(r, g), b);
    let s = (d * rounded_quotient(255 << 12u, v) + 2048) >> vec4(12u);
    let sextants = select(select(r - g + d * 4, b - r + d * 2, v == g), g - b, v == r);
    let h = (sextants * rounded_quotient(30 << 12u, d) + 2048) >> vec4(12u);
    return Hsv(select(h, h + 180, h < HSV_ZERO), s, v);
}
