// Foreground elements pasted on pictures, in place.
//
// In:   src_words    elements, packed RGBA with straight alpha, their places in src_pictures; src_pastes: per picture element, place,
//                    size and opacity, and the part of it that lies inside the picture
// Out:  dst_words    the pictures themselves, packed RGBA, one per workgroup_id.z; sizes may differ; alpha is kept
//       dst_covered  pixels with alpha and opacity above 0 per picture, zero before
// Algorithm: two taps per axis at half-pixel centres, colours weighted by alpha, then a true alpha blend:
//       reference/occlusion/paste_object.rs. One pixel an invocation and row, only where the element lies.
// Border: replicate at the borders of the element.
// Exact: integers; the largest sum is 255.5 * 255 * 65536 + 65408, below 2^32.
// Loop bound: ROWS * 4, at most 32.

#import common/covered
#import common/divide
#import common/grid
#import common/out_pictures
#import common/pictures

override WG: u32 = 8u;
override ROWS: u32 = 4u;

struct Paste {
    x: u32,         // part of the picture that is written
    y: u32,
    width: u32,
    height: u32,
    object: u32,    // slot of the element
    skip_x: u32,    // first column and row of the scaled element that lie inside
    skip_y: u32,
    to_width: u32,  // size of the scaled element
    to_height: u32,
    opacity: u32,   // in 256ths
}

@group(0) @binding(2) var<storage, read> src_words: array<u32>;
@group(0) @binding(3) var<storage, read_write> dst_words: array<u32>;
@group(0) @binding(6) var<storage, read> src_pastes: array<Paste>;

// 255 * 65536: alpha and opacity both full.
const FULL: u32 = 16711680u;

struct Taps {
    first: u32,
    second: u32,
    weight: u32,    // of the second, in 256ths
}

fn taps_of(i: u32, size: u32, to: u32) -> Taps {
    let place = max((2u * i + 1u) * size, to) - to;
    let first = place / (2u * to);
    let weight = (256u * (place - first * 2u * to) + to) / (2u * to);
    return Taps(min(first, size - 1u), min(first + 1u, size - 1u), weight);
}

@compute @workgroup_size(WG)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
    @builtin(subgroup_invocation_id) lane: u32,
) {
    let item = item_of(group, groups, local);
    let picture = out_pictures[group.z];
    let paste = src_pastes[group.z];
    var count = 0u;
    if (item < paste.width * ((paste.height + ROWS - 1u) / ROWS)) {
        let object = src_pictures[paste.object];
        let block = item / paste.width;
        let x = item - block * paste.width;
        let column = taps_of(x + paste.skip_x, object.width, paste.to_width);
        for (var k = 0u; k < ROWS; k++) {
            let y = block * ROWS + k;
            if (y >= paste.height) {
                break;
            }
            let row = taps_of(y + paste.skip_y, object.height, paste.to_height);
            let top = (object.first + row.first * object.stride) * 4u;
            let bottom = (object.first + row.second * object.stride) * 4u;
            let texels = vec4(
                src_words[top + column.first],
                src_words[top + column.second],
                src_words[bottom + column.first],
                src_words[bottom + column.second],
            );
            let across = vec2(256u - column.weight, column.weight);
            let w = vec4(across * (256u - row.weight), across * row.weight) * (texels >> vec4(24u));
            let alpha = (w.x + w.y + w.z + w.w + 128u) >> 8u;
            let share = alpha * paste.opacity;
            let at = (picture.first + (paste.y + y) * picture.stride) * 4u + paste.x + x;
            let old = dst_words[at];
            var fresh = old & 0xff000000u;
            for (var c = 0u; c < 3u; c++) {
                let t = w * ((texels >> vec4(8u * c)) & vec4(0xffu));
                let colour = (t.x + t.y + t.z + t.w + 32768u) >> 16u;
                let p = (old >> (8u * c)) & 0xffu;
                let blended = p * (FULL - share) + colour * 256u * paste.opacity + FULL / 2u;
                fresh |= by255(vec4(blended >> 16u)).x << (8u * c);
            }
            if (share > 0u) {
                dst_words[at] = fresh;
                count += 1u;
            }
        }
    }
    add_covered(group.z, count, lane);
}
