//! Voice activity: where there is speech, from a recurrent model that takes a short window at a time (Silero VAD).
//!
//! Roles: inputs `audio` `[b, n]`, `state` (three axes; several in the order of the graph for models with two), `rate` (an integer scalar;
//! absent for models of one rate); outputs `probability` and `state`. `numbers.hop` and `numbers.context` are the new samples of a window and
//! those of the window before that precede them: 512 and 64 at 16 kHz, 256 and 32 at 8 kHz where the entry does not say.
//! `numbers.score` is the default threshold.
//!
//! The model sees one window after the other with the state of the one before: results do not depend on how the samples are handed over.

mod segments;

pub use segments::{SpeechOptions, SpeechSegment};

use super::fit::{check_task, fixed, list};
use super::io_roles::{input, number, output, tensor_of};
use crate::error::{Error, Result};
use crate::infer::io::{ElementType, IoInfo, NamedTensor, TensorModel};
use crate::infer::manifest::{ModelEntry, Task};
use crate::infer::tensor::Tensor;
use segments::Segmenter;

/// Adapter of `vad`.
#[derive(Debug, Clone)]
pub struct Vad {
    audio: IoInfo,
    rate: Option<IoInfo>,
    /// Input and output of each state.
    states: Vec<(IoInfo, String)>,
    probability: String,
    hop: Option<usize>,
    context: Option<usize>,
    threshold: f32,
}

fn is_integer(i: &IoInfo) -> bool {
    matches!(i.element, ElementType::I64 | ElementType::I32)
}

/// A number of the entry that must be a count.
fn count(entry: &ModelEntry, key: &str, most: f64) -> Result<Option<usize>> {
    match entry.numbers.get(key) {
        None => Ok(None),
        Some(n) if n.fract() == 0.0 && (0.0..=most).contains(n) => Ok(Some(*n as usize)),
        Some(n) => {
            Err(Error::model("decoder", format!("`{}`: numbers.{key} is a count up to {most}, not {n}", entry.name)))
        }
    }
}

impl Vad {
    /// For a model as its entry and its graph describe it.
    ///
    /// # Errors
    /// [`crate::Error::Model`] with cause `task`, `input`, `output` or `decoder`.
    pub fn new(entry: &ModelEntry, inputs: &[IoInfo], outputs: &[IoInfo]) -> Result<Self> {
        check_task(entry, Task::Vad)?;
        let audio = input(entry, inputs, "audio", |i| i.shape.len() == 2 && !is_integer(i))?.clone();
        let is_rate = |i: &IoInfo| i.shape.len() <= 1 && is_integer(i);
        let rate = if entry.inputs.contains_key("rate") || inputs.iter().any(is_rate) {
            Some(input(entry, inputs, "rate", is_rate)?.clone())
        } else {
            None
        };
        let probability = output(entry, outputs, "probability", |i| i.shape.len() == 2)?.name.clone();
        let from: Vec<&IoInfo> = match entry.inputs.contains_key("state") {
            true => vec![input(entry, inputs, "state", |_| false)?],
            false => inputs.iter().filter(|i| i.shape.len() == 3).collect(),
        };
        let to: Vec<&IoInfo> = match entry.outputs.contains_key("state") {
            true => vec![output(entry, outputs, "state", |_| false)?],
            false => outputs.iter().filter(|o| o.name != probability && matches!(o.shape.len(), 0 | 3)).collect(),
        };
        if from.len() != to.len() {
            let (i, o) = (list(inputs), list(outputs));
            return Err(Error::model("output", format!("as many states must come out as go in: {i} and {o}")));
        }
        let states = from.into_iter().cloned().zip(to.into_iter().map(|o| o.name.clone())).collect();
        let hop = count(entry, "hop", 48_000.0)?;
        if hop == Some(0) {
            return Err(Error::model("decoder", format!("`{}`: numbers.hop must be at least 1", entry.name)));
        }
        let context = count(entry, "context", 48_000.0)?;
        let threshold = number(entry, "score", 0.5) as f32;
        Ok(Self { audio, rate, states, probability, hop, context, threshold })
    }

    /// Options with the threshold of the entry; the lower one 0.15 below it, but not below 0.01.
    pub fn options(&self) -> SpeechOptions {
        let t = self.threshold;
        SpeechOptions { threshold: t, negative_threshold: (t - 0.15).max(0.01), ..SpeechOptions::default() }
    }

    /// Begins a stream of mono samples at `rate` samples a second.
    ///
    /// # Errors
    /// [`crate::Error::Model`] with cause `input` for another rate than 8000 or 16000, and [`crate::Error::Config`] for options out of range.
    pub fn stream(&self, rate: u32, options: &SpeechOptions) -> Result<VadStream> {
        let (hop, context) = match rate {
            16_000 => (512, 64),
            8_000 => (256, 32),
            _ => {
                return Err(Error::model(
                    "input",
                    format!("speech is looked for at 8000 or 16000 samples a second, not {rate}; resample first"),
                ));
            }
        };
        let (hop, context) = (self.hop.unwrap_or(hop), self.context.unwrap_or(context));
        let state = |(info, _): &(IoInfo, String)| {
            // A batch of one where the graph leaves an axis open.
            let shape: Vec<usize> = (0..info.shape.len()).map(|a| fixed(info.shape.get(a)).unwrap_or(1)).collect();
            tensor_of(info.element, shape.clone(), vec![0.0; shape.iter().product()])
        };
        Ok(VadStream {
            vad: self.clone(),
            rate,
            hop,
            window: vec![0.0; context],
            context,
            states: self.states.iter().map(state).collect::<Result<_>>()?,
            segmenter: Segmenter::new(rate, hop as u64, *options)?,
            windows: 0,
            samples: 0,
        })
    }

