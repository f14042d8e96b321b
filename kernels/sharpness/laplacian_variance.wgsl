// Sums for the variance of the Laplacian of a batch of pictures.
//
// In:   src          luma plane, u8 or 10-bit in 16-bit words, one per picture (workgroup_id.z), sizes may differ
// Out:  dst_sums     4 words a picture, zero before: sum of the Laplacian (signed), sum of its squares (two words each, low first)
// Algorithm: [0 1 0; 1 -4 1; 0 1 0] (Pech-Pacheco 2000). Sliding window down ROWS rows, 16 pixels an invocation, 16-bit lanes.
// Border: reflect-101, replicate where a side is 1.
// Exact: integers; f32 only holds integers below 2^24 (per row 4 squares below 1021^2 a component).
// Loop bound: ROWS steps, at most 64.

#import common/grid
#import common/blocks
#import common/luma
#import common/pictures
#import common/rows
#import common/signed16
#import common/inside
#import common/laplacian
#import common/sum64

@group(0) @binding(3) var<storage, read_write> dst_sums: array<atomic<u32>>;

@compute @workgroup_size(WG)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
    @builtin(subgroup_invocation_id) lane: u32,
) {
    let picture = src_pictures[group.z];
    let block = block_of(item_of(group, groups, local), picture.width, picture.height);
    var sum = vec4(0.0);
    var sum_sq = vec4(0u);
    if (block.inside) {
        let v = block.column;
        let edge = edge_of(picture.width, v);
        let even_pixels = even_mask(edge.valid);
        let odd_pixels = odd_mask(edge.valid);
        var top = load_row(picture.first + row_above(block.first, picture.height) * picture.stride, v, edge);
        var mid = load_row(picture.first + block.first * picture.stride, v, edge);
        for (var y = block.first; y < block.first + ROWS && y <= block.bottom; y++) {
            let low = load_row(picture.first + row_below(y, picture.height) * picture.stride, v, edge);
            let l = laplacian(top, mid, low);
            let even = split(masked(l.even, even_pixels, ZERO));
            let odd = split(masked(l.odd, odd_pixels, ZERO));
            sum += (even.low + even.high) + (odd.low + odd.high);
            sum_sq += vec4<u32>(vec4<i32>(squares(even) + squares(odd)));
            top = mid;
            mid = low;
        }
    }
    let at = group.z * 4u;
    let total = vec4<i32>(sum);
    sum64_signed(at, total.x + total.y + total.z + total.w, lane);
    sum64(at + 2u, sum_sq.x + sum_sq.y + sum_sq.z + sum_sq.w, lane);
}
