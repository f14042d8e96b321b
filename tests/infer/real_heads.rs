//! Adapters over the real models of the test data, tensors packed by the reference: against Python's ONNX Runtime, against boxes that
//! people drew, and among faces of the same and of other persons.

use std::path::Path;

use frameloom::core::{
    Affine, BoxF, BoxRect, ColorSpec, FrameLayout, Outside, PixelFormat, Point, Size, TensorLayout, TensorPlace,
    TensorSpec,
};
use frameloom::infer::tasks::align::FaceAlignment;
use frameloom::infer::tasks::classify::Classifier;
use frameloom::infer::tasks::embed::{Embedder, cosine, unit};
use frameloom::infer::tasks::landmarks::{LandmarkModel, Part};
use frameloom::infer::tasks::reid::ReIdentifier;
use frameloom::infer::{
    ElementType, Extent, ModelEntry, ModelRegistry, OnnxSession, Outputs, SessionOptions, Task, Tensor, TensorData,
    TensorModel,
};
use frameloom::reference::plane::FrameSlot;
use frameloom::reference::resize::crop_resize::crop_resize;
use frameloom::reference::resize::warp_affine::warp_affine;
use half::f16;
use serde_json::{Value, json};

use crate::golden::numbers;
use crate::raw::{Adapter, Found};
use crate::support::{run, test_data};

pub const CLIPS: [&str; 5] = ["bbaf2n", "brbk7n", "lbax4n", "lbbc2a", "lrwp9a"];

/// A decoded picture: R G B A.
pub struct Picture {
    pub layout: FrameLayout,
    pub slot: Vec<u8>,
    pub size: Size,
}

/// What `ffmpeg` decodes, picture by picture; setup installs it.
pub fn decode(path: &Path, frames: &[usize]) -> Vec<Picture> {
    let chosen: Vec<String> = frames.iter().map(|n| format!("eq(n\\,{n})")).collect();
    let out = std::process::Command::new("ffmpeg")
        .args(["-v", "error", "-nostdin", "-i"])
        .arg(path)
        .args(["-vf", &format!("select={}", chosen.join("+")), "-vsync", "0"])
        .args(["-f", "image2pipe", "-c:v", "ppm", "-"])
        .output()
        .expect("ffmpeg");
    assert!(out.status.success(), "{}: {}", path.display(), String::from_utf8_lossy(&out.stderr));
    let (mut rest, mut all) = (&out.stdout[..], Vec::new());
    while !rest.is_empty() {
        let mut word = || {
            let end = rest.iter().position(u8::is_ascii_whitespace).unwrap();
            let text = std::str::from_utf8(&rest[..end]).unwrap().to_owned();
            rest = &rest[end + 1..];
            text
        };
        assert_eq!(word(), "P6");
        let (width, height): (u32, u32) = (word().parse().unwrap(), word().parse().unwrap());
        assert_eq!(word(), "255");
        let size = Size::new(width, height);
        let (rgb, behind) = rest.split_at(3 * size.area() as usize);
        rest = behind;
        all.push(Picture::of(size, rgb));
    }
    assert_eq!(all.len(), frames.len(), "{}", path.display());
    all
}

impl Picture {
    fn of(size: Size, rgb: &[u8]) -> Self {
        let layout = FrameLayout::of(PixelFormat::Rgba8, size).unwrap();
        let mut slot = vec![0; layout.slot_bytes() as usize];
        let plane = layout.planes()[0];
        for (y, row) in rgb.chunks_exact(3 * size.width as usize).enumerate() {
            let line = &mut slot[plane.offset as usize + y * plane.stride as usize..];
            for (to, from) in line.chunks_exact_mut(4).zip(row.chunks_exact(3)) {
                to.copy_from_slice(&[from[0], from[1], from[2], 255]);
            }
        }
        Self { layout, slot, size }
    }

