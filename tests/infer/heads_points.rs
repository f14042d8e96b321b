//! Landmarks, alignment, vectors and classes.

use frameloom::core::{BoxF, GridPooling, Point, Size};
use frameloom::infer::tasks::align::FaceAlignment;
use frameloom::infer::tasks::classify::Classifier;
use frameloom::infer::tasks::embed::{Embedder, cosine};
use frameloom::infer::tasks::landmarks::{LandmarkModel, Landmarks, Part, Scheme};
use frameloom::infer::tasks::reid::ReIdentifier;
use frameloom::infer::{Outputs, Tensor, TensorData};
use half::f16;
use serde_json::json;

use crate::golden::{Golden, numbers};
use crate::raw::{declared, entry, picture, plain, refused};

fn f32s(name: &str, shape: &[usize], data: Vec<f32>) -> (String, Tensor) {
    (name.into(), Tensor::f32(shape.to_vec(), data).unwrap())
}

/// Points at known places: point `i` at `(i % 20, i / 20)` times `step`.
fn lattice(count: usize, axes: usize, step: f32) -> Vec<f32> {
    (0..count)
        .flat_map(|i| [(i % 20) as f32 * step, (i / 20) as f32 * step, -(i as f32)].into_iter().take(axes))
        .collect()
}

#[test]
fn mesh_points_come_in_pixels_of_the_tensor() {
    let io = [declared("flag", &[1, 1, 1, 1]), declared("xyz", &[1, 1, 1, 1404])];
    let model = LandmarkModel::new(
        &entry(json!({"task": "landmarks", "decoder": "landmarks"})),
        &picture(Size::new(192, 192)),
        &io,
    )
    .unwrap();
    assert_eq!(model.scheme(), Scheme::Mesh468);
    let mut place = plain(Size::new(192, 192));
    (place.source.x, place.source.y, place.source.width, place.source.height) = (100, 50, 384, 384);
    let mut data = lattice(468, 3, 4.0);
    data.extend(lattice(468, 3, 4.0).iter().map(|v| if *v == 4.0 { f32::NAN } else { *v }));
    let outputs = Outputs::new(vec![f32s("flag", &[2, 1, 1, 1], vec![0.0, 9.0]), f32s("xyz", &[2, 1, 1, 1404], data)]);
    let faces = model.decode(&outputs, &[place, place]).unwrap();
    let face = faces[0].as_ref().unwrap();
    assert_eq!((face.points.len(), face.score), (468, Some(0.5)));
    // Point 61: (1 * 4, 3 * 4) in the tensor, doubled in the picture.
    assert_eq!(face.points[61], Point { x: 108.0, y: 74.0 });
    assert_eq!(face.depth[61], -122.0);
    assert_eq!(faces[1], None, "points that are no numbers");
    // 25 % of the longer side on each side.
    assert_eq!(
        model.crop(&BoxF { x: 10.0, y: 20.0, width: 40.0, height: 80.0 }),
        BoxF { x: -30.0, y: 0.0, width: 120.0, height: 120.0 }
    );
}

#[test]
fn halves_and_a_second_single_number_do_not_confuse() {
    let io = [declared("tongue", &[1, 1]), declared("flag", &[1, 1, 1, 1]), declared("xyz", &[1, 1, 1, 1434])];
    let model = LandmarkModel::new(&entry(json!({"task": "landmarks"})), &picture(Size::new(256, 256)), &io).unwrap();
    assert_eq!(model.scheme(), Scheme::Mesh478);
    let half = |name: &str, shape: &[usize], data: &[f32]| {
        let data = TensorData::F16(data.iter().map(|v| f16::from_f32(*v)).collect());
        (name.to_owned(), Tensor { shape: shape.to_vec(), data })
    };
    let outputs = Outputs::new(vec![
        half("tongue", &[1, 1], &[100.0]),
        half("flag", &[1, 1, 1, 1], &[0.0]),
        half("xyz", &[1, 1, 1, 1434], &lattice(478, 3, 2.0)),
    ]);
    let face = model.decode(&outputs, &[plain(Size::new(256, 256))]).unwrap().remove(0).unwrap();
    assert_eq!((face.score, face.points[477]), (Some(0.5), Point { x: 34.0, y: 46.0 }));
    let other = entry(json!({"task": "landmarks", "outputs": {"score": "tongue"}, "numbers": {"sigmoid": 0}}));
    let model = LandmarkModel::new(&other, &picture(Size::new(256, 256)), &io).unwrap();
    let face = model.decode(&outputs, &[plain(Size::new(256, 256))]).unwrap().remove(0).unwrap();
    assert_eq!(face.score, Some(1.0));
}