    /// Speech in all of `samples`.
    ///
    /// # Errors
    /// As [`Self::stream`] and [`VadStream::push`].
    pub fn segments(
        &self,
        model: &mut dyn TensorModel,
        samples: &[f32],
        rate: u32,
        options: &SpeechOptions,
    ) -> Result<Vec<SpeechSegment>> {
        let mut stream = self.stream(rate, options)?;
        let mut found = stream.push(model, samples)?.segments;
        found.extend(stream.finish(model)?.segments);
        Ok(found)
    }
}

/// What came of some samples.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct VadOutput {
    /// Number of the first window of `probabilities`; window `i` begins at sample `i * hop`.
    pub first_window: u64,
    /// Probability of speech per window that is complete, 0..=1.
    pub probabilities: Vec<f32>,
    /// Segments that no later sample can change.
    pub segments: Vec<SpeechSegment>,
}

/// State of one stream of samples.
#[derive(Debug, Clone)]
pub struct VadStream {
    vad: Vad,
    rate: u32,
    hop: usize,
    context: usize,
    /// Context, then the samples of a window that is not complete.
    window: Vec<f32>,
    states: Vec<Tensor>,
    segmenter: Segmenter,
    windows: u64,
    samples: u64,
}

impl VadStream {
    /// New samples of a window.
    pub fn hop(&self) -> usize {
        self.hop
    }

    /// Takes more samples, -1..=1, as many as there are.
    ///
    /// # Errors
    /// Those of the model, and [`crate::Error::Model`] with cause `output` when it gives no probability. The stream cannot go on then.
    pub fn push(&mut self, model: &mut dyn TensorModel, samples: &[f32]) -> Result<VadOutput> {
        let mut out = VadOutput { first_window: self.windows, ..VadOutput::default() };
        let mut rest = samples;
        while !rest.is_empty() {
            let room = self.context + self.hop - self.window.len();
            let (now, later) = rest.split_at(room.min(rest.len()));
            self.window.extend_from_slice(now);
            self.samples += now.len() as u64;
            rest = later;
            if self.window.len() == self.context + self.hop {
                self.step(model, &mut out)?;
            }
        }
        Ok(out)
    }

    /// The end: the last window is filled up with silence, and what is open ends with the last sample.
    ///
    /// # Errors
    /// As [`Self::push`].
    pub fn finish(mut self, model: &mut dyn TensorModel) -> Result<VadOutput> {
        let mut out = VadOutput { first_window: self.windows, ..VadOutput::default() };
        if self.window.len() > self.context {
            self.window.resize(self.context + self.hop, 0.0);
            self.step(model, &mut out)?;
        }
        out.segments.extend(self.segmenter.finish(self.samples));
        Ok(out)
    }

    fn step(&mut self, model: &mut dyn TensorModel, out: &mut VadOutput) -> Result<()> {
        let v = &self.vad;
        let audio = tensor_of(v.audio.element, vec![1, self.window.len()], self.window.clone())?;
        let rate = match &v.rate {
            Some(i) => Some(tensor_of(i.element, vec![1; i.shape.len()], vec![self.rate as f32])?),
            None => None,
        };
        let mut inputs = vec![NamedTensor { name: &v.audio.name, tensor: audio.view() }];
        inputs.extend(v.rate.iter().zip(&rate).map(|(i, t)| NamedTensor { name: &i.name, tensor: t.view() }));
        inputs.extend(
            v.states.iter().zip(&self.states).map(|((i, _), t)| NamedTensor { name: &i.name, tensor: t.view() }),
        );
        let mut outputs = model.run(&inputs)?;
        let probability = outputs.get(&v.probability)?.to_f32().last().copied();
        let probability = probability.filter(|p| p.is_finite()).ok_or_else(|| {
            Error::model("output", format!("`{}` should be a probability, it is {probability:?}", v.probability))
        })?;
        let mut states = Vec::with_capacity(self.states.len());
        for ((_, name), old) in v.states.iter().zip(&self.states) {
            let new = outputs.take(name).filter(|n| n.shape == old.shape);
            states.push(new.ok_or_else(|| {
                Error::model("output", format!("the state `{name}` should have the shape {:?}", old.shape))
            })?);
        }
        self.states = states;
        // The end of this window precedes the next one.
        self.window.drain(..self.hop);
        self.windows += 1;
        out.probabilities.push(probability);
        out.segments.extend(self.segmenter.push(probability));
        Ok(())
    }
}

#[cfg(test)]
mod tests;
