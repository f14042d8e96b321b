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

// Where the bit of a colour is. Five bits of each component choose the line, three the bit in it.
fn map_word(p: vec4<u32>) -> vec4<u32> {
    let line = ((p >> vec4(3u)) & vec4(0x1fu)) | ((p >> vec4(6u)) & vec4(0x3e0u)) | ((p >> vec4(9u)) & vec4(0x7c00u));
    return (line << vec4(4u)) + (map_inner(p) >> vec4(5u));
}

fn map_inner(p: vec4<u32>) -> vec4<u32> {
    return (p & vec4(7u)) | ((p >> vec4(5u)) & vec4(0x38u)) | ((p >> vec4(10u)) & vec4(0x1c0u));
}

fn map_bit(p: vec4<u32>) -> vec4<u32> {
    return vec4(1u) << (map_inner(p) & vec4(31u));
}

// Which of four colours are not marked yet, a bit each.
fn unmarked(base: u32, p: vec4<u32>) -> u32 {
    let at = vec4(base) + map_word(p);
    let words = vec4(
        atomicLoad(&dst_map[at.x]),
        atomicLoad(&dst_map[at.y]),
        atomicLoad(&dst_map[at.z]),
        atomicLoad(&dst_map[at.w]),
    );
    let bits = select(vec4(0u), vec4(1u, 2u, 4u, 8u), (words & map_bit(p)) == vec4(0u));
    return bits.x | bits.y | bits.z | bits.w;
}

// Four colours of pixels x .. x+3; behind the row's end `instead`.
fn before_end(p: vec4<u32>, x: u32, width: u32, instead: u32) -> vec4<u32> {
    if (!TAIL) {
        return p;
    }
    return select(vec4(instead), p, vec4(x) + vec4(0u, 1u, 2u, 3u) < vec4(width));
}

// Colours of a column of 16 pixels that begins at pixel x, which is inside. At most 16 steps.
//
// New colours are rare, and a software adapter pays for an atomic whether or not a lane wants it: they are gathered first.
fn mark16(base: u32, colors: Colors, x: u32, width: u32) {
    let p = Colors(
        before_end(colors.a, x, width, colors.a.x),
        before_end(colors.b, x + 4u, width, colors.a.x),
        before_end(colors.c, x + 8u, width, colors.a.x),
        before_end(colors.d, x + 12u, width, colors.a.x),
    );
    var fresh = unmarked(base, p.a) | (unmarked(base, p.b) << 4u) | (unmarked(base, p.c) << 8u) | (unmarked(base, p.d) << 12u);
    while (fresh != 0u) {
        let i = firstTrailingBit(fresh);
        fresh &= fresh - 1u;
        let four = select(select(p.a, p.b, (i & 4u) != 0u), select(p.c, p.d, (i & 4u) != 0u), (i & 8u) != 0u);
        let two = select(four.xy, four.zw, (i & 2u) != 0u);
        let color = vec4(select(two.x, two.y, (i & 1u) != 0u));
        atomicOr(&dst_map[base + map_word(color).x], map_bit(color).x);
    }
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
