// Sobel magnitudes |gx| + |gy| of 32 pixels and one at each side, with Canny's sectors. Needs common/luma and common/pixels32.

const BIAS: vec4<u32> = vec4<u32>(0x04000400u);

// Magnitudes of 16 pixels in lanes, and their sectors: bit 0 horizontal gradient, bit 1 vertical, bit 2 signs differ.
struct Gradient {
    even: vec4<u32>,
    odd: vec4<u32>,
    sector_even: vec4<u32>,
    sector_odd: vec4<u32>,
}

// Gradients of 32 pixels, and the magnitudes of pixel -1 (low lane) and 32 (high lane).
struct Line {
    left: Gradient,
    right: Gradient,
    sides: u32,
}

// |v - bias| per lane, and 1 where v is below the bias.
struct Size {
    value: vec4<u32>,
    negative: vec4<u32>,
}

fn size_of(v: vec4<u32>, bias: vec4<u32>) -> Size {
    let d = (v | HIGH_BIT) - bias;
    let negative = ((d >> S15) & LOW_BIT) ^ LOW_BIT;
    return Size(((d & vec4(0x7fff7fffu)) ^ (negative * 0x7fffu)) + negative, negative);
}

fn sector(x: Size, y: Size) -> vec4<u32> {
    let u = x.value * 53u;
    let f = x.value * 5u;
    // ceil and floor of |gx| * 13573 / 32768: 13573 = 53 * 256 + 5.
    let up = ((u + (((f + vec4(0x00ff00ffu)) >> S8) & LO) + vec4(0x007f007fu)) >> vec4(7u)) & vec4(0x01ff01ffu);
    let down = ((u + ((f >> S8) & LO)) >> vec4(7u)) & vec4(0x01ff01ffu);
    let horizontal = at_least_lanes(y.value, up) ^ LOW_BIT;
    let vertical = at_least_lanes((x.value << vec4(1u)) + down, y.value) ^ LOW_BIT;
    return horizontal | (vertical << vec4(1u)) | ((x.negative ^ y.negative) << vec4(2u));
}

// v: rows above + 2 * this + below; d: below - above + bias; both with the pixels before and after the 16.
fn gradient(ve: vec4<u32>, vo: vec4<u32>, v_sides: vec2<u32>, de: vec4<u32>, do_: vec4<u32>, d_sides: vec2<u32>) -> Gradient {
    let xe = size_of(vo + BIAS - left_of_even(vo, v_sides.x), BIAS);
    let xo = size_of(right_of_odd(ve, v_sides.y) + BIAS - ve, BIAS);
    let ye = size_of(left_of_even(do_, d_sides.x) + (de << vec4(1u)) + do_, vec4(0x10001000u));
    let yo = size_of(de + (do_ << vec4(1u)) + right_of_odd(de, d_sides.y), vec4(0x10001000u));
    return Gradient(xe.value + ye.value, xo.value + yo.value, sector(xe, ye), sector(xo, yo));
}

fn line(top: Pixels, mid: Pixels, low: Pixels, width: u32, c: u32) -> Line {
    let ve0 = (top.left & LO) + ((mid.left & LO) << vec4(1u)) + (low.left & LO);
    let vo0 = ((top.left >> S8) & LO) + (((mid.left >> S8) & LO) << vec4(1u)) + ((low.left >> S8) & LO);
    let ve1 = (top.right & LO) + ((mid.right & LO) << vec4(1u)) + (low.right & LO);
    let vo1 = ((top.right >> S8) & LO) + (((mid.right >> S8) & LO) << vec4(1u)) + ((low.right >> S8) & LO);
    let de0 = (low.left & LO) + BIAS - (top.left & LO);
    let do0 = ((low.left >> S8) & LO) + BIAS - ((top.left >> S8) & LO);
    let de1 = (low.right & LO) + BIAS - (top.right & LO);
    let do1 = ((low.right >> S8) & LO) + BIAS - ((top.right >> S8) & LO);
    // Of the sides: lanes -2 and 32, -1 and 33.
    let t = vec2(top.sides, top.sides >> 8u) & vec2(0xff00ffu);
    let m = vec2(mid.sides, mid.sides >> 8u) & vec2(0xff00ffu);
    let b = vec2(low.sides, low.sides >> 8u) & vec2(0xff00ffu);
    let v = t + (m << vec2(1u)) + b;
    let d = b + BIAS.xy - t;
    let left = gradient(ve0, vo0, vec2(v.y & 0xffffu, ve1.x & 0xffffu), de0, do0, vec2(d.y & 0xffffu, de1.x & 0xffffu));
    let right = gradient(ve1, vo1, vec2(vo0.w >> 16u, v.x >> 16u), de1, do1, vec2(do0.w >> 16u, d.x >> 16u));
    // Magnitudes at -1 (low lane) and 32 (high lane), from lanes before, at and behind them.
    let v_before = (v.x & 0xffffu) | (vo1.w & 0xffff0000u);
    let v_behind = (ve0.x & 0xffffu) | (v.y & 0xffff0000u);
    let d_before = (d.x & 0xffffu) | (do1.w & 0xffff0000u);
    let d_at = (d.y & 0xffffu) | (d.x & 0xffff0000u);
    let d_behind = (de0.x & 0xffffu) | (d.y & 0xffff0000u);
    let x = size_of(vec4(v_behind + BIAS.x - v_before), BIAS).value.x;
    let y = size_of(vec4(d_before + 2u * d_at + d_behind), vec4(0x10001000u)).value.x;
    let inside = select(0u, 0xffffu, c > 0u) | select(0u, 0xffff0000u, 32u * c + 32u < width);
    var out = Line(left, right, (x + y) & inside);
    let valid = width - 32u * c;
    if (valid < 32u) {
        out.left.even &= even_mask(valid);
        out.left.odd &= odd_mask(valid);
        out.right.even &= even_mask(max(valid, 16u) - 16u);
        out.right.odd &= odd_mask(max(valid, 16u) - 16u);
    }
    return out;
}
