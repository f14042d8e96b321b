//! Networks that look at frames.

use super::pass::{HeatSight, HeatWatch};
use super::{HeatConfig, HeatKind};
use crate::core::{BoxRect, Size, TensorPlace};
use crate::error::{Error, Result};
use crate::gpu::GpuContext;
use crate::infer::tasks::detect::{DetectOptions, Detector};
use crate::infer::tasks::face::FaceDetector;
use crate::infer::tasks::segment::{Segmentation, Segmenter};
use crate::infer::{Allow, ModelRegistry, OnnxSession, SessionOptions, Task, TensorModel as _};
use crate::pipeline::HeldBatch;
use crate::pipeline::vision::{PictureModel, TensorStageOptions, whole};

enum Reader {
    Objects(Box<Detector>, DetectOptions),
    Faces(FaceDetector),
    Mask(Segmenter, Vec<u16>),
}

/// A network of the registry that looks at every so many frames.
pub struct ModelWatch {
    model: PictureModel<OnnxSession>,
    reader: Reader,
    every: u64,
}

impl std::fmt::Debug for ModelWatch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ModelWatch").field("model", &self.model).field("every", &self.every).finish_non_exhaustive()
    }
}

impl ModelWatch {
    /// The detector or segmenter that `config` names.
    ///
    /// # Errors
    /// [`Error::Model`] when it is not listed for the task, has changed or cannot be read; [`Error::Config`] for a class that it does not know,
    /// and where no model is named.
    pub fn for_source(ctx: &GpuContext, registry: &ModelRegistry, config: &HeatConfig) -> Result<Self> {
        let name = config.model.as_deref().ok_or_else(|| named("model"))?;
        let task = if config.source == HeatKind::Saliency { Task::Segment } else { Task::Detect };
        Self::open(ctx, registry, task, name, config)
    }

    /// The detector of faces that `config` names.
    ///
    /// # Errors
    /// As [`Self::for_source`].
    pub fn for_faces(ctx: &GpuContext, registry: &ModelRegistry, config: &HeatConfig) -> Result<Self> {
        let name = config.face_model.as_deref().ok_or_else(|| named("face_model"))?;
        Self::open(ctx, registry, Task::Face, name, config)
    }

    fn open(ctx: &GpuContext, registry: &ModelRegistry, task: Task, name: &str, config: &HeatConfig) -> Result<Self> {
        let model = registry.load_for(task, name, Allow::Pinned)?;
        let entry = model.entry.clone();
        let session = OnnxSession::open(&model, &SessionOptions::default())?;
        let (inputs, outputs) = (session.inputs(), session.outputs());
        let reader = match task {
            Task::Face => Reader::Faces(FaceDetector::new(&entry, inputs, outputs)?),
            Task::Segment => {
                let number = |c: &String| c.parse().map_err(|_| unknown(c, name));
                let classes = config.classes.iter().map(number).collect::<Result<_>>()?;
                Reader::Mask(Segmenter::new(&entry, inputs, outputs)?, classes)
            }
            _ => {
                let detector = Detector::new(&entry, inputs, outputs)?;
                let mut options = detector.options().clone();
                options.score = config.score.map_or(options.score, |s| s as f32);
                if !config.classes.is_empty() {
                    let number = |c: &String| class(&detector, c).ok_or_else(|| unknown(c, name));
                    options.classes = Some(config.classes.iter().map(number).collect::<Result<_>>()?);
                }
                Reader::Objects(Box::new(detector), options)
            }
        };
        let picture = entry.picture.unwrap_or_default();
        let model = PictureModel::new(ctx, session, &picture, 8, TensorStageOptions::default())?;
        Ok(Self { model, reader, every: u64::from(config.every.max(1)) })
    }
}

fn named(field: &str) -> Error {
    Error::Config { field: field.into(), message: "no model is named".into() }
}

fn unknown(class: &str, model: &str) -> Error {
    Error::Config { field: "classes".into(), message: format!("`{model}` knows no class `{class}`") }
}

/// A class by its name, or its number.
fn class(detector: &Detector, wanted: &str) -> Option<u32> {
    let names = detector.classes();
    let by_name = names.and_then(|n| (0..n.len() as u32).find(|i| n.name(*i) == Some(wanted)));
    by_name.or_else(|| wanted.parse().ok().filter(|c| names.is_none_or(|n| (*c as usize) < n.len())))
}

/// The mask in the size of the map. Of classes, those wanted, or all but the first, which is the background.
fn mask_of(found: &Segmentation, classes: &[u16], place: &TensorPlace, map: Size) -> Vec<f32> {
    // The place of a picture that is as large as the map.
    let small = TensorPlace { source: BoxRect { x: 0, y: 0, width: map.width, height: map.height }, ..*place };
    match found {
        Segmentation::Alpha(mask) => mask.in_picture(&small).values,
        Segmentation::Classes(map) => {
            let wanted = |c: u16| if classes.is_empty() { c != 0 } else { classes.contains(&c) };
            map.in_picture(&small).classes.into_iter().map(|c| f32::from(u8::from(wanted(c)))).collect()
        }
    }
}

impl HeatWatch for ModelWatch {
    fn watch(&mut self, batch: &HeldBatch, map: Size) -> Result<Vec<(usize, HeatSight)>> {
        let count = u32::try_from(batch.infos().len()).unwrap_or(u32::MAX);
        let looked = |slot: u32| batch.infos().get(slot as usize).is_some_and(|i| i.index.is_multiple_of(self.every));
        let boxes: Vec<_> = whole(batch.frames(), count).into_iter().filter(|b| looked(b.slot)).collect();
        let slots: Vec<usize> = boxes.iter().map(|b| b.slot as usize).collect();
        let prepared = self.model.submit(batch.frames(), batch.desc().color, &boxes)?;
        let mut seen: Vec<HeatSight> = Vec::with_capacity(slots.len());
        let reader = &self.reader;
        self.model.finish(prepared, &[], |run| {
            match reader {
                Reader::Objects(detector, options) => {
                    let found = detector.decode(&run.outputs, run.places, options)?;
                    seen.extend(found.into_iter().map(|f| HeatSight::Boxes(f.into_iter().map(|d| d.rect).collect())));
                }
                Reader::Faces(faces) => {
                    let found = faces.decode(&run.outputs, run.places, faces.options())?;
                    seen.extend(found.into_iter().map(|f| HeatSight::Boxes(f.into_iter().map(|d| d.rect).collect())));
                }
                Reader::Mask(segmenter, classes) => {
                    let found = segmenter.decode(&run.outputs, run.places)?;
                    let mask = |(f, place)| HeatSight::Mask { size: map, values: mask_of(f, classes, place, map) };
                    seen.extend(found.iter().zip(run.places).map(mask));
                }
            }
            Ok(())
        })?;
        Ok(slots.into_iter().zip(seen).collect())
    }

    fn bytes(&self, batch: u32) -> u64 {
        // Two tensors on the device and two where the host reads them.
        4 * self.model.stage().element_bytes() * u64::from(batch)
    }
}
