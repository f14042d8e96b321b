// Masks for a span of the 16 pixels of a vec4.

// Bits of the 16 pixels from x on that lie in from_x .. to_x.
fn span_bits(x: u32, from_x: u32, to_x: u32) -> u32 {
    let low = min(max(from_x, x) - x, 16u);
    let high = min(max(to_x, x) - x, 16u);
    return (0xffffu << low) & 0xffffu & ((1u << high) - 1u);
}

// 4 bits as 4 bytes of 0 or 255.
fn bits_as_bytes(bits: u32) -> u32 {
    return (((bits & 15u) * 0x00204081u) & 0x01010101u) * 255u;
}

// 16 bits as 16 bytes of 0 or 255.
fn span_bytes(bits: u32) -> vec4<u32> {
    return vec4(bits_as_bytes(bits), bits_as_bytes(bits >> 4u), bits_as_bytes(bits >> 8u), bits_as_bytes(bits >> 12u));
}
