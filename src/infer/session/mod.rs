//! A model that can be run: a session of ONNX Runtime.
//!
//! Inputs are checked by name, type and shape before the runtime sees them, and handed over in place. A model with a fixed batch is run
//! several times when it is given another one (see `batch.rs`). A run that fails leaves the session usable.
//!
//! Inputs and outputs are not bound beforehand (`IoBinding`): on the processor that gained nothing in interleaved runs (YOLOX-nano 19.6
//! against 19.8 ms, Real-ESRGAN on 128x128 199 against 198 ms), and binding borrowed memory in `ort` 2.0.0-rc.15 copies it through a session that waits for itself.

mod batch;
mod stats;

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Instant;

use ort::logging::LogLevel;
use ort::session::Session;
use ort::session::builder::GraphOptimizationLevel;

use super::convert;
use super::io::{ElementType, Extent, IoInfo, NamedTensor, Outputs, TensorModel};
use super::manifest::ModelEntry;
use super::provider::Provider;
use super::registry::VerifiedModel;
use super::runtime::environment;
use super::tensor::{Tensor, TensorData, TensorSlice, check};
use crate::error::{Error, Result};
use batch::Batch;
use stats::Recorder;
pub use stats::SessionStats;

/// How far the runtime rewrites a graph before it runs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Optimization {
    /// Not at all: nodes run as they stand in the file.
    Off,
    /// Constants folded, dead nodes removed.
    Basic,
    /// Nodes fused too.
    Extended,
    /// Layouts of tensors changed too: all there is.
    #[default]
    All,
}

/// How a session runs.
#[derive(Debug, Clone, PartialEq)]
pub struct SessionOptions {
    /// What it runs on.
    pub provider: Provider,
    /// Number of the device, for providers that have several; the first when not given.
    pub device: Option<u32>,
    /// Threads within an operator; the number of cores, at most 8, when not given. 1 runs on the calling thread alone.
    pub threads: Option<usize>,
    /// Whether idle threads spin for work. Faster by a little where nothing else runs, and in the way of decoders and kernels where something does.
    pub spinning: bool,
    /// Rewriting of the graph.
    pub optimization: Optimization,
    /// Whether memory is planned once for inputs of one shape. In the way where each run has another shape.
    pub memory_pattern: bool,
    /// Only kernels that give the same bits each time, where the provider has the choice.
    pub deterministic: bool,
    /// Whether nodes that the provider lacks may run on the processor. Else such a model is an error.
    pub cpu_fallback: bool,
    /// Extents for axes that the model leaves open, by the name that it gives them.
    pub dimensions: Vec<(String, usize)>,
}

impl Default for SessionOptions {
    /// The processor, all cores up to 8, no spinning, all optimisations.
    fn default() -> Self {
        Self {
            provider: Provider::Cpu,
            device: None,
            threads: None,
            spinning: false,
            optimization: Optimization::All,
            memory_pattern: true,
            deterministic: false,
            cpu_fallback: true,
            dimensions: Vec::new(),
        }
    }
}

/// A model that can be run.
#[derive(Debug)]
pub struct OnnxSession {
    session: Session,
    entry: ModelEntry,
    pinned: bool,
    inputs: Vec<IoInfo>,
    outputs: Vec<IoInfo>,
    stats: Recorder,
    /// Weights that the runtime was given in place. Behind the session, so that they are dropped after it.
    _weights: Vec<Arc<[u8]>>,
}

