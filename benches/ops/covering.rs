//! Cases of operations that cover pictures in place. Content does not matter to them: they run over their own results.

use super::inputs::Input;
use frameloom::Result;
use frameloom::core::{FrameLayout, PixelFormat, Work};
use frameloom::gpu::GpuContext;
use frameloom::ops::bench::{Bench, Case};
use frameloom::ops::{CoverBound, GpuFrames};
use frameloom::reference::Plane;
use frameloom::reference::occlusion::Occluded;

/// What is timed.
pub struct Covering {
    /// Name of the variant.
    pub variant: &'static str,
    /// Least work per frame.
    pub work: fn(&FrameLayout) -> Work,
    /// Plans and binds all frames from a slot on.
    pub bind: fn(&GpuContext, &GpuFrames, u32) -> Result<CoverBound>,
    /// The result for the first frame of a binding.
    pub want: fn(&Plane<'_>) -> Result<Occluded>,
}

impl Covering {
    /// One case for each size of batch.
    pub fn cases(&self, bench: &Bench<'_>) -> Result<Vec<Case>> {
        bench.batches().iter().map(|batch| self.case(bench, *batch)).collect()
    }

    fn case(&self, bench: &Bench<'_>, batch: u32) -> Result<Case> {
        let Self { bind, want, .. } = *self;
        let input = Input::new(bench, PixelFormat::Rgba8, "natural", batch, 0)?;
        let bindings = |i| bind(bench.ctx(), &input.frames, i * batch);
        let sets = (0..input.sets).map(bindings).collect::<Result<Vec<CoverBound>>>()?;
        Ok(Case {
            variant: self.variant.into(),
            content: "natural".into(),
            input: input.name(),
            batch,
            work: (self.work)(&input.layout),
            record: Box::new(move |rec, i| {
                if let Some(set) = sets.get(i % sets.len()) {
                    set.record(rec, batch);
                }
                Ok(())
            }),
            verify: Box::new(move |ctx| {
                let (layout, before) = (input.layout, input.bytes(0));
                let fresh = GpuFrames::from_host(ctx, "bench", layout, &[before])?;
                let covered = bind(ctx, &fresh, 0)?.run(ctx)?;
                let (stride, row) = (layout.first().stride as usize, layout.first().shape.row_bytes() as usize);
                let got = fresh.read_slot(ctx, 0)?;
                let rows = got.chunks_exact(stride).take(layout.size.height as usize);
                let got: Vec<u8> = rows.flat_map(|r| r.iter().take(row).copied()).collect();
                let (want, area) = want(&Plane::interleaved(layout.size, 4, stride, before)?)?;
                Ok(got == want && covered == [area] && area.pixels > 0)
            }),
        })
    }
}

/// As many parameters as there are pictures from slot `first` on.
pub fn for_each<P: Clone>(frames: &GpuFrames, first: u32, param: P) -> Vec<P> {
    vec![param; frames.slots().saturating_sub(first) as usize]
}
