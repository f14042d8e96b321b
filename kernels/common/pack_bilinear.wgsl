// Four bilinear samples of a picture of any format at once. Needs common/pack and common/places.

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

fn interpolated(c: Corners, x: Taps, fy: vec4<f32>, index: u32) -> vec4<f32> {
    let top = mix_at(code(c.top_left, index), code(c.top_right, index), x.weight);
    let bottom = mix_at(code(c.bottom_left, index), code(c.bottom_right, index), x.weight);
    return mix_at(top, bottom, fy);
}

// a where the weight is 0, else in between; the difference of two codes is exact.
fn mix_at(a: vec4<f32>, b: vec4<f32>, weight: vec4<f32>) -> vec4<f32> {
    return a + (b - a) * weight;
}

// Y, U, V (or R, G, B) of four pixels.
struct Codes {
    p: vec4<f32>,
    q: vec4<f32>,
    s: vec4<f32>,
}

fn chroma_size(picture: Picture) -> vec2<u32> {
    return vec2((picture.width + (1u << SX) - 1u) >> SX, (picture.height + (1u << SY) - 1u) >> SY);
}

fn bilinear(picture: Picture, px: Place, py: Place) -> Codes {
    let x = taps_of(px, picture.width);
    let y = taps_of(py, picture.height);
    let rows = vec2(4u * picture.first) + vec2(y.left.x, y.right.x) * (4u * picture.stride);
    let corners = corners_of(rows, x, select(1u, 4u, RGBA));
    var codes: Codes;
    codes.p = interpolated(corners, x, y.weight, 0u);
    if (RGBA) {
        codes.q = interpolated(corners, x, y.weight, 1u);
        codes.s = interpolated(corners, x, y.weight, 2u);
    } else if (!GRAY) {
        let size = chroma_size(picture);
        let cx = chroma_taps_of(px, SX, COSITED_X, size.x);
        let cy = chroma_taps_of(py, SY, COSITED_Y, size.y);
        let c_rows = vec2(cy.left.x, cy.right.x) * (4u * picture.chroma_stride);
        let u = corners_of(c_rows + 4u * picture.second, cx, select(1u, 2u, SEMI));
        codes.q = interpolated(u, cx, cy.weight, 0u);
        if (SEMI) {
            codes.s = interpolated(u, cx, cy.weight, 1u);
        } else {
            codes.s = interpolated(corners_of(c_rows + 4u * picture.third, cx, 1u), cx, cy.weight, 0u);
        }
    }
    return codes;
}
