//! What must not be loaded, each with its own cause, and nothing in place of it.

use std::os::unix::fs::symlink;

use frameloom::infer::{Allow, ModelRegistry, OnnxSession, SessionOptions, Task, import, inspect};

use crate::onnx::{self, Dim, Graph, Message, external, node, port, tensor};
use crate::support::*;

#[test]
fn a_changed_file() {
    let mut folder = Folder::new();
    folder.list("m.onnx", Task::Embed, &plus(Dim::N(1)));
    folder.write("m.onnx", &plus(Dim::N(2)));
    assert_eq!(cause(folder.load("m")), "hash-mismatch");
    let error = folder.load("m").unwrap_err();
    assert_eq!((error.code(), error.exit_code()), ("model", 9));
    assert!(error.hint().unwrap().contains("frameloom models inspect"));
    let insisted = folder.registry().load("m", Allow::Unverified).unwrap();
    assert!(!insisted.pinned);
}

#[test]
fn a_file_that_is_not_whole() {
    let mut folder = Folder::new();
    let whole = plus(Dim::N(1));
    folder.list("m.onnx", Task::Embed, &whole);
    for keep in [0, whole.len() / 2] {
        folder.write("m.onnx", &whole[..keep]);
        assert_eq!(cause(folder.load("m")), "truncated", "{keep} bytes");
        assert_eq!(cause(folder.registry().load("m", Allow::Unverified)), "truncated", "insisting does not help");
    }
}

#[test]
fn symbolic_links_at_every_place() {
    let mut folder = Folder::new();
    folder.list("m.onnx", Task::Embed, &plus(Dim::N(1)));
    folder.list("sub/n.onnx", Task::Embed, &plus(Dim::N(1)));
    let away = tempfile::tempdir().unwrap();
    std::fs::rename(folder.path().join("m.onnx"), away.path().join("m.onnx")).unwrap();
    symlink(away.path().join("m.onnx"), folder.path().join("m.onnx")).unwrap();
    assert_eq!(cause(folder.load("m")), "symlink");
    std::fs::rename(folder.path().join("sub"), away.path().join("sub")).unwrap();
    symlink(away.path().join("sub"), folder.path().join("sub")).unwrap();
    assert_eq!(cause(folder.load("sub-n")), "symlink", "a folder on the way");
    let path = folder.path().join("m.onnx");
    assert_eq!(cause(folder.registry().load_file(&path, Task::Embed, Allow::Unverified)), "symlink");
    assert_eq!(cause(inspect(&path)), "symlink");
}

#[test]
fn what_is_no_file() {
    let mut folder = Folder::new();
    folder.list("m.onnx", Task::Embed, &plus(Dim::N(1)));
    let path = folder.path().join("m.onnx");
    std::fs::remove_file(&path).unwrap();
    std::fs::create_dir(&path).unwrap();
    assert_eq!(cause(folder.load("m")), "no-file");
    std::fs::remove_dir(&path).unwrap();
    // Opening it would wait for a writer for ever.
    let made = std::process::Command::new("mkfifo").arg(&path).status().expect("mkfifo");
    assert!(made.success());
    assert_eq!(cause(folder.load("m")), "no-file");
}

#[test]
fn names_that_leave_the_folder_are_refused_by_the_manifest() {
    let folder = Folder::new();
    for file in ["../m.onnx", "/m.onnx"] {
        let text = format!(
            "[[model]]\nname = \"m\"\ntask = \"embed\"\nfile = \"{file}\"\nsha256 = \"{}\"\nlicence = \"\"\nsource = \"\"\n",
            "0".repeat(64)
        );
        folder.write("models.toml", text.as_bytes());
        assert_eq!(cause(ModelRegistry::open(&[folder.path().to_path_buf()])), "manifest");
    }
}

fn with_external(entries: &[(&str, &str)]) -> Vec<u8> {
    onnx::add(Dim::Any("n"), 4, external("w", &[4], entries))
}

