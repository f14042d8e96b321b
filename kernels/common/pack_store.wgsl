// How four pixels of common/pack are stored in a tensor. Needs common/half.

// The first `count` values at number `at` of the tensor; f16 two a word, `at` and `count` even.
fn put(at: u32, value: vec4<f32>, count: u32) {
    if (HALF) {
        let half = half_of(value);
        dst[at >> 1u] = half.x | (half.y << 16u);
        if (count > 2u) {
            dst[(at >> 1u) + 1u] = half.z | (half.w << 16u);
        }
        return;
    }
    let bits = bitcast<vec4<u32>>(value);
    dst[at] = bits.x;
    if (count > 1u) {
        dst[at + 1u] = bits.y;
    }
    if (count > 2u) {
        dst[at + 2u] = bits.z;
    }
    if (count > 3u) {
        dst[at + 3u] = bits.w;
    }
}

// The only channel (ONE): both layouts are the same.
fn put_one(packed: Packed, box: u32) {
    put((box * params.height + packed.y) * params.width + packed.x, packed.channels[0], packed.count);
}

// One plane a channel.
fn put_nchw(packed: Packed, box: u32) {
    if (ONE) {
        put_one(packed, box);
        return;
    }
    let plane = params.width * params.height;
    let at = box * 3u * plane + packed.y * params.width + packed.x;
    put(at, packed.channels[0], packed.count);
    put(at + plane, packed.channels[1], packed.count);
    put(at + 2u * plane, packed.channels[2], packed.count);
}

// The channels of a pixel together.
fn put_nhwc(packed: Packed, box: u32) {
    if (ONE) {
        put_one(packed, box);
        return;
    }
    let at = ((box * params.height + packed.y) * params.width + packed.x) * 3u;
    let values = 3u * packed.count;
    let a = packed.channels[0];
    let b = packed.channels[1];
    let c = packed.channels[2];
    put(at, vec4(a.x, b.x, c.x, a.y), values);
    if (packed.count > 1u) {
        put(at + 4u, vec4(b.y, c.y, a.z, b.z), values - 4u);
    }
    if (packed.count > 2u) {
        put(at + 8u, vec4(c.z, a.w, b.w, c.w), values - 8u);
    }
}
