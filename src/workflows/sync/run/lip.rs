//! The estimator without weights of its own: lips by a landmark model.

use std::time::Duration;

use super::super::levels::SoundLevels;
use super::super::lip_motion::{LipMotionOptions, MouthSample, SyncEstimate, lip_motion_levels, lip_preference};
use super::super::lips::{MIN_SCORE, measures};
use super::estimator::{Estimator, SeenFace};
use super::log::Look;
use super::video::SyncVideo;
use crate::core::ColorSpec;
use crate::error::Result;
use crate::gpu::GpuContext;
use crate::infer::tasks::landmarks::LandmarkModel;
use crate::infer::{OnnxSession, SessionOptions, TensorModel as _, VerifiedModel};
use crate::ops::FrameBatch;
use crate::ops::resize::crop_resize::CropBox;
use crate::pipeline::vision::{PictureModel, TensorStageOptions};

/// Faces that go through the model at once.
const LARGEST: usize = 16;

/// Lips against levels of the sound, see [`lip_motion_levels`].
#[derive(Debug)]
pub(super) struct LipMotion {
    net: PictureModel<OnnxSession>,
    adapter: LandmarkModel,
    network: (String, String),
    stand_in: bool,
}

impl LipMotion {
    pub(super) fn open(ctx: &GpuContext, model: &VerifiedModel, session: &SessionOptions) -> Result<Self> {
        let session = OnnxSession::open(model, session)?;
        let adapter = LandmarkModel::new(&model.entry, session.inputs(), session.outputs())?;
        let picture = model.entry.picture.clone().unwrap_or_default();
        let net = PictureModel::new(ctx, session, &picture, LARGEST, TensorStageOptions::default())?;
        let network = (model.entry.name.clone(), model.sha256.clone());
        Ok(Self { net, adapter, network, stand_in: model.entry.stand_in })
    }
}

impl Estimator for LipMotion {
    fn name(&self) -> &'static str {
        "lip-motion"
    }

    fn calibration(&self) -> &'static str {
        "a logistic over peak + margin of the correlation, fitted to the five speakers of the GRID test clips (3 s) with their own sound at 11 \
         shifts, against each with the sound of the other four at 5 shifts and with 27 stretches of unrelated speech; equal weight to own and \
         foreign. Longer stretches count by the root of their length"
    }

    fn confidence_scale(&self) -> f64 {
        10.0
    }

    fn networks(&self) -> Vec<(String, String)> {
        vec![self.network.clone()]
    }

    fn stands_in(&self) -> bool {
        self.stand_in
    }

    fn warm_up(&self) -> f64 {
        0.0
    }

    fn bytes(&self, faces: u64) -> u64 {
        4 * self.net.stage().element_bytes() * faces
    }

    fn begin(&mut self, _: &SyncVideo, _: f64, _: &LipMotionOptions) -> Result<()> {
        Ok(())
    }

    fn look(&mut self, src: &dyn FrameBatch, color: ColorSpec, faces: &[SeenFace]) -> Result<Vec<Look>> {
        let adapter = &self.adapter;
        let crop = |f: &SeenFace| CropBox { slot: f.slot, rect: adapter.crop(&f.face).to_pixels() };
        let faces: Vec<&SeenFace> = faces.iter().filter(|f| f.keep).collect();
        let crops: Vec<CropBox> = faces.iter().map(|f| crop(f)).collect();
        let prepared = self.net.submit(src, color, &crops)?;
        let (mut looks, mut of) = (Vec::new(), faces.iter());
        self.net.finish(prepared, &[], |run| {
            for (found, face) in adapter.decode(&run.outputs, run.places)?.into_iter().zip(&mut of) {
                // Where the model sees no face there is nothing to look at.
                if let Some(points) = found.filter(|l| l.score.is_none_or(|s| s >= MIN_SCORE)) {
                    let micros = ((face.shown.0 + face.shown.1) / 2.0 * 1e6).round() as i64;
                    let side = face.face.width.max(face.face.height);
                    let values = measures(&points).iter().map(|v| *v as f32).chain([side]).collect();
                    looks.push(Look { track: face.track, micros, values });
                }
            }
            Ok(())
        })?;
        Ok(looks)
    }

    fn running(&self) -> Duration {
        self.net.model().stats().total
    }

    fn preference(&self, looks: &[Look], sound: &SoundLevels, before: f64, after: f64) -> Vec<(f64, f64)> {
        lip_preference(&samples(looks), sound, before, after)
    }

    fn estimate(&self, looks: &[Look], sound: &SoundLevels, options: &LipMotionOptions) -> Result<SyncEstimate> {
        lip_motion_levels(&samples(looks), sound, options)
    }
}

/// Mouths of a stretch. Sizes are those of the face over the stretch: its side in a frame would be noise.
fn samples(looks: &[Look]) -> Vec<MouthSample> {
    let mut sides: Vec<f32> = looks.iter().filter_map(|l| l.values.get(2).copied()).collect();
    sides.sort_by(f32::total_cmp);
    let side = f64::from(sides.get(sides.len() / 2).copied().unwrap_or(1.0).max(1.0));
    let sample = |l: &Look| {
        let mut values = l.values.iter().map(|v| f64::from(*v) / (side * side));
        MouthSample { seconds: l.seconds(), measures: std::array::from_fn(|_| values.next().unwrap_or(0.0)) }
    };
    looks.iter().map(sample).collect()
}
