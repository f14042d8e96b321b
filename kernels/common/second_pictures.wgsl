// A second batch of pictures that a kernel reads, one entry a picture (workgroup_id.z).

#import common/picture

@group(0) @binding(2) var<storage, read> src_second: array<vec4<u32>>;
@group(0) @binding(6) var<storage, read> src_second_pictures: array<Picture>;
