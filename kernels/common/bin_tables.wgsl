// Counters of a workgroup for BINS bins. The importing kernel declares WG.
//
// LANES: a table for each of 8 lanes, so that counting needs no atomics (software adapters, WG is 8). Else TABLES tables with atomics,
// in which four equal bins take one addition (GPUs). The variant that is not in use has one word.

override LANES: bool = true;
// At least 1.
override BINS: u32 = 472u;
override TABLES: u32 = 2u;
override LANE_WORDS: u32 = 3776u;   // 8 BINS
override TABLE_WORDS: u32 = 1u;     // (BINS + 1) TABLES

// Entry bin * 8 + l belongs to lane l: the 8 lanes of a vector touch one cache line for neighbouring bins.
var<workgroup> lanes: array<u32, LANE_WORDS>;
// Tables one behind the other, one word apart, so that equal bins lie in different banks.
var<workgroup> tables: array<atomic<u32>, TABLE_WORDS>;

// A barrier must follow.
fn clear_tables(local: u32) {
    if (LANES) {
        for (var bin = 0u; bin < BINS; bin++) {
            lanes[bin * 8u + local] = 0u;
        }
    } else {
        for (var i = local; i < TABLE_WORDS; i += WG) {
            atomicStore(&tables[i], 0u);
        }
    }
}

// Adds `inside`, 0 or 1, to four bins.
fn count4(bins: vec4<u32>, inside: vec4<u32>, local: u32) {
    if (LANES) {
        let at = bins * 8u + local;
        lanes[at.x] += inside.x;
        lanes[at.y] += inside.y;
        lanes[at.z] += inside.z;
        lanes[at.w] += inside.w;
        return;
    }
    let table = (local >> 5u) % TABLES * (BINS + 1u);
    if (all(bins.xyz == bins.yzw)) {
        atomicAdd(&tables[table + bins.x], inside.x + inside.y + inside.z + inside.w);
        return;
    }
    atomicAdd(&tables[table + bins.x], inside.x);
    atomicAdd(&tables[table + bins.y], inside.y);
    atomicAdd(&tables[table + bins.z], inside.z);
    atomicAdd(&tables[table + bins.w], inside.w);
}

// Sixteen bins at once, for content whose neighbours share bins; BINS or more for pixels that must not count. At most 16 steps.
//
// An access to a table is what counting costs on a software adapter: each bin that occurs takes one.
fn count16(a: vec4<u32>, b: vec4<u32>, c: vec4<u32>, d: vec4<u32>, local: u32) {
    let done = vec4(0xffffffffu);
    var p = a;
    var q = b;
    var r = c;
    var s = d;
    loop {
        let least = min(min(p, q), min(r, s));
        let bin = min(min(least.x, least.y), min(least.z, least.w));
        if (bin >= BINS) {
            break;
        }
        let one = vec4(bin);
        let found = vec4<u32>(p == one) + vec4<u32>(q == one) + vec4<u32>(r == one) + vec4<u32>(s == one);
        p = select(p, done, p == one);
        q = select(q, done, q == one);
        r = select(r, done, r == one);
        s = select(s, done, s == one);
        let count = found.x + found.y + found.z + found.w;
        if (LANES) {
            lanes[bin * 8u + local] += count;
        } else {
            atomicAdd(&tables[(local >> 5u) % TABLES * (BINS + 1u) + bin], count);
        }
    }
}

// Sum of a bin over all tables, behind a barrier.
fn counted(bin: u32) -> u32 {
    var total = 0u;
    if (LANES) {
        for (var l = 0u; l < 8u; l++) {
            total += lanes[bin * 8u + l];
        }
    } else {
        for (var t = 0u; t < TABLES; t++) {
            total += atomicLoad(&tables[t * (BINS + 1u) + bin]);
        }
    }
    return total;
}
