// Tiles blended into canvases with feathered weights, in place.
//
// In:   src_words    tiles, packed RGBA, their places in src_pictures; src_canvases: per canvas the box they lie in, divided
//                    into bins of 64 x 32 pixels; src_bins: first and number of the tiles that touch a bin; src_tiles: slot, x, y,
//                    strength | sides that do not fade << 16 (left 1, top 2, right 4, bottom 8)
// Out:  dst          canvases, packed RGBA, one per workgroup_id.z; sizes may differ; pixels outside all tiles keep their bits
//       dst_covered  pixels inside tiles per canvas, zero before
// Algorithm: a tile weighs min(distance to its nearer side, feather) across times the same down, 1 at outermost pixels; a pixel
//       becomes (sum w p + W/2) / W, W = sum w. Over a canvas, W is at least `one`, and what is missing is the canvas. Four by four
//       pixels an invocation.
// Border: none.
// Exact: integers; the host keeps tiles * feather^2 so small that the sums fit; quotients corrected after f32 division.
// Loop bound: tiles that touch a bin, at most 2048.

#import common/covered
#import common/divide
#import common/grid
#import common/out_pictures
#import common/pictures

override WG: u32 = 8u;

struct Canvas {
    column: u32,    // box of all tiles: first column of 4 pixels,
    columns: u32,   //   number of columns,
    top: u32,       //   first row,
    rows: u32,      //   number of rows
    bins: u32,      // first of its bins
    bin_columns: u32,
    feather: u32,
    inset: u32,     // pixels along sides that weigh nothing
    one: u32,       // tiles that weigh less leave the rest to the canvas; 0 where they alone make up a pixel
    reserved0: u32,
    reserved1: u32,
    reserved2: u32,
}

@group(0) @binding(2) var<storage, read> src_words: array<u32>;
@group(0) @binding(3) var<storage, read_write> dst: array<vec4<u32>>;
@group(0) @binding(6) var<storage, read> src_canvases: array<Canvas>;
@group(0) @binding(7) var<storage, read> src_tiles: array<vec4<u32>>;
@group(0) @binding(9) var<storage, read> src_bins: array<vec2<u32>>;

const BYTE: vec4<u32> = vec4<u32>(0xffu);
const FOUR: vec4<u32> = vec4<u32>(0u, 1u, 2u, 3u);

// Weighted sums of four pixels, and of their weights.
struct Sums {
    r: vec4<u32>,
    g: vec4<u32>,
    b: vec4<u32>,
    a: vec4<u32>,
    total: vec4<u32>,
}

// Distance to a side as it counts, of what lies inside.
fn side(flush: u32, distance: u32, canvas: Canvas) -> u32 {
    return select(distance - min(distance, canvas.inset), canvas.feather, flush != 0u);
}

// Row j of a tile, columns i; what lies outside weighs nothing.
fn add(sums: ptr<function, Sums>, tile: Picture, i: vec4<u32>, across: vec4<u32>, j: u32, canvas: Canvas, sides: u32) {
    let ramp = min(side(sides & 2u, j + 1u, canvas), side(sides & 8u, tile.height - j, canvas));
    let down = select(0u, min(ramp, canvas.feather), j < tile.height);
    let w = across * down;
    let at = (tile.first + min(j, tile.height - 1u) * tile.stride) * 4u + i;
    let p = vec4(src_words[at.x], src_words[at.y], src_words[at.z], src_words[at.w]);
    (*sums).r += w * (p & BYTE);
    (*sums).g += w * ((p >> vec4(8u)) & BYTE);
    (*sums).b += w * ((p >> vec4(16u)) & BYTE);
    (*sums).a += w * (p >> vec4(24u));
    (*sums).total += w;
}

// Writes four pixels; returns how many of them tiles cover.
fn finish(sums: ptr<function, Sums>, at: u32, one: u32) -> u32 {
    let total = (*sums).total;
    let inside = total > vec4(0u);
    if (!any(inside)) {
        return 0u;
    }
    let n = max(total, vec4(max(one, 1u)));
    let rest = n - total;
    let inverse = 1.0 / vec4<f32>(n);
    let half = n >> vec4(1u);
    let c = dst[at];
    let r = quotient_by((*sums).r + rest * (c & BYTE) + half, n, inverse);
    let g = quotient_by((*sums).g + rest * ((c >> vec4(8u)) & BYTE) + half, n, inverse);
    let b = quotient_by((*sums).b + rest * ((c >> vec4(16u)) & BYTE) + half, n, inverse);
    let a = quotient_by((*sums).a + rest * (c >> vec4(24u)) + half, n, inverse);
    dst[at] = select(c, r | (g << vec4(8u)) | (b << vec4(16u)) | (a << vec4(24u)), inside);
    let count = select(vec4(0u), vec4(1u), inside);
    return count.x + count.y + count.z + count.w;
}

@compute @workgroup_size(WG)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
    @builtin(subgroup_invocation_id) lane: u32,
) {
    let item = item_of(group, groups, local);
    let picture = out_pictures[group.z];
    let canvas = src_canvases[group.z];
    var covered = 0u;
    if (item < canvas.columns * ((canvas.rows + 3u) >> 2u)) {
        let block = item / canvas.columns;
        let place = item - block * canvas.columns;
        let column = canvas.column + place;
        let y = canvas.top + 4u * block;
        // Four rows never lie in two bins.
        let bin = src_bins[canvas.bins + (block >> 3u) * canvas.bin_columns + (place >> 4u)];
        var s0: Sums;
        var s1: Sums;
        var s2: Sums;
        var s3: Sums;
        for (var t = 0u; t < bin.y; t++) {
            let piece = src_tiles[bin.x + t];
            let tile = src_pictures[piece.x];
            // Left of and above a tile these wrap around, far behind its end.
            let i = 4u * column + FOUR - piece.y;
            let j = y - piece.z;
            let sides = piece.w >> 16u;
            let left = select(i + 1u - min(i + 1u, vec4(canvas.inset)), vec4(canvas.feather), vec4((sides & 1u) != 0u));
            let to = tile.width - i;
            let right = select(to - min(to, vec4(canvas.inset)), vec4(canvas.feather), vec4((sides & 4u) != 0u));
            let ramp = min(min(left, right), vec4(canvas.feather)) * (piece.w & 0xffffu);
            let across = select(vec4(0u), ramp, i < vec4(tile.width));
            let inside = min(i, vec4(tile.width - 1u));
            add(&s0, tile, inside, across, j, canvas, sides);
            add(&s1, tile, inside, across, j + 1u, canvas, sides);
            add(&s2, tile, inside, across, j + 2u, canvas, sides);
            add(&s3, tile, inside, across, j + 3u, canvas, sides);
        }
        let at = picture.first + y * picture.stride + column;
        // No tile reaches below the last row, so nothing is written there.
        covered = finish(&s0, at, canvas.one) + finish(&s1, at + picture.stride, canvas.one)
            + finish(&s2, at + 2u * picture.stride, canvas.one) + finish(&s3, at + 3u * picture.stride, canvas.one);
    }
    add_covered(group.z, covered, lane);
}
