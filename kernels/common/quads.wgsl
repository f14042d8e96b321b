// Luma samples four at a time, as packed bytes of one word; 10-bit samples are reduced to their 8 most significant bits.
//
// Rows start at multiples of 16 bytes and are named by their first vec4. WIDE: 16-bit samples. SHIFT: right shift to 8 bits.

override WIDE: bool = false;
override SHIFT: u32 = 0u;

@group(0) @binding(2) var<storage, read> src_words: array<u32>;

// Pixels 4i .. 4i+3 of a row, the first in the lowest byte. Those behind the end of the row are padding.
fn quad(row: u32, i: u32) -> u32 {
    if (!WIDE) {
        return src_words[row * 4u + i];
    }
    let at = row * 4u + 2u * i;
    let a = (src_words[at] >> SHIFT) & 0x00ff00ffu;
    let b = (src_words[at + 1u] >> SHIFT) & 0x00ff00ffu;
    return (a & 0xffu) | ((a >> 8u) & 0xff00u) | ((b & 0xffu) << 16u) | ((b << 8u) & 0xff000000u);
}

// Full bytes for those of the pixels at .. at+3 that lie in first .. end-1.
fn between(at: u32, first: u32, end: u32) -> u32 {
    return lowest(max(end, at) - at) & ~lowest(max(first, at) - at);
}

fn lowest(count: u32) -> u32 {
    return select((1u << (8u * (count & 3u))) - 1u, 0xffffffffu, count > 3u);
}
