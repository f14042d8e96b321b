// Tiles blended into canvases with feathered weights, in place.
//
// In:   src_words    tiles, packed RGBA, their places in src_pictures; src_canvases: per canvas the box they lie in, divided
//                    into bins of 64 x 32 pixels; src_bins: first and number of the tiles that touch a bin; src_tiles: slot, x, y
// Out:  dst          canvases, packed RGBA, one per workgroup_id.z; sizes may differ; pixels outside all tiles keep their bits
//       dst_covered  pixels inside tiles per canvas, zero before
// Algorithm: a tile weighs min(distance to its nearer side, feather) across times the same down, 1 at outermost pixels; a pixel
//       becomes (sum w p + W/2) / W, W = sum w. Four pixels an invocation and row.
// Border: none.
// Exact: integers; the host keeps tiles * feather^2 so small that the sums fit; quotients corrected after f32 division.
// Loop bound: ROWS * (tiles + 4), at most 4 * (2048 + 4).

#import common/covered
#import common/divide
#import common/grid
#import common/out_pictures
#import common/pictures

override WG: u32 = 8u;
override ROWS: u32 = 4u;

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
    if (item < canvas.columns * ((canvas.rows + ROWS - 1u) / ROWS)) {
        let block = item / canvas.columns;
        let place = item - block * canvas.columns;
        let column = canvas.column + place;
        // Blocks of rows do not cross bins: ROWS divides 32.
        let bin = src_bins[canvas.bins + ((block * ROWS) >> 5u) * canvas.bin_columns + (place >> 4u)];
        let x = 4u * column + FOUR;
        for (var k = 0u; k < ROWS; k++) {
            let row = block * ROWS + k;
            if (row >= canvas.rows) {
                break;
            }
            let y = canvas.top + row;
            var r = vec4(0u);
            var g = vec4(0u);
            var b = vec4(0u);
            var a = vec4(0u);
            var total = vec4(0u);
            for (var t = 0u; t < bin.y; t++) {
                let piece = src_tiles[bin.x + t];
                let tile = src_pictures[piece.x];
                // Left of and above a tile these wrap around, far behind its end.
                let i = x - piece.y;
                let j = y - piece.z;
                let inside = (i < vec4(tile.width)) & vec4(j < tile.height);
                if (any(inside)) {
                    let down = min(min(j + 1u, tile.height - j), canvas.feather);
                    let across = min(min(i + 1u, tile.width - i), vec4(canvas.feather));
                    let w = select(vec4(0u), across * down, inside);
                    let at = (tile.first + j * tile.stride) * 4u + min(i, vec4(tile.width - 1u));
                    let p = vec4(src_words[at.x], src_words[at.y], src_words[at.z], src_words[at.w]);
                    r += w * (p & BYTE);
                    g += w * ((p >> vec4(8u)) & BYTE);
                    b += w * ((p >> vec4(16u)) & BYTE);
                    a += w * (p >> vec4(24u));
                    total += w;
                }
            }
            let inside = total > vec4(0u);
            if (any(inside)) {
                let half = total >> vec4(1u);
                let n = max(total, vec4(1u));
                let at = picture.first + y * picture.stride + column;
                let rg = quotient(r + half, n) | (quotient(g + half, n) << vec4(8u));
                let ba = (quotient(b + half, n) << vec4(16u)) | (quotient(a + half, n) << vec4(24u));
                dst[at] = select(dst[at], rg | ba, inside);
                let one = select(vec4(0u), vec4(1u), inside);
                covered += one.x + one.y + one.z + one.w;
            }
        }
    }
    add_covered(group.z, covered, lane);
}
