// Rows of the luma plane for 5x5 stencils: 16 pixels in 16-bit lanes with two neighbours at each side, border reflect-101.
// Needs common/luma.

#import common/tail

struct Row5 {
    even: vec4<u32>,
    odd: vec4<u32>,
    before: vec2<u32>,  // pixels -2 and -1
    after: vec2<u32>,   // pixels 16 and 17
}

// Place inside 0..count for -2 <= i <= count + 1, mirrored without repeating the edge; others end at some place inside.
fn mirrored(i: i32, count: u32) -> u32 {
    let last = i32(count) - 1;
    let folded = select(abs(i), abs(2 * last - abs(i)), abs(i) > last);
    return u32(min(folded, last));
}

fn luma_at(row: u32, x: u32) -> u32 {
    if (!WIDE) {
        return (src_words[row * 4u + (x >> 2u)] >> ((x & 3u) * 8u)) & 255u;
    }
    return (src_words[row * 4u + (x >> 1u)] >> ((x & 1u) * 16u + SHIFT)) & 255u;
}

// Word `at`, which holds two pixels beside the 16: its last two bytes (`back`) or its first two.
fn two_of(at: u32, back: bool) -> vec2<u32> {
    let w = src_words[at];
    if (WIDE) {
        return vec2(w >> SHIFT, w >> (16u + SHIFT)) & vec2(255u);
    }
    let pair = select(w, w >> 16u, back);
    return vec2(pair & 255u, (pair >> 8u) & 255u);
}

fn byte_mask(i: u32) -> vec4<u32> {
    return select(vec4(0u), vec4(255u << ((i & 3u) * 8u)), vec4(0u, 1u, 2u, 3u) == vec4(i >> 2u));
}

// Column v of the row that starts at vec4 `row`, of `width` pixels.
fn load_row5(row: u32, v: u32, width: u32) -> Row5 {
    let span = select(4u, 8u, WIDE);
    let x = 16u * v;
    var w = luma16(row, v);
    var before = vec2(0u);
    var after = vec2(0u);
    if (v > 0u) {
        before = two_of(row * 4u + v * span - 1u, true);
    } else {
        before = vec2(luma_at(row, mirrored(-2, width)), luma_at(row, mirrored(-1, width)));
    }
    if (x + 18u <= width) {
        after = two_of(row * 4u + (v + 1u) * span, false);
    } else {
        after = vec2(luma_at(row, mirrored(i32(x) + 16, width)), luma_at(row, mirrored(i32(x) + 17, width)));
        if (TAIL && x + 16u > width) {
            let first = byte_mask(width - x);
            let second = byte_mask(width + 1u - x);
            let a = luma_at(row, mirrored(i32(width), width)) * 0x01010101u;
            let b = luma_at(row, mirrored(i32(width) + 1, width)) * 0x01010101u;
            w = (w & ~(first | second)) | (vec4(a) & first) | (vec4(b) & second);
        }
    }
    return Row5(w & LO, (w >> S8) & LO, before, after);
}
