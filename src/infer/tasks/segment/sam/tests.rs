use super::super::super::io_roles::tests::{entry, info};
use super::*;
use crate::core::{Anchor, BoxRect, Fit, TensorSpec};
use crate::infer::io::{ElementType, Outputs};
use crate::infer::tensor::TensorData;

/// A host's runtime whose rule is known: the encoder hands the picture's red plane on; the decoder draws a disc around the first point
/// (radius 8 and 24 tensor pixels, or the box), and trusts the second one more.
struct Rule {
    inputs: Vec<IoInfo>,
    outputs: Vec<IoInfo>,
    runs: Vec<usize>,
}

fn encoder() -> Rule {
    let inputs = vec![info("bild", ElementType::F32, &[1, 3, 64, 64])];
    let outputs =
        vec![info("feat_a", ElementType::F32, &[1, 1, 64, 64]), info("feat_b", ElementType::F32, &[1, 4, 8, 8])];
    Rule { inputs, outputs, runs: vec![] }
}

fn decoder(rows: i64) -> Rule {
    let inputs = vec![
        info("b", ElementType::F32, &[1, 4, 8, 8]),
        info("coords", ElementType::F32, &[rows, -1, 2]),
        info("has", ElementType::F32, &[-1]),
        info("feat_a", ElementType::F32, &[1, 1, 64, 64]),
        info("kinds", ElementType::I32, &[rows, -1]),
    ];
    let outputs = vec![info("q", ElementType::F32, &[-1, 2]), info("m", ElementType::F32, &[-1, 2, 16, 16])];
    Rule { inputs, outputs, runs: vec![] }
}

impl TensorModel for Rule {
    fn inputs(&self) -> &[IoInfo] {
        &self.inputs
    }

    fn outputs(&self) -> &[IoInfo] {
        &self.outputs
    }

