//! The real models of the test data: all load, say what docs say of them, and run; the batch changes nothing.

use frameloom::infer::{
    ElementType, Extent, OnnxSession, SessionOptions, Task, Tensor, TensorData, TensorModel, import,
};

use crate::support::*;

/// Size of an axis; `-1` for one that is open.
type Shape = &'static [i64];
/// Names and shapes.
type Ports = &'static [(&'static str, Shape)];

/// File, task, inputs, outputs (`None`: another test looks at those), decoder that `import` should find.
#[rustfmt::skip]
const MODELS: [(&str, Task, Ports, Ports, Option<&str>); 17] = [
    ("yolox_nano_416", Task::Detect, &[("images", &[1, 3, 416, 416])], &[("output", &[1, 3549, 85])], Some("yolox")),
    ("nanodet_m_320", Task::Detect, &[("input.1", &[1, 3, 320, 320])], &[
        ("cls_pred_stride_8", &[1, 1600, 80]), ("cls_pred_stride_16", &[1, 400, 80]), ("cls_pred_stride_32", &[1, 100, 80]),
        ("dis_pred_stride_8", &[1, 1600, 32]), ("dis_pred_stride_16", &[1, 400, 32]), ("dis_pred_stride_32", &[1, 100, 32]),
    ], Some("nanodet")),
    ("ultraface_rfb320", Task::Face, &[("input", &[1, 3, 240, 320])], &[("scores", &[1, 4420, 2]), ("boxes", &[1, 4420, 4])], Some("ultraface")),
    ("yunet_n_dynamic", Task::Face, &[("input", &[-1, 3, -1, -1])], &[], Some("yunet")),
    ("blazeface_short_128", Task::Face, &[("input", &[1, 3, 128, 128])], &[("regressors", &[1, 896, 16]), ("classificators", &[1, 896, 1])], Some("blazeface")),
    ("mediapipe_face_landmark_468", Task::Landmarks, &[("input_1", &[1, 3, 192, 192])], &[("conv2d_21", &[1, 1, 1, 1404])], Some("landmarks")),
    ("mediapipe_face_landmarks_478_fp16", Task::Landmarks, &[("input_12", &[1, 3, 256, 256])], &[("Identity", &[1, 1, 1, 1434]), ("Identity_1", &[1, 1, 1, 1]), ("Identity_2", &[1, 1])], Some("landmarks")),
    ("mobilefacenet_112", Task::Embed, &[("input", &[1, 3, 112, 112])], &[("output", &[1, 128])], None),
    ("person_reid_retail_0288", Task::Reid, &[("inputs:0", &[1, 256, 128, 3])], &[("Identity:0", &[1, 256])], None),
    ("derived_shufflenetv2_embed_dynbatch", Task::Embed, &[("input.1", &[-1, 3, 320, 320])], &[("embedding", &[-1, 696])], None),
    ("selfie_segmentation_256", Task::Segment, &[("input_1:0", &[1, 256, 256, 3])], &[("activation_10", &[1, 256, 256, 1])], Some("alpha")),
    ("deeplab_v3_mnv2_257", Task::Segment, &[("sub_7", &[1, 257, 257, 3])], &[("ResizeBilinear_3", &[1, 257, 257, 21])], Some("semantic")),
    ("silero_vad", Task::Vad, &[("input", &[-1, -1]), ("state", &[2, -1, 128]), ("sr", &[])], &[], Some("silero")),
    ("realesr_animevideov3_x4", Task::Upscale, &[("input", &[-1, 3, -1, -1])], &[], None),
    ("derived_espcn_x3_luma", Task::Upscale, &[("luma", &[-1, 1, -1, -1])], &[], None),
    ("sci_lowlight_480x640", Task::Lowlight, &[("input", &[1, 3, 480, 640])], &[], None),
    ("mnist", Task::Classify, &[("Input3", &[1, 1, 28, 28])], &[("Plus214_Output_0", &[1, 10])], Some("softmax")),
];

/// All models in a folder with a manifest made by `import`.
fn imported() -> Option<Folder> {
    let data = test_data("the real models")?.join("onnx");
    let mut folder = Folder::new();
    for (file, task, ..) in MODELS {
        let name = format!("{file}.onnx");
        std::fs::copy(data.join(&name), folder.path().join(&name)).unwrap();
        let proposal = import(&folder.path().join(&name), task, None).unwrap();
        assert_eq!(proposal.entry.name, file);
        folder.entries.push(proposal.entry);
    }
    Some(folder)
}

