// Dense optical flow between neighbouring frames, coarse to fine, by inverse search of patches.
//
// In:   src_words    luma plane, u8 or 10-bit in 16-bit words; picture workgroup_id.z of src_pictures is the frame before, the next the current
// Out:  dst_x, dst_y f32 per pixel of the finest level: where a pixel of the frame before lies in the current one, in pixels of the picture
//       dst_magnitude  f32, their length rounded to 64ths of a pixel of the level
//       dst_sums     per frame, zero before: sum of the lengths in those 64ths (two words, low first), the largest one
//       dst_pyramid, dst_patches (vector and trust, two words each), dst_flow: what the steps hand on
// Algorithm: after Kroeger et al. 2016 (inverse search) without its variational step. `top`, `halve`: pyramid. Per level `search`: an
//       invocation per 8x8 patch, every 4 pixels, up to 12 Gauss-Newton steps in registers; `smooth` twice: means of 3x3 patches weighted by
//       how well their gradients fix a vector; `densify`: pixels mix their four patches by how well these explain them. `finish`: maps.
// Border: samples outside a picture repeat its border.
// Exact: integers, vectors in 64ths of a pixel; f32 holds integers below 2^24. A lane of bx, by collects 16 x 255 x 4080.
// Loop bound: 16 rows, 12 iterations.

#import common/grid
#import common/flow_patch
#import common/flow_tile
#import common/levels
#import common/pictures
#import common/quads
#import common/sum64

override WG: u32 = 8u;

