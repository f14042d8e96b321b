//! The networks of a run: loaded once, used for video after video.

use std::path::PathBuf;
use std::time::Duration;

use super::config::{EstimatorKind, SyncConfig};
use super::estimator::Estimator;
use super::lip::LipMotion;
use super::syncnet::SyncNet;
use super::views::PersonNet;
use crate::core::Size;
use crate::error::{Error, Result};
use crate::gpu::GpuContext;
use crate::infer::tasks::face::FaceDetector;
use crate::infer::{
    Allow, ModelRegistry, OnnxSession, PictureInput, SessionOptions, Task, TensorModel as _, VerifiedModel,
};
use crate::pipeline::vision::{PictureModel, TensorStageOptions};

/// Faces are looked for in this many frames at once.
const LARGEST: usize = 8;
/// The usual network for vectors of faces.
const PERSON: &str = "mobilefacenet";

/// Names of the networks in the manifests; `None`: the usual one, else the first that is listed for the task.
#[derive(Debug, Clone, Default)]
pub struct SyncModelNames {
    /// Face detector.
    pub face: Option<String>,
    /// Landmarks of faces.
    pub landmarks: Option<String>,
    /// SyncNet's network for lips.
    pub lips: Option<String>,
    /// SyncNet's network for sound.
    pub audio: Option<String>,
    /// Vectors of faces, for persons; the usual one only, where it is listed. `none` for persons by place.
    pub person: Option<String>,
}

/// Checked networks, not yet loaded: several runs beside each other load them from here.
#[derive(Debug, Clone)]
pub struct SyncModelFiles {
    kind: EstimatorKind,
    face: VerifiedModel,
    others: Vec<VerifiedModel>,
    person: Option<VerifiedModel>,
}

impl SyncModelFiles {
    /// Reads and checks what the estimator of `config` needs, from `folders` and the usual places.
    ///
    /// # Errors
    /// [`Error::Model`] when a network is not listed, or is another than its manifest says.
    pub fn find(folders: &[PathBuf], names: &SyncModelNames, config: &SyncConfig) -> Result<Self> {
        let registry = ModelRegistry::find(folders)?;
        let face = load(&registry, Task::Face, names.face.as_deref(), "yunet-n")?;
        let others = match config.estimator {
            EstimatorKind::LipMotion => {
                vec![load(&registry, Task::Landmarks, names.landmarks.as_deref(), "face-landmark-468")?]
            }
            EstimatorKind::Syncnet => vec![
                load(&registry, Task::Lipsync, names.lips.as_deref(), "syncnet-lips")?,
                load(&registry, Task::Lipsync, names.audio.as_deref(), "syncnet-audio")?,
            ],
        };
        // Which of the networks for pictures is one for faces, a list does not say: only the usual one is taken unasked.
        let person = match names.person.as_deref() {
            Some("none") => None,
            Some(name) => Some(registry.load_for(Task::Embed, name, Allow::Pinned)?),
            None if registry.get(PERSON).is_ok() => Some(registry.load_for(Task::Embed, PERSON, Allow::Pinned)?),
            None => None,
        };
        Ok(Self { kind: config.estimator, face, others, person })
    }

    /// Loads them. `threads`: of each network; the number of cores when not given.
    ///
    /// # Errors
    /// [`Error::Model`] when a network does not do what its task needs; the device.
    pub fn load(&self, ctx: &GpuContext, threads: Option<usize>) -> Result<SyncModels> {
        let session = SessionOptions { threads, ..SessionOptions::default() };
        let faces = FaceNet::open(ctx, &self.face, &session)?;
        let estimator: Box<dyn Estimator> = match (self.kind, self.others.as_slice()) {
            (EstimatorKind::LipMotion, [landmarks]) => Box::new(LipMotion::open(ctx, landmarks, &session)?),
            (EstimatorKind::Syncnet, [lips, audio]) => Box::new(SyncNet::open(ctx, lips, audio, &session)?),
            _ => return Err(Error::Bug("an estimator without its networks".into())),
        };
        let person = self.person.as_ref().map(|m| PersonNet::open(ctx, m, &session)).transpose()?;
        Ok(SyncModels { faces, estimator, person })
    }
}

fn load(registry: &ModelRegistry, task: Task, name: Option<&str>, usual: &str) -> Result<VerifiedModel> {
    let name = match name {
        Some(given) => given,
        None if registry.get(usual).is_ok() => usual,
        None => {
            let first = registry.by_task(task).next();
            // Not even one: the error names the usual one, and what there is.
            first.map_or(usual, |m| m.entry.name.as_str())
        }
    };
    registry.load_for(task, name, Allow::Pinned)
}

/// Loaded networks.
#[derive(Debug)]
pub struct SyncModels {
    pub(super) faces: FaceNet,
    pub(super) estimator: Box<dyn Estimator>,
    pub(super) person: Option<PersonNet>,
}

impl SyncModels {
    /// Puts an estimator of your own in the place of the one that was loaded.
    #[must_use]
    pub fn with_estimator(self, estimator: Box<dyn Estimator>) -> Self {
        Self { estimator, ..self }
    }

    /// Name and SHA-256 of each network; part of the run key.
    pub fn networks(&self) -> Vec<(String, String)> {
        let mut all = vec![self.faces.network.clone()];
        all.extend(self.estimator.networks());
        all.extend(self.person.iter().map(|p| p.network.clone()));
        all
    }

    /// Time inside the networks since they were loaded.
    pub fn running(&self) -> Duration {
        let person = self.person.as_ref().map_or(Duration::ZERO, PersonNet::running);
        self.faces.net.model().stats().total + self.estimator.running() + person
    }
}

/// The face detector.
#[derive(Debug)]
pub(super) struct FaceNet {
    pub(super) net: PictureModel<OnnxSession>,
    pub(super) head: FaceDetector,
    picture: PictureInput,
    network: (String, String),
}

impl FaceNet {
    fn open(ctx: &GpuContext, model: &VerifiedModel, session: &SessionOptions) -> Result<Self> {
        let session = OnnxSession::open(model, session)?;
        let head = FaceDetector::new(&model.entry, session.inputs(), session.outputs())?;
        let picture = model.entry.picture.clone().unwrap_or_default();
        let net = PictureModel::new(ctx, session, &picture, LARGEST, TensorStageOptions::default())?;
        Ok(Self { net, head, picture, network: (model.entry.name.clone(), model.sha256.clone()) })
    }

    /// Gets ready for pictures of `size`, which are reduced to a longest side of `side`. A network of a fixed size keeps it.
    pub(super) fn fit(&mut self, ctx: &GpuContext, size: Size, side: u32) -> Result<()> {
        let multiple = self.picture.multiple.unwrap_or(32).max(1);
        let small = if size.width.max(size.height) > side { size.fit_within(side) } else { size };
        let up = |v: u32| v.max(1).next_multiple_of(multiple);
        let wanted = Size::new(up(small.width), up(small.height));
        let options = TensorStageOptions { size: Some(wanted), ..TensorStageOptions::default() };
        self.net.restage(ctx, &self.picture, options)
    }
}
