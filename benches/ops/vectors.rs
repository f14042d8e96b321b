//! Vectors for benchmarks, and cases of operations that make rows.

use frameloom::core::Work;
use frameloom::gpu::{GpuContext, Recorder};
use frameloom::ops::bench::Case;
use frameloom::ops::{GpuRows, RowSample, RowsLayout};
use frameloom::{Error, Result};

/// `count` numbers in -1..1.
pub fn numbers(count: usize) -> Vec<f32> {
    let mut state = 1u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / 8_388_608.0 - 1.0
    };
    (0..count).map(|_| next()).collect()
}

/// Rows of f32 on the device.
pub fn upload(ctx: &GpuContext, dim: u32, values: &[f32]) -> Result<GpuRows> {
    GpuRows::from_host(ctx, "bench", RowsLayout::new(RowSample::F32, dim)?, values)
}

/// What is timed, and what must come out.
pub struct RowsCase {
    /// Name of the variant.
    pub variant: String,
    /// Rows, and numbers of one.
    pub input: String,
    /// Rows (or maps) of the dispatch.
    pub batch: u32,
    /// Least work for one of them.
    pub work: Work,
    /// Where the results lie.
    pub rows: GpuRows,
    /// The results of the first rows.
    pub want: Vec<f32>,
    /// Largest distance.
    pub bound: f32,
}

impl RowsCase {
    /// The case; the bound operation records itself.
    pub fn case(self, record: impl Fn(&mut Recorder<'_>, u32) + 'static) -> Result<Case> {
        let Self { variant, input, batch, work, rows, want, bound } = self;
        if want.is_empty() {
            return Err(Error::Bug("a case that compares nothing".into()));
        }
        Ok(Case {
            variant,
            content: "random".into(),
            input,
            batch,
            work,
            record: Box::new(move |rec, _| {
                record(rec, batch);
                Ok(())
            }),
            verify: Box::new(move |ctx| {
                let got = rows.read(ctx, batch)?;
                let close = want.iter().zip(&got).all(|(w, g)| (w - g).abs() <= bound);
                Ok(close && got.len() >= want.len() && want.iter().any(|v| Some(v) != want.first()))
            }),
        })
    }
}
