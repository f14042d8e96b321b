//! Writes small ONNX files, byte by byte, so that tests can make models that no exporter would.
#![allow(dead_code, reason = "each test file uses its part")]

/// A message under construction.
#[derive(Debug, Clone, Default)]
pub struct Message(pub Vec<u8>);

impl Message {
    pub fn new() -> Self {
        Self::default()
    }

    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push((value as u8 & 0x7f) | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }

    pub fn int(mut self, field: u64, value: i64) -> Self {
        self.varint(field << 3);
        self.varint(value as u64);
        self
    }

    pub fn bytes(mut self, field: u64, value: impl AsRef<[u8]>) -> Self {
        let value = value.as_ref();
        self.varint(field << 3 | 2);
        self.varint(value.len() as u64);
        self.0.extend_from_slice(value);
        self
    }

    pub fn message(self, field: u64, value: Message) -> Self {
        self.bytes(field, value.0)
    }

    pub fn messages(self, field: u64, values: impl IntoIterator<Item = Message>) -> Self {
        values.into_iter().fold(self, |m, v| m.message(field, v))
    }
}

/// Numbers of `TensorProto.DataType`.
pub const F32: i64 = 1;
pub const I64: i64 = 7;
pub const F16: i64 = 10;

/// An axis of an input or output.
#[derive(Clone, Copy)]
pub enum Dim<'a> {
    N(i64),
    Any(&'a str),
}

pub fn port(name: &str, element: i64, shape: &[Dim<'_>]) -> Message {
    let dims = shape.iter().map(|d| match d {
        Dim::N(n) => Message::new().int(1, *n),
        Dim::Any(name) => Message::new().bytes(2, name),
    });
    let shape = Message::new().messages(1, dims);
    let tensor = Message::new().int(1, element).message(2, shape);
    Message::new().bytes(1, name).message(2, Message::new().message(1, tensor))
}

pub fn node(domain: &str, op: &str, inputs: &[&str], outputs: &[&str]) -> Message {
    let m = inputs.iter().fold(Message::new(), |m, i| m.bytes(1, i));
    let m = outputs.iter().fold(m, |m, o| m.bytes(2, o)).bytes(4, op);
    if domain.is_empty() { m } else { m.bytes(7, domain) }
}

/// The same with attributes of integers.
pub fn node_with(op: &str, inputs: &[&str], outputs: &[&str], ints: &[(&str, i64)]) -> Message {
    ints.iter().fold(node("", op, inputs, outputs), |m, (name, value)| {
        m.message(5, Message::new().bytes(1, name).int(3, *value).int(20, 2))
    })
}

pub fn tensor(name: &str, dims: &[i64], values: &[f32]) -> Message {
    let raw: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
    dims.iter().fold(Message::new(), |m, d| m.int(1, *d)).int(2, F32).bytes(8, name).bytes(9, raw)
}

/// A tensor of floats whose data lies in another file.
pub fn external(name: &str, dims: &[i64], entries: &[(&str, &str)]) -> Message {
    let m = dims.iter().fold(Message::new(), |m, d| m.int(1, *d)).int(2, F32).bytes(8, name);
    let pairs = entries.iter().map(|(k, v)| Message::new().bytes(1, k).bytes(2, v));
    m.messages(13, pairs).int(14, 1)
}

#[derive(Default)]
pub struct Graph {
    pub nodes: Vec<Message>,
    pub initializers: Vec<Message>,
    pub inputs: Vec<Message>,
    pub outputs: Vec<Message>,
}

impl Graph {
    pub fn message(self) -> Message {
        Message::new()
            .messages(1, self.nodes)
            .bytes(2, "g")
            .messages(5, self.initializers)
            .messages(11, self.inputs)
            .messages(12, self.outputs)
    }

    /// A whole file: format 8, operator set 17, and those of `domains`.
    pub fn file(self, domains: &[&str]) -> Vec<u8> {
        let set = |domain: &str, version| Message::new().bytes(1, domain).int(2, version);
        let m = Message::new().int(1, 8).bytes(2, "frameloom tests").message(7, self.message()).message(8, set("", 17));
        domains.iter().fold(m, |m, d| m.message(8, set(d, 1))).0
    }
}

/// `y = x + w` on floats, `w` of `width` numbers, batch `batch`; `w` is given by `weight`.
pub fn add(batch: Dim<'_>, width: i64, weight: Message) -> Vec<u8> {
    Graph {
        nodes: vec![node("", "Add", &["x", "w"], &["y"])],
        initializers: vec![weight],
        inputs: vec![port("x", F32, &[batch, Dim::N(width)])],
        outputs: vec![port("y", F32, &[batch, Dim::N(width)])],
    }
    .file(&[])
}
