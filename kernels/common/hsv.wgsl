// 8-bit HSV of four colours at a time, as OpenCV: V = max, d = V - min, S = (d * q(255*4096, V) + 2048) >> 12,
// H = (h * q(30*4096, d) + 2048) >> 12, where q is the quotient rounded to nearest and h the signed distance in sextants.
//
// Exact: f32 that hold integers below 2^24; a quotient is estimated a little too low and corrected by its remainder.

// H in half degrees 0..179, S and V 0..255; whole numbers.
struct Hsv {
    h: vec4<f32>,
    s: vec4<f32>,
    v: vec4<f32>,
}

const HSV_ZERO: vec4<f32> = vec4<f32>(0.0);

// floor((2n + d) / (2d)), that is n/d rounded to nearest (halves up; there are none for the two n in use); finite for d = 0.
// n is below 2^20, so a division within 2.5 ulp is off by at most 0.16 and the subtraction by 0.04: lowered by 1/4, the estimate is
// below the quotient and by less than 1/2, and its floor is right or one too low.
fn rounded_quotient(n: f32, d: vec4<f32>) -> vec4<f32> {
    let twice = max(d + d, vec4(1.0));
    let top = d + 2.0 * n;
    let q = floor(top / twice - 0.25);
    return q + select(HSV_ZERO, vec4(1.0), top - q * twice >= twice);
}

// Of four packed colours, R lowest; the highest byte is ignored. Where d or V is 0 the quotient is multiplied by 0.
fn hsv_of(p: vec4<u32>) -> Hsv {
    let r = vec4<f32>(p & vec4(0xffu));
    let g = vec4<f32>((p >> vec4(8u)) & vec4(0xffu));
    let b = vec4<f32>((p >> vec4(16u)) & vec4(0xffu));
    let v = max(max(r, g), b);
    let d = v - min(min(r, g), b);
    let s = floor((d * rounded_quotient(1044480.0, v) + 2048.0) * (1.0 / 4096.0));
    let sextants = select(select(r - g + d * 4.0, b - r + d * 2.0, v == g), g - b, v == r);
    let h = floor((sextants * rounded_quotient(122880.0, d) + 2048.0) * (1.0 / 4096.0));
    return Hsv(select(h, h + 180.0, h < HSV_ZERO), s, v);
}
