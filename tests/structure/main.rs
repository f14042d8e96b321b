//! The house rules of ARCHITECTURE.md that can be read off the tree: every operation is in every room, rooms only know those below them,
//! files stay small.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    unreachable_pub,
    reason = "tests"
)]

mod rules;
mod tree;

use frameloom::ops::OPS;
use rules::{Violation, check_arrows, check_crates};
use tree::{Source, files, root, sources};

/// Kernels that are no operations: measuring sticks of the benchmarks.
const NO_OPERATIONS: [&str; 1] = ["bench/ceilings"];

#[test]
fn every_operation_is_in_every_room() {
    let rooms = |name: &str| {
        [
            format!("kernels/{name}.wgsl"),
            format!("src/ops/{name}.rs"),
            format!("src/reference/{name}.rs"),
            format!("tests/ops/{name}.rs"),
            format!("benches/ops/{name}.rs"),
        ]
    };
    let missing: Vec<String> =
        OPS.iter().flat_map(|op| rooms(op.name)).filter(|path| !root().join(path).is_file()).collect();
    assert!(missing.is_empty(), "missing: {missing:#?}");
}

#[test]
fn nothing_lies_in_a_room_without_being_an_operation() {
    let known = |name: &str| OPS.iter().any(|op| op.name == name) || NO_OPERATIONS.contains(&name);
    let mut stray = Vec::new();
    for (room, extension) in [("kernels", "wgsl"), ("src/ops", "rs"), ("tests/ops", "rs"), ("benches/ops", "rs")] {
        for path in files(room, extension) {
            let name = path.strip_prefix(&format!("{room}/")).unwrap().rsplit_once('.').unwrap().0;
            let text = std::fs::read_to_string(root().join(&path)).unwrap();
            // Helpers that the operations of a family share declare no operation themselves.
            let shared = room == "src/ops" && !text.contains("INFO: OpInfo");
            let helper = !name.contains('/') || name.ends_with("/mod") || name.starts_with("common/") || shared;
            if !helper && !name.starts_with("bench/") && !known(name) {
                stray.push(path);
            }
        }
    }
    for name in NO_OPERATIONS {
        assert!(root().join(format!("kernels/{name}.wgsl")).is_file(), "{name} is excused but does not exist");
    }
    assert!(stray.is_empty(), "no operation in OPS: {stray:#?}");
}

#[test]
fn outside_crates_stay_in_their_rooms() {
    report(sources("src").iter().flat_map(check_crates).collect());
}

#[test]
fn rooms_only_know_those_below() {
    report(sources("src").iter().flat_map(check_arrows).collect());
}

/// The checks themselves see what they should.
#[test]
fn the_checks_find_planted_violations() {
    let source = |path: &str, text: &str| Source { path: path.into(), text: text.into() };
    let arrows = |path: &str, text: &str| check_arrows(&source(path, text)).len();
    assert_eq!(arrows("src/core/x.rs", "use crate::gpu::Kernel;"), 1);
    assert_eq!(arrows("src/core/x.rs", "use crate::error::Result;\nuse crate::core::Size;"), 0);
    assert_eq!(arrows("src/reference/x.rs", "let a = crate::ops::OPS;"), 1);
    assert_eq!(arrows("src/gpu/x.rs", "use crate::{core::Size, ops::OPS, error::Error};"), 1);
    assert_eq!(arrows("src/media/x.rs", "use crate::{\n    core::Size,\n    gpu::{GpuContext, Kernel},\n};"), 1);
    assert_eq!(arrows("src/workflows/sync/x.rs", "use crate::workflows::track::Plan;"), 1);
    assert_eq!(arrows("src/workflows/sync/x.rs", "use crate::workflows::sync::Plan;"), 0);
    assert_eq!(arrows("src/ops/x.rs", "use super::super::media::Decoder;"), 0); // not seen: `unreachable` paths are reviewed
    assert_eq!(arrows("src/core/x.rs", "// crate::gpu is not known here"), 0);
    assert_eq!(arrows("src/ops/x.rs", "#[cfg(test)]\nmod tests { use crate::reference::Plane; }"), 0);
    assert_eq!(arrows("src/ops/x.rs", "use crate::reference::Plane;\n#[cfg(test)]\nmod tests {}"), 1);
    assert_eq!(arrows("src/ops/x.rs", "#[cfg(test)]\nmod tests { use crate::media::Decoder; }"), 1);
    let crates = |path: &str, text: &str| check_crates(&source(path, text)).len();
    assert_eq!(crates("src/ops/x.rs", "use wgpu::Buffer;"), 1);
    assert_eq!(crates("src/gpu/x.rs", "use wgpu::Buffer;"), 0);
    assert_eq!(crates("src/ops/x.rs", "use crate::gpu::wgpu::Buffer;"), 1);
    assert_eq!(crates("src/media/x.rs", "ort::init()"), 1);
    assert_eq!(crates("src/media/x.rs", "effort::init() // wgpu::Buffer"), 0);
    assert_eq!(crates("src/bin/frameloom/x.rs", "ffmpeg_next::init()"), 1);
}

#[test]
fn files_are_small_and_finished() {
    let mut bad = Vec::new();
    for source in sources("src").into_iter().chain(sources("kernels")) {
        let lines = source.text.lines().count();
        if lines > 600 {
            bad.push(format!("{}: {lines} lines", source.path));
        }
        for word in ["todo!", "unimplemented!", "FIXME", "XXX"] {
            if source.text.contains(word) {
                bad.push(format!("{}: {word}", source.path));
            }
        }
    }
    assert!(bad.is_empty(), "{bad:#?}");
}

/// The version printed in benchmark reports is the one that is built.
#[test]
fn the_named_wgpu_version_is_the_locked_one() {
    let lock = std::fs::read_to_string(root().join("Cargo.lock")).unwrap();
    let entry = lock.split("[[package]]").find(|p| p.contains("name = \"wgpu\"\n")).unwrap();
    assert!(entry.contains(&format!("version = \"{}\"", frameloom::gpu::WGPU_VERSION)), "{entry}");
}

fn report(found: Vec<Violation>) {
    let lines: Vec<String> = found.iter().map(ToString::to_string).collect();
    assert!(lines.is_empty(), "{lines:#?}");
}
