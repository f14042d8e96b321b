//! Raw outputs of models that do not exist: from the formula of `scripts/golden/infer_heads.py`, or planted row by row.

use frameloom::core::{BoxF, BoxRect, Detection, Face, Rect, Size, TensorPlace};
use frameloom::infer::tasks::detect::{DetectOptions, Detector};
use frameloom::infer::tasks::face::{FaceDetector, FaceOptions};
use frameloom::infer::{ElementType, Extent, IoInfo, ModelEntry, Outputs, Tensor};
use frameloom::reference::pattern::lcg_bytes;
use frameloom::{Error, Result};
use serde_json::{Value, json};

use crate::golden::{Golden, numbers};

/// The manifest entry with these fields beside the ones that every entry has.
pub fn entry(more: Value) -> ModelEntry {
    let mut all = json!({"name": "m", "file": "m.onnx", "sha256": "0", "licence": "MIT", "source": "test"});
    all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    serde_json::from_value(all).unwrap()
}

/// An output as a model declares it; 0 stands for an axis that is left open.
pub fn declared(name: &str, shape: &[usize]) -> IoInfo {
    let extent = |n: &usize| if *n == 0 { Extent::Dynamic("n".into()) } else { Extent::Fixed(*n) };
    IoInfo { name: name.into(), element: ElementType::F32, shape: shape.iter().map(extent).collect() }
}

/// The picture input of a model.
pub fn picture(size: Size) -> Vec<IoInfo> {
    vec![declared("pixels", &[1, 3, size.height as usize, size.width as usize])]
}

/// A picture that fills its tensor pixel by pixel.
pub fn plain(size: Size) -> TensorPlace {
    let source = BoxRect { x: 0, y: 0, width: size.width, height: size.height };
    TensorPlace { source, content: Rect::full(size), tensor: size }
}

/// Short cause and message of an error of the model.
pub fn refused<T: std::fmt::Debug>(result: Result<T>) -> (&'static str, String) {
    match result.unwrap_err() {
        Error::Model { cause, message } => (cause, message),
        other => panic!("{other}"),
    }
}

/// Outputs by role.
pub type Roles = Vec<(String, Tensor)>;

/// What a detector found, objects and faces alike.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    pub rect: BoxF,
    pub score: f32,
    pub class: u32,
    pub points: Vec<f32>,
}

impl From<Detection> for Found {
    fn from(d: Detection) -> Self {
        Self { rect: d.rect, score: d.score, class: d.class, points: Vec::new() }
    }
}

impl From<Face> for Found {
    fn from(f: Face) -> Self {
        let points = f.points.iter().flat_map(|p| [p.x, p.y]).collect();
        Self { rect: f.rect, score: f.score, class: 0, points }
    }
}

/// Either adapter.
#[derive(Debug)]
pub enum Adapter {
    Objects(Detector, DetectOptions),
    Faces(FaceDetector, FaceOptions),
}

impl Adapter {
    pub fn new(entry: &ModelEntry, inputs: &[IoInfo], outputs: &[IoInfo]) -> Result<Self> {
        if entry.task == frameloom::infer::Task::Face {
            let d = FaceDetector::new(entry, inputs, outputs)?;
            let options = *d.options();
            return Ok(Self::Faces(d, options));
        }
        let d = Detector::new(entry, inputs, outputs)?;
        let options = d.options().clone();
        Ok(Self::Objects(d, options))
    }

    pub fn decoder(&self) -> &'static str {
        match self {
            Self::Objects(d, _) => d.decoder(),
            Self::Faces(d, _) => d.decoder(),
        }
    }

    pub fn decode(&self, outputs: &Outputs, places: &[TensorPlace]) -> Result<Vec<Vec<Found>>> {
        fn alike<T: Into<Found>>(batch: Vec<Vec<T>>) -> Vec<Vec<Found>> {
            batch.into_iter().map(|p| p.into_iter().map(Into::into).collect()).collect()
        }
        Ok(match self {
            Self::Objects(d, o) => alike(d.decode(outputs, places, o)?),
            Self::Faces(d, o) => alike(d.decode(outputs, places, o)?),
        })
    }
}

/// A golden file of a decoder: raw outputs, the manifest's settings, what is to be found.
#[derive(Debug)]
pub struct Case {
    pub decoder: String,
    pub task: String,
    pub classes: Option<String>,
    pub numbers: Value,
    pub place: TensorPlace,
    pub outputs: Roles,
    pub expected: Vec<Vec<f64>>,
    pub tolerance: f64,
}

/// All decoders.
pub fn cases() -> Vec<Case> {
    let files = Golden::all("infer_heads", 12);
    files.iter().filter(|g| g.has("decoder")).map(Case::read).collect()
}

