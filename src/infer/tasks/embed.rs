//! Vectors of pictures: what is alike lies close together.
//!
//! | decoder | output | what becomes of it |
//! |---|---|---|
//! | `vector` | `embedding` `[N, D]`, or with axes of 1 | scaled to unit length here |
//! | `map` | `embedding` `[N, C, height, width]` | left as it is for `tensor/grid_pool`, which gives `grid * grid * C` numbers, and `tensor/l2_normalize` |
//!
//! Numbers of the manifest: for `map` `grid` (cells across and down, 1) and `gem` (the exponent of a generalized mean, 1..=64; the plain
//! average without it).

use std::borrow::Cow;

use super::fit::{Dense, Settings, check_task, fixed, list};
use crate::core::{GridPooling, Size};
use crate::error::{Error, Result};
use crate::infer::{IoInfo, ModelEntry, Outputs, Task};

/// A feature map to be pooled, as `tensor/grid_pool` takes it.
#[derive(Debug, Clone, PartialEq)]
pub struct FeatureMap<'a> {
    /// `[N, channels, height, width]`.
    pub data: Cow<'a, [f32]>,
    /// Pictures.
    pub batch: usize,
    /// Channels.
    pub channels: u32,
    /// Width and height of a channel.
    pub size: Size,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    Vector { dim: Option<usize> },
    Map { channels: Option<usize>, grid: u32, pooling: GridPooling },
}

/// Reads vectors, or the maps that they are pooled from, out of what a network gives.
#[derive(Debug, Clone, PartialEq)]
pub struct Embedder {
    output: String,
    kind: Kind,
}

impl Embedder {
    /// Finds the output. The decoder may be left out: one output with more than one number along two or more axes behind the first is a
    /// map.
    ///
    /// # Errors
    /// [`crate::Error::Model`] with cause `task`, `decoder`, `output`, `shape`, `input` or `number`.
    pub fn new(entry: &ModelEntry, inputs: &[IoInfo], outputs: &[IoInfo]) -> Result<Self> {
        Self::for_task(entry, inputs, outputs, Task::Embed)
    }

    /// For a model of task `embed` or `reid`: whatever gives a vector for a picture, or a map of vectors.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub(crate) fn of_any(entry: &ModelEntry, inputs: &[IoInfo], outputs: &[IoInfo]) -> Result<Self> {
        let task = if entry.task == Task::Reid { Task::Reid } else { Task::Embed };
        Self::for_task(entry, inputs, outputs, task)
    }

    pub(super) fn for_task(entry: &ModelEntry, inputs: &[IoInfo], outputs: &[IoInfo], task: Task) -> Result<Self> {
        check_task(entry, task)?;
        super::fit::picture_size(entry, inputs)?;
        let map = match entry.decoder.as_deref() {
            Some("vector") => false,
            Some("map") if task == Task::Embed => true,
            Some(other) => {
                let known = if task == Task::Embed { "vector, map" } else { "vector" };
                return Err(Error::model(
                    "decoder",
                    format!("`{}`: no decoder `{other}`; there is {known}", entry.name),
                ));
            }
            None => task == Task::Embed && is_map(pick(entry, outputs)?),
        };
        let numbers: &[&str] = if map { &["grid", "gem"] } else { &[] };
        let settings = Settings::read(entry, task, &[numbers], &["embedding"])?;
        let (wanted, fits): (&str, fn(&IoInfo) -> bool) =
            if map { ("[N, C, height, width]", |o| o.shape.len() == 4) } else { ("[N, D]", |o| !is_map(o)) };
        let output = settings.output(outputs, "embedding", wanted, fits)?;
        let info = outputs.iter().find(|o| o.name == output);
        let kind = if map {
            let pooling = if entry.numbers.contains_key("gem") {
                GridPooling::GeneralizedMean { p: settings.number("gem", 3.0, 1.0..=64.0)? }
            } else {
                GridPooling::Average
            };
            let channels = info.and_then(|o| fixed(o.shape.get(1)));
            Kind::Map { channels, grid: settings.whole("grid", 1, 1..=64)?, pooling }
        } else {
            let axes = info.map(|o| o.shape.get(1..).unwrap_or_default()).filter(|a| !a.is_empty());
            let dim = axes.and_then(|a| a.iter().try_fold(1usize, |n, e| n.checked_mul(fixed(Some(e))?)));
            Kind::Vector { dim }
        };
        Ok(Self { output, kind })
    }

    /// Numbers of a vector, after pooling for maps; `None` when the model leaves it open.
    pub fn dim(&self) -> Option<usize> {
        match self.kind {
            Kind::Vector { dim } => dim,
            Kind::Map { channels, grid, .. } => channels.map(|c| c * (grid * grid) as usize),
        }
    }

    /// Cells across and down, and what becomes of a cell, for the output of a map; `None` when the model gives vectors.
    pub fn pooling(&self) -> Option<(u32, GridPooling)> {
        match self.kind {
            Kind::Vector { .. } => None,
            Kind::Map { grid, pooling, .. } => Some((grid, pooling)),
        }
    }

    /// The same with another grid and pooling; nothing changes for a model that gives vectors.
    #[must_use]
    pub fn with_pooling(mut self, (cells, means): (u32, GridPooling)) -> Self {
        if let Kind::Map { grid, pooling, .. } = &mut self.kind {
            (*grid, *pooling) = (cells, means);
        }
        self
    }

    /// A unit vector for each of `batch` pictures; `None` where the model gave numbers that are none or infinite, or nothing but zeros.
    ///
    /// # Errors
    /// [`crate::Error::Model`] with cause `output`, `shape`, or `decoder` when the model gives maps.
    pub fn decode(&self, outputs: &Outputs, batch: usize) -> Result<Vec<Option<Vec<f32>>>> {
        let Kind::Vector { dim } = self.kind else {
            return Err(Error::model("decoder", format!("`{}` is a map: pool it, it is no vector yet", self.output)));
        };
        if batch == 0 {
            return Ok(Vec::new());
        }
        let tensor = outputs.get(&self.output)?;
        let dense = Dense::vectors(&self.output, tensor, batch)?;
        if dim.is_some_and(|d| d != dense.width) {
            let (wanted, given) = (dim.unwrap_or_default(), &tensor.shape);
            return Err(Error::model(
                "shape",
                format!("`{}` must have {wanted} numbers a picture, not {given:?}", self.output),
            ));
        }
        Ok((0..batch).map(|i| unit(dense.element(i))).collect())
    }

    /// The map to be pooled.
    ///
    /// # Errors
    /// [`crate::Error::Model`] with cause `output`, `shape`, or `decoder` when the model gives vectors.
    pub fn feature_map<'a>(&self, outputs: &'a Outputs, batch: usize) -> Result<FeatureMap<'a>> {
        if matches!(self.kind, Kind::Vector { .. }) {
            return Err(Error::model("decoder", format!("`{}` is a vector: there is nothing to pool", self.output)));
        }
        let tensor = outputs.get(&self.output)?;
        let side = |v: &usize| u32::try_from(*v).ok().filter(|v| *v > 0);
        match tensor.shape.as_slice() {
            [n, c, h, w] if *n == batch => match (side(c), side(h), side(w)) {
                (Some(channels), Some(height), Some(width)) => {
                    Ok(FeatureMap { data: tensor.to_f32(), batch, channels, size: Size::new(width, height) })
                }
                _ => Err(Error::model("shape", format!("`{}` is empty: {:?}", self.output, tensor.shape))),
            },
            other => Err(Error::model(
                "shape",
                format!("`{}` must be [{batch}, C, height, width], not {other:?}", self.output),
            )),
        }
    }
}

