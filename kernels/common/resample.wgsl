// Resampling with tables of weights, along rows and then along columns. Needs common/bytes, common/pictures, common/out_pictures,
// common/grid.
//
// Four samples at a time: four luma pixels, or the channels of one RGBA pixel. Weights are integers; sums stay below 2^31.

override WG: u32 = 8u;
// Bits that are dropped, rounding to nearest and limiting to a byte, after the rows; 0: sums stay as they are.
override ROW_SHIFT: u32 = 0u;
// The same after the columns.
override COLUMN_SHIFT: u32 = 22u;

// Two vec4 a picture. First word of `across` (vec4), first word of `down`, weights of a column, weights of a row;
// first sum, groups of four samples per row, unused, unused.
@group(0) @binding(6) var<storage, read> places: array<vec4<u32>>;
// For each group of four samples: their first sources, then their weights, one vec4 after the other.
@group(0) @binding(7) var<storage, read> across: array<vec4<i32>>;
// For each row of the result: its first source, then its weights.
@group(0) @binding(7) var<storage, read> down: array<i32>;
@group(0) @binding(8) var<storage, read_write> dst_sums: array<vec4<i32>>;
@group(0) @binding(8) var<storage, read> sums: array<vec4<i32>>;
@group(0) @binding(3) var<storage, read_write> dst_words: array<u32>;

fn dropped(v: vec4<i32>, shift: u32) -> vec4<i32> {
    if (shift == 0u) {
        return v;
    }
    return clamp((v + (1 << (shift - 1u))) >> vec4(shift), vec4(0), vec4(255));
}

fn samples(row: u32, x: vec4<u32>) -> vec4<i32> {
    if (RGBA) {
        return vec4<i32>((vec4(src_words[row + x.x]) >> vec4(0u, 8u, 16u, 24u)) & BYTE);
    }
    return vec4<i32>(vec4(luma_at(row, x.x), luma_at(row, x.y), luma_at(row, x.z), luma_at(row, x.w)));
}

// Four source rows of one group of samples an invocation.
@compute @workgroup_size(WG)
fn rows(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let item = item_of(group, groups, local);
    let picture = src_pictures[group.z];
    let place = places[2u * group.z];
    let sum = places[2u * group.z + 1u];
    let block = item / sum.y;
    let i = item - block * sum.y;
    let y = 4u * block;
    if (y >= picture.height) {
        return;
    }
    let bottom = picture.height - 1u;
    let stride = picture.stride * 4u;
    let row = picture.first * 4u;
    let row0 = row + y * stride;
    let row1 = row + min(y + 1u, bottom) * stride;
    let row2 = row + min(y + 2u, bottom) * stride;
    let row3 = row + min(y + 3u, bottom) * stride;
    let at = place.x + i * (place.z + 1u);
    let first = vec4<u32>(across[at]);
    var s0 = vec4(0);
    var s1 = vec4(0);
    var s2 = vec4(0);
    var s3 = vec4(0);
    for (var k = 0u; k < place.z; k++) {
        let w = across[at + 1u + k];
        let x = first + k;
        s0 += w * samples(row0, x);
        s1 += w * samples(row1, x);
        s2 += w * samples(row2, x);
        s3 += w * samples(row3, x);
    }
    // Rows behind the last one repeat it.
    let to = sum.x + i;
    dst_sums[to + y * sum.y] = dropped(s0, ROW_SHIFT);
    dst_sums[to + min(y + 1u, bottom) * sum.y] = dropped(s1, ROW_SHIFT);
    dst_sums[to + min(y + 2u, bottom) * sum.y] = dropped(s2, ROW_SHIFT);
    dst_sums[to + min(y + 3u, bottom) * sum.y] = dropped(s3, ROW_SHIFT);
}

// Four samples of the result an invocation.
@compute @workgroup_size(WG)
fn columns(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let item = item_of(group, groups, local);
    let out = out_pictures[group.z];
    let place = places[2u * group.z];
    let sum = places[2u * group.z + 1u];
    let y = item / sum.y;
    let i = item - y * sum.y;
    if (y >= out.height) {
        return;
    }
    let at = place.y + y * (place.w + 1u);
    var from_sum = sum.x + u32(down[at]) * sum.y + i;
    var s = vec4(0);
    for (var k = 0u; k < place.w; k++) {
        s += down[at + 1u + k] * sums[from_sum];
        from_sum += sum.y;
    }
    let p = vec4<u32>(dropped(s, COLUMN_SHIFT));
    dst_words[(out.first + y * out.stride) * 4u + i] = p.x | (p.y << 8u) | (p.z << 16u) | (p.w << 24u);
}
