// Tiles blended into canvases with feathered weights, in place.
//
// In:   src_words    tiles, packed RGBA, their places in src_pictures; src_canvases: per canvas the box they lie in, divided
//                    into bins of 64 x 32 pixels; src_bins: first and number of the tiles that touch a bin; src_tiles: slot, x, y
// Out:  dst          canvases, packed RGBA, one per workgroup_id.z; sizes may differ; pixels outside all tiles keep their bits
//       dst_covered  pixels inside tiles per canvas, zero before
// Algorithm: a tile weighs min(distance to its nearer side, feather) across times the same down, 1 at outermost pixels; a pixel
//       becomes (sum w p + W/2) / W, W = sum w. Four by four pixels an invocation.
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
    reserved: u32,
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

// Row j of a tile, columns i; what lies outside weighs nothing.
fn add(sums: ptr<function, Sums>, tile: Picture, i: vec4<u32>, across: vec4<u32>, j: u32, feather: u32) {
    let down = select(0u, min(min(j + 1u, tile.height - j), feather), j < tile.height);
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
fn finish(sums: ptr<function, Sums>, at: u32) -> u32 {
    let total = (*sums).total;
    let inside = total > vec4(0u);
    if (!any(inside)) {
        return 0u;
    }
    let n = max(total, vec4(1u));
    let inverse = 1.0 / vec4<f32>(n);
    let half = total >> vec4(1u);
    let r = quotient_by((*sums).r + half, n, inverse);
    let g = quotient_by((*sums).g + half, n, inverse);
    let b = quotient_by((*sums).b + half, n, inverse);
    let a = quotient_by((*sums).a + half, n, inverse);
    dst[at] = select(dst[at], r | (g << vec4(8u)) | (b << vec4(16u)) | (a << vec4(24u)), inside);
    let one = select(vec4(0u), vec4(1u), inside);
    return one.x + one.y + one.z + one.w;
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
            let ramp = min(min(i + 1u, tile.width - i), vec4(canvas.feather));
            let across = select(vec4(0u), ramp, i < vec4(tile.width));
            let inside = min(i, vec4(tile.width - 1u));
            add(&s0, tile, inside, across, j, canvas.feather);
            add(&s1, tile, inside, across, j + 1u, canvas.feather);
            add(&s2, tile, inside, across, j + 2u, canvas.feather);
            add(&s3, tile, inside, across, j + 3u, canvas.feather);
        }
        let at = picture.first + y * picture.stride + column;
        // No tile reaches below the last row, so nothing is written there.
        covered = finish(&s0, at) + finish(&s1, at + picture.stride) + finish(&s2, at + 2u * picture.stride)
            + finish(&s3, at + 3u * picture.stride);
    }
    add_covered(group.z, covered, lane);
}
