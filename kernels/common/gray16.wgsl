// Grey of 16 pixels, whatever the format: luma (of 10 bits the 8 most significant), or BT.601 in 15 bits of packed RGB as
// color/gray_from_rgb. Needs common/rgb16; the importing kernel declares TAIL.

const BYTE: vec4<u32> = vec4<u32>(0xffu);

// Codes 0..255. Of luma the pixels 0 4 8 12, 1 5 9 13, 2 6 10 14, 3 7 11 15; of packed RGB they are in order.
struct Gray {
    a: vec4<u32>,
    b: vec4<u32>,
    c: vec4<u32>,
    d: vec4<u32>,
}

fn gray4(p: vec4<u32>) -> vec4<u32> {
    let r = p & BYTE;
    let g = (p >> S8) & BYTE;
    let b = (p >> S16) & BYTE;
    return (r * 9798u + g * 19235u + b * 3735u + vec4(16384u)) >> vec4(15u);
}

// Of pixels with this luma (luma_of) and these colours (colors_of).
fn gray_of(luma: Sixteen, p: Colors) -> Gray {
    if (RGBA) {
        return Gray(gray4(p.a), gray4(p.b), gray4(p.c), gray4(p.d));
    }
    let drop = vec4(select(0u, 2u, WIDE));
    return Gray(
        ((luma.even & HALF) >> drop) & BYTE,
        ((luma.odd & HALF) >> drop) & BYTE,
        (luma.even >> (S16 + drop)) & BYTE,
        (luma.odd >> (S16 + drop)) & BYTE,
    );
}

// 1 for pixels of a column of 16 that lie inside a row of which `left` pixels are left, else 0; in the order of Gray.
fn gray_inside(left: u32) -> Gray {
    if (!TAIL) {
        return Gray(vec4(1u), vec4(1u), vec4(1u), vec4(1u));
    }
    let at = select(vec4(0u, 4u, 8u, 12u), vec4(0u, 1u, 2u, 3u), RGBA);
    let step = select(1u, 4u, RGBA);
    return Gray(
        vec4<u32>(at < vec4(left)),
        vec4<u32>(at + vec4(step) < vec4(left)),
        vec4<u32>(at + vec4(2u * step) < vec4(left)),
        vec4<u32>(at + vec4(3u * step) < vec4(left)),
    );
}

// Four bytes a word; of packed RGB only.
fn gray_packed(g: Gray) -> vec4<u32> {
    return vec4(
        g.a.x | (g.a.y << 8u) | (g.a.z << 16u) | (g.a.w << 24u),
        g.b.x | (g.b.y << 8u) | (g.b.z << 16u) | (g.b.w << 24u),
        g.c.x | (g.c.y << 8u) | (g.c.z << 16u) | (g.c.w << 24u),
        g.d.x | (g.d.y << 8u) | (g.d.z << 16u) | (g.d.w << 24u),
    );
}
