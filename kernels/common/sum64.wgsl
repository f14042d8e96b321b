// Exact 64-bit sums over all invocations: subgroup reduction in 16-bit halves, then two 32-bit atomics with carry.
//
// A kernel that imports this declares `dst_sums: array<atomic<u32>>`. A sum takes two words, low first. Each subgroup may add
// at most 2^16 invocations x 16 bits before the halves overflow; subgroups have at most 128.

fn sum64(at: u32, value: u32, lane: u32) {
    let low = subgroupAdd(value & 0xffffu);
    let high = subgroupAdd(value >> 16u);
    if (lane == 0u) {
        let word = low + (high << 16u);
        let carry = select(0u, 1u, word < low);
        add64(at, word, (high >> 16u) + carry);
    }
}

// The same for a signed value, in two's complement.
fn sum64_signed(at: u32, value: i32, lane: u32) {
    let total = subgroupAdd(value);
    if (lane == 0u) {
        add64(at, bitcast<u32>(total), select(0u, 0xffffffffu, total < 0));
    }
}

fn add64(at: u32, low: u32, high: u32) {
    let before = atomicAdd(&dst_sums[at], low);
    let carry = select(0u, 1u, before + low < before);
    atomicAdd(&dst_sums[at + 1u], high + carry);
}
