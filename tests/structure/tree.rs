//! The files of the package.

use std::path::{Path, PathBuf};

/// Folder of Cargo.toml.
pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// A source file: path from the root with `/`, and text.
#[derive(Debug)]
pub struct Source {
    pub path: String,
    pub text: String,
}

fn walk(folder: &Path, out: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries {
        let path = entry.unwrap().path();
        if path.is_dir() { walk(&path, out) } else { out.push(path) }
    }
}

/// Paths from the root of all files under `folder` with an extension, sorted.
pub fn files(folder: &str, extension: &str) -> Vec<String> {
    let mut paths = Vec::new();
    walk(&root().join(folder), &mut paths);
    let mut names: Vec<String> = paths
        .iter()
        .filter(|p| p.extension().is_some_and(|e| e == extension))
        .map(|p| p.strip_prefix(root()).unwrap().to_str().unwrap().replace('\\', "/"))
        .collect();
    names.sort();
    assert!(!names.is_empty(), "no .{extension} under {folder}");
    names
}

/// All Rust and WGSL files under `folder`.
pub fn sources(folder: &str) -> Vec<Source> {
    let extension = if folder == "kernels" { "wgsl" } else { "rs" };
    files(folder, extension)
        .into_iter()
        .map(|path| Source { text: std::fs::read_to_string(root().join(&path)).unwrap(), path })
        .collect()
}
