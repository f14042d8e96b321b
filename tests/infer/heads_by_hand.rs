//! One planted row for each head, decoded on paper.

use frameloom::core::Size;
use frameloom::infer::{Outputs, Tensor};
use serde_json::json;

use crate::raw::{Adapter, Found, entry, picture, plain, shapes};

/// An output of zeros but for some rows.
fn planted(role: &str, shape: &[usize], rows: &[(usize, &[f32])]) -> (String, Tensor) {
    let width = *shape.last().unwrap();
    let mut data = vec![0.0; shape.iter().product()];
    for (at, row) in rows {
        data[at * width..at * width + row.len()].copy_from_slice(row);
    }
    (role.into(), Tensor::f32(shape.to_vec(), data).unwrap())
}

fn found(decoder: &str, task: &str, size: Size, more: serde_json::Value, outputs: Vec<(String, Tensor)>) -> Vec<Found> {
    let roles: serde_json::Map<_, _> = outputs.iter().map(|(r, _)| (r.clone(), json!(r))).collect();
    let entry = entry(json!({"task": task, "decoder": decoder, "numbers": more, "outputs": roles}));
    let adapter = Adapter::new(&entry, &picture(size), &shapes(&outputs)).unwrap();
    adapter.decode(&Outputs::new(outputs), &[plain(size)]).unwrap().remove(0)
}

fn check(found: &[Found], rect: [f32; 4], score: f32, class: u32, points: &[f32]) {
    let [f] = found else { panic!("{found:?}") };
    let all = [f.rect.x, f.rect.y, f.rect.width, f.rect.height, f.score];
    let wanted = [rect[0], rect[1], rect[2], rect[3], score];
    assert_eq!(f.points.len(), points.len());
    for (a, b) in all.iter().chain(&f.points).zip(wanted.iter().chain(points)) {
        assert!((a - b).abs() < 1e-4, "{f:?}, expected {wanted:?} {points:?}");
    }
    assert_eq!(f.class, class);
}

const SIZE: Size = Size::new(64, 64);
const LN2: f32 = std::f32::consts::LN_2;

#[test]
fn yolox() {
    // 64 + 16 + 4 cells; row 64 + 6 is column 2, line 1 of stride 16: centre (2.5 * 16, 1.25 * 16), sides 2 * 16 and 16.
    let row: &[f32] = &[0.5, 0.25, LN2, 0.0, 0.8, 0.1, 0.9];
    let out = planted("predictions", &[1, 84, 7], &[(70, row)]);
    check(&found("yolox", "detect", SIZE, json!({}), vec![out]), [24.0, 12.0, 32.0, 16.0], 0.72, 1, &[]);
    // Row 83 is the last cell of stride 32.
    let out = planted("predictions", &[1, 84, 7], &[(83, row)]);
    check(&found("yolox", "detect", SIZE, json!({}), vec![out]), [16.0, 24.0, 64.0, 32.0], 0.72, 1, &[]);
}

#[test]
fn yolov5() {
    let out = planted("predictions", &[1, 9, 7], &[(8, &[30.0, 20.0, 10.0, 8.0, 0.5, 0.8, 0.1])]);
    check(&found("yolov5", "detect", SIZE, json!({}), vec![out]), [25.0, 16.0, 10.0, 8.0], 0.4, 0, &[]);
}

