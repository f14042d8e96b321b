//! The messages of `onnx.proto`, as far as they matter here. Field numbers are those of the schema.
//!
//! A message may come in several pieces, which add up (that is how the format defines it): readers here add to what they are given.

use std::collections::HashSet;

use super::wire::{Fields, Value, WireError, integers};
use super::{ExternalTensor, GraphInfo, Operator};
use crate::error::{Error, Result};
use crate::infer::io::{ElementType, Extent, IoInfo};

/// Graphs within graphs (branches, loops): deeper ones are refused.
const DEPTH: u32 = 32;
/// Nodes, initialisers, functions, metadata together.
const ITEMS: u64 = 4 << 20;
/// Inputs, outputs, operator sets, and axes of one tensor.
const PORTS: usize = 4096;
/// Kinds of operators and tensors with external data.
const KINDS: usize = 1 << 16;
/// Bytes of a name that is kept.
const NAME: usize = 4096;
/// Bytes of a metadata value that is kept.
const TEXT: usize = 64 << 10;

/// What stops the reading.
enum Stop {
    /// The file ends too early.
    Truncated,
    /// It is no such file.
    Malformed(&'static str),
    /// It exceeds a bound of this reader.
    Beyond(&'static str),
}

impl From<WireError> for Stop {
    /// For nested messages: those are wholly there, so one that ends too early is malformed.
    fn from(e: WireError) -> Self {
        match e {
            WireError::Truncated => Self::Malformed("a field reaches beyond its message"),
            WireError::Malformed(why) => Self::Malformed(why),
        }
    }
}

type Step<T = ()> = std::result::Result<T, Stop>;

/// Reads a whole file.
pub(super) fn model(bytes: &[u8]) -> Result<GraphInfo> {
    let mut reader = Reader::default();
    let invalid = |message: String| Err(Error::Model { cause: "invalid", message });
    match reader.model(bytes) {
        Ok(()) => Ok(reader.finish()),
        // All writers put the version first: what has none is another kind of file.
        Err(Stop::Truncated) if reader.info.ir_version > 0 => Err(Error::Model {
            cause: "truncated",
            message: "the model ends in the middle: the file is not whole".into(),
        }),
        Err(Stop::Truncated) => invalid("this is no ONNX model: it does not begin like one".into()),
        Err(Stop::Malformed(why)) => invalid(format!("this is no ONNX model: {why}")),
        Err(Stop::Beyond(what)) => invalid(format!("the model has more than can be read: {what}")),
    }
}

#[derive(Default)]
struct Reader<'a> {
    info: GraphInfo,
    producer: [String; 2],
    /// Names of initialisers of the main graph: inputs of these names need not be given.
    initializers: HashSet<&'a [u8]>,
    items: u64,
}

/// Which graph a message belongs to.
#[derive(Clone, Copy)]
struct Place {
    depth: u32,
    main: bool,
}

impl Place {
    const MAIN: Self = Self { depth: 0, main: true };

    fn inner(self) -> Step<Self> {
        if self.depth == DEPTH {
            return Err(Stop::Beyond("graphs within graphs"));
        }
        Ok(Self { depth: self.depth + 1, main: false })
    }
}

fn name(value: Value<'_>) -> Step<String> {
    let Value::Bytes(bytes) = value else { return Err(Stop::Malformed("a name is no text")) };
    if bytes.len() > NAME {
        return Err(Stop::Beyond("the length of a name"));
    }
    let text = std::str::from_utf8(bytes).map_err(|_| Stop::Malformed("a name is not UTF-8"))?;
    Ok(text.to_owned())
}

fn message(value: Value<'_>) -> Step<&[u8]> {
    match value {
        Value::Bytes(b) => Ok(b),
        _ => Err(Stop::Malformed("a message is no run of bytes")),
    }
}

fn integer(value: Value<'_>) -> Step<u64> {
    match value {
        Value::Varint(v) => Ok(v),
        _ => Err(Stop::Malformed("an integer is something else")),
    }
}

/// `ai.onnx` is another name of the domain without name.
fn domain(value: Value<'_>) -> Step<String> {
    let given = name(value)?;
    Ok(if given == "ai.onnx" { String::new() } else { given })
}

fn push<T>(list: &mut Vec<T>, item: T, limit: usize, what: &'static str) -> Step {
    if list.len() >= limit {
        return Err(Stop::Beyond(what));
    }
    list.push(item);
    Ok(())
}

impl<'a> Reader<'a> {
    fn count(&mut self) -> Step {
        self.items += 1;
        if self.items > ITEMS { Err(Stop::Beyond("the number of nodes and tensors")) } else { Ok(()) }
    }

