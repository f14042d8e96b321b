//! A whole source through one model: decoding, tensors and the model overlap.

use super::model::{PictureModel, Prepared, Run};
use crate::core::FrameLayout;
use crate::error::Result;
use crate::gpu::GpuContext;
use crate::infer::TensorModel;
use crate::pipeline::{FrameSource, HeldBatch, PipelineOptions, SourceReport, batches};

/// One run of the model within a batch of frames.
#[derive(Debug)]
pub struct StreamRun<'a> {
    /// The frames, still in GPU memory: crop from them what the outputs point at.
    pub batch: &'a HeldBatch,
    /// Slot of the first frame of this run; there are as many as places.
    pub first: u32,
    /// What the model gave.
    pub run: Run<'a>,
}

/// Runs `model` on every frame of `source` as a whole, in frame order. While the model works on one batch, the tensors of the next are made
/// and the frames behind it decoded, so the ring needs 3 slots at least.
///
/// # Errors
/// Of the model, the device, `take`. How the source ended is in the report.
pub fn stream<M: TensorModel>(
    ctx: &GpuContext,
    options: &PipelineOptions,
    source: Box<dyn FrameSource + '_>,
    model: &mut PictureModel<M>,
    mut take: impl FnMut(StreamRun<'_>) -> Result<()>,
) -> Result<SourceReport> {
    let element = model.stage().element_bytes();
    // Two tensors on the device and two where the host reads them.
    let bytes = move |_: &FrameLayout, batch: u32| 4 * element * u64::from(batch);
    let options = PipelineOptions { ring_slots: options.ring_slots.max(3), ..options.clone() };
    let ((), report) = batches(ctx, &options, source, &bytes, |all| {
        let mut ahead: Option<(HeldBatch, Prepared)> = None;
        loop {
            let next = match all.next_batch()? {
                Some(batch) => {
                    let count = u32::try_from(batch.infos().len()).unwrap_or(u32::MAX);
                    let prepared = model.submit_whole(batch.frames(), batch.desc().color, count)?;
                    Some((batch, prepared))
                }
                None => None,
            };
            let last = next.is_none();
            if let Some((batch, prepared)) = std::mem::replace(&mut ahead, next) {
                let mut first = 0;
                model.finish(prepared, &[], |run| {
                    let count = u32::try_from(run.places.len()).unwrap_or(u32::MAX);
                    take(StreamRun { batch: &batch, first, run })?;
                    first += count;
                    Ok(())
                })?;
            }
            if last {
                return Ok(());
            }
        }
    })?;
    Ok(report)
}
