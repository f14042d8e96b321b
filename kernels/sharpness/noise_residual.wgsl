// Sum of what a small blur takes away, for a batch of pictures.
//
// In:   src          luma plane, u8 or 10-bit in 16-bit words, one per picture (workgroup_id.z), sizes may differ
// Out:  dst_sums     2 words a picture, zero before: sum of |G - blur(G)|, low word first
// Algorithm: blur = (B + 128) >> 8 with B the 5x5 binomial [1 4 6 4 1] x [1 4 6 4 1]: across on loading, down over a window of five
//       rows that slides down ROWS rows; 16 pixels an invocation, pixels in 16-bit lanes.
// Border: reflect-101, replicate where a side is 1.
// Exact: integers; B + 128 is at most 65 408, the lanes of the sum hold 255 * 2 * 64.
// Loop bound: ROWS steps, at most 64.

#import common/grid
#import common/blocks
#import common/luma
#import common/signed16
#import common/pictures
#import common/rows5
#import common/sum64

@group(0) @binding(3) var<storage, read_write> dst_sums: array<atomic<u32>>;

// Pixels, and their binomial across.
struct Across {
    even: vec4<u32>,
    odd: vec4<u32>,
    sum_even: vec4<u32>,
    sum_odd: vec4<u32>,
}

fn across(picture: Picture, y: i32, v: u32) -> Across {
    let row = load_row5(picture.first + mirrored(y, picture.height) * picture.stride, v, picture.width);
    let left = left_of_even(row.odd, row.before.y);
    let right = right_of_odd(row.even, row.after.x);
    let even = left_of_even(row.even, row.before.x) + right + 4u * (left + row.odd) + 6u * row.even;
    let odd = left + right_of_odd(row.odd, row.after.y) + 4u * (row.even + right) + 6u * row.odd;
    return Across(row.even, row.odd, even, odd);
}

fn blurred(a: vec4<u32>, b: vec4<u32>, c: vec4<u32>, d: vec4<u32>, e: vec4<u32>) -> vec4<u32> {
    return ((a + e + 4u * (b + d) + 6u * c + vec4(0x00800080u)) >> S8) & LO;
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
    if (block.inside) {
        let v = block.column;
        let valid = min(picture.width - 16u * v, 16u);
        let even_pixels = even_mask(valid);
        let odd_pixels = odd_mask(valid);
        let first = i32(block.first);
        var a = across(picture, first - 2, v);
        var b = across(picture, first - 1, v);
        var c = across(picture, first, v);
        var d = across(picture, first + 1, v);
        for (var y = block.first; y < block.first + ROWS && y <= block.bottom; y++) {
            let e = across(picture, i32(y) + 2, v);
            let even = absolute((c.even | ZERO) - blurred(a.sum_even, b.sum_even, c.sum_even, d.sum_even, e.sum_even));
            let odd = absolute((c.odd | ZERO) - blurred(a.sum_odd, b.sum_odd, c.sum_odd, d.sum_odd, e.sum_odd));
            sum += (even & even_pixels) + (odd & odd_pixels);
            a = b;
            b = c;
            c = d;
            d = e;
        }
    }
    sum64(group.z * 2u, sum_lanes(sum), lane);
}
