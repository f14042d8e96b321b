// Number of pixels that an operation covered, one word a picture, zero before.

@group(0) @binding(8) var<storage, read_write> dst_covered: array<atomic<u32>>;

// Adds the counts of all invocations of a subgroup; call it in uniform control flow.
fn add_covered(picture: u32, count: u32, lane: u32) {
    let total = subgroupAdd(count);
    if (lane == 0u && total > 0u) {
        atomicAdd(&dst_covered[picture], total);
    }
}
