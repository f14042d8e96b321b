//! What an adapter says when graph, manifest or options do not fit, and that each setting does something.

use frameloom::Error;
use frameloom::core::{Size, TensorPlace};
use frameloom::infer::tasks::detect::{DetectOptions, Detector};
use frameloom::infer::tasks::face::FaceDetector;
use frameloom::infer::{Outputs, Tensor};
use serde_json::{Value, json};

use crate::raw::{Adapter, declared, entry, picture, plain, refused};

const SIZE: Size = Size::new(64, 64);

fn yolox(more: Value) -> Value {
    let mut all = json!({"task": "detect", "decoder": "yolox", "classes": "a,b"});
    all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    all
}

/// Outputs by name.
type Shapes<'a> = &'a [(&'a str, &'a [usize])];

fn new(more: Value, outputs: Shapes<'_>) -> frameloom::Result<Adapter> {
    let io: Vec<_> = outputs.iter().map(|(n, s)| declared(n, s)).collect();
    Adapter::new(&entry(more), &picture(SIZE), &io)
}

/// Three boxes: two of class 0 that overlap by 0.6, one of class 1 in the place of the first.
fn scene() -> Outputs {
    let mut data = vec![0.0f32; 84 * 7];
    let rows = [
        [0.5, 0.5, 20.0, 20.0, 1.0, 0.9, 0.0],
        [5.5, 0.5, 20.0, 20.0, 1.0, 0.7, 0.0],
        [0.5, 0.5, 20.0, 20.0, 1.0, 0.0, 0.5],
    ];
    rows.iter().enumerate().for_each(|(i, r)| data[i * 7..i * 7 + 7].copy_from_slice(r));
    Outputs::new(vec![("o".into(), Tensor::f32([1, 84, 7], data).unwrap())])
}

fn scene_with(numbers: Value) -> Vec<(f32, u32)> {
    let entry = entry(json!({"task": "detect", "decoder": "yolov5", "classes": "a,b", "numbers": numbers}));
    let d = Detector::new(&entry, &picture(SIZE), &[declared("o", &[1, 84, 7])]).unwrap();
    let found = d.decode(&scene(), &[plain(SIZE)], d.options()).unwrap();
    found[0].iter().map(|f| (f.score, f.class)).collect()
}

#[test]
fn every_number_of_the_manifest_does_something() {
    assert_eq!(scene_with(json!({})), [(0.9, 0), (0.5, 1)]);
    assert_eq!(scene_with(json!({"nms": 0.7})), [(0.9, 0), (0.7, 0), (0.5, 1)]);
    assert_eq!(scene_with(json!({"nms": 0.7, "score": 0.6})), [(0.9, 0), (0.7, 0)]);
    assert_eq!(scene_with(json!({"agnostic": 1})), [(0.9, 0)]);
    assert_eq!(scene_with(json!({"max": 1})), [(0.9, 0)]);
    assert_eq!(scene_with(json!({"min_size": 20})).len(), 2);
    assert_eq!(scene_with(json!({"min_size": 20.5})), []);
    // Logits of 0.9 and 1 make 0.71 * 0.73; all empty rows make 0.25 and have no area.
    let found = scene_with(json!({"sigmoid": 1, "nms": 1.0}));
    assert_eq!(found.len(), 3);
    assert!((found[0].0 - 0.51979).abs() < 1e-4, "{found:?}");
}

#[test]
fn options_choose_classes_and_are_checked() {
    let entry = entry(json!({"task": "detect", "decoder": "yolov5", "classes": "cat,dog"}));
    let d = Detector::new(&entry, &picture(SIZE), &[declared("o", &[1, 84, 7])]).unwrap();
    let dog = d.classes().unwrap().class("dog").unwrap();
    let options = DetectOptions { classes: Some(vec![dog]), ..d.options().clone() };
    let found = d.decode(&scene(), &[plain(SIZE)], &options).unwrap();
    assert_eq!(found[0].iter().map(|f| f.class).collect::<Vec<_>>(), [1]);
    for bad in [
        DetectOptions { score: f32::NAN, ..options.clone() },
        DetectOptions { score: 1.5, ..options.clone() },
        DetectOptions { nms: -0.1, ..options.clone() },
        DetectOptions { min_size: f32::NAN, ..options.clone() },
    ] {
        let error = d.decode(&scene(), &[plain(SIZE)], &bad).unwrap_err();
        assert!(matches!(error, Error::Parameter { op: "detect", .. }), "{error}");
    }
    let min = DetectOptions { min_size: 50.0, ..d.options().clone() };
    let mut large = plain(SIZE);
    large.source.width *= 3;
    large.source.height *= 3;
    assert_eq!(d.decode(&scene(), &[plain(SIZE)], &min).unwrap()[0].len(), 0);
    assert_eq!(d.decode(&scene(), &[large], &min).unwrap()[0].len(), 2, "pixels of the picture count");
}

