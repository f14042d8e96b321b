// Histograms of oriented gradients over cells, normalised over overlapping blocks of cells.
//
// In:   src_words    luma plane, u8 or 10-bit in 16-bit words, one per picture (workgroup_id.z), sizes may differ
//       src_borders  directions of the borders between bins: 4 x, then 4 y, VECS times; the ones behind the last bin are never reached
// Out:  dst_parts    entry `cells`: histograms of parts of cells over the area of a cell: BINS numbers and their energy each
//       dst          entry `blocks`: f32 in the order block row, block column, cell row, cell column, bin
// Algorithm: Dalal and Triggs 2005 as scikit-image has it: gradient next minus previous, its length votes into the one bin its angle
//       in [0, 180) falls in, cell sums over the cell's area, blocks one cell apart, L2-Hys (clip 0.2, eps 1e-5).
//       `cells`: an invocation takes `rows` rows of a cell, bins in registers. A pixel lies in bin i or a higher one when its gradient
//       is at or left of border i: a cross product of integers, so no pixel is misfiled. `blocks`: an invocation per block.
// Border: a gradient across the edge of the picture is 0; pixels behind the last whole cell do not vote.
// Exact: which bin; lengths and sums are f32, added in a fixed order: column of four, columns of a part, parts.
// Loop bound: `cells` 66 columns x 32 rows; `blocks` 3 rounds x 64 cells x 20 bins x 7 parts = 26880.

#import common/grid
#import common/orientation
#import common/pictures
#import common/quads

override WG: u32 = 8u;
override BINS: u32 = 9u;
// Invocations per cell, one below the other.
override PARTS: u32 = 1u;

