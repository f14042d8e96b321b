// Places of a resampled picture along an axis, split in integers: whole samples and a fraction.

// Places along an axis: whole samples and a rest in parts of `parts`.
struct Place {
    whole: vec4<u32>,
    rest: vec4<u32>,
    parts: u32,
}

struct Taps {
    left: vec4<u32>,
    right: vec4<u32>,
    weight: vec4<f32>,
}

// ((2i + 1) size - to) / (2 to), clamped to the first and last sample of a crop of `size`; all products below 2^31.
fn place_of(i: vec4<u32>, to: u32, size: u32) -> Place {
    let parts = 2u * to;
    let doubled = (min(i, vec4(to - 1u)) * 2u + 1u) * size;
    let place = min(max(doubled, vec4(to)) - to, vec4(parts * (size - 1u)));
    // The estimate is off by one at most: the quotient is below 2^15.
    let estimate = vec4<u32>(vec4<f32>(place) / f32(parts));
    let rest = bitcast<vec4<i32>>(place - estimate * parts);
    let under = rest < vec4(0);
    let over = rest >= vec4(i32(parts));
    return Place(
        select(select(estimate, estimate + 1u, over), estimate - 1u, under),
        vec4<u32>(select(select(rest, rest - i32(parts), over), rest + i32(parts), under)),
        parts,
    );
}

// The place in a picture of `count` samples when the crop begins at `start`, clamped to the first and last one.
fn in_picture(p: Place, start: i32, count: u32) -> Place {
    let whole = bitcast<vec4<i32>>(p.whole) + start;
    let last = i32(count) - 1;
    let clamped = (whole < vec4(0)) | (whole >= vec4(last));
    return Place(vec4<u32>(clamp(whole, vec4(0), vec4(last))), select(p.rest, vec4(0u), clamped), p.parts);
}

// Whether the place lies more than half a sample outside the centres of the picture's first and last sample.
fn outside_picture(p: Place, start: i32, count: u32) -> vec4<bool> {
    let whole = bitcast<vec4<i32>>(p.whole) + start;
    let last = i32(count) - 1;
    let left = (whole < vec4(-1)) | ((whole == vec4(-1)) & (2u * p.rest < vec4(p.parts)));
    let right = (whole > vec4(last)) | ((whole == vec4(last)) & (2u * p.rest > vec4(p.parts)));
    return left | right;
}

fn taps_of(p: Place, count: u32) -> Taps {
    return Taps(p.whole, min(p.whole + 1u, vec4(count - 1u)), vec4<f32>(p.rest) / f32(p.parts));
}

// The same place on an axis of chroma: p/2 co-sited, (p - 1/2)/2 centred.
fn chroma_taps_of(p: Place, shift: u32, cosited: bool, count: u32) -> Taps {
    if (shift == 0u) {
        return taps_of(p, count);
    }
    let last = vec4(count - 1u);
    var whole = p.whole;
    var rest = p.rest;
    if (!cosited) {
        // Two samples further, so that nothing is negative: (p + 3/2) / 2.
        rest += p.parts / 2u;
        let carry = rest >= vec4(p.parts);
        whole += select(vec4(1u), vec4(2u), carry);
        rest = select(rest, rest - p.parts, carry);
    }
    let weight = vec4<f32>((whole & vec4(1u)) * p.parts + rest) / f32(2u * p.parts);
    let k = whole >> vec4(1u);
    if (cosited) {
        return Taps(k, min(k + 1u, last), weight);
    }
    return Taps(max(k, vec4(1u)) - 1u, min(k, last), weight);
}
