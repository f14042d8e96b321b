// Rows of one matrix against rows of another: inner products, or squared distances (L2), in f32. The second one in f32 or f16 (HALF).
//
// Places are in groups of four numbers: rows start at multiples of 16 bytes, padding holds zeros. Sums run over the groups in order, a
// component apart, then (x + y) + (z + w): steps / 4 + 2 roundings of sums and one of each product.

override HALF: bool = false;
override L2: bool = false;
// More than one row of the first matrix at a time.
override MANY: bool = true;

@group(0) @binding(1) var<storage, read> src: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> src_rows: array<vec4<u32>>;

// Four numbers of the second matrix.
fn four(at: u32) -> vec4<f32> {
    if (!HALF) {
        return bitcast<vec4<f32>>(src_rows[at]);
    }
    let w = src_rows[at >> 1u];
    let pair = select(w.xy, w.zw, (at & 1u) == 1u);
    return vec4(unpack2x16float(pair.x), unpack2x16float(pair.y));
}

fn term(a: vec4<f32>, b: vec4<f32>) -> vec4<f32> {
    if (L2) {
        let d = a - b;
        return d * d;
    }
    return a * b;
}

fn terms(a: vec4<f32>, b: mat4x4<f32>) -> mat4x4<f32> {
    return mat4x4<f32>(term(a, b[0]), term(a, b[1]), term(a, b[2]), term(a, b[3]));
}

fn total(m: mat4x4<f32>) -> vec4<f32> {
    let t = transpose(m);
    return (t[0] + t[1]) + (t[2] + t[3]);
}

// Sums of four rows of the first matrix with four of the second: component j of sum i.
struct Block {
    first: vec4<f32>,
    second: vec4<f32>,
    third: vec4<f32>,
    fourth: vec4<f32>,
}

// a, b: first groups of the rows. For adapters where loads are the cost: 8 loads for 64 products, nothing shared.
fn block_of(a: vec4<u32>, b: vec4<u32>, steps: u32) -> Block {
    var first = mat4x4<f32>();
    var second = mat4x4<f32>();
    var third = mat4x4<f32>();
    var fourth = mat4x4<f32>();
    for (var i = 0u; i < steps; i++) {
        let r = mat4x4<f32>(four(b.x + i), four(b.y + i), four(b.z + i), four(b.w + i));
        first += terms(src[a.x + i], r);
        if (MANY) {
            second += terms(src[a.y + i], r);
            third += terms(src[a.z + i], r);
            fourth += terms(src[a.w + i], r);
        }
    }
    return Block(total(first), total(second), total(third), total(fourth));
}
