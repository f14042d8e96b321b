// Adds a batch of frames, or their differences to the frames before, to a map of u32 counters.
//
// In:   src          luma plane, u8 or 10-bit in 16-bit words; the frame before lies one slot before
// Out:  dst_heat     u32 per pixel, 16 * columns of them a row, added to; what lies behind the last pixel of a row means nothing
// Algorithm: 16 pixels an invocation through all frames of the batch, the frame before stays in registers, sums in 16-bit lanes,
//       widened into the map once per batch (docs: ARCHITECTURE.md, "SWAR").
// Border: none.
// Exact: integers. A 16-bit lane collects at most 255 * 256 frames = 65280; the host counts frames for the u32 sums.
// Loop bound: one step per frame, at most 256 (checked in bind).

#import common/grid
#import common/luma

override WG: u32 = 64u;
// 0: count differences of at least `over`; 1: sum of absolute differences; 2: sum of samples.
override MODE: u32 = 0u;

struct Params {
    base: u32,      // first vec4 of the first frame; at least `slot` where differences are taken
    stride: u32,    // vec4 per row
    slot: u32,      // vec4 per frame
    columns: u32,   // vec4 of 16 pixels per row: ceil(width / 16)
    height: u32,    // rows
    over: u32,      // a difference counts from here on: threshold + 1
    frames: u32,    // frames of this dispatch
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(3) var<storage, read_write> dst_heat: array<vec4<u32>>;

@compute @workgroup_size(WG)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let item = item_of(group, groups, local);
    let y = item / params.columns;
    if (y >= params.height) {
        return;
    }
    let v = item - y * params.columns;
    var row = params.base + y * params.stride;
    var before = vec4(0u);
    if (MODE != 2u) {
        before = luma16(row - params.slot, v);
    }
    let over = vec4(params.over * 0x10001u);
    var even = vec4(0u);
    var odd = vec4(0u);
    for (var k = 0u; k < params.frames; k++) {
        let now = luma16(row, v);
        if (MODE == 2u) {
            even += now & LO;
            odd += (now >> S8) & LO;
        } else {
            let de = absdiff_lanes(now & LO, before & LO);
            let do_ = absdiff_lanes((now >> S8) & LO, (before >> S8) & LO);
            if (MODE == 1u) {
                even += de;
                odd += do_;
            } else {
                even += at_least_lanes(de, over);
                odd += at_least_lanes(do_, over);
            }
            before = now;
        }
        row += params.slot;
    }
    let at = (y * params.columns + v) * 4u;
    dst_heat[at] += vec4(even.x & 0xffffu, odd.x & 0xffffu, even.x >> 16u, odd.x >> 16u);
    dst_heat[at + 1u] += vec4(even.y & 0xffffu, odd.y & 0xffffu, even.y >> 16u, odd.y >> 16u);
    dst_heat[at + 2u] += vec4(even.z & 0xffffu, odd.z & 0xffffu, even.z >> 16u, odd.z >> 16u);
    dst_heat[at + 3u] += vec4(even.w & 0xffffu, odd.w & 0xffffu, even.w >> 16u, odd.w >> 16u);
}
