// Packed RGB to 8-bit grey.
//
// In:   src          one word a pixel, R lowest, alpha ignored; one picture per workgroup_id.z, sizes may differ
// Out:  dst          one byte a pixel, rows padded to 16 bytes (padding holds anything)
// Algorithm: (9798 R + 19235 G + 3735 B + 16384) >> 15, the weights of BT.601 in 15 bits, as OpenCV; 16 pixels an invocation.
// Border: none.
// Exact: integers below 2^24.
// Loop bound: ROWS steps, at most 16.

#import common/grid
#import common/out_pictures
#import common/pictures

override WG: u32 = 8u;
override ROWS: u32 = 8u;

@group(0) @binding(1) var<storage, read> src: array<vec4<u32>>;
@group(0) @binding(3) var<storage, read_write> dst: array<vec4<u32>>;

const BYTE: vec4<u32> = vec4<u32>(0xffu);

// Grey of four pixels as one word. Behind the end of a row it reads the row's last vec4.
fn gray4(row: u32, at: u32, stride: u32) -> u32 {
    let p = src[row + min(at, stride - 1u)];
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
    let picture = src_pictures[group.z];
    let out = out_pictures[group.z];
    let columns = (picture.width + 15u) >> 4u;
    if (item >= columns * ((picture.height + ROWS - 1u) / ROWS)) {
        return;
    }
    let block = item / columns;
    let v = item - block * columns;
    for (var k = 0u; k < ROWS; k++) {
        let y = block * ROWS + k;
        if (y >= picture.height) {
            break;
        }
        let row = picture.first + y * picture.stride;
        let at = 4u * v;
        dst[out.first + y * out.stride + v] = vec4(
            gray4(row, at, picture.stride),
            gray4(row, at + 1u, picture.stride),
            gray4(row, at + 2u, picture.stride),
            gray4(row, at + 3u, picture.stride),
        );
    }
}
