// A tile of 4x4 pixels in registers, mixing the vectors of its patches. Needs common/levels and common/flow_patch; the kernel declares
// `src_patches: array<vec2<u32>>` and `dst_flow: array<vec4<u32>>`.

// A tile of 4x4 pixels: 16 times the samples (pixels 0 2, 1 3), weighted vectors and weights of the rows, pixels in the order 0 1 2 3.
var<private> tile: array<vec2<u32>, 4>;
var<private> flow_x: array<vec4<i32>, 4>;
var<private> flow_y: array<vec4<i32>, 4>;
var<private> weights: array<vec4<i32>, 4>;

fn blend_row(frame: u32, place: vec2<i32>, v: vec2<i32>, k: u32) {
    let next = mix_right(nine(row_of(frame, (place.y >> 4u) + i32(k) + 1), place.x >> 4u), u32(place.x & 15));
    let d = mix_down(mixed, next, u32(place.y & 15)).xz + vec2(0x10001000u) - tile[k];
    mixed = next;
    let difference = abs(vec4<i32>(vec4(d & vec2(HALF), d >> vec2(16u)).xyzw) - 4096) >> vec4(4u);
    // 256 >> floor(log2(1 + difference)), from the exponent of the float.
    let exponent = (bitcast<vec4<u32>>(vec4<f32>(difference + 1)) >> vec4(23u)) - 127u;
    let weight = vec4(256) >> exponent;
    weights[k] += weight;
    flow_x[k] += weight * v.x;
    flow_y[k] += weight * v.y;
}

fn blend(frame: u32, at: vec2<i32>, patch_at: u32) {
    let v = vector_of(src_patches[patch_at].x);
    let place = place_of_patch(at, v);
    mixed = mix_right(nine(row_of(frame, place.y >> 4u), place.x >> 4u), u32(place.x & 15));
    blend_row(frame, place, v, 0u);
    blend_row(frame, place, v, 1u);
    blend_row(frame, place, v, 2u);
    blend_row(frame, place, v, 3u);
}

fn read_tile_row(frame: u32, at: vec2<i32>, k: u32) {
    let word = src_pyramid[row_of(frame, at.y + i32(k)) + (at.x >> 2u)];
    tile[k] = vec2(word & LO, (word >> 8u) & LO) << vec2(4u);
}

fn write_row(at: u32, y: u32, k: u32) {
    if (y + k < params.height) {
        // Lanes hold pixels 0 1 2 3 as low and high halves: x = 0, y = 1, z = 2, w = 3.
        let w = weights[k];
        let fx = flow_x[k];
        let fy = flow_y[k];
        dst_flow[at + k * (params.patches_x - 1u)] = vec4(
            word_of(vec2(mean_of(fx.x, w.x), mean_of(fy.x, w.x))),
            word_of(vec2(mean_of(fx.y, w.y), mean_of(fy.y, w.y))),
            word_of(vec2(mean_of(fx.z, w.z), mean_of(fy.z, w.z))),
            word_of(vec2(mean_of(fx.w, w.w), mean_of(fy.w, w.w))),
        );
    }
}
