//! What an ONNX file says of itself, read without ONNX Runtime: inputs, outputs, operators, data outside of the file.
//!
//! The reader trusts nothing. It walks the bytes in place, with bounds on depth and on what it keeps, so that a hostile file costs
//! neither stack nor memory; what it finds decides whether the file reaches the runtime at all. Format: the schema `onnx.proto` of ONNX 1.19.

mod read;
#[cfg(test)]
mod tests;
mod wire;

use std::collections::{BTreeMap, BTreeSet};

use super::io::IoInfo;
use crate::error::{Error, Result};

/// Domains whose operators are part of ONNX Runtime.
const KNOWN_DOMAINS: [&str; 3] = ["", "ai.onnx.ml", "com.microsoft"];

/// A kind of operator.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Operator {
    /// Domain; empty for those of ONNX itself.
    pub domain: String,
    /// Name in the domain, as `Conv`.
    pub name: String,
}

impl std::fmt::Display for Operator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.domain.is_empty() { f.write_str(&self.name) } else { write!(f, "{}:{}", self.domain, self.name) }
    }
}

/// Data of a tensor that lies in another file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExternalTensor {
    /// Name of the tensor.
    pub tensor: String,
    /// File, relative to the folder of the model, as the model says it: not checked yet.
    pub location: String,
    /// First byte in the file.
    pub offset: u64,
    /// Number of bytes; what type and shape ask for when the model does not say.
    pub length: Option<u64>,
    /// Whether it is an initialiser of the main graph: the only place where ONNX Runtime takes such data from memory.
    pub initializer: bool,
}

/// What an ONNX file says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GraphInfo {
    /// Version of the file format.
    pub ir_version: i64,
    /// Operator sets that the model asks for: domain and version.
    pub opsets: Vec<(String, i64)>,
    /// Program that wrote the file, with version.
    pub producer: String,
    /// Inputs that must be given, in order; initialisers that are listed as inputs are left out.
    pub inputs: Vec<IoInfo>,
    /// Outputs, in order.
    pub outputs: Vec<IoInfo>,
    /// Inputs and outputs that are no tensors (sequences, maps, optionals).
    pub not_tensors: Vec<String>,
    /// Operators with the number of their nodes, those in branches, loops and functions included.
    pub operators: BTreeMap<Operator, u64>,
    /// Functions that the file defines itself.
    pub functions: BTreeSet<Operator>,
    /// Number of initialisers of the main graph.
    pub initializers: u64,
    /// Data outside of the file.
    pub external: Vec<ExternalTensor>,
    /// Key-value pairs that the exporter left; values over 64 KiB are left out.
    pub metadata: BTreeMap<String, String>,
}

impl GraphInfo {
    /// Reads the bytes of an ONNX file.
    ///
    /// # Errors
    /// [`Error::Model`] with cause `truncated` (the bytes end in the middle) or `invalid` (they are no ONNX model, or one beyond the bounds
    /// of this reader).
    pub fn read(bytes: &[u8]) -> Result<Self> {
        let invalid = |message: &str| Error::Model { cause: "invalid", message: message.to_owned() };
        if bytes.is_empty() {
            return Err(Error::Model { cause: "truncated", message: "the model is empty".into() });
        }
        // Flatbuffers of ONNX Runtime carry this mark; the runtime would take them, past all checks made here.
        if bytes.get(4..8) == Some(b"ORTM") {
            return Err(invalid("this is a model in the format of ONNX Runtime (.ort); an ONNX file is wanted"));
        }
        let info = read::model(bytes)?;
        if info.operators.is_empty() && info.outputs.is_empty() {
            return Err(invalid("this is no ONNX model: it has no graph"));
        }
        Ok(info)
    }

    /// Operators that neither ONNX Runtime has nor the file defines: they would need a library of native code.
    pub fn custom_operators(&self) -> Vec<&Operator> {
        self.operators
            .keys()
            .filter(|op| !KNOWN_DOMAINS.contains(&op.domain.as_str()) && !self.functions.contains(*op))
            .collect()
    }

    /// Files with data of tensors, each once, in order of name.
    pub fn external_files(&self) -> BTreeSet<&str> {
        self.external.iter().map(|e| e.location.as_str()).collect()
    }
}
