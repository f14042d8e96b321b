// What descriptors of pictures need beside the operations they are made of: orientations of edges, projected colours, rows.
//
// In:   src_bits, src_words     orient: bit planes of edges (src_planes) of grey pictures of bytes (src_pictures)
//       src_cells               pack: 512 counts a cell, CELLS cells a picture (workgroup_id.z), each below 2^23
//       src_list, src_sizes, src_matrix   project: what `pack` leaves; the matrix, a row of groups of four outputs for each bin
//       src_edge, src_texture, src_color  assemble: counts, or numbers (edge); a picture's lie a stride apart
// Out:  dst_counts   orient: 8 counts a cell, row by row of cells, zero before
//       dst_list, dst_sizes   pack: bins with pixels, bin | count << 9, at the place of their cell, and how many
//       dst_values   project: outputs of each picture, padded to whole groups
//       dst          assemble: rows of f32, or f16 rounded to nearest even (HALF), zero behind the last number
// Algorithm: orient: Sobel 3x3 at each edge pixel, its angle rounded to the next multiple of 22.5 degrees, opposite ones the same.
//       project: R x over the bins that hold pixels only: histograms of a cell are mostly empty.
//       assemble: WG lanes sum squares of each part in blocks of 16, then a tree; a part is scaled to its weight (by its own length,
//       or by a constant), then all parts together to the length of the row. Parts of zeros stay zero.
// Border: orient: replicate.
// Exact: orient and pack (angles by integer tangents). project and assemble are f32 sums in a fixed order, roots and quotients.
// Loop bound: orient ROWS * (1024 + 33), at most 8456; pack 512; project 8192 + 20; assemble 2 * 61,000 / WG with blocks and lanes.

#import common/descriptor
#import common/grid
#import common/half
#import common/orientation8

override WG: u32 = 8u;
// orient: rows of a cell an invocation.
override ROWS: u32 = 8u;
override HALF: bool = false;

const CELLS: u32 = 16u;
const BINS: u32 = 512u;

