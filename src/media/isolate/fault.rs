//! Errors on their way from the decoder process: plain data there, the same variants here, with the path that only this side knows.

use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::core::Limits;
use crate::error::{Error, GpuError};

/// An error as it is sent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub(super) enum Fault {
    Config { field: String, message: String },
    Unsupported { what: String, hint: Option<String> },
    Corrupt { reason: String },
    Limit { name: String, what: String, value: u64, limit: u64 },
    Track { index: usize, available: usize },
    GpuUnavailable { wanted: String, found: String },
    GpuUnsupported { adapter: String, needed: String },
    Storage { code: Option<i32>, text: String },
    Deadline { what: String, millis: u64 },
    Memory { needed: u64 },
    Cancelled,
    Other { text: String },
}

impl From<&Error> for Fault {
    fn from(e: &Error) -> Self {
        match e {
            Error::Config { field, message } => Self::Config { field: field.clone(), message: message.clone() },
            Error::InputUnsupported { what, hint, .. } => Self::Unsupported { what: what.clone(), hint: hint.clone() },
            Error::InputCorrupt { reason, .. } => Self::Corrupt { reason: reason.clone() },
            Error::LimitExceeded { name, what, value, limit } => {
                Self::Limit { name: (*name).to_owned(), what: what.clone(), value: *value, limit: *limit }
            }
            Error::TrackInvalid { index, available, .. } => Self::Track { index: *index, available: *available },
            Error::Gpu(GpuError::Unavailable { wanted, found }) => {
                Self::GpuUnavailable { wanted: wanted.clone(), found: found.clone() }
            }
            Error::Gpu(GpuError::Unsupported { adapter, needed }) => {
                Self::GpuUnsupported { adapter: adapter.clone(), needed: needed.clone() }
            }
            Error::Storage { source, .. } => Self::Storage { code: source.raw_os_error(), text: source.to_string() },
            Error::Deadline { what, after } => {
                Self::Deadline { what: what.clone(), millis: u64::try_from(after.as_millis()).unwrap_or(u64::MAX) }
            }
            Error::Memory { needed_bytes, .. } => Self::Memory { needed: *needed_bytes },
            Error::Cancelled => Self::Cancelled,
            other => Self::Other { text: other.to_string() },
        }
    }
}

impl Fault {
    /// The error it was, for the input at `path`.
    pub(super) fn into_error(self, path: &Path) -> Error {
        let path = path.to_path_buf();
        match self {
            Self::Config { field, message } => Error::Config { field, message },
            Self::Unsupported { what, hint } => Error::InputUnsupported { path, what, hint },
            Self::Corrupt { reason } => Error::InputCorrupt { path, reason },
            Self::Limit { name, what, value, limit } => match Limits::NAMES.into_iter().find(|n| *n == name) {
                Some(name) => Error::LimitExceeded { name, what, value, limit },
                None => Error::InputCorrupt { path, reason: format!("{what} is {value}, over the limit of {limit}") },
            },
            Self::Track { index, available } => Error::TrackInvalid { path, kind: "video", index, available },
            Self::GpuUnavailable { wanted, found } => Error::Gpu(GpuError::Unavailable { wanted, found }),
            Self::GpuUnsupported { adapter, needed } => Error::Gpu(GpuError::Unsupported { adapter, needed }),
            Self::Storage { code, text } => {
                let source = code.map_or_else(|| std::io::Error::other(text), std::io::Error::from_raw_os_error);
                Error::storage("read", path, source)
            }
            Self::Deadline { what, millis } => Error::Deadline { what, after: Duration::from_millis(millis) },
            Self::Memory { needed } => Error::Memory { kind: "host", needed_bytes: needed, limit_bytes: 0 },
            Self::Cancelled => Error::Cancelled,
            Self::Other { text } => Error::InputCorrupt { path, reason: text },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_come_back_as_they_were() {
        let path = Path::new("/in/x.mp4");
        let at = path.to_path_buf();
        let errors = [
            Error::Config { field: "a".into(), message: "b".into() },
            Error::InputUnsupported { path: at.clone(), what: "the codec `x`".into(), hint: Some("h".into()) },
            Error::InputCorrupt { path: at.clone(), reason: "r".into() },
            Error::LimitExceeded { name: "side", what: "w".into(), value: 9, limit: 8 },
            Error::TrackInvalid { path: at.clone(), kind: "video", index: 7, available: 1 },
            Error::Gpu(GpuError::Unavailable { wanted: "w".into(), found: "f".into() }),
            Error::Gpu(GpuError::Unsupported { adapter: "a".into(), needed: "n".into() }),
            Error::storage("read", &at, std::io::Error::from_raw_os_error(5)),
            Error::Deadline { what: "w".into(), after: Duration::from_secs(3) },
            Error::Cancelled,
        ];
        for e in errors {
            let json = serde_json::to_string(&Fault::from(&e)).unwrap();
            let back = serde_json::from_str::<Fault>(&json).unwrap().into_error(path);
            assert_eq!((back.to_string(), back.code()), (e.to_string(), e.code()));
        }
    }
}
