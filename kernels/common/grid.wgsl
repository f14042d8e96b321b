// Work items of a frame spread over workgroup_id.xy, because one dimension of a dispatch has a limit.

// Number of this invocation among the items of its frame; the last ones of the grid lie behind the last item.
fn item_of(group: vec3<u32>, groups: vec3<u32>, local: u32) -> u32 {
    return (group.y * groups.x + group.x) * WG + local;
}
