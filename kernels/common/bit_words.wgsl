// Words of the planes `src_sides` (strong) and `src_weak_words`, with the bits around them. Needs common/pictures.

// A word of a row, the bit before it (in bit 0) and the bit behind it (in bit 31); nothing outside.
struct Around {
    before: u32,
    word: u32,
    behind: u32,
}

fn strong_around(picture: Picture, c: u32, y: u32) -> Around {
    if (y >= picture.height) {
        return Around(0u, 0u, 0u);
    }
    let words = 4u * picture.stride;
    let at = picture.first * 4u + y * words + c;
    let last = arrayLength(&src_sides) - 1u;
    return Around(
        select(0u, src_sides[max(at, 1u) - 1u] >> 31u, c > 0u),
        src_sides[at],
        select(0u, src_sides[min(at + 1u, last)] << 31u, c + 1u < words),
    );
}

// Weak and not strong.
fn open_around(picture: Picture, c: u32, y: u32) -> Around {
    let s = strong_around(picture, c, y);
    if (y >= picture.height) {
        return s;
    }
    let words = 4u * picture.stride;
    let at = picture.first * 4u + y * words + c;
    let last = arrayLength(&src_weak_words) - 1u;
    return Around(
        select(0u, src_weak_words[max(at, 1u) - 1u] >> 31u, c > 0u) & ~s.before,
        src_weak_words[at] & ~s.word,
        select(0u, src_weak_words[min(at + 1u, last)] << 31u, c + 1u < words) & ~s.behind,
    );
}

// Pixels next to a strong one in a row.
fn wide(a: Around) -> u32 {
    return a.word | (a.word << 1u) | (a.word >> 1u) | a.before | a.behind;
}
