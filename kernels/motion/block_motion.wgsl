// Motion vectors of blocks by full search: where each block's pixels lay in the frame before, by the least sum of absolute differences.
//
// In:   src_words    luma plane, u8 or 10-bit in 16-bit words; picture workgroup_id.z of src_pictures is the frame before, the next the current
// Out:  dst_dx, dst_dy  i32 per block: the block at (x, y) is most like the one at (x + dx, y + dy) of the frame before
//       dst_sad      u32 per block: sum of absolute differences to that one
// Algorithm: full search over -range .. range; ties: the shortest vector, then the first in raster order (dy, then dx). An invocation takes
//       16 pixels x BLOCK rows, eight neighbouring candidates at a time: |p - q| = 2 max(p, q) - p - q, so that the loop is a maximum and
//       an addition per pixel, and the sums of q of the eight follow from the first by what enters and leaves at the sides.
//       A dispatch takes dy_from .. dy_to and goes on from the best of the one before: long searches are several dispatches.
// Border: only blocks wholly inside the frame before are candidates; the last blocks of a row and a column may be smaller.
// Exact: integers. A sum of maxima is at most 2 x 255 x 256 = 130560, a SAD 65280.
// Loop bound: 33 dy x 5 groups x 16 rows = 2640.

#import common/grid
#import common/luma
#import common/pictures

override WG: u32 = 8u;
// Side of a block: 8 or 16.
override BLOCK: u32 = 16u;
// Whether widths may end inside a block.
override TAIL: bool = true;

