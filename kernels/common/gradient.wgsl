// First derivatives of 16 pixels from three rows, in 16-bit lanes. Needs common/luma, common/rows and
// common/signed16.
//
// The importing kernel declares the weights across the derivative as constants: SIDE, CENTRE, SIDE (Sobel 1 2 1, Scharr 3 10 3).
// Derivatives lie in -255 (2 SIDE + CENTRE) ..= 255 (2 SIDE + CENTRE), at most 4080; 2 SIDE + CENTRE is a power of two.

// Added to each difference of two rows, so that the three weighted ones make ZERO.
const PART: u32 = 0x8000u / (2u * SIDE + CENTRE);

struct Gradient {
    x_even: vec4<u32>,  // to the right
    x_odd: vec4<u32>,
    y_even: vec4<u32>,  // downwards
    y_odd: vec4<u32>,
}

fn gradient(top: Row, mid: Row, low: Row) -> Gradient {
    let smooth_even = (top.even + low.even) * SIDE + mid.even * CENTRE;
    let smooth_odd = (top.odd + low.odd) * SIDE + mid.odd * CENTRE;
    let smooth_before = (top.before + low.before) * SIDE + mid.before * CENTRE;
    let smooth_after = (top.after + low.after) * SIDE + mid.after * CENTRE;
    let step_even = low.even + vec4(PART * 0x10001u) - top.even;
    let step_odd = low.odd + vec4(PART * 0x10001u) - top.odd;
    let step_before = low.before + PART - top.before;
    let step_after = low.after + PART - top.after;
    return Gradient(
        smooth_odd + ZERO - left_of_even(smooth_odd, smooth_before),
        right_of_odd(smooth_even, smooth_after) + ZERO - smooth_even,
        (left_of_even(step_odd, step_before) + step_odd) * SIDE + step_even * CENTRE,
        (step_even + right_of_odd(step_even, step_after)) * SIDE + step_odd * CENTRE,
    );
}