#[test]
fn sixty_eight_points_come_in_shares_of_the_tensor() {
    let io = [declared("p", &[0, 136])];
    let size = Size::new(112, 112);
    let with = |numbers: serde_json::Value, scale: f32| {
        let entry = entry(json!({"task": "landmarks", "numbers": numbers}));
        let model = LandmarkModel::new(&entry, &picture(size), &io).unwrap();
        let data = lattice(68, 2, scale);
        let faces = model.decode(&Outputs::new(vec![f32s("p", &[1, 136], data)]), &[plain(size)]).unwrap();
        (faces[0].clone().unwrap(), model.crop(&BoxF { x: 0.0, y: 0.0, width: 10.0, height: 10.0 }).width)
    };
    let (face, crop) = with(json!({}), 0.05);
    assert_eq!((face.score, face.depth.len()), (None, 0));
    assert!(
        (face.points[48].x - 44.8).abs() < 1e-4 && (face.points[48].y - 11.2).abs() < 1e-4,
        "{:?}",
        face.points[48]
    );
    assert!((crop - 12.0).abs() < 1e-5);
    let (pixels, crop) = with(json!({"extent": 112.0, "margin": 0.5}), 0.05 * 112.0);
    assert!((pixels.points[48].x - face.points[48].x).abs() < 1e-4);
    assert!((crop - 20.0).abs() < 1e-5);
}

#[test]
fn parts_are_closed_contours_around_the_mouth_and_the_eyes() {
    for scheme in [Scheme::Ibug68, Scheme::Mesh468, Scheme::Mesh478] {
        assert_eq!(Scheme::of_count(scheme.count()), Some(scheme));
        let mut all = Vec::new();
        for part in [Part::OuterLips, Part::InnerLips, Part::LeftEye, Part::RightEye] {
            all.extend_from_slice(scheme.part(part));
        }
        let count = all.len();
        all.sort_unstable();
        all.dedup();
        assert!(all.len() == count && *all.last().unwrap() < scheme.count(), "{scheme:?}: each point once");
        let [left, right, upper, lower] = scheme.mouth();
        let (outer, inner) = (scheme.part(Part::OuterLips), scheme.part(Part::InnerLips));
        // The lower lip comes first: a half turn from corner to corner.
        assert_eq!((outer[0], outer[outer.len() / 2]), (left, right));
        assert!(inner[..inner.len() / 2].contains(&lower) && inner[inner.len() / 2..].contains(&upper));
    }
}

#[test]
fn an_open_mouth_is_measured() {
    let mut points = vec![Point::default(); 68];
    points[48] = Point { x: 10.0, y: 50.0 };
    points[54] = Point { x: 50.0, y: 80.0 };
    points[62] = Point { x: 30.0, y: 55.0 };
    points[66] = Point { x: 24.0, y: 63.0 };
    let mut face = Landmarks { scheme: Scheme::Ibug68, points, depth: Vec::new(), score: None };
    assert!((face.mouth_opening().unwrap() - 0.2).abs() < 1e-6, "10 of 50, tilted");
    for (i, x) in face.scheme.part(Part::LeftEye).iter().zip([1.0, 2.0, 3.0, 4.0, 5.0, 9.0]) {
        face.points[*i] = Point { x, y: 2.0 * x };
    }
    assert_eq!(face.center(Part::LeftEye), Point { x: 4.0, y: 8.0 });
    assert_eq!(face.bounds(Part::LeftEye), BoxF { x: 1.0, y: 2.0, width: 8.0, height: 16.0 });
    face.points[54] = face.points[48];
    assert_eq!(face.mouth_opening(), None);
    face.points.truncate(50);
    assert_eq!(face.mouth_opening(), None);
    assert_eq!(refused(FaceAlignment::from_landmarks(&face)).0, "points");
}

