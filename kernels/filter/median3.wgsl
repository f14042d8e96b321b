// Median of 3x3 pixels, each channel on its own.
//
// In:   src, src_words   luma, u8 or 10-bit in 16-bit words, or packed RGBA; one picture per workgroup_id.z, sizes may differ
// Out:  dst          bytes (grey or RGBA), rows padded to 16 bytes (padding holds anything)
// Algorithm: the three pixels above each other are sorted once for a column of 16 bytes and its neighbours; the median is that of the
//       largest low, the middle middle and the smallest high one (Smith 1996). Bytes stay at their places in the words: order survives.
//       ROWS rows an invocation, sliding.
// Border: replicate.
// Exact: no arithmetic, only comparisons.
// Loop bound: ROWS * 9 <= 288.

#import common/grid
#import common/out_pictures
#import common/pictures
#import common/bytes

override WG: u32 = 8u;
override ROWS: u32 = 16u;

@group(0) @binding(3) var<storage, read_write> dst: array<vec4<u32>>;

fn middle(a: vec4<u32>, b: vec4<u32>, c: vec4<u32>) -> vec4<u32> {
    return max(min(a, b), min(max(a, b), c));
}

fn load(picture: Picture, y: i32, v: u32) -> Row {
    return row_at(picture.first + u32(inside(y, i32(picture.height))) * picture.stride, v, i32(picture.width));
}

// Three rows above each other, sorted byte by byte.
struct Sorted {
    low: Row,
    mid: Row,
    high: Row,
}

fn sorted(a: Row, b: Row, c: Row) -> Sorted {
    var s: Sorted;
    for (var k = 0u; k < 4u; k++) {
        let m = BYTE << vec4(8u * k);
        let p = min(a.words & m, b.words & m);
        let q = max(a.words & m, b.words & m);
        let r = min(q, c.words & m);
        s.low.words |= min(p, r);
        s.mid.words |= max(p, r);
        s.high.words |= max(q, c.words & m);
        // The two words beside.
        let x = vec2(a.before, a.after) & m.xy;
        let y = vec2(b.before, b.after) & m.xy;
        let z = vec2(c.before, c.after) & m.xy;
        let t = min(max(x, y), z);
        let low = min(min(x, y), t);
        let mid = max(min(x, y), t);
        let high = max(max(x, y), z);
        s.low.before |= low.x;
        s.low.after |= low.y;
        s.mid.before |= mid.x;
        s.mid.after |= mid.y;
        s.high.before |= high.x;
        s.high.after |= high.y;
    }
    return s;
}

@compute @workgroup_size(WG)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let item = item_of(group, groups, local);
    let picture = src_pictures[group.z];
    let out = out_pictures[group.z];
    let block = item / out.stride;
    let v = item - block * out.stride;
    let first = i32(block * ROWS);
    if (first >= i32(out.height)) {
        return;
    }
    var top = load(picture, first - 1, v);
    var mid = load(picture, first, v);
    for (var y = first; y < min(first + i32(ROWS), i32(out.height)); y++) {
        let low = load(picture, y + 1, v);
        let s = sorted(top, mid, low);
        let low_left = left_of(s.low);
        let low_right = right_of(s.low);
        let mid_left = left_of(s.mid);
        let mid_right = right_of(s.mid);
        let high_left = left_of(s.high);
        let high_right = right_of(s.high);
        var words = vec4(0u);
        for (var k = 0u; k < 4u; k++) {
            let m = BYTE << vec4(8u * k);
            let most = max(max(low_left & m, s.low.words & m), low_right & m);
            let least = min(min(high_left & m, s.high.words & m), high_right & m);
            words |= middle(most, middle(mid_left & m, s.mid.words & m, mid_right & m), least);
        }
        dst[out.first + u32(y) * out.stride + v] = words;
        top = mid;
        mid = low;
    }
}
