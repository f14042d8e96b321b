// Orientations of gradients of grey pictures, rounded to multiples of 22.5 degrees. Exact: integers.

#import common/pictures

@group(0) @binding(2) var<storage, read> src_words: array<u32>;

fn luma(row: u32, x: u32) -> i32 {
    return i32((src_words[row + (x >> 2u)] >> ((x & 3u) * 8u)) & 0xffu);
}

// Which of the 8 orientations the gradient at (x, y) has.
fn orientation(picture: Picture, x: u32, y: u32) -> u32 {
    let top = (picture.first + (max(y, 1u) - 1u) * picture.stride) * 4u;
    let mid = (picture.first + y * picture.stride) * 4u;
    let low = (picture.first + min(y + 1u, picture.height - 1u) * picture.stride) * 4u;
    let left = max(x, 1u) - 1u;
    let right = min(x + 1u, picture.width - 1u);
    let a = luma(top, left);
    let b = luma(top, right);
    let c = luma(low, left);
    let d = luma(low, right);
    let gx = b - a + d - c + 2 * (luma(mid, right) - luma(mid, left));
    let gy = c - a + d - b + 2 * (luma(low, x) - luma(top, x));
    // Tangents of 11.25, 33.75, 56.25 and 78.75 degrees times 2^19: the fewest bits that file every gradient up to 1020 as its angle does.
    let rise = vec4(u32(abs(gy)) << 19u);
    let sector = vec4<u32>(rise > vec4(104287u, 350318u, 784652u, 2635774u) * u32(abs(gx)));
    let steps = sector.x + sector.y + sector.z + sector.w;
    return select(steps, (8u - steps) & 7u, (gx ^ gy) < 0);
}
