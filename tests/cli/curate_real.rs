//! `frameloom curate` on real frames with real models.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::support::*;

/// Pictures by `ffmpeg`: of `input`, with `filter`, as `folder/name`.
fn frames(folder: &Path, name: &str, input: &Path, filter: &str) {
    let o = Command::new("ffmpeg")
        .args(["-v", "error", "-y", "-i"])
        .arg(input)
        .args(["-vf", filter, "-fps_mode", "passthrough", "-q:v", "2"])
        .arg(folder.join(name))
        .output()
        .expect("the ffmpeg command (scripts/setup.sh installs it)");
    assert!(o.status.success(), "ffmpeg: {}", stderr(&o));
}

fn pictures(folder: &Path) -> Vec<PathBuf> {
    let mut all: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|e| e.unwrap().path())
        .filter(|p| p.extension().is_some_and(|e| e == "jpg" || e == "png"))
        .collect();
    all.sort();
    all
}

/// Real frames of every kind: videos, photos, and photos blurred, noisy and dark.
fn mixed(data: &Path, folder: &Path) {
    std::fs::create_dir_all(folder).unwrap();
    let every = |n: u32| format!("select='not(mod(n\\,{n}))'");
    frames(folder, "sintel_%04d.jpg", &data.join("video/sintel_trailer_30s.mp4"), &every(12));
    frames(folder, "bikes_%04d.jpg", &data.join("video/bikes.mp4"), &every(6));
    frames(folder, "vtest_%04d.jpg", &data.join("video/vtest_480x360.mp4"), &every(40));
    let photos = [pictures(&data.join("images/kodak")), pictures(&data.join("images/coco_ccby"))].concat();
    for (i, photo) in photos.iter().enumerate() {
        let stem = photo.file_stem().unwrap().to_string_lossy().into_owned();
        std::fs::copy(photo, folder.join(format!("photo_{stem}.{}", photo.extension().unwrap().to_string_lossy())))
            .unwrap();
        let (kind, filter) = [
            ("blurred", "gblur=sigma=4"),
            ("noisy", "noise=alls=40:allf=t:all_seed=7"),
            ("dark", "eq=brightness=-0.25:contrast=0.6"),
        ][i % 3];
        frames(folder, &format!("{kind}_{stem}.jpg"), photo, filter);
    }
}

