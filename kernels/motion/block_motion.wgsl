// Motion vectors of blocks by full search: where each block's pixels lay in the frame before, by the least sum of absolute differences.
//
// In:   src_words    luma plane, u8 or 10-bit in 16-bit words; picture workgroup_id.z of src_pictures is the frame before, the next the current
// Out:  dst_dx, dst_dy  i32 per block: the block at (x, y) is most like the one at (x + dx, y + dy) of the frame before
//       dst_sad      u32 per block: sum of absolute differences to that one
// Algorithm: full search over -RANGE .. RANGE; ties: the shortest vector, then the first in raster order (dy, then dx). An invocation takes
//       16 pixels x BLOCK rows, eight neighbouring candidates at a time: each row of the frame before is split once into lanes that the
//       eight share. In 16-bit lanes |p - q| + p = 2 max(p - q, 0) + q; the sum of p is taken off at the end.
// Border: only blocks wholly inside the frame before are candidates; the last blocks of a row and a column may be smaller.
// Exact: integers. A lane collects at most 4 x 255 x BLOCK = 16320.
// Loop bound: 33 dy x 5 groups x 16 rows = 2640.

#import common/grid
#import common/pictures
#import common/quads

override WG: u32 = 8u;
// Side of a block: 8 or 16.
override BLOCK: u32 = 16u;
override RANGE: i32 = 7;
// Whether widths may end inside 16 pixels.
override TAIL: bool = true;

