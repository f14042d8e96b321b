// Luma statistics of a batch of frames in one fused pass.
//
// In:   src          luma plane, u8 or 10-bit in 16-bit words, one per picture (workgroup_id.z), sizes may differ
// Out:  dst_sums     14 words a frame, zero before: sum, sum of squares, sum of Laplacian (signed), sum of squared Laplacian,
//                    sum of gx^2+gy^2 (Sobel 3x3), sum of |noise mask| (two words each, low first), dark, bright (one word)
// Algorithm: sliding window down ROWS rows, 16 pixels an invocation, pixels in 16-bit lanes (docs: ARCHITECTURE.md, "SWAR").
//       Laplacian [0 1 0; 1 -4 1; 0 1 0] (Pech-Pacheco 2000), Tenengrad (Krotkov 1987),
//       noise mask [1 -2 1; -2 4 -2; 1 -2 1] over interior pixels (Immerkaer 1996).
// Border: reflect-101 for Laplacian and Sobel, replicate where a side is 1; the noise mask skips border pixels.
// Exact: integers; f32 only holds integers below 2^24, see common/luma_sums.
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
#import common/luma_sums
#import common/sum64

struct Params {
    dark: u32,      // a pixel is dark at or below this code
    bright: u32,    // a pixel is bright at or above this code
    dst: u32,       // words of dst_sums per frame
}

@group(0) @binding(0) var<uniform> params: Params;
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
    add_luma_sums(group.z * params.dst, luma_sums(picture, block, params.dark, params.bright), lane);
}
