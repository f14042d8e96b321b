//! `frameloom models`.

use std::path::Path;

use crate::onnx::{self, Dim};
use crate::support::*;

fn net(batch: i64) -> Vec<u8> {
    let input = onnx::port("image", onnx::F32, &[Dim::N(batch), Dim::N(3), Dim::N(416), Dim::N(416)]);
    onnx::Graph {
        nodes: vec![onnx::node("", "Identity", &["image"], &["out"])],
        inputs: vec![input],
        outputs: vec![onnx::port("out", onnx::F32, &[Dim::N(batch), Dim::N(3549), Dim::N(85)])],
        ..Default::default()
    }
    .file(&[])
}

fn text(o: &std::process::Output) -> String {
    String::from_utf8_lossy(&o.stdout).into_owned()
}

fn models(folder: &Path, args: &[&str]) -> std::process::Output {
    let data = folder.join("no-data-folder");
    frameloom().env("XDG_DATA_HOME", data).arg("models").args(args).arg("--models").arg(folder).output().unwrap()
}

#[test]
fn the_help_is_as_reviewed() {
    let mut all = String::new();
    for args in [&["models", "--help"][..], &["models", "list", "--help"], &["models", "import", "--help"]] {
        // The help shows what the variable holds.
        all.push_str(&text(&frameloom().env_remove("FRAMELOOM_DEVICE").args(args).output().unwrap()));
        all.push_str("----\n");
    }
    insta::with_settings!({ prepend_module_to_snapshot => false, snapshot_path => "../snapshots/cli", omit_expression => true }, {
        insta::assert_snapshot!("models_help", all);
    });
}

#[test]
fn import_then_list_then_verify() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("my net.onnx");
    std::fs::write(&file, net(1)).unwrap();
    let name = file.to_str().unwrap();

    let shown = run(&["models", "import", name, "--task", "detect"]);
    assert_eq!(code(&shown), 0, "{}", stderr(&shown));
    assert!(text(&shown).contains("decoder = \"yolox\"  # guessed"), "{}", text(&shown));
    assert!(!dir.path().join("models.toml").exists(), "nothing is written without --write");

    std::fs::write(dir.path().join("models.toml"), "# mine\n").unwrap();
    let written = run(&["models", "import", name, "--task", "detect", "--name", "net", "--write"]);
    assert_eq!(code(&written), 0, "{}", stderr(&written));
    let manifest = std::fs::read_to_string(dir.path().join("models.toml")).unwrap();
    assert!(manifest.starts_with("# mine\n\n[[model]]\nname = \"net\""), "{manifest}");
    let twice = run(&["models", "import", name, "--task", "detect", "--name", "net", "--write"]);
    assert_eq!(code(&twice), 9);
    assert!(stderr(&twice).contains("there is a model `net` already"), "{}", stderr(&twice));
    assert_eq!(std::fs::read_to_string(dir.path().join("models.toml")).unwrap(), manifest, "untouched");

    let listed = models(dir.path(), &["list"]);
    assert!(code(&listed) == 0 && text(&listed).contains("net  detect"), "{}", text(&listed));
    let none = models(dir.path(), &["list", "--task", "vad", "--json"]);
    assert_eq!(events(&none).last().unwrap()["models"], 0);

    let good = models(dir.path(), &["verify", "--json"]);
    assert_eq!((code(&good), events(&good).last().unwrap()["ok"].as_u64()), (0, Some(1)));
    std::fs::write(&file, net(2)).unwrap();
    let bad = models(dir.path(), &["verify", "--json"]);
    assert_eq!(code(&bad), 9, "{}", stderr(&bad));
    let item = &events(&bad)[1];
    assert_eq!((item["ok"].as_bool(), item["cause"].as_str()), (Some(false), Some("hash-mismatch")));
}

#[test]
fn a_stand_in_is_called_one_wherever_it_is_listed() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("net.onnx");
    std::fs::write(&file, net(1)).unwrap();
    let o = run(&["models", "import", file.to_str().unwrap(), "--task", "detect", "--write"]);
    assert_eq!(code(&o), 0, "{}", stderr(&o));
    let path = dir.path().join("models.toml");
    let manifest = std::fs::read_to_string(&path).unwrap();
    assert!(!text(&models(dir.path(), &["list"])).contains("stand-in"));
    std::fs::write(&path, manifest.replace("licence =", "stand_in = true\nnote = \"replace me\"\nlicence =")).unwrap();
    for args in [&["list"][..], &["verify"], &["inspect", file.to_str().unwrap()]] {
        let o = models(dir.path(), args);
        assert!(code(&o) == 0 && text(&o).contains("stand-in"), "{args:?}: {}{}", text(&o), stderr(&o));
    }
    assert!(text(&models(dir.path(), &["list"])).contains("replace me"));
    let doctor = frameloom().arg("doctor").env("FRAMELOOM_MODELS", dir.path()).output().unwrap();
    assert!(text(&doctor).contains("1 listed, 1 of them stand-in"), "{}", text(&doctor));
}

#[test]
fn inspect_tells_what_a_file_is() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("net.onnx");
    std::fs::write(&file, net(1)).unwrap();
    let o = run(&["models", "inspect", file.to_str().unwrap()]);
    let shown = text(&o);
    for part in ["image  f32 [1, 3, 416, 416]", "out  f32 [1, 3549, 85]", "Identity 1", "ai.onnx 17", "not listed"] {
        assert!(shown.contains(part), "{part} is missing in:\n{shown}");
    }
    let o = run(&["models", "inspect", file.to_str().unwrap(), "--json"]);
    assert_eq!(events(&o)[1]["inputs"][0]["shape"], serde_json::json!([1, 3, 416, 416]));
}

#[test]
fn what_is_wrong_has_code_and_hint() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    std::fs::write(path("text.onnx"), "no model").unwrap();
    std::fs::write(path("empty.onnx"), "").unwrap();
    for (args, exit, said) in [
        (vec!["inspect".to_owned(), path("text.onnx")], 9, "no ONNX model"),
        (vec!["inspect".to_owned(), path("empty.onnx")], 9, "empty"),
        (vec!["inspect".to_owned(), path("none.onnx")], 9, "there is no such model file"),
        (vec!["import".to_owned(), path("text.onnx"), "--task".into(), "cook".into()], 2, "a task must be one of"),
    ] {
        let o = frameloom().arg("models").args(&args).output().unwrap();
        assert_eq!(code(&o), exit, "{args:?}: {}", stderr(&o));
        assert!(stderr(&o).contains(said), "{args:?}: {}", stderr(&o));
    }
    let o = models(dir.path(), &["list"]);
    assert_eq!(code(&o), 9);
    assert!(stderr(&o).contains("there is no models.toml in") && stderr(&o).contains("hint:"), "{}", stderr(&o));
}

#[test]
fn the_real_model_with_custom_operators_is_looked_at_but_not_listed() {
    let Some(data) = real_data("models: custom operators") else { return };
    let file = data.join("bad/custom_op_superres_prepost.onnx");
    let o = run(&["models", "inspect", file.to_str().unwrap()]);
    assert!(code(&o) == 0 && text(&o).contains("com.microsoft.extensions:DecodeImage"), "{}", text(&o));
    let o = run(&["models", "import", file.to_str().unwrap(), "--task", "upscale"]);
    assert_eq!(code(&o), 9);
    assert!(stderr(&o).contains("com.microsoft.extensions:DecodeImage"), "{}", stderr(&o));
}