    /// The picture that shows at each place what lies where the map leads.
    pub fn warped(&self, map: Affine) -> Self {
        let frame = FrameSlot::new(self.layout, &self.slot).unwrap();
        let spec = TensorSpec { mul: [255.0; 3], ..TensorSpec::unit(self.size) };
        let rules = (Outside::Clamp, TensorLayout::Nhwc);
        let values = warp_affine(&[(frame, map)], ColorSpec::BT709, &spec, rules).unwrap();
        Self::of(self.size, &values.iter().map(|v| v.round() as u8).collect::<Vec<_>>())
    }

    fn whole(&self) -> BoxRect {
        BoxRect { x: 0, y: 0, width: self.size.width, height: self.size.height }
    }
}

/// A model with the entry that the repository has for it.
pub struct Model {
    pub entry: ModelEntry,
    pub session: OnnxSession,
}

impl Model {
    pub fn open(data: &Path, task: Task, file: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/data_models.toml");
        std::fs::copy(manifest, folder.path().join("models.toml")).unwrap();
        let registry = ModelRegistry::open(&[folder.path().to_path_buf()]).unwrap();
        let path = data.join("onnx").join(file).with_extension("onnx");
        let model = registry.load_file(&path, task, Default::default()).unwrap();
        let session = OnnxSession::open(&model, &SessionOptions::default()).unwrap();
        Self { entry: model.entry.clone(), session }
    }

    fn adapter(&self) -> Adapter {
        Adapter::new(&self.entry, self.session.inputs(), self.session.outputs()).unwrap()
    }

    /// Runs the model on a rectangle of a picture.
    fn run(&mut self, picture: &Picture, rect: BoxRect) -> (Outputs, TensorPlace) {
        let input = self.session.inputs()[0].clone();
        let how = self.entry.picture.clone().unwrap();
        let layout = how.tensor_layout();
        let axis = if layout == TensorLayout::Nhwc { 1 } else { 2 };
        let side = |axis: usize, else_: usize| match &input.shape[axis] {
            Extent::Fixed(n) => *n as u32,
            Extent::Dynamic(_) => how.size.unwrap()[else_],
        };
        let spec = how.spec(Size::new(side(axis + 1, 0), side(axis, 1)));
        let frame = FrameSlot::new(picture.layout, &picture.slot).unwrap();
        let values = crop_resize(&[(frame, rect)], ColorSpec::BT709, &spec, (Outside::Pad(0.0), layout)).unwrap();
        let (w, h) = (spec.size.width as usize, spec.size.height as usize);
        let shape = if layout == TensorLayout::Nhwc { vec![1, h, w, 3] } else { vec![1, 3, h, w] };
        let data = if input.element == ElementType::F16 {
            TensorData::F16(values.into_iter().map(f16::from_f32).collect())
        } else {
            TensorData::F32(values)
        };
        let outputs = run(&mut self.session, &[(&input.name, &Tensor { shape, data })]).unwrap();
        (outputs, TensorPlace::new(&spec, rect))
    }

    fn find(&mut self, adapter: &Adapter, picture: &Picture) -> Vec<Found> {
        let (outputs, place) = self.run(picture, picture.whole());
        adapter.decode(&outputs, &[place]).unwrap().remove(0)
    }
}