/// Whether an output has two axes or more behind the channels that are not 1.
fn is_map(info: &IoInfo) -> bool {
    info.shape.len() == 4 && info.shape.iter().skip(2).any(|e| fixed(Some(e)) != Some(1))
        // Some exports put the numbers of a vector last.
        && info.shape.iter().skip(1).filter(|e| fixed(Some(e)) != Some(1)).count() > 1
}

/// The output that the manifest names, or the only one.
fn pick<'a>(entry: &ModelEntry, outputs: &'a [IoInfo]) -> Result<&'a IoInfo> {
    match (entry.outputs.get("embedding"), outputs) {
        (Some(name), _) => super::fit::declared(outputs, name, &entry.name),
        (None, [only]) => Ok(only),
        (None, _) => Err(Error::model(
            "output",
            format!("`{}`: name one output as `outputs.embedding`; it has {}", entry.name, list(outputs)),
        )),
    }
}

/// The vector at unit length; `None` for what has none.
pub fn unit(vector: &[f32]) -> Option<Vec<f32>> {
    let square: f64 = vector.iter().map(|v| f64::from(*v) * f64::from(*v)).sum();
    (square > 0.0 && square.is_finite()).then(|| {
        let factor = square.sqrt().recip();
        vector.iter().map(|v| (f64::from(*v) * factor) as f32).collect()
    })
}

/// The unit vector in the middle of unit vectors: what several pictures of one thing have in common. `None` without any, for vectors of
/// different lengths, and where they cancel each other out.
pub fn centroid<'a>(vectors: impl IntoIterator<Item = &'a [f32]>) -> Option<Vec<f32>> {
    let mut vectors = vectors.into_iter();
    let mut sum = vectors.next()?.to_vec();
    for vector in vectors {
        if vector.len() != sum.len() {
            return None;
        }
        sum.iter_mut().zip(vector).for_each(|(s, v)| *s += v);
    }
    unit(&sum)
}

/// Cosine of two unit vectors of the same length, -1..=1: their dot product.
pub fn cosine(a: &[f32], b: &[f32]) -> f32 {
    let dot: f64 = a.iter().zip(b).map(|(x, y)| f64::from(*x) * f64::from(*y)).sum();
    dot.clamp(-1.0, 1.0) as f32
}
