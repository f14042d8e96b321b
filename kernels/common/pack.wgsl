// Rectangles of pictures resampled, in colour and normalised: what the kernels that make tensors share. Four pixels an invocation.
//
// Bilinear at half-pixel centres inside the rectangle, luma and chroma each in its own plane at the siting of the stream; or (AREA)
// means over what a pixel covers. Then matrix * (y, u, v, 1), clamped to 0..1, times mul plus add. Pixels outside the content, and
// (PAD) those whose place lies outside the picture, are `pad * mul + add`. ONE: the first channel alone; GRAY: no chroma is read.

#import common/coverage
#import common/grid
#import common/half
#import common/pack_bilinear
#import common/pack_store
#import common/pictures
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
override AREA: bool = false;
override PAD: bool = false;
override ONE: bool = false;

struct Params {
    first: vec4<f32>,   // first channel of the tensor from y, u, v, 1 (RGBA: from r, g, b, 1)
    second: vec4<f32>,
    third: vec4<f32>,
    mul: vec4<f32>,     // per channel; w: pad
    add: vec4<f32>,     // per channel
    width: u32,         // of the tensor
    height: u32,
    columns: u32,       // invocations per row: ceil(width / 4)
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> src_words: array<u32>;
@group(0) @binding(3) var<storage, read_write> dst: array<u32>;
// Three vec4 a box: (picture, left, top, 0), left and top signed; (width, height) of crop and of content; (left, top of content, 0, 0).
@group(0) @binding(6) var<storage, read> src_boxes: array<vec4<u32>>;

fn channel(m: vec4<f32>, c: Codes) -> vec4<f32> {
    return clamp(m.x * c.p + m.y * c.q + m.z * c.s + m.w, vec4(0.0), vec4(1.0));
}

// The first `count` of pixels x of row y of the content over the crop, which lies inside the picture.
fn area(picture: Picture, crop: vec4<u32>, sizes: vec4<u32>, x: vec4<u32>, y: u32, count: u32) -> Codes {
    let bytes = select(1u, 2u, WIDE);
    let size = chroma_size(picture);
    let row = min(y, sizes.w - 1u);
    let sy = luma_span(row, sizes.w, crop.z, sizes.y, picture.height);
    let cy = chroma_span(row, sizes.w, crop.z, sizes.y, size.y, SY, COSITED_Y);
    let stride = 4u * picture.chroma_stride;
    var codes: Codes;
    for (var i = 0u; i < count; i++) {
        let column = min(x[i], sizes.z - 1u);
        let sx = luma_span(column, sizes.z, crop.y, sizes.x, picture.width);
        var one = mean_over(4u * picture.first, 4u * picture.stride, sx, sy, select(bytes, 4u, RGBA));
        if (!RGBA && !GRAY) {
            let cx = chroma_span(column, sizes.z, crop.y, sizes.x, size.x, SX, COSITED_X);
            let second = mean_over(4u * picture.second, stride, cx, cy, select(bytes, 2u * bytes, SEMI));
            one = vec3(one.x, second.xy);
            if (!SEMI) {
                one.z = mean_over(4u * picture.third, stride, cx, cy, bytes).x;
            }
        }
        let at = vec4(0u, 1u, 2u, 3u) == vec4(i);
        codes.p = select(codes.p, vec4(one.x), at);
        codes.q = select(codes.q, vec4(one.y), at);
        codes.s = select(codes.s, vec4(one.z), at);
    }
    return codes;
}

// Four normalised pixels of a row of the tensor.
struct Packed {
    channels: array<vec4<f32>, 3>,
    x: u32,
    y: u32,
    count: u32,         // of them inside the tensor; 0 behind its end
}

fn packed_at(item: u32, box: u32) -> Packed {
    var result: Packed;
    if (item >= params.columns * params.height) {
        return result;
    }
    result.y = item / params.columns;
    result.x = 4u * (item - result.y * params.columns);
    result.count = min(params.width - result.x, 4u);
    let crop = src_boxes[3u * box];
    let sizes = src_boxes[3u * box + 1u];
    let corner = src_boxes[3u * box + 2u];
    let picture = src_pictures[crop.x];
    // Left of and above the content the differences wrap round to large numbers.
    let x = vec4(result.x) + vec4(0u, 1u, 2u, 3u) - corner.x;
    let y = result.y - corner.y;
    var inside = (x < vec4(sizes.z)) & vec4(y < sizes.w);
    let px = place_of(x, sizes.z, sizes.x);
    let py = place_of(vec4(y), sizes.w, sizes.y);
    let start = bitcast<vec4<i32>>(crop);
    if (PAD) {
        let beside = outside_picture(px, start.y, picture.width) | outside_picture(py, start.z, picture.height);
        inside = inside & !beside;
    }
    result.channels = array(vec4(params.mul.w), vec4(params.mul.w), vec4(params.mul.w));
    if (any(inside)) {
        var codes: Codes;
        if (AREA) {
            codes = area(picture, crop, sizes, x, y, result.count);
        } else {
            codes = bilinear(picture, in_picture(px, start.y, picture.width), in_picture(py, start.z, picture.height));
        }
        result.channels[0] = select(result.channels[0], channel(params.first, codes), inside);
        result.channels[1] = select(result.channels[1], channel(params.second, codes), inside);
        result.channels[2] = select(result.channels[2], channel(params.third, codes), inside);
    }
    result.channels[0] = result.channels[0] * params.mul.x + params.add.x;
    result.channels[1] = result.channels[1] * params.mul.y + params.add.y;
    result.channels[2] = result.channels[2] * params.mul.z + params.add.z;
    return result;
}
