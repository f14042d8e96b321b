//! What operations that cover part of each picture in place share: counts of covered pixels, and running on a copy.

use crate::core::{Covered, Size};
use crate::error::Result;
use crate::gpu::{BufferUse, GpuBuffer, GpuContext, Recorder};
use crate::ops::{FrameBatch, GpuPictures, Measure, Passes, plan_error, words};
use std::sync::Arc;

/// An operation bound to pictures that it covers in place: recorded as often as wanted; [`Covered`] per picture.
pub type CoverBound = Measure<Covered>;

/// Counts of covered pixels, one word a picture.
pub(crate) fn counts(ctx: &GpuContext, op: &'static str, pictures: u32) -> Result<GpuBuffer> {
    GpuBuffer::new(ctx, op, u64::from(pictures) * 4, BufferUse::Storage)
}

/// `passes`, which count in `counts`, as a measurement.
pub(crate) fn covering(passes: Passes, counts: &GpuBuffer, sizes: &Arc<[Size]>) -> CoverBound {
    let decode = |bytes: &[u8], size: Size| Covered { pixels: words(bytes).next().unwrap_or(0).into(), n: size.area() };
    Measure::new(passes, (counts, 4), sizes, decode)
}

/// One set of parameters for each of `pictures`.
pub(crate) fn one_each(op: &'static str, name: &'static str, given: usize, pictures: u32) -> Result<()> {
    if given == pictures as usize {
        return Ok(());
    }
    Err(plan_error(op, name, format!("one entry for each of {pictures} pictures"), given))
}

/// A copy of all pictures of `src` on which `bind` is run once, at once: what the convenience functions of in-place operations do.
pub(crate) fn on_copy(
    ctx: &GpuContext,
    op: &'static str,
    src: &dyn FrameBatch,
    bind: impl FnOnce(&GpuPictures) -> Result<CoverBound>,
) -> Result<(GpuPictures, Vec<Covered>)> {
    let copy = GpuPictures::like(ctx, op, src.format(), src)?;
    let bound = bind(&copy)?;
    let mut rec = Recorder::new(ctx, op);
    for i in 0..src.slots() {
        if let (Some((source, layout)), Some((to, _))) = (src.slot(i), copy.slot(i)) {
            rec.copy(src.buffer(), source, FrameBatch::buffer(&copy), to, u64::from(layout.slot_bytes()));
        }
    }
    bound.record(&mut rec, src.slots());
    rec.run()?;
    let covered = bound.decode(&bound.results().read(ctx, bound.frame_bytes() * u64::from(bound.capacity()))?);
    Ok((copy, covered))
}

/// Little-endian bytes of words.
pub(crate) fn bytes_of(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|w| w.to_le_bytes()).collect()
}
