// Multiplies maps by a factor, in place.
//
// In:   dst          f32 per pixel, one map per workgroup_id.z
// Out:  dst          each value times the factor; results whose magnitude is below 2^-120 become 0
// Algorithm: 4 values x ROWS rows an invocation.
// Border: none; padding is multiplied too.
// Exact: one multiplication; the cut at 2^-120 keeps results away from subnormal numbers, which adapters may flush.
// Loop bound: ROWS steps, at most 64.

#import common/grid
#import common/out_pictures

override WG: u32 = 8u;
override ROWS: u32 = 16u;

struct Params {
    factor: f32,    // 0..=1
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(3) var<storage, read_write> dst: array<vec4<f32>>;

@compute @workgroup_size(WG)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let item = item_of(group, groups, local);
    let map = out_pictures[group.z];
    let columns = (map.width + 3u) >> 2u;
    let block = item / columns;
    let q = item - block * columns;
    for (var k = 0u; k < ROWS; k++) {
        let y = block * ROWS + k;
        if (y >= map.height) {
            break;
        }
        let at = map.first + y * map.stride + q;
        let v = dst[at] * params.factor;
        dst[at] = select(v, vec4(0.0), abs(v) < vec4(0x1p-120f));
    }
}
