// Rectangles of pictures to the input tensor of a model: resample, colour, normalise, the channels of a pixel together.
//
// In:   src_words    pictures of any format, 8 or 10 bits; src_pictures says where they lie, sizes may differ
//       src_boxes    a rectangle of a picture for each element of the tensor (workgroup_id.z), see common/pack
// Out:  dst          [boxes, height, width, 3] f32, or f16 two a word (HALF, even width); ONE: 1 instead of 3
// Algorithm: common/pack: bilinear without low-pass, or means over what a pixel covers (AREA).
// Border: places are clamped to the crop, chroma taps and spans to the plane; outside the content `pad * mul + add`.
// Exact: places and spans are split in integers; sums of samples are integers below 2^32. f32 for the rest: about ten roundings, four in
//       the matrix whose terms stay below 4, quotients within 2.5 ulp: below 4e-6 in units of rgb 0..1 (times mul), declared 1e-5. f16:
//       to nearest, halves to even, in integers.
// Loop bound: none; AREA: 4 pixels of up to three planes of rows + 2 by words + 3, at most 32768, checked for every box; 256 rows and words.

#import common/pack

@compute @workgroup_size(WG)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let packed = packed_at(item_of(group, groups, local), group.z);
    if (packed.count > 0u) {
        put_nhwc(packed, group.z);
    }
}
