// A window of three rows that slides down a block and gives gx^2 + gy^2. Needs common/blocks, common/gradient, common/inside,
// common/picture, common/rows, common/signed16.

struct Window {
    picture: Picture,
    block: Block,
    edge: Edge,
    even: vec4<u32>,    // lanes inside the picture
    odd: vec4<u32>,
    top: Row,
    mid: Row,
}

// The window of a block, which must be inside.
fn window_of(picture: Picture, block: Block) -> Window {
    let edge = edge_of(picture.width, block.column);
    return Window(
        picture,
        block,
        edge,
        even_mask(edge.valid),
        odd_mask(edge.valid),
        load_row(picture.first + row_above(block.first, picture.height) * picture.stride, block.column, edge),
        load_row(picture.first + block.first * picture.stride, block.column, edge),
    );
}

// gx^2 + gy^2 of the 16 pixels of row y, 0 outside the picture; slides the window down.
fn slide(w: ptr<function, Window>, y: u32) -> array<vec4<f32>, 4> {
    let picture = (*w).picture;
    let low = load_row(picture.first + row_below(y, picture.height) * picture.stride, (*w).block.column, (*w).edge);
    let g = gradient((*w).top, (*w).mid, low);
    let x_even = split(masked(g.x_even, (*w).even, ZERO));
    let x_odd = split(masked(g.x_odd, (*w).odd, ZERO));
    let y_even = split(masked(g.y_even, (*w).even, ZERO));
    let y_odd = split(masked(g.y_odd, (*w).odd, ZERO));
    (*w).top = (*w).mid;
    (*w).mid = low;
    return array(
        x_even.low * x_even.low + y_even.low * y_even.low,
        x_even.high * x_even.high + y_even.high * y_even.high,
        x_odd.low * x_odd.low + y_odd.low * y_odd.low,
        x_odd.high * x_odd.high + y_odd.high * y_odd.high,
    );
}
