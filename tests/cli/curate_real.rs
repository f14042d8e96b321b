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
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/mixed_frames.sh");
    let o = Command::new(script).arg(data).arg(folder).output().expect("bash and the ffmpeg command");
    assert!(o.status.success(), "{}", stderr(&o));
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

/// Wanted and reached shares of a decision, by strategy.
fn mix_of(o: &std::process::Output) -> BTreeMap<String, Value> {
    let result = events(o).pop().unwrap();
    let lines = result["mix"].as_array().unwrap().iter();
    lines.map(|l| (l["strategy"].as_str().unwrap().to_owned(), l.clone())).collect()
}

/// No blurred frame is kept whole, and every decision is explained by its row alone.
fn explained(rows: &[Value]) {
    let mut blurred = 0;
    for row in rows {
        let figure = |name: &str| row[name].as_f64().unwrap();
        if row["name"].as_str().unwrap().starts_with("blurred_") {
            blurred += 1;
            assert_ne!(row["strategy"], "keep_full", "{row}");
        }
        if row["strategy"] == "keep_full" {
            assert!(figure("sharpness") >= 0.4 && figure("quality") >= 0.5, "{row}");
        }
        let margins = row["margins"].as_str().unwrap();
        assert!(margins.contains("keep_full if complexity < 0.30; is "), "{row}");
        assert!(!row["reasoning"].as_str().unwrap().is_empty() && !row["rule"].as_str().unwrap().is_empty());
        // The alternatives: every other strategy with its score, or the rule that bars it with the figure and the limit.
        let others = row["alternatives"].as_str().unwrap_or("");
        for strategy in ["keep_full", "segment", "create_occlusion", "enhance_segment"] {
            let chosen = row["strategy"] == strategy;
            assert!(chosen || row["strategy"].is_null() || others.contains(strategy), "{row}");
        }
        if let Some(rest) = others.split("keep_full: sharpness is too low: ").nth(1) {
            assert!(rest.starts_with(&format!("{:.2}", figure("sharpness"))), "{row}");
        }
    }
    assert!(blurred >= 15);
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

    // All frames are used: what is out of reach is named, with the frames that there are and the rule that bars the others.
    let o = call(&["decide", "--from", "@", "--config", "@", "--json"], &[&at("out"), &at("c.yaml")]);
    let mix = mix_of(&o);
    let used: u64 = mix.values().map(|l| l["frames"].as_u64().unwrap()).sum();
    // Only black frames of the trailer are left out.
    assert!(used + 10 > count as u64, "{used}");
    for (name, line) in mix {
        println!("{line}");
        let off = (line["share"].as_f64().unwrap() - line["target"].as_f64().unwrap()).abs();
        let reached = line["reached"].as_bool().unwrap();
        assert_eq!(reached, off <= 0.03 + 0.5 / used as f64, "{line}");
        if !reached {
            let why = line["why"].as_str().unwrap();
            let barred = line["barred"].as_object().unwrap();
            let eligible = line["eligible"].as_u64().unwrap();
            let named = barred.keys().any(|rule| why.contains(rule)) || why.contains("may have no other strategy");
            assert!(named, "{name}: {line}");
            let few = line["share"].as_f64() < line["target"].as_f64();
            assert!(!few || why.contains(&format!("{eligible} of {used} may have it")), "{name}: {line}");
            assert!(barred.values().map(|n| n.as_u64().unwrap()).sum::<u64>() + eligible == used, "{line}");
        }
    }
    let rows = ledger(&at("out"));
    assert_eq!(rows.len(), count);
    explained(&rows);

    // The mix first: as few frames as possible are left out, and every share is within 3 points.
    let list = ["decide", "--from", "@", "--config", "@", "--surplus", "drop", "--json"];
    let o = call(&list, &[&at("out"), &at("c.yaml")]);
    for (name, line) in mix_of(&o) {
        println!("{line}");
        let off = (line["share"].as_f64().unwrap() - line["target"].as_f64().unwrap()).abs();
        assert!(off <= 0.03 + 1e-9 && line["reached"].as_bool().unwrap(), "{name}: {line}");
    }
    let rows = ledger(&at("out"));
    explained(&rows);
    let kept = rows.iter().filter(|r| r["strategy"].is_string()).count();
    assert!(kept * 2 >= count, "{kept} of {count} frames are left");
    assert!(rows.iter().filter(|r| r["strategy"].is_null()).all(|r| r["rule"] == "surplus" || r["rule"] == "empty"));

    // Detectors were there: streets have several people, and not every frame has one.
    let instances: Vec<f64> = rows.iter().map(|r| r["instances"].as_f64().unwrap()).collect();
    assert!(instances.iter().any(|n| *n >= 3.0) && instances.contains(&0.0));
    // Blurred photos are blurred nearly everywhere, their originals are not.
    let blurred = |kind: &str| {
        let all: Vec<f64> = rows
            .iter()
            .filter(|r| r["name"].as_str().unwrap().starts_with(kind))
            .map(|r| r["blurred"].as_f64().unwrap())
            .collect();
        all.iter().sum::<f64>() / all.len() as f64
    };
    assert!(blurred("blurred_") > 0.9 && blurred("photo_") < 0.5, "{} {}", blurred("blurred_"), blurred("photo_"));
    // Frames that repeat each other are dropped by default, and each names the better one and how it was seen.
    call(&["decide", "--from", "@"], &[&at("out")]);
    let dropped: Vec<Value> = ledger(&at("out")).into_iter().filter(|r| r["rule"] == "near-duplicate").collect();
    assert!(!dropped.is_empty() && dropped.iter().all(|r| r["duplicate_of"].is_string()));
    let seen = |how: &str| dropped.iter().filter(|r| r["reasoning"].as_str().unwrap().contains(how)).count();
    println!("{} by hashes, {} by embeddings", seen("(hashes "), seen("(embeddings "));
    assert!(seen("(hashes ") > 0 && seen("(hashes ") + seen("(embeddings ") == dropped.len());
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
    for (i, (segment, upscale, times)) in
        [("selfie-segmentation", "espcn-x3-luma", 3), ("deeplab-v3-mnv2", "realesr-animevideov3-x4", 4)]
            .iter()
            .enumerate()
    {
        let out = at(&format!("out{i}"));
        let config = format!(
            "decision: {{near_duplicate_bits: -1, slack: 1.0}}\n\
             analysis: {{detect_model: nanodet-m, face_model: yunet-n, embed_model: shufflenetv2-embed}}\n\
             strategies:\n  segment: {{segmentation_model: {segment}}}\n  enhance_segment: {{upscale_model: {upscale}}}\n"
        );
        std::fs::write(at("c.yaml"), config).unwrap();
        let o = call(
            &["run", "@", "-o", "@", "--models", "@", "--config", "@", "--json"],
            &[&at("in"), &out, &at("models"), &at("c.yaml")],
        );
        let outcome = &events(&o).pop().unwrap()["outcome"];
        let models: BTreeMap<String, &Value> =
            outcome["models"].as_array().unwrap().iter().map(|m| (m["task"].as_str().unwrap().to_owned(), m)).collect();
        println!("{models:#?}\n{}", outcome["mix"]);
        for (task, name) in [
            ("segment", *segment),
            ("upscale", *upscale),
            ("detect", "nanodet-m"),
            ("face", "yunet-n"),
            ("embed", "shufflenetv2-embed"),
        ] {
            assert!(models[task]["name"] == name && models[task]["notice"].is_null(), "{}", models[task]);
        }
        // What is nowhere is said.
        let notice = |task: &str| models[task]["notice"].as_str().unwrap().to_owned();
        assert!(notice("restore-face").contains("`CodeFormer` is not there"));
        assert!(notice("inpaint").contains("`lama` is not there") && notice("inpaint").contains("patches of the rest"));
        let rows = ledger(&out);
        assert!(rows.iter().any(|r| r["faces"].as_f64().unwrap() >= 1.0), "faces are found");
        assert!(rows.iter().any(|r| r["subject"].as_f64().unwrap() > 0.05), "people are found");
        assert!(rows.iter().any(|r| r["instances"].as_f64().unwrap() >= 1.0), "people are counted");
        let size = |p: &PathBuf| frameloom::media::image_info(p, &frameloom::core::Limits::default()).unwrap().size;
        // The small blurred ones are larger afterwards.
        let enhanced: Vec<PathBuf> = pictures(&out.join("enhance_segment/images"));
        assert!(enhanced.iter().any(|p| [160 * times, 320 * times].contains(&size(p).width)), "{enhanced:?}");
        let cut = pictures(&out.join("segment/images"));
        let background =
            cut.iter().find(|p| p.to_string_lossy().contains("_background")).unwrap_or_else(|| panic!("{cut:?}"));
        // Outside of the character the background is the frame itself; inside it is something else.
        let stem = background.to_string_lossy().replace("_background.png", "");
        let pixels = |p: &Path| {
            let limits = frameloom::core::Limits::default();
            frameloom::media::decode_image(p, &limits, frameloom::media::DecodeHint::default()).unwrap().rgba
        };
        let (filled, character) = (pixels(background), pixels(Path::new(&format!("{stem}_character.png"))));
        let frame = pixels(Path::new(&format!("{stem}_composite.png")));
        let (mut outside, mut inside, mut changed) = (0, 0, 0);
        for ((f, c), b) in
            frame.as_chunks::<4>().0.iter().zip(character.as_chunks::<4>().0).zip(filled.as_chunks::<4>().0)
        {
            if c[3] >= 128 {
                inside += 1;
                changed += usize::from(f != b);
            } else if f == b {
                outside += 1;
            }
        }
        assert!(inside > 64 * 64 && changed * 10 > inside * 9, "{inside} {changed}");
        assert!(outside * 10 > (frame.len() / 4 - inside) * 7, "{outside} of {}", frame.len() / 4 - inside);
        if let Some(keep) = std::env::var_os("FRAMELOOM_KEEP") {
            let _ = Command::new("cp").arg("-r").arg(&out).arg(keep).status();
        }
    }
}
