// Pictures turned, scaled, sheared and moved into the input tensor of a model: faces with their eyes level, for the next network.
//
// In:   src_words    pictures of any format, 8 or 10 bits; src_pictures says where they lie, sizes may differ
//       src_boxes    for each element of the tensor (workgroup_id.z) three vec4: (picture, 0, 0, 0) and, signed and in parts of 1/32768
//                    of a pixel, (per column, per row, start, 0) of the place along x, and the same along y
// Out:  dst          [boxes, 3, height, width] or [boxes, height, width, 3] (LAST) f32, or f16 two a word (HALF, even width); ONE: 1 instead of 3
// Algorithm: place = per column * x + per row * y + start, exact in integers; bilinear without low-pass there, luma and chroma each in
//            its own plane at the siting of the stream; then matrix, clamp, normalisation as common/pack.
// Border: places outside the picture are clamped to it; or (PAD) they are `pad * mul + add`.
// Exact: places are integers below 2^30 in magnitude, which the plan checks (terms may wrap round, sums do not). f32 for the rest: about
//       ten roundings, four in the matrix whose terms stay below 4: below 4e-6 in units of rgb 0..1 (times mul), declared 1e-5. f16: to
//       nearest, halves to even, in integers.
// Loop bound: none.

#import common/pack
#import common/pack_each

override LAST: bool = false;

const PARTS: u32 = 32768u;

// The places of four pixels x of row y; what is negative has a negative whole part.
fn place_on(steps: vec4<u32>, x: vec4<u32>, y: u32) -> Place {
    let place = steps.x * x + (steps.y * y + steps.z);
    let whole = bitcast<vec4<i32>>(place) >> vec4(15u);
    return Place(bitcast<vec4<u32>>(whole), place & vec4(PARTS - 1u), PARTS);
}

fn warped_at(item: u32, box: u32) -> Packed {
    var result: Packed;
    if (item >= params.columns * params.height) {
        return result;
    }
    result.y = item / params.columns;
    result.x = 4u * (item - result.y * params.columns);
    result.count = min(params.width - result.x, 4u);
    let picture = src_pictures[src_boxes[3u * box].x];
    // Pixels behind the end of a row are not stored: those of the last one do for them.
    let x = min(vec4(result.x) + vec4(0u, 1u, 2u, 3u), vec4(params.width - 1u));
    let px = place_on(src_boxes[3u * box + 1u], x, result.y);
    let py = place_on(src_boxes[3u * box + 2u], x, result.y);
    var inside = vec4(true);
    if (PAD) {
        inside = !(outside_picture(px, 0, picture.width) | outside_picture(py, 0, picture.height));
    }
    let grey = vec4(params.mul.w);
    result.channels = array(grey, grey, grey);
    if (any(inside)) {
        let codes = bilinear_each(picture, in_picture(px, 0, picture.width), in_picture(py, 0, picture.height));
        result.channels[0] = select(grey, channel(params.first, codes), inside);
        result.channels[1] = select(grey, channel(params.second, codes), inside);
        result.channels[2] = select(grey, channel(params.third, codes), inside);
    }
    result.channels[0] = result.channels[0] * params.mul.x + params.add.x;
    result.channels[1] = result.channels[1] * params.mul.y + params.add.y;
    result.channels[2] = result.channels[2] * params.mul.z + params.add.z;
    return result;
}

@compute @workgroup_size(WG)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let packed = warped_at(item_of(group, groups, local), group.z);
    if (packed.count == 0u) {
        return;
    }
    if (LAST) {
        put_nhwc(packed, group.z);
    } else {
        put_nchw(packed, group.z);
    }
}
