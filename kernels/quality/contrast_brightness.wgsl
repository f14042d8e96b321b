// Sum and sum of squares of the grey of each picture of a batch.
//
// In:   src          pictures of any format, one per workgroup_id.z, sizes may differ
// Out:  dst_sums     4 words per picture, zero before: sum, sum of squares (two words each, low first)
// Algorithm: grey is luma (of 10 bits the 8 most significant), of packed RGB (9798 R + 19235 G + 3735 B + 16384) >> 15 as in
//       color/gray_from_rgb; 16 pixels x ROWS rows an invocation.
// Border: none; padding behind the last pixel is masked.
// Exact: integers: an invocation adds at most 16 * ROWS * 255^2.
// Loop bound: ROWS steps, at most 32.

#import common/grid
#import common/lanes16
#import common/pictures
#import common/sum64

override WG: u32 = 8u;
override ROWS: u32 = 20u;
override TAIL: bool = true;
override RGBA: bool = false;

@group(0) @binding(3) var<storage, read_write> dst_sums: array<atomic<u32>>;

const BYTE: vec4<u32> = vec4<u32>(0xffu);

// Grey of pixels 4i .. 4i+3 of a column; behind the row's end of its last four.
fn gray4(picture: Picture, row: u32, at: u32) -> vec4<u32> {
    let p = src[row + min(at, picture.stride - 1u)];
    let r = p & BYTE;
    let g = (p >> S8) & BYTE;
    let b = (p >> S16) & BYTE;
    return (r * 9798u + g * 19235u + b * 3735u + vec4(16384u)) >> vec4(15u);
}

// 1 for pixels at, at + step, at + 2 step, at + 3 step that lie before `width`, else 0.
fn inside4(at: u32, step: u32, width: u32) -> vec4<u32> {
    if (!TAIL) {
        return vec4(1u);
    }
    return vec4<u32>(vec4(at) + vec4(0u, 1u, 2u, 3u) * step < vec4(width));
}

@compute @workgroup_size(WG)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
    @builtin(subgroup_invocation_id) lane: u32,
) {
    let item = item_of(group, groups, local);
    let picture = src_pictures[group.z];
    let columns = (picture.width + 15u) >> 4u;
    var sum = vec4(0u);
    var sum_sq = vec4(0u);
    if (item < columns * ((picture.height + ROWS - 1u) / ROWS)) {
        let block = item / columns;
        let v = item - block * columns;
        let x = 16u * v;
        for (var k = 0u; k < ROWS; k++) {
            let y = block * ROWS + k;
            if (y >= picture.height) {
                break;
            }
            let row = picture.first + y * picture.stride;
            var a: vec4<u32>;
            var b: vec4<u32>;
            var c: vec4<u32>;
            var d: vec4<u32>;
            if (RGBA) {
                a = gray4(picture, row, 4u * v) * inside4(x, 1u, picture.width);
                b = gray4(picture, row, 4u * v + 1u) * inside4(x + 4u, 1u, picture.width);
                c = gray4(picture, row, 4u * v + 2u) * inside4(x + 8u, 1u, picture.width);
                d = gray4(picture, row, 4u * v + 3u) * inside4(x + 12u, 1u, picture.width);
            } else {
                let s = sixteen(row, v);
                let drop = vec4(select(0u, 2u, WIDE));
                a = (((s.even & HALF) >> drop) & BYTE) * inside4(x, 4u, picture.width);
                b = (((s.odd & HALF) >> drop) & BYTE) * inside4(x + 1u, 4u, picture.width);
                c = ((s.even >> (S16 + drop)) & BYTE) * inside4(x + 2u, 4u, picture.width);
                d = ((s.odd >> (S16 + drop)) & BYTE) * inside4(x + 3u, 4u, picture.width);
            }
            sum += (a + b) + (c + d);
            sum_sq += (a * a + b * b) + (c * c + d * d);
        }
    }
    sum64(group.z * 4u, sum.x + sum.y + sum.z + sum.w, lane);
    sum64(group.z * 4u + 2u, sum_sq.x + sum_sq.y + sum_sq.z + sum_sq.w, lane);
}
