// Luma statistics of a batch of frames in one fused pass.
//
// In:   src          luma plane, u8 or 10-bit in 16-bit words, one per picture (workgroup_id.z), sizes may differ
// Out:  dst_sums     14 words a frame, zero before: sum, sum of squares, sum of Laplacian (signed), sum of squared Laplacian,
//                    sum of gx^2+gy^2 (Sobel 3x3), sum of |noise mask| (two words each, low first), dark, bright (one word)
// Algorithm: sliding window down ROWS rows, 16 pixels an invocation, pixels in 16-bit lanes (docs: ARCHITECTURE.md, "SWAR").
//       Laplacian [0 1 0; 1 -4 1; 0 1 0] (Pech-Pacheco 2000), Tenengrad (Krotkov 1987),
//       noise mask [1 -2 1; -2 4 -2; 1 -2 1] over interior pixels (Immerkaer 1996).
// Border: reflect-101 for Laplacian and Sobel, replicate where a side is 1; the noise mask skips border pixels.
// Exact: integers; f32 only holds integers below 2^24 (per row 4 squares of at most 1020^2, or 4 pixels of at most 1 300 500, a
//       component); 16-bit lanes hold 32 noise responses of at most 2040.
// Loop bound: ROWS steps, at most 32.

#import common/grid
#import common/blocks
#import common/luma
#import common/pictures
#import common/rows
#import common/signed16
#import common/inside
#import common/gradient
#import common/laplacian
#import common/sum64

const SIDE: u32 = 1u;
const CENTRE: u32 = 2u;

struct Params {
    dark: u32,      // a pixel is dark at or below this code
    bright: u32,    // a pixel is bright at or above this code
    dst: u32,       // words of dst_sums per frame
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(3) var<storage, read_write> dst_sums: array<atomic<u32>>;

// Noise mask of 16 pixels: [1 -2 1] down, then across.
fn noise_mask(top: Row, mid: Row, low: Row) -> Lanes {
    let some = vec4(0x02000200u);
    let even = top.even + low.even + some - (mid.even << vec4(1u));
    let odd = top.odd + low.odd + some - (mid.odd << vec4(1u));
    let before = top.before + low.before + 512u - 2u * mid.before;
    let after = top.after + low.after + 512u - 2u * mid.after;
    return Lanes(
        left_of_even(odd, before) + odd + ZERO - (even << vec4(1u)),
        even + right_of_odd(even, after) + ZERO - (odd << vec4(1u)),
    );
}

@compute @workgroup_size(WG)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
    @builtin(subgroup_invocation_id) lane: u32,
) {
    let picture = src_pictures[group.z];
    let block = block_of(item_of(group, groups, local), picture.width, picture.height);
    var sum = vec4(0u);
    var sum_sq = vec4(0u);
    var lap = vec4(0.0);
    var lap_sq = vec4(0u);
    var tenengrad = vec4(0u);
    var noise_even = vec4(0u);
    var noise_odd = vec4(0u);
    var dark = vec4(0u);
    var bright = vec4(0u);
    if (block.inside) {
        let v = block.column;
        let edge = edge_of(picture.width, v);
        let me = even_mask(edge.valid);
        let mo = odd_mask(edge.valid);
        // Interior columns for the noise mask: not the first, not the last pixel of the row.
        let inner = select(edge.valid, edge.valid - 1u, 16u * v + edge.valid == picture.width);
        let ne = even_mask(inner) & select(vec4(~0u), vec4(0xffff0000u, ~0u, ~0u, ~0u), v == 0u);
        let no = odd_mask(inner);
        let dark_code = vec4(params.dark * 0x10001u);
        let bright_code = vec4(params.bright * 0x10001u);
        var top = load_row(picture.first + row_above(block.first, picture.height) * picture.stride, v, edge);
        var mid = load_row(picture.first + block.first * picture.stride, v, edge);
        for (var y = block.first; y < block.first + ROWS && y <= block.bottom; y++) {
            let low = load_row(picture.first + row_below(y, picture.height) * picture.stride, v, edge);
            let e = masked(mid.even, me, vec4(0u));
            let o = masked(mid.odd, mo, vec4(0u));
            sum += e + o;
            sum_sq += vec4<u32>(vec4<i32>(squares(plain(e)) + squares(plain(o))));
            dark += (at_least_lanes(dark_code, mid.even) & me) + (at_least_lanes(dark_code, mid.odd) & mo);
            bright += (at_least_lanes(mid.even, bright_code) & me) + (at_least_lanes(mid.odd, bright_code) & mo);

            let l = laplacian(top, mid, low);
            let l_even = split(masked(l.even, me, ZERO));
            let l_odd = split(masked(l.odd, mo, ZERO));
            lap += (l_even.low + l_even.high) + (l_odd.low + l_odd.high);
            lap_sq += vec4<u32>(vec4<i32>(squares(l_even) + squares(l_odd)));

            let g = gradient(top, mid, low);
            let gx_sq = squares(split(masked(g.x_even, me, ZERO))) + squares(split(masked(g.x_odd, mo, ZERO)));
            let gy_sq = squares(split(masked(g.y_even, me, ZERO))) + squares(split(masked(g.y_odd, mo, ZERO)));
            tenengrad += vec4<u32>(vec4<i32>(gx_sq + gy_sq));

            if (y > 0u && y < block.bottom) {
                let n = noise_mask(top, mid, low);
                noise_even += absolute(n.even) & ne;
                noise_odd += absolute(n.odd) & no;
            }
            top = mid;
            mid = low;
        }
    }
    let at = group.z * params.dst;
    sum64(at, sum_lanes(sum), lane);
    sum64(at + 2u, sum_sq.x + sum_sq.y + sum_sq.z + sum_sq.w, lane);
    let lap_total = vec4<i32>(lap);
    sum64_signed(at + 4u, lap_total.x + lap_total.y + lap_total.z + lap_total.w, lane);
    sum64(at + 6u, lap_sq.x + lap_sq.y + lap_sq.z + lap_sq.w, lane);
    sum64(at + 8u, tenengrad.x + tenengrad.y + tenengrad.z + tenengrad.w, lane);
    sum64(at + 10u, sum_lanes(noise_even) + sum_lanes(noise_odd), lane);
    let dark_total = subgroupAdd(sum_lanes(dark));
    let bright_total = subgroupAdd(sum_lanes(bright));
    if (lane == 0u) {
        atomicAdd(&dst_sums[at + 12u], dark_total);
        atomicAdd(&dst_sums[at + 13u], bright_total);
    }
}
