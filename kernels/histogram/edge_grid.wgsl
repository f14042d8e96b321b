// Edge pixels in the cells of a grid; `cells` cuts the cells out of a picture, so that each can be searched for edges by itself.
//
// In:   src_bits     count: bit planes of edges, one bit a pixel; src_pictures tells their places
//       src          cells: luma plane, u8 or 10-bit in 16-bit words (8 most significant bits used)
// Out:  dst_counts   count: grid x grid words a plane, row by row of cells, zero before
//       dst          cells: one byte a pixel, grid x grid pictures a picture, row by row of cells (workgroup_id.z)
// Algorithm: cells are W/grid x H/grid pixels, rounded down: what is left over at the right and below belongs to none (floor cells of
//       a spatial pyramid, Lazebnik et al. 2006). Population count of 32 pixels a step, ROWS rows of a cell an invocation.
// Border: none.
// Exact: integers below 2^31.
// Loop bound: count: ROWS * (width / 32 + 2) steps, at most 16 * 1026; cells: ROWS, at most 16.

#import common/grid
#import common/luma
#import common/out_pictures
#import common/pictures

override WG: u32 = 8u;
override ROWS: u32 = 16u;

struct Params {
    grid: u32,      // cells along each side
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> src_bits: array<u32>;
@group(0) @binding(3) var<storage, read_write> dst_counts: array<atomic<u32>>;
@group(0) @binding(3) var<storage, read_write> dst: array<vec4<u32>>;

@compute @workgroup_size(WG)
fn count(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let item = item_of(group, groups, local);
    let picture = src_pictures[group.z];
    let grid = params.grid;
    let size = vec2(picture.width / grid, picture.height / grid);
    let cell = item % (grid * grid);
    let first = (item / (grid * grid)) * ROWS;
    if (first >= size.y) {
        return;
    }
    let from_x = (cell % grid) * size.x;
    let to_x = from_x + size.x;
    let top = (cell / grid) * size.y;
    let words = 4u * picture.stride;
    var total = 0u;
    for (var y = top + first; y < top + min(first + ROWS, size.y); y++) {
        let row = picture.first * 4u + y * words;
        for (var w = from_x >> 5u; 32u * w < to_x; w++) {
            // Bits of the word inside the cell.
            let low = ~0u << (max(from_x, 32u * w) - 32u * w);
            let behind = min(to_x - 32u * w, 32u);
            total += countOneBits(src_bits[row + w] & low & (~0u >> (32u - behind)));
        }
    }
    if (total > 0u) {
        atomicAdd(&dst_counts[group.z * grid * grid + cell], total);
    }
}

// Pixels x .. x+3 of a row as a word; behind the end of the buffer anything.
fn four(row: u32, x: u32) -> u32 {
    let last = arrayLength(&src_words) - 1u;
    if (!WIDE) {
        let at = min(row * 4u + (x >> 2u), last);
        let shift = (x & 3u) * 8u;
        let low = src_words[at] >> shift;
        let high = src_words[min(at + 1u, last)];
        return select(low | (high << ((32u - shift) & 31u)), low, shift == 0u);
    }
    let at = row * 4u + (x >> 1u);
    let a = src_words[min(at, last)];
    let b = src_words[min(at + 1u, last)];
    let c = src_words[min(at + 2u, last)];
    let odd = (x & 1u) == 1u;
    let p = (select(a, (a >> 16u) | (b << 16u), odd) >> SHIFT) & 0xff00ffu;
    let q = (select(b, (b >> 16u) | (c << 16u), odd) >> SHIFT) & 0xff00ffu;
    return ((p | (p >> 8u)) & 0xffffu) | ((q | (q >> 8u)) << 16u);
}

@compute @workgroup_size(WG)
fn cells(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let item = item_of(group, groups, local);
    let out = out_pictures[group.z];
    let columns = (out.width + 15u) >> 4u;
    if (item >= columns * ((out.height + ROWS - 1u) / ROWS)) {
        return;
    }
    let grid = params.grid;
    let picture = src_pictures[group.z / (grid * grid)];
    let cell = group.z % (grid * grid);
    let block = item / columns;
    let v = item - block * columns;
    let x = (cell % grid) * out.width + 16u * v;
    for (var y = block * ROWS; y < min(block * ROWS + ROWS, out.height); y++) {
        let row = picture.first + ((cell / grid) * out.height + y) * picture.stride;
        dst[out.first + y * out.stride + v] = vec4(four(row, x), four(row, x + 4u), four(row, x + 8u), four(row, x + 12u));
    }
}
