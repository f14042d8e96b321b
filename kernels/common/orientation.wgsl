// Votes of gradients into bins of orientation in [0, 180) degrees; which bin is exact.
//
// A pixel lies in bin i or a higher one when its gradient is at or left of border i: the sign of a cross product of integers below 2^18.
// The host chooses integer directions for the borders, so that no pixel is misfiled.

// vec4 of borders: (number of bins - 1) / 4, rounded up.
override VECS: u32 = 2u;

@group(0) @binding(6) var<storage, read> src_borders: array<vec4<f32>>;

// Indices into these are constants, so that they stay in registers.
var<private> border_x: array<vec4<f32>, 5>;
var<private> border_y: array<vec4<f32>, 5>;
// Votes of one column of four pixels, and of the columns before.
var<private> votes: array<vec4<f32>, 5>;
var<private> last_vote: f32;
var<private> sums: array<vec4<f32>, 5>;
var<private> last_sum: f32;

fn begin(k: u32) {
    border_x[k] = src_borders[2u * k];
    border_y[k] = src_borders[2u * k + 1u];
}

// Votes of length m into bins 4k .. 4k+3. `reached` is m where the lower border of bin 4k is reached, else 0; gives the same for bin 4k+4.
fn vote(k: u32, reached: f32, gx: f32, gy: f32, m: f32) -> f32 {
    let side = border_x[k] * gy - border_y[k] * gx;
    let upper = select(vec4(0.0), vec4(m), side >= vec4(0.0));
    votes[k] += vec4(reached, upper.xyz) - upper;
    return upper.w;
}

fn pixel(x: f32, y: f32) {
    // Opposite gradients have one orientation: turn into the upper half plane, the positive x axis included.
    let turn = y * 1024.0 + x < 0.0;
    let gx = select(x, -x, turn);
    let gy = abs(y);
    let m = sqrt(gx * gx + gy * gy);
    var reached = m;
    if (VECS > 0u) { reached = vote(0u, reached, gx, gy, m); }
    if (VECS > 1u) { reached = vote(1u, reached, gx, gy, m); }
    if (VECS > 2u) { reached = vote(2u, reached, gx, gy, m); }
    if (VECS > 3u) { reached = vote(3u, reached, gx, gy, m); }
    if (VECS > 4u) { reached = vote(4u, reached, gx, gy, m); }
    last_vote += reached;
}

fn end_column(k: u32) {
    sums[k] += votes[k];
    votes[k] = vec4(0.0);
}
