pub mod r#box;
pub mod denoise;
pub mod gaussian;
pub mod median3;
pub mod unsharp_mask;

use super::mapping::{Mapping, rgba, tight};
use frameloom::Result;
use frameloom::core::{FrameLayout, PixelFormat, Work};
use frameloom::error::Error;
use frameloom::ops::bench::{Bench, Case};
use frameloom::ops::{FramesBound, GpuFrames};
use frameloom::reference::{FrameSlot, Plane};

/// Grey or packed RGBA of the picture through `run`.
fn reference(slot: &FrameSlot<'_>, run: impl Fn(&Plane<'_>) -> Result<Vec<u8>>) -> Result<Vec<u8>> {
    let samples = if slot.format() == PixelFormat::Rgba8 { rgba(slot)? } else { tight(slot)? };
    run(&samples.plane()?)
}

/// A filter with its parameters.
struct Filtered<'a> {
    variant: &'a str,
    format: PixelFormat,
    work: fn(&FrameLayout) -> Work,
    bind: &'a dyn Fn(&GpuFrames, &GpuFrames, u32) -> Result<FramesBound>,
    want: fn(&FrameSlot<'_>, &FrameLayout) -> Result<Vec<u8>>,
}

impl Filtered<'_> {
    /// A case for every batch of the adapter. Content does not matter: one is enough.
    fn cases(&self, bench: &Bench<'_>) -> Result<Vec<Case>> {
        bench.batches().iter().map(|batch| self.case(bench, *batch)).collect()
    }

    fn case(&self, bench: &Bench<'_>, batch: u32) -> Result<Case> {
        let output = |input: &FrameLayout| {
            let format = if input.format == PixelFormat::Rgba8 { input.format } else { PixelFormat::Gray8 };
            FrameLayout::of(format, input.size).ok_or_else(|| Error::Bug(format!("no layout for {}", input.size)))
        };
        let mapping = Mapping {
            variant: self.variant.to_owned(),
            format: self.format,
            batch,
            output: &output,
            work: &self.work,
            bind: &|src, dst, first| {
                let bound = (self.bind)(src, dst, first)?;
                Ok(Box::new(move |rec| bound.record(rec, batch)))
            },
            want: self.want,
        };
        mapping.case(bench)
    }
}
