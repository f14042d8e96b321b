// 8-bit CIE L*a*b* of linear RGB (no gamma), D65, in integers: L * 255 / 100, a + 128, b + 128.
//
// A kernel that imports this declares `cube_roots: array<u32>`: f(i / 2040) in 2^-15, i = 0 .. 2040, where f(t) is the cube root of t,
// or its tangent line at t below (6/29)^3.

// Rows of the matrix from RGB to X / Xw, Y, Z / Zw in 4096ths.
const TO_X: vec3<i32> = vec3<i32>(1777, 1541, 778);
const TO_Y: vec3<i32> = vec3<i32>(871, 2929, 296);
const TO_Z: vec3<i32> = vec3<i32>(73, 448, 3575);
// And back.
const TO_R: vec3<i32> = vec3<i32>(12615, -6296, -2223);
const TO_G: vec3<i32> = vec3<i32>(-3773, 7684, 185);
const TO_B: vec3<i32> = vec3<i32>(217, -836, 4715);
// One in the steps of the way back.
const ONE: i32 = 16384;

fn sum3(v: vec3<i32>) -> i32 {
    return v.x + v.y + v.z;
}

fn root(rgb: vec3<i32>, row: vec3<i32>) -> i32 {
    return i32(cube_roots[(sum3(rgb * row) * 8 + 2048) >> 12u]);
}

fn byte_of(v: i32) -> u32 {
    return u32(clamp(v, 0, 255));
}

// L, a, b in the three low bytes, of R, G, B in the three low bytes.
fn lab_of(word: u32) -> u32 {
    let rgb = vec3<i32>((vec3(word) >> vec3(0u, 8u, 16u)) & vec3(0xffu));
    let x = root(rgb, TO_X);
    let y = root(rgb, TO_Y);
    let z = root(rgb, TO_Z);
    let l = (296 * y - 1336934 + 16384) >> 15u;
    let a = (500 * (x - y) + 128 * 32768 + 16384) >> 15u;
    let b = (200 * (y - z) + 128 * 32768 + 16384) >> 15u;
    return byte_of(l) | (byte_of(a) << 8u) | (byte_of(b) << 16u);
}

fn floor_div(n: i32, d: i32) -> i32 {
    return (n - select(0, d - 1, n < 0)) / d;
}

// The inverse of f.
fn cubed(f: i32) -> i32 {
    if (29 * f <= 6 * ONE) {
        return floor_div((29 * f - 4 * ONE) * 108 + 12194, 24389);
    }
    return (((f * f + 8192) >> 14u) * f + 8192) >> 14u;
}

fn linear(xyz: vec3<i32>, row: vec3<i32>) -> u32 {
    let part = clamp((sum3(xyz * row) + 32) >> 6u, 0, 1 << 20u);
    return u32((part * 255 + (1 << 19u)) >> 20u);
}

// R, G, B in the three low bytes.
fn rgb_of(lab: u32) -> u32 {
    let v = vec3<i32>((vec3(lab) >> vec3(0u, 8u, 16u)) & vec3(0xffu));
    let y = ((v.x * 100 + 4080) * 2 * ONE + 29580) / 59160;
    let x = y + floor_div((v.y - 128) * 2 * ONE + 500, 1000);
    let z = y - floor_div((v.z - 128) * 2 * ONE + 200, 400);
    let xyz = vec3(cubed(x), cubed(y), cubed(z));
    return linear(xyz, TO_R) | (linear(xyz, TO_G) << 8u) | (linear(xyz, TO_B) << 16u);
}
