// Any size to any size with a windowed sinc, as wide as the step between pixels asks for.
//
// In:   src_words    luma, u8 or 10-bit in 16-bit words, or packed RGBA (all channels alike); one picture per workgroup_id.z, sizes may
//                    differ
//       places, across, down   tables of weights, see common/resample
// Out:  dst_words    bytes (grey or RGBA), rows padded to 16 bytes (padding holds anything)
//       dst_sums     bytes of the first pass: four samples a vec4
// Algorithm: Lanczos window of 3 lobes (Duchon 1979), widened by the factor where pictures shrink; weights in 2^-22 made by the host;
//       `rows`, then `columns`, each clamp((sum w p + 2^21) >> 22): the same as Pillow.
// Border: weights outside are left out, the others sum to 1.
// Exact: integers; sums of 255 * 1.5 * 2^22 < 2^31 at most.
// Loop bound: weights of an axis, at most 32768.

#import common/grid
#import common/out_pictures
#import common/pictures
#import common/bytes
#import common/resample