    fn model(&mut self, bytes: &'a [u8]) -> Step {
        for field in Fields::new(bytes) {
            let (number, value) = field.map_err(|e| match e {
                WireError::Truncated => Stop::Truncated,
                WireError::Malformed(why) => Stop::Malformed(why),
            })?;
            match number {
                1 => self.info.ir_version = integer(value)?.cast_signed(),
                2 => self.producer[0] = name(value)?,
                3 => self.producer[1] = name(value)?,
                7 => self.graph(message(value)?, Place::MAIN)?,
                8 => self.opset(message(value)?)?,
                14 => self.metadata(message(value)?)?,
                25 => self.function(message(value)?)?,
                _ => {}
            }
        }
        Ok(())
    }

    fn opset(&mut self, bytes: &[u8]) -> Step {
        let mut set = (String::new(), 0);
        for field in Fields::new(bytes) {
            match field? {
                (1, value) => set.0 = domain(value)?,
                (2, value) => set.1 = integer(value)?.cast_signed(),
                _ => {}
            }
        }
        push(&mut self.info.opsets, set, PORTS, "the number of operator sets")
    }

    fn metadata(&mut self, bytes: &[u8]) -> Step {
        self.count()?;
        let (mut key, mut text) = (String::new(), None);
        for field in Fields::new(bytes) {
            match field? {
                (1, value) => key = name(value)?,
                (2, value) => text = Some(message(value)?),
                _ => {}
            }
        }
        if let Some(text) = text
            && text.len() <= TEXT
            && self.info.metadata.len() < PORTS
        {
            self.info.metadata.insert(key, String::from_utf8_lossy(text).into_owned());
        }
        Ok(())
    }

    fn function(&mut self, bytes: &'a [u8]) -> Step {
        self.count()?;
        let mut defined = Operator { domain: String::new(), name: String::new() };
        for field in Fields::new(bytes) {
            match field? {
                (1, value) => defined.name = name(value)?,
                (10, value) => defined.domain = domain(value)?,
                (7, value) => self.node(message(value)?, Place::MAIN.inner()?)?,
                // Default values of attributes.
                (11, value) => self.attribute(message(value)?, Place::MAIN.inner()?)?,
                _ => {}
            }
        }
        if self.info.functions.len() >= KINDS {
            return Err(Stop::Beyond("the number of functions"));
        }
        self.info.functions.insert(defined);
        Ok(())
    }

