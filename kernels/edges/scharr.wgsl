// Scharr derivatives of a batch of pictures, or their magnitude.
//
// In:   src          luma plane, u8 or 10-bit in 16-bit words, one per picture (workgroup_id.z), sizes may differ
// Out:  dst, dst_gy  derivatives: maps of i16, gx to the right and gy downwards
//       dst          magnitude: bytes min(|gx| + |gy|, 255), rows padded to 16 bytes (padding holds anything);
//                    norm: map of u16, sqrt(gx^2 + gy^2) to the nearest integer
// Algorithm: gx = [-3 0 3; -10 0 10; -3 0 3], gy its transpose; Scharr 2000.
//       Sliding window down ROWS rows, 16 pixels an invocation, pixels in 16-bit lanes.
// Border: reflect-101, replicate where a side is 1.
// Exact: integers; the f32 root is only an estimate that integers correct.
// Loop bound: ROWS steps, at most 64.

#import common/grid
#import common/blocks
#import common/luma
#import common/pictures
#import common/out_pictures
#import common/rows
#import common/signed16
#import common/gradient
#import common/results16
#import common/gradient_results

const SIDE: u32 = 3u;
const CENTRE: u32 = 10u;
