//! Which models there are, and under which name.

use frameloom::infer::{Allow, ModelRegistry, Task, import, inspect, parse_manifest};

use crate::onnx::Dim;
use crate::support::*;

#[test]
fn listed_models_are_found_by_name_and_task() {
    let mut folder = Folder::new();
    folder.list("a.onnx", Task::Detect, &plus(Dim::N(1)));
    folder.list("sub/b.onnx", Task::Face, &plus(Dim::N(2)));
    let registry = folder.registry();
    let names: Vec<&str> = registry.list().iter().map(|m| m.entry.name.as_str()).collect();
    assert_eq!(names, ["a", "sub-b"]);
    assert_eq!(registry.by_task(Task::Face).count(), 1);
    let model = registry.load_for(Task::Face, "sub-b", Allow::Pinned).unwrap();
    assert!(model.pinned && model.sha256 == model.entry.sha256);
    assert_eq!(model.graph.inputs[0].name, "x");
    let unknown = registry.get("c");
    assert_eq!(cause(unknown), "unknown");
    assert!(message(registry.get("c")).contains("a, sub-b"));
}

#[test]
fn of_two_models_of_one_name_the_first_folder_wins() {
    let (mut first, mut second) = (Folder::new(), Folder::new());
    first.list("a.onnx", Task::Detect, &plus(Dim::N(1)));
    second.list("a.onnx", Task::Face, &plus(Dim::N(2)));
    second.list("b.onnx", Task::Face, &plus(Dim::N(3)));
    first.registry();
    second.registry();
    let folders = [first.path().to_path_buf(), second.path().to_path_buf(), first.path().to_path_buf()];
    let registry = ModelRegistry::open(&folders).unwrap();
    assert_eq!(registry.get("a").unwrap().folder, first.path());
    assert_eq!(registry.get("b").unwrap().folder, second.path());
    assert_eq!((registry.list().len(), registry.hidden().len(), registry.folders().len()), (2, 1, 2));
    assert_eq!(registry.hidden()[0].folder, second.path());
}

#[test]
fn a_folder_that_was_named_must_have_a_manifest() {
    let folder = Folder::new();
    assert_eq!(cause(ModelRegistry::open(&[folder.path().to_path_buf()])), "no-manifest");
    folder.write("models.toml", b"[[model]]\nname = 3\n");
    let wrong = message(ModelRegistry::open(&[folder.path().to_path_buf()]));
    assert!(wrong.contains("line 2 of the manifest"), "{wrong}");
}

#[test]
fn verify_names_each_fault() {
    let mut folder = Folder::new();
    folder.list("good.onnx", Task::Detect, &plus(Dim::N(1)));
    folder.list("changed.onnx", Task::Detect, &plus(Dim::N(2)));
    folder.list("gone.onnx", Task::Detect, &plus(Dim::N(3)));
    folder.list("huge.onnx", Task::Detect, &plus(Dim::N(4)));
    folder.write("changed.onnx", &plus(Dim::N(9)));
    std::fs::remove_file(folder.path().join("gone.onnx")).unwrap();
    // Sparse: no bytes are written, and none may be read.
    let huge = std::fs::OpenOptions::new().write(true).open(folder.path().join("huge.onnx")).unwrap();
    huge.set_len(frameloom::infer::MODEL_LIMIT + 1).unwrap();
    let registry = folder.registry();
    let found: Vec<(&str, Option<&str>)> =
        registry.verify().map(|(m, r)| (m.entry.name.as_str(), r.is_err().then(|| cause(r)))).collect();
    let wanted =
        [("good", None), ("changed", Some("hash-mismatch")), ("gone", Some("missing")), ("huge", Some("too-large"))];
    assert_eq!(found, wanted);
}

#[test]
fn content_that_is_listed_may_lie_anywhere() {
    let mut folder = Folder::new();
    folder.list("a.onnx", Task::Detect, &plus(Dim::N(1)));
    let registry = folder.registry();
    let elsewhere = Folder::new();
    let copy = elsewhere.write("other-name.onnx", &plus(Dim::N(1)));
    let model = registry.load_file(&copy, Task::Detect, Allow::Pinned).unwrap();
    assert!(model.pinned && model.entry.name == "a");
    assert_eq!(cause(registry.load_file(&copy, Task::Face, Allow::Pinned)), "task");
}

#[test]
fn who_insists_gets_an_unlisted_file_marked_as_such() {
    let folder = Folder::new();
    let path = folder.write("new.onnx", &plus(Dim::N(1)));
    let registry = ModelRegistry::default();
    let refused = message(registry.load_file(&path, Task::Embed, Allow::Pinned));
    assert!(refused.contains(&sha256(&path)), "{refused}");
    assert_eq!(cause(registry.load_file(&path, Task::Embed, Allow::Pinned)), "unpinned");
    let model = registry.load_file(&path, Task::Embed, Allow::Unverified).unwrap();
    assert!(!model.pinned && model.entry.name == "new" && model.entry.task == Task::Embed);
}

#[test]
fn an_imported_model_is_one_that_loads() {
    let mut folder = Folder::new();
    let big = crate::onnx::add(Dim::Any("batch"), 4, crate::onnx::external("w", &[4], &[("location", "w.bin")]));
    let path = folder.write("net.onnx", &big);
    folder.write("w.bin", &[0; 16]);
    let seen = inspect(&path).unwrap();
    assert_eq!((seen.bytes, seen.sha256.as_str()), (big.len() as u64, sha256(&path).as_str()));
    let proposal = import(&path, Task::Reid, Some("net-2")).unwrap();
    let text = proposal.to_toml().unwrap();
    folder.entries = parse_manifest(&text, &path).unwrap();
    assert_eq!(folder.entries, [proposal.entry]);
    assert_eq!(folder.entries[0].external[0].sha256, sha256(&folder.path().join("w.bin")));
    assert!(folder.load("net-2").unwrap().pinned);
}
