// A colour laid over a rectangle of each picture, in place.
//
// In:   src_covers   per picture: rectangle (x, y and the ends behind), colour, share of the colour in 65 536ths, blend or add
// Out:  dst          the pictures themselves, packed RGBA (alpha is kept) or grey; one per workgroup_id.z, sizes may differ
//       dst_covered  covered pixels per picture, zero before
// Algorithm: blend (p (65536 - s) + c s + 32768) >> 16, or add min(p + ((c s + 32768) >> 16), 255), per channel.
// Border: none.
// Exact: integers of at most 255 * 65536 + 32768.
// Loop bound: ROWS * 4, at most 32.

#import common/cover

const ADD: u32 = 1u;

fn cover4(cover: Cover, size: vec2<u32>, x: vec4<u32>, y: u32) -> vec4<bool> {
    return (x >= vec4(cover.a.x)) & (x < vec4(cover.a.z)) & vec4(y >= cover.a.y && y < cover.a.w);
}

fn paint(z: u32, cover: Cover, size: vec2<u32>, old: vec4<u32>, column: u32, y: u32) -> vec4<u32> {
    let share = cover.b.x;
    var out = vec4(0u);
    for (var c = 0u; c < 4u; c++) {
        let p = (old >> vec4(8u * c)) & vec4(0xffu);
        let part = ((cover.colour >> (8u * c)) & 0xffu) * share + 32768u;
        let blended = (p * (65536u - share) + part) >> vec4(16u);
        let added = min(p + (part >> 16u), vec4(255u));
        out |= select(blended, added, vec4(cover.kind == ADD)) << vec4(8u * c);
    }
    return out;
}
