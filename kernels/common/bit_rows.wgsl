// Rows of bit planes, 128 pixels at a time: the leftmost pixel in bit 0 of x.

// Fills runs of ones in w from their ones in s on, towards higher bits: the sum carries through a run from its lowest seed on.
fn fill_up(w: u32, s: u32) -> u32 {
    return (w & ~(w + s)) | s;
}

fn fill_down(w: u32, s: u32) -> u32 {
    return reverseBits(fill_up(reverseBits(w), reverseBits(s)));
}

// The same along 128 pixels, both ways; s is part of w.
fn fill(w: vec4<u32>, s: vec4<u32>) -> vec4<u32> {
    var f = s;
    f.x = fill_up(w.x, f.x);
    f.y = fill_up(w.y, f.y | (w.y & (f.x >> 31u)));
    f.z = fill_up(w.z, f.z | (w.z & (f.y >> 31u)));
    f.w = fill_up(w.w, f.w | (w.w & (f.z >> 31u)));
    f.w = fill_down(w.w, f.w);
    f.z = fill_down(w.z, f.z | (w.z & (f.w << 31u)));
    f.y = fill_down(w.y, f.y | (w.y & (f.z << 31u)));
    f.x = fill_down(w.x, f.x | (w.x & (f.y << 31u)));
    return f;
}

// v and its neighbours to the left and right.
fn spread(v: vec4<u32>) -> vec4<u32> {
    return v | (v << vec4(1u)) | (v >> vec4(1u)) | vec4(0u, v.xyz >> vec3(31u)) | vec4(v.yzw << vec3(31u), 0u);
}
