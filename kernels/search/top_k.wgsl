// The nearest rows of a matrix for each of several queries: scores of a tile of rows, then the best of them in heaps.
//
// In:   src          queries: rows of d f32
//       src_rows     a block of the matrix: rows of d numbers, f32 or f16 (HALF)
// Out:  dst_scores   key of (query, row of the tile); larger is nearer
//       dst_heaps    K pairs (key, id) a query and list, the worst at the top, zero before the first tile
//       dst_found    K pairs (score as f32 bits, id) a query, nearest first; behind the last one found id is 0xffffffff
// Algorithm: scores as inner products or negative squared distances (L2), products as common/products. A row belongs to list
//       (row of the tile) % lists. select: each list keeps its best K in a heap. merge: lists in pairs, until one is left. sort: heap sort.
// Border: none.
// Exact: order and ids, given the scores: keys are integers, ties go to the smaller id, NaN is never found. Scores are f32 sums in a
//       fixed order: |error| <= 2^-24 * (d + 4) * sum of the magnitudes added (L2: one rounding more a term).
// Loop bound: d / 4 (scores); tile_rows / lists * (2 + log2 K) (select), K * (2 + log2 K) (merge, sort), checked in plan: at most 32768.

#import common/products
#import common/product_tiles

override WG: u32 = 8u;
override K: u32 = 10u;

struct Params {
    steps: u32,         // groups of four numbers of a row
    stride: u32,        // groups from query to query
    row_stride: u32,    // groups from row to row of the block
    queries: u32,
    first: u32,         // first row of the tile in its block
    rows: u32,          // rows of the tile
    id: u32,            // id of the first row of the tile
    score_stride: u32,  // scores of a query
    lists: u32,         // lists of a query
    pairs: u32,         // merge: lists that take over those `pairs` further on
    base: u32,          // first group of query 0
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(3) var<storage, read_write> dst_scores: array<u32>;
@group(0) @binding(4) var<storage, read_write> dst_heaps: array<vec2<u32>>;
@group(0) @binding(5) var<storage, read_write> dst_found: array<vec2<u32>>;

fn queries(first: u32) -> vec4<u32> {
    return params.base + min(vec4(first) + vec4(0u, 1u, 2u, 3u), vec4(params.queries - 1u)) * params.stride;
}

fn rows(first: u32) -> vec4<u32> {
    return (params.first + min(vec4(first) + vec4(0u, 1u, 2u, 3u), vec4(params.rows - 1u))) * params.row_stride;
}

// Numbers as integers of the same order: NaN 0, -inf above it, -0 as 0.
fn key_of(score: f32) -> u32 {
    let signed = select(score, -score, L2);
    var bits = bitcast<u32>(signed);
    if ((bits & 0x7fffffffu) > 0x7f800000u) {
        return 0u;
    }
    bits = select(bits, 0u, bits == 0x80000000u);
    return select(bits | 0x80000000u, ~bits, (bits >> 31u) == 1u);
}

fn score_of(key: u32) -> u32 {
    let bits = select(~key, key & 0x7fffffffu, (key >> 31u) == 1u);
    return select(bits, bits ^ 0x80000000u, L2 && bits != 0u);
}

fn store(query: u32, row: u32, scores: vec4<f32>) {
    if (query >= params.queries || row >= params.rows) {
        return;
    }
    let to = query * params.score_stride + row;
    dst_scores[to] = key_of(scores.x);
    if (row + 1u < params.rows) {
        dst_scores[to + 1u] = key_of(scores.y);
    }
    if (row + 2u < params.rows) {
        dst_scores[to + 2u] = key_of(scores.z);
    }
    if (row + 3u < params.rows) {
        dst_scores[to + 3u] = key_of(scores.w);
    }
}

@compute @workgroup_size(WG)
fn score_lanes(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let row = (group.x * WG + local) * 4u;
    let step = select(1u, 4u, MANY);
    let query = group.y * step;
    if (row >= params.rows) {
        return;
    }
    let sums = block_of(queries(query), rows(row), params.steps);
    store(query, row, sums.first);
    if (MANY) {
        store(query + 1u, row, sums.second);
        store(query + 2u, row, sums.third);
        store(query + 3u, row, sums.fourth);
    }
}

@compute @workgroup_size(64)
fn score_tiles(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let corner = group.yx * 64u;
    let g = local / 4u * 4u;
    var sums = tile_of(queries(corner.x + g), rows(corner.y + g), params.steps, local);
    let query = corner.x + local / 8u * 8u;
    let row = corner.y + local % 8u * 8u;
    for (var i = 0u; i < 8u; i++) {
        store(query + i, row, sums[2u * i]);
        store(query + i, row + 4u, sums[2u * i + 1u]);
    }
}

// Entry i of a list: lists of a query lie interleaved.
fn place(query: u32, list: u32, i: u32) -> u32 {
    return (query * K + i) * params.lists + list;
}

fn nearer(a: vec2<u32>, b: vec2<u32>) -> bool {
    return a.x > b.x || (a.x == b.x && a.y < b.y);
}

// Puts `entry` where the top of a heap of `size` was, and keeps the order. Returns the new top.
fn replace_top(query: u32, list: u32, size: u32, entry: vec2<u32>) -> vec2<u32> {
    var hole = 0u;
    var top = entry;
    for (var child = 1u; child < size; child = 2u * hole + 1u) {
        let other = min(child + 1u, size - 1u);
        let l = dst_heaps[place(query, list, child)];
        let r = dst_heaps[place(query, list, other)];
        let right = nearer(l, r);
        let worst = select(l, r, right);
        if (!nearer(entry, worst)) {
            break;
        }
        dst_heaps[place(query, list, hole)] = worst;
        top = select(top, worst, hole == 0u);
        hole = select(child, other, right);
    }
    dst_heaps[place(query, list, hole)] = entry;
    return top;
}

@compute @workgroup_size(WG)
fn select_best(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let list = group.x * WG + local;
    let query = group.y;
    if (list >= params.lists) {
        return;
    }
    var top = dst_heaps[place(query, list, 0u)];
    for (var row = list; row < params.rows; row += params.lists) {
        let entry = vec2(dst_scores[query * params.score_stride + row], params.id + row);
        // Ids rise within a list: equal keys are not nearer.
        if (entry.x > top.x) {
            top = replace_top(query, list, K, entry);
        }
    }
}

@compute @workgroup_size(WG)
fn merge_lists(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let list = group.x * WG + local;
    let query = group.y;
    if (list >= params.pairs) {
        return;
    }
    var top = dst_heaps[place(query, list, 0u)];
    for (var i = 0u; i < K; i++) {
        let entry = dst_heaps[place(query, list + params.pairs, i)];
        if (entry.x > 0u && nearer(entry, top)) {
            top = replace_top(query, list, K, entry);
        }
    }
}

@compute @workgroup_size(WG)
fn sort_found(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let query = group.y * WG + local;
    if (query >= params.queries) {
        return;
    }
    var top = dst_heaps[place(query, 0u, 0u)];
    for (var left = K; left > 0u; left--) {
        let nothing = select(0xff800000u, 0x7f800000u, L2);
        let found = vec2(score_of(top.x), top.y);
        dst_found[query * K + left - 1u] = select(vec2(nothing, 0xffffffffu), found, top.x > 0u);
        if (left > 1u) {
            top = replace_top(query, 0u, left - 1u, dst_heaps[place(query, 0u, left - 1u)]);
        }
    }
}