fn shape_of(shape: &[Extent]) -> Vec<i64> {
    let size = |e: &Extent| match e {
        Extent::Fixed(n) => *n as i64,
        Extent::Dynamic(_) => -1,
    };
    shape.iter().map(size).collect()
}

/// Open axes: two elements; 64 for width and height; 576 for samples of sound.
fn zeros(session: &OnnxSession, batch: usize) -> Vec<(String, Tensor)> {
    let mut zeros = session
        .zeros(|io, axis| match (io.shape.len(), axis) {
            (4, 0) | (2, 0) | (3, 1) => batch,
            (4, _) => 64,
            _ => 576,
        })
        .unwrap();
    for (name, tensor) in &mut zeros {
        if name == "sr" {
            tensor.data = TensorData::I64(vec![16_000]);
        }
    }
    zeros
}

fn run_all(session: &mut OnnxSession, inputs: &[(String, Tensor)]) -> frameloom::infer::Outputs {
    let named: Vec<(&str, &Tensor)> = inputs.iter().map(|(n, t)| (n.as_str(), t)).collect();
    run(session, &named).unwrap()
}

#[test]
fn all_seventeen_load_and_run() {
    let Some(folder) = imported() else { return };
    let registry = folder.registry();
    for (file, task, inputs, outputs, decoder) in MODELS {
        let model = registry.load_for(task, file, Default::default()).unwrap();
        assert!(model.pinned, "{file}");
        assert_eq!(model.entry.decoder.as_deref(), decoder, "{file}");
        let mut session = OnnxSession::open(&model, &SessionOptions::default()).unwrap();
        // What we read is what the runtime reads.
        let ports = |list: &[frameloom::infer::IoInfo]| -> Vec<(String, ElementType, Vec<i64>)> {
            list.iter().map(|i| (i.name.clone(), i.element, shape_of(&i.shape))).collect()
        };
        assert_eq!(ports(&model.graph.inputs), ports(session.inputs()), "{file}");
        for (name, shape) in inputs {
            let input = session.inputs().iter().find(|i| i.name == *name).unwrap_or_else(|| panic!("{file}: {name}"));
            assert_eq!(shape_of(&input.shape), *shape, "{file}: {name}");
        }
        assert_eq!(session.inputs().len(), inputs.len(), "{file}");
        let halves = file.ends_with("fp16");
        assert_eq!(session.inputs()[0].element == ElementType::F16, halves, "{file}");
        let given = zeros(&session, 2);
        let out = run_all(&mut session, &given);
        assert_eq!(out.iter().count(), session.outputs().len(), "{file}");
        for (name, shape) in outputs {
            let found = &out.get(name).unwrap_or_else(|e| panic!("{file}: {e}")).shape;
            let wanted: Vec<usize> = shape.iter().map(|d| usize::try_from(*d).unwrap_or(2)).collect();
            assert_eq!(*found, wanted, "{file}: {name}");
        }
        for (name, tensor) in out.iter() {
            assert!(tensor.to_f32().iter().all(|v| v.is_finite()), "{file}: {name}");
        }
    }
}

/// Layout and colour planes that `import` finds without help.
#[test]
fn import_reads_the_layout() {
    use frameloom::infer::manifest::{Layout, Order};
    let Some(folder) = imported() else { return };
    for entry in &folder.entries {
        let picture = entry.picture.as_ref();
        match entry.name.as_str() {
            "silero_vad" => assert!(picture.is_none()),
            "person_reid_retail_0288" | "selfie_segmentation_256" | "deeplab_v3_mnv2_257" => {
                assert_eq!(picture.unwrap().layout, Layout::Nhwc, "{}", entry.name);
            }
            _ => assert_eq!(picture.unwrap().layout, Layout::Nchw, "{}", entry.name),
        }
        let gray = ["derived_espcn_x3_luma", "mnist"].contains(&entry.name.as_str());
        assert_eq!(picture.is_some_and(|p| p.order == Order::Gray), gray, "{}", entry.name);
    }
}

/// Values in 0..=1 from a small generator, different for each element.
fn noise(shape: &[usize], seed: u32) -> Vec<f32> {
    let mut state = seed.wrapping_mul(747_796_405).wrapping_add(2_891_336_453);
    let next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 24) as f32
    };
    std::iter::repeat_with(next).take(shape.iter().product()).collect()
}

