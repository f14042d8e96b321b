// Cells of a grid over pictures hidden at random, in place.
//
// In:   src_covers   per picture: fill, cells across and down, first word of its bits; src_items: one bit a cell, 64 a row
// Out:  dst          the pictures themselves, packed RGBA (alpha is kept) or grey; one per workgroup_id.z, sizes may differ
//       dst_covered  covered pixels per picture, zero before
// Algorithm: Hide-and-Seek (Singh and Lee 2017). Pixel (x, y) lies in cell (x g / width, y g / height), rounded down; which cells are
//       hidden the host draws (core::occlusion). Fill by common/fill.
// Border: none.
// Exact: integers; quotients corrected after f32 division.
// Loop bound: main ROWS * 4, at most 32; sum at most 32; mean 32.

#import common/cover
#import common/divide
#import common/fill

@group(0) @binding(7) var<storage, read> src_items: array<u32>;

fn cover4(cover: Cover, size: vec2<u32>, x: vec4<u32>, y: u32) -> vec4<bool> {
    let g = cover.a.x;
    // Two words of bits a row of cells.
    let row = cover.a.y + 2u * quotient(vec4(y * g), vec4(size.y)).x;
    let low = src_items[row];
    let high = src_items[row + 1u];
    let cell = quotient(min(x, vec4(size.x - 1u)) * g, vec4(size.x));
    let words = select(vec4(high), vec4(low), cell < vec4(32u));
    return ((words >> (cell & vec4(31u))) & vec4(1u)) == vec4(1u);
}
