//! What a model takes and gives, as it declares it, and the one trait that adapters call it through.

use super::tensor::{Tensor, TensorView};
use crate::error::{Error, Result};

/// Type of the elements of a tensor.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ElementType {
    /// 32-bit float.
    F32,
    /// 16-bit float.
    F16,
    /// 64-bit float.
    F64,
    /// 64-bit signed integer.
    I64,
    /// 32-bit signed integer.
    I32,
    /// 8-bit unsigned integer.
    U8,
    /// Truth value.
    Bool,
    /// Something that adapters have no use for (strings, complex numbers …).
    Other,
}

/// Extent of one axis as the model declares it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Extent {
    /// Always this many.
    Fixed(usize),
    /// As many as given; the name that the model gives the axis, empty when it gives none.
    Dynamic(String),
}

impl std::fmt::Display for Extent {
    /// The number, the name, or `?` for an axis without one.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Fixed(n) => n.fmt(f),
            Self::Dynamic(name) if name.is_empty() => f.write_str("?"),
            Self::Dynamic(name) => f.write_str(name),
        }
    }
}

/// An input or output of a model.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct IoInfo {
    /// Name in the graph.
    pub name: String,
    /// Type of the elements.
    pub element: ElementType,
    /// Axes, outermost first; empty for a scalar or when the model does not say.
    pub shape: Vec<Extent>,
}

/// A tensor for the input of this name.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NamedTensor<'a> {
    /// Name of the input.
    pub name: &'a str,
    /// Its elements.
    pub tensor: TensorView<'a>,
}

/// What a run gave, in the order that the model declares.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Outputs {
    named: Vec<(String, Tensor)>,
}

impl Outputs {
    /// Outputs in the order of the model.
    pub fn new(named: Vec<(String, Tensor)>) -> Self {
        Self { named }
    }

    /// The output of this name.
    ///
    /// # Errors
    /// [`Error::Model`] with cause `output`, naming those that there are.
    pub fn get(&self, name: &str) -> Result<&Tensor> {
        self.named.iter().find(|(n, _)| n == name).map(|(_, t)| t).ok_or_else(|| Error::Model {
            cause: "output",
            message: format!(
                "the model has no output `{name}`; it gave {}",
                self.names().collect::<Vec<_>>().join(", ")
            ),
        })
    }

    /// Names, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.named.iter().map(|(n, _)| n.as_str())
    }

    /// Names and tensors, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Tensor)> {
        self.named.iter().map(|(n, t)| (n.as_str(), t))
    }

    /// Takes the output of this name out.
    pub fn take(&mut self, name: &str) -> Option<Tensor> {
        let at = self.named.iter().position(|(n, _)| n == name)?;
        Some(self.named.swap_remove(at).1)
    }
}

/// Something that turns tensors into tensors: a session of ONNX Runtime, or a host's own runtime.
///
/// The first axis of a picture input counts pictures, and any number may be given: a model of a fixed batch splits and pads by itself.
pub trait TensorModel: Send {
    /// Inputs as the model declares them.
    fn inputs(&self) -> &[IoInfo];

    /// Outputs as the model declares them.
    fn outputs(&self) -> &[IoInfo];

    /// Runs the model once. Inputs may come in any order; all must be there.
    ///
    /// # Errors
    /// [`Error::Model`] with cause `input` (unknown, missing, wrong type or shape) or `run` (the runtime's own words).
    fn run(&mut self, inputs: &[NamedTensor<'_>]) -> Result<Outputs>;
}
