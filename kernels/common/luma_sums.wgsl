// Sums of the luma statistics over the block of an invocation: sum, Laplacian, squared gradient, noise mask, dark and bright. Needs
// common/blocks, common/gradient, common/inside, common/laplacian, common/luma, common/pictures, common/rows, common/signed16,
// common/sum64.
//
// f32 only holds integers below 2^24 (per row 4 squares of at most 1020^2, or 4 pixels of at most 1 300 500, a component); 16-bit
// lanes hold 32 noise responses of at most 2040: ROWS is at most 32.

const SIDE: u32 = 1u;
const CENTRE: u32 = 2u;

struct BlockSums {
    sum: u32,
    sum_sq: u32,
    lap: i32,
    lap_sq: u32,
    tenengrad: u32,
    noise: u32,
    dark: u32,
    bright: u32,
}

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

// A pixel is dark at or below code dark_at, bright at or above bright_at.
fn luma_sums(picture: Picture, block: Block, dark_at: u32, bright_at: u32) -> BlockSums {
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
        let dark_code = vec4(dark_at * 0x10001u);
        let bright_code = vec4(bright_at * 0x10001u);
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
    let lap_total = vec4<i32>(lap);
    return BlockSums(
        sum_lanes(sum),
        sum_sq.x + sum_sq.y + sum_sq.z + sum_sq.w,
        lap_total.x + lap_total.y + lap_total.z + lap_total.w,
        lap_sq.x + lap_sq.y + lap_sq.z + lap_sq.w,
        tenengrad.x + tenengrad.y + tenengrad.z + tenengrad.w,
        sum_lanes(noise_even) + sum_lanes(noise_odd),
        sum_lanes(dark),
        sum_lanes(bright),
    );
}

// Adds the sums of all invocations to 14 words from `at` on; call it in uniform control flow.
fn add_luma_sums(at: u32, sums: BlockSums, lane: u32) {
    sum64(at, sums.sum, lane);
    sum64(at + 2u, sums.sum_sq, lane);
    sum64_signed(at + 4u, sums.lap, lane);
    sum64(at + 6u, sums.lap_sq, lane);
    sum64(at + 8u, sums.tenengrad, lane);
    sum64(at + 10u, sums.noise, lane);
    let dark = subgroupAdd(sums.dark);
    let bright = subgroupAdd(sums.bright);
    if (lane == 0u) {
        atomicAdd(&dst_sums[at + 12u], dark);
        atomicAdd(&dst_sums[at + 13u], bright);
    }
}