struct Params {
    map_stride: u32,    // words from row to row of a map
    map_slot: u32,      // words per map
    range: i32,         // longest component of a vector, 1 to 16
    dy_from: i32,       // -range in the first dispatch
    dy_to: i32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(3) var<storage, read_write> dst_dx: array<i32>;
@group(0) @binding(6) var<storage, read_write> dst_dy: array<i32>;
@group(0) @binding(7) var<storage, read_write> dst_sad: array<u32>;

const ALL: vec4<u32> = vec4<u32>(255u);
const FOUR: vec4<u32> = vec4<u32>(0u, 1u, 2u, 3u);
// More than any key.
const NONE: u32 = 0x1fffffffu;

// The pixels of a word, the first in x.
fn pixels(word: u32) -> vec4<u32> {
    return (vec4(word) >> (FOUR * 8u)) & ALL;
}

// Pixels 16v .. 16v+15 of a row; columns before the first and behind the last repeat those, no candidate that counts has them.
fn column(row: u32, v: i32, last: i32) -> vec4<u32> {
    return luma16(row, u32(clamp(v, 0, last)));
}

// 255 for those of four pixels that lie in the picture.
fn counting(at: u32, width: u32) -> vec4<u32> {
    return select(ALL, select(vec4(0u), ALL, vec4(at) + FOUR < vec4(width)), TAIL);
}

// Four pixels of a candidate: the sum of max(p, q), or of 2 max(p, q) - q where pixels may not count.
fn most(p: vec4<u32>, q: vec4<u32>, counts: vec4<u32>) -> u32 {
    var m = max(p, q);
    if (TAIL) {
        let inside = q & counts;
        m = 2u * max(p, inside) - inside;
    }
    return m.x + m.y + m.z + m.w;
}

// Sums of eight candidates next to each other.
struct Sums {
    most: vec4<u32>,        // of the first four
    most_more: vec4<u32>,   // and of the others
    taken: vec4<u32>,       // p, and q of the first
    enters: vec4<u32>,      // by how much the sums of q of the second to the fifth exceed the one before, modulo 2^32
    enters_more: vec4<u32>,
}

// Adds four pixels p; the first candidate has a there, the fifth b, and c follows.
fn add(sums: Sums, p: vec4<u32>, a: vec4<u32>, b: vec4<u32>, c: vec4<u32>, counts: vec4<u32>) -> Sums {
    var s = sums;
    s.most += vec4(
        most(p, a, counts),
        most(p, vec4(a.yzw, b.x), counts),
        most(p, vec4(a.zw, b.xy), counts),
        most(p, vec4(a.w, b.xyz), counts),
    );
    s.most_more += vec4(
        most(p, b, counts),
        most(p, vec4(b.yzw, c.x), counts),
        most(p, vec4(b.zw, c.xy), counts),
        most(p, vec4(b.w, c.xyz), counts),
    );
    s.taken += p;
    if (!TAIL) {
        s.taken += a;
        s.enters += b - a;
        s.enters_more += c - b;
    }
    return s;
}

// SAD, then squared length in 10 bits: the best candidate has the least key.
fn key_of(sad: u32, dx: i32, dy: i32) -> u32 {
    return (sad << 10u) | u32(dx * dx + dy * dy);
}

// A block: its best candidate so far, and between which dx there are any.
struct Block {
    key: u32,
    dx: i32,
    dy: i32,
    first_dx: i32,
    last_dx: i32,
}

// What the dispatches before found; nothing in the first.
fn begun(x: u32, width: u32, out: u32) -> Block {
    let right = i32(width) - i32(min(x + BLOCK, width));
    var block = Block(NONE, 0, 0, max(-params.range, -i32(x)), min(params.range, right));
    if (params.dy_from > -params.range && x < width) {
        block.dx = dst_dx[out];
        block.dy = dst_dy[out];
        block.key = key_of(dst_sad[out], block.dx, block.dy);
    }
    return block;
}

// Keys of four candidates, then their number in 3 bits: dx decides among equals.
fn keys(block: Block, sad: vec4<u32>, dx: i32, dy: i32, number: u32) -> vec4<u32> {
    let four = vec4<i32>(vec4(u32(dx) + number) + FOUR);
    let key = (sad << vec4(10u)) | vec4<u32>(four * four + vec4(dy * dy));
    let there = (four >= vec4(block.first_dx)) & (four <= vec4(block.last_dx));
    return select(vec4(0xffffffffu), (key << vec4(3u)) | (FOUR + vec4(number)), there);
}

// The better of the best so far and eight candidates from dx on. Branches would cost some compilers minutes.
fn better(block: Block, s: Sums, dx: i32, dy: i32) -> Block {
    let taken = s.taken.x + s.taken.y + s.taken.z + s.taken.w;
    var sad = s.most - vec4(taken);
    var sad_more = s.most_more - vec4(taken);
    if (!TAIL) {
        let two = s.enters.x + s.enters.y;
        let four = two + s.enters.z + s.enters.w;
        let six = four + s.enters_more.x + s.enters_more.y;
        sad += s.most - vec4(0u, s.enters.x, two, two + s.enters.z);
        sad_more += s.most_more - vec4(four, four + s.enters_more.x, six, six + s.enters_more.z);
    }
    let least = min(keys(block, sad, dx, dy, 0u), keys(block, sad_more, dx, dy, 4u));
    let found = min(min(least.x, least.y), min(least.z, least.w));
    let key = found >> 3u;
    let is = key < block.key;
    let found_dx = dx + i32(found & 7u);
    return Block(select(block.key, key, is), select(block.dx, found_dx, is), select(block.dy, dy, is), block.first_dx, block.last_dx);
}

fn put(at: u32, block: Block) {
    dst_dx[at] = block.dx;
    dst_dy[at] = block.dy;
    dst_sad[at] = block.key >> 10u;
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
    let x = 16u * v;
    let y = block_y * BLOCK;
    let rows = min(BLOCK, now.height - y);
    let last = i32(columns) - 1;
    let counts0 = counting(x, now.width);
    let counts1 = counting(x + 4u, now.width);
    let counts2 = counting(x + 8u, now.width);
    let counts3 = counting(x + 12u, now.width);
    let out = group.z * params.map_slot + block_y * params.map_stride + x / BLOCK;
    // With blocks of 8 pixels there are two; the second may lie behind the end of the row.
    var left = begun(x, now.width, out);
    var right = begun(x + 8u, now.width, out + 1u);
    let first_dy = max(params.dy_from, -i32(y));
    let last_dy = min(params.dy_to, i32(now.height - y - rows));
    for (var dy = first_dy; dy <= last_dy; dy++) {
        for (var dx = -((params.range + 7) & -8); dx <= params.range; dx += 8) {
            var l = Sums();
            var r = Sums();
            for (var i = 0u; i < rows; i++) {
                let row = now.first + (y + i) * now.stride;
                let row_before = before.first + u32(i32(y + i) + dy) * before.stride;
                let at = i32(v) + (dx >> 4u);
                let c = luma16(row, v);
                let d = column(row_before, at, last);
                let e = column(row_before, at + 1, last);
                let halfway = (dx & 8) != 0;
                let first = select(d, vec4(d.zw, e.xy), halfway);
                let then = select(e.xy, e.zw, halfway);
                let p0 = pixels(c.x) & counts0;
                let p1 = pixels(c.y) & counts1;
                let p2 = pixels(c.z) & counts2;
                let p3 = pixels(c.w) & counts3;
                let q0 = pixels(first.x);
                let q1 = pixels(first.y);
                let q2 = pixels(first.z);
                let q3 = pixels(first.w);
                let q4 = pixels(then.x);
                let q5 = pixels(then.y);
                l = add(add(l, p0, q0, q1, q2, counts0), p1, q1, q2, q3, counts1);
                if (BLOCK == 16u) {
                    l = add(add(l, p2, q2, q3, q4, counts2), p3, q3, q4, q5, counts3);
                } else {
                    r = add(add(r, p2, q2, q3, q4, counts2), p3, q3, q4, q5, counts3);
                }
            }
            left = better(left, l, dx, dy);
            if (BLOCK == 8u) {
                right = better(right, r, dx, dy);
            }
        }
    }
    put(out, left);
    if (BLOCK == 8u && x + 8u < now.width) {
        put(out + 1u, right);
    }
}