#[test]
fn what_does_not_fit_is_refused_when_the_adapter_is_built() {
    let out: Shapes<'_> = &[("o", &[1, 84, 7])];
    let slips: [(&str, Value, Shapes<'_>, &str); 14] = [
        ("task", yolox(json!({"task": "face", "decoder": "yunet"})), out, "each level must have"),
        ("decoder", yolox(json!({"decoder": "yolo9000"})), out, "yolov8"),
        ("number", yolox(json!({"numbers": {"scroe": 0.5}})), out, "scroe"),
        ("number", yolox(json!({"numbers": {"score": 1.5}})), out, "0 to 1"),
        ("number", yolox(json!({"numbers": {"max": 1.5}})), out, "whole number"),
        ("number", yolox(json!({"numbers": {"bins": 8}})), out, "bins"),
        ("output", yolox(json!({"outputs": {"boxes": "o"}})), out, "predictions"),
        ("output", yolox(json!({"outputs": {"predictions": "p"}})), out, "`o` [1, 84, 7]"),
        ("input", yolox(json!({"inputs": {"state": "s"}})), out, "state"),
        ("input", yolox(json!({"picture": {"input": "image"}})), out, "`pixels` [1, 3, 64, 64]"),
        ("classes", yolox(json!({"classes": "coco80"})), out, "80 classes, the model has 2"),
        ("output", yolox(json!({})), &[("a", &[1, 84, 7]), ("b", &[1, 84, 7])], "name one"),
        ("output", yolox(json!({})), &[("a", &[1, 84])], "`a` [1, 84]"),
        ("shape", yolox(json!({"outputs": {"predictions": "a"}})), &[("a", &[1, 84, 5])], "[1, 84, 5]"),
    ];
    for (cause, more, outputs, words) in slips {
        let (found, message) = refused(new(more.clone(), outputs));
        // The first one is a face detector by its task, whose outputs are missing.
        let wanted = if cause == "task" { "output" } else { cause };
        assert_eq!(found, wanted, "{more}: {message}");
        assert!(message.contains(words), "{more}: {message}");
    }
    let face = entry(json!({"task": "face", "decoder": "yunet"}));
    assert_eq!(refused(Detector::new(&face, &[], &[])).0, "task");
    let detect = entry(json!({"task": "detect"}));
    assert_eq!(refused(FaceDetector::new(&detect, &[], &[])).0, "task");
}

#[test]
fn outputs_that_fit_no_decoder_or_several_are_not_guessed() {
    let guess = |more: Value, outputs: Shapes<'_>| refused(new(more, outputs));
    let detect = || json!({"task": "detect"});
    for outputs in [
        &[("a", &[1usize, 10][..])][..],
        &[("a", &[1, 30, 9])],
        &[("a", &[1, 0, 0])],
        // Ten logits beside boxes: ten classes, or nine and "no object"?
        &[("a", &[1, 100, 10]), ("b", &[1, 100, 4])],
    ] {
        let (cause, message) = guess(detect(), outputs);
        assert_eq!(cause, "decoder", "{message}");
        assert!(message.contains("`a` [1, ") && message.contains("nanodet"), "{message}");
    }
    let (cause, message) = guess(json!({"task": "face"}), &[("a", &[1, 100, 4])]);
    assert_eq!(cause, "decoder", "{message}");
    assert!(message.contains("ultraface"), "{message}");
    let sure = json!({"task": "detect", "classes": "a,b,c,d,e,f,g,h,i,j"});
    assert_eq!(new(sure, &[("a", &[1, 100, 10]), ("b", &[1, 100, 4])]).unwrap().decoder(), "detr-sigmoid");
}

fn tensor(shape: &[usize]) -> Tensor {
    Tensor::f32(shape.to_vec(), vec![0.0; shape.iter().product()]).unwrap()
}

#[test]
fn what_a_run_gives_is_checked() {
    let adapter = new(yolox(json!({})), &[("o", &[0, 0, 0])]).unwrap();
    let run = |name: &str, shape: &[usize], places: &[TensorPlace]| {
        refused(adapter.decode(&Outputs::new(vec![(name.into(), tensor(shape))]), places))
    };
    let one = [plain(SIZE)];
    let (cause, message) = run("p", &[1, 84, 7], &one);
    assert!(cause == "output" && message.contains("`o`") && message.contains('p'), "{message}");
    for (shape, places) in [
        (&[1usize, 83, 7][..], &one[..]),
        (&[2, 84, 7], &one),
        (&[1, 84, 7], &[plain(SIZE), plain(SIZE)]),
        (&[84, 7, 1, 1], &one),
        (&[7], &one),
        (&[1, 84, 0], &one),
        (&[1, 84, 7], &[plain(SIZE), plain(Size::new(96, 64))]),
    ] {
        let (cause, message) = run("o", shape, places);
        assert!(["shape", "classes"].contains(&cause), "{shape:?}: {cause} {message}");
    }
    let (_, message) = run("o", &[1, 83, 7], &one);
    assert!(message.contains("84 cells") && message.contains("[1, 83, 7]"), "{message}");
    // Without a batch axis, as some exports are.
    assert_eq!(adapter.decode(&Outputs::new(vec![("o".into(), tensor(&[84, 7]))]), &one).unwrap(), [vec![]]);
}

#[test]
fn logits_in_the_place_of_probabilities_are_noticed() {
    let adapter = new(yolox(json!({})), &[("o", &[1, 84, 7])]).unwrap();
    let mut data = vec![0.0f32; 84 * 7];
    data[4..7].copy_from_slice(&[2.0, 3.0, -4.0]);
    let outputs = Outputs::new(vec![("o".into(), Tensor::f32([1, 84, 7], data).unwrap())]);
    let (cause, message) = refused(adapter.decode(&outputs, &[plain(SIZE)]));
    assert!(cause == "range" && message.contains("sigmoid"), "{message}");
}

/// A graph of dynamic size: the tensor says how many cells each level has.
#[test]
fn a_model_of_dynamic_size_follows_the_tensor() {
    let parts = [("c", 1), ("o", 1), ("b", 4), ("k", 10)];
    let io: Vec<_> =
        (0..3).flat_map(|level| parts.map(|(n, width)| declared(&format!("{n}{level}"), &[0, 0, width]))).collect();
    let d = FaceDetector::new(&entry(json!({"task": "face"})), &[declared("x", &[0, 3, 0, 0])], &io).unwrap();
    assert_eq!(d.decoder(), "yunet");
    for (w, h) in [(32, 32), (320, 256), (640, 32)] {
        let size = Size::new(w, h);
        let make = |extra: usize| {
            let mut outputs = Vec::new();
            for level in 0..3 {
                let stride = 8usize << level;
                let cells = w as usize / stride * (h as usize / stride) + if level == 1 { extra } else { 0 };
                for (n, width) in parts {
                    let mut t = vec![0.0; cells * width];
                    if level == 2 && width == 1 {
                        *t.last_mut().unwrap() = 0.8;
                    }
                    outputs.push((format!("{n}{level}"), Tensor::f32([1, cells, width], t).unwrap()));
                }
            }
            Outputs::new(outputs)
        };
        let faces = d.decode(&make(0), &[plain(size)], d.options()).unwrap();
        let c = faces[0][0].rect.center();
        assert_eq!((faces[0].len(), c.x, c.y), (1, w as f32 - 32.0, h as f32 - 32.0));
        let (cause, message) = refused(d.decode(&make(1), &[plain(size)], d.options()));
        assert!(cause == "shape" && message.contains("stride 16"), "{message}");
    }
}
