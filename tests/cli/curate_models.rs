//! Settings of `curate` that name models, with tiny graphs whose results are known.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use frameloom::core::Size;
use frameloom::core::random::pcg4d;
use frameloom::report::{PngFormat, encode_png};
use serde_json::Value;

use crate::support::*;

/// Frames of dim blocks with a bright red rectangle from column `left` on: what the tiny graphs take for a person and for a face.
fn frames(folder: &Path, left: u32) {
    std::fs::create_dir_all(folder).unwrap();
    let size = Size::new(192, 128);
    for n in 0..6u32 {
        let inside = |x: u32, y: u32| (left + n..left + n + 56).contains(&x) && (24..104).contains(&y);
        let places = (0..size.height).flat_map(|y| (0..size.width).map(move |x| (x, y)));
        let pixel = |(x, y): (u32, u32)| {
            let [r, g, b, _] = pcg4d([n, x / 8, y / 8, 5])[0].to_le_bytes();
            if inside(x, y) { [225 + r % 30, g % 40, b % 40] } else { [30 + r % 110, 30 + g % 110, 30 + b % 110] }
        };
        let bytes: Vec<u8> = places.flat_map(pixel).collect();
        let png = encode_png(size, PngFormat::Rgb8, &bytes).unwrap();
        std::fs::write(folder.join(format!("frame_{n}.png")), png).unwrap();
    }
}

const BASE: &str = "\
decision: {near_duplicate_bits: -1}
processing: {create_visualization: false}
analysis: {instance_class: red, detect_model: yolox-like-batch, face_model: yunet-like, embed_model: embed}
";

/// What the strategies of the base are, each as a key and a value.
const STRATEGIES: [(&str, &str); 8] = [
    ("segment.segmentation_model", "segment-alpha"),
    ("segment.min_instance_size", "40"),
    ("segment.inpainting_model", "inpaint"),
    ("segment.inpainting_fallback", "inpaint"),
    ("enhance_segment.upscale_model", "nearest-x2"),
    ("enhance_segment.face_enhance_model", "restore-face"),
    ("enhance_segment.face_enhance_fidelity", "0.7"),
    ("enhance_segment.segmentation_config", "segment"),
];

/// The settings with some values replaced, and more lines.
fn config(changes: &[(&str, &str)], more: &str) -> String {
    let mut all: BTreeMap<&str, &str> = STRATEGIES.into_iter().collect();
    all.extend(changes.iter().copied());
    let of = |strategy: &str| -> String {
        let own = all.iter().filter_map(|(k, v)| k.strip_prefix(strategy).map(|k| format!("{}: {v}", &k[1..])));
        own.collect::<Vec<_>>().join(", ")
    };
    format!(
        "{BASE}strategies:\n  segment: {{{}}}\n  enhance_segment: {{{}}}\n{more}",
        of("segment"),
        of("enhance_segment")
    )
}

struct Bench {
    dir: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        Self::with_rectangle_at(20)
    }

    fn with_rectangle_at(left: u32) -> Self {
        let bench = Self { dir: tempfile::tempdir().unwrap() };
        frames(&bench.at("in"), left);
        let by_hand = ["segment", "segment", "segment", "enhance_segment", "enhance_segment", "keep_full"];
        let text: String = by_hand.iter().enumerate().map(|(i, s)| format!("frame_{i}: {s}\n")).collect();
        std::fs::write(bench.at("o.yaml"), text).unwrap();
        bench
    }

    fn at(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn call(&self, config: &str) -> std::process::Output {
        std::fs::write(self.at("c.yaml"), config).unwrap();
        let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/models");
        let mut command = frameloom();
        command.args(["curate", "run"]).arg(self.at("in")).arg("-o").arg(self.at("out")).arg("--json");
        command.arg("--config").arg(self.at("c.yaml")).arg("--overrides").arg(self.at("o.yaml"));
        command.arg("--models").arg(models).output().unwrap()
    }

    /// Pictures of a run that must go well, and what it said.
    fn run(&self, config: &str) -> (BTreeMap<PathBuf, Vec<u8>>, Value) {
        let o = self.call(config);
        assert!(matches!(code(&o), 0 | 3), "{config}: {}", stderr(&o));
        let part = |p: &Path| p.components().any(|c| c.as_os_str() == "images");
        let files = contents(&self.at("out")).into_iter().filter(|(p, _)| part(p)).collect();
        (files, events(&o).pop().unwrap()["outcome"].clone())
    }
}

