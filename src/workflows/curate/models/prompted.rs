//! Segmentation by prompts (Segment Anything): a grid of points, and the largest mask that the model stands by.

use super::{ByteMask, Opener};
use crate::core::{ColorSpec, Point, TensorPlace};
use crate::error::{Error, Result};
use crate::gpu::GpuContext;
use crate::infer::tasks::segment::sam::Described;
use crate::infer::tasks::segment::{SamPrompt, SamSession};
use crate::infer::{
    Allow, IoInfo, ModelRegistry, NamedTensor, OnnxSession, Outputs, SessionOptions, Task, TensorModel, TensorSlice,
    TensorView, VerifiedModel,
};
use crate::ops::FrameBatch;
use crate::ops::resize::crop_resize::CropBox;
use crate::pipeline::vision::{PictureModel, TensorStageOptions, whole};

/// Least estimated overlap and steadiness of a mask, as the original asks its generator for.
const LEAST_IOU: f32 = 0.76;
const LEAST_STABILITY: f32 = 0.86;
/// Points asked at once: each answer is a mask of the size of the picture.
const AT_ONCE: usize = 8;

/// An encoder and a decoder.
#[derive(Debug)]
pub(super) struct Prompted {
    encoder: PictureModel<OnnxSession>,
    decoder: OnnxSession,
    session: SamSession,
    points: u32,
}

/// Outputs of an encoder that has run already: tensors of pictures are made and run by the picture stage.
struct Ran<'a> {
    model: &'a OnnxSession,
    outputs: Option<Outputs>,
}

impl TensorModel for Ran<'_> {
    fn inputs(&self) -> &[IoInfo] {
        self.model.inputs()
    }

    fn outputs(&self) -> &[IoInfo] {
        self.model.outputs()
    }

    fn run(&mut self, _: &[NamedTensor<'_>]) -> Result<Outputs> {
        self.outputs.take().ok_or_else(|| Error::Bug("an encoder's outputs were taken twice".into()))
    }
}

/// The two graphs listed as `name-encoder` and `name-decoder` (or with `_`).
fn pair(registry: &ModelRegistry, name: &str) -> Result<Option<(VerifiedModel, VerifiedModel)>> {
    for mark in ['-', '_'] {
        let [encoder, decoder] = ["encoder", "decoder"].map(|part| format!("{name}{mark}{part}"));
        let listed = |n: &str| registry.list().iter().any(|m| m.entry.name == n);
        if listed(&encoder) && listed(&decoder) {
            let load = |n: &str| registry.load_for(Task::Segment, n, Allow::Pinned);
            return Ok(Some((load(&encoder)?, load(&decoder)?)));
        }
    }
    Ok(None)
}

impl Prompted {
    /// The pair that the settings name, if it is listed.
    pub(super) fn open(opener: &mut Opener<'_>, ctx: &GpuContext) -> Result<Option<Self>> {
        let segment = &opener.config.strategies.segment;
        let Some(registry) = opener.networks.registry.as_ref().filter(|_| !opener.config.parity) else {
            return Ok(None);
        };
        let Some((first, second)) = pair(registry, &segment.segmentation_model)? else { return Ok(None) };
        let encoder = OnnxSession::open(&first, &SessionOptions::default())?;
        let decoder = OnnxSession::open(&second, &SessionOptions::default())?;
        let session = SamSession::new(
            Described { entry: &first.entry, inputs: encoder.inputs(), outputs: encoder.outputs() },
            Described { entry: &second.entry, inputs: decoder.inputs(), outputs: decoder.outputs() },
        )?;
        let picture = first.entry.picture.clone().unwrap_or_default();
        let encoder = PictureModel::new(ctx, encoder, &picture, 1, TensorStageOptions::default())?;
        let points = segment.points_per_side;
        let stand_in = first.entry.stand_in.then_some("for tests");
        let wanted = segment.segmentation_model.clone();
        opener.note(Task::Segment.name(), &wanted, Some((&first.entry.name, &first.sha256, false)), stand_in);
        Ok(Some(Self { encoder, decoder, session, points }))
    }

    /// The largest mask of picture `slot`; empty where the model stands by none.
    pub(super) fn mask(&mut self, src: &dyn FrameBatch, color: ColorSpec, slot: u32) -> Result<ByteMask> {
        let all = whole(src, slot + 1);
        let one: Vec<CropBox> = all.last().copied().into_iter().collect();
        let prepared = self.encoder.submit(src, color, &one)?;
        let mut ran: Option<(Outputs, TensorPlace)> = None;
        self.encoder.finish(prepared, &[], |run| {
            ran = run.places.first().map(|place| (run.outputs.clone(), *place));
            Ok(())
        })?;
        let (outputs, place) = ran.ok_or_else(|| Error::Bug("an encoder gave nothing".into()))?;
        let nothing = TensorView { shape: &[1], data: TensorSlice::F32(&[0.0]) };
        let mut ran = Ran { model: self.encoder.model(), outputs: Some(outputs) };
        self.session.encode(&mut ran, nothing, place)?;
        let (w, h) = (place.source.width, place.source.height);
        let at = |i: u32, side: u32| (f64::from(i) + 0.5) / f64::from(self.points) * f64::from(side);
        let prompts: Vec<SamPrompt> = (0..self.points * self.points)
            .map(|i| (at(i % self.points, w), at(i / self.points, h)))
            .map(|(x, y)| SamPrompt::at(Point { x: x as f32, y: y as f32 }))
            .collect();
        let size = crate::core::Size::new(w, h);
        let mut largest = ByteMask { size, values: vec![0; size.area() as usize] };
        for group in prompts.chunks(AT_ONCE) {
            for found in self.session.masks(&mut self.decoder, group)? {
                if found.iou < LEAST_IOU || found.stability < LEAST_STABILITY {
                    continue;
                }
                let mask = ByteMask { size, values: found.mask.to_alpha() };
                if mask.inside() > largest.inside() {
                    largest = mask;
                }
            }
        }
        Ok(largest)
    }
}
