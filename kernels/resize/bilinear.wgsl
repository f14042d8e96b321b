// Any size to any size with two taps per axis.
//
// In:   src_words    a plane of 8-bit or 10-bit samples, of which one channel or all are used; one picture per workgroup_id.z, sizes
//                    may differ
//       src_columns, src_rows   per destination column and row: first tap, step to the second << 15, its weight in 2048ths << 16;
//                    one table for all pictures, or one each
// Out:  dst_words    a plane of bytes of one size, rows padded to 16 bytes (padding holds anything)
// Algorithm: half-pixel centres, taps and weights made by the host in integers; t = a (2048 - fx) + b fx per row, then
//       (t0 (2048 - fy) + t1 fy + 2^21) >> 22. Four pixels an invocation and row. No low-pass.
// Border: replicate (taps are clamped).
// Exact: integers of at most 255 * 2^22 + 2^21.
// Loop bound: ROWS * channels * 2 steps, at most 128.

#import common/grid
#import common/channels
#import common/plane

override WG: u32 = 8u;
override ROWS: u32 = 4u;

struct Params {
    height: u32,      // rows of the result
    columns: u32,     // invocations per row: ceil(width / 4)
    blocks: u32,      // row blocks: ceil(height / ROWS)
    table_columns: u32, // entries of src_columns from picture to picture
    table_rows: u32,  // entries of src_rows from picture to picture
    dst_base: u32,    // first word of frame 0
    dst_stride: u32,  // words per row
    dst_slot: u32,    // words per frame
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> src_columns: array<vec4<u32>>;
@group(0) @binding(3) var<storage, read_write> dst_words: array<u32>;
@group(0) @binding(7) var<storage, read> src_rows: array<u32>;

@compute @workgroup_size(WG)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let item = item_of(group, groups, local);
    if (item >= params.columns * params.blocks) {
        return;
    }
    let block = item / params.columns;
    let v = item - block * params.columns;
    let plane = plane_of(group.z) * 4u;
    let taps = src_columns[group.z * params.table_columns + v];
    let left = taps & vec4(0x7fffu);
    let right = left + ((taps >> vec4(15u)) & vec4(1u));
    let fx = taps >> vec4(16u);
    for (var k = 0u; k < ROWS; k++) {
        let y = block * ROWS + k;
        if (y >= params.height) {
            break;
        }
        let tap = src_rows[group.z * params.table_rows + y];
        let top = plane.x + (tap & 0x7fffu) * plane.y;
        let bottom = top + ((tap >> 15u) & 1u) * plane.y;
        let fy = tap >> 16u;
        var result = vec4(0u);
        for (var c = 0u; c < CHANNELS; c++) {
            let t0 = four(top, left, c) * (vec4(2048u) - fx) + four(top, right, c) * fx;
            let t1 = four(bottom, left, c) * (vec4(2048u) - fx) + four(bottom, right, c) * fx;
            let word = pack((t0 * (2048u - fy) + t1 * fy + vec4(1u << 21u)) >> vec4(22u));
            result = select(result, vec4(word), vec4(0u, 1u, 2u, 3u) == vec4(c));
        }
        let to = params.dst_base + group.z * params.dst_slot + y * params.dst_stride + v * CHANNELS;
        for (var c = 0u; c < CHANNELS; c++) {
            dst_words[to + c] = interleaved(result, c);
        }
    }
}
