// Bit planes of edges, counted. Needs common/pictures, which tells the places of the planes.

@group(0) @binding(1) var<storage, read> src_bits: array<vec4<u32>>;

// Bits of item `item`: 128 pixels, `rows` rows; 0 behind the last item.
fn edge_bits(item: u32, picture: Picture, rows: u32) -> u32 {
    let block = item / picture.stride;
    let c = item - block * picture.stride;
    let first = min(block * rows, picture.height);
    var count = vec4(0u);
    for (var y = first; y < min(first + rows, picture.height); y++) {
        count += countOneBits(src_bits[picture.first + y * picture.stride + c]);
    }
    return count.x + count.y + count.z + count.w;
}
