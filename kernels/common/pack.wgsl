// Rectangles of pictures resampled, in colour and normalised: what the kernels that make tensors share. An invocation makes STEPS groups of
// four pixels of a row: all of a row where invocations are few and masked lanes are paid for (software adapters), else one.
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
override STEPS: u32 = 1u;

struct Params {
    first: vec4<f32>,   // first channel of the tensor from y, u, v, 1 (RGBA: from r, g, b, 1)
    second: vec4<f32>,
    third: vec4<f32>,
    mul: vec4<f32>,     // per channel; w: pad
    add: vec4<f32>,     // per channel
    width: u32,         // of the tensor
    height: u32,
    columns: u32,       // groups of four pixels per row: ceil(width / 4)
    segments: u32,      // invocations per row: ceil(columns / STEPS)
    blocks: u32,        // workgroups of an element
    spread: u32,        // coprime to `blocks`; see segment_of
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> src_words: array<u32>;
@group(0) @binding(3) var<storage, read_write> dst: array<vec4<u32>>;
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

// Four pixels of a row of the tensor.
struct Packed {
    channels: array<vec4<f32>, 3>,
    x: u32,
    y: u32,
    count: u32,         // of them inside the tensor
}

// Groups first .. end-1 of row y; none behind the end of the tensor.
struct Segment {
    y: u32,
    first: u32,
    end: u32,
}

// Rows that are all content and rows that are all border go to workgroups that are run one after the other, so that threads which take
// a stretch of workgroups each have the same work.
fn segment_of(item: u32) -> Segment {
    var at = item;
    if (STEPS > 1u) {
        let block = item / WG;
        at = select(item, block * params.spread % params.blocks * WG + item % WG, block < params.blocks);
    }
    let y = at / params.segments;
    let first = (at - y * params.segments) * STEPS;
    return Segment(y, first, select(first, min(first + STEPS, params.columns), y < params.height));
}

// What the channels hold outside the content.
fn beside() -> array<vec4<f32>, 3> {
    return array(vec4(params.mul.w), vec4(params.mul.w), vec4(params.mul.w));
}

fn group_at(g: u32, y: u32, channels: array<vec4<f32>, 3>) -> Packed {
    return Packed(channels, 4u * g, y, min(params.width - 4u * g, 4u));
}

// Normalises and stores.
fn finish(p: Packed, box: u32) {
    var packed = p;
    packed.channels[0] = p.channels[0] * params.mul.x + params.add.x;
    packed.channels[1] = p.channels[1] * params.mul.y + params.add.y;
    packed.channels[2] = p.channels[2] * params.mul.z + params.add.z;
    put_packed(packed, box);
}

// The channels of `codes` where a pixel is inside, else what is beside.
fn colored(codes: Codes, inside: vec4<bool>) -> array<vec4<f32>, 3> {
    let grey = vec4(params.mul.w);
    return array(
        select(grey, channel(params.first, codes), inside),
        select(grey, channel(params.second, codes), inside),
        select(grey, channel(params.third, codes), inside),
    );
}

// Where an element lies in a picture, and one of its rows.
struct Crop {
    picture: Picture,
    crop: vec4<u32>,
    sizes: vec4<u32>,
    corner: vec4<u32>,
    y: u32,             // of the content; above it a large number
    py: Place,
    row: Row,
}

// Group g of a row, which may lie beside the content.
fn pack_group(c: Crop, g: u32, within: bool) -> array<vec4<f32>, 3> {
    let start = bitcast<vec4<i32>>(c.crop);
    // Left of the content the differences wrap round to large numbers.
    let x = vec4(4u * g) + vec4(0u, 1u, 2u, 3u) - c.corner.x;
    let px = place_of(x, c.sizes.z, c.sizes.x);
    var inside = (x < vec4(c.sizes.z)) & vec4(within);
    if (PAD) {
        let out = outside_picture(px, start.y, c.picture.width) | outside_picture(c.py, start.z, c.picture.height);
        inside = inside & !out;
    }
    if (!any(inside)) {
        return beside();
    }
    if (AREA) {
        return colored(area(c.picture, c.crop, c.sizes, x, c.y, min(params.width - 4u * g, 4u)), inside);
    }
    return colored(bilinear(c.row, c.picture, in_picture(px, start.y, c.picture.width)), inside);
}

// A segment of the element `box`.
fn pack_segment(item: u32, box: u32) {
    let segment = segment_of(item);
    var c: Crop;
    c.crop = src_boxes[3u * box];
    c.sizes = src_boxes[3u * box + 1u];
    c.corner = src_boxes[3u * box + 2u];
    c.picture = src_pictures[c.crop.x];
    c.y = segment.y - c.corner.y;
    c.py = place_of(vec4(c.y), c.sizes.w, c.sizes.y);
    c.row = row_of(c.picture, in_picture(c.py, bitcast<i32>(c.crop.z), c.picture.height));
    let within = c.y < c.sizes.w;
    if (STEPS == 1u) {
        if (segment.first < segment.end) {
            finish(group_at(segment.first, segment.y, pack_group(c, segment.first, within)), box);
        }
        return;
    }
    // Groups that touch the content.
    let begin = clamp(select(segment.end, c.corner.x >> 2u, within), segment.first, segment.end);
    let stop = clamp(select(segment.end, (c.corner.x + c.sizes.z + 3u) >> 2u, within), begin, segment.end);
    for (var g = segment.first; g < begin; g++) {
        finish(group_at(g, segment.y, beside()), box);
    }
    for (var g = begin; g < stop; g++) {
        finish(group_at(g, segment.y, pack_group(c, g, true)), box);
    }
    for (var g = stop; g < segment.end; g++) {
        finish(group_at(g, segment.y, beside()), box);
    }
}
