//! Vectors for tests of operations on rows: numbers, and comparers that say where something is wrong.

use frameloom::core::Exactness;
use frameloom::gpu::GpuContext;
use frameloom::ops::{GpuRows, OpInfo, RowSample, RowsLayout};
use frameloom::reference::pattern::lcg_bytes;

/// `count` numbers in -1..1, with 16 bits.
pub fn numbers(seed: u32, count: usize) -> Vec<f32> {
    let bytes = lcg_bytes(seed, 2 * count);
    bytes.chunks_exact(2).map(|b| (f32::from(b[0]) * 256.0 + f32::from(b[1])) / 32768.0 - 1.0).collect()
}

/// Whole numbers in -8..8: sums of their products are exact.
pub fn integers(seed: u32, count: usize) -> Vec<f32> {
    lcg_bytes(seed, count).into_iter().map(|b| f32::from(b >> 4) - 8.0).collect()
}

/// Rows on the device.
pub fn upload_rows(ctx: &GpuContext, sample: RowSample, dim: usize, values: &[f32]) -> GpuRows {
    GpuRows::from_host(ctx, "test", RowsLayout::new(sample, dim as u32).unwrap(), values).unwrap()
}

/// Rows full of 0xFF, which is no number.
pub fn poisoned_rows(ctx: &GpuContext, layout: RowsLayout, rows: u32) -> GpuRows {
    let rows = GpuRows::new(ctx, "test result", layout, rows).unwrap();
    super::pictures::poison(ctx, rows.buffer());
    rows
}

/// The absolute distance that an operation promises.
pub fn promised(info: &OpInfo) -> f64 {
    match info.exactness {
        Exactness::Abs(bound) => bound,
        other => panic!("{other}"),
    }
}

/// The first value further away than `allowed` of its index, if there is one; NaN is.
pub fn violation(got: &[f32], want: &[f32], allowed: impl Fn(usize) -> f64) -> Option<String> {
    if got.len() != want.len() || want.is_empty() {
        return Some(format!("{} values for {}", got.len(), want.len()));
    }
    let distance = |i: usize| (f64::from(got[i]) - f64::from(want[i])).abs();
    let bad = (0..got.len()).find(|i| distance(*i).is_nan() || distance(*i) > allowed(*i))?;
    Some(format!("value {bad}: {} for {}, allowed {:e}", got[bad], want[bad], allowed(bad)))
}

/// Compares with what was wanted.
#[track_caller]
pub fn close(got: &[f32], want: &[f32], allowed: impl Fn(usize) -> f64, what: impl std::fmt::Display) {
    if let Some(text) = violation(got, want, allowed) {
        panic!("{what}: {text}");
    }
}

/// Bytes behind the numbers of the first rows are zero, and of all other rows untouched poison.
#[track_caller]
pub fn zero_padding(ctx: &GpuContext, rows: &GpuRows, written: std::ops::Range<u32>) {
    let layout = rows.layout();
    let stride = layout.stride_bytes() as usize;
    let end = (layout.dim * layout.sample.bytes()) as usize;
    let bytes = rows.buffer().read(ctx, stride as u64 * u64::from(rows.rows())).unwrap();
    for (i, row) in (0..).zip(bytes.chunks_exact(stride)) {
        if written.contains(&i) {
            assert!(row[end..end.next_multiple_of(16)].iter().all(|b| *b == 0), "padding of row {i}");
        } else {
            assert!(row.iter().all(|b| *b == 0xFF), "row {i} was written to");
        }
    }
}
