// Smaller pictures as coverage-weighted means.
//
// In:   src_words    a plane of 8-bit or 10-bit samples, of which one channel or all are used; one picture per workgroup_id.z, sizes
//                    may differ (weighted, pixels, quads)
//       src_columns, src_rows   (weighted, pixels, quads) per column and row of the result: first and last source, and what their weights
//                    exceed that of a source that lies wholly inside by (modulo 2^32); before the rows: weights of a column and a
//                    row that lie wholly inside, and D. One table for all pictures, or one each
// Out:  dst, dst_words   a plane of bytes of one size, rows padded to 16 bytes (padding holds anything)
// Algorithm: floor((sum wx wy p + D/2) / D), D = sum wx wy. Whole factors up to 8: box sums in 16-bit lanes, 16 pixels an invocation.
// Border: none, sources never lie outside.
// Exact: integers. Boxes: lanes at most 64 * 255; the division by N <= 64 is a multiplication by ceil(2^20 / N).
//       Weighted: row sums below 2^24 are added up in two parts of 12 bits, each at most 2^28; the quotient is estimated in f32
//       and corrected by its remainder modulo 2^32. Quads: sums of 255 D, below 2^32.
// Loop bound: KY <= 8 (boxes); channels * rows * words of sources (weighted, pixels, quads), at most 32768, checked in plan.

#import common/grid
#import common/channels
#import common/boxes
#import common/overlaps
#import common/plane
#import common/spans

override WG: u32 = 8u;
// Words of four samples that a span touches at most.
override WORDS: u32 = 2u;

