// Lanes behind the end of a row set to `zero`. Needs common/rows.

fn masked(v: vec4<u32>, pixels: vec4<u32>, zero: vec4<u32>) -> vec4<u32> {
    if (!TAIL) {
        return v;
    }
    return (v & pixels) | (zero & ~pixels);
}
