// Integer quotients, exact although f32 division is not.

// floor(a / b) given 1/b as f32, where b is 1 .. 2^30 and the quotient is below 2^20: the estimate is off by one at most, and then
// corrected.
fn quotient_by(a: vec4<u32>, b: vec4<u32>, inverse: vec4<f32>) -> vec4<u32> {
    let estimate = vec4<u32>(vec4<f32>(a) * inverse);
    let rest = bitcast<vec4<i32>>(a - estimate * b);
    let over = select(estimate, estimate + 1u, rest >= bitcast<vec4<i32>>(b));
    return select(over, estimate - 1u, rest < vec4(0));
}

// floor(a / b) under the same conditions. Where b does not change the inverse is made once.
fn quotient(a: vec4<u32>, b: vec4<u32>) -> vec4<u32> {
    return quotient_by(a, b, 1.0 / vec4<f32>(b));
}

// a modulo b, under the same conditions.
fn remainder(a: vec4<u32>, b: vec4<u32>) -> vec4<u32> {
    return a - quotient(a, b) * b;
}

// floor(v / 255) for v below 65535.
fn by255(v: vec4<u32>) -> vec4<u32> {
    return (v + 1u + (v >> vec4(8u))) >> vec4(8u);
}
