//! The runtime itself: missing, too old, something else. Each in a process of its own, because a process loads one runtime for ever.

use std::path::{Path, PathBuf};
use std::process::Command;

use frameloom::infer::{Provider, load_runtime};

/// What the processes below run: loads the runtime that ORT_DYLIB_PATH names and prints the cause.
#[test]
#[ignore = "run by the other tests in a process of its own"]
fn child_that_loads_a_runtime() {
    match load_runtime() {
        Ok(info) => println!("LOADED {}", info.version),
        Err(frameloom::Error::Model { cause, message }) => println!("REFUSED {cause}: {message}"),
        Err(other) => println!("OTHER {other}"),
    }
}

fn load_in_child(library: &Path) -> String {
    let out = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "runtime::child_that_loads_a_runtime", "--ignored", "--nocapture"])
        .env("ORT_DYLIB_PATH", library)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&out.stdout).into_owned();
    let line = text.lines().find(|l| ["LOADED", "REFUSED", "OTHER"].iter().any(|w| l.starts_with(w)));
    line.unwrap_or_else(|| panic!("{text}{}", String::from_utf8_lossy(&out.stderr))).to_owned()
}

/// A library that says it is ONNX Runtime of some version, and has nothing else.
fn library_of_version(folder: &Path, version: &str) -> Option<PathBuf> {
    let (source, library) = (folder.join("fake.c"), folder.join("libonnxruntime.so"));
    let code = format!(
        "#include <stddef.h>\nstatic const void *api(unsigned v) {{ return NULL; }}\n\
         static const char *version(void) {{ return \"{version}\"; }}\n\
         static const struct {{ const void *(*a)(unsigned); const char *(*v)(void); }} base = {{ api, version }};\n\
         const void *OrtGetApiBase(void) {{ return &base; }}\n"
    );
    std::fs::write(&source, code).unwrap();
    let built = Command::new("cc").args(["-shared", "-fPIC", "-o"]).arg(&library).arg(&source).status();
    if !built.is_ok_and(|s| s.success()) {
        eprintln!("NOT RUN (no C compiler): a runtime of version {version}");
        return None;
    }
    Some(library)
}

#[test]
fn one_that_is_missing() {
    let answer = load_in_child(Path::new("/nonexistent/libonnxruntime.so"));
    assert!(answer.starts_with("REFUSED runtime-missing") && answer.contains("ORT_DYLIB_PATH"), "{answer}");
}

#[test]
fn one_that_is_too_old() {
    let folder = tempfile::tempdir().unwrap();
    for version in ["1.17.1", "1.24.2"] {
        let Some(library) = library_of_version(folder.path(), version) else { return };
        let answer = load_in_child(&library);
        assert!(answer.starts_with("REFUSED runtime-too-old: ONNX Runtime 1.24.3 or newer is needed"), "{answer}");
        assert!(answer.contains(version), "{answer}");
    }
}

#[test]
fn one_that_is_something_else() {
    let folder = tempfile::tempdir().unwrap();
    let text = folder.path().join("libonnxruntime.so");
    std::fs::write(&text, "not a library").unwrap();
    assert!(load_in_child(&text).starts_with("REFUSED runtime-invalid"));
    if let Some(odd) = library_of_version(folder.path(), "newest") {
        assert!(load_in_child(&odd).starts_with("REFUSED runtime-invalid"));
    }
}

/// The makers' builds of the runtime open a database of reports and leave an identifier: not here.
#[test]
fn loading_leaves_nothing_in_the_home_of_the_user() {
    let home = tempfile::tempdir().unwrap();
    let library = load_runtime().unwrap().path.canonicalize().unwrap();
    let out = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "runtime::child_that_loads_a_runtime", "--ignored", "--nocapture"])
        .env("ORT_DYLIB_PATH", library)
        .env("HOME", home.path())
        .env_remove("XDG_CACHE_HOME")
        .env_remove("ORT_DISABLE_TELEMETRY")
        .env_remove("CI")
        .output()
        .unwrap();
    assert!(String::from_utf8_lossy(&out.stdout).contains("LOADED"), "{out:?}");
    let left: Vec<_> = std::fs::read_dir(home.path()).unwrap().map(|e| e.unwrap().path()).collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn the_real_one_loads_again_and_again() {
    let first = load_runtime().unwrap();
    assert_eq!(load_runtime().unwrap(), first);
    assert!(!first.build.is_empty() && first.version.split('.').count() == 3, "{first:?}");
    assert!(Provider::available().unwrap().contains(&Provider::Cpu));
}
