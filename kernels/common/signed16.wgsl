// Signed numbers in 16-bit lanes: stored with ZERO added, so that no lane borrows from the next. Needs common/luma.

const ZERO: vec4<u32> = vec4<u32>(0x80008000u);

struct Lanes {
    even: vec4<u32>,
    odd: vec4<u32>,
}

// Absolute values.
fn absolute(v: vec4<u32>) -> vec4<u32> {
    let positive = (v >> S15) & LOW_BIT;
    return (v ^ (vec4(0x7fff7fffu) + positive)) + LOW_BIT - positive;
}

// Two's complement.
fn complement(v: vec4<u32>) -> vec4<u32> {
    return v ^ ZERO;
}

struct Split {
    low: vec4<f32>,
    high: vec4<f32>,
}

// Numbers without ZERO added.
fn plain(v: vec4<u32>) -> Split {
    return Split(vec4<f32>(vec4<i32>(v & HALF)), vec4<f32>(vec4<i32>(v >> S16)));
}

fn split(v: vec4<u32>) -> Split {
    let p = plain(v);
    return Split(p.low - 32768.0, p.high - 32768.0);
}

// Squares of both lanes added; exact where the sum stays below 2^24.
fn squares(v: Split) -> vec4<f32> {
    return v.low * v.low + v.high * v.high;
}
