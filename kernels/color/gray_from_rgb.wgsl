// Packed RGB to 8-bit grey.
//
// In:   src          one word a pixel, R lowest, alpha ignored; one frame per workgroup_id.z
// Out:  dst          one byte a pixel, rows padded to 16 bytes (padding holds anything)
// Algorithm: (9798 R + 19235 G + 3735 B + 16384) >> 15, the weights of BT.601 in 15 bits, as OpenCV; 16 pixels an invocation.
// Border: none.
// Exact: integers below 2^24.
// Loop bound: ROWS steps, at most 16.

#import common/grid

override WG: u32 = 8u;
override ROWS: u32 = 8u;

struct Params {
    base: u32,        // first vec4 of frame 0
    stride: u32,      // vec4 per row
    slot: u32,        // vec4 per frame
    height: u32,      // rows
    columns: u32,     // invocations per row: ceil(width / 16)
    blocks: u32,      // row blocks: ceil(height / ROWS)
    dst_base: u32,    // first vec4 of frame 0
    dst_slot: u32,    // vec4 per frame; a row has `columns`
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> src: array<vec4<u32>>;
@group(0) @binding(2) var<storage, read_write> dst: array<vec4<u32>>;

const BYTE: vec4<u32> = vec4<u32>(0xffu);

// Grey of four pixels as one word. Behind the end of a row it reads the row's last vec4.
fn gray4(row: u32, at: u32) -> u32 {
    let p = src[row + min(at, params.stride - 1u)];
    let r = p & BYTE;
    let g = (p >> vec4(8u)) & BYTE;
    let b = (p >> vec4(16u)) & BYTE;
    let y = (r * 9798u + g * 19235u + b * 3735u + vec4(16384u)) >> vec4(15u);
    return y.x | (y.y << 8u) | (y.z << 16u) | (y.w << 24u);
}

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
    for (var k = 0u; k < ROWS; k++) {
        let y = block * ROWS + k;
        if (y >= params.height) {
            break;
        }
        let row = params.base + group.z * params.slot + y * params.stride;
        let at = 4u * v;
        dst[params.dst_base + group.z * params.dst_slot + y * params.columns + v] =
            vec4(gray4(row, at), gray4(row, at + 1u), gray4(row, at + 2u), gray4(row, at + 3u));
    }
}
