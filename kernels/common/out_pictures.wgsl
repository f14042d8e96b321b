// The pictures that a kernel writes, one entry a picture (workgroup_id.z).

#import common/picture

@group(0) @binding(5) var<storage, read> out_pictures: array<Picture>;
