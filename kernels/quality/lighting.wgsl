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
#import common/patch_sums
#import common/rgb16

override WG: u32 = 8u;
override TAIL: bool = true;

struct Params {
    offset: vec4<i32>,  // see common/rgb16
    chroma: vec4<i32>,
    dst: u32,           // words of dst_patches per picture
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(3) var<storage, read_write> dst_patches: array<u32>;

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
    var sums = PatchSums(vec4(0u), vec4(0u), vec4(0u));
    for (var k = 0u; k < 32u; k++) {
        let y = py * 32u + k;
        if (y >= picture.height) {
            break;
        }
        for (var half = 0u; half < columns; half++) {
            let v = px * 2u + half;
            add_patch16(&sums, colors16(picture, v, y), v * 16u, picture.width);
        }
    }
    let at = group.z * params.dst + item * 3u;
    dst_patches[at] = added(sums.sum);
    dst_patches[at + 1u] = added(sums.sum_sq);
    dst_patches[at + 2u] = added(sums.counts);
}