struct Params {
    edge: vec4<u32>,      // assemble: numbers, words from picture to picture, bins of a cell, first word; orient: cells across, down
    texture: vec4<u32>,   // assemble: numbers, words from picture to picture, first word
    color: vec4<u32>,     // assemble: numbers, words from picture to picture
    weight: vec4<f32>,    // assemble: of the edge, texture and colour part; length of the row
    before: vec4<f32>,    // assemble: factors of the parts before their weight, 0 for 1 / length; 1 / pixels of a cell (project, too)
    begin: u32,           // assemble: first group of four numbers that is written
    end: u32,             // behind the last one
    groups: u32,          // project: groups of four outputs
    stride: u32,          // assemble: pairs of words from row to row
    base: u32,            // assemble: first pair of row 0
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> src_bits: array<u32>;
@group(0) @binding(6) var<storage, read> src_planes: array<Picture>;
@group(0) @binding(3) var<storage, read_write> dst_counts: array<atomic<u32>>;

@group(0) @binding(1) var<storage, read> src_cells: array<u32>;
@group(0) @binding(3) var<storage, read_write> dst_list: array<u32>;
@group(0) @binding(7) var<storage, read_write> dst_sizes: array<u32>;

@group(0) @binding(1) var<storage, read> src_list: array<u32>;
@group(0) @binding(2) var<storage, read> src_sizes: array<u32>;
@group(0) @binding(6) var<storage, read> src_matrix: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> dst_values: array<vec4<f32>>;

@group(0) @binding(3) var<storage, read_write> dst: array<vec2<u32>>;

@compute @workgroup_size(WG)
fn orient(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let item = item_of(group, groups, local);
    let picture = src_pictures[group.z];
    let plane = src_planes[group.z];
    let cells = params.edge.xy;
    let size = vec2(picture.width, picture.height) / cells;
    let strip = item / (cells.x * cells.y);
    let cell = item - strip * cells.x * cells.y;
    let start = vec2(cell % cells.x, cell / cells.x) * size + vec2(0u, strip * ROWS);
    let stop = vec2(cell % cells.x, cell / cells.x) * size + vec2(size.x, min(strip * ROWS + ROWS, size.y));
    if (start.y >= stop.y) {
        return;
    }
    var low = vec4(0u);
    var high = vec4(0u);
    for (var y = start.y; y < stop.y; y++) {
        let row = (plane.first + y * plane.stride) * 4u;
        for (var w = start.x >> 5u; 32u * w < stop.x; w++) {
            // Bits of the word inside the cell.
            var bits = src_bits[row + w] & (~0u << (max(start.x, 32u * w) - 32u * w));
            bits &= ~0u >> (32u - min(stop.x - 32u * w, 32u));
            while (bits != 0u) {
                let bin = orientation(picture, 32u * w + firstTrailingBit(bits), y);
                low += vec4<u32>(vec4(bin) == vec4(0u, 1u, 2u, 3u));
                high += vec4<u32>(vec4(bin) == vec4(4u, 5u, 6u, 7u));
                bits &= bits - 1u;
            }
        }
    }
    let at = (group.z * cells.x * cells.y + cell) * 8u;
    for (var i = 0u; i < 4u; i++) {
        atomicAdd(&dst_counts[at + i], low[i]);
        atomicAdd(&dst_counts[at + 4u + i], high[i]);
    }
}

@compute @workgroup_size(WG)
fn pack(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let cell = item_of(group, groups, local);
    if (cell >= CELLS) {
        return;
    }
    let at = (group.z * CELLS + cell) * BINS;
    var n = 0u;
    for (var bin = 0u; bin < BINS; bin++) {
        let count = src_cells[at + bin];
        // What an empty bin writes, the next one overwrites.
        dst_list[at + n] = bin | (count << 9u);
        n += u32(count > 0u);
    }
    dst_sizes[group.z * CELLS + cell] = n;
}

@compute @workgroup_size(WG)
fn project(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let item = item_of(group, groups, local);
    if (4u * item >= params.groups) {
        return;
    }
    var sums: array<vec4<f32>, 4>;
    for (var cell = 0u; cell < CELLS; cell++) {
        let at = (group.z * CELLS + cell) * BINS;
        let n = src_sizes[group.z * CELLS + cell];
        var a = vec4(0.0);
        var b = vec4(0.0);
        var c = vec4(0.0);
        var d = vec4(0.0);
        var i = 0u;
        // The test is at the end: a cell without pixels lists a bin with none, and a software adapter need not run a step more.
        loop {
            let entry = src_list[at + i];
            let count = f32(entry >> 9u);
            let column = (cell * BINS + (entry & 511u)) * params.groups + 4u * item;
            a += src_matrix[column] * count;
            b += src_matrix[column + 1u] * count;
            c += src_matrix[column + 2u] * count;
            d += src_matrix[column + 3u] * count;
            continuing {
                i += 1u;
                break if i >= n;
            }
        }
        sums[0] += a;
        sums[1] += b;
        sums[2] += c;
        sums[3] += d;
    }
    for (var k = 0u; k < 4u; k++) {
        dst_values[group.z * params.groups + 4u * item + k] = sums[k] * params.before.w;
    }
}

var<workgroup> sums: array<vec3<f32>, WG>;

@compute @workgroup_size(WG)
fn assemble(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let edge = params.edge.x;
    let texture = edge + params.texture.x;
    let color = texture + params.color.x;
    sums[lane] = vec3(
        squares(group.z, 4u * params.begin, edge, lane),
        squares(group.z, edge, texture, lane),
        squares(group.z, texture, color, lane),
    );
    workgroupBarrier();
    for (var span = WG / 2u; span > 0u; span /= 2u) {
        if (lane < span) {
            sums[lane] += sums[lane + span];
        }
        workgroupBarrier();
    }
    let own = sums[0];
    let some = own > vec3(0.0);
    let factor = params.weight.xyz * select(params.before.xyz, 1.0 / sqrt(select(vec3(1.0), own, some)), params.before.xyz == vec3(0.0));
    let all = dot(factor * factor, own);
    let scale = select(vec3(0.0), factor * (params.weight.w / sqrt(select(1.0, all, all > 0.0))), some);
    let row = params.base + group.z * params.stride;
    for (var k = params.begin + lane; k < params.end; k += WG) {
        let i = vec4(4u * k) + vec4(0u, 1u, 2u, 3u);
        let parts = select(select(vec4(scale.z), vec4(scale.y), i < vec4(texture)), vec4(scale.x), i < vec4(edge));
        let v = parts * vec4(value(group.z, i.x), value(group.z, i.y), value(group.z, i.z), value(group.z, i.w));
        if (HALF) {
            let h = half_of(v);
            dst[row + k] = vec2(h.x | (h.y << 16u), h.z | (h.w << 16u));
        } else {
            dst[row + 2u * k] = bitcast<vec2<u32>>(v.xy);
            dst[row + 2u * k + 1u] = bitcast<vec2<u32>>(v.zw);
        }
    }
}
