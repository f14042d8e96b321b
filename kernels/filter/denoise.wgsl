// Non-local means: pixels are averaged by how much the 7x7 pixels around them are alike.
//
// In:   src_words    luma, u8 or 10-bit in 16-bit words, or packed RGBA (alpha is kept); one picture per workgroup_id.z, sizes may differ
//       places       two vec4 a picture: padded planes (first word, words per row, words per plane, unused), the same of the results
//       weights      weight of two pixels whose patches differ by i = sum of squared differences >> 6; the last one is 0
//       cube_roots   see common/lab8
// Out:  dst_padded   planes of bytes with PAD pixels around them, four a word: luma, or R, G, B, or L, a, b
//       dst_planes   the same without padding, averaged
//       dst_words    packed RGBA
// Algorithm: `pad`; `average` CHANNELS planes from params.plane on together, for rows from params.row on; `merge`. An invocation
//       averages 4x4 pixels: distances of a search place are sums of rows, of which neighbours share most.
//       round(sum w p / sum w) with integer weights, as OpenCV (Buades, Coll, Morel 2005).
// Border: reflect-101.
// Exact: squared differences sum up to at most 3 * 49 * 255^2 < 2^24, in f32; sums of w p below 2^31.
// Loop bound: (2 RADIUS + 1) * (2 RADIUS + 4), at most 1054 (average); 4 (pad, merge).

#import common/grid
#import common/out_pictures
#import common/pictures
#import common/bytes
#import common/lab8
#import common/patches

override WG: u32 = 8u;
// Of the search window; pixels around a plane: RADIUS + 3.
override RADIUS: u32 = 10u;
// Planes that are compared together.
override CHANNELS: u32 = 1u;
// L, a, b instead of R, G, B.
override LAB: bool = false;