#[test]
fn weights_outside_of_the_folder() {
    let outer = tempfile::tempdir().unwrap();
    std::fs::write(outer.path().join("w.bin"), [0; 16]).unwrap();
    let absolute = outer.path().join("w.bin");
    for location in [
        "../w.bin",
        "a/../../w.bin",
        absolute.to_str().unwrap(),
        "..\\w.bin",
        "C:w.bin",
        "",
        "./w.bin",
        "*/_ORT_MEM_ADDR_/*",
    ] {
        let mut folder = Folder { dir: tempfile::tempdir_in(outer.path()).unwrap(), entries: Vec::new() };
        folder.list("m.onnx", Task::Embed, &with_external(&[("location", location)]));
        let wanted = "external-data";
        assert_eq!(cause(folder.load("m")), wanted, "{location}");
        assert_eq!(cause(folder.registry().load("m", Allow::Unverified)), wanted, "{location}");
        let imported = import(&folder.path().join("m.onnx"), Task::Embed, None);
        assert_eq!(cause(imported), wanted, "{location}");
    }
}

#[test]
fn weights_that_are_links() {
    let mut folder = Folder::new();
    folder.list("m.onnx", Task::Embed, &with_external(&[("location", "sub/w.bin")]));
    folder.weights("sub/w.bin", &[0; 16]);
    assert!(folder.load("m").is_ok());
    let (path, away) = (folder.path().join("sub/w.bin"), folder.path().join("away.bin"));
    std::fs::hard_link(&path, &away).unwrap();
    assert_eq!(cause(folder.load("m")), "hard-link");
    std::fs::remove_file(&path).unwrap();
    symlink(&away, &path).unwrap();
    assert_eq!(cause(folder.load("m")), "symlink");
    std::fs::rename(folder.path().join("sub"), folder.path().join("real")).unwrap();
    symlink(folder.path().join("real"), folder.path().join("sub")).unwrap();
    assert_eq!(cause(folder.load("m")), "symlink", "a folder on the way");
}

#[test]
fn weights_that_are_not_listed_or_changed() {
    let mut folder = Folder::new();
    folder.list("m.onnx", Task::Embed, &with_external(&[("location", "w.bin")]));
    folder.write("w.bin", &[0; 16]);
    assert_eq!(cause(folder.load("m")), "unpinned");
    folder.weights("w.bin", &[0; 16]);
    assert!(folder.load("m").unwrap().pinned);
    folder.write("w.bin", &[1; 16]);
    assert_eq!(cause(folder.load("m")), "hash-mismatch");
    assert!(!folder.registry().load("m", Allow::Unverified).unwrap().pinned);
    folder.weights("unused.bin", b"x");
    assert_eq!(cause(folder.load("m")), "external-data", "listed, but the model does not name it");
}

#[test]
fn weights_that_reach_beyond_their_file() {
    for (entries, fits) in [
        (&[("location", "w.bin")][..], true),
        (&[("location", "w.bin"), ("offset", "16")], true),
        (&[("location", "w.bin"), ("offset", "17")], false),
        (&[("location", "w.bin"), ("length", "33")], false),
        (&[("location", "w.bin"), ("offset", "18446744073709551615"), ("length", "2")], false),
    ] {
        let mut folder = Folder::new();
        folder.list("m.onnx", Task::Embed, &with_external(entries));
        folder.weights("w.bin", &[0; 32]);
        if fits {
            assert!(folder.load("m").is_ok(), "{entries:?}");
        } else {
            assert_eq!(cause(folder.load("m")), "external-data", "{entries:?}");
        }
    }
}

/// ONNX Runtime would look for these in the working folder.
#[test]
fn weights_in_nodes_and_branches() {
    let constant =
        Message::new().bytes(1, "value").message(5, external("c", &[1], &[("location", "w.bin")])).int(20, 4);
    let graph = Graph {
        nodes: vec![node("", "Constant", &[], &["w"]).message(5, constant), node("", "Add", &["x", "w"], &["y"])],
        inputs: vec![port("x", onnx::F32, &[Dim::N(1)])],
        outputs: vec![port("y", onnx::F32, &[Dim::N(1)])],
        ..Graph::default()
    };
    let mut folder = Folder::new();
    folder.list("m.onnx", Task::Embed, &graph.file(&[]));
    folder.write("w.bin", &[0; 4]);
    assert_eq!(cause(folder.load("m")), "external-data");
}

#[test]
fn custom_operators_are_named() {
    let graph = Graph {
        nodes: vec![node("com.example", "Magic", &["x"], &["y"])],
        inputs: vec![port("x", onnx::F32, &[Dim::N(1)])],
        outputs: vec![port("y", onnx::F32, &[Dim::N(1)])],
        ..Graph::default()
    };
    let mut folder = Folder::new();
    folder.list("m.onnx", Task::Embed, &graph.file(&["com.example"]));
    assert_eq!(cause(folder.load("m")), "custom-operator");
    assert!(message(folder.load("m")).contains("com.example:Magic"));
    let seen = inspect(&folder.path().join("m.onnx")).unwrap();
    assert_eq!(seen.refused.unwrap().0, "custom-operator", "looking is allowed");
}

