// Hysteresis on bit planes: strong bits grow along weak bits, 8-connected, until nothing grows any more.
//
// In:   src_weak     bit planes, one bit a pixel, rows of whole vec4 (128 pixels), bits behind the width 0; src_pictures tells places
// Out:  dst_strong   strong bits, in two planes that take turns: a round reads one and writes the other
// Algorithm: `sweep`, rounds: a tile of 128 pixels x ROWS rows an invocation, down and up again; runs of weak bits within a row fill by
//       the carry of an addition. A tile rests while no tile around it changed in the round before: two planes then agree on it. Where
//       the last round still changed something, the rest is settled by union-find over 2x2 blocks (as Allegretti et al. 2020) of weak
//       pixels that are not strong yet: `nodes` makes singletons, `link` joins touching blocks, and blocks that touch a strong pixel to
//       node 0, `settle` marks those joined to it. The one with the greater hash becomes the root: trees are O(log n) high whatever
//       the shape is, so one pass joins all (Jayanti, Tarjan 2016). A budget bounds the steps; spent, `dst_status` says so.
// Border: pixels outside are neither weak nor strong.
// Exact: bits; the order in which invocations run decides about the shape of the trees, not about which blocks are joined.
// Loop bound: sweep 2 ROWS + 9, at most 2057; of the others BUDGET = 24576 steps in trees and at most 81 * PAIRS others, PAIRS <= 64.

#import common/bit_rows
#import common/bit_words
#import common/grid
#import common/pictures
#import common/union_find

override WG: u32 = 8u;
override ROWS: u32 = 64u;
// Pairs of rows an invocation of the union-find goes through. A CPU adapter runs through the body of an invocation that has nothing to
// do once all the same, so that few invocations are better.
override PAIRS: u32 = 8u;

