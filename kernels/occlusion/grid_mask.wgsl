// A grid of squares of pictures covered, in place.
//
// In:   src_covers   per picture: fill; period, side of the hole, offset across and down; cosine and sine in 2^-14
// Out:  dst          the pictures themselves, packed RGBA (alpha is kept) or grey; one per workgroup_id.z, sizes may differ
//       dst_covered  covered pixels per picture, zero before
// Algorithm: GridMask (Chen et al. 2020). Pixel (x, y) lies at u = x + offset, v = y + offset of a grid without rotation, else at
//       (cos X + sin Y, cos Y - sin X) / 2^15 + offset with X = 2x + 1 - width, Y = 2y + 1 - height, rounded down. It is covered where
//       u and v modulo the period are both below the side of the hole. Fill by common/fill.
// Border: none.
// Exact: integers below 2^31; quotients corrected after f32 division.
// Loop bound: main ROWS * 4, at most 32; sum at most 32; mean 32.

#import common/cover
#import common/divide
#import common/fill

fn cover4(cover: Cover, size: vec2<u32>, x: vec4<u32>, y: u32) -> vec4<bool> {
    let period = vec4(cover.a.x);
    var u = x + cover.a.z;
    var v = vec4(y + cover.a.w);
    if (cover.b.z != 0u) {
        let cosine = bitcast<i32>(cover.b.x);
        let sine = bitcast<i32>(cover.b.y);
        let dx = vec4<i32>(2u * x + 1u) - i32(size.x);
        let dy = i32(2u * y + 1u) - i32(size.y);
        u = bitcast<vec4<u32>>((dx * cosine + dy * sine) >> vec4(15u)) + cover.a.z;
        v = bitcast<vec4<u32>>((dy * cosine - dx * sine) >> vec4(15u)) + cover.a.w;
    }
    let hole = vec4(cover.a.y);
    return (remainder(u, period) < hole) & (remainder(v, period) < hole);
}