#[test]
fn alignment_is_that_of_scikit_image() {
    let golden = Golden::all("infer_heads", 12).into_iter().find(|g| g.name == "infer_heads/align").unwrap();
    let cases = golden.value("cases").as_array().unwrap();
    assert_eq!(cases.len(), 8);
    for case in cases {
        let points: Vec<Point> =
            numbers(&case["points"]).chunks(2).map(|p| Point { x: p[0] as f32, y: p[1] as f32 }).collect();
        let found = FaceAlignment::from_points(&points).unwrap();
        let (t, c) = (found.to_template, found.crop);
        let got = [t.a, -t.b, t.dx, t.b, t.a, t.dy, c.x, c.y, c.width, c.height, found.roll];
        let wanted = [numbers(&case["matrix"]), numbers(&case["crop"]), vec![case["roll"].as_f64().unwrap()]].concat();
        for (a, b) in got.iter().zip(wanted) {
            assert!((f64::from(*a) - b).abs() < golden.number("tolerance"), "{got:?} {case}");
        }
    }
}

#[test]
fn landmarks_align_like_key_points() {
    let mut face =
        Landmarks { scheme: Scheme::Mesh468, points: vec![Point::default(); 468], depth: vec![], score: None };
    let key = [(40.0, 40.0), (80.0, 42.0), (61.0, 65.0), (45.0, 85.0), (78.0, 86.0)].map(|(x, y)| Point { x, y });
    for (part, p) in [(Part::LeftEye, key[0]), (Part::RightEye, key[1])] {
        face.scheme.part(part).iter().for_each(|i| face.points[*i] = p);
    }
    let [left, right, ..] = face.scheme.mouth();
    (face.points[1], face.points[left], face.points[right]) = (key[2], key[3], key[4]);
    let (a, b) = (FaceAlignment::from_landmarks(&face).unwrap(), FaceAlignment::from_points(&key).unwrap());
    assert!((a.crop.x - b.crop.x).abs() < 1e-3 && (a.to_template.a - b.to_template.a).abs() < 1e-6);
}

#[test]
fn landmark_graphs_that_do_not_fit_are_refused() {
    let new = |more: serde_json::Value, io: &[(&str, &[usize])]| {
        let mut all = json!({"task": "landmarks"});
        all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let io: Vec<_> = io.iter().map(|(n, s)| declared(n, s)).collect();
        refused(LandmarkModel::new(&entry(all), &[], &io))
    };
    for (cause, more, io) in [
        ("output", json!({}), &[("a", &[1usize, 200][..])][..]),
        ("output", json!({"decoder": "mesh478"}), &[("a", &[1, 1404])]),
        ("output", json!({}), &[("a", &[1, 1404]), ("s", &[1, 1, 1]), ("t", &[1, 1, 1])]),
        ("shape", json!({"outputs": {"score": "a"}}), &[("a", &[1, 1404])]),
        ("decoder", json!({"decoder": "mesh500"}), &[("a", &[1, 1404])]),
        ("number", json!({"numbers": {"margin": -1}}), &[("a", &[1, 1404])]),
        ("task", json!({"task": "embed"}), &[("a", &[1, 1404])]),
    ] {
        let (found, message) = new(more, io);
        assert_eq!(found, cause, "{message}");
    }
}

#[test]
fn vectors_get_unit_length() {
    let size = Size::new(112, 112);
    let embedder = Embedder::new(&entry(json!({"task": "embed"})), &picture(size), &[declared("v", &[0, 4])]).unwrap();
    assert_eq!((embedder.dim(), embedder.pooling()), (Some(4), None));
    let data = vec![3.0, 0.0, 4.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, f32::NAN, 0.0, 0.0, 1e30, 1e30, 1e30, 1e30];
    let outputs = Outputs::new(vec![f32s("v", &[4, 4], data)]);
    let found = embedder.decode(&outputs, 4).unwrap();
    assert_eq!(found, [Some(vec![0.6, 0.0, 0.8, 0.0]), None, None, Some(vec![0.5; 4])]);
    let (a, b) = (found[0].as_ref().unwrap(), found[3].as_ref().unwrap());
    assert!((cosine(a, b) - 0.7).abs() < 1e-6 && cosine(a, a) == 1.0);
    assert_eq!(refused(embedder.decode(&outputs, 3)).0, "shape");
    assert_eq!(refused(embedder.feature_map(&outputs, 4)).0, "decoder");
    // The same with axes of one at the end, and as a re-identification model.
    let io = [declared("v", &[0, 4, 1, 1])];
    let reid = ReIdentifier::new(&entry(json!({"task": "reid"})), &picture(size), &io).unwrap();
    let outputs = Outputs::new(vec![f32s("v", &[1, 4, 1, 1], vec![0.0, 2.0, 0.0, 0.0])]);
    assert_eq!(reid.decode(&outputs, 1).unwrap(), [Some(vec![0.0, 1.0, 0.0, 0.0])]);
    assert_eq!(refused(ReIdentifier::new(&entry(json!({"task": "embed"})), &[], &io)).0, "task");
    assert_eq!(refused(ReIdentifier::new(&entry(json!({"task": "reid", "decoder": "map"})), &[], &io)).0, "decoder");
}