    fn graph(&mut self, bytes: &'a [u8], place: Place) -> Step {
        for field in Fields::new(bytes) {
            let (number, value) = field?;
            match number {
                1 => self.node(message(value)?, place)?,
                5 => self.tensor(message(value)?, place)?,
                15 => self.sparse_tensor(message(value)?, place)?,
                11 if place.main => {
                    let port = self.port(message(value)?)?;
                    push(&mut self.info.inputs, port, PORTS, "the number of inputs")?;
                }
                12 if place.main => {
                    let port = self.port(message(value)?)?;
                    push(&mut self.info.outputs, port, PORTS, "the number of outputs")?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn node(&mut self, bytes: &'a [u8], place: Place) -> Step {
        self.count()?;
        let mut operator = Operator { domain: String::new(), name: String::new() };
        for field in Fields::new(bytes) {
            match field? {
                (4, value) => operator.name = name(value)?,
                (7, value) => operator.domain = domain(value)?,
                (5, value) => self.attribute(message(value)?, place)?,
                _ => {}
            }
        }
        if self.info.operators.len() >= KINDS && !self.info.operators.contains_key(&operator) {
            return Err(Stop::Beyond("the number of kinds of operators"));
        }
        *self.info.operators.entry(operator).or_default() += 1;
        Ok(())
    }

    fn attribute(&mut self, bytes: &'a [u8], place: Place) -> Step {
        let inner = place.inner()?;
        for field in Fields::new(bytes) {
            match field? {
                (5 | 10, value) => self.tensor(message(value)?, inner)?,
                (22 | 23, value) => self.sparse_tensor(message(value)?, inner)?,
                (6 | 11, value) => self.graph(message(value)?, inner)?,
                _ => {}
            }
        }
        Ok(())
    }

    /// Values and indices are tensors; the runtime takes neither from memory when they lie outside of the file.
    fn sparse_tensor(&mut self, bytes: &'a [u8], place: Place) -> Step {
        for field in Fields::new(bytes) {
            if let (1 | 2, value) = field? {
                self.tensor(message(value)?, place.inner()?)?;
            }
        }
        Ok(())
    }

    fn tensor(&mut self, bytes: &'a [u8], place: Place) -> Step {
        self.count()?;
        let (mut label, mut element, mut outside) = (&[][..], 0, false);
        let mut elements = Some(1u64);
        let mut data = External::default();
        for field in Fields::new(bytes) {
            match field? {
                (1, value) => {
                    for dim in integers(value) {
                        let dim = dim?;
                        elements = elements.and_then(|n| n.checked_mul(dim));
                    }
                }
                (2, value) => element = integer(value)?,
                (8, value) => label = message(value)?,
                (13, value) => {
                    outside = true;
                    data.entry(message(value)?)?;
                }
                (14, value) => outside |= integer(value)? == 1,
                _ => {}
            }
        }
        if place.main {
            self.info.initializers += 1;
            self.initializers.insert(label);
        }
        if outside {
            let tensor = ExternalTensor {
                tensor: name(Value::Bytes(label))?,
                location: data.location,
                offset: data.offset,
                length: data.length.or_else(|| bytes_of(element, elements?)),
                initializer: place.main,
            };
            push(&mut self.info.external, tensor, KINDS, "the number of tensors outside of the file")?;
        }
        Ok(())
    }

    fn port(&mut self, bytes: &[u8]) -> Step<IoInfo> {
        let mut port = IoInfo { name: String::new(), element: ElementType::Other, shape: Vec::new() };
        let mut tensor = false;
        for field in Fields::new(bytes) {
            match field? {
                (1, value) => port.name = name(value)?,
                (2, value) => {
                    for kind in Fields::new(message(value)?) {
                        // 1: a dense tensor. Others (sequences, maps, optionals, sparse tensors) are noted as such.
                        if let (1, value) = kind? {
                            tensor = true;
                            tensor_type(message(value)?, &mut port)?;
                        }
                    }
                }
                _ => {}
            }
        }
        if !tensor {
            push(&mut self.info.not_tensors, port.name.clone(), PORTS, "the number of inputs and outputs")?;
        }
        Ok(port)
    }

    fn finish(self) -> GraphInfo {
        let mut info = self.info;
        info.inputs.retain(|input| !self.initializers.contains(input.name.as_bytes()));
        let given = |n: &String| info.inputs.iter().chain(&info.outputs).any(|io| io.name == *n);
        info.not_tensors.retain(given);
        info.producer = self.producer.join(" ").trim().to_owned();
        info
    }
}

/// Where the data of a tensor lies.
#[derive(Default)]
struct External {
    location: String,
    offset: u64,
    length: Option<u64>,
}

impl External {
    /// A pair of texts: key and value.
    fn entry(&mut self, bytes: &[u8]) -> Step {
        let (mut key, mut text) = (String::new(), String::new());
        for field in Fields::new(bytes) {
            match field? {
                (1, value) => key = name(value)?,
                (2, value) => text = name(value)?,
                _ => {}
            }
        }
        let number = || text.parse().map_err(|_| Stop::Malformed("the place of data outside of the file is no number"));
        match key.as_str() {
            "location" => self.location = text,
            "offset" => self.offset = number()?,
            "length" => self.length = Some(number()?),
            _ => {}
        }
        Ok(())
    }
}

fn tensor_type(bytes: &[u8], port: &mut IoInfo) -> Step {
    for field in Fields::new(bytes) {
        match field? {
            (1, value) => port.element = element_type(integer(value)?),
            (2, value) => {
                for dim in Fields::new(message(value)?) {
                    if let (1, value) = dim? {
                        let extent = extent(message(value)?)?;
                        push(&mut port.shape, extent, PORTS, "the number of axes")?;
                    }
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// A number, a name, or neither; a negative number is what some exporters write for "any".
fn extent(bytes: &[u8]) -> Step<Extent> {
    let mut found = Extent::Dynamic(String::new());
    for field in Fields::new(bytes) {
        match field? {
            (1, value) => {
                let signed = integer(value)?.cast_signed();
                found = usize::try_from(signed).map_or(Extent::Dynamic(String::new()), Extent::Fixed);
            }
            (2, value) => found = Extent::Dynamic(name(value)?),
            _ => {}
        }
    }
    Ok(found)
}

/// Numbers of `TensorProto.DataType`.
fn element_type(number: u64) -> ElementType {
    match number {
        1 => ElementType::F32,
        2 => ElementType::U8,
        6 => ElementType::I32,
        7 => ElementType::I64,
        9 => ElementType::Bool,
        10 => ElementType::F16,
        11 => ElementType::F64,
        _ => ElementType::Other,
    }
}

/// Bytes of so many elements; `None` for types without a whole number of bytes.
fn bytes_of(element: u64, count: u64) -> Option<u64> {
    let each = match element {
        2 | 3 | 9 | 17..=20 => 1,
        4 | 5 | 10 | 16 => 2,
        1 | 6 | 12 => 4,
        7 | 11 | 13 | 14 => 8,
        15 => 16,
        _ => return None,
    };
    count.checked_mul(each)
}
