// Rectangles of frames to the input tensor of a model: resample, colour, normalise, one plane per channel.
//
// In:   src_words    frames of any format, 8 or 10 bits
//       src_boxes    three vec4 a box (workgroup_id.z): (slot, x, y, 0), (width, height) of crop and of content, (left, top, 0, 0)
// Out:  dst          [boxes, 3, height, width] f32, or f16 two a word (HALF, even width)
// Algorithm: bilinear at half-pixel centres inside the crop, luma and chroma each in its own plane at the siting of the stream, then
//       matrix * (y, u, v, 1), clamped to 0..1, times mul plus add. Four pixels an invocation. No low-pass.
// Border: places are clamped to the crop, chroma taps to the plane; outside the content `pad * mul + add`.
// Exact: places are split in integers. f32 for the rest: three roundings per axis and component, four in the matrix whose terms stay
//       below 4, quotients within 2.5 ulp: below 4e-6 in units of rgb 0..1 (times mul), declared 1e-5.
// Loop bound: none.

#import common/grid
#import common/places

override WG: u32 = 8u;
override WIDE: bool = false;
override SHIFT: u32 = 0u;
override GRAY: bool = false;
override RGBA: bool = false;
override SEMI: bool = false;
override SX: u32 = 0u;
override SY: u32 = 0u;
override COSITED_X: bool = true;
override COSITED_Y: bool = false;
override HALF: bool = false;

