// Any size to any size with four taps per axis.
//
// In:   src_words    luma, u8 or 10-bit in 16-bit words, or packed RGBA (all channels alike); one picture per workgroup_id.z, sizes may
//                    differ
//       places, across, down   tables of weights, see common/resample
// Out:  dst_words    bytes (grey or RGBA), rows padded to 16 bytes (padding holds anything)
//       dst_sums     sums along rows, for the second pass: four samples a vec4
// Algorithm: Keys' cubic with a = -0.75 (Keys 1981, parameter of OpenCV), half-pixel centres, weights in 2048ths made by the host in
//       integers; `rows`, then `columns`: clamp((sum wx wy p + 2^21) >> 22). Nothing is rounded in between. No low-pass.
// Border: replicate, weights outside count for the first or last sample.
// Exact: integers; sums of 255 * (1.375 * 2048)^2 < 2^31 at most.
// Loop bound: 4 steps.

#import common/grid
#import common/out_pictures
#import common/pictures
#import common/bytes
#import common/resample
