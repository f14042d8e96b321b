// The part of a picture that an invocation slides down: a column of 16 pixels, ROWS rows. Needs common/grid.

override WG: u32 = 8u;
override ROWS: u32 = 20u;

struct Block {
    inside: bool,   // the last items of a grid lie behind the last block
    column: u32,    // of 16 pixels
    first: u32,     // first row
    bottom: u32,    // last row of the picture
}

fn block_of(item: u32, width: u32, height: u32) -> Block {
    let columns = (width + 15u) >> 4u;
    let block = item / columns;
    return Block(block * ROWS < height, item - block * columns, block * ROWS, height - 1u);
}
