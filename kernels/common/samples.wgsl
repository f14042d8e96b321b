// The pictures that a kernel reads, and how their samples are stored. Needed by common/luma and common/lanes16.
//
// They are bound twice: as vec4 words for the centre and as words for neighbours. Rows start at multiples of 16 bytes and are named
// by their first vec4. WIDE: 16-bit samples, else bytes. SHIFT: right shift of a stored 16-bit sample, see the importing files.

override WIDE: bool = false;
override SHIFT: u32 = 0u;

@group(0) @binding(1) var<storage, read> src: array<vec4<u32>>;
@group(0) @binding(2) var<storage, read> src_words: array<u32>;

const LO: vec4<u32> = vec4<u32>(0x00ff00ffu);
const HALF: vec4<u32> = vec4<u32>(0xffffu);
const S8: vec4<u32> = vec4<u32>(8u);
const S16: vec4<u32> = vec4<u32>(16u);
