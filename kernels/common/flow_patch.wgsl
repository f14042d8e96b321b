// A patch of 8x8 pixels in registers: samples, gradients, and its differences to a place in another frame. Needs common/levels.

fn low(v: vec4<u32>) -> vec4<f32> {
    return vec4<f32>(vec4<i32>(v & vec4(HALF)));
}

fn high(v: vec4<u32>) -> vec4<f32> {
    return vec4<f32>(vec4<i32>(v >> vec4(16u)));
}

fn total(v: vec4<f32>) -> i32 {
    let i = vec4<i32>(v);
    return i.x + i.y + i.z + i.w;
}

// A patch, row by row: 16 times the samples, gradients of the pixels in the low and the high lanes. Indices are constants.
var<private> samples: array<vec4<u32>, 8>;
var<private> gx_low: array<vec4<f32>, 8>;
var<private> gx_high: array<vec4<f32>, 8>;
var<private> gy_low: array<vec4<f32>, 8>;
var<private> gy_high: array<vec4<f32>, 8>;
// Three rows of it, with the pixels at both sides.
var<private> above_row: vec4<u32>;
var<private> this_row: vec4<u32>;

fn begin_patch(frame: u32, at: vec2<i32>) {
    above_row = nine(row_of(frame, at.y - 1), at.x).lanes;
    this_row = nine(row_of(frame, at.y), at.x).lanes;
}

fn read_row(frame: u32, at: vec2<i32>, k: u32) {
    let row = row_of(frame, at.y + i32(k));
    let before = src_pyramid[row + (at.x >> 2u) - 1] >> 24u;
    let after = src_pyramid[row + (at.x >> 2u) + 2] & 255u;
    let below = nine(row_of(frame, at.y + i32(k) + 1), at.x).lanes;
    let e = this_row.xy;
    let o = this_row.zw;
    let right = vec4(o, (e.x >> 16u) | (e.y << 16u), (e.y >> 16u) | (after << 16u));
    let left = vec4((o.x << 16u) | before, (o.y << 16u) | (o.x >> 16u), e);
    samples[k] = this_row << vec4(4u);
    gx_low[k] = low(right) - low(left);
    gx_high[k] = high(right) - high(left);
    gy_low[k] = low(below) - low(above_row);
    gy_high[k] = high(below) - high(above_row);
    above_row = this_row;
    this_row = below;
}

var<private> sum_gx: vec4<f32>;
var<private> sum_gy: vec4<f32>;
var<private> sum_xx: vec4<f32>;
var<private> sum_xy: vec4<f32>;
var<private> sum_yy: vec4<f32>;

fn add_gradients(k: u32) {
    sum_gx += gx_low[k] + gx_high[k];
    sum_gy += gy_low[k] + gy_high[k];
    sum_xx += gx_low[k] * gx_low[k] + gx_high[k] * gx_high[k];
    sum_xy += gx_low[k] * gy_low[k] + gx_high[k] * gy_high[k];
    sum_yy += gy_low[k] * gy_low[k] + gy_high[k] * gy_high[k];
}

// Differences to the patch at a place, and what the step needs of them.
var<private> mixed: vec4<u32>;
var<private> sum_d: vec4<f32>;
var<private> sum_bx: vec4<f32>;
var<private> sum_by: vec4<f32>;
var<private> squares: vec4<i32>;

fn compare_row(frame: u32, place: vec2<i32>, k: u32) {
    let next = mix_right(nine(row_of(frame, (place.y >> 4u) + i32(k) + 1), place.x >> 4u), u32(place.x & 15));
    let d = mix_down(mixed, next, u32(place.y & 15)) + vec4(0x10001000u) - samples[k];
    mixed = next;
    let d_low = low(d) - 4096.0;
    let d_high = high(d) - 4096.0;
    sum_d += d_low + d_high;
    sum_bx += gx_low[k] * d_low + gx_high[k] * d_high;
    sum_by += gy_low[k] * d_low + gy_high[k] * d_high;
    squares += vec4<i32>(d_low * d_low) + vec4<i32>(d_high * d_high);
}
