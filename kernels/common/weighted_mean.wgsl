// Coverage-weighted mean of the rectangle of a picture that makes one pixel of a smaller (or larger) one, as resize/area. Needs
// common/byte_spans, common/luma, common/pictures, common/rows5.
//
// Exact: the weighted sum of a row is below 2^23; rows are added up in two parts of 12 bits, each below 2^28. The quotient is
// estimated in f32 and corrected by its remainder modulo 2^32.

// Sources of pixel i of `n` along an axis of `length` pixels, in units of 1/n pixel: first and last source, and their weights. Sources
// between them weigh n.
struct Coverage {
    first: u32,
    last: u32,
    head: u32,
    tail: u32,      // nothing where there is one source
}

fn coverage(i: u32, n: u32, length: u32) -> Coverage {
    let start = i * length;
    let end = start + length;
    let first = start / n;
    let last = (end - 1u) / n;
    return Coverage(first, last, min((first + 1u) * n, end) - start, select(end - last * n, 0u, first == last));
}

// Weighted sum of the pixels of a row.
fn covered_row(row: u32, x: Coverage, n: u32) -> u32 {
    var inner = 0u;
    for (var v = (x.first + 1u) >> 4u; 16u * v < x.last; v++) {
        let mask = span_bytes(span_bits(16u * v, x.first + 1u, x.last));
        let w = luma16(row, v) & mask;
        inner += sum_lanes((w & LO) + ((w >> S8) & LO));
    }
    return inner * n + luma_at(row, x.first) * x.head + luma_at(row, x.last) * x.tail;
}

// (high * 4096 + low + total/2) / total; the quotient is at most 255, total at most 2^30.
fn rounded_mean(high: u32, low: u32, total: u32) -> u32 {
    let half = total / 2u;
    let estimate = u32((f32(high) * 4096.0 + f32(low) + f32(half)) / f32(total));
    let rest = bitcast<i32>((high << 12u) + low + half - estimate * total);
    return select(select(estimate, estimate + 1u, rest >= i32(total)), estimate - 1u, rest < 0);
}

// Pixel (x, y) of the `width` x `height` pixels that the picture is made into.
fn covered_mean(picture: Picture, at: vec2<u32>, width: u32, height: u32) -> u32 {
    let x = coverage(at.x, width, picture.width);
    let y = coverage(at.y, height, picture.height);
    var low = 0u;
    var high = 0u;
    for (var j = y.first; j <= y.last; j++) {
        let sum = covered_row(picture.first + j * picture.stride, x, width);
        let weight = select(select(height, y.tail, j == y.last), y.head, j == y.first);
        low += (sum & 4095u) * weight;
        high += (sum >> 12u) * weight;
    }
    return rounded_mean(high, low, picture.width * picture.height);
}
