//! Networks that look: detections, faces, masks.

use super::prompted::Prompted;
use super::{ByteMask, Opener};
use crate::core::{ColorSpec, Face};
use crate::error::Result;
use crate::gpu::GpuContext;
use crate::infer::tasks::classes::ClassNames;
use crate::infer::tasks::detect::{DetectOptions, Detector};
use crate::infer::tasks::face::{FaceDetector, FaceOptions};
use crate::infer::tasks::segment::{Mask, Segmentation, Segmenter};
use crate::infer::{ModelEntry, OnnxSession, Task, TensorModel as _};
use crate::ops::FrameBatch;
use crate::pipeline::vision::{DescriptorModel, DescriptorOptions, PictureModel, TensorStageOptions};
use crate::workflows::curate::detail::Embedding;

/// Pictures that go through a network at once.
const AT_ONCE: usize = 8;

fn picture_model(ctx: &GpuContext, session: OnnxSession, entry: &ModelEntry) -> Result<PictureModel<OnnxSession>> {
    let picture = entry.picture.clone().unwrap_or_default();
    PictureModel::new(ctx, session, &picture, AT_ONCE, TensorStageOptions::default())
}

/// Counts instances.
#[derive(Debug)]
pub(in super::super) struct Detect {
    model: PictureModel<OnnxSession>,
    detector: Detector,
    options: DetectOptions,
}

impl Detect {
    pub(super) fn open(opener: &mut Opener<'_>, ctx: &GpuContext) -> Result<Option<Self>> {
        let analysis = &opener.config.analysis;
        let Some((session, model)) = opener.open(Task::Detect, &analysis.detect_model)? else { return Ok(None) };
        let detector = Detector::new(&model.entry, session.inputs(), session.outputs())?;
        let mut options = detector.options().clone();
        if let Some(classes) = detector.classes() {
            options.classes = Some(vec![classes.class(&opener.config.analysis.instance_class)?]);
        }
        let model = picture_model(ctx, session, &model.entry)?;
        Ok(Some(Self { model, detector, options }))
    }

    /// Instances per picture, and the height of the tallest as a share of the picture's. `least`: shortest side that counts, in pixels of
    /// these pictures.
    pub(in super::super) fn count(
        &mut self,
        src: &dyn FrameBatch,
        color: ColorSpec,
        count: u32,
        least: f32,
    ) -> Result<Vec<(u32, f64)>> {
        let prepared = self.model.submit_whole(src, color, count)?;
        let (detector, options) = (&self.detector, &self.options);
        let mut found = Vec::new();
        self.model.finish(prepared, &[], |run| {
            let all = detector.decode(&run.outputs, run.places, options)?;
            for (boxes, place) in all.iter().zip(run.places) {
                let kept = boxes.iter().filter(|d| d.rect.width.min(d.rect.height) >= least);
                let (n, tall) = kept.fold((0u32, 0f32), |(n, tall), d| (n + 1, tall.max(d.rect.height)));
                found.push((n, (f64::from(tall) / f64::from(place.source.height.max(1))).clamp(0.0, 1.0)));
            }
            Ok(())
        })?;
        Ok(found)
    }
}

/// Finds faces.
#[derive(Debug)]
pub(in super::super) struct Faces {
    model: PictureModel<OnnxSession>,
    detector: FaceDetector,
    options: FaceOptions,
}

impl Faces {
    pub(super) fn open(opener: &mut Opener<'_>, ctx: &GpuContext) -> Result<Option<Self>> {
        let analysis = &opener.config.analysis;
        let Some((session, model)) = opener.open(Task::Face, &analysis.face_model)? else { return Ok(None) };
        let detector = FaceDetector::new(&model.entry, session.inputs(), session.outputs())?;
        let options = *detector.options();
        let model = picture_model(ctx, session, &model.entry)?;
        Ok(Some(Self { model, detector, options }))
    }

    /// Faces per picture.
    pub(in super::super) fn find(
        &mut self,
        src: &dyn FrameBatch,
        color: ColorSpec,
        count: u32,
    ) -> Result<Vec<Vec<Face>>> {
        let prepared = self.model.submit_whole(src, color, count)?;
        let (detector, options) = (&self.detector, &self.options);
        let mut found = Vec::new();
        self.model.finish(prepared, &[], |run| {
            found.extend(detector.decode(&run.outputs, run.places, options)?);
            Ok(())
        })?;
        Ok(found)
    }
}

