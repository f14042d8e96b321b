// Bins of hue, saturation and value. Needs common/hsv; the importing kernel declares TAIL.
//
// f32 that hold integers below 2^24; (x + 1/2) / 180 is no closer than 1/360 to a whole number, for x at most 179 * 180.

override H_BINS: u32 = 6u;
override S_BINS: u32 = 6u;
override V_BINS: u32 = 6u;

fn bins_of(p: vec4<u32>) -> vec4<u32> {
    let c = hsv_of(p);
    let h = floor((c.h * f32(H_BINS) + 0.5) * (1.0 / 180.0));
    let s = floor(c.s * (f32(S_BINS) / 256.0));
    let v = floor(c.v * (f32(V_BINS) / 256.0));
    return vec4<u32>((h * f32(S_BINS) + s) * f32(V_BINS) + v);
}

// 1 for pixels at .. at+3 of a row that lie before `width`, else 0.
fn inside4(at: u32, width: u32) -> vec4<u32> {
    if (!TAIL) {
        return vec4(1u);
    }
    return vec4<u32>(vec4(at) + vec4(0u, 1u, 2u, 3u) < vec4(width));
}
