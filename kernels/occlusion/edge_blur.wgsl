// Bands along the sides of pictures blurred, in place.
//
// In:   src_bands    per picture: band, mirrored area, scratch, radius, feather, side; src_taps: taps in 256ths, padded with 7 zeros
// Out:  dst_words    the pictures themselves, packed RGBA, one per workgroup_id.z; sizes may differ; alpha is kept
//       dst_scratch  rows blurred across, 8 pixels padded: R and B, G and A in 16-bit lanes
//       dst_covered  covered pixels per picture, zero before
// Algorithm: separable Gaussian, (sum + 32768) >> 16 after both exact passes; then a soft seam, see reference/occlusion/edge_blur.rs.
//       Eight results an invocation along the pass: each sample is loaded once for all of them, the taps slide by.
// Border: reflect-101 at the borders of the picture or of the band.
// Exact: integers; a lane holds at most 255 * 256, a sum at most 255 * 65536.
// Loop bound: 8 + 2 * 127 = 262 steps.

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

// Where places repeat: twice the steps between first and last sample.
struct Mirror {
    period: i32,
    inverse: f32,
}

fn mirror_of(n: u32) -> Mirror {
    let period = max(2u * (n - 1u), 1u);
    return Mirror(i32(period), 1.0 / f32(period));
}

// Place i, possibly outside, mirrored into 0 .. n-1. A whole number of periods too many or too few, as f32 may give, does not matter:
// the distance to the nearest multiple of the period is the same.
fn mirrored(i: i32, m: Mirror) -> u32 {
    let rest = abs(i - i32(f32(i) * m.inverse) * m.period);
    return u32(min(rest, abs(m.period - rest)));
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
    let mirror = mirror_of(band.columns);
    let before = i32(band.x + x) - i32(band.left) - i32(band.radius);
    var rb0 = vec4(0u);
    var rb1 = vec4(0u);
    var ga0 = vec4(0u);
    var ga1 = vec4(0u);
    var t0 = vec4(0u);
    var t1 = vec4(0u);
    for (var j = 0u; j < 8u + 2u * band.radius; j++) {
        let p = dst_words[words + mirrored(before + i32(j), mirror)];
        t1 = vec4(t0.w, t1.xyz);
        t0 = vec4(src_taps[band.taps + j], t0.xyz);
        let rb = p & 0xff00ffu;
        let ga = (p >> 8u) & 0xff00ffu;
        rb0 += t0 * rb;
        rb1 += t1 * rb;
        ga0 += t0 * ga;
        ga1 += t1 * ga;
    }
    let at = band.scratch + row * strips * 8u + x;
    dst_scratch[at] = vec2(rb0.x, ga0.x);
    dst_scratch[at + 1u] = vec2(rb0.y, ga0.y);
    dst_scratch[at + 2u] = vec2(rb0.z, ga0.z);
    dst_scratch[at + 3u] = vec2(rb0.w, ga0.w);
    dst_scratch[at + 4u] = vec2(rb1.x, ga1.x);
    dst_scratch[at + 5u] = vec2(rb1.y, ga1.y);
    dst_scratch[at + 6u] = vec2(rb1.z, ga1.z);
    dst_scratch[at + 7u] = vec2(rb1.w, ga1.w);
}

// Pixels between (x, y) and the seam.
fn behind_seam(band: Band, x: u32, y: u32) -> u32 {
    if (band.seam < 2u) {
        return select(x, band.width - 1u - x, band.seam == 0u);
    }
    return select(y, band.height - 1u - y, band.seam == 2u);
}

// The pixel k rows below (x, y) of the band, which lies at word `at`, from its blurred sums.
fn put(band: Band, x: u32, y: u32, k: u32, at: u32, sum: vec3<u32>) {
    if (y + k >= band.height) {
        return;
    }
    var fresh = vec4((sum + 32768u) >> vec3(16u), 0u);
    let old = dst_words[at];
    if (band.feather > 0u) {
        let full = 2u * band.feather;
        let w = min(2u * behind_seam(band, x, y + k) + 1u, full);
        let p = (vec4(old) >> vec4(0u, 8u, 16u, 24u)) & vec4(0xffu);
        fresh = quotient(p * (full - w) + fresh * w + band.feather, vec4(full));
    }
    dst_words[at] = fresh.x | (fresh.y << 8u) | (fresh.z << 16u) | (old & 0xff000000u);
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
        let mirror = mirror_of(band.rows);
        let before = i32(band.y + y) - i32(band.top) - i32(band.radius);
        let columns = (band.width + 7u) & ~7u;
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
            let row = clamp(mirrored(before + i32(j), mirror), shift, shift + band.scratch_rows - 1u) - shift;
            let s = dst_scratch[band.scratch + row * columns + x];
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
        let stride = picture.stride * 4u;
        count = min(band.height - y, 8u);
        put(band, x, y, 0u, words, vec3(r0.x, g0.x, b0.x));
        put(band, x, y, 1u, words + stride, vec3(r0.y, g0.y, b0.y));
        put(band, x, y, 2u, words + 2u * stride, vec3(r0.z, g0.z, b0.z));
        put(band, x, y, 3u, words + 3u * stride, vec3(r0.w, g0.w, b0.w));
        put(band, x, y, 4u, words + 4u * stride, vec3(r1.x, g1.x, b1.x));
        put(band, x, y, 5u, words + 5u * stride, vec3(r1.y, g1.y, b1.y));
        put(band, x, y, 6u, words + 6u * stride, vec3(r1.z, g1.z, b1.z));
        put(band, x, y, 7u, words + 7u * stride, vec3(r1.w, g1.w, b1.w));
    }
    add_covered(group.z, count, lane);
}
