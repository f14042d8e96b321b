// YUV frames changed as RGB pictures of them were: what differs between two RGB pictures is added to the samples.
//
// In:   src_words    frames, 8-bit or 10-bit YUV of any subsampling and plane layout, or grey; one per workgroup_id.z, sizes may differ
//       src_second   packed RGBA of the same sizes: the frames before the change; src_third: after it
// Out:  dst          frames of the same layouts (padding holds anything)
// Algorithm: d = after - before per channel; luma y + ((k d + half) >> 16), chroma u + ((k sum d + half) >> (16 + log2 n)), summed over
//       the n = 1, 2 or 4 pixels that the sample covers; clamped to the codes. Where nothing changed, words are copied. Eight columns and
//       the rows of one chroma row an invocation.
// Border: pixels of a block outside the picture repeat its last column and row.
// Exact: integers; |k d| below 2^27, |k sum d| below 2^31 (core::YuvCoefficients).
// Loop bound: two rows of eight pixels, at most 40 steps each.

#import common/grid
#import common/out_pictures
#import common/pictures
#import common/second_pictures

override WG: u32 = 8u;
// Bytes of a sample; how far its value is shifted up in them; its largest value.
override BYTES: u32 = 1u;
override SHIFT: u32 = 0u;
override MOST: i32 = 255;
override SX: u32 = 1u;
override SY: u32 = 1u;
override CHROMA: bool = true;
override SEMI: bool = false;

struct Params {
    luma: vec4<i32>,  // factors of R, G, B
    u: vec4<i32>,
    v: vec4<i32>,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> src_words: array<u32>;
@group(0) @binding(3) var<storage, read_write> dst: array<u32>;
@group(0) @binding(7) var<storage, read> src_third: array<vec4<u32>>;
@group(0) @binding(8) var<storage, read> src_third_pictures: array<Picture>;

fn channels(p: u32) -> vec3<i32> {
    return bitcast<vec3<i32>>((vec3(p) >> vec3(0u, 8u, 16u)) & vec3(0xffu));
}

// Adds changes to `count` (2, 4 or 8) samples that begin at a word; samples without a change keep all their bits.
fn store(source: u32, to: u32, count: u32, changes: ptr<function, array<i32, 16>>, first: u32) {
    let per = 4u / BYTES;
    let bits = 8u * BYTES;
    let mask = (1u << bits) - 1u;
    for (var k = 0u; k * per < count; k++) {
        var word = src_words[source + k];
        for (var j = 0u; j < per; j++) {
            let d = (*changes)[first + k * per + j];
            if (d != 0) {
                let at = j * bits;
                let value = i32(((word >> at) & mask) >> SHIFT) & MOST;
                let changed = u32(clamp(value + d, 0, MOST)) << SHIFT;
                word = (word & ~(mask << at)) | (changed << at);
            }
        }
        dst[to + k] = word;
    }
}

fn round_shift(v: i32, shift: u32) -> i32 {
    return (v + (1 << (shift - 1u))) >> shift;
}

@compute @workgroup_size(WG)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let item = item_of(group, groups, local);
    let src = src_pictures[group.z];
    let before = src_second_pictures[group.z];
    let after = src_third_pictures[group.z];
    let out = out_pictures[group.z];
    let columns = (src.width + 7u) >> 3u;
    let height = 1u << SY;
    if (item >= columns * ((src.height + height - 1u) >> SY)) {
        return;
    }
    let block = item / columns;
    let column = item - block * columns;
    // Changes of up to eight columns, summed into the chroma samples they belong to.
    var sums: array<vec3<i32>, 8>;
    for (var r = 0u; r < height; r++) {
        let y = block * height + r;
        let row = min(y, src.height - 1u);
        var changes: array<i32, 16>;
        for (var i = 0u; i < 8u; i++) {
            let x = min(8u * column + i, src.width - 1u);
            let p = src_second[before.first + row * before.stride + (x >> 2u)][x & 3u];
            let q = src_third[after.first + row * after.stride + (x >> 2u)][x & 3u];
            let d = channels(q) - channels(p);
            changes[i] = round_shift(dot(params.luma.xyz, d), 16u);
            sums[i >> SX] += d;
        }
        if (y < src.height) {
            let at = 2u * BYTES * column;
            store(4u * (src.first + y * src.stride) + at, 4u * (out.first + y * out.stride) + at, 8u, &changes, 0u);
        }
    }
    if (CHROMA) {
        let count = 8u >> SX;
        let shift = 16u + SX + SY;
        var changes: array<i32, 16>;
        for (var i = 0u; i < count; i++) {
            let u = round_shift(dot(params.u.xyz, sums[i]), shift);
            let v = round_shift(dot(params.v.xyz, sums[i]), shift);
            if (SEMI) {
                changes[2u * i] = u;
                changes[2u * i + 1u] = v;
            } else {
                changes[i] = u;
                changes[8u + i] = v;
            }
        }
        let source = 4u * block * src.chroma_stride;
        let to = 4u * block * out.chroma_stride;
        if (SEMI) {
            let at = 2u * count * BYTES / 4u * column;
            store(4u * src.second + source + at, 4u * out.second + to + at, 2u * count, &changes, 0u);
        } else {
            let at = count * BYTES / 4u * column;
            store(4u * src.second + source + at, 4u * out.second + to + at, count, &changes, 0u);
            store(4u * src.third + source + at, 4u * out.third + to + at, count, &changes, 8u);
        }
    }
}
