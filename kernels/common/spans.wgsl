// Sums over the spans of source columns that make four pixels, four samples at a time. Needs common/channels and common/boxes.

@group(0) @binding(2) var<storage, read> src_columns: array<vec4<u32>>;

// Source columns of four pixels: first and last one, what their weights exceed that of one wholly inside by.
struct Spans {
    first: vec4<u32>,
    last: vec4<u32>,
    head: vec4<u32>,
    tail: vec4<u32>,
}

fn spans_of(at: u32) -> Spans {
    let a = src_columns[at];
    let b = src_columns[at + 1u];
    let c = src_columns[at + 2u];
    let d = src_columns[at + 3u];
    return Spans(
        vec4(a.x, b.x, c.x, d.x),
        vec4(a.y, b.y, c.y, d.y),
        vec4(a.z, b.z, c.z, d.z),
        vec4(a.w, b.w, c.w, d.w),
    );
}

// Four samples of channel c as bytes, from SPAN words.
fn four_of(at: u32, c: u32) -> u32 {
    let shift = SHIFT + c * STEP;
    if (SPAN == 1u) {
        return src_words[at];
    }
    let last = arrayLength(&src_words) - 1u;
    if (SPAN == 2u) {
        let p = (src_words[at] >> shift) & 0xff00ffu;
        let q = (src_words[min(at + 1u, last)] >> shift) & 0xff00ffu;
        return ((p | (p >> 8u)) & 0xffffu) | ((q | (q >> 8u)) << 16u);
    }
    let x = vec4(at) + vec4(0u, 1u, 2u, 3u);
    let s = min(x, vec4(last));
    return pack((vec4(src_words[s.x], src_words[s.y], src_words[s.z], src_words[s.w]) >> vec4(shift)) & BYTE);
}

// Samples i words behind the first ones of the spans: adds those that lie inside, keeps the words at both ends.
struct Run {
    sum: vec4<u32>,
    first: vec4<u32>,
    last: vec4<u32>,
}

fn step(run: ptr<function, Run>, row: u32, spans: Spans, i: u32, c: u32) {
    let end = spans.last >> vec4(2u);
    let at = (spans.first >> vec4(2u)) + i;
    let place = min(at, end) * SPAN + row;
    let w = vec4(four_of(place.x, c), four_of(place.y, c), four_of(place.z, c), four_of(place.w, c));
    // Bytes from the first on, up to the last.
    let head = select(vec4(~0u), vec4(~0u) << ((spans.first & vec4(3u)) * 8u), vec4(i == 0u));
    let tail = select(vec4(~0u), vec4(~0u) >> (vec4(24u) - (spans.last & vec4(3u)) * 8u), at >= end);
    let inside = select(w & head & tail, vec4(0u), at > end);
    let lanes = (inside & LO) + ((inside >> S8) & LO);
    (*run).sum += (lanes & HALF) + (lanes >> S16);
    if (i == 0u) {
        (*run).first = w;
    }
    (*run).last = w;
}
