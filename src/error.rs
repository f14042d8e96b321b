//! One error type, ordered by who is at fault. Every variant has a stable code, an exit code and, where there is one, a hint.
//!
//! Messages say what was wanted, what was given and what to do; user data comes last. The codes are part of the API:
//! they are what scripts match on, see [`Error::code`] and [`Error::exit_code`].

use std::path::{Path, PathBuf};
use std::time::Duration;

mod hint;
mod worker;

pub use worker::WorkerCause;

/// Shorthand for results of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Everything that can go wrong, by who is at fault.
#[non_exhaustive]
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The command line or a call asks for something that does not make sense.
    #[error("{message}")]
    Usage {
        /// What was wanted and what was given.
        message: String,
        /// What to do instead.
        hint: Option<String>,
    },
    /// A setting is unknown or out of range.
    #[error("setting `{field}`: {message}")]
    Config {
        /// Dotted path of the setting.
        field: String,
        /// What was wanted and what was given.
        message: String,
    },
    /// A parameter, shape or data type does not fit an operation. Raised in `plan`, before any GPU work.
    #[error("{op}: `{name}` must be {wanted}, got {given}")]
    Parameter {
        /// Operation name, `<family>/<op>`.
        op: &'static str,
        /// Parameter or input that does not fit.
        name: &'static str,
        /// What is accepted.
        wanted: String,
        /// What was given.
        given: String,
    },
    /// An input does not exist or cannot be opened for reading.
    #[error("cannot read the input: {reason}: {}", path.display())]
    InputNotFound {
        /// Path as given.
        path: PathBuf,
        /// "no such file", "is a directory", "permission denied" and so on.
        reason: String,
    },
    /// An input is readable but its format, codec or pixel format is not supported.
    #[error("{what} is not supported: {}", path.display())]
    InputUnsupported {
        /// Path as given.
        path: PathBuf,
        /// Format, codec or pixel format, by its usual name.
        what: String,
        /// What to do instead.
        hint: Option<String>,
    },
    /// An input is damaged so that nothing usable came out of it.
    #[error("the input is damaged: {reason}: {}", path.display())]
    InputCorrupt {
        /// Path as given.
        path: PathBuf,
        /// What the demuxer, decoder or our checks saw.
        reason: String,
    },
    /// An input is larger than a limit allows. Raised before memory is allocated for it.
    #[error("{what} is {value}, over the limit of {limit} (`{name}`)")]
    LimitExceeded {
        /// Name of the limit in [`crate::core::limits::Limits`].
        name: &'static str,
        /// What was measured, in words.
        what: String,
        /// What the input declares or contains.
        value: u64,
        /// The limit in force.
        limit: u64,
    },
    /// A video or audio track was asked for that the input does not have.
    #[error("there is no {kind} track {index}; the input has {available}: {}", path.display())]
    TrackInvalid {
        /// Path as given.
        path: PathBuf,
        /// "video" or "audio".
        kind: &'static str,
        /// Track asked for, counted from 0 among tracks of its kind.
        index: usize,
        /// Number of tracks of that kind.
        available: usize,
    },
    /// The process that decodes an input ended before its work did. Frames before that are valid.
    #[error("the decoder process {cause} after {frames} frames{}: {}", tail(stderr), path.display())]
    DecodeWorker {
        /// Path as given.
        path: PathBuf,
        /// Why it ended.
        cause: WorkerCause,
        /// Frames of the input that were delivered before.
        frames: u64,
        /// Last lines of its standard error; empty when it said nothing.
        stderr: String,
    },
    /// The GPU or its driver.
    #[error("GPU: {0}")]
    Gpu(#[from] GpuError),
    /// A model file or the runtime that should execute it.
    #[error("model: {message}")]
    Model {
        /// Short cause, stable: `unpinned`, `hash-mismatch`, `truncated`, `invalid`, `custom-operator`, `external-data`, `symlink`, `task`,
        /// `runtime-missing`, `runtime-too-old`, `provider`, `input`, `run` and others, which the functions name that raise them.
        cause: &'static str,
        /// What was wanted and what was found.
        message: String,
    },
    /// A vector index.
    #[error("index: {message}")]
    Index {
        /// Short cause: `missing`, `corrupt`, `stale`, `foreign`, `invalid`.
        cause: &'static str,
        /// What was wanted and what was found.
        message: String,
    },
    /// State left by an earlier run (journal, cache, checkpoint).
    #[error("state: {0}")]
    State(#[from] StateError),
    /// Writing failed.
    #[error("cannot {action}: {source}: {}", path.display())]
    Storage {
        /// What was tried: "create", "write", "flush", "rename" and so on.
        action: &'static str,
        /// File or folder.
        path: PathBuf,
        /// The operating system's answer.
        #[source]
        source: std::io::Error,
    },
    /// A memory limit cannot be met, known before starting.
    #[error("this needs {needed_bytes} bytes of {kind} memory, the limit is {limit_bytes}")]
    Memory {
        /// "host" or "GPU".
        kind: &'static str,
        /// Least number of bytes with which the run can work.
        needed_bytes: u64,
        /// The limit given.
        limit_bytes: u64,
    },
    /// Something took longer than it may.
    #[error("{what} did not finish within {after:?}")]
    Deadline {
        /// What was waited for.
        what: String,
        /// The deadline.
        after: Duration,
    },
    /// The caller or a signal cancelled the work.
    #[error("cancelled")]
    Cancelled,
    /// Something that must not happen: a defect of this library.
    #[error("internal error (a bug, please report it): {0}")]
    Bug(String),
}

/// What can go wrong with a GPU.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GpuError {
    /// No adapter matches the request.
    #[error("no adapter for `{wanted}`; found: {found}")]
    Unavailable {
        /// What was asked for.
        wanted: String,
        /// Adapters seen, or what failed.
        found: String,
    },
    /// The adapter lacks a feature or limit that is needed.
    #[error("adapter `{adapter}` lacks {needed}")]
    Unsupported {
        /// Adapter name.
        adapter: String,
        /// Feature or limit: needed and available.
        needed: String,
    },
    /// The device was lost; nothing after the loss is believed.
    #[error("device lost: {0}")]
    Lost(String),
    /// The device ran out of memory.
    #[error("out of memory in {0}")]
    OutOfMemory(String),
    /// A wait ended at its deadline.
    #[error("{what} did not finish within {millis} ms")]
    Timeout {
        /// What was waited for.
        what: String,
        /// The deadline.
        millis: u64,
    },
    /// Validation or an internal error of the graphics stack: our bug or the driver's.
    #[error("{0}")]
    Internal(String),
}

