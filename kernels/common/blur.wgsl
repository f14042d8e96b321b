// Gaussian blur in two passes without a rounding between them. Needs common/bytes, common/pictures, common/out_pictures, common/grid.
//
// The taps sum to 256, so that sums along a row stay below 2^16 and lie in 16-bit lanes: two vec4 a column of 16 bytes, the even and
// the odd bytes. They are kept where the result lies, counted from its first picture, at twice the place.
// A kernel that imports this declares `params.first`: first vec4 of the first result.

override WG: u32 = 8u;
override TAPS: u32 = 3u;
// Groups of four taps of a row, with the zeros before that bring luma to whole words.
override GROUPS: u32 = 1u;

// Row taps, four a vec4.
@group(0) @binding(6) var<storage, read> row_taps: array<vec4<u32>>;
// Column taps of four rows: what source row j of their window counts for each.
@group(0) @binding(6) var<storage, read> column_taps: array<vec4<f32>>;
@group(0) @binding(7) var<storage, read_write> dst_sums: array<vec4<u32>>;
@group(0) @binding(7) var<storage, read> sums: array<vec4<u32>>;

const HALF: vec4<u32> = vec4<u32>(0xffffu);
const S16: vec4<u32> = vec4<u32>(16u);

// First vec4 of the sums of row y.
fn sums_at(out: Picture, y: u32) -> u32 {
    return 2u * (out.first - params.first + y * out.stride);
}

// Sums of column v of a row.
struct Sums {
    even: vec4<u32>,
    odd: vec4<u32>,
}

fn sums_of(row: u32, v: u32, width: i32) -> Sums {
    // Words that the window reaches to the left.
    let reach = select((TAPS / 2u + 3u) / 4u, TAPS / 2u, RGBA);
    var i = i32(4u * v) - i32(reach);
    var w = vec4(word_at(row, i, width), word_at(row, i + 1, width), word_at(row, i + 2, width), word_at(row, i + 3, width));
    i += 4;
    var even = vec4(0u);
    var odd = vec4(0u);
    for (var g = 0u; g < GROUPS; g++) {
        let taps = row_taps[g];
        even += (w & LO) * taps.x;
        odd += ((w >> S8) & LO) * taps.x;
        if (RGBA) {
            for (var k = 1u; k < 4u; k++) {
                w = vec4(w.yzw, word_at(row, i, width));
                i += 1;
                even += (w & LO) * taps[k];
                odd += ((w >> S8) & LO) * taps[k];
            }
            w = vec4(w.yzw, word_at(row, i, width));
        } else {
            let next = vec4(w.yzw, word_at(row, i, width));
            // Shifted by a byte the odd bytes are the even ones.
            let b = (w >> S8) | (next << S24);
            let c = (w >> S16) | (next << S16);
            let d = (w >> S24) | (next << S8);
            even += (b & LO) * taps.y + (c & LO) * taps.z + (d & LO) * taps.w;
            odd += ((b >> S8) & LO) * taps.y + ((c >> S8) & LO) * taps.z + ((d >> S8) & LO) * taps.w;
            w = next;
        }
        i += 1;
    }
    return Sums(even, odd);
}

// Sums along rows: one column, four rows an invocation.
@compute @workgroup_size(WG)
fn rows(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let item = item_of(group, groups, local);
    let picture = src_pictures[group.z];
    let out = out_pictures[group.z];
    let block = item / out.stride;
    let v = item - block * out.stride;
    for (var y = 4u * block; y < min(4u * block + 4u, out.height); y++) {
        let sum = sums_of(picture.first + y * picture.stride, v, i32(picture.width));
        let at = sums_at(out, y) + 2u * v;
        dst_sums[at] = sum.even;
        dst_sums[at + 1u] = sum.odd;
    }
}

// Bytes 0, 2, 1, 3 of the words of a column, as exact integers below 2^24.
struct Sum {
    a: vec4<f32>,
    b: vec4<f32>,
    c: vec4<f32>,
    d: vec4<f32>,
}

fn add(sum: ptr<function, Sum>, even: vec4<u32>, odd: vec4<u32>, tap: f32) {
    (*sum).a += vec4<f32>(vec4<i32>(even & HALF)) * tap;
    (*sum).b += vec4<f32>(vec4<i32>(even >> S16)) * tap;
    (*sum).c += vec4<f32>(vec4<i32>(odd & HALF)) * tap;
    (*sum).d += vec4<f32>(vec4<i32>(odd >> S16)) * tap;
}

fn rounded(sum: vec4<f32>) -> vec4<u32> {
    return (vec4<u32>(vec4<i32>(sum)) + 32768u) >> S16;
}

// The blurred column as bytes.
fn packed(sum: Sum) -> vec4<u32> {
    return rounded(sum.a) | (rounded(sum.c) << S8) | (rounded(sum.b) << S16) | (rounded(sum.d) << S24);
}

// Blurred columns v of the rows y .. y+3; those behind the last row mean nothing.
struct Four {
    rows: array<vec4<u32>, 4>,
}

fn blurred(out: Picture, y: u32, v: u32) -> Four {
    var s0: Sum;
    var s1: Sum;
    var s2: Sum;
    var s3: Sum;
    for (var j = 0u; j < TAPS + 3u; j++) {
        let from_row = inside(i32(y + j) - i32(TAPS / 2u), i32(out.height));
        let at = sums_at(out, u32(from_row)) + 2u * v;
        let even = sums[at];
        let odd = sums[at + 1u];
        let taps = column_taps[j];
        add(&s0, even, odd, taps.x);
        add(&s1, even, odd, taps.y);
        add(&s2, even, odd, taps.z);
        add(&s3, even, odd, taps.w);
    }
    return Four(array(packed(s0), packed(s1), packed(s2), packed(s3)));
}