struct Params {
    round: u32,     // of the sweep, from 0
    last: u32,      // 1 in the last round
    tiles: u32,     // of the largest picture
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> src_weak: array<vec4<u32>>;
@group(0) @binding(2) var<storage, read> src_strong: array<vec4<u32>>;
@group(0) @binding(6) var<storage, read> src_sides: array<u32>;
@group(0) @binding(3) var<storage, read_write> dst_strong: array<vec4<u32>>;
// Whether a tile changed: two rounds of params.tiles words a picture, in turns.
@group(0) @binding(7) var<storage, read_write> dst_tiles: array<u32>;
// Two words a picture, zero before: whether the last round changed something; whether the budget of an invocation was spent.
@group(0) @binding(8) var<storage, read_write> dst_status: array<atomic<u32>>;

@group(0) @binding(1) var<storage, read> src_weak_words: array<u32>;
@group(0) @binding(3) var<storage, read_write> dst_words: array<u32>;
@group(0) @binding(7) var<storage, read_write> dst_nodes: array<atomic<u32>>;

const BUDGET: u32 = 24576u;

// Bits of the pixels left (bit 0) and right (bit 127) of a tile, in a row.
fn sides(row: u32, c: u32, stride: u32) -> vec2<u32> {
    let at = (row + c) * 4u;
    let left = src_sides[max(at, 1u) - 1u] >> 31u;
    let right = src_sides[min(at + 4u, arrayLength(&src_sides) - 1u)] << 31u;
    return vec2(select(0u, left, c > 0u), select(0u, right, c + 1u < stride));
}

// Whether the tile or one around it changed in the round before.
fn awake(before: u32, x: u32, y: u32, columns: u32, rows: u32) -> bool {
    var any = 0u;
    for (var j = max(y, 1u) - 1u; j < min(y + 2u, rows); j++) {
        for (var i = max(x, 1u) - 1u; i < min(x + 2u, columns); i++) {
            any |= dst_tiles[before + j * columns + i];
        }
    }
    return any != 0u;
}

@compute @workgroup_size(WG)
fn sweep(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let tile = item_of(group, groups, local);
    let picture = src_pictures[group.z];
    let columns = picture.stride;
    let rows = (picture.height + ROWS - 1u) / ROWS;
    if (tile >= columns * rows) {
        return;
    }
    let y = tile / columns;
    let c = tile - y * columns;
    let turn = params.round & 1u;
    let now = (2u * group.z + turn) * params.tiles;
    if (params.round > 0u && !awake((2u * group.z + 1u - turn) * params.tiles, c, y, columns, rows)) {
        dst_tiles[now + tile] = 0u;
        return;
    }
    let stride = picture.stride;
    let first = y * ROWS;
    let end = min(first + ROWS, picture.height);
    let bottom = picture.height - 1u;
    let top = picture.first + first * stride;
    var changed = vec4(0u);
    // Down. `above` is the row above as grown in this round; side rows are those of the round before.
    var above = vec4(0u);
    var side_above = vec2(0u);
    if (first > 0u) {
        above = src_strong[top - stride + c];
        side_above = sides(top - stride, c, stride);
    }
    var side = sides(top, c, stride);
    for (var k = first; k < end; k++) {
        let row = picture.first + k * stride;
        var side_below = vec2(0u);
        if (k < bottom) {
            side_below = sides(row + stride, c, stride);
        }
        let s = src_strong[row + c];
        let w = src_weak[row + c] | s;
        let border = side_above | side | side_below;
        let grown = fill(w, w & (s | spread(above) | vec4(border.x, 0u, 0u, border.y)));
        changed |= grown ^ s;
        dst_strong[row + c] = grown;
        above = grown;
        side_above = side;
        side = side_below;
    }
    // Up.
    var below = vec4(0u);
    if (end <= bottom) {
        below = src_strong[picture.first + end * stride + c];
    }
    for (var k = end; k > first; k--) {
        let at = picture.first + (k - 1u) * stride + c;
        let s = dst_strong[at];
        let w = src_weak[at] | s;
        let grown = fill(w, w & (s | spread(below)));
        let more = grown ^ s;
        if ((more.x | more.y | more.z | more.w) != 0u) {
            dst_strong[at] = grown;
            changed |= more;
        }
        below = grown;
    }
    let any = (changed.x | changed.y | changed.z | changed.w) != 0u;
    dst_tiles[now + tile] = select(0u, 1u, any);
    if (any && params.last == 1u) {
        atomicStore(&dst_status[2u * group.z], 1u);
    }
}

// Where an invocation of the union-find works: words of 32 pixels in pairs of rows, 16 blocks of 2x2 pixels. Block k of the word in
// column c of a pair is node 1 + 16 (pair * words + c) + k of the picture; node 0 stands for all that is strong.
struct Span {
    words: u32,     // words of a row
    c: u32,
    first: u32,     // pairs; none where the sweeps were enough for this picture
    end: u32,
}

fn span_of(group: vec3<u32>, groups: vec3<u32>, local: u32, picture: Picture) -> Span {
    let item = item_of(group, groups, local);
    let words = 4u * picture.stride;
    let block = item / words;
    let pairs = (picture.height + 1u) >> 1u;
    let first = min(block * PAIRS, pairs);
    let end = select(first, min(first + PAIRS, pairs), atomicLoad(&dst_status[2u * group.z]) != 0u);
    return Span(words, item - block * words, first, end);
}

@compute @workgroup_size(WG)
fn nodes(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let picture = src_pictures[group.z];
    let span = span_of(group, groups, local, picture);
    for (var pair = span.first; pair < span.end; pair++) {
        let first = 1u + 16u * (pair * span.words + span.c);
        for (var node = first; node < first + 16u; node++) {
            atomicStore(&dst_nodes[picture.second + node], node);
        }
        atomicStore(&dst_nodes[picture.second], 0u);
    }
}

// Joins the blocks whose even bit is set in `which` to the ones `step` further.
fn join_all(base: u32, node: u32, which: u32, step: u32, budget: ptr<function, u32>) {
    var left = which & 0x55555555u;
    while (left != 0u) {
        let block = node + (firstTrailingBit(left) >> 1u);
        left &= left - 1u;
        join(base, block, block + step, budget);
    }
}

// Joins the blocks of a word to those that touch them at the right and below, and to node 0 those that touch a strong pixel.
fn link_word(picture: Picture, c: u32, pair: u32, words: u32, budget: ptr<function, u32>) {
    let y = 2u * pair;
    let p = open_around(picture, c, y);
    let q = open_around(picture, c, y + 1u);
    let both = p.word | q.word;
    let base = picture.second;
    let node = 1u + 16u * (pair * words + c);
    let below = open_around(picture, c, y + 2u);
    let down = words * 16u;
    // Even bits are the left pixels of blocks, odd bits the right ones.
    join_all(base, node, (both >> 1u) & ((both >> 2u) | ((p.behind | q.behind) >> 1u)), 1u, budget);
    join_all(base, node, (q.word | (q.word >> 1u)) & (below.word | (below.word >> 1u)), down, budget);
    join_all(base, node, (q.word >> 1u) & ((below.word >> 2u) | (below.behind >> 1u)), down + 1u, budget);
    join_all(base, node, q.word & ((below.word << 1u) | below.before), down - 1u, budget);
    let inner = wide(strong_around(picture, c, y)) | wide(strong_around(picture, c, y + 1u));
    var above = 0u;
    if (y > 0u) {
        above = wide(strong_around(picture, c, y - 1u));
    }
    let seeds = (p.word & (inner | above)) | (q.word & (inner | wide(strong_around(picture, c, y + 2u))));
    var left = (seeds | (seeds >> 1u)) & 0x55555555u;
    while (left != 0u) {
        join(base, node + (firstTrailingBit(left) >> 1u), 0u, budget);
        left &= left - 1u;
    }
}

@compute @workgroup_size(WG)
fn link(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let picture = src_pictures[group.z];
    let span = span_of(group, groups, local, picture);
    var budget = BUDGET;
    for (var pair = span.first; pair < span.end; pair++) {
        link_word(picture, span.c, pair, span.words, &budget);
    }
    if (budget == 0u) {
        atomicStore(&dst_status[2u * group.z + 1u], 1u);
    }
}

@compute @workgroup_size(WG)
fn settle(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let picture = src_pictures[group.z];
    let span = span_of(group, groups, local, picture);
    var budget = BUDGET;
    for (var pair = span.first; pair < span.end; pair++) {
        let at = picture.first * 4u + 2u * pair * span.words + span.c;
        let two = 2u * pair + 1u < picture.height;
        let next = select(at, at + span.words, two);
        let p = src_weak_words[at] & ~dst_words[at];
        let q = src_weak_words[next] & ~dst_words[next];
        let node = 1u + 16u * (pair * span.words + span.c);
        var left = (p | q | ((p | q) >> 1u)) & 0x55555555u;
        var reached = 0u;
        while (left != 0u) {
            let bit = firstTrailingBit(left);
            left &= left - 1u;
            if (root_of(picture.second, node + (bit >> 1u), &budget) == 0u) {
                reached |= 3u << bit;
            }
        }
        if (reached != 0u) {
            dst_words[at] |= p & reached;
            if (two) {
                dst_words[next] |= q & reached;
            }
        }
    }
    if (budget == 0u) {
        atomicStore(&dst_status[2u * group.z + 1u], 1u);
    }
}