#[test]
fn every_key_that_names_a_model_or_its_numbers_changes_pictures() {
    let bench = Bench::new();
    let (base, outcome) = bench.run(&config(&[], ""));
    assert_eq!(outcome["successful"], 6, "{outcome}");
    let models: BTreeMap<String, Value> = outcome["models"]
        .as_array()
        .unwrap()
        .iter()
        .map(|m| (m["task"].as_str().unwrap().to_owned(), m.clone()))
        .collect();
    for (task, name) in [
        ("detect", "yolox-like-batch"),
        ("face", "yunet-like"),
        ("embed", "embed"),
        ("segment", "segment-alpha"),
        ("inpaint", "inpaint"),
        ("upscale", "nearest-x2"),
        ("restore-face", "restore-face"),
    ] {
        assert_eq!(models[task]["name"], name);
        // Stand-ins are told from real ones.
        assert!(models[task]["notice"].as_str().unwrap().contains("made-up weights"), "{}", models[task]);
    }
    let line: Value = std::fs::read_to_string(bench.at("out/analysis/frames.jsonl"))
        .unwrap()
        .lines()
        .next()
        .map(|l| serde_json::from_str(l).unwrap())
        .unwrap();
    let m = &line["metrics"];
    assert_eq!((&m["instances"], &m["faces"], m["embedding"].as_str().unwrap().len()), (&1.into(), &1.into(), 24));
    assert!((0.15..0.25).contains(&m["subject"].as_f64().unwrap()), "{m}");
    let inpaint = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/models/inpaint_64.onnx");
    let paths = format!("model_paths: {{ours: \"{}\"}}\n", inpaint.display());
    let gone = ("segment.inpainting_model", "gone");
    for (changes, more) in [
        (vec![("segment.segmentation_model", "segment-classes")], ""),
        (vec![("segment.segmentation_model", "sam")], ""),
        (vec![("segment.inpainting_model", "opencv")], ""),
        (vec![gone, ("segment.inpainting_fallback", "opencv")], ""),
        (vec![("segment.inpainting_model", "ours")], paths.as_str()),
        (vec![("enhance_segment.upscale_model", "local-x2")], ""),
        (vec![("enhance_segment.upscale_below", "100")], ""),
        (vec![("enhance_segment.face_enhance_model", "none")], ""),
        (vec![("enhance_segment.face_enhance_fidelity", "0.1")], ""),
    ] {
        let mut text = config(&changes, more);
        if changes[0].1 == "segment-classes" {
            // Its classes are those of VOC, the detector's are colours.
            text = text.replace(
                "instance_class: red, detect_model: yolox-like-batch",
                "instance_class: person, detect_model: none",
            );
        }
        let (other, outcome) = bench.run(&text);
        assert!(other != base, "{changes:?} changes nothing");
        assert_eq!(outcome["successful"], 6, "{changes:?}: {outcome}");
    }
    // A model that is not there, with a fallback that is: as the base.
    let (same, outcome) = bench.run(&config(&[gone], ""));
    assert!(same == base, "the fallback is the model of the base");
    assert!(outcome["models"].to_string().contains("inpaint"), "{outcome}");
    // The character has 80 x 56 pixels.
    let (_, outcome) = bench.run(&config(&[("segment.min_instance_size", "100")], ""));
    assert_eq!(outcome["failed"].as_array().unwrap().len(), 3, "{outcome}");
    assert!(outcome["failed"].to_string().contains("no character of at least 100x100"), "{outcome}");
    let o = bench.call(&config(&[("enhance_segment.segmentation_config", "other")], ""));
    assert!(code(&o) == 2 && stderr(&o).contains("segmentation_config"), "{}", stderr(&o));
}

/// A single point lies in the middle, on the rectangle; of many some lie on what is around it, which is larger.
#[test]
fn more_points_find_larger_things() {
    let bench = Bench::with_rectangle_at(64);
    let prompted = |points| config(&[("segment.segmentation_model", "sam"), ("segment.points_per_side", points)], "");
    let [(one, outcome), (many, _)] = ["1", "20"].map(|points| bench.run(&prompted(points)));
    assert_eq!(outcome["successful"], 6, "{outcome}");
    assert!(one != many);
}

#[test]
fn speed_settings_change_no_byte_and_skip_existing_what_is_made_again() {
    let bench = Bench::new();
    let (base, _) = bench.run(&config(&[], ""));
    let slow = "{create_visualization: false, batch_size: 1, num_workers: 1, skip_existing: ";
    let with = |skip: &str| config(&[], "").replace("{create_visualization: false", &format!("{slow}{skip}"));
    let (same, outcome) = bench.run(&with("true"));
    assert_eq!((same == base, &outcome["kept"]), (true, &6.into()));
    let (same, outcome) = bench.run(&with("false"));
    assert_eq!((same == base, &outcome["kept"]), (true, &0.into()));
}

#[test]
fn explain_names_the_picture_that_shows_where_a_frame_is_sharp() {
    let bench = Bench::new();
    bench.run(&config(&[], ""));
    let o = frameloom().args(["curate", "explain"]).arg(bench.at("out")).args(["frame_0", "--json"]).output().unwrap();
    assert_eq!(code(&o), 0, "{}", stderr(&o));
    let item = events(&o).into_iter().find(|e| e["event"] == "item").unwrap();
    assert_eq!(item["row"]["strategy"], "segment");
    let map = Path::new(item["blur_map"].as_str().unwrap());
    assert_eq!(map, bench.at("out/segment/metadata/frame_0_blur.png"));
    let picture = image::open(map).unwrap().to_luma8();
    assert!(picture.pixels().any(|p| p.0[0] > 0), "{:?}", picture.dimensions());
    let o = frameloom().args(["curate", "explain"]).arg(bench.at("out")).arg("frame_0").output().unwrap();
    assert!(String::from_utf8_lossy(&o.stdout).contains("where it is sharp: "), "{}", stderr(&o));
}
