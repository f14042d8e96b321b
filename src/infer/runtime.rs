//! ONNX Runtime: finding and loading the shared library. `ort::` appears in this folder only.
//!
//! The library is loaded at run time, so that the program starts without it. It is looked for in `ORT_DYLIB_PATH`, then in a folder
//! `runtime` beside the program or up to three folders above it, in the working folder, and in the user's data folder.

use std::path::PathBuf;

use crate::error::{Error, Result};

/// Oldest runtime that is accepted: earlier ones read out of bounds on hostile models.
pub const OLDEST_RUNTIME: (u32, u32, u32) = (1, 24, 3);

const LIBRARY: &str = if cfg!(target_os = "windows") {
    "onnxruntime.dll"
} else if cfg!(target_os = "macos") {
    "libonnxruntime.dylib"
} else {
    "libonnxruntime.so"
};

/// The runtime in use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuntimeInfo {
    /// Shared library that was loaded.
    pub path: PathBuf,
    /// Version, as `1.31.1`.
    pub version: String,
    /// What the runtime says of its build.
    pub build: String,
}

/// Folders that are searched for the library, in order.
pub fn search_path() -> Vec<PathBuf> {
    let mut folders = Vec::new();
    if let Ok(exe) = std::env::current_exe() {
        folders.extend(exe.ancestors().skip(1).take(4).map(|a| a.join("runtime")));
    }
    folders.push(PathBuf::from("runtime"));
    let data = std::env::var_os("XDG_DATA_HOME")
        .map(PathBuf::from)
        .or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".local/share")));
    folders.extend(data.map(|d| d.join("frameloom/runtime")));
    folders
}

fn find_library() -> Result<PathBuf> {
    if let Some(given) = std::env::var_os("ORT_DYLIB_PATH") {
        let path = PathBuf::from(given);
        return if path.is_file() {
            Ok(path)
        } else {
            Err(Error::Model {
                cause: "runtime-missing",
                message: format!("ORT_DYLIB_PATH names no file: {}", path.display()),
            })
        };
    }
    search_path().into_iter().map(|f| f.join(LIBRARY)).find(|p| p.is_file()).ok_or_else(|| Error::Model {
        cause: "runtime-missing",
        message: format!(
            "ONNX Runtime ({LIBRARY}) was not found in {}",
            search_path().iter().map(|p| p.display().to_string()).collect::<Vec<_>>().join(", ")
        ),
    })
}

/// Loads the runtime (once per process) and says which one it is.
///
/// # Errors
/// [`Error::Model`] with cause `runtime-missing`, `runtime-too-old` or `invalid`.
pub fn load_runtime() -> Result<RuntimeInfo> {
    let path = find_library()?;
    let invalid = |message: String| Error::Model { cause: "invalid", message };
    let builder = ort::init_from(&path)
        .map_err(|e| invalid(format!("{} could not be loaded as ONNX Runtime: {e}", path.display())))?;
    // Built once to prove that it can be; sessions make their own.
    drop(builder.with_name("frameloom").build().map_err(|e| invalid(format!("{}: {e}", path.display())))?);
    let build = ort::info().to_owned();
    let version = version_of(&path).unwrap_or_default();
    if parse_version(&version).is_some_and(|v| v < OLDEST_RUNTIME) {
        let (a, b, c) = OLDEST_RUNTIME;
        return Err(Error::Model {
            cause: "runtime-too-old",
            message: format!("ONNX Runtime {version} is older than {a}.{b}.{c}: {}", path.display()),
        });
    }
    Ok(RuntimeInfo { path, version, build })
}

/// The version as the file name carries it (`libonnxruntime.so.1.31.1`), symbolic links followed.
fn version_of(path: &std::path::Path) -> Option<String> {
    let real = path.canonicalize().ok()?;
    let name = real.file_name()?.to_str()?;
    let version = name.split(".so.").nth(1)?;
    parse_version(version).map(|_| version.to_owned())
}

fn parse_version(text: &str) -> Option<(u32, u32, u32)> {
    let mut parts = text.split('.').map(|p| p.parse().ok());
    Some((parts.next()??, parts.next()??, parts.next()??))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_as_numbers() {
        assert!(parse_version("1.9.0") < parse_version("1.31.1"));
        assert_eq!(parse_version("1.31"), None);
        assert!(parse_version("1.24.2").is_some_and(|v| v < OLDEST_RUNTIME));
    }
}
