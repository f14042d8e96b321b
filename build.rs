//! Resolves `#import <folder>/<file>` in `kernels/` and hands the complete WGSL texts to the crate, nothing else.
//!
//! A file is inserted once, at its first import. An unknown name or a cycle fails the build and names the chain. Files under
//! `kernels/common/` are include-only; every other file is a kernel called by its path without extension. With each text goes a
//! line map, so that a message of the shader compiler can be traced to the real file.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

#[path = "build/resolve.rs"]
mod resolve;

fn kernels(root: &Path, folder: &Path, names: &mut Vec<String>) -> Result<(), String> {
    let entries = std::fs::read_dir(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    for entry in entries {
        let path = entry.map_err(|e| e.to_string())?.path();
        if path.is_dir() {
            kernels(root, &path, names)?;
        } else if path.extension().is_some_and(|e| e == "wgsl") {
            let relative = path.with_extension("");
            let relative = relative.strip_prefix(root).map_err(|e| e.to_string())?;
            let name = relative.to_string_lossy().replace('\\', "/");
            if !name.starts_with("common/") {
                names.push(name);
            }
        }
    }
    Ok(())
}

fn run() -> Result<(), String> {
    println!("cargo:rerun-if-changed=kernels");
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=build/resolve.rs");
    let root = PathBuf::from("kernels");
    let mut names = Vec::new();
    kernels(&root, &root, &mut names)?;
    names.sort();
    let mut code = String::from("&[\n");
    for name in &names {
        let load = |part: &str| {
            let path = root.join(format!("{part}.wgsl"));
            std::fs::read_to_string(&path).map_err(|e| format!("{e} ({})", path.display()))
        };
        let out = resolve::resolve(name, &load)?;
        write!(code, "    KernelSource {{ name: {name:?}, text: {:?}, map: &[", out.text).map_err(|e| e.to_string())?;
        for (line, file, first) in &out.map {
            write!(code, "({line}, {file:?}, {first}), ").map_err(|e| e.to_string())?;
        }
        code.push_str("] },\n");
    }
    code.push_str("]\n");
    let folder = std::env::var_os("OUT_DIR").ok_or("OUT_DIR is not set")?;
    let target = PathBuf::from(folder).join("kernels.rs");
    #[allow(clippy::disallowed_methods, reason = "build output, not durable state")]
    std::fs::write(&target, code).map_err(|e| format!("{}: {e}", target.display()))
}

fn main() {
    if let Err(message) = run() {
        println!("cargo::error={message}");
        std::process::exit(1);
    }
}