/// Describes pictures by vectors: what looks alike lies close together.
#[derive(Debug)]
pub(in super::super) struct Describe {
    model: DescriptorModel<OnnxSession>,
}

impl Describe {
    pub(super) fn open(opener: &mut Opener<'_>, ctx: &GpuContext) -> Result<Option<Self>> {
        let Some((session, model)) = opener.open(Task::Embed, &opener.config.analysis.embed_model)? else {
            return Ok(None);
        };
        let options = DescriptorOptions { largest: AT_ONCE, ..DescriptorOptions::default() };
        Ok(Some(Self { model: DescriptorModel::new(ctx, session, &model.entry, options)? }))
    }

    /// A vector for each of the first `count` pictures; nothing for one in which the network saw nothing.
    pub(in super::super) fn describe(
        &mut self,
        src: &dyn FrameBatch,
        color: ColorSpec,
        count: u32,
    ) -> Result<Vec<Option<Embedding>>> {
        Ok(self.model.describe_whole(src, color, count)?.rows().map(Embedding::new).collect())
    }
}

/// Tells the character from the rest.
#[derive(Debug)]
pub(in super::super) struct Subject {
    way: Way,
}

#[derive(Debug)]
enum Way {
    /// One run over the picture.
    Whole {
        model: Box<PictureModel<OnnxSession>>,
        segmenter: Segmenter,
        /// Class of the subject, in models of many.
        class: u16,
    },
    /// Many questions about it.
    Prompted(Box<Prompted>),
}

impl Subject {
    pub(super) fn open(opener: &mut Opener<'_>, ctx: &GpuContext) -> Result<Option<Self>> {
        if let Some(prompted) = Prompted::open(opener, ctx)? {
            return Ok(Some(Self { way: Way::Prompted(Box::new(prompted)) }));
        }
        let wanted = &opener.config.strategies.segment.segmentation_model;
        let Some((session, model)) = opener.open(Task::Segment, wanted)? else { return Ok(None) };
        let segmenter = Segmenter::new(&model.entry, session.inputs(), session.outputs())?;
        // A model of one class may name it without the comma that a list has.
        let read = |c: &str| ClassNames::read(c).or_else(|_| ClassNames::read(&format!("{c},")));
        let classes = model.entry.classes.as_deref().map(read).transpose()?;
        let wanted = &opener.config.analysis.instance_class;
        let class = match &classes {
            // A model of one thing knows no other: its mask is the subject.
            Some(classes) if classes.len() > 1 => u16::try_from(classes.class(wanted)?).unwrap_or(0),
            _ => 0,
        };
        let model = Box::new(picture_model(ctx, session, &model.entry)?);
        Ok(Some(Self { way: Way::Whole { model, segmenter, class } }))
    }

    /// Whether it is quick enough to look at every frame.
    pub(in super::super) fn is_quick(&self) -> bool {
        matches!(self.way, Way::Whole { .. })
    }

    /// Masks of the first `count` pictures, in their sizes.
    pub(in super::super) fn masks(
        &mut self,
        src: &dyn FrameBatch,
        color: ColorSpec,
        count: u32,
    ) -> Result<Vec<ByteMask>> {
        let (model, segmenter, class) = match &mut self.way {
            Way::Prompted(p) => return (0..count).map(|slot| p.mask(src, color, slot)).collect(),
            Way::Whole { model, segmenter, class } => (model, segmenter, *class),
        };
        let prepared = model.submit_whole(src, color, count)?;
        let mut found = Vec::new();
        model.finish(prepared, &[], |run| {
            for (one, place) in segmenter.decode(&run.outputs, run.places)?.iter().zip(run.places) {
                let mask = match one {
                    // Classes have hard edges of the network's cells; the mask of one class is brought to the picture smoothly.
                    Segmentation::Classes(map) => map.mask(class).in_picture(place),
                    Segmentation::Alpha(mask) => mask.in_picture(place),
                };
                found.push(ByteMask { size: mask.size, values: Mask::to_alpha(&mask) });
            }
            Ok(())
        })?;
        Ok(found)
    }
}
