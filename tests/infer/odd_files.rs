//! Files written by the `onnx` package of Python: what our own writer of tests and our own reader could both have wrong.

use std::os::unix::fs::symlink;
use std::path::PathBuf;

use frameloom::infer::{
    Allow, ModelRegistry, NamedTensor, OnnxSession, SessionOptions, Task, Tensor, TensorModel, import,
};

use crate::support::*;

fn fixtures() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/models")
}

/// Every listed tiny graph: read, imported with the same content, and run on zeros.
#[test]
fn every_tiny_graph_loads_and_runs() {
    let registry = ModelRegistry::open(&[fixtures()]).unwrap();
    assert!(registry.list().len() > 30);
    for model in registry.list() {
        let name = &model.entry.name;
        let loaded = registry.load(name, Allow::Pinned).unwrap_or_else(|e| panic!("{name}: {e}"));
        let proposed = import(&model.folder.join(&model.entry.file), model.entry.task, None).unwrap();
        assert_eq!(proposed.entry.sha256, model.entry.sha256);
        let mut session =
            OnnxSession::open(&loaded, &SessionOptions::default()).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(loaded.graph.inputs, session.inputs(), "{name}");
        let zeros = session.zeros(|_, axis| if axis == 0 { 1 } else { 64 }).unwrap();
        let named: Vec<NamedTensor<'_>> =
            zeros.iter().map(|(n, t)| NamedTensor { name: n, tensor: t.view() }).collect();
        match session.run(&named) {
            Ok(out) => assert_eq!(out.iter().count(), session.outputs().len(), "{name}"),
            // Sizes of several inputs may have to agree in ways that zeros of one size do not.
            Err(e) => assert_eq!(cause::<()>(Err(e)), "run", "{name}"),
        }
    }
}

/// A copy of the folder with the links that a repository cannot hold.
fn external() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let (from, to) = (fixtures().join("external"), dir.path().join("external"));
    std::fs::create_dir_all(to.join("parts")).unwrap();
    for folder in ["", "parts"] {
        for file in std::fs::read_dir(from.join(folder)).unwrap().map(|e| e.unwrap()) {
            if file.path().is_file() {
                std::fs::copy(file.path(), to.join(folder).join(file.file_name())).unwrap();
            }
        }
    }
    std::fs::copy(fixtures().join("scale.onnx"), dir.path().join("scale.onnx")).unwrap();
    symlink(to.join("weights.bin"), to.join("symlink.bin")).unwrap();
    symlink(to.join("parts"), to.join("linked")).unwrap();
    std::fs::copy(to.join("weights.bin"), to.join("other-name.bin")).unwrap();
    std::fs::hard_link(to.join("other-name.bin"), to.join("hardlink.bin")).unwrap();
    dir
}

#[test]
fn weights_in_other_files() {
    let dir = external();
    let folder = dir.path().join("external");
    let load = |name: &str| {
        let path = folder.join(format!("{name}.onnx"));
        ModelRegistry::default().load_file(&path, Task::Embed, Allow::Unverified)
    };
    for (name, wanted) in [
        ("parent", "external-data"),
        ("parent_inside", "external-data"),
        ("absolute", "external-data"),
        ("windows", "external-data"),
        ("url", "external-data"),
        ("hidden_parent", "external-data"),
        ("short", "external-data"),
        ("past_the_end", "external-data"),
        ("negative", "invalid"),
        ("missing", "missing"),
        ("symlink", "symlink"),
        ("linked_folder", "symlink"),
        ("hardlink", "hard-link"),
    ] {
        assert_eq!(cause(load(name)), wanted, "{name}");
    }
    for name in ["whole", "part", "in_folder"] {
        let mut session = OnnxSession::open(&load(name).unwrap(), &SessionOptions::default()).unwrap();
        let x = Tensor::f32([1, 64], vec![0.5; 64]).unwrap();
        let wanted: Vec<f32> = (1..65).map(|i| 0.5 + i as f32 / 8.0).collect();
        assert_eq!(run(&mut session, &[("x", &x)]).unwrap().get("y").unwrap().to_f32().as_ref(), wanted, "{name}");
    }
}

#[test]
fn files_that_are_refused() {
    let folder = fixtures().join("refused");
    let load = |name: &str| {
        let path = folder.join(format!("{name}.onnx"));
        ModelRegistry::default().load_file(&path, Task::Embed, Allow::Unverified)
    };
    for (name, wanted) in [
        ("truncated", "truncated"),
        ("text", "invalid"),
        ("empty", "truncated"),
        ("custom_op", "custom-operator"),
        ("custom_op_in_branch", "custom-operator"),
    ] {
        assert_eq!(cause(load(name)), wanted, "{name}");
    }
    assert!(message(load("custom_op_in_branch")).contains("com.example:Mystery"));
    // Our reader has no reason to refuse it; the runtime has.
    let dangling = OnnxSession::open(&load("dangling").unwrap(), &SessionOptions::default());
    assert!(message(dangling).contains("nowhere"));
}
