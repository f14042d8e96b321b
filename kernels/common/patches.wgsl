// Distances between the 7x7 pixels around 4x4 pixels and around those of a search place. Needs common/bytes.
//
// A patch is ten rows of sixteen bytes; the ten bytes that count begin at a shift of 0 to 24 bits. A kernel that imports this declares
// `params.last`: the last entry of `weights`.

@group(0) @binding(6) var<storage, read> weights: array<u32>;
@group(0) @binding(8) var<storage, read> padded: array<u32>;

// Sixteen bytes of ten rows.
struct Patch {
    rows: array<vec4<u32>, 10>,
}

fn words_at(at: u32) -> vec4<u32> {
    return vec4(padded[at], padded[at + 1u], padded[at + 2u], padded[at + 3u]);
}

fn patch_at(at: u32, stride: u32) -> Patch {
    return Patch(array(
        words_at(at),
        words_at(at + stride),
        words_at(at + 2u * stride),
        words_at(at + 3u * stride),
        words_at(at + 4u * stride),
        words_at(at + 5u * stride),
        words_at(at + 6u * stride),
        words_at(at + 7u * stride),
        words_at(at + 8u * stride),
        words_at(at + 9u * stride),
    ));
}

// The first twelve bytes from byte `shift / 8` on; shift at most 24.
fn shifted(w: vec4<u32>, shift: u32) -> vec3<u32> {
    return (w.xyz >> vec3(shift)) | ((w.yzw << vec3(1u)) << vec3(31u - shift));
}

fn floats(w: u32) -> vec4<f32> {
    return vec4<f32>(vec4<i32>((vec4(w) >> vec4(0u, 8u, 16u, 24u)) & BYTE));
}

// Squared differences of ten bytes, summed up over the seven around each of the four in the middle.
fn row_sums(a: vec3<u32>, b: vec3<u32>) -> vec4<f32> {
    let p = floats(a.x) - floats(b.x);
    let q = floats(a.y) - floats(b.y);
    let r = floats(a.z) - floats(b.z);
    let d = p * p;
    let e = q * q;
    let f = r * r;
    let shared_sum = d.w + e.x + e.y + e.z;
    return shared_sum + vec4(d.x + d.y + d.z, d.y + d.z + e.w, d.z + e.w + f.x, e.w + f.x + f.y);
}

struct Distances {
    rows: array<vec4<f32>, 4>,
}

// Adds what the patches around 4x4 pixels differ in one plane.
fn compare(distances: ptr<function, Distances>, a: ptr<function, Patch>, b: ptr<function, Patch>, shift: u32, base: u32) {
    let r0 = row_sums(shifted((*a).rows[0], base), shifted((*b).rows[0], shift));
    let r1 = row_sums(shifted((*a).rows[1], base), shifted((*b).rows[1], shift));
    let r2 = row_sums(shifted((*a).rows[2], base), shifted((*b).rows[2], shift));
    let r3 = row_sums(shifted((*a).rows[3], base), shifted((*b).rows[3], shift));
    let r4 = row_sums(shifted((*a).rows[4], base), shifted((*b).rows[4], shift));
    let r5 = row_sums(shifted((*a).rows[5], base), shifted((*b).rows[5], shift));
    let r6 = row_sums(shifted((*a).rows[6], base), shifted((*b).rows[6], shift));
    let r7 = row_sums(shifted((*a).rows[7], base), shifted((*b).rows[7], shift));
    let r8 = row_sums(shifted((*a).rows[8], base), shifted((*b).rows[8], shift));
    let r9 = row_sums(shifted((*a).rows[9], base), shifted((*b).rows[9], shift));
    let middle = r3 + r4 + r5 + r6;
    (*distances).rows[0] += r0 + r1 + r2 + middle;
    (*distances).rows[1] += r1 + r2 + middle + r7;
    (*distances).rows[2] += r2 + middle + r7 + r8;
    (*distances).rows[3] += middle + r7 + r8 + r9;
}

struct Weighted {
    rows: array<vec4<u32>, 4>,
}

fn weights_of(distance: vec4<f32>) -> vec4<u32> {
    let i = min(vec4<u32>(vec4<i32>(distance)) >> vec4(6u), vec4(params.last));
    return vec4(weights[i.x], weights[i.y], weights[i.z], weights[i.w]);
}

fn all_weights(d: Distances) -> Weighted {
    return Weighted(array(weights_of(d.rows[0]), weights_of(d.rows[1]), weights_of(d.rows[2]), weights_of(d.rows[3])));
}

// The four pixels in the middle of a row of a patch.
fn centre(w: vec4<u32>, shift: u32) -> vec4<u32> {
    let s = shifted(w, shift);
    return (vec4((s.x >> 24u) | (s.y << 8u)) >> vec4(0u, 8u, 16u, 24u)) & BYTE;
}

fn add(sums: ptr<function, Weighted>, w: Weighted, b: ptr<function, Patch>, shift: u32) {
    (*sums).rows[0] += w.rows[0] * centre((*b).rows[3], shift);
    (*sums).rows[1] += w.rows[1] * centre((*b).rows[4], shift);
    (*sums).rows[2] += w.rows[2] * centre((*b).rows[5], shift);
    (*sums).rows[3] += w.rows[3] * centre((*b).rows[6], shift);
}
