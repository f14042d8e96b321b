// Sums over the border of a picture: strips of `border` pixels at the top, bottom, left and right, behind each other, so that a pixel
// counts once for each strip it lies in. An invocation takes 128 pixels: of a row of the top and bottom strips, in a column of 16 of
// the others. Needs common/byte_spans, common/luma, common/pictures.

@group(0) @binding(6) var<storage, read> src_edges: array<u32>;
@group(0) @binding(7) var<storage, read> src_planes: array<Picture>;

// Eight steps through a strip: columns of 16 pixels and rows, pixels from_x .. to_x.
struct Strip {
    v: u32,
    y: u32,
    along: bool,    // a row, else a column
    from_x: u32,
    to_x: u32,
    end_y: u32,     // no rows behind the last item
}

fn strip_of(item: u32, border: u32, width: u32, height: u32) -> Strip {
    let down = min(border, height);
    let across = min(border, width);
    let segments = (width + 127u) >> 7u;
    let rows = down * segments;
    if (item < 2u * rows) {
        let top = item < rows;
        let i = select(item - rows, item, top);
        let y = i / segments;
        return Strip((i - y * segments) * 8u, select(height - down + y, y, top), true, 0u, width, height);
    }
    let blocks = (height + 7u) >> 3u;
    let i = item - 2u * rows;
    let v = i / blocks;
    let y = (i - v * blocks) * 8u;
    // Left columns, then right ones.
    let lefts = (across + 15u) >> 4u;
    if (v < lefts) {
        return Strip(v, y, false, 0u, across, height);
    }
    let first = (width - across) >> 4u;
    let right = first + v - lefts;
    return Strip(right, y, false, width - across, width, select(0u, height, 16u * right < width));
}

struct BorderPart {
    sum: u32,
    sum_sq: u32,
    edges: u32,
}

// Of item `item`, at most 128 * 255^2; the edges of the picture lie in `plane`.
fn border_part(item: u32, border: u32, picture: Picture, plane: Picture) -> BorderPart {
    let walk = strip_of(item, border, picture.width, picture.height);
    var sum = vec4(0u);
    var sum_sq = 0u;
    var edges = 0u;
    for (var k = 0u; k < 8u; k++) {
        let v = select(walk.v, walk.v + k, walk.along);
        let y = select(walk.y + k, walk.y, walk.along);
        let mask = span_bits(16u * v, walk.from_x, walk.to_x);
        if (y >= walk.end_y || mask == 0u) {
            break;
        }
        let w = luma16(picture.first + y * picture.stride, v);
        let p = w & span_bytes(mask);
        sum += (p & LO) + ((p >> S8) & LO);
        let a = p & vec4(255u);
        let b = (p >> S8) & vec4(255u);
        let c = (p >> S16) & vec4(255u);
        let d = p >> vec4(24u);
        sum_sq += dot(a, a) + dot(b, b) + dot(c, c) + dot(d, d);
        let bits = src_edges[(plane.first + y * plane.stride) * 4u + (v >> 1u)] >> (16u * (v & 1u));
        edges += countOneBits(bits & mask);
    }
    return BorderPart(sum_lanes(sum), sum_sq, edges);
}
