// f32 to f16, to nearest with halves to even on every adapter: pack2x16float leaves the direction to the driver.

// Bits of f16; overflow gives infinity. Finite numbers only.
fn half_of(v: vec4<f32>) -> vec4<u32> {
    let bits = bitcast<vec4<u32>>(v);
    let sign = (bits >> vec4(16u)) & vec4(0x8000u);
    let magnitude = bits & vec4(0x7fffffffu);
    let normal = min((magnitude - 0x38000000u + 0xfffu + ((magnitude >> vec4(13u)) & vec4(1u))) >> vec4(13u), vec4(0x7c00u));
    // Below 2^-14: multiples of 2^-24. `round` takes halves to even.
    let small = vec4<u32>(round(bitcast<vec4<f32>>(min(magnitude, vec4(0x38800000u))) * 16777216.0));
    return sign | select(normal, small, magnitude < vec4(0x38800000u));
}
