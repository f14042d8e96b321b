// Scalar fields in colour, alone or laid over pictures.
//
// In:   src          bytes, or f32 0..=1, one field per workgroup_id.z; f32 v takes colour int(255 v), clamped
//       src_colors   256 packed colours
//       src_under    `overlay`: packed RGBA pictures of the same sizes
// Out:  dst          packed RGBA; `overlay`: (alpha * colour + (255 - alpha) * under + 127) / 255 per channel, alpha 255
// Algorithm: 4 pixels x ROWS rows an invocation, colours from the table.
// Border: none; padding of dst holds anything.
// Exact: integers; 255 v is one f32 product, cut off. The division by 255 is exact: (t + 1 + (t >> 8)) >> 8 below 65 536.
// Loop bound: ROWS steps, at most 64.

#import common/field
#import common/grid
#import common/out_pictures
#import common/pictures

override WG: u32 = 8u;
override ROWS: u32 = 16u;

struct Params {
    alpha: u32,     // 0..=255: share of the colours in `overlay`
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(3) var<storage, read_write> dst: array<vec4<u32>>;
@group(0) @binding(6) var<storage, read> src_colors: array<u32>;
@group(0) @binding(7) var<storage, read> src_under: array<vec4<u32>>;
@group(0) @binding(8) var<storage, read> src_under_pictures: array<Picture>;

const LO: vec4<u32> = vec4<u32>(0x00ff00ffu);
const S8: vec4<u32> = vec4<u32>(8u);

fn colors(field: Picture, q: u32, y: u32) -> vec4<u32> {
    let v = quad(field, q, y);
    var i = v;
    if (KIND == 2u) {
        i = vec4<u32>(min(bitcast<vec4<f32>>(v), vec4(1.0)) * 255.0);
    }
    i = min(i, vec4(255u));
    return vec4(src_colors[i.x], src_colors[i.y], src_colors[i.z], src_colors[i.w]);
}

// Two channels of four pixels, in 16-bit lanes.
fn blend(color: vec4<u32>, under: vec4<u32>) -> vec4<u32> {
    let t = color * params.alpha + under * (255u - params.alpha) + vec4(0x007f007fu);
    return ((t + vec4(0x00010001u) + ((t >> S8) & LO)) >> S8) & LO;
}

struct Place {
    block: u32,
    q: u32,
}

fn place_of(item: u32, width: u32) -> Place {
    let columns = (width + 3u) >> 2u;
    let block = item / columns;
    return Place(block, item - block * columns);
}

@compute @workgroup_size(WG)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let field = src_pictures[group.z];
    let out = out_pictures[group.z];
    let place = place_of(item_of(group, groups, local), field.width);
    for (var k = 0u; k < ROWS; k++) {
        let y = place.block * ROWS + k;
        if (y >= field.height) {
            break;
        }
        dst[out.first + y * out.stride + place.q] = colors(field, place.q, y);
    }
}

@compute @workgroup_size(WG)
fn overlay(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let field = src_pictures[group.z];
    let out = out_pictures[group.z];
    let picture = src_under_pictures[group.z];
    let place = place_of(item_of(group, groups, local), field.width);
    for (var k = 0u; k < ROWS; k++) {
        let y = place.block * ROWS + k;
        if (y >= field.height) {
            break;
        }
        let color = colors(field, place.q, y);
        let under = src_under[picture.first + y * picture.stride + place.q];
        let red_blue = blend(color & LO, under & LO);
        let green = blend((color >> S8) & LO, (under >> S8) & LO);
        dst[out.first + y * out.stride + place.q] = red_blue | ((green & vec4(0xffu)) << S8) | vec4(0xff000000u);
    }
}
