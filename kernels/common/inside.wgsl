// Pixels behind the end of a row as the number 0. Needs common/rows and common/signed16.

fn masked(v: vec4<u32>, pixels: vec4<u32>) -> vec4<u32> {
    if (!TAIL) {
        return v;
    }
    return (v & pixels) | (ZERO & ~pixels);
}
