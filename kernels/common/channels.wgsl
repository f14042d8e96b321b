// One channel of a plane as bytes, and interleaved channels put together again.
//
// SPAN: bytes from a sample to the next one of the same channel (1, 2 or 4). SHIFT: right shift that brings the first channel of
// a group to its 8 most significant bits. STEP: bits from channel to channel. CHANNELS: how many channels come out (1, 2 or 4).

override SPAN: u32 = 1u;
override SHIFT: u32 = 0u;
override STEP: u32 = 8u;
override CHANNELS: u32 = 1u;

@group(0) @binding(1) var<storage, read> src_words: array<u32>;

const S8: vec4<u32> = vec4<u32>(8u);
const BYTE: vec4<u32> = vec4<u32>(0xffu);
const LO: vec4<u32> = vec4<u32>(0x00ff00ffu);

// Sample x of channel c of the row that starts at word `row`.
fn one(row: u32, x: u32, c: u32) -> u32 {
    let byte = x * SPAN;
    return (src_words[row + (byte >> 2u)] >> ((byte & 3u) * 8u + SHIFT + c * STEP)) & 0xffu;
}

fn four(row: u32, x: vec4<u32>, c: u32) -> vec4<u32> {
    return vec4(one(row, x.x, c), one(row, x.y, c), one(row, x.z, c), one(row, x.w, c));
}

fn pack(p: vec4<u32>) -> u32 {
    return p.x | (p.y << 8u) | (p.z << 16u) | (p.w << 24u);
}

// Bytes b0 b1 0 0 spread to b0 0 b1 0.
fn spread(w: u32) -> u32 {
    return (w & 0xffu) | ((w & 0xff00u) << 8u);
}

// Word `index` of the CHANNELS words that hold four pixels, from one word of four samples a channel.
fn interleaved(c: vec4<u32>, index: u32) -> u32 {
    if (CHANNELS == 1u) {
        return c.x;
    }
    if (CHANNELS == 2u) {
        let both = c >> vec4(16u * index);
        return spread(both.x) | (spread(both.y) << 8u);
    }
    return pack((c >> vec4(8u * index)) & BYTE);
}
