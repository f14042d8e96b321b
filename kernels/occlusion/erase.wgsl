// Rectangles of pictures erased, in place.
//
// In:   src_covers   per picture: box of all rectangles, fill, first and number of rectangles; src_items: x, y and the ends behind
// Out:  dst          the pictures themselves, packed RGBA (alpha is kept) or grey; one per workgroup_id.z, sizes may differ
//       dst_covered  covered pixels per picture, zero before; pixels of several rectangles count once
// Algorithm: random erasing (Zhong et al. 2020), rectangles drawn by the host (core::occlusion), fill by common/fill. Only the box
//       that holds all rectangles is visited, 16 bytes an invocation and row.
// Border: none.
// Exact: integers; the mean is a 64-bit sum divided with rounding.
// Loop bound: main ROWS * 4 * rectangles, at most 8 * 4 * 64 = 2048; sum at most 32; mean 32.

#import common/cover
#import common/fill

@group(0) @binding(7) var<storage, read> src_items: array<vec4<u32>>;

fn cover4(cover: Cover, size: vec2<u32>, x: vec4<u32>, y: u32) -> vec4<bool> {
    var inside = vec4(false);
    for (var i = 0u; i < cover.a.y; i++) {
        let r = src_items[cover.a.x + i];
        inside |= (x >= vec4(r.x)) & (x < vec4(r.z)) & vec4(y >= r.y && y < r.w);
    }
    return inside;
}
