//! Manifests that lie in the repository: they can be read, and say the truth about the files beside them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use frameloom::infer::ModelEntry;
use serde::Deserialize;
use sha2::{Digest, Sha256};

#[derive(Deserialize)]
struct Manifest {
    model: Vec<ModelEntry>,
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn manifest(path: &Path) -> Vec<ModelEntry> {
    let text = std::fs::read_to_string(path).unwrap();
    toml::from_str::<Manifest>(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display())).model
}

fn sha256(path: &Path) -> String {
    let bytes = std::fs::read(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect()
}

fn changed(entries: &[ModelEntry], folder: &Path) -> Vec<String> {
    entries.iter().filter(|e| sha256(&folder.join(&e.file)) != e.sha256).map(|e| e.name.clone()).collect()
}

fn twice(entries: &[ModelEntry]) -> Vec<&str> {
    let mut count: BTreeMap<&str, usize> = BTreeMap::new();
    for e in entries {
        *count.entry(&e.name).or_default() += 1;
    }
    count.into_iter().filter(|(_, n)| *n > 1).map(|(name, _)| name).collect()
}

#[test]
fn tiny_graphs_are_those_of_their_manifest() {
    let folder = root().join("tests/fixtures/models");
    let entries = manifest(&folder.join("models.toml"));
    assert!(entries.len() > 40, "{} entries", entries.len());
    assert_eq!(changed(&entries, &folder), Vec::<String>::new(), "scripts/make_models.py --tiny writes both");
    assert_eq!(twice(&entries), Vec::<&str>::new());
    assert!(entries.iter().all(|e| e.stand_in), "they are no real models");
}

/// A graph beside the manifest that it does not list would be loaded by no test.
#[test]
fn every_tiny_graph_is_listed() {
    let folder = root().join("tests/fixtures/models");
    let entries = manifest(&folder.join("models.toml"));
    let graphs = std::fs::read_dir(&folder).unwrap().map(|f| f.unwrap().path());
    let stray: Vec<PathBuf> = graphs
        .filter(|p| p.extension().is_some_and(|e| e == "onnx"))
        .filter(|p| entries.iter().all(|e| p.file_name().unwrap() != e.file.as_str()))
        .collect();
    assert!(stray.is_empty(), "{stray:?}");
}

#[test]
fn reference_values_are_of_the_models_that_the_manifest_names() {
    let entries = manifest(&root().join("scripts/data_models.toml"));
    assert_eq!((entries.len(), twice(&entries)), (17, Vec::new()));
    assert!(entries.iter().all(|e| !e.stand_in));
    let mut seen = Vec::new();
    for file in std::fs::read_dir(root().join("tests/golden/infer")).unwrap().map(|f| f.unwrap().path()) {
        let name = file.file_name().unwrap().to_str().unwrap();
        if !name.starts_with("real_") {
            continue;
        }
        let value: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
        let model = &value["model"];
        let entry = entries.iter().find(|e| model["file"] == e.file.as_str());
        assert_eq!(entry.map(|e| e.sha256.as_str()), model["sha256"].as_str(), "{name}");
        seen.push(model["file"].as_str().unwrap().to_owned());
    }
    let unseen: Vec<&str> = entries.iter().filter(|e| !seen.contains(&e.file)).map(|e| e.file.as_str()).collect();
    assert!(unseen.is_empty(), "no reference values for {unseen:?}");
}

#[test]
fn real_models_are_those_of_the_manifest() {
    let Some(data) = std::env::var_os("FRAMELOOM_TESTDATA") else {
        eprintln!("NOT RUN: FRAMELOOM_TESTDATA is not set");
        return;
    };
    let entries = manifest(&root().join("scripts/data_models.toml"));
    assert_eq!(changed(&entries, &PathBuf::from(data).join("onnx")), Vec::<String>::new());
}
