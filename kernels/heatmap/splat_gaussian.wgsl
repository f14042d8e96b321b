// Adds weighted Gaussians to maps: the places of boxes, as of faces.
//
// In:   src_boxes    centre, deviation, weight, reach; all boxes of all maps
//       src_spans    which boxes belong to a map (workgroup_id.z)
// Out:  dst          f32 per pixel, added to: weight * exp(-(dx^2 + dy^2) / (2 s^2)) for each box
//       dst_axes     scratch: per box the factors of four columns each, then weight times those of four rows each
// Algorithm: the Gaussian is separable. `axes` computes a factor per box and column and per box and row; `main` adds outer products,
//       4x4 pixels an invocation, box after box.
// Border: none; padding of dst holds anything.
// Exact: not; exp of WGSL is (3 + 2|x|) ulp off at most. The order of summation is that of the boxes: the same bits every time.
// Loop bound: one step per box of a map, at most 16,384 (checked in bind).

#import common/grid
#import common/out_pictures

override WG: u32 = 8u;

struct Box {
    x: i32,
    y: i32,
    deviation: f32,
    weight: f32,
    reach: i32,     // pixels along an axis: further off it adds nothing
}

@group(0) @binding(3) var<storage, read_write> dst: array<vec4<f32>>;
@group(0) @binding(6) var<storage, read> src_boxes: array<Box>;
@group(0) @binding(7) var<storage, read> src_spans: array<vec2<u32>>;   // first box, number of boxes
@group(0) @binding(8) var<storage, read_write> dst_axes: array<vec4<f32>>;

// Factors of places 4i .. 4i+3 along one axis.
fn factors(i: u32, centre: i32, box: Box) -> vec4<f32> {
    let pixels = vec4(i32(4u * i)) + vec4(0, 1, 2, 3) - centre;
    let d = vec4<f32>(pixels) / box.deviation;
    return select(exp(d * d * -0.5), vec4(0.0), abs(pixels) > vec4(box.reach));
}

@compute @workgroup_size(WG)
fn axes(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let item = item_of(group, groups, local);
    let map = out_pictures[group.z];
    let span = src_spans[group.z];
    let columns = (map.width + 3u) >> 2u;
    let quads = columns + ((map.height + 3u) >> 2u);
    let index = item / quads;
    if (index >= span.y) {
        return;
    }
    let i = item - index * quads;
    let box = src_boxes[span.x + index];
    let at = span.x * quads + item;
    if (i < columns) {
        dst_axes[at] = factors(i, box.x, box);
    } else {
        dst_axes[at] = factors(i - columns, box.y, box) * box.weight;
    }
}

@compute @workgroup_size(WG)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let item = item_of(group, groups, local);
    let map = out_pictures[group.z];
    let span = src_spans[group.z];
    let columns = (map.width + 3u) >> 2u;
    let quads = columns + ((map.height + 3u) >> 2u);
    let row = item / columns;
    let y = row * 4u;
    if (y >= map.height) {
        return;
    }
    let q = item - row * columns;
    var a = vec4(0.0);
    var b = vec4(0.0);
    var c = vec4(0.0);
    var d = vec4(0.0);
    var at = span.x * quads;
    for (var k = 0u; k < span.y; k++) {
        let across = dst_axes[at + q];
        let down = dst_axes[at + columns + row];
        a += across * down.x;
        b += across * down.y;
        c += across * down.z;
        d += across * down.w;
        at += quads;
    }
    let to = map.first + y * map.stride + q;
    dst[to] += a;
    if (y + 1u < map.height) {
        dst[to + map.stride] += b;
    }
    if (y + 2u < map.height) {
        dst[to + 2u * map.stride] += c;
    }
    if (y + 3u < map.height) {
        dst[to + 3u * map.stride] += d;
    }
}
