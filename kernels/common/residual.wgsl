// What a 5x5 binomial blur takes away from the block of an invocation. Needs common/blocks, common/luma, common/pictures, common/rows5,
// common/signed16. The lanes of the sum hold 255 * 2 * 64: ROWS is at most 64.

// Pixels, and their binomial across.
struct Smoothed {
    even: vec4<u32>,
    odd: vec4<u32>,
    sum_even: vec4<u32>,
    sum_odd: vec4<u32>,
}

fn smoothed(picture: Picture, y: i32, v: u32) -> Smoothed {
    let row = load_row5(picture.first + mirrored(y, picture.height) * picture.stride, v, picture.width);
    let left = left_of_even(row.odd, row.before.y);
    let right = right_of_odd(row.even, row.after.x);
    let even = left_of_even(row.even, row.before.x) + right + 4u * (left + row.odd) + 6u * row.even;
    let odd = left + right_of_odd(row.odd, row.after.y) + 4u * (row.even + right) + 6u * row.odd;
    return Smoothed(row.even, row.odd, even, odd);
}

fn binomial(a: vec4<u32>, b: vec4<u32>, c: vec4<u32>, d: vec4<u32>, e: vec4<u32>) -> vec4<u32> {
    return ((a + e + 4u * (b + d) + 6u * c + vec4(0x00800080u)) >> S8) & LO;
}

// Sum of |G - blur(G)|.
fn residual_sum(picture: Picture, block: Block) -> u32 {
    var sum = vec4(0u);
    if (block.inside) {
        let v = block.column;
        let valid = min(picture.width - 16u * v, 16u);
        let even_pixels = even_mask(valid);
        let odd_pixels = odd_mask(valid);
        let first = i32(block.first);
        var a = smoothed(picture, first - 2, v);
        var b = smoothed(picture, first - 1, v);
        var c = smoothed(picture, first, v);
        var d = smoothed(picture, first + 1, v);
        for (var y = block.first; y < block.first + ROWS && y <= block.bottom; y++) {
            let e = smoothed(picture, i32(y) + 2, v);
            let even = absolute((c.even | ZERO) - binomial(a.sum_even, b.sum_even, c.sum_even, d.sum_even, e.sum_even));
            let odd = absolute((c.odd | ZERO) - binomial(a.sum_odd, b.sum_odd, c.sum_odd, d.sum_odd, e.sum_odd));
            sum += (even & even_pixels) + (odd & odd_pixels);
            a = b;
            b = c;
            c = d;
            d = e;
        }
    }
    return sum_lanes(sum);
}
