// One plane of the pictures that a kernel reads.

#import common/pictures

override PLANE: u32 = 0u;

// First vec4 of the plane, and vec4 from row to row.
fn plane_of(index: u32) -> vec2<u32> {
    let picture = src_pictures[index];
    if (PLANE == 0u) {
        return vec2(picture.first, picture.stride);
    }
    return vec2(select(picture.third, picture.second, PLANE == 1u), picture.chroma_stride);
}
