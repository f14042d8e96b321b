// Covers part of each picture in place: the loop that operations share. Sixteen bytes an invocation and row: 4 packed pixels, or
// 16 of one byte. A kernel that imports this says which pixels are covered and what they become:
//   fn cover4(cover: Cover, size: vec2<u32>, x: vec4<u32>, y: u32) -> vec4<bool>
//   fn paint(z: u32, cover: Cover, size: vec2<u32>, old: vec4<u32>, column: u32, y: u32) -> vec4<u32>
// Alpha and all pixels that are not covered keep their bits.

#import common/covered
#import common/grid
#import common/out_pictures

override WG: u32 = 8u;
override ROWS: u32 = 8u;
// One byte a pixel, else packed RGBA.
override GRAY: bool = false;

// What covers one picture.
struct Cover {
    column: u32,    // box that holds all covered pixels: first column of 16 bytes,
    columns: u32,   //   number of columns,
    top: u32,       //   first row,
    rows: u32,      //   number of rows
    kind: u32,
    colour: u32,    // R lowest; grey in all bytes
    seed: u32,
    picture: u32,   // counter of the random words
    a: vec4<u32>,   // what the operation makes of it
    b: vec4<u32>,
}

@group(0) @binding(3) var<storage, read_write> dst: array<vec4<u32>>;
@group(0) @binding(6) var<storage, read> src_covers: array<Cover>;

const FOUR: vec4<u32> = vec4<u32>(0u, 1u, 2u, 3u);

struct Mask {
    bytes: vec4<u32>,
    count: u32,
}

fn inside4(cover: Cover, size: vec2<u32>, x: vec4<u32>, y: u32) -> vec4<u32> {
    return select(vec4(0u), vec4(1u), cover4(cover, size, x, y) & (x < vec4(size.x)));
}

fn mask_of(cover: Cover, size: vec2<u32>, column: u32, y: u32) -> Mask {
    if (!GRAY) {
        let in4 = inside4(cover, size, 4u * column + FOUR, y);
        return Mask(in4 * 0xffffffu, in4.x + in4.y + in4.z + in4.w);
    }
    var bytes = vec4(0u);
    var count = 0u;
    for (var j = 0u; j < 4u; j++) {
        let in4 = inside4(cover, size, 16u * column + 4u * j + FOUR, y);
        let word = (in4.x | (in4.y << 8u) | (in4.z << 16u) | (in4.w << 24u)) * 0xffu;
        bytes = select(bytes, vec4(word), FOUR == vec4(j));
        count += in4.x + in4.y + in4.z + in4.w;
    }
    return Mask(bytes, count);
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
    let size = vec2(picture.width, picture.height);
    let cover = src_covers[group.z];
    var count = 0u;
    if (item < cover.columns * ((cover.rows + ROWS - 1u) / ROWS)) {
        let block = item / cover.columns;
        let column = cover.column + item - block * cover.columns;
        for (var k = 0u; k < ROWS; k++) {
            let row = block * ROWS + k;
            if (row >= cover.rows) {
                break;
            }
            let y = cover.top + row;
            let mask = mask_of(cover, size, column, y);
            if (mask.count > 0u) {
                let at = picture.first + y * picture.stride + column;
                let old = dst[at];
                let fresh = paint(group.z, cover, size, old, column, y);
                dst[at] = (old & ~mask.bytes) | (fresh & mask.bytes);
                count += mask.count;
            }
        }
    }
    add_covered(group.z, count, lane);
}
