// Rows of luma or packed RGBA as words of four bytes, the border rule applied: four luma pixels a word, or one RGBA pixel.
//
// The pictures are bound twice: as vec4 words and as words. Rows are named by their first vec4. A column is 16 bytes.
// RGBA: packed RGBA. WIDE: 10-bit luma in 16-bit words, SHIFT: right shift to its 8 most significant bits.

override RGBA: bool = false;
override WIDE: bool = false;
override SHIFT: u32 = 0u;
// Border rule: reflect-101, or replicate.
override REPLICATE: bool = false;

@group(0) @binding(1) var<storage, read> src: array<vec4<u32>>;
@group(0) @binding(2) var<storage, read> src_words: array<u32>;

const LO: vec4<u32> = vec4<u32>(0x00ff00ffu);
const BYTE: vec4<u32> = vec4<u32>(0xffu);
const S8: vec4<u32> = vec4<u32>(8u);
const S24: vec4<u32> = vec4<u32>(24u);

// The place inside 0 .. count-1 that the border rule gives for place i.
fn inside(i: i32, count: i32) -> i32 {
    if (i >= 0 && i < count) {
        return i;
    }
    if (REPLICATE || count == 1) {
        return clamp(i, 0, count - 1);
    }
    let period = 2 * count - 2;
    let m = abs(i) % period;
    return min(m, period - m);
}

// Pixel x of the row that starts at word `row`, luma only.
fn luma_at(row: u32, x: u32) -> u32 {
    if (WIDE) {
        return (src_words[row + (x >> 1u)] >> ((x & 1u) * 16u + SHIFT)) & 0xffu;
    }
    return (src_words[row + (x >> 2u)] >> ((x & 3u) * 8u)) & 0xffu;
}

// Word i of a row of `width` pixels that starts at vec4 `row4`; i may lie outside.
fn word_at(row4: u32, i: i32, width: i32) -> u32 {
    let row = row4 * 4u;
    if (RGBA) {
        return src_words[row + u32(inside(i, width))];
    }
    if (i >= 0 && 4 * i + 3 < width) {
        if (!WIDE) {
            return src_words[row + u32(i)];
        }
        let a = (src_words[row + 2u * u32(i)] >> SHIFT) & 0x00ff00ffu;
        let b = (src_words[row + 2u * u32(i) + 1u] >> SHIFT) & 0x00ff00ffu;
        return ((a | (a >> 8u)) & 0xffffu) | ((b | (b >> 8u)) << 16u);
    }
    let x = 4 * i;
    return luma_at(row, u32(inside(x, width))) | (luma_at(row, u32(inside(x + 1, width))) << 8u)
        | (luma_at(row, u32(inside(x + 2, width))) << 16u) | (luma_at(row, u32(inside(x + 3, width))) << 24u);
}

// Column v of a row; behind the last pixel the border rule goes on.
fn column_at(row4: u32, v: u32, width: i32) -> vec4<u32> {
    let i = i32(4u * v);
    let end = select(4 * i + 15, i + 3, RGBA);
    if (!WIDE && end < width) {
        return src[row4 + v];
    }
    return vec4(word_at(row4, i, width), word_at(row4, i + 1, width), word_at(row4, i + 2, width), word_at(row4, i + 3, width));
}

// A column and the words on both sides of it.
struct Row {
    before: u32,
    words: vec4<u32>,
    after: u32,
}

fn row_at(row4: u32, v: u32, width: i32) -> Row {
    let i = i32(4u * v);
    return Row(word_at(row4, i - 1, width), column_at(row4, v, width), word_at(row4, i + 4, width));
}

// Left neighbours of the pixels of a column.
fn left_of(row: Row) -> vec4<u32> {
    let previous = vec4(row.before, row.words.xyz);
    return select((row.words << S8) | (previous >> S24), previous, vec4(RGBA));
}

// Right neighbours of the pixels of a column.
fn right_of(row: Row) -> vec4<u32> {
    let next = vec4(row.words.yzw, row.after);
    return select((row.words >> S8) | (next << S24), next, vec4(RGBA));
}
