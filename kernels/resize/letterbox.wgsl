// Pictures made to fit into others without a change of their aspect ratio, the rest filled with a colour.
//
// In:   src_words    luma, u8 or 10-bit in 16-bit words, or packed RGBA (all channels alike); one picture per workgroup_id.z, sizes may
//                    differ
//       places       three vec4 a picture: first word of `across` (vec4), first word of `down`, weights of a column, weights of a row;
//                    rectangle that the picture fills: x, y, width, height; sum of all weights of a pixel, unused, unused, unused
//       across       for each word of a result inside the rectangle: first sources of its samples, then their weights, in vec4
//       down         for each row inside the rectangle: its first source, then its weights
// Out:  dst_words    bytes (grey or RGBA), rows padded to 16 bytes (padding holds anything)
// Algorithm: floor((sum wx wy p + D/2) / D), D the sum of all weights: bilinear taps or shares of coverage, made by the host as for
//       resize/bilinear and resize/area. One word of the result an invocation: four luma pixels, or one of RGBA,
//       in params.rows rows.
// Border: replicate (bilinear), none (area).
// Exact: integers. Row sums below 2^23 are added up in two parts of 12 bits, each below 2^28; the quotient is estimated in f32 and
//       corrected by its remainder modulo 2^32.
// Loop bound: params.rows times weights of a column times weights of a row, at most 32768, checked when bound.

#import common/grid
#import common/out_pictures
#import common/pictures
#import common/bytes

override WG: u32 = 8u;

struct Params {
    color: u32,     // R, G, B, A from the lowest byte on; grey takes the lowest
    rows: u32,      // rows of an invocation
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(3) var<storage, read_write> dst_words: array<u32>;
@group(0) @binding(6) var<storage, read> places: array<vec4<u32>>;
@group(0) @binding(7) var<storage, read> across: array<vec4<u32>>;
@group(0) @binding(8) var<storage, read> down: array<u32>;

fn samples(row: u32, x: vec4<u32>) -> vec4<u32> {
    if (RGBA) {
        return (vec4(src_words[row + x.x]) >> vec4(0u, 8u, 16u, 24u)) & BYTE;
    }
    return vec4(luma_at(row, x.x), luma_at(row, x.y), luma_at(row, x.z), luma_at(row, x.w));
}

// (high * 4096 + low + total/2) / total; the quotient is at most 255, total at most 2^30.
fn quotient(high: vec4<u32>, low: vec4<u32>, total: u32) -> vec4<u32> {
    let half = total / 2u;
    let estimate = vec4<u32>((vec4<f32>(high) * 4096.0 + vec4<f32>(low) + f32(half)) / f32(total));
    let rest = bitcast<vec4<i32>>((high << vec4(12u)) + low + half - estimate * total);
    return select(select(estimate, estimate + 1u, rest >= vec4(i32(total))), estimate - 1u, rest < vec4(0));
}

// Samples of word i and row y inside the rectangle; `place` names the tables.
fn resized(picture: Picture, place: vec4<u32>, total: u32, i: u32, y: u32) -> vec4<u32> {
    let column = place.x + i * (place.z + 1u);
    let first = across[column];
    let line = place.y + y * (place.w + 1u);
    var row = (picture.first + down[line] * picture.stride) * 4u;
    var low = vec4(0u);
    var high = vec4(0u);
    for (var j = 0u; j < place.w; j++) {
        var sum = vec4(0u);
        for (var k = 0u; k < place.z; k++) {
            sum += across[column + 1u + k] * samples(row, first + k);
        }
        let weight = down[line + 1u + j];
        low += (sum & vec4(4095u)) * weight;
        high += (sum >> vec4(12u)) * weight;
        row += picture.stride * 4u;
    }
    return quotient(high, low, total);
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
    let pixels = select(4u, 1u, RGBA);
    let words = (out.width + pixels - 1u) / pixels;
    let block = item / words;
    let i = item - block * words;
    if (block * params.rows >= out.height) {
        return;
    }
    let place = places[3u * group.z];
    let rect = places[3u * group.z + 1u];
    let total = places[3u * group.z + 2u].x;
    var color = vec4(params.color & 0xffu);
    if (RGBA) {
        color = (vec4(params.color) >> vec4(0u, 8u, 16u, 24u)) & BYTE;
    }
    // Words that the rectangle touches; its first and last one may hold pixels outside.
    let first = rect.x / pixels;
    let end = (rect.x + rect.z + pixels - 1u) / pixels;
    let x = vec4(i * pixels) + select(vec4(0u, 1u, 2u, 3u), vec4(0u), vec4(RGBA));
    let inside_x = (x >= vec4(rect.x)) & (x < vec4(rect.x + rect.z)) & vec4(i >= first && i < end);
    for (var y = block * params.rows; y < min((block + 1u) * params.rows, out.height); y++) {
        var p = color;
        if (y >= rect.y && y < rect.y + rect.w && any(inside_x)) {
            p = select(color, resized(picture, place, total, i - first, y - rect.y), inside_x);
        }
        dst_words[(out.first + y * out.stride) * 4u + i] = p.x | (p.y << 8u) | (p.z << 16u) | (p.w << 24u);
    }
}
