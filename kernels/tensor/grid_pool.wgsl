// Means of the cells of a grid over feature maps.
//
// In:   src          [N, C, height, width] f32, map n being workgroup_id.z
// Out:  dst          a row of grid * grid * C f32 a map: cells row by row, the channels of a cell together; padding zero
// Algorithm: floor cells of cell_width x cell_height; rows and columns behind the last cell take no part. Mean, or GeM (POWER):
//       m * mean((max(x, 1e-6) / m)^p)^(1/p) with the largest of the cell as m. One value an invocation.
// Border: none.
// Exact: no. Sums of f32 along rows, then of rows: at most 256 roundings; powers of numbers in 0..1 with an absolute error of the
//       exponent of p * 2^-21, of which the root takes a p-th part. Declared 2e-5 in units of the cell's largest magnitude.
// Loop bound: two passes over a cell of at most 128 x 128, checked in plan.

#import common/grid

override WG: u32 = 8u;
override POWER: bool = false;

struct Params {
    power: f32,
    count: u32,         // numbers of a row: grid * grid * channels
    padded: u32,        // with padding
    channels: u32,
    width: u32,
    height: u32,
    grid: u32,
    cell_width: u32,
    cell_height: u32,
    base: u32,          // first number of map 0
    dst_base: u32,      // first number of row 0
    dst_stride: u32,    // numbers from row to row
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> src: array<f32>;
@group(0) @binding(3) var<storage, read_write> dst: array<f32>;

const LEAST: f32 = 1e-6;

@compute @workgroup_size(WG)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let item = item_of(group, groups, local);
    if (item >= params.padded) {
        return;
    }
    let to = params.dst_base + group.z * params.dst_stride + item;
    if (item >= params.count) {
        dst[to] = 0.0;
        return;
    }
    let cell = item / params.channels;
    let channel = item - cell * params.channels;
    let cy = cell / params.grid;
    let cx = cell - cy * params.grid;
    let plane = params.base + (group.z * params.channels + channel) * params.width * params.height;
    let first = plane + cy * params.cell_height * params.width + cx * params.cell_width;
    let area = f32(params.cell_width * params.cell_height);
    var sum = 0.0;
    if (!POWER) {
        for (var y = 0u; y < params.cell_height; y++) {
            let row = first + y * params.width;
            var run = 0.0;
            for (var x = 0u; x < params.cell_width; x++) {
                run += src[row + x];
            }
            sum += run;
        }
        dst[to] = sum / area;
        return;
    }
    var most = LEAST;
    for (var y = 0u; y < params.cell_height; y++) {
        let row = first + y * params.width;
        for (var x = 0u; x < params.cell_width; x++) {
            most = max(most, src[row + x]);
        }
    }
    for (var y = 0u; y < params.cell_height; y++) {
        let row = first + y * params.width;
        var run = 0.0;
        for (var x = 0u; x < params.cell_width; x++) {
            run += pow(max(src[row + x], LEAST) / most, params.power);
        }
        sum += run;
    }
    dst[to] = most * pow(sum / area, 1.0 / params.power);
}