struct Params {
    map_stride: u32,    // words from row to row of a map
    map_slot: u32,      // words per map
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(3) var<storage, read_write> dst_dx: array<i32>;
@group(0) @binding(6) var<storage, read_write> dst_dy: array<i32>;
@group(0) @binding(7) var<storage, read_write> dst_sad: array<u32>;

const LO: vec4<u32> = vec4<u32>(0x00ff00ffu);
const HALF: vec4<u32> = vec4<u32>(0xffffu);
const S15: vec4<u32> = vec4<u32>(15u);
const S16: vec4<u32> = vec4<u32>(16u);
const HIGH_BIT: vec4<u32> = vec4<u32>(0x80008000u);

// Pixels 4i .. 4i+15 of a row; words before the first and behind the last repeat those.
fn sixteen(row: u32, i: i32, last: i32) -> vec4<u32> {
    return vec4(
        quad(row, u32(clamp(i, 0, last))),
        quad(row, u32(clamp(i + 1, 0, last))),
        quad(row, u32(clamp(i + 2, 0, last))),
        quad(row, u32(clamp(i + 3, 0, last))),
    );
}

// max(p - q, 0) in 16-bit lanes; p carries the high bit.
fn excess(p: vec4<u32>, q: vec4<u32>) -> vec4<u32> {
    let d = p - q;
    let more = d & HIGH_BIT;
    return d & (more - (more >> S15));
}

// One row of a candidate: p and q in even and odd lanes, masks of the pixels that count.
fn row_sum(pe: vec4<u32>, po: vec4<u32>, qe: vec4<u32>, qo: vec4<u32>, me: vec4<u32>, mo: vec4<u32>) -> vec4<u32> {
    let over = excess(pe, qe) + excess(po, qo);
    if (!TAIL) {
        return over + over + qe + qo;
    }
    return over + over + (qe & me) + (qo & mo);
}

// Best candidate so far of one block.
struct Best {
    key: u32,   // SAD, then squared length in the lowest 10 bits
    dx: i32,
    dy: i32,
}

// A block and where its candidates may begin.
struct Block {
    exists: bool,
    first_dx: i32,
    last_dx: i32,
}

fn block_of(x: u32, picture: Picture) -> Block {
    let right = i32(picture.width) - i32(min(x + BLOCK, picture.width));
    return Block(x < picture.width, max(-RANGE, -i32(x)), min(RANGE, right));
}

fn consider(best: Best, block: Block, sad: u32, dx: i32, dy: i32) -> Best {
    let key = (sad << 10u) | u32(dx * dx + dy * dy);
    let better = key < best.key && dx >= block.first_dx && dx <= block.last_dx;
    return Best(select(best.key, key, better), select(best.dx, dx, better), select(best.dy, dy, better));
}

var<private> left: Block;
var<private> right: Block;
var<private> best_left: Best;
var<private> best_right: Best;

fn candidate(acc: vec4<u32>, p: vec4<u32>, dx: i32, dy: i32) {
    let s = (acc & HALF) + (acc >> S16) - p;
    if (BLOCK == 16u) {
        best_left = consider(best_left, left, s.x + s.y + s.z + s.w, dx, dy);
    } else {
        best_left = consider(best_left, left, s.x + s.y, dx, dy);
        best_right = consider(best_right, right, s.z + s.w, dx, dy);
    }
}

fn put(at: u32, best: Best) {
    dst_dx[at] = best.dx;
    dst_dy[at] = best.dy;
    dst_sad[at] = best.key >> 10u;
}

@compute @workgroup_size(WG)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let item = item_of(group, groups, local);
    let before = src_pictures[group.z];
    let now = src_pictures[group.z + 1u];
    let columns = (now.width + 15u) >> 4u;
    if (item >= columns * ((now.height + BLOCK - 1u) / BLOCK)) {
        return;
    }
    let block_y = item / columns;
    let v = item - block_y * columns;
    let y = block_y * BLOCK;
    let rows = min(BLOCK, now.height - y);
    let last = i32((now.width - 1u) >> 2u);
    let at = 4 * i32(v);
    left = block_of(16u * v, now);
    right = block_of(16u * v + 8u, now);
    best_left.key = 0xffffffffu;
    best_right.key = 0xffffffffu;
    let inside = vec4(
        between(16u * v, 0u, now.width),
        between(16u * v + 4u, 0u, now.width),
        between(16u * v + 8u, 0u, now.width),
        between(16u * v + 12u, 0u, now.width),
    );
    let me = inside & LO;
    let mo = (inside >> vec4(8u)) & LO;
    let first_dy = max(-RANGE, -i32(y));
    let last_dy = min(RANGE, i32(now.height - y - rows));
    let first_dx = -8 * ((RANGE + 7) / 8);
    for (var dy = first_dy; dy <= last_dy; dy++) {
        for (var dx = first_dx; dx <= RANGE; dx += 8) {
            var p = vec4(0u);
            var a0 = vec4(0u);
            var a1 = vec4(0u);
            var a2 = vec4(0u);
            var a3 = vec4(0u);
            var a4 = vec4(0u);
            var a5 = vec4(0u);
            var a6 = vec4(0u);
            var a7 = vec4(0u);
            for (var r = 0u; r < rows; r++) {
                let c = sixteen(now.first + (y + r) * now.stride, at, last) & inside;
                let pe = c & LO;
                let po = (c >> vec4(8u)) & LO;
                p += pe + po;
                let he = pe | HIGH_BIT;
                let ho = po | HIGH_BIT;
                let row = before.first + u32(i32(y + r) + dy) * before.stride;
                let q = sixteen(row, at + dx / 4, last);
                let q4 = quad(row, u32(clamp(at + dx / 4 + 4, 0, last)));
                let q5 = quad(row, u32(clamp(at + dx / 4 + 5, 0, last)));
                // Pairs of pixels from pixel 0, 1, 2, ... 8 on, each a pixel further: candidate i takes i and i+1.
                let e0 = q & LO;
                let o0 = (q >> vec4(8u)) & LO;
                let e4 = vec4(e0.yzw, q4 & LO.x);
                let o4 = vec4(o0.yzw, (q4 >> 8u) & LO.x);
                let e8 = vec4(e4.yzw, q5 & LO.x);
                let e2 = (e0 >> S16) | (e4 << S16);
                let o2 = (o0 >> S16) | (o4 << S16);
                let e6 = (e4 >> S16) | (e8 << S16);
                let o6 = (o4 >> S16) | (vec4(o4.yzw, (q5 >> 8u) & LO.x) << S16);
                a0 += row_sum(he, ho, e0, o0, me, mo);
                a1 += row_sum(he, ho, o0, e2, me, mo);
                a2 += row_sum(he, ho, e2, o2, me, mo);
                a3 += row_sum(he, ho, o2, e4, me, mo);
                a4 += row_sum(he, ho, e4, o4, me, mo);
                a5 += row_sum(he, ho, o4, e6, me, mo);
                a6 += row_sum(he, ho, e6, o6, me, mo);
                a7 += row_sum(he, ho, o6, e8, me, mo);
            }
            p = (p & HALF) + (p >> S16);
            candidate(a0, p, dx, dy);
            candidate(a1, p, dx + 1, dy);
            candidate(a2, p, dx + 2, dy);
            candidate(a3, p, dx + 3, dy);
            candidate(a4, p, dx + 4, dy);
            candidate(a5, p, dx + 5, dy);
            candidate(a6, p, dx + 6, dy);
            candidate(a7, p, dx + 7, dy);
        }
    }
    let out = group.z * params.map_slot + block_y * params.map_stride;
    if (BLOCK == 16u) {
        put(out + v, best_left);
    } else {
        put(out + 2u * v, best_left);
        if (right.exists) {
            put(out + 2u * v + 1u, best_right);
        }
    }
}
