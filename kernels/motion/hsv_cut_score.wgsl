// Sums of absolute HSV differences to the frame before, for a batch of frames.
//
// In:   src          frames of any format and one size; frame workgroup_id.z + 1 of the table is compared with the one before
// Out:  dst_sums     8 words a frame, zero before: sum of |H - H'|, of the short way round the circle, of |S - S'|, of |V - V'|
//                    (two words each, low first)
// Algorithm: YUV turns to RGB (common/rgb16) and RGB to 8-bit HSV (common/hsv) in registers, 16 pixels x ROWS rows an invocation.
// Border: none; padding behind the last pixel is masked.
// Exact: f32 that hold integers below 2^24: a component collects at most 4 * 255 * ROWS = 32640.
// Loop bound: ROWS steps, at most 32.

#import common/grid
#import common/hsv
#import common/rgb16
#import common/sum64

override WG: u32 = 8u;
override ROWS: u32 = 20u;
override TAIL: bool = true;

struct Params {
    offset: vec4<i32>,  // see common/rgb16
    chroma: vec4<i32>,
}

struct Sums {
    hue: vec4<f32>,
    circular: vec4<f32>,
    saturation: vec4<f32>,
    value: vec4<f32>,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(3) var<storage, read_write> dst_sums: array<atomic<u32>>;

// Adds the differences of pixels x .. x+3.
fn add4(sums: ptr<function, Sums>, now: vec4<u32>, before: vec4<u32>, x: u32, width: u32) {
    var inside = vec4(1.0);
    if (TAIL) {
        inside = vec4<f32>(vec4(x) + vec4(0u, 1u, 2u, 3u) < vec4(width));
    }
    let a = hsv_of(now);
    let b = hsv_of(before);
    let hue = abs(a.h - b.h) * inside;
    (*sums).hue += hue;
    (*sums).circular += min(hue, 180.0 - hue);
    (*sums).saturation += abs(a.s - b.s) * inside;
    (*sums).value += abs(a.v - b.v) * inside;
}

fn total(v: vec4<f32>) -> u32 {
    return u32(v.x + v.y + v.z + v.w);
}

@compute @workgroup_size(WG)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
    @builtin(subgroup_invocation_id) lane: u32,
) {
    let item = item_of(group, groups, local);
    let before = src_pictures[group.z];
    let now = src_pictures[group.z + 1u];
    let columns = (now.width + 15u) >> 4u;
    var sums = Sums(vec4(0.0), vec4(0.0), vec4(0.0), vec4(0.0));
    if (item < columns * ((now.height + ROWS - 1u) / ROWS)) {
        let block = item / columns;
        let v = item - block * columns;
        for (var k = 0u; k < ROWS; k++) {
            let y = block * ROWS + k;
            if (y >= now.height) {
                break;
            }
            let p = colors16(now, v, y);
            let q = colors16(before, v, y);
            let x = v * 16u;
            add4(&sums, p.a, q.a, x, now.width);
            add4(&sums, p.b, q.b, x + 4u, now.width);
            add4(&sums, p.c, q.c, x + 8u, now.width);
            add4(&sums, p.d, q.d, x + 12u, now.width);
        }
    }
    let at = group.z * 8u;
    sum64(at, total(sums.hue), lane);
    sum64(at + 2u, total(sums.circular), lane);
    sum64(at + 4u, total(sums.saturation), lane);
    sum64(at + 6u, total(sums.value), lane);
}
