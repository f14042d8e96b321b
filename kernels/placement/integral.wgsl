// Summed-area tables of scalar fields, or of maps of 64-bit integers.
//
// In:   src          bytes, u32, f32 or (KIND 3) 64-bit integers, low word first; SLOTS fields per workgroup_id.z
// Out:  dst          64-bit integers, low word first, one more across and down: entry (x, y) is the sum of the values left of and
//                    above it, modulo 2^64; row 0 and column 0 are 0
//       dst_blocks   scratch: per block of ROWS rows the sums of two columns each
// Algorithm: reduce, then scan; no workgroup waits for another one. `rows`: a workgroup per row, whose invocations add up a stretch
//       each and scan it from the sum of those before. `column_sums`: blocks of rows are added up. `columns`: each block is scanned
//       from the sum of the blocks above.
// Border: none; padding of dst holds anything.
// Exact: integers; f32 in fixed point.
// Loop bound: 2 * 8193 / WG + WG steps in `rows`, ROWS in `column_sums`, ROWS + 32,769 / ROWS in `columns`.

#import common/field
#import common/grid
#import common/out_pictures
#import common/pictures
#import common/wide

override WG: u32 = 8u;
override ROWS: u32 = 64u;
override SLOTS: u32 = 1u;

struct Params {
    width: u32,     // values across
    height: u32,    // values down
    blocks: u32,    // blocks of ROWS rows of a table
    scale: f32,     // 2^fraction bits
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(3) var<storage, read_write> dst: array<vec4<u32>>;
@group(0) @binding(6) var<storage, read_write> dst_blocks: array<vec4<u32>>;

var<workgroup> stretches: array<vec2<u32>, WG>;

// Values 4q .. 4q+3 of row y, those behind the end 0.
fn values(field: Picture, q: u32, y: u32) -> array<vec2<u32>, 4> {
    let valid = inside(q, 0u, params.width);
    let none = vec2(0u);
    if (KIND == 3u) {
        let at = field.first + y * field.stride + 2u * q;
        let last = arrayLength(&src) - 1u;
        let a = src[min(at, last)];
        let b = src[min(at + 1u, last)];
        return array(
            select(none, a.xy, valid.x),
            select(none, a.zw, valid.y),
            select(none, b.xy, valid.z),
            select(none, b.zw, valid.w),
        );
    }
    // The table is one entry wider: its last four may lie behind the row.
    let v = select(vec4(0u), fixed(quad(field, min(q, (params.width - 1u) >> 2u), y), params.scale), valid);
    return array(vec2(v.x, 0u), vec2(v.y, 0u), vec2(v.z, 0u), vec2(v.w, 0u));
}

@compute @workgroup_size(WG)
fn rows(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    // Rows of a table are one more than values; the first is 0.
    let item = group.y * groups.x + group.x;
    let slot = min(item / (params.height + 1u), SLOTS - 1u);
    let row = item - slot * (params.height + 1u);
    let field = src_pictures[group.z * SLOTS + slot];
    let out = out_pictures[group.z * SLOTS + slot];
    let quads = (params.width >> 2u) + 1u;
    let stretch = (quads + WG - 1u) / WG;
    let first = min(local * stretch, quads);
    let end = select(first, min(first + stretch, quads), row <= params.height);
    var sum = vec2(0u);
    if (row > 0u) {
        for (var q = first; q < end; q++) {
            let v = values(field, q, row - 1u);
            sum = wide_add(sum, wide_add(wide_add(v[0], v[1]), wide_add(v[2], v[3])));
        }
    }
    stretches[local] = sum;
    workgroupBarrier();
    var before = vec2(0u);
    for (var i = 0u; i < local; i++) {
        before = wide_add(before, stretches[i]);
    }
    for (var q = first; q < end; q++) {
        let at = out.first + row * out.stride + 2u * q;
        if (row == 0u) {
            dst[at] = vec4(0u);
            dst[at + 1u] = vec4(0u);
        } else {
            let v = values(field, q, row - 1u);
            let b = wide_add(before, v[0]);
            let c = wide_add(b, v[1]);
            let d = wide_add(c, v[2]);
            dst[at] = vec4(before, b);
            dst[at + 1u] = vec4(c, d);
            before = wide_add(d, v[3]);
        }
    }
}

// Two columns of a block of rows.
struct Block {
    slot: u32,
    block: u32,
    column: u32,
    columns: u32,
    exists: bool,
}

fn block_of(item: u32) -> Block {
    let columns = (params.width + 2u) >> 1u;
    let all = item / columns;
    let slot = all / params.blocks;
    return Block(slot, all - slot * params.blocks, item - all * columns, columns, slot < SLOTS);
}

fn add_pairs(a: vec4<u32>, b: vec4<u32>) -> vec4<u32> {
    return vec4(wide_add(a.xy, b.xy), wide_add(a.zw, b.zw));
}

// Place of the sums of a block among all of the scratch.
fn place_of(z: u32, b: Block, block: u32) -> u32 {
    return ((z * SLOTS + b.slot) * params.blocks + block) * b.columns + b.column;
}

@compute @workgroup_size(WG)
fn column_sums(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let b = block_of(item_of(group, groups, local));
    if (!b.exists) {
        return;
    }
    let out = out_pictures[group.z * SLOTS + b.slot];
    var sum = vec4(0u);
    for (var k = 0u; k < ROWS; k++) {
        let y = b.block * ROWS + k;
        if (y > params.height) {
            break;
        }
        sum = add_pairs(sum, dst[out.first + y * out.stride + b.column]);
    }
    dst_blocks[place_of(group.z, b, b.block)] = sum;
}

@compute @workgroup_size(WG)
fn columns(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let b = block_of(item_of(group, groups, local));
    if (!b.exists) {
        return;
    }
    let out = out_pictures[group.z * SLOTS + b.slot];
    var sum = vec4(0u);
    for (var block = 0u; block < b.block; block++) {
        sum = add_pairs(sum, dst_blocks[place_of(group.z, b, block)]);
    }
    for (var k = 0u; k < ROWS; k++) {
        let y = b.block * ROWS + k;
        if (y > params.height) {
            break;
        }
        let at = out.first + y * out.stride + b.column;
        sum = add_pairs(sum, dst[at]);
        dst[at] = sum;
    }
}
