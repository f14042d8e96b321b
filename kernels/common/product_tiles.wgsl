// The same for GPUs: 64 rows against 64 rows a workgroup of 64, through workgroup memory. Needs common/products.
//
// Sums run over the numbers in order, one at a time: as many roundings as numbers, for each product and each sum.

// Number n of rows 4g .. 4g+3 of a tile of 64 rows and 16 numbers: n * 16 + g.
var<workgroup> left: array<vec4<f32>, 256>;
var<workgroup> right: array<vec4<f32>, 256>;

// Eight rows against eight rows: sums[2 i] holds row i against the first four, sums[2 i + 1] against the others.
alias Tile = array<vec4<f32>, 16>;

fn against(value: f32, r: vec4<f32>) -> vec4<f32> {
    return term(vec4(value), r);
}

fn multiply(sums: ptr<function, Tile>, n: u32, row: u32, column: u32) {
    let a = left[n * 16u + 2u * row];
    let b = left[n * 16u + 2u * row + 1u];
    let p = right[n * 16u + 2u * column];
    let q = right[n * 16u + 2u * column + 1u];
    (*sums)[0] += against(a.x, p);
    (*sums)[1] += against(a.x, q);
    (*sums)[2] += against(a.y, p);
    (*sums)[3] += against(a.y, q);
    (*sums)[4] += against(a.z, p);
    (*sums)[5] += against(a.z, q);
    (*sums)[6] += against(a.w, p);
    (*sums)[7] += against(a.w, q);
    (*sums)[8] += against(b.x, p);
    (*sums)[9] += against(b.x, q);
    (*sums)[10] += against(b.y, p);
    (*sums)[11] += against(b.y, q);
    (*sums)[12] += against(b.z, p);
    (*sums)[13] += against(b.z, q);
    (*sums)[14] += against(b.w, p);
    (*sums)[15] += against(b.w, q);
}

// a, b: first groups of the rows 4g .. 4g+3 that this invocation loads, g = local / 4; it loads group local % 4 of every four.
// Sums: rows 8 (local / 8) .. of the first matrix, 8 (local % 8) .. of the second.
fn tile_of(a: vec4<u32>, b: vec4<u32>, steps: u32, local: u32) -> Tile {
    var sums: Tile;
    let g = local / 4u;
    let part = local % 4u;
    for (var start = 0u; start < steps; start += 4u) {
        // Groups behind the end load as zero: they must not count.
        let i = min(start + part, steps - 1u);
        let inside = select(0.0, 1.0, start + part < steps);
        let l = transpose(mat4x4<f32>(src[a.x + i], src[a.y + i], src[a.z + i], src[a.w + i])) * inside;
        let r = transpose(mat4x4<f32>(four(b.x + i), four(b.y + i), four(b.z + i), four(b.w + i))) * inside;
        let to = part * 64u + g;
        left[to] = l[0];
        left[to + 16u] = l[1];
        left[to + 32u] = l[2];
        left[to + 48u] = l[3];
        right[to] = r[0];
        right[to + 16u] = r[1];
        right[to + 32u] = r[2];
        right[to + 48u] = r[3];
        workgroupBarrier();
        for (var n = 0u; n < 16u; n += 4u) {
            multiply(&sums, n, local / 8u, local % 8u);
            multiply(&sums, n + 1u, local / 8u, local % 8u);
            multiply(&sums, n + 2u, local / 8u, local % 8u);
            multiply(&sums, n + 3u, local / 8u, local % 8u);
        }
        workgroupBarrier();
    }
    return sums;
}
