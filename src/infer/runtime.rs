//! ONNX Runtime: finding and loading the shared library. `ort::` appears in this folder only.
//!
//! The library is loaded at run time, so that the program starts without it. It is looked for in `ORT_DYLIB_PATH`, then in a folder
//! `runtime` beside the program or up to three folders above it, in the working folder, and in the user's data folder.
#![allow(
    unsafe_code,
    reason = "FFI: asking a shared library for its version before anything else of it is called; its telemetry switch"
)]

use std::ffi::{CStr, c_char};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use ort::environment::Environment;

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

/// ONNX Runtime allows one environment per process, for as long as the process lives: the one thing here that cannot be passed along.
static LOADED: Mutex<Option<(Environment, RuntimeInfo)>> = Mutex::new(None);

/// Folders that are searched for the library, in order.
pub fn search_path() -> Vec<PathBuf> {
    let mut folders = Vec::new();
    if let Ok(exe) = std::env::current_exe() {
        folders.extend(exe.ancestors().skip(1).take(4).map(|a| a.join("runtime")));
    }
    folders.push(PathBuf::from("runtime"));
    folders.extend(data_folder().map(|d| d.join("runtime")));
    folders
}

/// The user's data folder for this program: `$XDG_DATA_HOME/frameloom`, else `~/.local/share/frameloom`.
pub(super) fn data_folder() -> Option<PathBuf> {
    let base = std::env::var_os("XDG_DATA_HOME")
        .filter(|v| !v.is_empty())
        .map(PathBuf::from)
        .or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".local/share")))?;
    Some(base.join("frameloom"))
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
/// [`Error::Model`] with cause `runtime-missing`, `runtime-too-old` or `runtime-invalid`.
pub fn load_runtime() -> Result<RuntimeInfo> {
    environment().map(|(_, info)| info)
}

/// The environment that all sessions of this process share.
pub(super) fn environment() -> Result<(Environment, RuntimeInfo)> {
    let mut loaded = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = &*loaded {
        return Ok(known.clone());
    }
    let found = find_library()?;
    // Absolute: `ort` looks for relative paths beside the program first, which could be another file than the one checked here.
    let path = found.canonicalize().map_err(|e| invalid(&found, &e.to_string()))?;
    let version = library_version(&path)?;
    check_version(&version, &path)?;
    keep_quiet();
    let builder = ort::init_from(&path).map_err(|e| invalid(&path, &e.to_string()))?;
    let environment =
        builder.with_name("frameloom").with_telemetry(false).build().map_err(|e| invalid(&path, &e.to_string()))?;
    let info = RuntimeInfo { path: found, version, build: ort::info().to_owned() };
    *loaded = Some((environment.clone(), info.clone()));
    Ok((environment, info))
}

fn invalid(path: &Path, reason: &str) -> Error {
    Error::Model {
        cause: "runtime-invalid",
        message: format!("this is no usable ONNX Runtime: {reason}: {}", path.display()),
    }
}

/// Builds of ONNX Runtime by its makers report to them over the network, from the first call on, unless this variable is there: the
/// switch in the interface comes too late, because making the environment already sends a report and leaves an identifier in the user's cache.
/// The `frameloom` command sets it first thing; hosts of the library that run other threads do well to do the same.
const TELEMETRY_VARIABLE: &str = "ORT_DISABLE_TELEMETRY";

/// Sets [`TELEMETRY_VARIABLE`], unless somebody has decided about it already.
fn keep_quiet() {
    if std::env::var_os(TELEMETRY_VARIABLE).is_none() {
        // SAFETY: Rust's own accesses take a lock. A C library that reads the environment in another thread at this very moment could race;
        // the call is made once per process, and a report to strangers that nobody asked for is the certain alternative.
        unsafe { std::env::set_var(TELEMETRY_VARIABLE, "1") };
    }
}

/// Asks a library for its version. Its file name says nothing reliable: builds for Windows carry none, and files get renamed.
fn library_version(path: &Path) -> Result<String> {
    type GetBase = unsafe extern "system" fn() -> *const ort::sys::OrtApiBase;
    // SAFETY: loading a library runs its initialisers. This is the file that the user or the setup put where ONNX Runtime is to lie;
    // running it is what was asked for.
    let library = unsafe { libloading::Library::new(path) }.map_err(|e| invalid(path, &e.to_string()))?;
    // SAFETY: the entry point has had this name and type in all versions of ONNX Runtime since the C API exists.
    let entry = unsafe { library.get::<GetBase>(b"OrtGetApiBase\0") }.map_err(|e| invalid(path, &e.to_string()))?;
    // SAFETY: as above; the result points to a static of the library, which outlives the call, or is null.
    let base = unsafe { entry().as_ref() }.ok_or_else(|| invalid(path, "it gives no interface"))?;
    // SAFETY: the second member of the interface in all versions; it takes nothing.
    let text: *const c_char = unsafe { (base.GetVersionString)() };
    if text.is_null() {
        return Err(invalid(path, "it gives no version"));
    }
    // SAFETY: a NUL-terminated static string of the library, which is still loaded.
    Ok(unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned())
}

/// Refuses versions older than [`OLDEST_RUNTIME`], and those that cannot be read.
///
/// # Errors
/// [`Error::Model`] with cause `runtime-too-old` or `runtime-invalid`.
fn check_version(version: &str, path: &Path) -> Result<()> {
    let Some(found) = parse_version(version) else {
        return Err(invalid(path, &format!("its version `{version}` cannot be read")));
    };
    if found < OLDEST_RUNTIME {
        let (a, b, c) = OLDEST_RUNTIME;
        return Err(Error::Model {
            cause: "runtime-too-old",
            message: format!("ONNX Runtime {a}.{b}.{c} or newer is needed, this is {version}: {}", path.display()),
        });
    }
    Ok(())
}

/// `1.31.1`, `1.31` and `1.32.0-dev` as numbers.
fn parse_version(text: &str) -> Option<(u32, u32, u32)> {
    let numbers = text.split(['-', '+']).next()?;
    let mut parts = numbers.split('.').map(|p| p.parse().ok());
    let version = (parts.next()??, parts.next()??, parts.next().unwrap_or(Some(0))?);
    parts.next().is_none().then_some(version)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_as_numbers() {
        assert!(parse_version("1.9.0") < parse_version("1.31.1"));
        assert_eq!(parse_version("1.31"), Some((1, 31, 0)));
        assert_eq!(parse_version("1.32.0-dev"), Some((1, 32, 0)));
        for bad in ["", "1", "x.y.z", "1.2.3.4", "1..3"] {
            assert_eq!(parse_version(bad), None, "{bad}");
        }
    }

    #[test]
    fn what_is_too_old_or_unreadable_is_refused() {
        let cause = |version| match check_version(version, Path::new("x")) {
            Err(Error::Model { cause, .. }) => cause,
            other => panic!("{version}: {other:?}"),
        };
        assert_eq!(cause("1.24.2"), "runtime-too-old");
        assert_eq!(cause("0.99.99"), "runtime-too-old");
        assert_eq!(cause("newest"), "runtime-invalid");
        for good in ["1.24.3", "1.31.1", "2.0.0"] {
            assert!(check_version(good, Path::new("x")).is_ok(), "{good}");
        }
    }
}
