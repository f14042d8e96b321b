// 32 luma pixels of a row with two neighbours at each side, pixels outside replicated. Needs common/luma.

// 32 pixels of a row as bytes, and two at each side: -2 -1 32 33 from the lowest byte on.
struct Pixels {
    left: vec4<u32>,
    right: vec4<u32>,
    sides: u32,
}

// The last two pixels before and the first two behind 32 of a row; those outside replicate.
fn sides_of(row: u32, c: u32, width: u32, w: vec2<u32>) -> u32 {
    let last = arrayLength(&src_words) - 1u;
    var before: u32;
    var after: u32;
    if (!WIDE) {
        before = src_words[max((row + 2u * c) * 4u, 1u) - 1u] >> 16u;
        after = src_words[min((row + 2u * c + 2u) * 4u, last)] & 0xffffu;
    } else {
        before = (src_words[max((row + 4u * c) * 4u, 1u) - 1u] >> SHIFT) & 0xff00ffu;
        after = (src_words[min((row + 4u * c + 4u) * 4u, last)] >> SHIFT) & 0xff00ffu;
        before = (before | (before >> 8u)) & 0xffffu;
        after = (after | (after >> 8u)) & 0xffffu;
    }
    before = select(before, (w.x & 255u) * 0x101u, c == 0u);
    let next = 32u * c + 32u;
    after = select(after, (after & 255u) * 0x101u, next + 1u >= width);
    return before | (select(after, (w.y >> 24u) * 0x101u, next >= width) << 16u);
}

// Puts the last pixel of the row behind it, where the row ends inside these 16: `valid` of them are pixels.
fn replicate(w: vec4<u32>, valid: u32) -> vec4<u32> {
    let at = vec4(0u, 1u, 2u, 3u);
    let from_ = valid - 1u;
    let picked = select(vec4(0u), w, at == vec4(from_ >> 2u));
    let pixel = ((picked.x | picked.y | picked.z | picked.w) >> ((from_ & 3u) * 8u)) & 255u;
    let shift = (valid & 3u) * 8u;
    let put = select(vec4(0u), vec4(255u << shift), at == vec4(valid >> 2u));
    return (w & ~put) | (vec4(pixel << shift) & put);
}

fn pixels(row: u32, c: u32, width: u32) -> Pixels {
    let valid = width - 32u * c;
    var a = luma16(row, 2u * c);
    var b = luma16(row, select(2u * c, 2u * c + 1u, valid > 16u));
    if (valid < 32u) {
        if (valid > 16u) {
            b = replicate(b, valid - 16u);
        } else if (valid == 16u) {
            b = vec4(a.w >> 24u);
        } else {
            a = replicate(a, valid);
        }
    }
    return Pixels(a, b, sides_of(row, c, width, vec2(a.x, b.w)));
}
