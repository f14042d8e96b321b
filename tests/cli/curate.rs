//! `frameloom curate` as its users run it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::Duration;

use frameloom::core::random::pcg4d;
use frameloom::core::{Limits, Size};
use frameloom::media::{DecodeHint, decode_image};
use frameloom::report::{PngFormat, encode_png};
use serde_json::Value;

use crate::support::*;

fn json(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn text(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// Runs `curate` with words and paths (`@`).
fn call(list: &[&str], paths: &[&Path]) -> Output {
    let mut paths = paths.iter();
    let args =
        list.iter().map(|a| if *a == "@" { paths.next().unwrap().as_os_str() } else { std::ffi::OsStr::new(*a) });
    frameloom().arg("curate").args(args).output().unwrap()
}

fn well(list: &[&str], paths: &[&Path]) -> Output {
    let o = call(list, paths);
    assert_eq!(code(&o), 0, "{list:?}: {}", stderr(&o));
    o
}

/// A PNG by formula, red green blue.
fn picture(path: &Path, size: Size, pixel: impl Fn(u32, u32) -> [u8; 3]) {
    let bytes: Vec<u8> =
        (0..size.height).flat_map(|y| (0..size.width).map(move |x| (x, y))).flat_map(|(x, y)| pixel(x, y)).collect();
    std::fs::write(path, encode_png(size, PngFormat::Rgb8, &bytes).unwrap()).unwrap();
}

/// The nine frames that the original's results are known for. Formulas are of blue, green, red.
fn original_frames(folder: &Path) {
    std::fs::create_dir_all(folder).unwrap();
    let at = |n: &str| folder.join(format!("{n}.png"));
    let (wide, square) = (Size::new(384, 256), Size::new(512, 512));
    let bgr = |b: u32, g: u32, r: u32| [r as u8, g as u8, b as u8];
    let grey = |v: u32| [v as u8; 3];
    picture(&at("gradient"), wide, |x, y| bgr(255 * x / 383, 255 * y / 255, 255 * (x + y) / 638));
    picture(&at("checker"), wide, |x, y| grey(200 * ((x / 16 + y / 16) % 2) + 20));
    picture(&at("dark_checker"), wide, |x, y| grey(20 * ((x / 16 + y / 16) % 2) + 10));
    let mut word = 12345u32;
    let noise: Vec<u8> = (0..384 * 256 * 3)
        .map(|_| {
            word = word.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (word >> 24) as u8
        })
        .collect();
    let sample = |x: u32, y: u32, c: u32| u32::from(noise[((y * 384 + x) * 3 + c) as usize]);
    picture(&at("lcg_noise"), wide, |x, y| bgr(sample(x, y, 0), sample(x, y, 1), sample(x, y, 2)));
    let disk = |x: u32, y: u32, r: i64| (i64::from(x) - 256).pow(2) + (i64::from(y) - 256).pow(2) <= r * r;
    picture(&at("test_frame_0000"), square, |x, y| if disk(x, y, 100) { grey(100) } else { bgr(200, 210, 220) });
    picture(&at("test_frame_0002"), square, |_, _| grey(150));
    let inside = |v: u32| (100..=400).contains(&v);
    picture(&at("test_frame_0003"), square, |x, y| if inside(x) && inside(y) { grey(120) } else { bgr(180, 190, 200) });
    picture(&at("test_frame_0004"), square, |_, _| bgr(210, 220, 230));
    picture(&at("mid_circle"), square, |x, y| if disk(x, y, 90) { bgr(70, 90, 150) } else { bgr(128, 120, 110) });
}

/// Strategy of each of them, with needs of occlusion.
const ORIGINAL: [(&str, &str); 9] = [
    ("checker", "create_occlusion"),
    ("dark_checker", "enhance_segment"),
    ("gradient", "segment"),
    ("lcg_noise", "segment"),
    ("mid_circle", "keep_full"),
    ("test_frame_0000", "enhance_segment"),
    ("test_frame_0002", "keep_full"),
    ("test_frame_0003", "keep_full"),
    ("test_frame_0004", "enhance_segment"),
];

/// Files that a strategy makes of a frame.
fn files_of(strategy: &str, name: &str) -> Vec<String> {
    let tails: &[&str] = match strategy {
        "keep_full" => &[""],
        "segment" => &["_character", "_background"],
        "create_occlusion" => &["_occ0", "_occ1", "_occ2"],
        _ => &["_enhanced_character"],
    };
    let mut files: Vec<String> = tails
        .iter()
        .flat_map(|t| [format!("{strategy}/images/{name}{t}.png"), format!("{strategy}/captions/{name}{t}.txt")])
        .collect();
    if strategy == "segment" {
        files.push(format!("{strategy}/images/{name}_composite.png"));
    }
    files
}

fn pixels(path: &Path) -> Vec<u8> {
    decode_image(path, &Limits::default(), DecodeHint::default()).unwrap_or_else(|e| panic!("{e}")).rgba
}

/// Mean and largest difference of colours, and whether alpha is equal.
fn difference(a: &Path, b: &Path) -> (f64, u8, bool) {
    let (a, b) = (pixels(a), pixels(b));
    assert_eq!(a.len(), b.len());
    let pairs = || a.iter().zip(&b).enumerate();
    let colours: Vec<u8> = pairs().filter(|(i, _)| i % 4 != 3).map(|(_, (a, b))| a.abs_diff(*b)).collect();
    let alpha = pairs().filter(|(i, _)| i % 4 == 3).all(|(_, (a, b))| a == b);
    let sum: f64 = colours.iter().map(|c| f64::from(*c)).sum();
    (sum / colours.len() as f64, colours.into_iter().max().unwrap(), alpha)
}

#[test]
fn parity_reproduces_tree_names_captions_report_and_pixels() {
    let dir = tempfile::tempdir().unwrap();
    let at = |n: &str| dir.path().join(n);
    original_frames(&at("frames"));
    std::fs::write(at("needs.json"), "{\"occlusion\": 0.9}").unwrap();
    let out = at("out");
    well(
        &["run", "@", "--output-dir", "@", "--dataset-needs", "@", "--parity"],
        &[&at("frames"), &out, &at("needs.json")],
    );
    let got: BTreeSet<String> = contents(&out).into_keys().map(|p| p.to_string_lossy().into_owned()).collect();
    let got: BTreeSet<String> = got.into_iter().filter(|p| !p.starts_with("analysis/")).collect();
    let mut want: BTreeSet<String> = ORIGINAL.iter().flat_map(|(n, s)| files_of(s, n)).collect();
    want.insert("processing_report.json".into());
    assert_eq!(got, want);
    let caption = |f: &str| text(&out.join(f));
    assert_eq!(
        caption("create_occlusion/captions/checker_occ1.txt"),
        "a 3d animated character, with foreground elements, sharp focus, simple background"
    );
    assert_eq!(
        caption("segment/captions/gradient_background.txt"),
        "3d animated scene, environment only, no characters, well-lit, detailed environment"
    );
    assert_eq!(
        caption("keep_full/captions/mid_circle.txt"),
        "a 3d animated character, pixar style, well-lit, simple background"
    );
    let report = json(&out.join("processing_report.json"));
    let summary = serde_json::json!({
        "total_frames": 9, "successful": 9, "failed": 0,
        "strategies": { "keep_full": 3, "segment": 2, "create_occlusion": 1, "enhance_segment": 3 },
    });
    assert_eq!(report["summary"], summary);
    // The defects are kept: every variant has all sides blurred.
    let same = |a: &str, b: &str| std::fs::read(a).unwrap() == std::fs::read(b).unwrap();
    let inside = |f: &str| out.join(f).to_string_lossy().into_owned();
    assert!(same(
        &inside("create_occlusion/images/checker_occ0.png"),
        &inside("create_occlusion/images/checker_occ2.png")
    ));
    for (name, strategy) in
        [("mid_circle", "keep_full/images/mid_circle.png"), ("gradient", "segment/images/gradient_composite.png")]
    {
        assert!(
            std::fs::read(at("frames").join(format!("{name}.png"))).unwrap()
                == std::fs::read(out.join(strategy)).unwrap()
        );
    }
    // Without the need the checker is cut out, by the last rule.
    let plain = at("plain");
    well(&["analyze", "@", "-o", "@", "--parity"], &[&at("frames"), &plain]);
    well(&["decide", "--from", "@", "--parity"], &[&plain]);
    let o = well(&["explain", "@", "checker.png"], &[&plain]);
    assert!(String::from_utf8_lossy(&o.stdout).contains("segment, confidence 0.60: Default strategy - safe choice"));
    compare_with_original(&at("frames"), &out, &plain, &report);
}

/// Against the original's own results, where they are.
fn compare_with_original(frames: &Path, out: &Path, plain: &Path, report: &Value) {
    let Some(golden) = real_data("curate against the original's results").map(|d| d.join("../golden")) else { return };
    for (name, _) in ORIGINAL {
        assert_eq!(
            pixels(&frames.join(format!("{name}.png"))),
            pixels(&golden.join(format!("frames/{name}.png"))),
            "{name}"
        );
    }
    let figures = json(&golden.join("decision.json"));
    for (run, decision) in [(plain, "no_needs"), (out, "needs0.8")] {
        for line in text(&run.join("analysis/ledger.jsonl")).lines() {
            let row: Value = serde_json::from_str(line).unwrap();
            let known = &figures[row["name"].as_str().unwrap()];
            for (ours, theirs) in [
                ("complexity", "complexity"),
                ("lighting", "lighting_quality"),
                ("occlusion", "occlusion_level"),
                ("quality", "quality_score"),
                ("sharpness", "sharpness"),
                ("contrast", "contrast"),
                ("brightness", "brightness"),
            ] {
                let (a, b) = (row[ours].as_f64().unwrap(), known["analysis"][theirs].as_f64().unwrap());
                assert!((a - b).abs() < 1e-9, "{} {ours}: {a} {b}", row["name"]);
            }
            let [strategy, confidence, reasoning] = [0, 1, 2].map(|i| &known[decision][i]);
            assert_eq!(&row["strategy"], strategy);
            assert!((row["confidence"].as_f64().unwrap() - confidence.as_f64().unwrap()).abs() < 1e-9);
            // The needs of the two are 0.9 and 0.8.
            assert_eq!(row["reasoning"].as_str().unwrap().replace("0.90", "0.80"), reasoning.as_str().unwrap());
        }
    }
    let theirs = golden.join("ifp_out");
    for (path, bytes) in contents(&theirs) {
        if path.extension().is_some_and(|e| e == "txt") {
            assert_eq!(String::from_utf8_lossy(&bytes), text(&out.join(&path)), "{}", path.display());
        }
    }
    let original = json(&theirs.join("processing_report.json"));
    let lines = |r: &Value| -> BTreeMap<String, Value> {
        let of = |l: &Value| {
            let mut l = l.clone();
            let name = Path::new(l["frame"].as_str().unwrap()).file_name().unwrap().to_string_lossy().into_owned();
            l["frame"] = name.clone().into();
            (name, l)
        };
        r["results"].as_array().unwrap().iter().map(of).collect()
    };
    assert_eq!((&original["summary"], lines(&original)), (&report["summary"], lines(report)));
    for name in ["gradient_character", "lcg_noise_character"] {
        let file = format!("segment/images/{name}.png");
        assert_eq!(difference(&out.join(&file), &theirs.join(&file)), (0.0, 0, true), "{name}");
    }
    for i in 0..3 {
        let file = format!("create_occlusion/images/checker_occ{i}.png");
        assert_eq!(difference(&out.join(&file), &theirs.join(&file)).1, 0, "{file}");
    }
    let file = "segment/images/gradient_background.png";
    let (mean, most, _) = difference(&out.join(file), &theirs.join(file));
    // Over the whole picture; the disk is a seventh of it.
    assert!(mean <= 2.0 * 0.236, "{mean} {most}");
    println!("gradient_background: mean difference over the picture {mean:.4}, largest {most}");
    for name in ["dark_checker", "test_frame_0000", "test_frame_0004"] {
        let file = format!("enhance_segment/images/{name}_enhanced_character.png");
        let (mean, most, alpha) = difference(&out.join(&file), &theirs.join(&file));
        println!("{name}: mean {mean:.4}, largest {most}");
        // Sharpening makes of 2 codes up to 34.
        assert!(alpha && most <= 34 && mean < 2.0, "{name}: {mean} {most}");
    }
}

/// Pictures of blocks with a light spot in the middle: complex and simple, sharp and blurred, all different.
fn mixed(folder: &Path, count: u32) {
    std::fs::create_dir_all(folder).unwrap();
    let size = Size::new(160, 120);
    for n in 0..count {
        let side = [16, 12, 6, 9][n as usize % 4];
        let (base, strong) = if n % 3 == 0 { (110, 14) } else { (45, 170) };
        picture(&folder.join(format!("frame_{n:04}.png")), size, |x, y| {
            let [r, g, b, _] = pcg4d([n, x / side, y / side, 5])[0].to_le_bytes();
            let spot = (i64::from(x) - 80).pow(2) + (i64::from(y) - 60).pow(2) < 900;
            let mix = |v: u8| (base + u32::from(v) * strong / 255 + if spot { 30 } else { 0 }) as u8;
            [mix(r), mix(g), mix(b)]
        });
    }
}

fn ledger(out: &Path) -> Vec<Value> {
    text(&out.join("analysis/ledger.jsonl")).lines().map(|l| serde_json::from_str(l).unwrap()).collect()
}

#[test]
fn a_run_goes_on_is_decided_anew_overruled_and_laid_out_for_trainers() {
    let dir = tempfile::tempdir().unwrap();
    let at = |n: &str| dir.path().join(n);
    mixed(&at("in"), 16);
    let out = at("out");
    std::fs::write(at("s.yaml"), "decision: {near_duplicate_bits: -1}\nprocessing: {num_workers: 2}\n").unwrap();
    let run = |more: &[&str], paths: &[&Path]| {
        let (input, config) = (at("in"), at("s.yaml"));
        let list = [&["run", "@", "-o", "@", "--config", "@", "--json"], more].concat();
        let all = [&[input.as_path(), out.as_path(), config.as_path()], paths].concat();
        let o = call(&list, &all);
        assert!(matches!(code(&o), 0), "{}", stderr(&o));
        events(&o).pop().unwrap()
    };
    let first = run(&[], &[]);
    assert_eq!((&first["event"], &first["outcome"]["frames"]), (&"result".into(), &16.into()));
    let before = contents(&out);
    let again = run(&[], &[]);
    assert_eq!(again["outcome"]["kept"], first["outcome"]["successful"]);
    assert!(before == contents(&out), "the same bytes");
    // The report: strategies sum to the successful ones; confidence and reasoning are the decision's.
    let report = json(&out.join("processing_report.json"));
    let summary = &report["summary"];
    let sum: u64 = summary["strategies"].as_object().unwrap().values().map(|v| v.as_u64().unwrap()).sum();
    assert_eq!((sum, &summary["total_frames"]), (summary["successful"].as_u64().unwrap(), &16.into()));
    let rows = ledger(&out);
    for line in report["results"].as_array().unwrap() {
        let row = rows.iter().find(|r| r["file"] == line["frame"]).unwrap();
        assert_eq!((&row["confidence"], &row["reasoning"]), (&line["confidence"], &line["reasoning"]));
        for output in line["outputs"].as_array().unwrap() {
            assert!(out.join(output.as_str().unwrap()).is_file());
        }
    }
    // Two variants of covered frames are different pictures, each with its share of cover.
    let covered = rows.iter().find(|r| r["strategy"] == "create_occlusion").expect("the default needs occlusion");
    let name = covered["name"].as_str().unwrap();
    let variants: BTreeSet<Vec<u8>> = (0..3)
        .map(|i| std::fs::read(out.join(format!("create_occlusion/images/{name}_occ{i}.png"))).unwrap())
        .collect();
    assert_eq!(variants.len(), 3);
    let told = json(&out.join(format!("create_occlusion/metadata/{name}.json")));
    let shares: Vec<f64> =
        told["account"]["variants"].as_array().unwrap().iter().map(|v| v["share"].as_f64().unwrap()).collect();
    assert!(shares.iter().all(|s| (0.1..0.6).contains(s)), "{shares:?}");
    assert_eq!(told["account"]["variants"][0]["description"], "partially obscured");
    let page = text(&out.join("review.html"));
    assert!(page.contains("Curation") && page.contains("create occlusion") && page.contains("data:image/jpeg"));

    // By hand: only the frames that change get new pictures, and the old ones go.
    let kept = rows.iter().find(|r| r["strategy"] == "segment").unwrap()["name"].as_str().unwrap().to_owned();
    std::fs::write(at("o.yaml"), format!("{kept}: keep_full\n{name}: drop\n")).unwrap();
    let o = run(&["--overrides", "@"], &[&at("o.yaml")]);
    assert!(out.join(format!("keep_full/images/{kept}.png")).is_file());
    assert!(!out.join(format!("segment/images/{kept}_character.png")).exists());
    assert!(!out.join(format!("create_occlusion/images/{name}_occ0.png")).exists());
    assert!(o["outcome"]["kept"].as_u64().unwrap() > 0);
    let o = call(&["run", "@", "-o", "@", "--overrides", "@"], &[&at("in"), &out, &at("wrong.yaml")]);
    assert_eq!(code(&o), 4, "{}", stderr(&o));

    // Layouts.
    let all = ["kohya", "webdataset", "coco", "imagefolder", "parquet"].map(|l| ["--layout", l]).concat();
    run(&[&all[..], &["--trigger", "ohwx"]].concat(), &[]);
    let toml = text(&out.join("kohya/dataset_config.toml"));
    assert!(toml.contains("num_repeats = 10") && toml.contains("kohya/images"), "{toml}");
    let lines: Vec<Value> =
        text(&out.join("imagefolder/metadata.jsonl")).lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    assert!(!lines.is_empty());
    for line in &lines {
        let file = line["file_name"].as_str().unwrap();
        assert!(out.join("imagefolder").join(file).is_file() && out.join("kohya/images").join(file).is_file());
        assert!(line["text"].as_str().unwrap().starts_with("ohwx, "), "{line}");
        let caption = out.join("kohya/images").join(file).with_extension("txt");
        assert_eq!(text(&caption), line["text"].as_str().unwrap());
    }
    let listed =
        std::process::Command::new("tar").arg("-tf").arg(out.join("webdataset/curate-000000.tar")).output().unwrap();
    let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
    assert_eq!(listed.lines().count(), 3 * lines.len(), "{listed}");
    let coco = json(&out.join("coco/annotations.json"));
    for a in coco["annotations"].as_array().unwrap() {
        let runs: u64 = a["segmentation"]["counts"].as_array().unwrap().iter().map(|v| v.as_u64().unwrap()).sum();
        assert_eq!(runs, 160 * 120);
    }
    assert!(out.join("manifest.parquet").is_file());

    // One folder.
    let merged = at("merged");
    well(&["merge", "@", "--output-dir", "@", "--trigger", "ohwx"], &[&out, &merged]);
    let names: BTreeSet<String> =
        std::fs::read_dir(&merged).unwrap().map(|e| e.unwrap().file_name().to_string_lossy().into_owned()).collect();
    assert!(lines.iter().all(|l| names.contains(l["file_name"].as_str().unwrap())) && names.contains("manifest.jsonl"));
    assert!(!names.iter().any(|n| n.contains("_composite")));
    std::fs::write(merged.join(lines[0]["file_name"].as_str().unwrap()), "something else").unwrap();
    let o = call(&["merge", "@", "--output-dir", "@"], &[&out, &merged]);
    assert!(code(&o) == 2 && stderr(&o).contains("exists with other content"), "{}", stderr(&o));

    // Other thresholds, without a pixel; thresholds for the mix.
    std::fs::write(at("d.yaml"), "thresholds: {low_sharpness: 0.0, poor_quality: 0.0}\n").unwrap();
    let other = at("other");
    well(&["decide", "--from", "@", "-o", "@", "--decision-config", "@"], &[&out, &other, &at("d.yaml")]);
    assert!(ledger(&other) != ledger(&out) && !other.join("keep_full").exists());
    let o = well(&["tune", "@"], &[&out]);
    let tuned = String::from_utf8_lossy(&o.stdout).into_owned();
    std::fs::write(at("tuned.yaml"), &tuned).unwrap();
    well(&["decide", "--from", "@", "-o", "@", "--decision-config", "@"], &[&out, &other, &at("tuned.yaml")]);
}

#[test]
fn one_damaged_frame_fails_alone_and_kills_leave_nothing_half() {
    let dir = tempfile::tempdir().unwrap();
    let at = |n: &str| dir.path().join(n);
    mixed(&at("in"), 12);
    let whole = std::fs::read(at("in/frame_0007.png")).unwrap();
    std::fs::write(at("in/frame_0007.png"), &whole[..whole.len() / 2]).unwrap();
    std::fs::write(at("in/frame_0009.png"), "no picture at all").unwrap();
    let once = |out: &Path| {
        let started = std::time::Instant::now();
        let o = call(&["run", "@", "-o", "@"], &[&at("in"), out]);
        assert_eq!(code(&o), 3, "{}", stderr(&o));
        assert!(stderr(&o).contains("frame_0007.png") && stderr(&o).contains("frame_0009.png"));
        started.elapsed()
    };
    let took = once(&at("a"));
    let report = json(&at("a/processing_report.json"));
    let failed: Vec<&Value> = report["results"].as_array().unwrap().iter().filter(|r| r["success"] == false).collect();
    assert_eq!((failed.len(), &report["summary"]["failed"]), (2, &2.into()));
    assert!(
        failed
            .iter()
            .all(|f| f["error"].is_string() && f["strategy"].is_null() && f["outputs"] == serde_json::json!([]))
    );
    let want = contents(&at("a"));
    let mut kills = 0;
    for i in 0..3u32 {
        let mut child = frameloom()
            .args(["curate", "run"])
            .arg(at("in"))
            .arg("-o")
            .arg(at("b"))
            .stderr(std::process::Stdio::null())
            .stdout(std::process::Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(took.mul_f64(0.3 + 0.2 * f64::from(i)).min(Duration::from_secs(20)));
        let _ = child.kill();
        kills += u32::from(child.wait().unwrap().code().is_none());
    }
    // A kill may leave an unfinished file in any of the folders that files are written into.
    let (mut open, mut planted) = (vec![at("b")], 0);
    while let Some(folder) = open.pop() {
        let inner = std::fs::read_dir(&folder).unwrap().map(|e| e.unwrap().path()).filter(|p| p.is_dir());
        let inner: Vec<_> = inner.collect();
        if inner.is_empty() || folder == at("b") {
            std::fs::write(folder.join(".dead.tmp-0123456789abcdef"), "half").unwrap();
            planted += 1;
        }
        open.extend(inner);
    }
    assert!(planted > 4, "{planted}");
    once(&at("b"));
    assert!(kills >= 1, "no run was really killed");
    assert_eq!(leftovers(&at("b")), [] as [std::path::PathBuf; 0]);
    let got = contents(&at("b"));
    let names = |c: &std::collections::BTreeMap<std::path::PathBuf, Vec<u8>>| c.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&want), names(&got));
    let differing: Vec<_> = want.iter().filter(|(name, bytes)| got[*name] != **bytes).map(|(name, _)| name).collect();
    assert!(differing.is_empty(), "different bytes after {kills} kills: {differing:?}");
}

/// Every key of the original's two files, and another value for it. The base has two frames of each strategy.
const KEYS: [&str; 34] = [
    "thresholds: {simple_background: 0.01}",
    "thresholds: {good_lighting: 0.99}",
    "thresholds: {low_occlusion: 0.001}",
    "thresholds: {multi_character: 1}",
    "thresholds: {poor_quality: 0.95}",
    "thresholds: {low_sharpness: 0.99}",
    "strategy_targets: {keep_full: 0.9}",
    "strategy_targets: {segment: 0.9}",
    "strategy_targets: {create_occlusion: 0.9}",
    "strategy_targets: {enhance_segment: 0.0}",
    "dataset_needs: {occlusion: 0.2}",
    "strategies: {keep_full: {enabled: false}}",
    "strategies: {keep_full: {generate_caption: false}}",
    "strategies: {keep_full: {caption_prefix: a cat}}",
    "strategies: {keep_full: {apply_enhancement: true}}",
    "strategies: {segment: {enabled: false}}",
    "strategies: {segment: {inpainting_model: opencv, mask_dilation: 1}}",
    "strategies: {segment: {save_character: false}}",
    "strategies: {segment: {save_background: false}}",
    "strategies: {segment: {save_composite: false}}",
    "strategies: {segment: {save_masks: true}}",
    "strategies: {segment: {generate_captions: false}}",
    "strategies: {segment: {character_caption_suffix: \", alone\"}}",
    "strategies: {segment: {background_caption_suffix: \", empty\"}}",
    "strategies: {create_occlusion: {enabled: false}}",
    "strategies: {create_occlusion: {occlusion_types: [erase]}}",
    "strategies: {create_occlusion: {blur_radius: 5}}",
    "strategies: {create_occlusion: {blur_positions: [top]}}",
    "strategies: {create_occlusion: {overlay_opacity: 0.9}}",
    "strategies: {create_occlusion: {variations_per_image: 1}}",
    "strategies: {create_occlusion: {add_occlusion_tags: false}}",
    "strategies: {create_occlusion: {occlusion_descriptions: [hidden]}}",
    "strategies: {enhance_segment: {enhancement_steps: [denoise]}}",
    "strategies: {enhance_segment: {apply_segmentation: false}}",
];

#[test]
fn every_key_of_the_two_files_changes_something() {
    let dir = tempfile::tempdir().unwrap();
    let at = |n: &str| dir.path().join(n);
    mixed(&at("in"), 12);
    let config = at("c.yaml");
    let base = "decision: {near_duplicate_bits: -1, slack: 1.0}\nprocessing: {create_visualization: false}\n";
    // Pictures and captions, and what was decided and why.
    let pictures = |key: &str| -> (BTreeMap<PathBuf, Vec<u8>>, Vec<[Value; 3]>) {
        std::fs::write(&config, format!("{base}{key}\n")).unwrap();
        let out = at("out");
        well(&["run", "@", "-o", "@", "--config", "@"], &[&at("in"), &out, &config]);
        let part = |p: &Path| p.components().any(|c| matches!(c.as_os_str().to_str(), Some("images" | "captions")));
        let files = contents(&out).into_iter().filter(|(p, _)| part(p)).collect();
        let said = |r: &Value| ["strategy", "confidence", "reasoning"].map(|k| r[k].clone());
        (files, ledger(&out).iter().map(said).collect())
    };
    let plain = pictures("");
    let used = |s: &str| plain.0.keys().any(|p| p.starts_with(s));
    let all = ["keep_full", "segment", "create_occlusion", "enhance_segment"];
    assert!(all.iter().all(|s| used(s)), "{:?}", plain.0.keys());
    for key in KEYS {
        let other = pictures(key);
        let changes = if key.starts_with("strategies") { other.0 != plain.0 } else { other.1 != plain.1 };
        assert!(changes, "`{key}` changes nothing");
    }
    assert!(pictures("") == plain, "and back again");
    // What does not change pictures changes files beside them.
    let files = |key: &str| {
        std::fs::write(&config, format!("decision: {{near_duplicate_bits: -1, slack: 1.0}}\n{key}\n")).unwrap();
        let out = at("files");
        let _ = std::fs::remove_dir_all(&out);
        well(&["run", "@", "-o", "@", "--config", "@"], &[&at("in"), &out, &config]);
        (out.join("review.html").exists(), out.join("keep_full/metadata").exists())
    };
    assert_eq!(files(""), (true, true));
    assert_eq!(files("processing: {create_visualization: false, save_metadata: false}"), (false, false));
    let refused = |key: &str| {
        std::fs::write(&config, key).unwrap();
        let o = call(&["run", "@", "-o", "@", "--strategy-config", "@"], &[&at("in"), &at("refused"), &config]);
        (code(&o), stderr(&o))
    };
    let (exit, why) = refused("strategies:\n  segment:\n    mask_dilatation: 3\n");
    assert!(exit == 2 && why.contains("mask_dilation") && why.contains("c.yaml:3"), "{why}");
    // `--device`, which the tests of one adapter set, goes before it.
    if std::env::var_os("FRAMELOOM_ADAPTER").is_none() {
        let (exit, why) = refused("processing: {device: no-such-device}\n");
        assert!(exit == 8 && why.contains("no-such-device"), "{why}");
    }
    assert_eq!(refused("processing: {batch_size: 0}\n").0, 2);
}

#[test]
fn videos_give_the_sharpest_frame_of_each_window() {
    let dir = tempfile::tempdir().unwrap();
    let video = small_clip(dir.path());
    let out = dir.path().join("out");
    std::fs::write(dir.path().join("c.yaml"), "decision: {near_duplicate_bits: -1}\n").unwrap();
    let config = dir.path().join("c.yaml");
    well(&["run", "@", "-o", "@", "--every", "15", "--config", "@"], &[&video, &out, &config]);
    let rows = ledger(&out);
    assert!((4..=6).contains(&rows.len()), "{rows:?}");
    assert!(rows.iter().all(|r| r["file"].as_str().unwrap().starts_with("small.mp4#") && r["seconds"].is_number()));
    let report = json(&out.join("processing_report.json"));
    assert_eq!(report["summary"]["failed"], 0);
    assert!(report["summary"]["successful"].as_u64().unwrap() >= 4);
}
