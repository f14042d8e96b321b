//! The maps of colours that kernels with `common/color_map` mark.

/// Bytes of the map of one picture.
pub(crate) const MAP_BYTES: u64 = 1 << 21;
/// Most pictures with a map of their own; the next ones use the same maps again.
pub(crate) const TOGETHER: u32 = 16;
/// Loads of 16 bytes of an invocation that counts: the override `LOADS`.
pub(crate) const LOADS: u32 = 64;
/// Invocations that count one map.
pub(crate) const COUNTERS: u64 = MAP_BYTES / 16 / LOADS as u64;
