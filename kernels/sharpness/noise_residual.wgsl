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
#import common/residual
#import common/rows5
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
    sum64(group.z * 2u, residual_sum(picture, block), lane);
}
