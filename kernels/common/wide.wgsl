// 64-bit unsigned integers as two words, low first; all arithmetic modulo 2^64.

fn wide_add(a: vec2<u32>, b: vec2<u32>) -> vec2<u32> {
    let low = a.x + b.x;
    return vec2(low, a.y + b.y + select(0u, 1u, low < a.x));
}

fn wide_sub(a: vec2<u32>, b: vec2<u32>) -> vec2<u32> {
    return vec2(a.x - b.x, a.y - b.y - select(0u, 1u, a.x < b.x));
}

fn wide_product(a: u32, b: u32) -> vec2<u32> {
    let low = (a & 0xffffu) * (b & 0xffffu);
    let mid = (a >> 16u) * (b & 0xffffu) + (low >> 16u);
    let other = (a & 0xffffu) * (b >> 16u) + (mid & 0xffffu);
    return vec2((low & 0xffffu) | (other << 16u), (a >> 16u) * (b >> 16u) + (mid >> 16u) + (other >> 16u));
}

fn wide_scale(a: vec2<u32>, b: u32) -> vec2<u32> {
    let low = wide_product(a.x, b);
    return vec2(low.x, low.y + a.y * b);
}

fn wide_less(a: vec2<u32>, b: vec2<u32>) -> bool {
    return a.y < b.y || (a.y == b.y && a.x < b.x);
}

// low + high * 2^16
fn wide_halves(low: u32, high: u32) -> vec2<u32> {
    return wide_add(vec2(low, 0u), vec2(high << 16u, high >> 16u));
}
