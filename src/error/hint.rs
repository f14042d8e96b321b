//! What to do about an error.

use super::{Error, GpuError, StateError, StorageKind, storage_kind};

impl Error {
    /// What the user can do about it, where the message alone does not say.
    pub fn hint(&self) -> Option<String> {
        let fixed = match self {
            Self::Usage { hint, .. } | Self::InputUnsupported { hint, .. } => return hint.clone(),
            Self::InputNotFound { .. } => "check the path, which begins at the current folder, and its permissions",
            Self::InputCorrupt { .. } => {
                "get the file again from its source, or give another one; of a video, `ffmpeg -v error -i FILE -f null -` shows what is wrong"
            }
            Self::LimitExceeded { name, .. } => {
                return Some(format!("raise it with `--limit {name}=N` if the input is trusted"));
            }
            Self::TrackInvalid { available: 0, kind, .. } => {
                return Some(format!("give a file with {kind} in it; `frameloom probe FILE` lists the tracks"));
            }
            Self::TrackInvalid { .. } => "tracks of a kind are counted from 0; `frameloom probe FILE` lists them",
            Self::DecodeWorker { cause, .. } => return cause.hint(),
            Self::Gpu(e) => return gpu(e).map(String::from),
            Self::Memory { limit_bytes: 0, .. } => "free some memory of the machine",
            Self::Memory { kind, needed_bytes, .. } => {
                let least = needed_bytes.div_ceil(1 << 20);
                // Commands that count all memory as one have the first flag only.
                return Some(match *kind {
                    "GPU" => format!(
                        "raise `--gpu-memory-limit`, or `--memory-limit` where the command has no other, to {least} or more"
                    ),
                    _ => format!("raise `--memory-limit` to {least} or more, or work on fewer inputs at a time"),
                });
            }
            Self::State(e) => state(e),
            Self::Storage { source, .. } => return storage(source).map(String::from),
            Self::Model { cause, .. } => return model(cause).map(String::from),
            Self::Index { cause: "corrupt" | "foreign", .. } => {
                "`frameloom index build` makes an index anew; give it a folder of its own"
            }
            _ => return None,
        };
        Some(fixed.into())
    }
}

fn gpu(e: &GpuError) -> Option<&'static str> {
    match e {
        // Decoding is asked for by FFmpeg's name of a device type.
        GpuError::Unavailable { wanted, .. } if wanted.starts_with("decoding with ") => {
            Some("`--hwaccel auto` takes what there is, `--hwaccel off` decodes on the CPU")
        }
        GpuError::Unavailable { .. } => Some(
            "take one of those with `--device`; without a GPU install the software adapter (Debian: mesa-vulkan-drivers); `frameloom doctor` \
             shows what is there",
        ),
        _ => None,
    }
}

fn state(e: &StateError) -> &'static str {
    match e {
        StateError::Busy(_) => "wait for it to end, or use another output folder",
        StateError::KeyMismatch { .. } => "use another output folder, or `--restart` to begin anew",
        StateError::Corrupt { .. } => "`--restart` discards the damaged state and begins anew",
        StateError::OtherCommand { .. } | StateError::Foreign(_) => "use another output folder",
        StateError::NewerVersion { .. } => "use that version, or another output folder",
    }
}

fn storage(e: &std::io::Error) -> Option<&'static str> {
    use std::io::ErrorKind as K;
    match (storage_kind(e), e.kind()) {
        (StorageKind::NoSpace, _) => Some("free some space and run the same command again: finished parts are kept"),
        (StorageKind::Permission, _) => Some("choose another output, or change the permissions of the folder"),
        (StorageKind::ReadOnly, _) => Some("the file system is mounted read-only: choose another output"),
        (_, K::AlreadyExists) => Some("a file has the name of the folder: choose another output"),
        (_, K::NotADirectory) => Some("a part of the path is a file: choose another output"),
        (_, K::IsADirectory) => Some("a folder has the name of the file: choose another output"),
        (_, K::NotFound) => {
            Some("the folder above it is not there, or cannot be written to: make it first, or choose another output")
        }
        _ => None,
    }
}

fn model(cause: &str) -> Option<&'static str> {
    match cause {
        "runtime-missing" => Some(
            "run `scripts/setup.sh`, or set ORT_DYLIB_PATH to libonnxruntime.so, or put libonnxruntime.so into \
             ~/.local/share/frameloom/runtime",
        ),
        "runtime-too-old" | "runtime-invalid" => {
            Some("run `scripts/setup.sh`, or set ORT_DYLIB_PATH to a newer libonnxruntime.so")
        }
        "unpinned" => Some("list it with `frameloom models import FILE --task TASK --write`"),
        "hash-mismatch" => Some(
            "get the file again from its source; when the change is wanted, put the new SHA-256 into its entry of models.toml: \
             `frameloom models inspect FILE` shows it",
        ),
        "truncated" => Some("get the file again from its source"),
        "invalid" => Some("give a file in the format of ONNX: exporters call it `.onnx`"),
        "manifest" => Some("`frameloom models import FILE --task TASK` shows what a whole entry looks like"),
        "missing" => Some("check the path; `frameloom models list` shows what is listed"),
        "unknown" | "no-manifest" => {
            Some("`frameloom models list` shows what is there; folders come from `--models DIR` and FRAMELOOM_MODELS")
        }
        "task" => Some("`frameloom models list` shows what each model is for"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::io::ErrorKind;

    use super::*;

    #[test]
    fn what_people_meet_first_says_what_to_do() {
        for e in [
            Error::unreadable("x", &std::io::Error::from(ErrorKind::NotFound)),
            Error::InputCorrupt { path: "x".into(), reason: "r".into() },
            Error::TrackInvalid { path: "x".into(), kind: "video", index: 0, available: 0 },
            GpuError::Unavailable { wanted: "9".into(), found: "0".into() }.into(),
            StateError::Busy("x".into()).into(),
            Error::storage("create", "x", ErrorKind::NotADirectory.into()),
            Error::storage("create", "x", ErrorKind::PermissionDenied.into()),
            Error::model("unknown", "m"),
        ] {
            assert!(e.hint().is_some(), "{e}");
        }
        let decoding = Error::Gpu(GpuError::Unavailable { wanted: "decoding with x".into(), found: "y".into() });
        assert!(decoding.hint().is_some_and(|h| h.contains("--hwaccel")));
    }

    #[test]
    fn memory_names_a_flag_that_the_command_has() {
        let of = |kind, limit_bytes| Error::Memory { kind, needed_bytes: (80 << 20) + 1, limit_bytes }.hint().unwrap();
        assert!(of("host", 1 << 20).starts_with("raise `--memory-limit` to 81 or more"));
        // Only some commands count the memory of the GPU apart.
        let gpu = of("GPU", 1 << 20);
        assert!(
            gpu.contains("`--gpu-memory-limit`") && gpu.contains("`--memory-limit`") && gpu.contains(" 81 "),
            "{gpu}"
        );
        assert!(!of("host", 0).contains("--memory-limit"), "no flag gives the machine more");
    }

    #[test]
    fn models_are_mended_by_what_works() {
        let of = |cause| Error::model(cause, "m").hint().unwrap();
        assert!(of("runtime-missing").contains("~/.local/share/frameloom/runtime"));
        let changed = of("hash-mismatch");
        assert!(
            changed.contains("models inspect") && changed.contains("models.toml") && !changed.contains("import"),
            "{changed}"
        );
    }
}
