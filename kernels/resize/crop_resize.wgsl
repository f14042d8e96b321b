// Many boxes of pictures, which may reach outside, to the input tensor of a model: faces and persons for the next network.
//
// In:   src_words    pictures of any format, 8 or 10 bits; src_pictures says where they lie, sizes may differ
//       src_boxes    a box of a picture for each element of the tensor (workgroup_id.z), see common/pack
// Out:  dst          [boxes, 3, height, width] or [boxes, height, width, 3] (LAST) f32, or f16 two a word (HALF, even width); ONE: 1 instead of 3
// Algorithm: common/pack, bilinear without low-pass.
// Border: places are clamped to the box, then to the picture; or (PAD) those outside the picture are `pad * mul + add`.
// Exact: places and spans are split in integers; sums of samples are integers below 2^32. f32 for the rest: about ten roundings, four in
//       the matrix whose terms stay below 4, quotients within 2.5 ulp: below 4e-6 in units of rgb 0..1 (times mul), declared 1e-5. f16:
//       to nearest, halves to even, in integers.
// Loop bound: none.

#import common/pack

override LAST: bool = false;

@compute @workgroup_size(WG)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let packed = packed_at(item_of(group, groups, local), group.z);
    if (packed.count == 0u) {
        return;
    }
    if (LAST) {
        put_nhwc(packed, group.z);
    } else {
        put_nchw(packed, group.z);
    }
}