/// The models of the test data with the list that the repository has of them.
fn models(data: &Path, folder: &Path) {
    std::fs::create_dir_all(folder).unwrap();
    std::fs::copy(Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/data_models.toml"), folder.join("models.toml"))
        .unwrap();
    for entry in std::fs::read_dir(data.join("onnx")).unwrap() {
        let path = entry.unwrap().path();
        std::fs::copy(&path, folder.join(path.file_name().unwrap())).unwrap();
    }
}

fn call(list: &[&str], paths: &[&Path]) -> std::process::Output {
    let mut paths = paths.iter();
    let args =
        list.iter().map(|a| if *a == "@" { paths.next().unwrap().as_os_str() } else { std::ffi::OsStr::new(*a) });
    let o = frameloom().arg("curate").args(args).output().unwrap();
    assert_eq!(code(&o), 0, "{list:?}: {}", stderr(&o));
    o
}

fn ledger(out: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(out.join("analysis/ledger.jsonl")).unwrap();
    text.lines().map(|l| serde_json::from_str(l).unwrap()).collect()
}

#[test]
fn a_mixed_set_of_real_frames_reaches_its_targets_or_says_why_not() {
    let Some(data) = real_data("curate on a mixed set of real frames") else { return };
    let dir = tempfile::tempdir().unwrap();
    let at = |n: &str| dir.path().join(n);
    mixed(&data, &at("in"));
    let count = pictures(&at("in")).len();
    assert!(count >= 200, "{count}");
    std::fs::write(at("c.yaml"), "decision: {near_duplicate_bits: -1}\n").unwrap();
    models(&data, &at("models"));
    call(&["analyze", "@", "-o", "@", "--models", "@"], &[&at("in"), &at("out"), &at("models")]);
    let o = call(&["decide", "--from", "@", "--config", "@", "--json"], &[&at("out"), &at("c.yaml")]);
    let result = events(&o).pop().unwrap();
    for line in result["mix"].as_array().unwrap() {
        println!("{line}");
        let off = (line["share"].as_f64().unwrap() - line["target"].as_f64().unwrap()).abs();
        let reached = line["reached"].as_bool().unwrap();
        assert_eq!(reached, off <= 0.03 + 0.5 / count as f64, "{line}");
        assert!(reached || !line["why"].as_str().unwrap().is_empty(), "{line}");
    }
    let rows = ledger(&at("out"));
    assert_eq!(rows.len(), count);
    let mut blurred = 0;
    for row in &rows {
        let name = row["name"].as_str().unwrap();
        if name.starts_with("blurred_") {
            blurred += 1;
            assert_ne!(row["strategy"], "keep_full", "{row}");
        }
        if row["strategy"] == "keep_full" {
            assert!(row["sharpness"].as_f64().unwrap() >= 0.4 && row["quality"].as_f64().unwrap() >= 0.5, "{row}");
        }
        assert!(row["margins"].as_str().unwrap().contains("keep_full if complexity < 0.30; is "), "{row}");
        assert!(!row["reasoning"].as_str().unwrap().is_empty() && !row["rule"].as_str().unwrap().is_empty());
    }
    assert!(blurred >= 15);
    // Detectors were there: streets have several people, and not every frame has one.
    let instances: Vec<f64> = rows.iter().map(|r| r["instances"].as_f64().unwrap()).collect();
    assert!(instances.iter().any(|n| *n >= 3.0) && instances.contains(&0.0));
    // Frames of one still camera repeat each other; with the default they are dropped, and each names the better one.
    call(&["decide", "--from", "@"], &[&at("out")]);
    let dropped: Vec<Value> = ledger(&at("out")).into_iter().filter(|r| r["rule"] == "near-duplicate").collect();
    assert!(!dropped.is_empty() && dropped.iter().all(|r| r["duplicate_of"].is_string()));
}

#[test]
fn real_models_work_end_to_end_and_what_is_missing_is_named() {
    let Some(data) = real_data("curate with real models") else { return };
    let dir = tempfile::tempdir().unwrap();
    let at = |n: &str| dir.path().join(n);
    models(&data, &at("models"));
    std::fs::create_dir_all(at("in")).unwrap();
    frames(
        &at("in"),
        "walk_%02d.png",
        &data.join("video/intel_prev_face-demographics-walking-and-pause.mp4"),
        "select='not(mod(n\\,14))'",
    );
    frames(
        &at("in"),
        "talk_%02d.png",
        &data.join("video/intel_asl_book.mkv"),
        "select='not(mod(n\\,40))',scale=320:240",
    );
    frames(
        &at("in"),
        "blur_%02d.png",
        &data.join("video/intel_asl_help.mkv"),
        "select='not(mod(n\\,30))',scale=160:120,gblur=sigma=1.5",
    );
    std::fs::write(at("c.yaml"), "decision: {near_duplicate_bits: -1, slack: 1.0}\nstrategies: {enhance_segment: {upscale_model: espcn-x3-luma}}\n").unwrap();
    let o = call(
        &["run", "@", "-o", "@", "--models", "@", "--config", "@", "--json"],
        &[&at("in"), &at("out"), &at("models"), &at("c.yaml")],
    );
    let outcome = &events(&o).pop().unwrap()["outcome"];
    let models: BTreeMap<String, &Value> =
        outcome["models"].as_array().unwrap().iter().map(|m| (m["task"].as_str().unwrap().to_owned(), m)).collect();
    println!("{models:#?}\n{}", outcome["mix"]);
    assert_eq!(models["segment"]["name"], "selfie-segmentation");
    assert!(models["segment"]["notice"].as_str().unwrap().contains("`sam2_hiera_large` is not there"));
    assert!(models["detect"]["name"].is_string() && models["face"]["name"].is_string());
    assert_eq!(models["upscale"]["name"], "espcn-x3-luma");
    assert!(
        models["upscale"]["notice"].is_null()
            && models["restore-face"]["notice"].as_str().unwrap().contains("CodeFormer")
    );
    assert!(models["inpaint"]["notice"].as_str().unwrap().contains("Telea"));
    let rows = ledger(&at("out"));
    assert!(rows.iter().any(|r| r["faces"].as_f64().unwrap() >= 1.0), "faces are found");
    assert!(rows.iter().any(|r| r["subject"].as_f64().unwrap() > 0.05), "people are found");
    // The small blurred ones are three times as large afterwards.
    let enhanced: Vec<PathBuf> = pictures(&at("out/enhance_segment/images"));
    assert!(!enhanced.is_empty());
    let large = enhanced.iter().any(|p| {
        let size = frameloom::media::image_info(p, &frameloom::core::Limits::default()).unwrap().size;
        size.width == 480 || size.width == 960
    });
    assert!(large, "{enhanced:?}");
    let cut = pictures(&at("out/segment/images"));
    assert!(cut.iter().any(|p| p.to_string_lossy().contains("_background")), "{cut:?}");
    if let Some(keep) = std::env::var_os("FRAMELOOM_KEEP") {
        let _ = Command::new("cp").arg("-r").arg(at("out")).arg(keep).status();
    }
}
