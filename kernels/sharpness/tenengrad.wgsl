// Sum of the squared Sobel gradient of a batch of pictures.
//
// In:   src          luma plane, u8 or 10-bit in 16-bit words, one per picture (workgroup_id.z), sizes may differ
// Out:  dst_sums     2 words a picture, zero before: sum of gx^2 + gy^2, low word first
// Algorithm: Tenengrad (Krotkov 1987) with Sobel 3x3. Sliding window down ROWS rows, 16 pixels an invocation, 16-bit lanes.
// Border: reflect-101, replicate where a side is 1.
// Exact: integers; f32 only holds integers below 2^24 (per row 4 pixels of at most 1 300 500 a component).
// Loop bound: ROWS steps, at most 64.

#import common/grid
#import common/blocks
#import common/luma
#import common/pictures
#import common/rows
#import common/signed16
#import common/inside
#import common/gradient
#import common/sum64

const SIDE: u32 = 1u;
const CENTRE: u32 = 2u;

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
    var sum = vec4(0u);
    if (block.inside) {
        let v = block.column;
        let edge = edge_of(picture.width, v);
        let even = even_mask(edge.valid);
        let odd = odd_mask(edge.valid);
        var top = load_row(picture.first + row_above(block.first, picture.height) * picture.stride, v, edge);
        var mid = load_row(picture.first + block.first * picture.stride, v, edge);
        for (var y = block.first; y < block.first + ROWS && y <= block.bottom; y++) {
            let low = load_row(picture.first + row_below(y, picture.height) * picture.stride, v, edge);
            let g = gradient(top, mid, low);
            let x = squares(split(masked(g.x_even, even, ZERO))) + squares(split(masked(g.x_odd, odd, ZERO)));
            let y_ = squares(split(masked(g.y_even, even, ZERO))) + squares(split(masked(g.y_odd, odd, ZERO)));
            sum += vec4<u32>(vec4<i32>(x + y_));
            top = mid;
            mid = low;
        }
    }
    sum64(group.z * 2u, sum.x + sum.y + sum.z + sum.w, lane);
}
