// Rows multiplied with a matrix of normal random numbers: y = R x.
//
// In:   src          rows of d f32
//       src_rows     R: k rows of d numbers, f32 or f16 (HALF)
// Out:  dst          rows of k f32, padding zero
// Algorithm: product of two matrices. main_lanes: 4 rows x 4 columns an invocation, nothing shared (software adapters). main_tiles:
//       64 x 64 a workgroup through workgroup memory (GPUs). workgroup_id: x columns, y rows.
// Border: rows and columns behind the last one repeat it and are not stored.
// Exact: no. f32 sums of d products in a fixed order: |error| <= 2^-24 * (d + 4) * sum_i |R_ji x_i| at worst, as declared; main_lanes
//       has a quarter of the roundings.
// Loop bound: d / 4 (main_lanes), d / 16 + d / 4 (main_tiles), d at most 65536.

#import common/products
#import common/product_tiles

override WG: u32 = 8u;

struct Params {
    steps: u32,         // groups of four numbers of a row
    stride: u32,        // groups from row to row of the source
    row_stride: u32,    // groups from row to row of R
    rows: u32,          // rows of the source
    columns: u32,       // rows of R
    padded: u32,        // columns with padding, a multiple of 4
    base: u32,          // first group of row 0 of the source
    dst_base: u32,      // first group of row 0 of the result
    dst_stride: u32,    // groups from row to row of the result
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(3) var<storage, read_write> dst: array<vec4<f32>>;

fn sources(first: u32) -> vec4<u32> {
    return params.base + min(vec4(first) + vec4(0u, 1u, 2u, 3u), vec4(params.rows - 1u)) * params.stride;
}

fn factors(first: u32) -> vec4<u32> {
    return min(vec4(first) + vec4(0u, 1u, 2u, 3u), vec4(params.columns - 1u)) * params.row_stride;
}

fn store(row: u32, column: u32, value: vec4<f32>) {
    if (row < params.rows && column < params.padded) {
        let inside = vec4(column) + vec4(0u, 1u, 2u, 3u) < vec4(params.columns);
        dst[params.dst_base + row * params.dst_stride + column / 4u] = select(vec4(0.0), value, inside);
    }
}

@compute @workgroup_size(WG)
fn main_lanes(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let column = (group.x * WG + local) * 4u;
    let row = group.y * 4u;
    if (column >= params.padded) {
        return;
    }
    let sums = block_of(sources(row), factors(column), params.steps);
    store(row, column, sums.first);
    store(row + 1u, column, sums.second);
    store(row + 2u, column, sums.third);
    store(row + 3u, column, sums.fourth);
}

@compute @workgroup_size(64)
fn main_tiles(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let corner = group.yx * 64u;
    let g = local / 4u * 4u;
    var sums = tile_of(sources(corner.x + g), factors(corner.y + g), params.steps, local);
    let row = corner.x + local / 8u * 8u;
    let column = corner.y + local % 8u * 8u;
    for (var i = 0u; i < 8u; i++) {
        store(row + i, column, sums[2u * i]);
        store(row + i, column + 4u, sums[2u * i + 1u]);
    }
}
