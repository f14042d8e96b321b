// One bit for each of the 2^24 colours, one map of 2 MiB per workgroup_id.z. The importing kernel declares TAIL. Needs common/rgb16.
//
// A cache line of 64 bytes holds a cube of 8x8x8 colours, so that pixels of like colours touch few lines. A bit is set by atomicOr only
// where it is not set yet, which leaves few atomics.

// Loads of 16 bytes of an invocation that counts.
override LOADS: u32 = 64u;

@group(0) @binding(3) var<storage, read_write> dst_map: array<atomic<u32>>;
// The map once more, for counting.
@group(0) @binding(7) var<storage, read> map: array<vec4<u32>>;

const MAP_WORDS: u32 = 524288u;

fn mark1(word: u32, bit: u32) {
    if ((atomicLoad(&dst_map[word]) & bit) == 0u) {
        atomicOr(&dst_map[word], bit);
    }
}

// Colours of pixels x .. x+3; behind the row's end that of `instead`.
fn mark4(base: u32, colors: vec4<u32>, x: u32, width: u32, instead: u32) {
    var p = colors;
    if (TAIL) {
        p = select(vec4(instead), p, vec4(x) + vec4(0u, 1u, 2u, 3u) < vec4(width));
    }
    // Five bits of each component choose the line, three the bit in it.
    let line = ((p >> vec4(3u)) & vec4(0x1fu)) | ((p >> vec4(6u)) & vec4(0x3e0u)) | ((p >> vec4(9u)) & vec4(0x7c00u));
    let inner = (p & vec4(7u)) | ((p >> vec4(5u)) & vec4(0x38u)) | ((p >> vec4(10u)) & vec4(0x1c0u));
    let word = vec4(base) + (line << vec4(4u)) + (inner >> vec4(5u));
    let bit = vec4(1u) << (inner & vec4(31u));
    mark1(word.x, bit.x);
    mark1(word.y, bit.y);
    mark1(word.z, bit.z);
    mark1(word.w, bit.w);
}

// Colours of a column of 16 pixels that begins at pixel x, which is inside.
fn mark16(base: u32, p: Colors, x: u32, width: u32) {
    mark4(base, p.a, x, width, p.a.x);
    mark4(base, p.b, x + 4u, width, p.a.x);
    mark4(base, p.c, x + 8u, width, p.a.x);
    mark4(base, p.d, x + 12u, width, p.a.x);
}

// Colours in a part of map z; all invocations together see all of it.
fn map_bits(z: u32, item: u32) -> u32 {
    let invocations = MAP_WORDS / 4u / LOADS;
    var bits = vec4(0u);
    if (item < invocations) {
        let base = z * (MAP_WORDS / 4u) + item;
        for (var k = 0u; k < LOADS; k++) {
            bits += countOneBits(map[base + k * invocations]);
        }
    }
    return bits.x + bits.y + bits.z + bits.w;
}