#[test]
fn the_real_model_with_custom_operators() {
    let Some(data) = test_data("a real model with custom operators") else { return };
    let path = data.join("bad/custom_op_superres_prepost.onnx");
    let loaded = ModelRegistry::default().load_file(&path, Task::Upscale, Allow::Unverified);
    assert!(message(loaded).contains("com.microsoft.extensions:DecodeImage"));
}

#[test]
fn a_model_for_another_task() {
    let mut folder = Folder::new();
    folder.list("m.onnx", Task::Embed, &plus(Dim::N(1)));
    let loaded = folder.registry().load_for(Task::Detect, "m", Allow::Unverified);
    assert!(message(loaded).contains("is for `embed`, one for `detect` is wanted"));
    assert_eq!(cause(folder.registry().load_for(Task::Detect, "m", Allow::Pinned)), "task");
}

/// Well-formed for our reader, nonsense for the runtime: its own words come back.
#[test]
fn a_graph_that_makes_no_sense() {
    let graph = Graph {
        nodes: vec![node("", "NoSuchOperator", &["x"], &["y"])],
        inputs: vec![port("x", onnx::F32, &[Dim::N(1)])],
        outputs: vec![port("y", onnx::F32, &[Dim::N(1)])],
        ..Graph::default()
    };
    let mut folder = Folder::new();
    folder.list("m.onnx", Task::Embed, &graph.file(&[]));
    let opened = OnnxSession::open(&folder.load("m").unwrap(), &SessionOptions::default());
    assert!(message(opened).contains("NoSuchOperator"));
}

#[test]
fn the_format_of_the_runtime_and_other_files() {
    let mut folder = Folder::new();
    folder.list("ort.onnx", Task::Embed, b"\x18\0\0\0ORTM rest of a flatbuffer");
    folder.list("png.onnx", Task::Embed, b"\x89PNG\r\n\x1a\n0000");
    assert!(message(folder.load("ort")).contains(".ort"));
    assert_eq!(cause(folder.load("png")), "invalid");
    let path = folder.path().join("png.onnx");
    assert_eq!(cause(ModelRegistry::default().load_file(&path, Task::Embed, Allow::Pinned)), "invalid");
}

/// A file that changes after it was read changes nothing: the session is made of the bytes that were hashed.
#[test]
fn what_was_read_is_what_runs() {
    let mut folder = Folder::new();
    folder.list("m.onnx", Task::Embed, &with_external(&[("location", "w.bin")]));
    folder.weights("w.bin", &[1.0f32, 2.0, 3.0, 4.0].map(f32::to_le_bytes).concat());
    let model = folder.load("m").unwrap();
    folder.write("m.onnx", b"something else");
    folder.write("w.bin", &[0xff; 16]);
    std::fs::remove_file(folder.path().join("models.toml")).unwrap();
    let mut session = OnnxSession::open(&model, &SessionOptions::default()).unwrap();
    drop(model);
    let y = run(&mut session, &[("x", &rows(1))]).unwrap();
    assert_eq!(y.get("y").unwrap().to_f32().as_ref(), [-2.0, -0.5, 1.0, 2.5]);
}

/// Of a listed model, whatever byte changes, nothing reaches the runtime.
#[test]
fn five_hundred_mutants_are_refused() {
    let mut folder = Folder::new();
    let whole = onnx::add(Dim::Any("n"), 4, tensor("w", &[4], &[1.0, 2.0, 3.0, 4.0]));
    folder.list("m.onnx", Task::Embed, &whole);
    let registry = folder.registry();
    let mut state = 1u64;
    let mut random = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    for _ in 0..500 {
        let mut bytes = whole.clone();
        let at = random(bytes.len());
        match random(3) {
            0 => bytes[at] ^= 1 << random(8),
            1 => bytes.truncate(at),
            _ => bytes.insert(at, random(256) as u8),
        }
        folder.write("m.onnx", &bytes);
        let found = cause(registry.load("m", Allow::Pinned));
        assert!(["hash-mismatch", "truncated"].contains(&found), "{found}");
    }
}
