// Sums for the variance of the Laplacian of every tile of a batch of pictures.
//
// In:   src          luma plane, u8 or 10-bit in 16-bit words, one per picture (workgroup_id.z), sizes may differ
// Out:  dst_sums     3 words a tile, zero before, tiles row by row: sum of the Laplacian (signed), then the low 16 bits and the rest of
//                    partial sums of its squares, added apart: low + 65536 * high
// Algorithm: [0 1 0; 1 -4 1; 0 1 0] (Pech-Pacheco 2000), pixels beyond a tile included where the picture goes on. Sliding window down
//       ROWS rows, 16 pixels an invocation, 16-bit lanes; ROWS divides the tile, so that a block lies in one tile.
// Border: reflect-101, replicate where a side is 1. Tiles at the right and bottom end with the picture.
// Exact: integers; f32 only holds integers below 2^24; a tile has at most 512 blocks of sums below 2^30.
// Loop bound: ROWS steps, at most 64.

#import common/grid
#import common/blocks
#import common/luma
#import common/pictures
#import common/rows
#import common/signed16
#import common/inside
#import common/laplacian

struct Params {
    tile: u32,      // side of a tile in pixels, a multiple of 16 and of ROWS
    dst: u32,       // words of dst_sums per picture
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(3) var<storage, read_write> dst_sums: array<atomic<u32>>;

@compute @workgroup_size(WG)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let picture = src_pictures[group.z];
    let block = block_of(item_of(group, groups, local), picture.width, picture.height);
    if (!block.inside) {
        return;
    }
    var sum = vec4(0.0);
    var sum_sq = vec4(0u);
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
    let tiles = (picture.width + params.tile - 1u) / params.tile;
    let tile = block.first / params.tile * tiles + 16u * v / params.tile;
    let at = group.z * params.dst + 3u * tile;
    let total = vec4<i32>(sum);
    let squared = sum_sq.x + sum_sq.y + sum_sq.z + sum_sq.w;
    atomicAdd(&dst_sums[at], bitcast<u32>(total.x + total.y + total.z + total.w));
    atomicAdd(&dst_sums[at + 1u], squared & 0xffffu);
    atomicAdd(&dst_sums[at + 2u], squared >> 16u);
}