struct Params {
    height: u32,      // rows of the result
    columns: u32,     // invocations per row: 16 pixels each, weighted and quads 4, pixels 1
    table_columns: u32, // entries of src_columns from picture to picture
    table_rows: u32,  // entries of src_rows from picture to picture
    dst_base: u32,    // first vec4 of frame 0 (boxes), else word
    dst_stride: u32,  // vec4 or words per row
    dst_slot: u32,    // vec4 or words per frame
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(3) var<storage, read_write> dst: array<vec4<u32>>;
@group(0) @binding(5) var<storage, read_write> dst_words: array<u32>;
@group(0) @binding(7) var<storage, read> src_rows: array<vec4<u32>>;

@compute @workgroup_size(WG)
fn average_boxes(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let item = item_of(group, groups, local);
    if (item >= params.columns * params.height) {
        return;
    }
    let y = item / params.columns;
    let v = item - y * params.columns;
    let plane = plane_of(group.z);
    var at = plane.x + y * KY * plane.y + v * KX * SPAN;
    var sums: Sums;
    for (var k = 0u; k < KY; k++) {
        add(&sums, 0u, at);
        add(&sums, 1u, at);
        add(&sums, 2u, at);
        add(&sums, 3u, at);
        add(&sums, 4u, at);
        add(&sums, 5u, at);
        add(&sums, 6u, at);
        add(&sums, 7u, at);
        at += plane.y;
    }
    dst[params.dst_base + group.z * params.dst_slot + y * params.dst_stride + v] =
        mean(&sums, 0u) | (mean(&sums, 1u) << S8) | (mean(&sums, 2u) << S16) | (mean(&sums, 3u) << vec4(24u));
}

// (high * 4096 + low + D/2) / D; the quotient is at most 255, D at most 2^30.
fn quotient(high: u32, low: u32, total: u32) -> u32 {
    let half = total / 2u;
    let estimate = u32((f32(high) * 4096.0 + f32(low) + f32(half)) / f32(total));
    let rest = bitcast<i32>((high << 12u) + low + half - estimate * total);
    return select(select(estimate, estimate + 1u, rest >= i32(total)), estimate - 1u, rest < 0);
}

@compute @workgroup_size(WG)
fn average_weighted(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let item = item_of(group, groups, local);
    if (item >= params.columns * params.height) {
        return;
    }
    let y = item / params.columns;
    let v = item - y * params.columns;
    let spans = spans_of(group.z * params.table_columns + 4u * v);
    let table = group.z * params.table_rows;
    let full = src_rows[table];
    let rows = src_rows[table + 1u + y];
    let plane = plane_of(group.z) * 4u;
    var result = vec4(0u);
    for (var c = 0u; c < CHANNELS; c++) {
        var low = vec4(0u);
        var high = vec4(0u);
        var row = plane.x + rows.x * plane.y;
        for (var j = rows.x; j <= rows.y; j++) {
            var run: Run;
            step(&run, row, spans, 0u, c);
            if (WORDS > 1u) {
                step(&run, row, spans, 1u, c);
            }
            if (WORDS > 2u) {
                step(&run, row, spans, 2u, c);
            }
            for (var i = 3u; i < WORDS; i++) {
                step(&run, row, spans, i, c);
            }
            let p = (run.first >> ((spans.first & vec4(3u)) * 8u)) & BYTE;
            let q = (run.last >> ((spans.last & vec4(3u)) * 8u)) & BYTE;
            let sum = run.sum * full.x + p * spans.head + q * spans.tail;
            let weight = full.y + select(0u, rows.z, j == rows.x) + select(0u, rows.w, j == rows.y);
            low += (sum & vec4(4095u)) * weight;
            high += (sum >> vec4(12u)) * weight;
            row += plane.y;
        }
        let word = pack(vec4(
            quotient(high.x, low.x, full.z),
            quotient(high.y, low.y, full.z),
            quotient(high.z, low.z, full.z),
            quotient(high.w, low.w, full.z),
        ));
        result = select(result, vec4(word), vec4(0u, 1u, 2u, 3u) == vec4(c));
    }
    let to = params.dst_base + group.z * params.dst_slot + y * params.dst_stride + v * CHANNELS;
    for (var c = 0u; c < CHANNELS; c++) {
        dst_words[to + c] = interleaved(result, c);
    }
}

fn bytes_of(w: u32) -> vec4<u32> {
    return (vec4(w) >> vec4(0u, 8u, 16u, 24u)) & BYTE;
}

// Four interleaved channels: one pixel, one word, an invocation; a component a channel.
@compute @workgroup_size(WG)
fn average_pixels(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let item = item_of(group, groups, local);
    if (item >= params.columns * params.height) {
        return;
    }
    let y = item / params.columns;
    let x = item - y * params.columns;
    let span = src_columns[group.z * params.table_columns + x];
    let table = group.z * params.table_rows;
    let full = src_rows[table];
    let rows = src_rows[table + 1u + y];
    let plane = plane_of(group.z) * 4u;
    var low = vec4(0u);
    var high = vec4(0u);
    var row = plane.x + rows.x * plane.y;
    for (var j = rows.x; j <= rows.y; j++) {
        var run = vec4(0u);
        for (var i = span.x; i <= span.y; i++) {
            run += bytes_of(src_words[row + i]);
        }
        let sum = run * full.x + bytes_of(src_words[row + span.x]) * span.z + bytes_of(src_words[row + span.y]) * span.w;
        let weight = full.y + select(0u, rows.z, j == rows.x) + select(0u, rows.w, j == rows.y);
        low += (sum & vec4(4095u)) * weight;
        high += (sum >> vec4(12u)) * weight;
        row += plane.y;
    }
    dst_words[params.dst_base + group.z * params.dst_slot + y * params.dst_stride + x] = pack(vec4(
        quotient(high.x, low.x, full.z),
        quotient(high.y, low.y, full.z),
        quotient(high.z, low.z, full.z),
        quotient(high.w, low.w, full.z),
    ));
}

fn quotients(sums: vec4<u32>, total: u32) -> vec4<u32> {
    let high = sums >> vec4(12u);
    let low = sums & vec4(4095u);
    return vec4(
        quotient(high.x, low.x, total),
        quotient(high.y, low.y, total),
        quotient(high.z, low.z, total),
        quotient(high.w, low.w, total),
    );
}

// Four interleaved channels, D up to 2^24: four pixels an invocation, four columns a load, first summed down, then across.
@compute @workgroup_size(WG)
fn average_quads(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let item = item_of(group, groups, local);
    if (item >= params.columns * params.height) {
        return;
    }
    let y = item / params.columns;
    let v = item - y * params.columns;
    let spans = spans_of(group.z * params.table_columns + 4u * v);
    let table = group.z * params.table_rows;
    let full = src_rows[table];
    let rows = src_rows[table + 1u + y];
    let plane = plane_of(group.z);
    // What the pixels cover, in units of which a column has full.x: weights are lengths of overlaps.
    let lone = spans.first == spans.last;
    let whole = vec4(i32(full.x));
    let begin = select(-vec4<i32>(spans.head), vec4(0), lone) + vec4<i32>(spans.first) * whole;
    let end = vec4<i32>(spans.last) * whole + whole + select(vec4<i32>(spans.tail), vec4<i32>(spans.head), lone);
    let last_column = spans.last.w >> 2u;
    var sums: Four;
    var c = spans.first.x >> 2u;
    // Loops end with their test: a software adapter would run a step more, for nothing, were it at the beginning.
    loop {
        var down: Four;
        var at = plane.x + rows.x * plane.y + c;
        var j = rows.x;
        loop {
            let weight = full.y + select(0u, rows.z, j == rows.x) + select(0u, rows.w, j == rows.y);
            let p = src[at];
            down.r += (p & BYTE) * weight;
            down.g += ((p >> S8) & BYTE) * weight;
            down.b += ((p >> S16) & BYTE) * weight;
            down.a += (p >> vec4(24u)) * weight;
            at += plane.y;
            continuing {
                j += 1u;
                break if j > rows.y;
            }
        }
        let left = vec4(i32(4u * c)) * whole;
        add_column(&sums, overlap(begin, end, left, whole), down.r.x, down.g.x, down.b.x, down.a.x);
        add_column(&sums, overlap(begin, end, left + whole, whole), down.r.y, down.g.y, down.b.y, down.a.y);
        add_column(&sums, overlap(begin, end, left + 2 * whole, whole), down.r.z, down.g.z, down.b.z, down.a.z);
        add_column(&sums, overlap(begin, end, left + 3 * whole, whole), down.r.w, down.g.w, down.b.w, down.a.w);
        continuing {
            c += 1u;
            break if c > last_column;
        }
    }
    let r = quotients(sums.r, full.z);
    let g = quotients(sums.g, full.z);
    let b = quotients(sums.b, full.z);
    let result = r | (g << S8) | (b << S16) | (quotients(sums.a, full.z) << vec4(24u));
    // Rows are padded to four pixels.
    dst[(params.dst_base + group.z * params.dst_slot + y * params.dst_stride) / 4u + v] = result;
}
