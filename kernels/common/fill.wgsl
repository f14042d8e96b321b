// What covered pixels are filled with: a colour, the mean of the picture as it was, or noise. Needs common/cover.
// The mean takes two small passes before: sums of the channels (`sum`), and their division (`mean`).

#import common/random
#import common/sum64

override SUM_ROWS: u32 = 16u;

const MEAN: u32 = 1u;
const NOISE: u32 = 2u;
// Counter of the noise among the random words of a picture: core::random::stream::NOISE.
const NOISE_STREAM: u32 = 1u;
const LO: vec4<u32> = vec4<u32>(0x00ff00ffu);
const S24: vec4<u32> = vec4<u32>(24u);

@group(0) @binding(1) var<storage, read> src_means: array<u32>;
@group(0) @binding(2) var<storage, read> src_sums: array<u32>;
@group(0) @binding(9) var<storage, read_write> dst_sums: array<atomic<u32>>;
@group(0) @binding(10) var<storage, read_write> dst_means: array<u32>;

fn noise4(cover: Cover, size: vec2<u32>, x: vec4<u32>, y: u32) -> Words {
    return pcg4d(cover.seed, cover.picture, y * size.x + x, NOISE_STREAM);
}

fn paint(z: u32, cover: Cover, size: vec2<u32>, old: vec4<u32>, column: u32, y: u32) -> vec4<u32> {
    if (cover.kind != NOISE) {
        return vec4(select(cover.colour, src_means[z], cover.kind == MEAN));
    }
    if (!GRAY) {
        let n = noise4(cover, size, 4u * column + FOUR, y);
        return (n.x >> S24) | ((n.y >> S24) << vec4(8u)) | ((n.z >> S24) << vec4(16u));
    }
    var out = vec4(0u);
    for (var j = 0u; j < 4u; j++) {
        let n = noise4(cover, size, 16u * column + 4u * j + FOUR, y).x >> S24;
        out = select(out, vec4(n.x | (n.y << 8u) | (n.z << 16u) | (n.w << 24u)), FOUR == vec4(j));
    }
    return out;
}

fn lanes(v: vec4<u32>) -> vec2<u32> {
    let s = vec4(v.x & 0xffffu, v.y & 0xffffu, v.z & 0xffffu, v.w & 0xffffu);
    let t = v >> vec4(16u);
    return vec2(s.x + s.y + s.z + s.w, t.x + t.y + t.z + t.w);
}

// Sums of the channels of each picture: R, G, B, A, or grey first. A 16-bit lane takes 8 bytes a row at most: 32 rows fit.
@compute @workgroup_size(WG)
fn sum(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
    @builtin(subgroup_invocation_id) lane: u32,
) {
    let item = item_of(group, groups, local);
    let picture = out_pictures[group.z];
    var even = vec4(0u);
    var odd = vec4(0u);
    if (item < picture.stride * ((picture.height + SUM_ROWS - 1u) / SUM_ROWS)) {
        let block = item / picture.stride;
        let column = item - block * picture.stride;
        // Bytes of this column that are pixels.
        let bytes = min(picture.width * select(4u, 1u, GRAY) - 16u * column, 16u);
        let whole = clamp(vec4(bytes), 4u * FOUR, 4u * FOUR + 4u) - 4u * FOUR;
        let mask = select((vec4(1u) << (min(whole, vec4(3u)) * 8u)) - 1u, vec4(~0u), whole == vec4(4u));
        for (var k = 0u; k < SUM_ROWS; k++) {
            let y = block * SUM_ROWS + k;
            if (y >= picture.height) {
                break;
            }
            let v = dst[picture.first + y * picture.stride + column] & mask;
            even += v & LO;
            odd += (v >> vec4(8u)) & LO;
        }
    }
    let e = lanes(even);
    let o = lanes(odd);
    let at = group.z * 8u;
    if (GRAY) {
        sum64(at, e.x + e.y + o.x + o.y, lane);
        return;
    }
    sum64(at, e.x, lane);
    sum64(at + 2u, o.x, lane);
    sum64(at + 4u, e.y, lane);
}

// (sum + n/2) / n of 64-bit sums that are at most 255 n: long division, bit by bit.
fn mean_of(at: u32, n: u32) -> u32 {
    var low = src_sums[at] + n / 2u;
    var high = src_sums[at + 1u] + select(0u, 1u, low < n / 2u);
    var q = 0u;
    for (var k = 0u; k < 8u; k++) {
        let shift = 7u - k;
        let d_low = n << shift;
        let d_high = select(0u, n >> (min(32u - shift, 31u)), shift > 0u);
        if (high > d_high || (high == d_high && low >= d_low)) {
            high = high - d_high - select(0u, 1u, low < d_low);
            low = low - d_low;
            q |= 1u << shift;
        }
    }
    return q;
}

@compute @workgroup_size(WG)
fn mean(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    if (local > 0u) {
        return;
    }
    let n = out_pictures[group.z].width * out_pictures[group.z].height;
    let at = group.z * 8u;
    if (GRAY) {
        dst_means[group.z] = mean_of(at, n) * 0x01010101u;
        return;
    }
    dst_means[group.z] = mean_of(at, n) | (mean_of(at + 2u, n) << 8u) | (mean_of(at + 4u, n) << 16u);
}
