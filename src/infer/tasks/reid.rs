//! Vectors of persons and objects, to meet them again: the whole box of a detection goes in, stretched to the tensor.
//!
//! Role of the output: `embedding`. Vectors have unit length; [`cosine`] compares them.

use super::embed::Embedder;
pub use super::embed::cosine;
use crate::error::Result;
use crate::infer::{IoInfo, ModelEntry, Outputs, Task};

/// Reads vectors out of what a re-identification network gives.
#[derive(Debug, Clone, PartialEq)]
pub struct ReIdentifier(Embedder);

impl ReIdentifier {
    /// Finds the output with the vector.
    ///
    /// # Errors
    /// [`crate::Error::Model`] with cause `task`, `decoder`, `output`, `shape`, `input` or `number`.
    pub fn new(entry: &ModelEntry, inputs: &[IoInfo], outputs: &[IoInfo]) -> Result<Self> {
        Embedder::for_task(entry, inputs, outputs, Task::Reid).map(Self)
    }

    /// Numbers of a vector; `None` when the model leaves it open.
    pub fn dim(&self) -> Option<usize> {
        self.0.dim()
    }

    /// A unit vector for each of `batch` boxes; `None` where the model gave numbers that are none or infinite, or nothing but zeros.
    ///
    /// # Errors
    /// [`crate::Error::Model`] with cause `output` or `shape`.
    pub fn decode(&self, outputs: &Outputs, batch: usize) -> Result<Vec<Option<Vec<f32>>>> {
        self.0.decode(outputs, batch)
    }
}
