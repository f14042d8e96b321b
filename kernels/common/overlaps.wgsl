// Four pixels of four channels each, made of columns weighted by how much of them the pixels cover.

// Sums of the four channels, four pixels each.
struct Four {
    r: vec4<u32>,
    g: vec4<u32>,
    b: vec4<u32>,
    a: vec4<u32>,
}

fn add_column(sums: ptr<function, Four>, w: vec4<u32>, r: u32, g: u32, b: u32, a: u32) {
    (*sums).r += w * r;
    (*sums).g += w * g;
    (*sums).b += w * b;
    (*sums).a += w * a;
}

// How much of begin .. end lies in left .. left + whole.
fn overlap(begin: vec4<i32>, end: vec4<i32>, left: vec4<i32>, whole: vec4<i32>) -> vec4<u32> {
    return vec4<u32>(max(min(end, left + whole) - max(begin, left), vec4(0)));
}