/// What can be wrong with state left by an earlier run.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StateError {
    /// Another run owns the state folder.
    #[error("another run is using {}", .0.display())]
    Busy(PathBuf),
    /// The state was damaged.
    #[error("{reason}: {}", path.display())]
    Corrupt {
        /// File.
        path: PathBuf,
        /// What did not fit.
        reason: String,
    },
    /// The state belongs to a run with other settings.
    #[error("it belongs to a run with other settings (different: {}): {}", some_of(fields), path.display())]
    KeyMismatch {
        /// File.
        path: PathBuf,
        /// Names of the fields that differ.
        fields: Vec<String>,
    },
    /// The folder holds the outputs of another command: nothing of it is touched.
    #[error("it holds the outputs of `{owner}`, `{wanted}` needs a folder of its own: {}", path.display())]
    OtherCommand {
        /// Output folder.
        path: PathBuf,
        /// What wrote there.
        owner: String,
        /// What wants to.
        wanted: String,
    },
    /// The file is not ours: nothing of it is touched.
    #[error("it was not written by frameloom: {}", .0.display())]
    Foreign(PathBuf),
    /// The state was written by a newer version.
    #[error("it was written by a newer version ({found}, this one reads up to {known}): {}", path.display())]
    NewerVersion {
        /// File.
        path: PathBuf,
        /// Version found.
        found: u32,
        /// Newest version understood.
        known: u32,
    },
}

/// The first names of a list that may be long.
fn some_of(names: &[String]) -> String {
    const MOST: usize = 6;
    let shown = names.iter().take(MOST).cloned().collect::<Vec<_>>().join(", ");
    if names.len() > MOST { format!("{shown} and {} more", names.len() - MOST) } else { shown }
}

/// What a process said last, for a message.
fn tail(stderr: &str) -> String {
    let last = stderr.lines().rev().map(str::trim).find(|l| !l.is_empty()).unwrap_or_default();
    if last.is_empty() { String::new() } else { format!(" (it said: {})", last.chars().take(200).collect::<String>()) }
}

/// A second error that says the same: `io::Error` cannot be cloned.
#[cfg(feature = "store")]
pub(crate) fn same_error(e: &std::io::Error) -> std::io::Error {
    e.raw_os_error().map_or_else(|| std::io::Error::new(e.kind(), e.to_string()), std::io::Error::from_raw_os_error)
}