struct Params {
    cell_width: u32,    // pixels
    cell_height: u32,
    block_width: u32,   // cells
    block_height: u32,
    rows: u32,          // pixel rows of a part
    part_slot: u32,     // floats of dst_parts per picture
    slot: u32,          // floats of dst per picture
    per_area: f32,      // 1 / (cell_width cell_height)
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(3) var<storage, read_write> dst: array<f32>;
@group(0) @binding(7) var<storage, read_write> dst_parts: array<f32>;
@group(0) @binding(8) var<storage, read> src_parts: array<f32>;

fn bytes_of(w: u32) -> vec4<f32> {
    return vec4<f32>(vec4<i32>((vec4(w) >> vec4(0u, 8u, 16u, 24u)) & vec4(0xffu)));
}

// Writes bins 4k .. 4k+3 of a part; gives their energy.
fn store(at: u32, k: u32) -> f32 {
    if (k >= VECS) {
        return 0.0;
    }
    let v = sums[k] * params.per_area;
    let bin = 4u * k;
    dst_parts[at + bin] = v.x;
    if (bin + 1u < BINS) { dst_parts[at + bin + 1u] = v.y; }
    if (bin + 2u < BINS) { dst_parts[at + bin + 2u] = v.z; }
    if (bin + 3u < BINS) { dst_parts[at + bin + 3u] = v.w; }
    return dot(v, v);
}

@compute @workgroup_size(WG)
fn cells(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let item = item_of(group, groups, local);
    let picture = src_pictures[group.z];
    let across = picture.width / params.cell_width;
    if (item >= across * (picture.height / params.cell_height) * PARTS) {
        return;
    }
    let line = item / across;
    let cell_y = line / PARTS;
    let x0 = (item - line * across) * params.cell_width;
    let x1 = x0 + params.cell_width;
    let y0 = cell_y * params.cell_height + (line - cell_y * PARTS) * params.rows;
    let y1 = min(y0 + params.rows, (cell_y + 1u) * params.cell_height);
    let bottom = picture.height - 1u;
    let last = (picture.width - 1u) >> 2u;
    if (VECS > 0u) { begin(0u); }
    if (VECS > 1u) { begin(1u); }
    if (VECS > 2u) { begin(2u); }
    if (VECS > 3u) { begin(3u); }
    if (VECS > 4u) { begin(4u); }
    for (var i = x0 >> 2u; i * 4u < x1; i++) {
        let inside = between(i * 4u, x0, x1);
        let level = inside & between(i * 4u, 1u, picture.width - 1u);
        var top = quad(picture.first + (max(y0, 1u) - 1u) * picture.stride, i);
        var mid = quad(picture.first + min(y0, bottom) * picture.stride, i);
        for (var y = y0; y < y1; y++) {
            let row = picture.first + y * picture.stride;
            let low = quad(picture.first + min(y + 1u, bottom) * picture.stride, i);
            let left = (mid << 8u) | (quad(row, max(i, 1u) - 1u) >> 24u);
            let right = (mid >> 8u) | (quad(row, min(i + 1u, last)) << 24u);
            let upright = select(inside, 0u, y == 0u || y == bottom);
            let gx = bytes_of(right & level) - bytes_of(left & level);
            let gy = bytes_of(low & upright) - bytes_of(top & upright);
            pixel(gx.x, gy.x);
            pixel(gx.y, gy.y);
            pixel(gx.z, gy.z);
            pixel(gx.w, gy.w);
            top = mid;
            mid = low;
        }
        end_column(0u);
        end_column(1u);
        end_column(2u);
        end_column(3u);
        end_column(4u);
        last_sum += last_vote;
        last_vote = 0.0;
    }
    let at = group.z * params.part_slot + item * (BINS + 1u);
    var part_energy = store(at, 0u) + store(at, 1u) + store(at, 2u) + store(at, 3u) + store(at, 4u);
    if (BINS == 4u * VECS + 1u) {
        let v = last_sum * params.per_area;
        dst_parts[at + 4u * VECS] = v;
        part_energy += v * v;
    }
    dst_parts[at + BINS] = part_energy;
}

// Bin of the cell whose first part is `part`; the parts of a cell are `down` floats apart.
fn sum_parts(part: u32, down: u32, bin: u32) -> f32 {
    if (bin >= BINS) {
        return 0.0;
    }
    var sum = src_parts[part + bin];
    for (var i = 1u; i < PARTS; i++) {
        sum += src_parts[part + i * down + bin];
    }
    return sum;
}

// Sum of the squared bins of a cell.
fn cell_energy(part: u32, down: u32) -> f32 {
    if (PARTS == 1u) {
        return src_parts[part + BINS];
    }
    var energy = 0.0;
    for (var bin = 0u; bin < BINS; bin++) {
        let v = sum_parts(part, down, bin);
        energy += v * v;
    }
    return energy;
}

// Bins 4k .. 4k+3 of a cell, times a factor and clipped.
fn four_bins(part: u32, down: u32, k: u32, scale: f32) -> vec4<f32> {
    let bin = 4u * k;
    let v = vec4(
        sum_parts(part, down, bin),
        sum_parts(part, down, bin + 1u),
        sum_parts(part, down, bin + 2u),
        sum_parts(part, down, bin + 3u),
    );
    return min(v * scale, vec4(0.2));
}

fn energy_of(part: u32, down: u32, k: u32, scale: f32) -> f32 {
    if (4u * k >= BINS) {
        return 0.0;
    }
    let v = four_bins(part, down, k, scale);
    return dot(v, v);
}

fn write(out: u32, part: u32, down: u32, k: u32, scale: f32, norm: f32) {
    let bin = 4u * k;
    if (bin >= BINS) {
        return;
    }
    let v = four_bins(part, down, k, scale) * norm;
    dst[out + bin] = v.x;
    if (bin + 1u < BINS) { dst[out + bin + 1u] = v.y; }
    if (bin + 2u < BINS) { dst[out + bin + 2u] = v.z; }
    if (bin + 3u < BINS) { dst[out + bin + 3u] = v.w; }
}

@compute @workgroup_size(WG)
fn blocks(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let item = item_of(group, groups, local);
    let picture = src_pictures[group.z];
    let across = picture.width / params.cell_width;
    let blocks_x = across + 1u - params.block_width;
    if (item >= blocks_x * (picture.height / params.cell_height + 1u - params.block_height)) {
        return;
    }
    let block_y = item / blocks_x;
    let down = across * (BINS + 1u);
    let first = group.z * params.part_slot + block_y * down * PARTS + (item - block_y * blocks_x) * (BINS + 1u);
    var out = group.z * params.slot + item * params.block_width * params.block_height * BINS;
    let cells = params.block_width * params.block_height;
    let next_row = down * PARTS - params.block_width * (BINS + 1u);
    // One loop a step: a software adapter takes both sides of a branch.
    var energy = 0.0;
    var part = first;
    for (var c = 1u; c <= cells; c++) {
        energy += cell_energy(part, down);
        part += BINS + 1u + select(0u, next_row, c % params.block_width == 0u);
    }
    let scale = inverseSqrt(energy + 1e-10);
    energy = 0.0;
    part = first;
    for (var c = 1u; c <= cells; c++) {
        energy += energy_of(part, down, 0u, scale) + energy_of(part, down, 1u, scale) + energy_of(part, down, 2u, scale)
            + energy_of(part, down, 3u, scale) + energy_of(part, down, 4u, scale);
        part += BINS + 1u + select(0u, next_row, c % params.block_width == 0u);
    }
    let norm = inverseSqrt(energy + 1e-10);
    part = first;
    for (var c = 1u; c <= cells; c++) {
        write(out, part, down, 0u, scale, norm);
        write(out, part, down, 1u, scale, norm);
        write(out, part, down, 2u, scale, norm);
        write(out, part, down, 3u, scale, norm);
        write(out, part, down, 4u, scale, norm);
        out += BINS;
        part += BINS + 1u + select(0u, next_row, c % params.block_width == 0u);
    }
}
