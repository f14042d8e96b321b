//! A model together with the stage that makes its tensors.

use std::time::{Duration, Instant};

use super::stage::{Pending, TensorStage, TensorStageOptions};
use crate::core::{BoxRect, ColorSpec, Size, TensorPlace};
use crate::error::{Error, Result};
use crate::gpu::GpuContext;
use crate::infer::{IoInfo, NamedTensor, Outputs, PictureInput, TensorModel, TensorSlice, TensorView};
use crate::ops::FrameBatch;
use crate::ops::resize::crop_resize::CropBox;
use crate::ops::resize::warp_affine::Warp;

/// A model that takes pictures.
#[derive(Debug)]
pub struct PictureModel<M: TensorModel> {
    model: M,
    stage: TensorStage,
    input: IoInfo,
    largest: usize,
    spent: Spent,
}

/// Where the time of a model went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Spent {
    /// Boxes that went through.
    pub boxes: u64,
    /// Waiting for tensors.
    pub waiting: Duration,
    /// Running the model.
    pub running: Duration,
}

/// Tensors that are being made: run the model on them with [`PictureModel::finish`].
#[derive(Debug)]
pub struct Prepared {
    pending: Option<Pending>,
}

/// What the model gave for some boxes, in their order.
#[non_exhaustive]
#[derive(Debug)]
pub struct Run<'a> {
    /// Outputs; the first axis counts boxes.
    pub outputs: Outputs,
    /// Place of each box in its tensor, for the way back.
    pub places: &'a [TensorPlace],
}

impl<M: TensorModel> PictureModel<M> {
    /// For the input that `picture` names, or the only one with four axes.
    ///
    /// `largest` bounds how many boxes go through the model at once. A model of a fixed batch takes them too: its session splits and pads.
    ///
    /// # Errors
    /// [`Error::Model`] with cause `input` when there is no such input, or as [`TensorStage::new`].
    pub fn new(
        ctx: &GpuContext,
        model: M,
        picture: &PictureInput,
        largest: usize,
        options: TensorStageOptions,
    ) -> Result<Self> {
        let input = picture_input(model.inputs(), picture)?.clone();
        let stage = TensorStage::new(ctx, &input, picture, options)?;
        Ok(Self { model, stage, input, largest: largest.max(1), spent: Spent::default() })
    }

    /// Makes the tensors in another way from now on: of another size, for the next video. The model stays loaded.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn restage(&mut self, ctx: &GpuContext, picture: &PictureInput, options: TensorStageOptions) -> Result<()> {
        self.stage = TensorStage::new(ctx, &self.input, picture, options)?;
        Ok(())
    }

    /// The model.
    pub fn model(&self) -> &M {
        &self.model
    }

    /// The stage that makes its tensors.
    pub fn stage(&self) -> &TensorStage {
        &self.stage
    }

    /// Where the time went so far.
    pub fn spent(&self) -> Spent {
        self.spent
    }

    /// Starts making the tensors of `boxes`, all of pictures of `src`, whose code values `color` explains. Does not wait.
    ///
    /// At most [`TensorStageOptions::in_flight`] may be under way.
    pub fn submit(&mut self, src: &dyn FrameBatch, color: ColorSpec, boxes: &[CropBox]) -> Result<Prepared> {
        if boxes.is_empty() {
            return Ok(Prepared { pending: None });
        }
        Ok(Prepared { pending: Some(self.stage.submit(src, color, boxes)?) })
    }

    /// The same for the first `count` pictures as a whole.
    pub fn submit_whole(&mut self, src: &dyn FrameBatch, color: ColorSpec, count: u32) -> Result<Prepared> {
        self.submit(src, color, &whole(src, count))
    }

    /// The same for what `warps` bring to pictures of `src`: turned faces, for instance. The places of the run are those of the tensor
    /// itself; what the model finds comes back to the picture by [`crate::core::Affine::apply`] of its warp.
    pub fn submit_warps(&mut self, src: &dyn FrameBatch, color: ColorSpec, warps: &[Warp]) -> Result<Prepared> {
        if warps.is_empty() {
            return Ok(Prepared { pending: None });
        }
        Ok(Prepared { pending: Some(self.stage.submit_warps(src, color, warps)?) })
    }

    /// Waits for the tensors and runs the model on them, `largest` at a time. `more` gives further inputs; `take` gets the
    /// outputs of each run, which have as many elements as there are places.
    ///
    /// # Errors
    /// [`Error::Model`] of the model, the device, and what `take` returns.
    pub fn finish(
        &mut self,
        prepared: Prepared,
        more: &[NamedTensor<'_>],
        mut take: impl FnMut(Run<'_>) -> Result<()>,
    ) -> Result<()> {
        let Some(pending) = prepared.pending else { return Ok(()) };
        let asked = Instant::now();
        let (bytes, places) = self.stage.wait(pending)?;
        self.spent.waiting += asked.elapsed();
        let element = usize::try_from(self.stage.element_bytes()).unwrap_or(usize::MAX);
        let step = self.largest;
        for (places, bytes) in places.chunks(step).zip(bytes.chunks(element.saturating_mul(step))) {
            let started = Instant::now();
            let outputs = self.run(bytes, places.len(), more)?;
            self.spent.running += started.elapsed();
            self.spent.boxes += places.len() as u64;
            take(Run { outputs, places })?;
        }
        Ok(())
    }

    fn run(&mut self, bytes: &[u8], count: usize, more: &[NamedTensor<'_>]) -> Result<Outputs> {
        let shape = self.stage.shape(count);
        let misplaced = |e| Error::Bug(format!("a tensor lies at an odd place: {e}"));
        let data = if self.stage.half() {
            TensorSlice::F16(bytemuck::try_cast_slice(bytes).map_err(misplaced)?)
        } else {
            TensorSlice::F32(bytemuck::try_cast_slice(bytes).map_err(misplaced)?)
        };
        let mut inputs = Vec::with_capacity(more.len() + 1);
        inputs.push(NamedTensor { name: &self.input.name, tensor: TensorView { shape: &shape, data } });
        inputs.extend_from_slice(more);
        self.model.run(&inputs)
    }
}

/// The whole of the first `count` pictures.
pub fn whole(src: &dyn FrameBatch, count: u32) -> Vec<CropBox> {
    (0..count)
        .filter_map(|slot| src.slot(slot).map(|(_, layout)| (slot, layout.size)))
        .map(|(slot, Size { width, height })| CropBox { slot, rect: BoxRect { x: 0, y: 0, width, height } })
        .collect()
}

fn picture_input<'a>(inputs: &'a [IoInfo], picture: &PictureInput) -> Result<&'a IoInfo> {
    let names = || inputs.iter().map(|i| i.name.as_str()).collect::<Vec<_>>().join(", ");
    if let Some(name) = &picture.input {
        return inputs.iter().find(|i| i.name == *name).ok_or_else(|| Error::Model {
            cause: "input",
            message: format!("the model has no input `{name}`; it has {}", names()),
        });
    }
    let mut four = inputs.iter().filter(|i| i.shape.len() == 4);
    match (four.next(), four.next()) {
        (Some(one), None) => Ok(one),
        _ => Err(Error::Model {
            cause: "input",
            message: format!("which input takes pictures? Say `picture.input` in the manifest; there are {}", names()),
        }),
    }
}
