// Rows of the luma plane for 3x3 stencils: 16 pixels in 16-bit lanes with one neighbour at each side, the border rule applied.
// Needs common/luma. A kernel slides three rows down: top, mid, low.

#import common/tail
// Border rule: reflect-101 (replicate where a side is 1), or replicate everywhere.
override REPLICATE: bool = false;

struct Row {
    even: vec4<u32>,
    odd: vec4<u32>,
    before: u32,    // pixel left of the 16
    after: u32,     // pixel right of the 16
}

// Masks that put the border pixel behind the last pixel of a row.
struct Edge {
    take: vec4<u32>,    // byte of the pixel that the border repeats
    take_shift: u32,
    put: vec4<u32>,     // byte behind the last pixel
    put_shift: u32,
    valid: u32,         // pixels of this column inside the picture, 1..16
    width: u32,         // pixels of a row
}

// For column v (16 pixels) of rows of `width` pixels; v must exist.
fn edge_of(width: u32, v: u32) -> Edge {
    let valid = min(width - v * 16u, 16u);
    let words = vec4(0u, 1u, 2u, 3u);
    let source = select(max(valid, 2u) - 2u, valid - 1u, REPLICATE);
    let put_shift = (valid & 3u) * 8u;
    let inside = TAIL && valid < 16u;
    return Edge(
        select(vec4(0u), vec4(255u << ((source & 3u) * 8u)), words == vec4(source >> 2u)),
        (source & 3u) * 8u,
        select(vec4(0u), vec4(255u << put_shift), (words == vec4(valid >> 2u)) & vec4(inside)),
        put_shift,
        valid,
        width,
    );
}

// Column v of the row that starts at vec4 `row`.
fn load_row(row: u32, v: u32, edge: Edge) -> Row {
    var w = luma16(row, v);
    let second = select(w.x & 255u, (w.x >> 8u) & 255u, edge.width > 1u && !REPLICATE);
    let before = select(second, luma_before(row, v), v > 0u);
    var after = luma_after(row, v);
    if (TAIL) {
        let t = w & edge.take;
        var border = (t.x | t.y | t.z | t.w) >> edge.take_shift;
        if (!REPLICATE) {
            border = select(border, select(w.x & 255u, before, v > 0u), edge.valid == 1u);
        }
        w = (w & ~edge.put) | (vec4(border << edge.put_shift) & edge.put);
    }
    // Behind a full last column: pixel 14 reflected, pixel 15 replicated.
    let shift = select(16u, 24u, REPLICATE);
    after = select(after, (w.w >> shift) & 255u, (v + 1u) * 16u >= edge.width);
    return Row(w & LO, (w >> S8) & LO, before, after);
}

// Row above row y under the border rule.
fn row_above(y: u32, height: u32) -> u32 {
    return select(y - 1u, select(min(1u, height - 1u), 0u, REPLICATE), y == 0u);
}

// Row below row y under the border rule.
fn row_below(y: u32, height: u32) -> u32 {
    let last = height - 1u;
    return select(y + 1u, select(max(last, 1u) - 1u, last, REPLICATE), y >= last);
}