struct Params {
    first: vec4<f32>,   // first channel of the tensor from y, u, v, 1 (RGBA: from r, g, b, 1)
    second: vec4<f32>,
    third: vec4<f32>,
    mul: vec4<f32>,     // per channel; w: pad
    add: vec4<f32>,     // per channel
    base: u32,          // first word of luma of frame 0
    stride: u32,        // words per row
    u_base: u32,        // first word of U, or of U V
    v_base: u32,        // first word of V
    c_stride: u32,      // words per chroma row
    slot: u32,          // words per frame
    src_width: u32,     // pixels of a frame
    src_height: u32,
    c_width: u32,       // chroma samples
    c_height: u32,
    width: u32,         // of the tensor
    height: u32,
    columns: u32,       // invocations per row: ceil(width / 4)
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> src_words: array<u32>;
@group(0) @binding(2) var<storage, read> src_boxes: array<vec4<u32>>;
@group(0) @binding(3) var<storage, read_write> dst: array<u32>;

// Words with sample x of a row in their lowest bits, at full depth; interleaved ones behind it.
fn word(row: u32, x: u32) -> u32 {
    if (WIDE) {
        return src_words[row + (x >> 1u)] >> ((x & 1u) * 16u + SHIFT);
    }
    return src_words[row + (x >> 2u)] >> ((x & 3u) * 8u);
}

fn words(row: u32, x: vec4<u32>) -> vec4<u32> {
    return vec4(word(row, x.x), word(row, x.y), word(row, x.z), word(row, x.w));
}

// The four samples around each place, with those interleaved.
struct Corners {
    top_left: vec4<u32>,
    top_right: vec4<u32>,
    bottom_left: vec4<u32>,
    bottom_right: vec4<u32>,
}

// rows: starts of the two rows. step: interleaved samples.
fn corners_of(rows: vec2<u32>, x: Taps, step: u32) -> Corners {
    let left = x.left * step;
    let right = x.right * step;
    return Corners(words(rows.x, left), words(rows.x, right), words(rows.y, left), words(rows.y, right));
}

// Sample number `index` of the interleaved ones as a float.
fn code(w: vec4<u32>, index: u32) -> vec4<f32> {
    let shift = vec4(index * select(8u, 16u, WIDE));
    return vec4<f32>(vec4<i32>((w >> shift) & vec4(select(0xffu, 0x3ffu, WIDE))));
}

fn interpolated(c: Corners, x: Taps, fy: f32, index: u32) -> vec4<f32> {
    let top = mix_at(code(c.top_left, index), code(c.top_right, index), x.weight);
    let bottom = mix_at(code(c.bottom_left, index), code(c.bottom_right, index), x.weight);
    return mix_at(top, bottom, vec4(fy));
}

// a where the weight is 0, else in between; the difference of two codes is exact.
fn mix_at(a: vec4<f32>, b: vec4<f32>, weight: vec4<f32>) -> vec4<f32> {
    return a + (b - a) * weight;
}

fn channel(m: vec4<f32>, p: vec4<f32>, q: vec4<f32>, s: vec4<f32>) -> vec4<f32> {
    return clamp(m.x * p + m.y * q + m.z * s + m.w, vec4(0.0), vec4(1.0));
}

fn store(at: u32, value: vec4<f32>, count: u32) {
    if (HALF) {
        dst[at >> 1u] = pack2x16float(value.xy);
        if (count > 2u) {
            dst[(at >> 1u) + 1u] = pack2x16float(value.zw);
        }
        return;
    }
    let words = bitcast<vec4<u32>>(value);
    dst[at] = words.x;
    if (count > 1u) {
        dst[at + 1u] = words.y;
    }
    if (count > 2u) {
        dst[at + 2u] = words.z;
    }
    if (count > 3u) {
        dst[at + 3u] = words.w;
    }
}

@compute @workgroup_size(WG)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let item = item_of(group, groups, local);
    if (item >= params.columns * params.height) {
        return;
    }
    let oy = item / params.columns;
    let ox = 4u * (item - oy * params.columns);
    let crop = src_boxes[3u * group.z];
    let sizes = src_boxes[3u * group.z + 1u];
    let corner = src_boxes[3u * group.z + 2u];
    // Left of and above the content the differences wrap round to large numbers.
    let cx = vec4(ox) + vec4(0u, 1u, 2u, 3u) - corner.x;
    let cy = oy - corner.y;
    let inside = (cx < vec4(sizes.z)) & vec4(cy < sizes.w);
    var r = vec4(params.mul.w);
    var g = r;
    var b = r;
    if (any(inside)) {
        let px = place_of(cx, sizes.z, crop.y, sizes.x);
        let py = place_of(vec4(cy), sizes.w, crop.z, sizes.y);
        let x = taps_of(px, params.src_width);
        let y = taps_of(py, params.src_height);
        let start = crop.x * params.slot;
        let rows = vec2(params.base + start) + vec2(y.left.x, y.right.x) * params.stride;
        var p: vec4<f32>;
        var q = vec4(0.0);
        var s = vec4(0.0);
        let main_corners = corners_of(rows, x, select(1u, 4u, RGBA));
        p = interpolated(main_corners, x, y.weight.x, 0u);
        if (RGBA) {
            q = interpolated(main_corners, x, y.weight.x, 1u);
            s = interpolated(main_corners, x, y.weight.x, 2u);
        } else if (!GRAY) {
            let cx_taps = chroma_taps_of(px, SX, COSITED_X, params.c_width);
            let cy_taps = chroma_taps_of(py, SY, COSITED_Y, params.c_height);
            let c_rows = vec2(start) + vec2(cy_taps.left.x, cy_taps.right.x) * params.c_stride;
            let u = corners_of(c_rows + params.u_base, cx_taps, select(1u, 2u, SEMI));
            q = interpolated(u, cx_taps, cy_taps.weight.x, 0u);
            if (SEMI) {
                s = interpolated(u, cx_taps, cy_taps.weight.x, 1u);
            } else {
                s = interpolated(corners_of(c_rows + params.v_base, cx_taps, 1u), cx_taps, cy_taps.weight.x, 0u);
            }
        }
        r = select(r, channel(params.first, p, q, s), inside);
        g = select(g, channel(params.second, p, q, s), inside);
        b = select(b, channel(params.third, p, q, s), inside);
    }
    let count = params.width - ox;
    let plane = params.width * params.height;
    let at = group.z * 3u * plane + oy * params.width + ox;
    store(at, r * params.mul.x + params.add.x, count);
    store(at + plane, g * params.mul.y + params.add.y, count);
    store(at + 2u * plane, b * params.mul.z + params.add.z, count);
}
