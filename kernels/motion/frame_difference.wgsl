// Sum of absolute luma differences to the frame before, number of pixels over a threshold and sum of both frames, for a batch.
//
// In:   src          luma plane, u8 or 10-bit in 16-bit words, one per frame (workgroup_id.z); the frame before lies one slot before
// Out:  dst_sums     6 words a frame, zero before: sum |a-b|, number of |a-b| > threshold, sum of both (two words each, low first)
// Algorithm: 16 pixels x ROWS rows an invocation, differences in 16-bit lanes (docs: ARCHITECTURE.md, "SWAR").
// Border: none; padding behind the last pixel is masked.
// Exact: integers. A 16-bit lane collects at most 4 * 255 * ROWS = 32640.
// Loop bound: ROWS steps, at most 32.

#import common/grid
#import common/luma
#import common/sum64

override WG: u32 = 8u;
override ROWS: u32 = 20u;
override TAIL: bool = true;

struct Params {
    base: u32,      // first vec4 of the first current frame; at least `slot`
    stride: u32,    // vec4 per row
    slot: u32,      // vec4 per frame
    width: u32,     // pixels
    height: u32,    // rows
    columns: u32,   // invocations per row: ceil(width / 16)
    blocks: u32,    // row blocks: ceil(height / ROWS)
    over: u32,      // a pixel counts from this difference on: threshold + 1
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(3) var<storage, read_write> dst_sums: array<atomic<u32>>;

@compute @workgroup_size(WG)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
    @builtin(subgroup_invocation_id) lane: u32,
) {
    let item = item_of(group, groups, local);
    var sum = vec4(0u);
    var count = vec4(0u);
    var both = vec4(0u);
    if (item < params.columns * params.blocks) {
        let block = item / params.columns;
        let v = item - block * params.columns;
        let valid = min(params.width - v * 16u, 16u);
        let me = even_mask(valid);
        let mo = odd_mask(valid);
        let over = vec4(params.over * 0x10001u);
        let frame = params.base + group.z * params.slot;
        for (var k = 0u; k < ROWS; k++) {
            let y = block * ROWS + k;
            if (y >= params.height) {
                break;
            }
            let row = frame + y * params.stride;
            let now = luma16(row, v);
            let before = luma16(row - params.slot, v);
            let even = absdiff_lanes(now & LO, before & LO);
            let odd = absdiff_lanes((now >> S8) & LO, (before >> S8) & LO);
            if (TAIL) {
                sum += (even & me) + (odd & mo);
                both += (((now & LO) + (before & LO)) & me) + ((((now >> S8) & LO) + ((before >> S8) & LO)) & mo);
                count += (at_least_lanes(even, over) & me) + (at_least_lanes(odd, over) & mo);
            } else {
                sum += even + odd;
                both += (now & LO) + (before & LO) + ((now >> S8) & LO) + ((before >> S8) & LO);
                count += at_least_lanes(even, over) + at_least_lanes(odd, over);
            }
        }
    }
    let at = group.z * 6u;
    sum64(at, sum_lanes(sum), lane);
    sum64(at + 2u, sum_lanes(count), lane);
    sum64(at + 4u, sum_lanes(both), lane);
}
