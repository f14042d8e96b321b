// Measuring sticks of the benchmarks: what this adapter can read, write and copy, and what a dispatch costs. No operation.
//
// In:   src_words    any bytes, as vec4<u32>
// Out:  dst_words    copied: src; written: the position; read: nothing, unless the impossible happens
// Algorithm: STEPS loads or stores an invocation, one grid apart, so that neighbours touch neighbouring addresses.
// Exact: bytes are copied.
// Loop bound: STEPS, 8.

override WG: u32 = 64u;
const STEPS: u32 = 8u;

@group(0) @binding(1) var<storage, read> src_words: array<vec4<u32>>;
@group(0) @binding(2) var<storage, read_write> dst_words: array<vec4<u32>>;

@compute @workgroup_size(WG)
fn copy_words(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    for (var k = 0u; k < STEPS; k++) {
        let at = id.x + k * groups.x * WG;
        if (at < arrayLength(&src_words)) {
            dst_words[at] = src_words[at];
        }
    }
}

@compute @workgroup_size(WG)
fn read_words(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    var all = vec4(0u);
    for (var k = 0u; k < STEPS; k++) {
        let at = min(id.x + k * groups.x * WG, arrayLength(&src_words) - 1u);
        all |= src_words[at];
    }
    // The host fills src with small values: never true, but the compiler cannot know.
    if (all.x == 0xffffffffu) {
        dst_words[0] = all;
    }
}

@compute @workgroup_size(WG)
fn write_words(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    for (var k = 0u; k < STEPS; k++) {
        let at = id.x + k * groups.x * WG;
        if (at < arrayLength(&dst_words)) {
            dst_words[at] = vec4(at);
        }
    }
}

@compute @workgroup_size(WG)
fn nothing(@builtin(global_invocation_id) id: vec3<u32>) {
    if (id.x == 0xffffffffu) {
        dst_words[0] = vec4(id.x);
    }
}