#[test]
fn nanodet() {
    // Far above the others, a bin takes all weight: distances 1, 2, 3, 4 strides from the middle of column 3, line 2 at stride 8.
    let mut bins = [0.0f32; 32];
    for (side, bin) in [1usize, 2, 3, 4].into_iter().enumerate() {
        bins[side * 8 + bin] = 60.0;
    }
    let (scores, distances): (&[f32], &[f32]) = (&[0.0, 0.7], &bins);
    let outputs = || {
        vec![planted("scores8", &[1, 64, 2], &[(19, scores)]), planted("distances8", &[1, 64, 32], &[(19, distances)])]
    };
    check(&found("nanodet", "detect", SIZE, json!({}), outputs()), [20.0, 4.0, 32.0, 48.0], 0.7, 1, &[]);
    let corner = json!({"center": 0.0});
    check(&found("nanodet", "detect", SIZE, corner, outputs()), [16.0, 0.0, 32.0, 48.0], 0.7, 1, &[]);
    // Equal bins: the middle of 0..=7.
    let flat = vec![planted("scores8", &[1, 64, 2], &[(0, scores)]), planted("distances8", &[1, 64, 32], &[])];
    check(&found("nanodet", "detect", SIZE, json!({}), flat), [-24.0, -24.0, 56.0, 56.0], 0.7, 1, &[]);
}

/// One output for all levels of a tensor of 64x64: 64 + 16 + 4 + 1 cells, two scores and four sides of eight bins.
#[test]
fn nanodet_plus() {
    let mut row = [0.0f32; 34];
    row[1] = 0.7;
    for (side, bin) in [1usize, 2, 3, 4].into_iter().enumerate() {
        row[2 + side * 8 + bin] = 60.0;
    }
    // Row 64 + 6 is column 2, line 1 of stride 16: distances 1, 2, 3, 4 strides from its corner.
    let out = || vec![planted("predictions", &[1, 85, 34], &[(70, &row)])];
    check(&found("nanodet-plus", "detect", SIZE, json!({}), out()), [16.0, -16.0, 64.0, 96.0], 0.7, 1, &[]);
    let middle = json!({"center": 0.5});
    check(&found("nanodet-plus", "detect", SIZE, middle, out()), [24.0, -8.0, 64.0, 96.0], 0.7, 1, &[]);
    // The last cell is the only one of stride 64.
    let out = vec![planted("predictions", &[1, 85, 34], &[(84, &row)])];
    check(&found("nanodet-plus", "detect", SIZE, json!({}), out), [-64.0, -128.0, 256.0, 384.0], 0.7, 1, &[]);
}

#[test]
fn yolov8_either_way_round() {
    let columns = [(0, 30.0), (1, 20.0), (2, 10.0), (3, 8.0), (5, 0.6)];
    let mut planes = vec![0.0f32; 6 * 84];
    columns.iter().for_each(|(plane, v)| planes[plane * 84 + 11] = *v);
    let out = ("predictions".to_owned(), Tensor::f32([1, 6, 84], planes).unwrap());
    check(&found("yolov8", "detect", SIZE, json!({}), vec![out]), [25.0, 16.0, 10.0, 8.0], 0.6, 1, &[]);
    let out = planted("predictions", &[1, 84, 6], &[(11, &[30.0, 20.0, 10.0, 8.0, 0.0, 0.6])]);
    check(&found("yolov8", "detect", SIZE, json!({}), vec![out]), [25.0, 16.0, 10.0, 8.0], 0.6, 1, &[]);
}

#[test]
fn end_to_end() {
    let rows: [(usize, &[f32]); 2] = [(0, &[3.0, 4.0, 13.0, 24.0, 0.6, 7.0]), (1, &[3.0, 4.0, 13.0, 24.0, 0.9, -1.0])];
    let out = planted("predictions", &[1, 10, 6], &rows);
    check(&found("end-to-end", "detect", SIZE, json!({}), vec![out]), [3.0, 4.0, 10.0, 20.0], 0.6, 7, &[]);
}

#[test]
fn detr() {
    let size = Size::new(100, 50);
    let boxes = || planted("boxes", &[1, 5, 4], &[(2, &[0.5, 0.5, 0.2, 0.4])]);
    // exp: 1, 8, 1 for "no object": 8 of 10. All other queries are even between three classes, 1/3 each.
    let logits = planted("scores", &[1, 5, 3], &[(2, &[0.0, 3.0 * LN2, 0.0])]);
    let got = found("detr", "detect", size, json!({}), vec![logits, boxes()]);
    check(&got, [40.0, 15.0, 20.0, 20.0], 0.8, 1, &[]);
    let logits = planted("scores", &[1, 5, 3], &[(2, &[-LN2, 2.0 * LN2, -LN2]), (0, &[-1.0; 3])]);
    let got = found("detr-sigmoid", "detect", size, json!({"score": 0.6}), vec![logits, boxes()]);
    check(&got, [40.0, 15.0, 20.0, 20.0], 0.8, 1, &[]);
}