fn difference(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    let scale = a.iter().fold(1.0f32, |m, v| m.max(v.abs()));
    a.iter().zip(b).fold(0.0, |m: f32, (x, y)| m.max((x - y).abs())) / scale
}

/// Sixteen elements at once, in fours and one by one: models with an open batch, and models of one that are run in parts.
#[test]
fn the_batch_changes_nothing() {
    let Some(folder) = imported() else { return };
    let registry = folder.registry();
    let mut worst: f32 = 0.0;
    for name in [
        "yunet_n_dynamic",
        "derived_shufflenetv2_embed_dynbatch",
        "realesr_animevideov3_x4",
        "derived_espcn_x3_luma",
        "blazeface_short_128",
        "mobilefacenet_112",
        "person_reid_retail_0288",
    ] {
        let model = registry.load(name, Default::default()).unwrap();
        let mut session = OnnxSession::open(&model, &SessionOptions::default()).unwrap();
        let input = session.inputs()[0].clone();
        let mut shape: Vec<usize> =
            input.shape.iter().map(|e| if let Extent::Fixed(n) = e { *n } else { 64 }).collect();
        shape[0] = 16;
        let all = noise(&shape, 7);
        let each = all.len() / 16;
        let mut run_in = |size: usize| -> Vec<(String, Vec<f32>)> {
            let mut joined: Vec<(String, Vec<f32>)> = Vec::new();
            for part in all.chunks_exact(each * size) {
                shape[0] = size;
                let x = Tensor::f32(shape.clone(), part.to_vec()).unwrap();
                let out = run(&mut session, &[(&input.name, &x)]).unwrap();
                for (i, (name, tensor)) in out.iter().enumerate() {
                    assert_eq!(tensor.shape[0], size);
                    match joined.get_mut(i) {
                        None => joined.push((name.to_owned(), tensor.to_f32().into_owned())),
                        Some((_, all)) => all.extend_from_slice(&tensor.to_f32()),
                    }
                }
            }
            joined
        };
        let (one, four, sixteen) = (run_in(1), run_in(4), run_in(16));
        for (a, others) in one.iter().zip(four.iter().zip(&sixteen)) {
            for b in [others.0, others.1] {
                let d = difference(&a.1, &b.1);
                worst = worst.max(d);
                assert!(d <= 1e-5, "{name}, {}: {d}", a.0);
            }
            // Elements differ, so that mixing them up would be seen.
            let (first, last) = (&a.1[..a.1.len() / 16], &a.1[a.1.len() * 15 / 16..]);
            assert!(first != last, "{name}, {}", a.0);
        }
    }
    println!("largest difference over batches, relative to the largest value: {worst:e}");
}

/// The state of the speech model has the batch in its second axis.
#[test]
fn speech_in_batches() {
    let Some(folder) = imported() else { return };
    let model = folder.load("silero_vad").unwrap();
    let mut session = OnnxSession::open(&model, &SessionOptions::default()).unwrap();
    let rate = Tensor { shape: vec![], data: TensorData::I64(vec![16_000]) };
    let sound = noise(&[4, 576], 3);
    let mut step = |rows: &[f32]| {
        let count = rows.len() / 576;
        let x = Tensor::f32([count, 576], rows.to_vec()).unwrap();
        let state = Tensor::f32([2, count, 128], vec![0.0; 256 * count]).unwrap();
        let out = run(&mut session, &[("sr", &rate), ("state", &state), ("input", &x)]).unwrap();
        out.get("output").unwrap().to_f32().into_owned()
    };
    let together = step(&sound);
    let single: Vec<f32> = sound.chunks_exact(576).flat_map(&mut step).collect();
    assert!(difference(&together, &single) <= 1e-5, "{together:?} {single:?}");
}

/// A size that the network cannot work with: an error with the runtime's words, and the next run is fine.
#[test]
fn a_real_failure_is_an_error_once() {
    let Some(folder) = imported() else { return };
    let model = folder.load("yunet_n_dynamic").unwrap();
    let mut session = OnnxSession::open(&model, &SessionOptions::default()).unwrap();
    let of = |side: usize| Tensor::f32([1, 3, side, side], vec![0.0; 3 * side * side]).unwrap();
    assert_eq!(cause(run(&mut session, &[("input", &of(72))])), "run");
    assert!(run(&mut session, &[("input", &of(64))]).is_ok());
}
