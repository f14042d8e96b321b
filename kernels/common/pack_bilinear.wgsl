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

// Where the two rows around a place begin, in words, and how far it lies between them.
struct Row {
    luma: vec2<u32>,
    weight: f32,
    second: vec2<u32>,
    third: vec2<u32>,
    chroma_weight: f32,
    chroma_width: u32,
}

fn row_of(picture: Picture, place: Place) -> Row {
    let y = taps_of(place, picture.height);
    let size = chroma_size(picture);
    let cy = chroma_taps_of(place, SY, COSITED_Y, size.y);
    let chroma = vec2(cy.left.x, cy.right.x) * (4u * picture.chroma_stride);
    return Row(
        vec2(4u * picture.first) + vec2(y.left.x, y.right.x) * (4u * picture.stride),
        y.weight.x,
        chroma + 4u * picture.second,
        chroma + 4u * picture.third,
        cy.weight.x,
        size.x,
    );
}

fn bilinear(row: Row, picture: Picture, px: Place) -> Codes {
    let x = taps_of(px, picture.width);
    let corners = corners_of(row.luma, x, select(1u, 4u, RGBA));
    var codes: Codes;
    codes.p = interpolated(corners, x, vec4(row.weight), 0u);
    if (RGBA) {
        codes.q = interpolated(corners, x, vec4(row.weight), 1u);
        codes.s = interpolated(corners, x, vec4(row.weight), 2u);
    } else if (!GRAY) {
        let cx = chroma_taps_of(px, SX, COSITED_X, row.chroma_width);
        let u = corners_of(row.second, cx, select(1u, 2u, SEMI));
        codes.q = interpolated(u, cx, vec4(row.chroma_weight), 0u);
        if (SEMI) {
            codes.s = interpolated(u, cx, vec4(row.chroma_weight), 1u);
        } else {
            codes.s = interpolated(corners_of(row.third, cx, 1u), cx, vec4(row.chroma_weight), 0u);
        }
    }
    return codes;
}
