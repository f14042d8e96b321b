// Sums of the HSV value over patches of 32x32 pixels, for a batch of pictures.
//
// In:   src          pictures of any format, one per workgroup_id.z, sizes may differ
// Out:  dst_patches  `dst` words per picture, three per patch, patches row by row, cut at the right and the bottom: sum of V, sum of
//                    V^2, pixels with V < 64 in the low and with V >= 192 in the high half
// Algorithm: V = max(R, G, B), YUV turned to RGB in registers (common/rgb16); one patch an invocation.
// Border: none; padding behind the last pixel is masked.
// Exact: integers: at most 1024 * 255^2 a patch.
// Loop bound: 64 steps.

#import common/grid
#import common/rgb16

override WG: u32 = 8u;
override TAIL: bool = true;

struct Params {
    offset: vec4<i32>,  // see common/rgb16
    chroma: vec4<i32>,
    dst: u32,           // words of dst_patches per picture
}

struct Sums {
    sum: vec4<u32>,
    sum_sq: vec4<u32>,
    counts: vec4<u32>,  // dark, and bright shifted by 16
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(3) var<storage, read_write> dst_patches: array<u32>;

// Adds pixels x .. x+3.
fn add4(sums: ptr<function, Sums>, p: vec4<u32>, x: u32, width: u32) {
    let byte = vec4(0xffu);
    var v = max(max(p & byte, (p >> vec4(8u)) & byte), (p >> S16) & byte);
    var dark = vec4<u32>(v < vec4(64u));
    if (TAIL) {
        let inside = vec4<u32>(vec4(x) + vec4(0u, 1u, 2u, 3u) < vec4(width));
        v *= inside;
        dark *= inside;
    }
    (*sums).sum += v;
    (*sums).sum_sq += v * v;
    (*sums).counts += dark | (vec4<u32>(v >= vec4(192u)) << S16);
}

fn total(v: vec4<u32>) -> u32 {
    return v.x + v.y + v.z + v.w;
}

@compute @workgroup_size(WG)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let item = item_of(group, groups, local);
    let picture = src_pictures[group.z];
    let across = (picture.width + 31u) >> 5u;
    if (item >= across * ((picture.height + 31u) >> 5u)) {
        return;
    }
    let py = item / across;
    let px = item - py * across;
    // The second column of 16 pixels of a cut patch may not exist.
    let columns = select(1u, 2u, px * 32u + 16u < picture.width);
    var sums = Sums(vec4(0u), vec4(0u), vec4(0u));
    for (var k = 0u; k < 32u; k++) {
        let y = py * 32u + k;
        if (y >= picture.height) {
            break;
        }
        for (var half = 0u; half < columns; half++) {
            let v = px * 2u + half;
            let p = colors16(picture, v, y);
            let x = v * 16u;
            add4(&sums, p.a, x, picture.width);
            add4(&sums, p.b, x + 4u, picture.width);
            add4(&sums, p.c, x + 8u, picture.width);
            add4(&sums, p.d, x + 12u, picture.width);
        }
    }
    let at = group.z * params.dst + item * 3u;
    dst_patches[at] = total(sums.sum);
    dst_patches[at + 1u] = total(sums.sum_sq);
    dst_patches[at + 2u] = total(sums.counts);
}