struct Params {
    width: u32,         // pixels of the level
    height: u32,
    base: u32,          // words from the start of a frame's pyramid to the level
    stride: u32,        // words from row to row, 8 of them padding
    slot: u32,          // words of a frame's pyramid
    fine_base: u32,     // the next finer level
    fine_stride: u32,
    fine_height: u32,
    patches_x: u32,
    patches_y: u32,
    patch_slot: u32,    // patches per frame
    flow_base: u32,     // words from the start of a frame's flow to the level; rows hold whole tiles of 4 pixels
    flow_slot: u32,     // words of a frame's flow
    coarse_base: u32,   // flow of the next coarser level
    coarse_width: u32,  // 0 where there is none
    coarse_height: u32,
    map_stride: u32,    // vec4 from row to row of a map
    map_slot: u32,      // vec4 per map
    scale: f32,         // pixels of the picture per 64th of a pixel of the level
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(3) var<storage, read_write> dst_x: array<vec4<f32>>;
@group(0) @binding(6) var<storage, read_write> dst_y: array<vec4<f32>>;
@group(0) @binding(7) var<storage, read_write> dst_magnitude: array<vec4<f32>>;
@group(0) @binding(8) var<storage, read_write> dst_sums: array<atomic<u32>>;
@group(0) @binding(9) var<storage, read_write> dst_pyramid: array<u32>;
@group(0) @binding(10) var<storage, read> src_pyramid: array<u32>;
@group(0) @binding(11) var<storage, read_write> dst_patches: array<vec2<u32>>;
@group(0) @binding(12) var<storage, read> src_patches: array<vec2<u32>>;
@group(0) @binding(13) var<storage, read_write> dst_flow: array<vec4<u32>>;
@group(0) @binding(14) var<storage, read> src_flow: array<u32>;

const DAMPING: i32 = 512;
const MAX_FLOW: i32 = 16383;
const STRAYED: i32 = 192;

// Rows of a level that an invocation of `top` and `halve` makes one word of each of.
const ROWS: u32 = 16u;

// A column of words of a level, padding included. The first pair of a batch also makes the pyramid of the frame before it.
struct Column {
    frame: u32,
    i: i32,         // word of the row, negative in the left padding
    inside: u32,    // the same inside the picture
    first: u32,     // rows first .. end-1
    end: u32,
}

fn column_of(item: u32, z: u32) -> Column {
    let blocks = (params.height + ROWS - 1u) / ROWS;
    let block = item / params.stride;
    let second = block >= blocks;
    let i = i32(item - block * params.stride) - 4;
    let first = select(block, block - blocks, second) * ROWS;
    let exists = block < 2u * blocks && (!second || z == 0u);
    let end = select(0u, min(first + ROWS, params.height), exists);
    return Column(select(z + 1u, 0u, second), i, u32(clamp(i, 0, i32((params.width - 1u) >> 2u))), first, end);
}

@compute @workgroup_size(WG)
fn top(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let c = column_of(item_of(group, groups, local), group.z);
    let picture = src_pictures[c.frame];
    let out = c.frame * params.slot + params.base + u32(c.i + 4);
    for (var y = c.first; y < c.end; y++) {
        let word = quad(picture.first + y * picture.stride, c.inside);
        dst_pyramid[out + y * params.stride] = padded(c.i, word, params.width);
    }
}

// Means of four neighbouring 2x2 boxes.
fn two_means(above: u32, below: u32) -> u32 {
    let sum = (above & LO) + ((above >> 8u) & LO) + (below & LO) + ((below >> 8u) & LO) + 0x00020002u;
    let mean = (sum >> 2u) & LO;
    return (mean | (mean >> 8u)) & HALF;
}

@compute @workgroup_size(WG)
fn halve(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let c = column_of(item_of(group, groups, local), group.z);
    let fine = c.frame * params.slot + params.fine_base + 4u + 2u * c.inside;
    let out = c.frame * params.slot + params.base + u32(c.i + 4);
    for (var y = c.first; y < c.end; y++) {
        let above = fine + 2u * y * params.fine_stride;
        let below = above + select(params.fine_stride, 0u, 2u * y + 1u >= params.fine_height);
        let left = two_means(dst_pyramid[above], dst_pyramid[below]);
        let right = two_means(dst_pyramid[above + 1u], dst_pyramid[below + 1u]);
        dst_pyramid[out + y * params.stride] = padded(c.i, left | (right << 16u), params.width);
    }
}

// -n / divisor to the nearest, at most 2 pixels.
fn step_of(n: i32, divisor: i32) -> i32 {
    let size = abs(n);
    let small = i32(divide(u32(min(size, 128 * divisor - 1) + (divisor >> 1u)), u32(divisor)));
    return -sign(n) * select(small, 128, size >= 128 * divisor);
}

fn side_of(b: i32, g: i32, mean: i32, shift: u32) -> i32 {
    return clamp((b - g * mean) >> shift, -65535, 65535);
}

@compute @workgroup_size(WG)
fn search(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let item = item_of(group, groups, local);
    if (item >= params.patches_x * params.patches_y) {
        return;
    }
    let j = item / params.patches_x;
    let i = item - j * params.patches_x;
    let at = vec2(i32(i), i32(j)) * 4 - 4;
    let before = group.z * params.slot;
    let now = before + params.slot;
    var start = vec2(0);
    if (params.coarse_width > 0u) {
        let c = min(vec2(i, j) * 2u, vec2(params.coarse_width, params.coarse_height) - 1u);
        let stride = (params.coarse_width + 3u) & ~3u;
        start = 2 * vector_of(src_flow[group.z * params.flow_slot + params.coarse_base + c.y * stride + c.x]);
    }
    begin_patch(before, at);
    read_row(before, at, 0u);
    read_row(before, at, 1u);
    read_row(before, at, 2u);
    read_row(before, at, 3u);
    read_row(before, at, 4u);
    read_row(before, at, 5u);
    read_row(before, at, 6u);
    read_row(before, at, 7u);
    add_gradients(0u);
    add_gradients(1u);
    add_gradients(2u);
    add_gradients(3u);
    add_gradients(4u);
    add_gradients(5u);
    add_gradients(6u);
    add_gradients(7u);
    let g = vec2(total(sum_gx), total(sum_gy));
    var xx = total(sum_xx) - ((g.x * g.x) >> 6u) + DAMPING;
    var xy = total(sum_xy) - ((g.x * g.y) >> 6u);
    var yy = total(sum_yy) - ((g.y * g.y) >> 6u) + DAMPING;
    // 13 bits each, so that products fit into 32.
    let shift = u32(max(firstLeadingBit(max(xx, yy)) - 12, 0));
    xx = xx >> shift;
    xy = xy >> shift;
    yy = yy >> shift;
    // Along an edge the determinant is next to nothing: steps stay finite.
    let divisor = max(max(xx * yy - xy * xy, (xx * yy) >> 7u) >> 3u, 1);

    var vector = start;
    var best = start;
    var least = 0x7fffffff;
    for (var k = 0u; k < 12u; k++) {
        let place = place_of_patch(at, vector);
        let here = 4 * (place - at * 16);
        sum_d = vec4(0.0);
        sum_bx = vec4(0.0);
        sum_by = vec4(0.0);
        squares = vec4(0);
        mixed = mix_right(nine(row_of(now, place.y >> 4u), place.x >> 4u), u32(place.x & 15));
        compare_row(now, place, 0u);
        compare_row(now, place, 1u);
        compare_row(now, place, 2u);
        compare_row(now, place, 3u);
        compare_row(now, place, 4u);
        compare_row(now, place, 5u);
        compare_row(now, place, 6u);
        compare_row(now, place, 7u);
        let sum = total(sum_d);
        let mean = (sum + 32) >> 6u;
        let cost = squares.x + squares.y + squares.z + squares.w - mean * sum;
        if (cost >= least) {
            break;
        }
        least = cost;
        let bx = side_of(total(sum_bx), g.x, mean, shift);
        let by = side_of(total(sum_by), g.y, mean, shift);
        let step = vec2(step_of(yy * bx - xy * by, divisor), step_of(xx * by - xy * bx, divisor));
        best = clamp(here + clamp(step, vec2(-8), vec2(8)), vec2(-MAX_FLOW), vec2(MAX_FLOW));
        vector = here + step;
    }
    let trust = clamp(((min(xx, yy) - abs(xy)) << shift) >> 6u, 1, 1024);
    let strayed = any(abs(best - start) > vec2(STRAYED));
    let out = select(best, clamp(start, vec2(-MAX_FLOW), vec2(MAX_FLOW)), strayed);
    dst_patches[group.z * params.patch_slot + item] = vec2(word_of(out), u32(select(trust, 1, strayed)));
}

var<private> weighted: vec3<i32>;

fn add_patch(z: u32, x: i32, y: i32, times: i32) {
    let inside = x >= 0 && y >= 0 && x < i32(params.patches_x) && y < i32(params.patches_y);
    let at = vec2(clamp(x, 0, i32(params.patches_x) - 1), clamp(y, 0, i32(params.patches_y) - 1));
    let p = src_patches[z * params.patch_slot + u32(at.y) * params.patches_x + u32(at.x)];
    let weight = select(0, times * i32(p.y), inside);
    weighted += vec3(vector_of(p.x), 1) * weight;
}

@compute @workgroup_size(WG)
fn smooth_patches(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let item = item_of(group, groups, local);
    if (item >= params.patches_x * params.patches_y) {
        return;
    }
    let y = i32(item / params.patches_x);
    let x = i32(item) - y * i32(params.patches_x);
    add_patch(group.z, x - 1, y - 1, 1);
    add_patch(group.z, x, y - 1, 1);
    add_patch(group.z, x + 1, y - 1, 1);
    add_patch(group.z, x - 1, y, 1);
    add_patch(group.z, x, y, 8);
    add_patch(group.z, x + 1, y, 1);
    add_patch(group.z, x - 1, y + 1, 1);
    add_patch(group.z, x, y + 1, 1);
    add_patch(group.z, x + 1, y + 1, 1);
    let at = group.z * params.patch_slot + item;
    let v = vec2(mean_of(weighted.x, weighted.z), mean_of(weighted.y, weighted.z));
    dst_patches[at] = vec2(word_of(v), src_patches[at].y);
}

@compute @workgroup_size(WG)
fn densify(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let item = item_of(group, groups, local);
    let tiles_x = params.patches_x - 1u;
    if (item >= tiles_x * (params.patches_y - 1u)) {
        return;
    }
    let j = item / tiles_x;
    let i = item - j * tiles_x;
    let at = vec2(i32(i), i32(j)) * 4;
    let before = group.z * params.slot;
    let now = before + params.slot;
    read_tile_row(before, at, 0u);
    read_tile_row(before, at, 1u);
    read_tile_row(before, at, 2u);
    read_tile_row(before, at, 3u);
    let first = group.z * params.patch_slot + j * params.patches_x + i;
    blend(now, at, first);
    blend(now, at, first + 1u);
    blend(now, at, first + params.patches_x);
    blend(now, at, first + params.patches_x + 1u);
    let out = (group.z * params.flow_slot + params.flow_base) / 4u + 4u * j * tiles_x + i;
    write_row(out, 4u * j, 0u);
    write_row(out, 4u * j, 1u);
    write_row(out, 4u * j, 2u);
    write_row(out, 4u * j, 3u);
}

// Length in 64ths, rounded: the estimate of the root is off by one at most.
fn length_of(v: vec2<i32>) -> u32 {
    let squared = u32(v.x * v.x + v.y * v.y);
    var root = u32(sqrt(f32(squared)));
    root -= select(0u, 1u, root * root > squared);
    root += select(0u, 1u, (root + 1u) * (root + 1u) <= squared);
    return root + select(0u, 1u, squared - root * root > root);
}

@compute @workgroup_size(WG)
fn finish(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
    @builtin(subgroup_invocation_id) lane: u32,
) {
    let item = item_of(group, groups, local);
    let tiles_x = params.patches_x - 1u;
    var sum = 0u;
    var most = 0u;
    if (item < tiles_x * params.height) {
        let y = item / tiles_x;
        let i = item - y * tiles_x;
        let at = group.z * params.flow_slot + params.flow_base + item * 4u;
        let a = vector_of(src_flow[at]);
        let b = vector_of(src_flow[at + 1u]);
        let c = vector_of(src_flow[at + 2u]);
        let d = vector_of(src_flow[at + 3u]);
        let length = vec4(length_of(a), length_of(b), length_of(c), length_of(d));
        let out = group.z * params.map_slot + y * params.map_stride + i;
        dst_x[out] = vec4<f32>(vec4(a.x, b.x, c.x, d.x)) * params.scale;
        dst_y[out] = vec4<f32>(vec4(a.y, b.y, c.y, d.y)) * params.scale;
        dst_magnitude[out] = vec4<f32>(length) * params.scale;
        let inside = select(vec4(0u), length, vec4(0u, 1u, 2u, 3u) + 4u * i < vec4(params.width));
        sum = inside.x + inside.y + inside.z + inside.w;
        most = max(max(inside.x, inside.y), max(inside.z, inside.w));
    }
    let largest = subgroupMax(most);
    sum64(group.z * 3u, sum, lane);
    if (lane == 0u) {
        atomicMax(&dst_sums[group.z * 3u + 2u], largest);
    }
}
