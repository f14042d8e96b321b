// Parts of a descriptor as they lie before they are put into a row: edges, texture, colour. Needs params.

// 0: the edge part are counts; 1: numbers; 2: counts of edge pixels, for histograms of `edge.z` bins a cell of which only the first
// and the last one can be more than 0.
override KIND: u32 = 0u;

@group(0) @binding(1) var<storage, read> src_edge: array<u32>;
@group(0) @binding(2) var<storage, read> src_texture: array<u32>;
@group(0) @binding(6) var<storage, read> src_color: array<u32>;

// Number i of a row, before weights.
fn value(picture: u32, i: u32) -> f32 {
    let texture = i - params.edge.x;
    let color = texture - params.texture.x;
    if (i < params.edge.x) {
        let at = picture * params.edge.y + params.edge.w;
        if (KIND == 2u) {
            let cell = i / params.edge.z;
            let bin = i - cell * params.edge.z;
            let share = f32(src_edge[at + cell]) * params.before.w;
            return select(select(0.0, share, bin + 1u == params.edge.z), 1.0 - share, bin == 0u);
        }
        return select(f32(src_edge[at + i]), bitcast<f32>(src_edge[at + i]), KIND == 1u);
    }
    if (texture < params.texture.x) {
        return f32(src_texture[picture * params.texture.y + params.texture.z + texture]);
    }
    if (color < params.color.x) {
        return f32(src_color[picture * params.color.y + color]);
    }
    return 0.0;
}

// A lane's share of the sum of squares of numbers begin .. end-1.
fn squares(picture: u32, begin: u32, end: u32, lane: u32) -> f32 {
    var sum = 0.0;
    for (var first = begin + lane; first < end; first += 16u * WG) {
        var block = 0.0;
        for (var i = first; i < min(first + 16u * WG, end); i += WG) {
            let v = value(picture, i);
            block += v * v;
        }
        sum += block;
    }
    return sum;
}
