// Luma statistics of a batch of frames in one fused pass.
//
// In:   src          luma plane, u8 or 10-bit in 16-bit words, one per picture (workgroup_id.z), sizes may differ
// Out:  dst_sums     14 words a frame, zero before: sum, sum of squares, sum of Laplacian (signed), sum of squared Laplacian,
//                    sum of gx^2+gy^2 (Sobel 3x3), sum of |noise mask| (two words each, low first), dark, bright (one word)
// Algorithm: sliding window down ROWS rows, 16 pixels an invocation, pixels in 16-bit lanes (docs: ARCHITECTURE.md, "SWAR").
//       Laplacian [0 1 0; 1 -4 1; 0 1 0] (Pech-Pacheco 2000), Tenengrad (Krotkov 1987),
//       noise mask [1 -2 1; -2 4 -2; 1 -2 1] over interior pixels (Immerkaer 1996).
// Border: reflect-101 for Laplacian and Sobel, replicate where a side is 1; the noise mask skips border pixels.
// Exact: integers; f32 only holds integers below 2^24 (per row: at most 8 squares below 1021^2 a component).
// Loop bound: ROWS steps, at most 32.

#import common/grid
#import common/luma
#import common/pictures
#import common/rows
#import common/sum64

override WG: u32 = 8u;
override ROWS: u32 = 20u;

struct Params {
    dark: u32,      // a pixel is dark at or below this code
    bright: u32,    // a pixel is bright at or above this code
    dst: u32,       // words of dst_sums per frame
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(3) var<storage, read_write> dst_sums: array<atomic<u32>>;

// Squares of the 16-bit lanes of v after taking away `bias`, pairwise added.
fn squares(v: vec4<u32>, bias: f32) -> vec4<f32> {
    let p = vec4<f32>(vec4<i32>(v & HALF)) - bias;
    let q = vec4<f32>(vec4<i32>(v >> S16)) - bias;
    return p * p + q * q;
}

fn masked(v: vec4<u32>, mask: vec4<u32>, bias: vec4<u32>) -> vec4<u32> {
    if (!TAIL) {
        return v;
    }
    return (v & mask) | (bias & ~mask);
}

@compute @workgroup_size(WG)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
    @builtin(subgroup_invocation_id) lane: u32,
) {
    let item = item_of(group, groups, local);
    let picture = src_pictures[group.z];
    let columns = (picture.width + 15u) >> 4u;
    var sum = vec4(0u);
    var sum_sq = vec4(0u);
    var lap = vec4(0.0);
    var lap_sq = vec4(0u);
    var tenengrad = vec4(0u);
    var noise_even = vec4(0u);
    var noise_odd = vec4(0u);
    var dark = vec4(0u);
    var bright = vec4(0u);
    if (item < columns * ((picture.height + ROWS - 1u) / ROWS)) {
        let block = item / columns;
        let v = item - block * columns;
        let first = block * ROWS;
        let bottom = picture.height - 1u;
        let edge = edge_of(picture.width, v);
        let me = even_mask(edge.valid);
        let mo = odd_mask(edge.valid);
        // Interior columns for the noise mask: not the first, not the last pixel of the row.
        let inner = select(edge.valid, edge.valid - 1u, v + 1u == columns);
        let ne = even_mask(inner) & select(vec4(~0u), vec4(0xffff0000u, ~0u, ~0u, ~0u), v == 0u);
        let no = odd_mask(inner);
        let dark_code = vec4(params.dark * 0x10001u);
        let bright_code = vec4(params.bright * 0x10001u);
        let bias = vec4(0x04000400u);
        let bias_gy = vec4(0x10001000u);
        var top = load_row(picture.first + row_above(first, picture.height) * picture.stride, v, edge);
        var mid = load_row(picture.first + first * picture.stride, v, edge);
        for (var k = 0u; k < ROWS; k++) {
            let y = first + k;
            if (y > bottom) {
                break;
            }
            let low = load_row(picture.first + row_below(y, picture.height) * picture.stride, v, edge);
            let e = masked(mid.even, me, vec4(0u));
            let o = masked(mid.odd, mo, vec4(0u));
            sum += e + o;
            sum_sq += vec4<u32>(vec4<i32>(squares(e, 0.0) + squares(o, 0.0)));
            dark += (at_least_lanes(dark_code, mid.even) & me) + (at_least_lanes(dark_code, mid.odd) & mo);
            bright += (at_least_lanes(mid.even, bright_code) & me) + (at_least_lanes(mid.odd, bright_code) & mo);

            let side_e = left_of_even(mid.odd, mid.before) + mid.odd;
            let side_o = mid.even + right_of_odd(mid.even, mid.after);
            let tb_e = top.even + low.even;
            let tb_o = top.odd + low.odd;
            let le = masked(tb_e + side_e + bias - (mid.even << vec4(2u)), me, bias);
            let lo = masked(tb_o + side_o + bias - (mid.odd << vec4(2u)), mo, bias);
            let a = vec4<f32>(vec4<i32>(le & HALF)) - 1024.0;
            let b = vec4<f32>(vec4<i32>(le >> S16)) - 1024.0;
            let c = vec4<f32>(vec4<i32>(lo & HALF)) - 1024.0;
            let d = vec4<f32>(vec4<i32>(lo >> S16)) - 1024.0;
            lap += (a + b) + (c + d);
            lap_sq += vec4<u32>(vec4<i32>((a * a + b * b) + (c * c + d * d)));

            let ve = tb_e + (mid.even << vec4(1u));
            let vo = tb_o + (mid.odd << vec4(1u));
            let v_before = top.before + low.before + 2u * mid.before;
            let v_after = top.after + low.after + 2u * mid.after;
            let gx_e = masked(vo + bias - left_of_even(vo, v_before), me, bias);
            let gx_o = masked(right_of_odd(ve, v_after) + bias - ve, mo, bias);
            let de = low.even + bias - top.even;
            let do_ = low.odd + bias - top.odd;
            let d_before = 1024u + low.before - top.before;
            let d_after = 1024u + low.after - top.after;
            let gy_e = masked(left_of_even(do_, d_before) + (de << vec4(1u)) + do_, me, bias_gy);
            let gy_o = masked(de + (do_ << vec4(1u)) + right_of_odd(de, d_after), mo, bias_gy);
            let grad = (squares(gx_e, 1024.0) + squares(gx_o, 1024.0)) + (squares(gy_e, 4096.0) + squares(gy_o, 4096.0));
            tenengrad += vec4<u32>(vec4<i32>(grad));

            if (y > 0u && y < bottom) {
                let half = vec4(0x02000200u);
                let se = tb_e + half - (mid.even << vec4(1u));
                let so = tb_o + half - (mid.odd << vec4(1u));
                let s_before = 512u + top.before + low.before - 2u * mid.before;
                let s_after = 512u + top.after + low.after - 2u * mid.after;
                let zero = vec4(0x08000800u);
                let n_e = left_of_even(so, s_before) + so + zero - (se << vec4(1u));
                let n_o = se + right_of_odd(se, s_after) + zero - (so << vec4(1u));
                noise_even += absdiff_lanes(n_e, zero) & ne;
                noise_odd += absdiff_lanes(n_o, zero) & no;
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
