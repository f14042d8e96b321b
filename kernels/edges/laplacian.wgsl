// Laplacian of a batch of pictures, or its absolute value.
//
// In:   src          luma plane, u8 or 10-bit in 16-bit words, one per picture (workgroup_id.z), sizes may differ
// Out:  dst          map: i16; magnitude: bytes min(|L|, 255), rows padded to 16 bytes (padding holds anything)
// Algorithm: [0 1 0; 1 -4 1; 0 1 0]. Sliding window down ROWS rows, 16 pixels an invocation, pixels in 16-bit lanes.
// Border: reflect-101, replicate where a side is 1.
// Exact: integers.
// Loop bound: ROWS steps, at most 64.

#import common/grid
#import common/blocks
#import common/luma
#import common/pictures
#import common/out_pictures
#import common/rows
#import common/signed16
#import common/laplacian
#import common/results16

@compute @workgroup_size(WG)
fn map(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let picture = src_pictures[group.z];
    let block = block_of(item_of(group, groups, local), picture.width, picture.height);
    if (!block.inside) {
        return;
    }
    let v = block.column;
    let edge = edge_of(picture.width, v);
    var top = load_row(picture.first + row_above(block.first, picture.height) * picture.stride, v, edge);
    var mid = load_row(picture.first + block.first * picture.stride, v, edge);
    for (var y = block.first; y < block.first + ROWS && y <= block.bottom; y++) {
        let low = load_row(picture.first + row_below(y, picture.height) * picture.stride, v, edge);
        let l = laplacian(top, mid, low);
        let values = in_order(complement(l.even), complement(l.odd));
        let at = place_in_map(group.z, y, v);
        dst[at] = values[0];
        dst[at + 1u] = values[1];
        top = mid;
        mid = low;
    }
}

@compute @workgroup_size(WG)
fn magnitude(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let picture = src_pictures[group.z];
    let out = out_pictures[group.z];
    let block = block_of(item_of(group, groups, local), picture.width, picture.height);
    if (!block.inside) {
        return;
    }
    let v = block.column;
    let edge = edge_of(picture.width, v);
    var top = load_row(picture.first + row_above(block.first, picture.height) * picture.stride, v, edge);
    var mid = load_row(picture.first + block.first * picture.stride, v, edge);
    for (var y = block.first; y < block.first + ROWS && y <= block.bottom; y++) {
        let low = load_row(picture.first + row_below(y, picture.height) * picture.stride, v, edge);
        let l = laplacian(top, mid, low);
        let even = saturated(absolute(l.even));
        let odd = saturated(absolute(l.odd));
        dst[out.first + y * out.stride + v] = even | (odd << S8);
        top = mid;
        mid = low;
    }
}