#[test]
fn maps_are_left_to_the_pooling() {
    let io = [declared("a", &[0, 8, 6, 5]), declared("logits", &[0, 1000])];
    let with = |more: serde_json::Value| Embedder::new(&entry(more), &picture(Size::new(64, 64)), &io);
    let embedder =
        with(json!({"task": "embed", "outputs": {"embedding": "a"}, "numbers": {"grid": 3, "gem": 2.5}})).unwrap();
    assert_eq!(embedder.pooling(), Some((3, GridPooling::GeneralizedMean { p: 2.5 })));
    assert_eq!(embedder.dim(), Some(72));
    let data: Vec<f32> = (0..480).map(|i| i as f32).collect();
    let outputs = Outputs::new(vec![f32s("a", &[2, 8, 6, 5], data.clone())]);
    let map = embedder.feature_map(&outputs, 2).unwrap();
    assert_eq!((map.batch, map.channels, map.size, map.data.as_ref()), (2, 8, Size::new(5, 6), &data[..]));
    assert_eq!(refused(embedder.feature_map(&outputs, 1)).0, "shape");
    assert_eq!(refused(embedder.decode(&outputs, 2)).0, "decoder");
    let plain = with(json!({"task": "embed", "decoder": "map"})).unwrap();
    assert_eq!(plain.pooling(), Some((1, GridPooling::Average)));
    let (cause, message) = refused(with(json!({"task": "embed"})));
    assert!(cause == "output" && message.contains("`logits`"), "{message}");
    let (cause, message) = refused(with(json!({"task": "embed", "decoder": "vector", "numbers": {"grid": 2}})));
    assert!(cause == "number" && message.contains("grid"), "{message}");
    let (cause, _) = refused(with(json!({"task": "embed", "decoder": "map", "outputs": {"embedding": "logits"}})));
    assert_eq!(cause, "shape");
}

#[test]
fn classes_come_best_first() {
    let new = |more: serde_json::Value| {
        let mut all = json!({"task": "classify", "classes": "a,b,c"});
        all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        Classifier::new(&entry(all), &[declared("x", &[1, 1, 28, 28])], &[declared("y", &[0, 3])])
    };
    let ln2 = std::f32::consts::LN_2;
    let data = vec![1.0, 1.0 + 2.0 * ln2, 1.0, f32::NAN, 0.0, 0.0, 500.0, 500.0, -500.0];
    let outputs = Outputs::new(vec![f32s("y", &[3, 3], data)]);
    let found = new(json!({})).unwrap().decode(&outputs, 3, 2).unwrap();
    let flat: Vec<Vec<(u32, f32)>> = found.iter().map(|p| p.iter().map(|c| (c.class, c.score)).collect()).collect();
    assert!((flat[0][0].1 - 2.0 / 3.0).abs() < 1e-6 && flat[0][0].0 == 1 && flat[0][1].0 == 0, "{flat:?}");
    assert_eq!(flat[1..], [vec![], vec![(0, 0.5), (1, 0.5)]]);
    assert_eq!(new(json!({"decoder": "softmax"})).unwrap(), new(json!({"decoder": "classify"})).unwrap());
    let ready = new(json!({"numbers": {"softmax": 0}})).unwrap();
    assert_eq!(refused(ready.decode(&outputs, 3, 1)).0, "range");
    let shares = Outputs::new(vec![f32s("y", &[1, 3], vec![0.2, 0.1, 0.7])]);
    assert_eq!(ready.decode(&shares, 1, 9).unwrap()[0].iter().map(|c| c.class).collect::<Vec<_>>(), [2, 0, 1]);
    assert!(matches!(ready.decode(&shares, 1, 0), Err(frameloom::Error::Parameter { .. })));
    assert_eq!(refused(new(json!({"classes": "voc21"}))).0, "classes");
    assert_eq!(refused(new(json!({"decoder": "yolox"}))).0, "decoder");
}