/// Reference values of a real model.
pub fn reference(name: &str) -> Value {
    let path = format!("tests/golden/infer/real_{name}.json");
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// The picture of a reference case.
pub fn picture_of(data: &Path, case: &Value) -> Picture {
    decode(&data.join(case["picture"].as_str().unwrap()), &[0]).remove(0)
}

/// The part of the picture that a reference case looks at.
fn box_of(case: &Value) -> BoxRect {
    let b = numbers(&case["prepared"]["box"]);
    BoxRect { x: b[0] as i32, y: b[1] as i32, width: b[2] as u32, height: b[3] as u32 }
}

pub fn corners(value: &Value) -> BoxF {
    let b: Vec<f32> = numbers(value).iter().map(|v| *v as f32).collect();
    BoxF::from_corners(b[0], b[1], b[2], b[3])
}

pub const DETECTORS: [(&str, Task, &str); 5] = [
    ("yolox", Task::Detect, "yolox_nano_416"),
    ("nanodet", Task::Detect, "nanodet_m_320"),
    ("yunet", Task::Face, "yunet_n_dynamic"),
    ("ultraface", Task::Face, "ultraface_rfb320"),
    ("blazeface", Task::Face, "blazeface_short_128"),
];

/// Same boxes, scores, classes and points as OpenCV, numpy and the same runtime in Python give.
#[test]
fn detectors_find_what_python_finds() {
    let Some(data) = test_data("detectors against Python") else { return };
    for (name, task, file) in DETECTORS {
        let golden = reference(name);
        let mut model = Model::open(&data, task, file);
        for key in ["score", "nms"] {
            model.entry.numbers.insert(key.into(), golden[key].as_f64().unwrap());
        }
        let adapter = model.adapter();
        for case in golden["cases"].as_array().unwrap() {
            let found = model.find(&adapter, &picture_of(&data, case));
            let wanted = case["found"].as_array().unwrap();
            assert_eq!(found.len(), wanted.len(), "{name}: {found:?}, wanted {wanted:?}");
            for (f, w) in found.iter().zip(wanted) {
                let rect = corners(&w["box"]);
                // One in a hundred of the side: the measure. Python rounds to a hundredth of a pixel.
                let side = rect.width.max(rect.height);
                let got = [f.rect.x, f.rect.y, f.rect.right(), f.rect.bottom()];
                for (a, b) in got.iter().zip([rect.x, rect.y, rect.right(), rect.bottom()]) {
                    assert!((a - b).abs() <= 0.01 * side, "{name}: {f:?}, wanted {w}");
                }
                assert!((f64::from(f.score) - w["score"].as_f64().unwrap()).abs() < 0.01, "{name}: {f:?}, wanted {w}");
                if task == Task::Detect {
                    assert_eq!(u64::from(f.class), w["class"].as_u64().unwrap());
                }
                if let Some(points) = w.get("points") {
                    let points: Vec<f64> = points.as_array().unwrap().iter().flat_map(numbers).collect();
                    assert_eq!(points.len(), f.points.len());
                    let near =
                        f.points.iter().zip(points).all(|(a, b)| (f64::from(*a) - b).abs() <= 0.01 * f64::from(side));
                    assert!(near, "{name}: {f:?}, wanted {w}");
                }
            }
        }
    }
}

/// Boxes that people drew, over 32x32 and no crowds: the share that a detection of the same class covers by half.
#[test]
fn recall_is_that_of_the_documentation() {
    let Some(data) = test_data("recall of detectors") else { return };
    let folder = data.join("images/coco_ccby");
    let truth: Value = serde_json::from_slice(&std::fs::read(folder.join("instances.json")).unwrap()).unwrap();
    let mut ids: Vec<u64> = truth["categories"].as_array().unwrap().iter().map(|c| c["id"].as_u64().unwrap()).collect();
    ids.sort_unstable();
    let pictures: Vec<(u64, Picture)> = truth["images"]
        .as_array()
        .unwrap()
        .iter()
        .map(|i| (i["id"].as_u64().unwrap(), decode(&folder.join(i["file_name"].as_str().unwrap()), &[0]).remove(0)))
        .collect();
    for (name, file, documented) in [("yolox", "yolox_nano_416", 0.55), ("nanodet", "nanodet_m_320", 0.47)] {
        let mut model = Model::open(&data, Task::Detect, file);
        let adapter = model.adapter();
        let (mut hit, mut all) = (0, 0);
        for (id, picture) in &pictures {
            let found = model.find(&adapter, picture);
            for a in truth["annotations"].as_array().unwrap() {
                let b: Vec<f32> = numbers(&a["bbox"]).iter().map(|v| *v as f32).collect();
                let rect = BoxF { x: b[0], y: b[1], width: b[2], height: b[3] };
                if a["image_id"].as_u64() != Some(*id) || a["iscrowd"] == 1 || rect.area() <= 1024.0 {
                    continue;
                }
                let class = ids.iter().position(|i| Some(*i) == a["category_id"].as_u64()).unwrap();
                all += 1;
                hit += u32::from(found.iter().any(|f| f.class as usize == class && f.rect.iou(&rect) >= 0.5));
            }
        }
        let recall = f64::from(hit) / f64::from(all);
        eprintln!("{name}: {hit} of {all}, recall {recall:.4}");
        assert!(all > 200 && (recall - documented).abs() <= 0.02, "{name}: {hit} of {all}");
    }
}

/// The person of every clip, at its beginning, in its middle and at its end, once and where Python found it.
#[test]
fn a_face_is_found_in_every_clip() {
    let Some(data) = test_data("faces of clips") else { return };
    let frames = [0, 37, 74];
    for (name, task, file) in DETECTORS.into_iter().filter(|d| d.1 == Task::Face) {
        let mut model = Model::open(&data, task, file);
        let adapter = model.adapter();
        let golden = reference(name);
        let grid = golden["grid"].as_array().unwrap();
        assert_eq!(grid.len(), CLIPS.len() * frames.len());
        for clip in CLIPS {
            let path = data.join(format!("video/grid_{clip}.mpg"));
            for (frame, picture) in frames.iter().zip(decode(&path, &frames)) {
                let found = model.find(&adapter, &picture);
                let wanted = grid
                    .iter()
                    .find(|g| g["clip"] == format!("grid_{clip}.mpg") && g["frame"] == *frame)
                    .unwrap_or_else(|| panic!("{clip} {frame}"));
                let rect = corners(&wanted["found"][0]["box"]);
                assert!(
                    found.len() == 1 && found[0].rect.iou(&rect) > 0.9,
                    "{name} {clip} {frame}: {found:?}, {wanted}"
                );
            }
        }
    }
}

#[test]
fn landmarks_lie_where_python_has_them() {
    let Some(data) = test_data("landmarks against Python") else { return };
    for (name, file) in
        [("landmark_468", "mediapipe_face_landmark_468"), ("landmark_478", "mediapipe_face_landmarks_478_fp16")]
    {
        let mut model = Model::open(&data, Task::Landmarks, file);
        let adapter = LandmarkModel::new(&model.entry, model.session.inputs(), model.session.outputs()).unwrap();
        let golden = reference(name);
        let case = &golden["cases"][0];
        let picture = picture_of(&data, case);
        let (outputs, place) = model.run(&picture, box_of(case));
        let face = adapter.decode(&outputs, &[place]).unwrap().remove(0).unwrap();
        assert!(face.score.unwrap() > 0.99, "{name}: {:?}", face.score);
        let wanted = case["points_of_picture"].as_object().unwrap();
        assert!(wanted.len() >= 8);
        for (index, at) in wanted {
            let (got, at) = (face.points[index.parse::<usize>().unwrap()], numbers(at));
            let off = f64::from(got.x - at[0] as f32).hypot(f64::from(got.y - at[1] as f32));
            assert!(off < 0.5, "{name} {index}: {got:?}, wanted {at:?}");
        }
        // She smiles with her teeth showing.
        let opening = face.mouth_opening().unwrap();
        assert!((0.02..0.3).contains(&opening), "{opening}");
        // A crop without a face.
        let (outputs, place) = model.run(&picture, BoxRect { x: 380, y: 10, width: 100, height: 100 });
        let none = adapter.decode(&outputs, &[place]).unwrap().remove(0).unwrap();
        assert!(none.score.unwrap() < 0.5, "{name}: {:?}", none.score);
    }
}

/// Lips move while a sentence is spoken, and lie inside the face that the detector found.
#[test]
fn a_speaking_mouth_opens_and_closes() {
    let Some(data) = test_data("lips of a clip") else { return };
    let frames: Vec<usize> = (0..75).step_by(3).collect();
    let pictures = decode(&data.join("video/grid_lbax4n.mpg"), &frames);
    let mut faces = Model::open(&data, Task::Face, "blazeface_short_128");
    let detector = faces.adapter();
    let mut mesh = Model::open(&data, Task::Landmarks, "mediapipe_face_landmark_468");
    let adapter = LandmarkModel::new(&mesh.entry, mesh.session.inputs(), mesh.session.outputs()).unwrap();
    let mut openings = Vec::new();
    for picture in &pictures {
        let face = faces.find(&detector, picture).remove(0).rect;
        let (outputs, place) = mesh.run(picture, adapter.crop(&face).to_pixels());
        let found = adapter.decode(&outputs, &[place]).unwrap().remove(0).unwrap();
        assert!(found.score.unwrap() > 0.9);
        let lips = found.bounds(Part::OuterLips);
        assert!(lips.x > face.x && lips.right() < face.right() && lips.y > face.center().y, "{lips:?} in {face:?}");
        let eyes = [Part::LeftEye, Part::RightEye].map(|e| found.center(e));
        assert!(eyes[0].x < eyes[1].x && eyes.iter().all(|e| e.y < lips.y));
        openings.push(found.mouth_opening().unwrap());
    }
    let (least, most) = openings.iter().fold((f32::MAX, 0.0f32), |(a, b), v| (a.min(*v), b.max(*v)));
    eprintln!("mouth opening {least:.3} to {most:.3}");
    assert!(least < 0.05 && most > 0.15, "{openings:?}");
}

#[test]
fn vectors_are_those_of_python() {
    let Some(data) = test_data("vectors against Python") else { return };
    // The reference has the first numbers of a vector as the network gives them.
    let check = |name: &str, got: &[f32], (numbers_of_vector, case): (usize, &Value)| {
        let wanted: Vec<f32> = numbers(&case["vector"]).iter().map(|v| *v as f32).collect();
        assert!(got.len() == numbers_of_vector && wanted.len() >= 64, "{name}: {}", got.len());
        let alike = cosine(&unit(&got[..wanted.len()]).unwrap(), &unit(&wanted).unwrap());
        assert!(alike > 0.9999, "{name}: cosine {alike}");
    };
    let mut model = Model::open(&data, Task::Embed, "mobilefacenet_112");
    let adapter = Embedder::new(&model.entry, model.session.inputs(), model.session.outputs()).unwrap();
    for case in reference("mobilefacenet")["cases"].as_array().unwrap() {
        let (outputs, _) = model.run(&picture_of(&data, case), box_of(case));
        check("mobilefacenet", adapter.decode(&outputs, 1).unwrap()[0].as_ref().unwrap(), (128, case));
    }
    // This one has unit length already; some of its elements are kept.
    let mut model = Model::open(&data, Task::Embed, "derived_shufflenetv2_embed_dynbatch");
    let adapter = Embedder::new(&model.entry, model.session.inputs(), model.session.outputs()).unwrap();
    for case in reference("shufflenet")["cases"].as_array().unwrap() {
        let (outputs, _) = model.run(&picture_of(&data, case), box_of(case));
        let got = adapter.decode(&outputs, 1).unwrap().remove(0).unwrap();
        let out = &case["outputs"]["embedding"];
        for (at, wanted) in numbers(&out["at"]).iter().zip(numbers(&out["is"])) {
            let got = f64::from(got[*at as usize]);
            assert!((got - wanted).abs() <= 0.01 * wanted.abs().max(0.05), "{at}: {got}, wanted {wanted}");
        }
    }
    let mut model = Model::open(&data, Task::Reid, "person_reid_retail_0288");
    let adapter = ReIdentifier::new(&model.entry, model.session.inputs(), model.session.outputs()).unwrap();
    for case in reference("reid")["cases"].as_array().unwrap() {
        let (outputs, _) = model.run(&picture_of(&data, case), box_of(case));
        check("reid", adapter.decode(&outputs, 1).unwrap()[0].as_ref().unwrap(), (256, case));
    }
}

/// A white bar on black is a one, with the probability that the logits of Python make.
#[test]
fn a_bar_is_a_one() {
    let Some(data) = test_data("digits") else { return };
    let mut model = Model::open(&data, Task::Classify, "mnist");
    let adapter = Classifier::new(&model.entry, model.session.inputs(), model.session.outputs()).unwrap();
    let bar = |i: usize| if (5..23).contains(&(i / 28)) && (13..16).contains(&(i % 28)) { 1.0 } else { 0.0 };
    let tensor = Tensor::f32([1, 1, 28, 28], (0..784).map(bar).collect()).unwrap();
    let name = model.session.inputs()[0].name.clone();
    let outputs = run(&mut model.session, &[(&name, &tensor)]).unwrap();
    let found = adapter.decode(&outputs, 1, 3).unwrap().remove(0);
    let logits = numbers(&reference("mnist")["bar"]["logits"]["1.0"]);
    let sum: f64 = logits.iter().map(|v| v.exp()).sum();
    assert_eq!((found[0].class, found[1].class, found.len()), (1, 4, 3));
    assert_eq!(adapter.classes().unwrap().name(1), Some("1"));
    for f in &found {
        let wanted = logits[f.class as usize].exp() / sum;
        assert!((f64::from(f.score) - wanted).abs() <= 1e-3 * wanted, "{f:?}, wanted {wanted}");
    }
}

/// Faces cut out by their key points, upright: the same person is alike, others are not.
#[test]
fn persons_are_told_apart() {
    let Some(data) = test_data("faces of persons") else { return };
    let mut faces = Model::open(&data, Task::Face, "yunet_n_dynamic");
    let detector = faces.adapter();
    let mut net = Model::open(&data, Task::Embed, "mobilefacenet_112");
    let adapter = Embedder::new(&net.entry, net.session.inputs(), net.session.outputs()).unwrap();
    let mut all = Vec::new();
    for (person, clip) in CLIPS.iter().enumerate() {
        for picture in decode(&data.join(format!("video/grid_{clip}.mpg")), &[0, 37, 74]) {
            let face = faces.find(&detector, &picture).remove(0);
            let points: Vec<Point> = face.points.chunks(2).map(|p| Point { x: p[0], y: p[1] }).collect();
            let aligned = FaceAlignment::from_points(&points).unwrap();
            assert!(aligned.roll.abs() < 0.2, "they sit upright: {}", aligned.roll);
            let (outputs, _) = net.run(&picture, aligned.crop.to_pixels());
            all.push((person, adapter.decode(&outputs, 1).unwrap().remove(0).unwrap()));
        }
    }
    let pairs =
        all.iter().enumerate().flat_map(|(i, a)| all[..i].iter().map(move |b| (a.0 == b.0, cosine(&a.1, &b.1))));
    let (mut same, mut others) = (1.0f32, -1.0f32);
    pairs.for_each(|(alike, c)| if alike { same = same.min(c) } else { others = others.max(c) });
    eprintln!("same person at least {same:.3}, others at most {others:.3}");
    assert!(same >= 0.9 && others <= 0.4, "same person at least {same}, others at most {others}");
}

/// Nothing of the entry says which output is which, or which decoder reads them: the shapes do.
#[test]
fn real_detectors_need_no_roles() {
    let Some(data) = test_data("detectors without roles") else { return };
    for (name, task, file) in DETECTORS {
        let mut model = Model::open(&data, task, file);
        assert_eq!(model.adapter().decoder(), name);
        let mut bare = json!({"name": "m", "file": "m", "sha256": "0", "licence": "MIT", "source": "test"});
        bare["task"] = json!(task);
        if task == Task::Detect {
            bare["classes"] = json!("coco80");
        }
        let told = model.adapter();
        let guessed =
            Adapter::new(&serde_json::from_value(bare).unwrap(), model.session.inputs(), model.session.outputs());
        let guessed = guessed.unwrap();
        assert_eq!(guessed.decoder(), name);
        let picture = decode(&data.join("images/misc/astronaut.png"), &[0]).remove(0);
        let (outputs, place) = model.run(&picture, picture.whole());
        let best = |a: &Adapter| a.decode(&outputs, &[place]).unwrap()[0].first().cloned();
        assert!(best(&told).is_some() && best(&told) == best(&guessed), "{name}");
    }
}
