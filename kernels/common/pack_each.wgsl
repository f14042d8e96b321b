// Four bilinear samples of a picture of any format, each with a row of its own. Needs common/pack and common/places.

fn words_each(rows: vec4<u32>, x: vec4<u32>) -> vec4<u32> {
    return vec4(word(rows.x, x.x), word(rows.y, x.y), word(rows.z, x.z), word(rows.w, x.w));
}

// first: start of the plane in words; stride: of a row.
fn corners_each(first: u32, stride: u32, x: Taps, y: Taps, step: u32) -> Corners {
    let left = x.left * step;
    let right = x.right * step;
    let top = first + y.left * stride;
    let bottom = first + y.right * stride;
    return Corners(words_each(top, left), words_each(top, right), words_each(bottom, left), words_each(bottom, right));
}

fn bilinear_each(picture: Picture, px: Place, py: Place) -> Codes {
    let x = taps_of(px, picture.width);
    let y = taps_of(py, picture.height);
    let corners = corners_each(4u * picture.first, 4u * picture.stride, x, y, select(1u, 4u, RGBA));
    var codes: Codes;
    codes.p = interpolated(corners, x, y.weight, 0u);
    if (RGBA) {
        codes.q = interpolated(corners, x, y.weight, 1u);
        codes.s = interpolated(corners, x, y.weight, 2u);
    } else if (!GRAY) {
        let size = chroma_size(picture);
        let cx = chroma_taps_of(px, SX, COSITED_X, size.x);
        let cy = chroma_taps_of(py, SY, COSITED_Y, size.y);
        let stride = 4u * picture.chroma_stride;
        let u = corners_each(4u * picture.second, stride, cx, cy, select(1u, 2u, SEMI));
        codes.q = interpolated(u, cx, cy.weight, 0u);
        if (SEMI) {
            codes.s = interpolated(u, cx, cy.weight, 1u);
        } else {
            codes.s = interpolated(corners_each(4u * picture.third, stride, cx, cy, 1u), cx, cy.weight, 0u);
        }
    }
    return codes;
}
