// Laplacian [0 1 0; 1 -4 1; 0 1 0] of 16 pixels from three rows, in 16-bit lanes. Needs common/luma, common/rows and
// common/signed16. It lies in -1020..=1020.

fn laplacian(top: Row, mid: Row, low: Row) -> Lanes {
    let even = top.even + low.even + left_of_even(mid.odd, mid.before) + mid.odd;
    let odd = top.odd + low.odd + mid.even + right_of_odd(mid.even, mid.after);
    return Lanes(even + ZERO - (mid.even << vec4(2u)), odd + ZERO - (mid.odd << vec4(2u)));
}
