// Pyramid levels as packed bytes, with 16 repeated pixels at either side of a row, and bilinear samples of them in 16-bit lanes.
//
// A kernel that imports this declares `src_pyramid: array<u32>` and `params` with the level's width, height, stride (words from row to
// row, 8 of them padding) and base (words from the start of a frame). Eight pixels lie in four words of lanes: 0 2, 4 6, 1 3, 5 7.

const LO: u32 = 0x00ff00ffu;
const HALF: u32 = 0xffffu;

// A word of the row that begins with pixels 4i .. 4i+3, given the word at i clamped to the picture: repeats the border.
fn padded(i: i32, word: u32, width: u32) -> u32 {
    if (i < 0) {
        return (word & 255u) * 0x01010101u;
    }
    let inside = lowest(max(width, u32(i) * 4u) - u32(i) * 4u);
    let border = ((word >> (((width - 1u) & 3u) * 8u)) & 255u) * 0x01010101u;
    return (word & inside) | (border & ~inside);
}

// Word of pixel 0 of row y, clamped, of the level of the frame that starts at word `frame`.
fn row_of(frame: u32, y: i32) -> i32 {
    return i32(frame + params.base + u32(clamp(y, 0, i32(params.height) - 1)) * params.stride + 4u);
}

// Place of a patch or tile that begins at `at` (pixels) and moves by v (64ths of a pixel): in 16ths, not further out than 8 pixels before
// the picture or its end.
fn place_of_patch(at: vec2<i32>, v: vec2<i32>) -> vec2<i32> {
    let end = vec2(i32(params.width), i32(params.height)) * 16;
    return clamp(at * 16 + ((v + 2) >> vec2(2u)), vec2(-128), end);
}

// Eight pixels from any pixel on, and the ninth.
struct Nine {
    lanes: vec4<u32>,
    next: u32,
}

fn nine(row: i32, x: i32) -> Nine {
    let at = row + (x >> 2u);
    let a = src_pyramid[at];
    let b = src_pyramid[at + 1];
    let c = src_pyramid[at + 2];
    let shift = u32(x & 3) * 8u;
    // Shifts by 32 have no meaning: two steps.
    let p = (a >> shift) | ((b << 1u) << (31u - shift));
    let q = (b >> shift) | ((c << 1u) << (31u - shift));
    return Nine(vec4(p & LO, q & LO, (p >> 8u) & LO, (q >> 8u) & LO), (c >> shift) & 255u);
}

// Pixels mixed with their right neighbours, fx sixteenths of these: 16 times the sample.
fn mix_right(n: Nine, fx: u32) -> vec4<u32> {
    let e = n.lanes.xy;
    let right = vec4(n.lanes.zw, (e.x >> 16u) | (e.y << 16u), (e.y >> 16u) | (n.next << 16u));
    return n.lanes * (16u - fx) + right * fx;
}

// 16 times the sample between two rows of `mix_right`, fy sixteenths of the lower one, rounded.
fn mix_down(above: vec4<u32>, below: vec4<u32>, fy: u32) -> vec4<u32> {
    return ((above * (16u - fy) + below * fy + vec4(0x00080008u)) >> vec4(4u)) & vec4(0x0fff0fffu);
}

fn vector_of(word: u32) -> vec2<i32> {
    return vec2(bitcast<i32>(word << 16u) >> 16u, bitcast<i32>(word) >> 16u);
}

fn word_of(v: vec2<i32>) -> u32 {
    return (u32(v.x) & HALF) | (u32(v.y) << 16u);
}

// floor(a / b) for quotients below 2^20, exactly: the estimate is off by one at most.
fn divide(a: u32, b: u32) -> u32 {
    let estimate = u32(f32(a) / f32(b));
    let rest = bitcast<i32>(a - estimate * b);
    return select(select(estimate, estimate + 1u, rest >= bitcast<i32>(b)), estimate - 1u, rest < 0);
}

// sum / weight to the nearest, halves up; the quotient lies within +-2^14.
fn mean_of(sum: i32, weight: i32) -> i32 {
    return i32(divide(u32(sum + 16384 * weight + (weight >> 1u)), u32(weight))) - 16384;
}
