// Means over spans of samples, the first and the last weighted by how much of them is covered. Needs the overrides of common/pack.

// What one pixel of a result covers of an axis.
struct Span {
    first: u32,
    last: u32,
    head: f32,          // covered share of the first sample
    tail: f32,          // covered share of the last one; 0 when it is the first
    scale: f32,         // 1 / samples covered
}

// a / b for quotients below 2^16: the estimate is off by one at most.
fn quotient(a: u32, b: u32) -> u32 {
    let estimate = u32(f32(a) / f32(b));
    let rest = bitcast<i32>(a - estimate * b);
    return select(select(estimate, estimate + 1u, rest >= i32(b)), estimate - 1u, rest < 0);
}

// Samples [a, b) in units of 1/full, of an axis of `count` samples; all below 2^32.
fn span_of(a: u32, b: u32, full: u32, count: u32) -> Span {
    let end = min(b, count * full);
    let start = min(a, end - 1u);
    let first = quotient(start, full);
    let last = quotient(end - 1u, full);
    let one = first == last;
    let head = f32(i32(select((first + 1u) * full, end, one) - start));
    let tail = f32(i32(select(end - last * full, 0u, one)));
    return Span(first, last, head / f32(i32(full)), tail / f32(i32(full)), f32(i32(full)) / f32(i32(end - start)));
}

// Pixel i of `to` over a crop of `size` luma samples from `start` on, of an axis of `count`.
fn luma_span(i: u32, to: u32, start: u32, size: u32, count: u32) -> Span {
    let a = start * to + i * size;
    return span_of(a, a + size, to, count);
}

// The same on an axis of chroma with half the samples, which each cover two of luma: those beside their centre.
fn chroma_span(i: u32, to: u32, start: u32, size: u32, count: u32, shift: u32, cosited: bool) -> Span {
    if (shift == 0u) {
        return luma_span(i, to, start, size, count);
    }
    let a = 2u * (start * to + i * size) + select(0u, to, cosited);
    return span_of(a, a + 2u * size, 4u * to, count);
}

// Samples of words in two parts: 8-bit ones as even and odd bytes in 16-bit lanes, 10-bit ones of low and high halves, whose other bits
// are not looked at.
struct Halves {
    even: u32,
    odd: u32,
}

fn halves(w: u32) -> Halves {
    if (WIDE) {
        return Halves((w >> SHIFT) & 0x3ffu, (w >> (16u + SHIFT)) & 0x3ffu);
    }
    return Halves(w & 0x00ff00ffu, (w >> 8u) & 0x00ff00ffu);
}

// The up to three components of sums of samples that have `width` bytes.
fn components(h: Halves, width: u32) -> vec3<u32> {
    if (WIDE) {
        return select(vec3(h.even, h.odd, 0u), vec3(h.even + h.odd, 0u, 0u), width == 2u);
    }
    let low = vec2(h.even, h.odd) & vec2(0xffffu);
    let high = vec2(h.even, h.odd) >> vec2(16u);
    if (width == 4u) {
        return vec3(low, high.x);
    }
    let sums = low + high;
    return select(vec3(sums, 0u), vec3(sums.x + sums.y, 0u, 0u), width == 1u);
}

// Bytes from `start` on and before `end` of a word; at least one of four.
fn bytes_between(start: u32, end: u32) -> u32 {
    return (0xffffffffu << (8u * start)) & (0xffffffffu >> (32u - 8u * end));
}

// Words that a span touches, and which bytes of the first and the last one belong to it and to its first and last sample.
struct Words {
    first: u32,
    last: u32,
    inside: u32,        // of the first word; of the only one if there is no other
    inside_last: u32,
    head: u32,
    tail: u32,
}

fn words_of(x: Span, width: u32) -> Words {
    let start = x.first * width;
    let end = (x.last + 1u) * width;
    let first = start >> 2u;
    let last = (end - 1u) >> 2u;
    let stop = end - 4u * last;
    let at = start & 3u;
    return Words(
        first,
        last,
        bytes_between(at, select(4u, stop, first == last)),
        bytes_between(0u, stop),
        bytes_between(at, at + width),
        bytes_between(stop - width, stop),
    );
}

// Sums of a row or of several: all samples, the first and the last ones.
struct Coverage {
    all: vec3<u32>,
    head: vec3<u32>,
    tail: vec3<u32>,
}

// The same of one row, still in halves.
struct Line {
    all: Halves,
    head: Halves,
    tail: Halves,
}

// At most 256 words, so that 16-bit lanes hold their bytes.
fn line_of(row: u32, w: Words) -> Line {
    let first = src_words[row + w.first];
    var last = first;
    var all = halves(first & w.inside);
    for (var i = w.first + 1u; i <= w.last; i++) {
        last = src_words[row + i];
        let h = halves(last);
        all.even += h.even;
        all.odd += h.odd;
    }
    let beyond = halves(select(0u, last & ~w.inside_last, w.last > w.first));
    return Line(Halves(all.even - beyond.even, all.odd - beyond.odd), halves(first & w.head), halves(last & w.tail));
}

fn coverage_of(l: Line, width: u32) -> Coverage {
    return Coverage(components(l.all, width), components(l.head, width), components(l.tail, width));
}

fn weighted(c: Coverage, x: Span) -> vec3<f32> {
    let inner = c.all - c.head - select(vec3(0u), c.tail, x.last > x.first);
    return vec3<f32>(vec3<i32>(inner)) + vec3<f32>(vec3<i32>(c.head)) * x.head + vec3<f32>(vec3<i32>(c.tail)) * x.tail;
}

// Mean of each component over the span, of at most 256 rows; row 0 begins at word `base`, samples have `width` bytes.
fn mean_over(base: u32, stride: u32, x: Span, y: Span, width: u32) -> vec3<f32> {
    let w = words_of(x, width);
    var sum = weighted(coverage_of(line_of(base + y.first * stride, w), width), x) * y.head;
    if (y.last > y.first) {
        var all = vec3(0u);
        var head: Halves;
        var tail: Halves;
        for (var j = y.first + 1u; j < y.last; j++) {
            let line = line_of(base + j * stride, w);
            all += components(line.all, width);
            head = Halves(head.even + line.head.even, head.odd + line.head.odd);
            tail = Halves(tail.even + line.tail.even, tail.odd + line.tail.odd);
        }
        sum += weighted(Coverage(all, components(head, width), components(tail, width)), x)
            + weighted(coverage_of(line_of(base + y.last * stride, w), width), x) * y.tail;
    }
    return sum * (x.scale * y.scale);
}
