// Pictures in columns of 16 pixels and ROWS rows. Needs common/pictures; the importing kernel declares ROWS and params.first, the number of
// the first picture.

// A column of 16 pixels and up to ROWS rows of a picture; no rows behind the last item.
struct Part {
    picture: Picture,
    v: u32,
    first: u32,
    end: u32,
}

fn part_of(item: u32, z: u32) -> Part {
    let picture = src_pictures[params.first + z];
    let columns = (picture.width + 15u) >> 4u;
    let block = item / columns;
    let first = min(block * ROWS, picture.height);
    return Part(picture, item - block * columns, first, min(first + ROWS, picture.height));
}