impl OnnxSession {
    /// Makes a session of a model that was read and checked.
    ///
    /// # Errors
    /// [`Error::Model`] with cause `runtime-missing`, `runtime-too-old` or `runtime-invalid`, `provider` (not in this runtime, or it fails),
    /// `dimension` (the model has no axis of that name), `invalid` (the runtime does not take the model: its own words).
    /// [`Error::Config`] for `threads` of 0 or above 256.
    pub fn open(model: &VerifiedModel, options: &SessionOptions) -> Result<Self> {
        let (environment, runtime) = environment()?;
        let threads = match options.threads {
            Some(n @ 1..=256) => n,
            Some(n) => {
                return Err(Error::Config { field: "threads".into(), message: format!("must be 1 to 256, got {n}") });
            }
            None => std::thread::available_parallelism().map_or(1, usize::from).min(8),
        };
        check_dimensions(model, options)?;
        let providers = options.provider.dispatch(options.device, &runtime)?;
        let build = || -> ort::Result<Session> {
            let mut builder = Session::builder(&environment)?
                // What the runtime has to say of an error comes back as an error; it need not be on standard error as well.
                .with_log_level(LogLevel::Fatal)?
                .with_intra_threads(threads)?
                .with_inter_threads(1)?
                .with_parallel_execution(false)?
                .with_intra_op_spinning(options.spinning)?
                .with_inter_op_spinning(false)?
                .with_memory_pattern(options.memory_pattern)?
                .with_optimization_level(match options.optimization {
                    Optimization::Off => GraphOptimizationLevel::Disable,
                    Optimization::Basic => GraphOptimizationLevel::Level1,
                    Optimization::Extended => GraphOptimizationLevel::Level2,
                    Optimization::All => GraphOptimizationLevel::All,
                })?
                .with_deterministic_compute(options.deterministic)?;
            if !options.cpu_fallback && options.provider != Provider::Cpu {
                builder = builder.with_disable_cpu_fallback()?;
            }
            for (name, size) in &options.dimensions {
                builder = builder.with_dimension_override(name, i64::try_from(*size).unwrap_or(i64::MAX))?;
            }
            for data in &model.external {
                builder = builder.with_external_initializer_file_in_memory(&data.file, Arc::clone(&data.bytes))?;
            }
            builder = builder.with_execution_providers(&providers)?;
            builder.commit_from_memory(&model.bytes)
        };
        let session = build().map_err(|e| Error::Model {
            cause: if options.provider == Provider::Cpu { "invalid" } else { "provider" },
            message: format!("ONNX Runtime makes no session of `{}` on `{}`: {e}", model.entry.name, options.provider),
        })?;
        let inputs = session.inputs().iter().map(convert::io_info).collect();
        let outputs = session.outputs().iter().map(convert::io_info).collect();
        Ok(Self {
            session,
            entry: model.entry.clone(),
            pinned: model.pinned,
            inputs,
            outputs,
            stats: Recorder::default(),
            _weights: model.external.iter().map(|d| Arc::clone(&d.bytes)).collect(),
        })
    }

    /// What the manifest says of the model.
    pub fn entry(&self) -> &ModelEntry {
        &self.entry
    }

    /// Whether a manifest lists the content of the model.
    pub fn pinned(&self) -> bool {
        self.pinned
    }

    /// Runs and times so far, warm-up left out.
    pub fn stats(&self) -> SessionStats {
        self.stats.summary()
    }

    /// Runs the model `times` times without counting: memory is laid out and threads are started then.
    ///
    /// # Errors
    /// Those of [`TensorModel::run`].
    pub fn warm_up(&mut self, inputs: &[NamedTensor<'_>], times: usize) -> Result<()> {
        let kept = self.stats.clone();
        let done = (0..times).try_for_each(|_| self.run(inputs).map(|_| ()));
        self.stats = kept;
        done
    }

    /// Inputs of zeros: each open axis gets what `open` says for the input and the axis.
    ///
    /// # Errors
    /// [`Error::Model`] with cause `input` for element types that cannot be given, and `shape` for more elements than can be.
    pub fn zeros(&self, open: impl Fn(&IoInfo, usize) -> usize) -> Result<Vec<(String, Tensor)>> {
        let zero = |io: &IoInfo| {
            let extents = io.shape.iter().enumerate();
            let shape: Vec<usize> = extents
                .map(|(axis, e)| match e {
                    Extent::Fixed(n) => *n,
                    Extent::Dynamic(_) => open(io, axis),
                })
                .collect();
            let count = shape.iter().try_fold(1usize, |n, d| n.checked_mul(*d)).filter(|n| *n <= 1 << 32);
            let Some(count) = count else {
                let message = format!("input `{}` of shape {shape:?} is too large", io.name);
                return Err(Error::Model { cause: "shape", message });
            };
            let data = match io.element {
                ElementType::F32 | ElementType::F64 => TensorData::F32(vec![0.0; count]),
                ElementType::F16 => TensorData::F16(vec![half::f16::ZERO; count]),
                ElementType::I64 => TensorData::I64(vec![0; count]),
                ElementType::I32 => TensorData::I32(vec![0; count]),
                ElementType::U8 => TensorData::U8(vec![0; count]),
                ElementType::Bool => TensorData::Bool(vec![false; count]),
                ElementType::Other => return Err(input_error(&io.name, "is of a type that cannot be given".into())),
            };
            Ok((io.name.clone(), Tensor { shape, data }))
        };
        self.inputs.iter().map(zero).collect()
    }

    /// Inputs in the order of the model, all of them, of the right types and ranks.
    fn arrange<'a>(&self, given: &[NamedTensor<'a>]) -> Result<Vec<NamedTensor<'a>>> {
        for (i, one) in given.iter().enumerate() {
            if !self.inputs.iter().any(|io| io.name == one.name) {
                let names: Vec<&str> = self.inputs.iter().map(|i| i.name.as_str()).collect();
                let known = format!("is none of the model `{}`, which takes {}", self.entry.name, names.join(", "));
                return Err(input_error(one.name, known));
            }
            if given.iter().skip(i + 1).any(|other| other.name == one.name) {
                return Err(input_error(one.name, "is given twice".into()));
            }
        }
        let find = |io: &IoInfo| {
            let tensor = given.iter().find(|t| t.name == io.name).copied();
            let tensor = tensor.ok_or_else(|| input_error(&io.name, format!("of `{}` is missing", self.entry.name)))?;
            let (shape, data) = (tensor.tensor.shape, tensor.tensor.data);
            check(shape, data.len())?;
            let type_given = match data {
                TensorSlice::F32(_) if io.element == ElementType::F64 => ElementType::F64,
                TensorSlice::F32(_) => ElementType::F32,
                TensorSlice::F16(_) => ElementType::F16,
                TensorSlice::I64(_) => ElementType::I64,
                TensorSlice::I32(_) => ElementType::I32,
                TensorSlice::U8(_) => ElementType::U8,
                TensorSlice::Bool(_) => ElementType::Bool,
            };
            if type_given != io.element {
                return Err(input_error(&io.name, format!("must be {:?}, {type_given:?} was given", io.element)));
            }
            if shape.len() != io.shape.len() {
                return Err(wrong_shape(io, shape));
            }
            Ok(tensor)
        };
        self.inputs.iter().map(find).collect()
    }

    /// One run of the runtime on inputs that fit.
    fn run_once(&mut self, inputs: &[NamedTensor<'_>], elements: usize) -> Result<Outputs> {
        let failed =
            |e: &ort::Error, name: &str| Error::Model { cause: "run", message: format!("`{name}` failed: {e}") };
        let mut values = Vec::with_capacity(inputs.len());
        for (given, io) in inputs.iter().zip(&self.inputs) {
            let value = convert::input(given.tensor, io.element).map_err(|e| failed(&e, &self.entry.name))?;
            values.push((Cow::Borrowed(given.name), value));
        }
        let started = Instant::now();
        let outputs = match self.session.run(values) {
            Ok(outputs) => outputs,
            Err(e) => {
                self.stats.failed();
                return Err(failed(&e, &self.entry.name));
            }
        };
        let took = started.elapsed();
        let mut named = Vec::with_capacity(outputs.len());
        for (name, value) in outputs.iter() {
            named.push((name.to_owned(), convert::output(name, &value)?));
        }
        drop(outputs);
        self.stats.ran(elements, took);
        Ok(Outputs::new(named))
    }
}

