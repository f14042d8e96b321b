// Counter-based random words, the same as core::random of the host: equal counters give equal words, in any order.

// pcg4d of Jarzynski and Olano, "Hash Functions for GPU Rendering" (2020), for four counters at once.
struct Words {
    x: vec4<u32>,
    y: vec4<u32>,
    z: vec4<u32>,
    w: vec4<u32>,
}

fn mixed(v: Words) -> Words {
    let x = v.x + v.y * v.w;
    let y = v.y + v.z * x;
    let z = v.z + x * y;
    return Words(x, y, z, v.w + y * z);
}

fn pcg4d(seed: u32, picture: u32, item: vec4<u32>, stream: u32) -> Words {
    let k = 1664525u;
    let c = 1013904223u;
    let v = mixed(Words(vec4(seed * k + c), vec4(picture * k + c), item * k + c, vec4(stream * k + c)));
    let s = vec4(16u);
    return mixed(Words(v.x ^ (v.x >> s), v.y ^ (v.y >> s), v.z ^ (v.z >> s), v.w ^ (v.w >> s)));
}
