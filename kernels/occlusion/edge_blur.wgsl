// Bands along the sides of pictures blurred, in place.
//
// In:   src_bands    per picture: band, mirrored area, scratch, radius, feather, side; src_taps: taps in 256ths, padded with 7 zeros
// Out:  dst_words    the pictures themselves, packed RGBA, one per workgroup_id.z; sizes may differ; alpha is kept
//       dst_scratch  rows blurred across: R and B, G and A in 16-bit lanes
//       dst_covered  covered pixels per picture, zero before
// Algorithm: separable Gaussian, (sum + 32768) >> 16 after both exact passes; then a soft seam, see reference/occlusion/edge_blur.rs.
//       Eight results an invocation along the pass: each sample is loaded once for all of them, the taps slide by.
// Border: reflect-101 at the borders of the picture or of the band.
// Exact: integers; a lane holds at most 255 * 256, a sum at most 255 * 65536.
// Loop bound: 8 + 2 * 127 = 262 and 8 steps.

#import common/covered
#import common/divide
#import common/grid
#import common/out_pictures

override WG: u32 = 8u;

struct Band {
    x: u32,             // what is blurred
    y: u32,
    width: u32,
    height: u32,
    left: u32,          // where the picture mirrors
    top: u32,
    columns: u32,
    rows: u32,
    scratch_top: u32,   // rows that the first pass makes
    scratch_rows: u32,
    scratch: u32,       // first pixel in dst_scratch
    radius: u32,
    taps: u32,          // first of the taps
    feather: u32,
    seam: u32,          // side of the picture: left, right, top, bottom
    reserved: u32,
}

@group(0) @binding(3) var<storage, read_write> dst_words: array<u32>;
@group(0) @binding(6) var<storage, read> src_bands: array<Band>;
@group(0) @binding(7) var<storage, read> src_taps: array<u32>;
@group(0) @binding(9) var<storage, read_write> dst_scratch: array<vec2<u32>>;

// Place i, possibly outside, mirrored into 0 .. n-1.
fn mirrored(i: i32, n: u32) -> u32 {
    let twice = 2u * (n - 1u);
    let m = remainder(vec4(u32(abs(i))), vec4(max(twice, 1u))).x;
    return min(m, twice - m);
}

@compute @workgroup_size(WG)
fn across(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let item = item_of(group, groups, local);
    let picture = out_pictures[group.z];
    let band = src_bands[group.z];
    let strips = (band.width + 7u) >> 3u;
    if (item >= strips * band.scratch_rows) {
        return;
    }
    let row = item / strips;
    let x = (item - row * strips) * 8u;
    let words = (picture.first + (band.scratch_top + row) * picture.stride) * 4u + band.left;
    let before = i32(band.x + x) - i32(band.left) - i32(band.radius);
    var rb0 = vec4(0u);
    var rb1 = vec4(0u);
    var ga0 = vec4(0u);
    var ga1 = vec4(0u);
    var t0 = vec4(0u);
    var t1 = vec4(0u);
    for (var j = 0u; j < 8u + 2u * band.radius; j++) {
        let p = dst_words[words + mirrored(before + i32(j), band.columns)];
        t1 = vec4(t0.w, t1.xyz);
        t0 = vec4(src_taps[band.taps + j], t0.xyz);
        let rb = p & 0xff00ffu;
        let ga = (p >> 8u) & 0xff00ffu;
        rb0 += t0 * rb;
        rb1 += t1 * rb;
        ga0 += t0 * ga;
        ga1 += t1 * ga;
    }
    let at = band.scratch + row * band.width + x;
    for (var k = 0u; k < min(band.width - x, 8u); k++) {
        let four = k & 3u;
        dst_scratch[at + k] = select(vec2(rb1[four], ga1[four]), vec2(rb0[four], ga0[four]), k < 4u);
    }
}

// Pixels between (x, y) and the seam.
fn behind_seam(band: Band, x: u32, y: u32) -> u32 {
    if (band.seam < 2u) {
        return select(x, band.width - 1u - x, band.seam == 0u);
    }
    return select(y, band.height - 1u - y, band.seam == 2u);
}

@compute @workgroup_size(WG)
fn down(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
    @builtin(subgroup_invocation_id) lane: u32,
) {
    let item = item_of(group, groups, local);
    let picture = out_pictures[group.z];
    let band = src_bands[group.z];
    var count = 0u;
    if (item < band.width * ((band.height + 7u) >> 3u)) {
        let block = item / band.width;
        let x = item - block * band.width;
        let y = block * 8u;
        let before = i32(band.y + y) - i32(band.top) - i32(band.radius);
        let shift = band.scratch_top - band.top;
        var r0 = vec4(0u);
        var r1 = vec4(0u);
        var g0 = vec4(0u);
        var g1 = vec4(0u);
        var b0 = vec4(0u);
        var b1 = vec4(0u);
        var t0 = vec4(0u);
        var t1 = vec4(0u);
        for (var j = 0u; j < 8u + 2u * band.radius; j++) {
            // Behind the last tap that counts the row may lie outside the scratch.
            let row = clamp(mirrored(before + i32(j), band.rows), shift, shift + band.scratch_rows - 1u) - shift;
            let s = dst_scratch[band.scratch + row * band.width + x];
            t1 = vec4(t0.w, t1.xyz);
            t0 = vec4(src_taps[band.taps + j], t0.xyz);
            r0 += t0 * (s.x & 0xffffu);
            r1 += t1 * (s.x & 0xffffu);
            g0 += t0 * (s.y & 0xffffu);
            g1 += t1 * (s.y & 0xffffu);
            b0 += t0 * (s.x >> 16u);
            b1 += t1 * (s.x >> 16u);
        }
        let words = (picture.first + (band.y + y) * picture.stride) * 4u + band.x + x;
        count = min(band.height - y, 8u);
        for (var k = 0u; k < count; k++) {
            let four = k & 3u;
            let sum = select(vec3(r1[four], g1[four], b1[four]), vec3(r0[four], g0[four], b0[four]), k < 4u);
            var fresh = vec4((sum + 32768u) >> vec3(16u), 0u);
            let at = words + k * picture.stride * 4u;
            let old = dst_words[at];
            if (band.feather > 0u) {
                let full = 2u * band.feather;
                let w = min(2u * behind_seam(band, x, y + k) + 1u, full);
                let p = (vec4(old) >> vec4(0u, 8u, 16u, 24u)) & vec4(0xffu);
                fresh = quotient(p * (full - w) + fresh * w + band.feather, vec4(full));
            }
            dst_words[at] = fresh.x | (fresh.y << 8u) | (fresh.z << 16u) | (old & 0xff000000u);
        }
    }
    add_covered(group.z, count, lane);
}