impl Case {
    fn read(golden: &Golden) -> Self {
        let list = |key: &str| golden.numbers(key).iter().map(|v| *v as u32).collect::<Vec<_>>();
        let (t, b, c) = (list("tensor"), list("box"), list("content"));
        let place = TensorPlace {
            source: BoxRect { x: b[0] as i32, y: b[1] as i32, width: b[2], height: b[3] },
            content: Rect { x: c[0], y: c[1], width: c[2], height: c[3] },
            tensor: Size::new(t[0], t[1]),
        };
        let outputs = golden.value("outputs").as_array().unwrap().iter().map(output).collect();
        Self {
            decoder: golden.text("decoder").into(),
            task: golden.text("task").into(),
            classes: golden.value("classes").as_str().map(Into::into),
            numbers: json!({"score": golden.number("score"), "nms": golden.number("nms")}),
            place,
            outputs,
            expected: golden.value("expected").as_array().unwrap().iter().map(numbers).collect(),
            tolerance: golden.number("tolerance"),
        }
    }

    /// The manifest entry; outputs are found by role when `names` has a name for each.
    pub fn entry(&self, decoder: bool, names: &[(String, String)]) -> ModelEntry {
        let mut more = json!({"task": self.task, "numbers": self.numbers, "outputs": {}});
        if decoder {
            more["decoder"] = json!(self.decoder);
        }
        if let Some(classes) = &self.classes {
            more["classes"] = json!(classes);
        }
        for (role, name) in names {
            more["outputs"][role] = json!(name);
        }
        entry(more)
    }

    /// Whether shapes say which output is which: logits of three classes and "no object" look like boxes.
    pub fn told_by_shape(&self) -> bool {
        self.decoder != "detr"
    }

    /// Finds the same as numpy did.
    pub fn check(&self, found: &[Found]) {
        let limit = self.expected.len();
        let rows: Vec<Vec<f64>> = found
            .iter()
            .take(limit)
            .map(|f| {
                let r = f.rect;
                let head = [r.x, r.y, r.width, r.height, f.score, f.class as f32];
                head.iter().chain(&f.points).map(|v| f64::from(*v)).collect()
            })
            .collect();
        assert_eq!(rows.len(), limit, "{}", self.decoder);
        for (i, (a, b)) in rows.iter().zip(&self.expected).enumerate() {
            assert_eq!(a.len(), b.len(), "{} {i}", self.decoder);
            for (k, (x, y)) in a.iter().zip(b).enumerate() {
                let allowed = if k == 4 { 1e-5 } else { self.tolerance };
                assert!((x - y).abs() <= allowed, "{} {i}.{k}: {x}, expected {y}", self.decoder);
            }
        }
    }
}

/// One output of a golden file: `u * scale + offset` in f32, one law a column or row of `axis`.
fn output(value: &Value) -> (String, Tensor) {
    let shape: Vec<usize> = numbers(&value["shape"]).iter().map(|v| *v as usize).collect();
    let count: usize = shape.iter().product();
    let laws: Vec<Vec<f64>> = value["laws"].as_array().unwrap().iter().map(numbers).collect();
    let bytes = lcg_bytes(value["seed"].as_u64().unwrap() as u32, 2 * count);
    // How many elements lie from one index of the axis to the next.
    let step = if value["axis"] == -1 { 1 } else { *shape.last().unwrap() };
    let data = bytes
        .chunks_exact(2)
        .enumerate()
        .map(|(i, b)| {
            let law = &laws[i / step % laws.len()];
            (f32::from(b[0]) * 256.0 + f32::from(b[1])) * law[0] as f32 + law[1] as f32
        })
        .collect();
    (value["role"].as_str().unwrap().into(), Tensor::f32(shape, data).unwrap())
}

/// The declared shapes of tensors of one picture, the batch left open.
pub fn shapes(outputs: &Roles) -> Vec<IoInfo> {
    let open = |t: &Tensor| {
        let mut shape = t.shape.clone();
        shape[0] = 0;
        shape
    };
    outputs.iter().map(|(n, t)| declared(n, &open(t))).collect()
}

/// Several pictures as one batch.
pub fn stack(pictures: &[&Roles]) -> Roles {
    let first = pictures[0];
    let joined = |i: usize| {
        let data: Vec<f32> = pictures.iter().flat_map(|p| p[i].1.to_f32().into_owned()).collect();
        let mut shape = first[i].1.shape.clone();
        shape[0] = pictures.len();
        (first[i].0.clone(), Tensor::f32(shape, data).unwrap())
    };
    (0..first.len()).map(joined).collect()
}