struct Params {
    plane: u32,     // first plane
    row: u32,       // first row
    rows: u32,      // rows of this dispatch
    last: u32,      // last entry of the weights
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(3) var<storage, read_write> dst_words: array<u32>;
@group(0) @binding(6) var<storage, read> cube_roots: array<u32>;
@group(0) @binding(7) var<storage, read> places: array<vec4<u32>>;
@group(0) @binding(8) var<storage, read_write> dst_padded: array<u32>;
@group(0) @binding(9) var<storage, read_write> dst_planes: array<u32>;
@group(0) @binding(9) var<storage, read> planes: array<u32>;

@compute @workgroup_size(WG)
fn pad(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let item = item_of(group, groups, local);
    let picture = src_pictures[group.z];
    let place = places[2u * group.z];
    let y = item / place.y;
    let i = item - y * place.y;
    let margin = i32(RADIUS) + 3;
    if (y >= picture.height + 2u * u32(margin)) {
        return;
    }
    let row = (picture.first + u32(inside(i32(y) - margin, i32(picture.height))) * picture.stride) * 4u;
    var words = vec3(0u);
    for (var k = 0u; k < 4u; k++) {
        let x = u32(inside(i32(4u * i + k) - margin, i32(picture.width)));
        if (RGBA) {
            let p = src_words[row + x];
            let v = select(p, lab_of(p), LAB);
            words |= ((vec3(v) >> vec3(0u, 8u, 16u)) & vec3(0xffu)) << vec3(8u * k);
        } else {
            words.x |= luma_at(row, x) << (8u * k);
        }
    }
    let at = place.x + y * place.y + i;
    dst_padded[at] = words.x;
    if (RGBA) {
        dst_padded[at + place.z] = words.y;
        dst_padded[at + 2u * place.z] = words.z;
    }
}

fn store(at: u32, sum: vec4<u32>, weight: vec4<u32>) {
    let p = (sum + weight / 2u) / weight;
    dst_planes[at] = p.x | (p.y << 8u) | (p.z << 16u) | (p.w << 24u);
}

fn store_all(result: vec4<u32>, plane: u32, i: u32, y: u32, height: u32, sums: Weighted, total: Weighted) {
    let at = result.x + plane * result.z + y * result.y + i;
    store(at, sums.rows[0], total.rows[0]);
    if (y + 1u < height) {
        store(at + result.y, sums.rows[1], total.rows[1]);
    }
    if (y + 2u < height) {
        store(at + 2u * result.y, sums.rows[2], total.rows[2]);
    }
    if (y + 3u < height) {
        store(at + 3u * result.y, sums.rows[3], total.rows[3]);
    }
}

@compute @workgroup_size(WG)
fn average(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let item = item_of(group, groups, local);
    let picture = src_pictures[group.z];
    let place = places[2u * group.z];
    let columns = (picture.width + 3u) / 4u;
    let block = item / columns;
    let i = item - block * columns;
    let y = params.row + 4u * block;
    if (4u * block >= params.rows || y >= picture.height) {
        return;
    }
    // The patches around the pixels themselves lie RADIUS further than those around the first search place.
    let first = place.x + params.plane * place.z + y * place.y + i;
    let own = first + RADIUS * place.y + RADIUS / 4u;
    let base = (RADIUS % 4u) * 8u;
    var a0 = patch_at(own, place.y);
    var a1: Patch;
    var a2: Patch;
    if (CHANNELS > 1u) {
        a1 = patch_at(own + place.z, place.y);
    }
    if (CHANNELS > 2u) {
        a2 = patch_at(own + 2u * place.z, place.y);
    }
    var total: Weighted;
    var s0: Weighted;
    var s1: Weighted;
    var s2: Weighted;
    for (var dy = 0u; dy <= 2u * RADIUS; dy++) {
        for (var dx = 0u; dx <= 2u * RADIUS; dx += 4u) {
            let at = first + dy * place.y + dx / 4u;
            var b0 = patch_at(at, place.y);
            var b1: Patch;
            var b2: Patch;
            if (CHANNELS > 1u) {
                b1 = patch_at(at + place.z, place.y);
            }
            if (CHANNELS > 2u) {
                b2 = patch_at(at + 2u * place.z, place.y);
            }
            for (var shift = 0u; shift < min(32u, (2u * RADIUS + 1u - dx) * 8u); shift += 8u) {
                var distances: Distances;
                compare(&distances, &a0, &b0, shift, base);
                if (CHANNELS > 1u) {
                    compare(&distances, &a1, &b1, shift, base);
                }
                if (CHANNELS > 2u) {
                    compare(&distances, &a2, &b2, shift, base);
                }
                let w = all_weights(distances);
                total.rows[0] += w.rows[0];
                total.rows[1] += w.rows[1];
                total.rows[2] += w.rows[2];
                total.rows[3] += w.rows[3];
                add(&s0, w, &b0, shift);
                if (CHANNELS > 1u) {
                    add(&s1, w, &b1, shift);
                }
                if (CHANNELS > 2u) {
                    add(&s2, w, &b2, shift);
                }
            }
        }
    }
    let result = places[2u * group.z + 1u];
    store_all(result, params.plane, i, y, picture.height, s0, total);
    if (CHANNELS > 1u) {
        store_all(result, params.plane + 1u, i, y, picture.height, s1, total);
    }
    if (CHANNELS > 2u) {
        store_all(result, params.plane + 2u, i, y, picture.height, s2, total);
    }
}

@compute @workgroup_size(WG)
fn merge(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let item = item_of(group, groups, local);
    let picture = src_pictures[group.z];
    let out = out_pictures[group.z];
    let place = places[2u * group.z + 1u];
    let y = item / place.y;
    let i = item - y * place.y;
    if (y >= picture.height) {
        return;
    }
    let at = place.x + y * place.y + i;
    let w = vec3(planes[at], planes[at + place.z], planes[at + 2u * place.z]);
    for (var k = 0u; k < min(4u, picture.width - 4u * i); k++) {
        let b = (w >> vec3(8u * k)) & vec3(0xffu);
        let v = b.x | (b.y << 8u) | (b.z << 16u);
        let x = 4u * i + k;
        let alpha = src_words[(picture.first + y * picture.stride) * 4u + x] & 0xff000000u;
        dst_words[(out.first + y * out.stride) * 4u + x] = select(v, rgb_of(v), LAB) | alpha;
    }
}