#[test]
fn yunet() {
    // Column 1, line 2 at stride 32 of a tensor of 96x128.
    let (size, at) = (Size::new(96, 128), 7);
    let mut outputs = Vec::new();
    for (stride, cells) in [(8, 192), (16, 48), (32, 12)] {
        let at = if stride == 32 { vec![at] } else { Vec::new() };
        let mut add = |role: &str, width: usize, row: &[f32]| {
            let rows: Vec<(usize, &[f32])> = at.iter().map(|a| (*a, row)).collect();
            outputs.push(planted(&format!("{role}{stride}"), &[1, cells, width], &rows));
        };
        add("scores", 1, &[0.98]);
        add("objects", 1, &[0.5]);
        add("boxes", 4, &[0.25, 0.5, LN2, 0.0]);
        add("points", 10, &[0.0, 0.0, 1.0, 0.0, 0.5, 0.5, 0.0, 1.0, 1.0, 1.0]);
    }
    let got = found("yunet", "face", size, json!({}), outputs);
    let points = [32.0, 64.0, 64.0, 64.0, 48.0, 80.0, 32.0, 96.0, 64.0, 96.0];
    check(&got, [8.0, 64.0, 64.0, 32.0], 0.7, 0, &points);
}

#[test]
fn scrfd() {
    // Two rows a cell: row 2 * 9 + 1 is column 1, line 1 at stride 8.
    let row = 19;
    let outputs = vec![
        planted("scores8", &[1, 128, 1], &[(row, &[0.75])]),
        planted("boxes8", &[1, 128, 4], &[(row, &[0.5, 1.0, 2.0, 3.0])]),
        planted("points8", &[1, 128, 10], &[(row, &[1.0, -1.0])]),
    ];
    let points = [16.0, 0.0, 8.0, 8.0, 8.0, 8.0, 8.0, 8.0, 8.0, 8.0];
    check(&found("scrfd", "face", SIZE, json!({}), outputs), [4.0, 0.0, 20.0, 32.0], 0.75, 0, &points);
}

#[test]
fn ultraface() {
    let outputs = vec![
        planted("scores", &[1, 20, 2], &[(3, &[0.1, 0.9]), (4, &[0.9, 0.1])]),
        planted("boxes", &[1, 20, 4], &[(3, &[0.25, 0.5, 0.75, 1.0]), (4, &[0.0, 0.0, 1.0, 1.0])]),
    ];
    let got = found("ultraface", "face", Size::new(320, 240), json!({}), outputs);
    check(&got, [80.0, 120.0, 160.0, 120.0], 0.9, 0, &[]);
}

#[test]
fn blazeface() {
    // 512 anchors of stride 8; row 512 + 6 * 9 is column 1, line 1 of stride 16: centre (24, 24). Logit ln 4 is 0.8.
    let row: &[f32] = &[4.0, -4.0, 20.0, 10.0, 1.0, 2.0];
    let mut scores = vec![-9.0f32; 896];
    scores[512 + 54] = 2.0 * LN2;
    let outputs = vec![
        ("scores".to_owned(), Tensor::f32([1, 896, 1], scores).unwrap()),
        planted("boxes", &[1, 896, 16], &[(512 + 54, row)]),
    ];
    let got = found("blazeface", "face", Size::new(128, 128), json!({}), outputs);
    let mut points = [24.0; 12];
    points[..2].copy_from_slice(&[25.0, 26.0]);
    check(&got, [18.0, 15.0, 20.0, 10.0], 0.8, 0, &points);
}
