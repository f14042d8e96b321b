//! What the libraries below expect of the environment, set before any thread exists.
#![allow(unsafe_code, reason = "changing the environment is unsafe once threads run; this is the first call of main")]

/// Drivers print an error per instance where `XDG_RUNTIME_DIR` is missing, as it is in containers; nothing is ever put into it.
pub(crate) fn settle() {
    if std::env::var_os("XDG_RUNTIME_DIR").is_none() {
        // SAFETY: called first thing in `main`, before any other thread is started.
        unsafe { std::env::set_var("XDG_RUNTIME_DIR", std::env::temp_dir()) };
    }
    // Builds of ONNX Runtime by its makers report to them unless told otherwise before they start.
    if std::env::var_os("ORT_DISABLE_TELEMETRY").is_none() {
        // SAFETY: as above.
        unsafe { std::env::set_var("ORT_DISABLE_TELEMETRY", "1") };
    }
}
