//! Heat maps for benchmarks: made once, uploaded, rotated over.

use frameloom::core::{FrameLayout, PixelFormat, Size, Work};
use frameloom::gpu::GpuContext;
use frameloom::ops::bench::{Bench, Case};
use frameloom::ops::{GpuMaps, MapLayout, MapSample, Record};
use frameloom::reference::pattern::splitmix64;
use frameloom::reference::{Field, Numbers};
use frameloom::{Error, Result};

/// Maps of `f32` from 0 to 1 with warm and cold places, and their numbers on the host.
#[derive(Debug)]
pub struct Heat {
    /// Layout of one map.
    pub layout: MapLayout,
    /// Batches, one behind the other.
    pub maps: GpuMaps,
    /// Number of batches.
    pub sets: u32,
    /// Maps per batch.
    pub batch: u32,
    host: Vec<f32>,
}

impl Heat {
    /// As many batches as the cache of the adapter asks for; all maps are equal.
    pub fn new(bench: &Bench<'_>, batch: u32) -> Result<Self> {
        let (ctx, size) = (bench.ctx(), bench.size());
        let layout = MapLayout::new(MapSample::F32, size)?;
        let sets = bench.rotation(u64::from(layout.slot_bytes()) * u64::from(batch));
        let wave = |n: u32, side: u32| (f64::from(n) / f64::from(side) * 9.0).sin().max(0.0);
        let value = |i: u64| {
            let (x, y) = ((i % u64::from(size.width)) as u32, (i / u64::from(size.width)) as u32);
            let noise = (splitmix64(i) >> 40) as f64 / f64::from(1 << 24);
            (wave(x, size.width) * wave(y, size.height) * 0.9 + noise * 0.1) as f32
        };
        let host: Vec<f32> = (0..size.area()).map(value).collect();
        let bytes: Vec<u8> = host.iter().flat_map(|v| v.to_le_bytes()).collect();
        let refs = vec![bytes.as_slice(); (sets * batch) as usize];
        Ok(Self { layout, maps: GpuMaps::from_host(ctx, "bench", layout, &refs)?, sets, batch, host })
    }

    /// The map, for the reference.
    pub fn field(&self) -> Result<Field<'_>> {
        Field::new(self.layout.size, Numbers::Floats(&self.host))
    }

    /// Numbers of the map.
    pub fn host(&self) -> &[f32] {
        &self.host
    }

    /// A case: `sets` record one batch each.
    pub fn case(
        &self,
        variant: &str,
        work: fn(&FrameLayout) -> Work,
        sets: Vec<Recording>,
        verify: impl Fn(&GpuContext) -> Result<bool> + 'static,
    ) -> Result<Case> {
        let size: Size = self.layout.size;
        let layout = FrameLayout::of(PixelFormat::Gray8, size);
        let layout = layout.ok_or_else(|| Error::Bug(format!("no layout for {size}")))?;
        let batch = self.batch;
        Ok(Case {
            variant: variant.into(),
            content: "waves".into(),
            input: format!("f32 map {size}"),
            batch,
            work: work(&layout),
            record: Box::new(move |rec, i| {
                if let Some(set) = sets.get(i % sets.len()) {
                    set.record(rec, batch);
                }
                Ok(())
            }),
            verify: Box::new(verify),
        })
    }
}

/// A bound batch.
pub type Recording = Box<dyn Record>;

/// Whether all values are within `each` times the larger magnitude, or 1, of what was wanted, and not all alike.
pub fn close(got: &[f32], want: &[f64], each: f64) -> bool {
    let near = |(g, w): (&f32, &f64)| (f64::from(*g) - w).abs() <= each * w.abs().max(1.0);
    got.len() == want.len() && got.iter().zip(want).all(near) && want.iter().any(|w| Some(w) != want.first())
}
