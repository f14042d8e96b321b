// Sharper pictures: what a blur takes away is added once more; or the 3x3 kernel with 9 in the centre.
//
// In:   src, src_words   luma, u8 or 10-bit in 16-bit words, or packed RGBA (alpha is treated like a colour); one picture per
//                        workgroup_id.z, sizes may differ
//       row_taps, column_taps   weights of the Gaussian in 256ths that sum to 256
// Out:  dst          bytes (grey or RGBA), rows padded to 16 bytes (padding holds anything)
//       dst_sums     sums along rows, for the second pass
// Algorithm: `rows`, then `mask`: clamp(p + ((amount * (p - g) + 128) >> 8)) with g the Gaussian of filter/gaussian, rounded to a byte;
//       `sharpen`: clamp(9 p - sum of the 8 neighbours), ROWS rows an invocation, sliding.
// Border: reflect-101.
// Exact: integers; column sums below 2^24 in f32.
// Loop bound: GROUPS * 16 <= 144 (rows), TAPS + 3 + 16 <= 50 (mask), ROWS <= 32 (sharpen).

#import common/grid
#import common/out_pictures
#import common/pictures
#import common/bytes
#import common/blur

override ROWS: u32 = 16u;

struct Params {
    first: u32,     // first vec4 of the first result
    amount: u32,    // weight of what the blur takes away, in 256ths
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(3) var<storage, read_write> dst: array<vec4<u32>>;

fn bytes_as_int(w: vec4<u32>, k: u32) -> vec4<i32> {
    return vec4<i32>((w >> vec4(8u * k)) & BYTE);
}

fn saturated(v: vec4<i32>, k: u32) -> vec4<u32> {
    return vec4<u32>(clamp(v, vec4(0), vec4(255))) << vec4(8u * k);
}

@compute @workgroup_size(WG)
fn mask(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let item = item_of(group, groups, local);
    let picture = src_pictures[group.z];
    let out = out_pictures[group.z];
    let block = item / out.stride;
    let v = item - block * out.stride;
    let y = 4u * block;
    if (y >= out.height) {
        return;
    }
    var result = blurred(out, y, v);
    for (var r = 0u; r < min(4u, out.height - y); r++) {
        let p = column_at(picture.first + (y + r) * picture.stride, v, i32(picture.width));
        let g = result.rows[r];
        var words = vec4(0u);
        for (var k = 0u; k < 4u; k++) {
            let centre = bytes_as_int(p, k);
            let more = (i32(params.amount) * (centre - bytes_as_int(g, k)) + 128) >> S8;
            words |= saturated(centre + more, k);
        }
        dst[out.first + (y + r) * out.stride + v] = words;
    }
}

// Sums of three neighbours along a row: even and odd bytes in 16-bit lanes.
struct Three {
    even: vec4<u32>,
    odd: vec4<u32>,
    words: vec4<u32>,
}

fn three_at(picture: Picture, y: i32, v: u32) -> Three {
    let row = row_at(picture.first + u32(inside(y, i32(picture.height))) * picture.stride, v, i32(picture.width));
    let l = left_of(row);
    let r = right_of(row);
    return Three(
        (l & LO) + (row.words & LO) + (r & LO),
        ((l >> S8) & LO) + ((row.words >> S8) & LO) + ((r >> S8) & LO),
        row.words,
    );
}

@compute @workgroup_size(WG)
fn sharpen(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let item = item_of(group, groups, local);
    let picture = src_pictures[group.z];
    let out = out_pictures[group.z];
    let block = item / out.stride;
    let v = item - block * out.stride;
    let first = i32(block * ROWS);
    if (first >= i32(out.height)) {
        return;
    }
    var top = three_at(picture, first - 1, v);
    var mid = three_at(picture, first, v);
    for (var y = first; y < min(first + i32(ROWS), i32(out.height)); y++) {
        let low = three_at(picture, y + 1, v);
        let even = top.even + mid.even + low.even;
        let odd = top.odd + mid.odd + low.odd;
        let p = mid.words;
        dst[out.first + u32(y) * out.stride + v] = saturated(10 * bytes_as_int(p, 0u) - vec4<i32>(even & HALF), 0u)
            | saturated(10 * bytes_as_int(p, 1u) - vec4<i32>(odd & HALF), 1u)
            | saturated(10 * bytes_as_int(p, 2u) - vec4<i32>(even >> S16), 2u)
            | saturated(10 * bytes_as_int(p, 3u) - vec4<i32>(odd >> S16), 3u);
        top = mid;
        mid = low;
    }
}
