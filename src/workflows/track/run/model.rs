//! A network as a detector: loaded once, looked through by all streams.

use std::sync::{Arc, Mutex, PoisonError};

use super::eye::Found;
use crate::error::{Error, Result};
use crate::gpu::GpuContext;
use crate::infer::tasks::detect::{DetectOptions, Detector};
use crate::infer::{
    IoInfo, ModelEntry, NamedTensor, OnnxSession, Outputs, SessionOptions, Task, TensorModel, VerifiedModel,
    load_runtime,
};
use crate::pipeline::HeldBatch;
use crate::pipeline::vision::{PictureModel, TensorStageOptions};

/// Frames that go through the network at once. One: sums of a larger batch may be rounded in another order, and results must not depend on
/// how many frames are in flight. On the processor nothing is lost by it.
const AT_ONCE: usize = 1;

/// A loaded network of task `detect`. Clones share its session.
#[derive(Debug, Clone)]
pub struct TrackModel {
    session: Lent,
    entry: ModelEntry,
    sha256: String,
    reader: Detector,
    runtime: String,
}

/// A session that several streams use, one at a time.
#[derive(Debug, Clone)]
struct Lent {
    session: Arc<Mutex<OnnxSession>>,
    inputs: Vec<IoInfo>,
    outputs: Vec<IoInfo>,
}

impl TensorModel for Lent {
    fn inputs(&self) -> &[IoInfo] {
        &self.inputs
    }

    fn outputs(&self) -> &[IoInfo] {
        &self.outputs
    }

    fn run(&mut self, inputs: &[NamedTensor<'_>]) -> Result<Outputs> {
        self.session.lock().unwrap_or_else(PoisonError::into_inner).run(inputs)
    }
}

impl TrackModel {
    /// Loads a network.
    ///
    /// # Errors
    /// [`Error::Usage`] for models of other tasks; [`Error::Model`].
    pub fn open(model: &VerifiedModel, options: &SessionOptions) -> Result<Self> {
        let entry = &model.entry;
        if entry.task != Task::Detect {
            return Err(Error::usage(format!("`{}` is a model for {}, not for detection", entry.name, entry.task)));
        }
        let session = OnnxSession::open(model, options)?;
        let reader = Detector::new(entry, session.inputs(), session.outputs())?;
        let (inputs, outputs) = (session.inputs().to_vec(), session.outputs().to_vec());
        let session = Lent { session: Arc::new(Mutex::new(session)), inputs, outputs };
        let (entry, sha256) = (entry.clone(), model.sha256.clone());
        Ok(Self { session, entry, sha256, reader, runtime: load_runtime()?.version.to_string() })
    }

    /// Its name in the manifest.
    pub fn name(&self) -> &str {
        &self.entry.name
    }

    /// Names of the classes, where the manifest gives them.
    pub fn classes(&self) -> Vec<String> {
        let names = self.reader.classes();
        let name = |i: u32| Some(names?.name(i)?.to_owned());
        (0..names.map_or(0, |n| n.len() as u32)).filter_map(name).collect()
    }

    pub(super) fn content(&self) -> String {
        format!("{} {} {}", self.entry.name, self.sha256, self.runtime)
    }

    /// For one stream: tensors of its own, the session shared.
    pub(super) fn eye(&self, ctx: &GpuContext, floor: f64) -> Result<ModelEye> {
        let picture = self.entry.picture.clone().unwrap_or_default();
        let options = TensorStageOptions { in_flight: 2, ..TensorStageOptions::default() };
        let model = PictureModel::new(ctx, self.session.clone(), &picture, AT_ONCE, options)?;
        let options = DetectOptions { score: floor as f32, ..self.reader.options().clone() };
        Ok(ModelEye { model, reader: self.reader.clone(), options })
    }
}

/// A network that looks at the frames of one stream.
pub(super) struct ModelEye {
    model: PictureModel<Lent>,
    reader: Detector,
    options: DetectOptions,
}

impl ModelEye {
    pub(super) fn element_bytes(&self) -> u64 {
        self.model.stage().element_bytes()
    }

    pub(super) fn look(&mut self, batch: &HeldBatch) -> Result<Found> {
        let Self { model, reader, options } = self;
        let infos = batch.infos();
        let prepared = model.submit_whole(batch.frames(), batch.desc().color, infos.len() as u32)?;
        let mut found = Vec::with_capacity(infos.len());
        let mut next = infos.iter();
        model.finish(prepared, &[], |run| {
            let pictures = reader.decode(&run.outputs, run.places, options)?;
            found.extend(next.by_ref().map(|i| i.index).take(pictures.len()).zip(pictures));
            Ok(())
        })?;
        if found.len() != infos.len() {
            return Err(Error::Bug(format!("detections of {} frames for {}", found.len(), infos.len())));
        }
        Ok(found)
    }
}