impl TensorModel for OnnxSession {
    fn inputs(&self) -> &[IoInfo] {
        &self.inputs
    }

    fn outputs(&self) -> &[IoInfo] {
        &self.outputs
    }

    /// Inputs of 64-bit floats take 32-bit ones; outputs of 64-bit floats come as 32-bit ones.
    fn run(&mut self, inputs: &[NamedTensor<'_>]) -> Result<Outputs> {
        let arranged = self.arrange(inputs)?;
        match batch::plan(&self.inputs, &arranged)? {
            Batch::Whole { elements } => self.run_once(&arranged, elements),
            Batch::Parts { size, given } => batch::run_parts(self, &arranged, size, given),
        }
    }
}

fn input_error(name: &str, message: String) -> Error {
    Error::Model { cause: "input", message: format!("input `{name}` {message}") }
}

fn wrong_shape(io: &IoInfo, given: &[usize]) -> Error {
    let extent = |e: &Extent| match e {
        Extent::Fixed(n) => n.to_string(),
        Extent::Dynamic(name) if name.is_empty() => "any".into(),
        Extent::Dynamic(name) => name.clone(),
    };
    let wanted: Vec<String> = io.shape.iter().map(extent).collect();
    input_error(&io.name, format!("must have the shape [{}], {given:?} was given", wanted.join(", ")))
}

/// The runtime ignores names that no axis has.
fn check_dimensions(model: &VerifiedModel, options: &SessionOptions) -> Result<()> {
    let open = model.graph.inputs.iter().flat_map(|i| &i.shape);
    let names: Vec<&str> = open
        .filter_map(|e| match e {
            Extent::Dynamic(name) if !name.is_empty() => Some(name.as_str()),
            _ => None,
        })
        .collect();
    match options.dimensions.iter().find(|(name, size)| !names.contains(&name.as_str()) || *size == 0) {
        None => Ok(()),
        Some((name, 0)) => {
            Err(Error::Model { cause: "dimension", message: format!("axis `{name}` must be at least 1") })
        }
        Some((name, _)) => Err(Error::Model {
            cause: "dimension",
            message: format!("`{}` has no open axis `{name}`; it has {}", model.entry.name, names.join(", ")),
        }),
    }
}