impl Error {
    /// A usage error without a hint.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::Usage { message: message.into(), hint: None }
    }

    /// An error of a model or its runtime with a short `cause`, see [`Error::Model`].
    pub fn model(cause: &'static str, message: impl Into<String>) -> Self {
        Self::Model { cause, message: message.into() }
    }

    /// A storage error for `action` on `path`.
    pub fn storage(action: &'static str, path: impl AsRef<Path>, source: std::io::Error) -> Self {
        Self::Storage { action, path: path.as_ref().to_path_buf(), source }
    }

    /// An input at `path` that cannot be read, in our words where there are some.
    pub fn unreadable(path: impl AsRef<Path>, e: &std::io::Error) -> Self {
        use std::io::ErrorKind as K;
        let reason = match e.kind() {
            K::NotFound => "no such file or folder".into(),
            K::PermissionDenied => "permission denied".into(),
            K::IsADirectory => "it is a folder, not a file".into(),
            K::NotADirectory => "a part of the path is a file, not a folder".into(),
            _ => e.to_string(),
        };
        Self::InputNotFound { path: path.as_ref().to_path_buf(), reason }
    }

    /// Stable machine-readable code, kebab-case.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Usage { .. } => "usage",
            Self::Config { .. } => "config",
            Self::Parameter { .. } => "parameter",
            Self::InputNotFound { .. } => "input-not-found",
            Self::InputUnsupported { .. } => "input-unsupported",
            Self::InputCorrupt { .. } => "input-corrupt",
            Self::LimitExceeded { .. } => "limit-exceeded",
            Self::TrackInvalid { .. } => "track-invalid",
            Self::DecodeWorker { cause, .. } => cause.code(),
            Self::Gpu(GpuError::Unavailable { .. }) => "gpu-unavailable",
            Self::Gpu(GpuError::Unsupported { .. }) => "gpu-unsupported",
            Self::Gpu(GpuError::Lost(_)) => "gpu-lost",
            Self::Gpu(GpuError::OutOfMemory(_)) => "gpu-out-of-memory",
            Self::Gpu(GpuError::Timeout { .. }) => "gpu-timeout",
            Self::Gpu(GpuError::Internal(_)) => "gpu-internal",
            Self::Model { .. } => "model",
            Self::Index { .. } => "index",
            Self::State(StateError::Busy(_)) => "state-busy",
            Self::State(StateError::Corrupt { .. }) => "state-corrupt",
            Self::State(StateError::KeyMismatch { .. }) => "state-key-mismatch",
            Self::State(StateError::OtherCommand { .. }) => "state-other-command",
            Self::State(StateError::Foreign(_)) => "state-foreign",
            Self::State(StateError::NewerVersion { .. }) => "state-newer-version",
            Self::Storage { source, .. } => match storage_kind(source) {
                StorageKind::NoSpace => "storage-no-space",
                StorageKind::Permission => "storage-permission",
                StorageKind::ReadOnly => "storage-read-only",
                StorageKind::Io => "storage-io",
            },
            Self::Memory { .. } => "memory",
            Self::Deadline { .. } => "deadline",
            Self::Cancelled => "cancelled",
            Self::Bug(_) => "bug",
        }
    }

    /// Process exit code; the table is in docs/troubleshooting.md and in `frameloom --help`.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Usage { .. } | Self::Config { .. } | Self::Parameter { .. } => 2,
            Self::InputNotFound { .. }
            | Self::InputUnsupported { .. }
            | Self::LimitExceeded { .. }
            | Self::TrackInvalid { .. } => 4,
            Self::InputCorrupt { .. } => 5,
            Self::Memory { .. } => 6,
            Self::Storage { .. } => 7,
            Self::Gpu(_) => 8,
            Self::Model { .. } | Self::Index { .. } => 9,
            Self::State(StateError::Busy(_)) => 10,
            Self::State(_) => 11,
            Self::DecodeWorker { .. } => 12,
            Self::Bug(_) => 101,
            Self::Deadline { .. } => 124,
            Self::Cancelled => 130,
        }
    }

    /// Whether the same call may succeed later without a change of input or settings.
    pub fn retryable(&self) -> bool {
        match self {
            Self::Gpu(e) => !matches!(e, GpuError::Unavailable { .. } | GpuError::Unsupported { .. }),
            Self::DecodeWorker { cause, .. } => !matches!(cause, WorkerCause::Quarantined { .. }),
            Self::State(StateError::Busy(_)) | Self::Storage { .. } | Self::Deadline { .. } | Self::Cancelled => true,
            _ => false,
        }
    }
}

#[derive(PartialEq, Eq)]
enum StorageKind {
    NoSpace,
    Permission,
    ReadOnly,
    Io,
}

fn storage_kind(e: &std::io::Error) -> StorageKind {
    use std::io::ErrorKind as K;
    match e.kind() {
        K::StorageFull | K::QuotaExceeded | K::FileTooLarge | K::WriteZero => StorageKind::NoSpace,
        K::PermissionDenied => StorageKind::Permission,
        K::ReadOnlyFilesystem => StorageKind::ReadOnly,
        _ => StorageKind::Io,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn full_disk_has_its_own_code_and_exit_seven() {
        let e = Error::storage("write", "/x", std::io::Error::from(std::io::ErrorKind::StorageFull));
        assert_eq!((e.code(), e.exit_code(), e.retryable()), ("storage-no-space", 7, true));
        assert!(e.hint().is_some());
    }

    #[test]
    fn user_data_comes_last_in_messages() {
        let e = Error::InputNotFound { path: "a\nb".into(), reason: "no such file".into() };
        assert_eq!(e.to_string(), "cannot read the input: no such file: a\nb");
    }
}
