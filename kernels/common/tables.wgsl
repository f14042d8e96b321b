// Tables of counts in workgroup memory, for histograms of up to BINS bins: one table per lane, so that counting needs no atomics (software
// adapters, workgroups of 8), or TABLES tables with atomics (GPUs). Both are added to `dst_bins` at the end.
//
// The importing kernel declares WG. It imports this behind its own overrides: naga 30 fails where one follows an array whose size
// depends on an override.

override BINS: u32 = 512u;
override TABLES: u32 = 4u;
// Words from one table to the next: where there are several, one more than BINS, so that equal bins lie in different banks.
override TABLE: u32 = 513u;

@group(0) @binding(3) var<storage, read_write> dst_bins: array<atomic<u32>>;

// Table of lane l: entries bin * 8 + l, so that the 8 lanes of a vector touch one cache line for neighbouring bins.
var<workgroup> lanes: array<u32, BINS * 8u>;
// Tables one behind the other.
var<workgroup> tables: array<atomic<u32>, TABLE * TABLES>;

// BINS steps.
fn clear_lane(lane: u32) {
    for (var bin = 0u; bin < BINS; bin++) {
        lanes[bin * 8u + lane] = 0u;
    }
}

// Adds 0 or 1 to each of four bins.
fn count_in_lane(bins: vec4<u32>, inside: vec4<u32>, lane: u32) {
    let at = bins * 8u + lane;
    lanes[at.x] += inside.x;
    lanes[at.y] += inside.y;
    lanes[at.z] += inside.z;
    lanes[at.w] += inside.w;
}

// Adds the tables of the lanes to the BINS counts from `first` on, in BINS / 8 steps. Behind a barrier.
fn merge_lanes(first: u32, lane: u32) {
    for (var bin = lane; bin < BINS; bin += 8u) {
        var total = 0u;
        let at = bin * 8u;
        total += lanes[at] + lanes[at + 1u] + lanes[at + 2u] + lanes[at + 3u];
        total += lanes[at + 4u] + lanes[at + 5u] + lanes[at + 6u] + lanes[at + 7u];
        if (total != 0u) {
            atomicAdd(&dst_bins[first + bin], total);
        }
    }
}

fn clear_tables(local: u32) {
    for (var i = local; i < TABLE * TABLES; i += WG) {
        atomicStore(&tables[i], 0u);
    }
}

// First word of the table that an invocation counts in.
fn table_of(local: u32) -> u32 {
    return (local >> 5u) % TABLES * TABLE;
}

// Adds 0 or 1 to each of four bins; equal ones take one addition.
fn count_in_table(bins: vec4<u32>, inside: vec4<u32>, table: u32) {
    if (all(bins.xyz == bins.yzw)) {
        atomicAdd(&tables[table + bins.x], inside.x + inside.y + inside.z + inside.w);
        return;
    }
    atomicAdd(&tables[table + bins.x], inside.x);
    atomicAdd(&tables[table + bins.y], inside.y);
    atomicAdd(&tables[table + bins.z], inside.z);
    atomicAdd(&tables[table + bins.w], inside.w);
}

// As merge_lanes, for the tables.
fn merge_tables(first: u32, local: u32) {
    for (var bin = local; bin < BINS; bin += WG) {
        var total = 0u;
        for (var t = 0u; t < TABLES; t++) {
            total += atomicLoad(&tables[t * TABLE + bin]);
        }
        if (total != 0u) {
            atomicAdd(&dst_bins[first + bin], total);
        }
    }
}
