// Four neighbouring values of a scalar field: bytes of the first plane of a picture, or numbers of a map. Needs common/pictures.
//
// KIND: 0 bytes, 1 u32, 2 f32 (its bits).

override KIND: u32 = 1u;

@group(0) @binding(1) var<storage, read> src: array<vec4<u32>>;
@group(0) @binding(2) var<storage, read> src_words: array<u32>;

// Bits of the smallest f32 that counts, 2^-96, and of infinity: what is smaller, negative or not finite counts as 0.
const SMALLEST: u32 = 0x0f800000u;
const INFINITE: u32 = 0x7f800000u;

// Values 4q .. 4q+3 of row y; those behind the width are padding: mask them.
fn quad(field: Picture, q: u32, y: u32) -> vec4<u32> {
    let row = field.first + y * field.stride;
    if (KIND == 0u) {
        return (vec4(src_words[row * 4u + q]) >> vec4(0u, 8u, 16u, 24u)) & vec4(0xffu);
    }
    let v = src[row + q];
    if (KIND == 2u) {
        return select(v, vec4(0u), (v < vec4(SMALLEST)) | (v >= vec4(INFINITE)));
    }
    return v;
}

// Which of the four lie in columns first .. end-1.
fn inside(q: u32, first: u32, end: u32) -> vec4<bool> {
    let x = vec4(4u * q) + vec4(0u, 1u, 2u, 3u);
    return (x >= vec4(first)) & (x < vec4(end));
}

// Values as integers: f32 in units of 1 / scale, cut off, at most 2^32 - 256. `scale` is a power of two: the product is exact.
fn fixed(v: vec4<u32>, scale: f32) -> vec4<u32> {
    if (KIND == 2u) {
        return vec4<u32>(min(bitcast<vec4<f32>>(v) * scale, vec4(4294967040.0)));
    }
    return v;
}
