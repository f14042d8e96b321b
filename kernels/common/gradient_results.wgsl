// Entry points that write first derivatives or their magnitude, for any weights. Needs common/blocks, common/gradient,
// common/grid, common/luma, common/out_pictures, common/pictures, common/results16, common/rows, common/signed16.

// The derivative downwards; the one to the right goes to `dst`.
@group(0) @binding(6) var<storage, read_write> dst_gy: array<vec4<u32>>;

@compute @workgroup_size(WG)
fn derivatives(
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
        let g = gradient(top, mid, low);
        let gx = in_order(complement(g.x_even), complement(g.x_odd));
        let gy = in_order(complement(g.y_even), complement(g.y_odd));
        let at = place_in_map(group.z, y, v);
        dst[at] = gx[0];
        dst[at + 1u] = gx[1];
        dst_gy[at] = gy[0];
        dst_gy[at + 1u] = gy[1];
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
        let g = gradient(top, mid, low);
        let even = saturated(absolute(g.x_even) + absolute(g.y_even));
        let odd = saturated(absolute(g.x_odd) + absolute(g.y_odd));
        dst[out.first + y * out.stride + v] = even | (odd << S8);
        top = mid;
        mid = low;
    }
}

// Square root of gx^2 + gy^2 to the nearest integer. The estimate is off by one at most; m is never half way between two squares'
// roots, so that r is right when r^2 - r < m <= r^2 + r.
fn root_of(gx: vec4<u32>, gy: vec4<u32>) -> vec4<u32> {
    let x = vec4<i32>(gx) - 0x8000;
    let y = vec4<i32>(gy) - 0x8000;
    let m = x * x + y * y;
    var r = vec4<i32>(sqrt(vec4<f32>(m)) + 0.5);
    r -= select(vec4(0), vec4(1), (r * r - r >= m) & (r > vec4(0)));
    r += select(vec4(0), vec4(1), m > r * r + r);
    return vec4<u32>(r);
}

@compute @workgroup_size(WG)
fn norm(
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
        let g = gradient(top, mid, low);
        let even = root_of(g.x_even & HALF, g.y_even & HALF) | (root_of(g.x_even >> S16, g.y_even >> S16) << S16);
        let odd = root_of(g.x_odd & HALF, g.y_odd & HALF) | (root_of(g.x_odd >> S16, g.y_odd >> S16) << S16);
        let roots = in_order(even, odd);
        let at = place_in_map(group.z, y, v);
        dst[at] = roots[0];
        dst[at + 1u] = roots[1];
        top = mid;
        mid = low;
    }
}
