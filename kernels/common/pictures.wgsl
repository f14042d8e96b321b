// The pictures that a kernel reads, one entry a picture (workgroup_id.z), so that a batch may hold different sizes.

#import common/picture

@group(0) @binding(4) var<storage, read> src_pictures: array<Picture>;
