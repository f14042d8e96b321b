// Sums of the HSV value V = max(R, G, B) of a patch of at most 32x32 pixels. Needs common/rgb16; the importing kernel declares TAIL.

struct PatchSums {
    sum: vec4<u32>,
    sum_sq: vec4<u32>,
    counts: vec4<u32>,  // dark, and bright shifted by 16
}

// Adds pixels x .. x+3.
fn add_values(sums: ptr<function, PatchSums>, p: vec4<u32>, x: u32, width: u32) {
    let byte = vec4(0xffu);
    var v = max(max(p & byte, (p >> vec4(8u)) & byte), (p >> S16) & byte);
    var dark = vec4<u32>(v < vec4(64u));
    if (TAIL) {
        let inside = vec4<u32>(vec4(x) + vec4(0u, 1u, 2u, 3u) < vec4(width));
        v *= inside;
        dark *= inside;
    }
    (*sums).sum += v;
    (*sums).sum_sq += v * v;
    (*sums).counts += dark | (vec4<u32>(v >= vec4(192u)) << S16);
}

fn added(v: vec4<u32>) -> u32 {
    return v.x + v.y + v.z + v.w;
}

// Adds a column of 16 pixels that begins at pixel x.
fn add_patch16(sums: ptr<function, PatchSums>, p: Colors, x: u32, width: u32) {
    add_values(sums, p.a, x, width);
    add_values(sums, p.b, x + 4u, width);
    add_values(sums, p.c, x + 8u, width);
    add_values(sums, p.d, x + 12u, width);
}