    fn run(&mut self, inputs: &[NamedTensor<'_>]) -> Result<Outputs> {
        assert_eq!(inputs.len(), self.inputs.len());
        let get = |name: &str| inputs.iter().find(|i| i.name == name).map(|i| i.tensor);
        if let Some(picture) = get("bild") {
            let crate::infer::tensor::TensorSlice::F32(v) = picture.data else { panic!("floats") };
            self.runs.push(1);
            return Ok(Outputs::new(vec![
                ("feat_a".into(), Tensor::f32([1, 1, 64, 64], v[..4096].to_vec())?),
                ("feat_b".into(), Tensor::f32([1, 4, 8, 8], vec![0.0; 256])?),
            ]));
        }
        let points = get("coords").unwrap();
        let crate::infer::tensor::TensorSlice::F32(v) = points.data else { panic!("floats") };
        let crate::infer::tensor::TensorSlice::I32(labels) = get("kinds").unwrap().data else { panic!("i32") };
        let (n, p) = (points.shape[0], points.shape[1]);
        assert_eq!(get("has").unwrap().shape, [n]);
        self.runs.push(n);
        let mut logits = Vec::new();
        for row in 0..n {
            let at = |k: usize| (v[(row * p + k) * 2], v[(row * p + k) * 2 + 1]);
            let is_box = labels[row * p] == 2;
            for radius in [8.0f32, 24.0] {
                logits.extend((0..256).map(|i| {
                    let (x, y) = ((i % 16) as f32 * 4.0 + 2.0, (i / 16) as f32 * 4.0 + 2.0);
                    if is_box {
                        let ((x1, y1), (x2, y2)) = (at(0), at(1));
                        return if x > x1 && x < x2 && y > y1 && y < y2 { 5.0 } else { -5.0 };
                    }
                    let (cx, cy) = at(0);
                    radius - ((x - cx).powi(2) + (y - cy).powi(2)).sqrt()
                }));
            }
        }
        Ok(Outputs::new(vec![
            ("q".into(), Tensor::f32([n, 2], [0.5, 0.75].repeat(n))?),
            ("m".into(), Tensor { shape: vec![n, 2, 16, 16], data: TensorData::F32(logits) }),
        ]))
    }
}

fn session(dec: &Rule) -> Result<SamSession> {
    let (e, enc) = (entry(Task::Segment), encoder());
    SamSession::new(
        Described { entry: &e, inputs: &enc.inputs, outputs: &enc.outputs },
        Described { entry: &e, inputs: &dec.inputs, outputs: &dec.outputs },
    )
}

/// A picture of 128x64 letterboxed into 64x64: rows 16..48.
fn place() -> TensorPlace {
    let fit = Fit::Letterbox { pad: 0.0, anchor: Anchor::Center };
    TensorPlace::new(
        &TensorSpec { fit, ..TensorSpec::unit(Size::new(64, 64)) },
        BoxRect { x: 0, y: 0, width: 128, height: 64 },
    )
}

fn picture() -> Tensor {
    Tensor::f32([1, 3, 64, 64], vec![0.25; 3 * 4096]).unwrap()
}

#[test]
fn a_point_gives_the_trusted_mask_in_the_pixels_of_the_picture() {
    let (mut enc, mut dec) = (encoder(), decoder(-1));
    let mut s = session(&dec).unwrap();
    s.encode(&mut enc, picture().view(), place()).unwrap();
    let got = s.masks(&mut dec, &[SamPrompt::at(Point { x: 64.0, y: 32.0 })]).unwrap();
    let [SamMask { mask, iou, stability }] = &got[..] else { panic!("one mask") };
    assert_eq!((mask.size, *iou), (Size::new(128, 64), 0.75));
    // Radius 24 of the tensor is 48 of the picture, cut by its 64 rows.
    let row: f32 = mask.values[32 * 128..33 * 128].iter().sum();
    assert!((row - 96.0).abs() <= 4.0, "{row}");
    assert_eq!(mask.values[31 * 128 + 64], 1.0);
    assert_eq!(mask.values[31 * 128 + 5], 0.0);
    assert!(*stability > 0.8 && *stability < 1.0, "{stability}");
}

#[test]
fn prompts_of_different_lengths_share_a_run_and_fixed_batches_are_filled_up() {
    let rect = BoxF { x: 32.0, y: 16.0, width: 64.0, height: 32.0 };
    let two =
        SamPrompt { points: vec![(Point { x: 20.0, y: 20.0 }, true), (Point { x: 90.0, y: 50.0 }, false)], rect: None };
    let prompts =
        [SamPrompt { rect: Some(rect), ..SamPrompt::default() }, two, SamPrompt::at(Point { x: 100.0, y: 32.0 })];
    let mut results = Vec::new();
    for (rows, runs) in [(-1, vec![3]), (1, vec![1, 1, 1]), (2, vec![2, 2])] {
        let (mut enc, mut dec) = (encoder(), decoder(rows));
        let mut s = session(&dec).unwrap();
        s.encode(&mut enc, picture().view(), place()).unwrap();
        results.push(s.masks(&mut dec, &prompts).unwrap());
        assert_eq!(dec.runs, runs);
    }
    assert!(results.iter().all(|r| r == &results[0]), "the batch must not change masks");
    // The box: 64x32 of 128x64, up to a cell of the map.
    let share = results[0][0].mask.share(0.5);
    assert!((share - 0.25).abs() < 0.06, "{share}");
    assert_eq!(results[0][0].stability, 1.0);
}

#[test]
fn misfits_are_refused() {
    let mut dec = decoder(-1);
    let mut s = session(&dec).unwrap();
    let none = s.masks(&mut dec, &[SamPrompt::at(Point::default())]).unwrap_err().to_string();
    assert!(none.contains("encode"), "{none}");
    s.encode(&mut encoder(), picture().view(), place()).unwrap();
    assert!(s.masks(&mut dec, &[SamPrompt::default()]).is_err());
    let mut odd = decoder(-1);
    odd.inputs[0] = info("b", ElementType::F32, &[1, 5, 8, 8]);
    assert!(session(&odd).unwrap_err().to_string().contains("`b` [1, 5, 8, 8]"));
}
