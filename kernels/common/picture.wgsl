// Place and size of one picture of a batch. Positions and strides in vec4 units (16 bytes) of the buffer, sides in pixels.
struct Picture {
    first: u32,         // first row of the first plane: luma, grey or packed RGBA
    stride: u32,        // from row to row of the first plane
    width: u32,
    height: u32,
    second: u32,        // first row of the second plane: U, or U and V interleaved; 0 where there is none
    third: u32,         // first row of the third plane: V; 0 where there is none
    chroma_stride: u32, // from row to row of the second and third plane
    reserved: u32,
}
