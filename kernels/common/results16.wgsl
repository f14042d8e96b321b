// Results of stencils: maps of 16-bit numbers, or pictures of bytes. Needs common/luma.

struct Params {
    first: u32,     // vec4 of the first map
    stride: u32,    // vec4 from row to row of a map: two for 16 numbers
    slot: u32,      // vec4 from map to map
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(3) var<storage, read_write> dst: array<vec4<u32>>;

// vec4 of the numbers of a column of 16 in a row of a map.
fn place_in_map(map: u32, y: u32, column: u32) -> u32 {
    return params.first + map * params.slot + y * params.stride + 2u * column;
}

// Even and odd lanes in the order of pixels: two vec4.
fn in_order(even: vec4<u32>, odd: vec4<u32>) -> array<vec4<u32>, 2> {
    let p = (even & HALF) | (odd << S16);
    let q = (even >> S16) | (odd & vec4(0xffff0000u));
    return array(vec4(p.x, q.x, p.y, q.y), vec4(p.z, q.z, p.w, q.w));
}

// min(v, 255) in lanes below 0x8000.
fn saturated(v: vec4<u32>) -> vec4<u32> {
    let over = ((v + vec4(0x7f007f00u)) >> S15) & LOW_BIT;
    return (v | ((over << S8) - over)) & LO;
}
