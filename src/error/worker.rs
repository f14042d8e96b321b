//! Why a decoder process ended.

use std::time::Duration;

/// Why a decoder process ended, or was not started.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WorkerCause {
    /// It ran out of memory: the kernel's OOM killer chose it (its counter moved), or an allocation failed within the process.
    OutOfMemory {
        /// How that is known.
        how: String,
    },
    /// Signal 9 from somebody else; the kernel's OOM counter did not move or cannot be read.
    Killed,
    /// Signal 11.
    SegmentationFault,
    /// Signal 6.
    Abort,
    /// Signal 7.
    BusError,
    /// Signal 24: it used up its CPU seconds.
    CpuLimit,
    /// Signal 31: it made a system call that it may not make.
    Forbidden,
    /// Another signal.
    Signal(i32),
    /// It exited with a code although nobody asked it to.
    Exit(i32),
    /// It made no progress for this long and was killed.
    Hung(Duration),
    /// It sent something that makes no sense.
    Protocol(String),
    /// It could not be started.
    NotStarted(String),
    /// Not started again: the input has cost as many decoder processes as it may.
    Quarantined {
        /// Number of processes that it has cost.
        deaths: u32,
    },
}

impl WorkerCause {
    /// Stable machine-readable code of the error with this cause.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::OutOfMemory { .. } => "decode-worker-oom",
            Self::Killed => "decode-worker-killed",
            Self::SegmentationFault => "decode-worker-segv",
            Self::Abort => "decode-worker-abort",
            Self::BusError => "decode-worker-bus",
            Self::CpuLimit => "decode-worker-cpu",
            Self::Forbidden => "decode-worker-seccomp",
            Self::Signal(_) => "decode-worker-signal",
            Self::Exit(_) => "decode-worker-exit",
            Self::Hung(_) => "decode-worker-hung",
            Self::Protocol(_) => "decode-worker-protocol",
            Self::NotStarted(_) => "decode-worker-start",
            Self::Quarantined { .. } => "decode-worker-quarantined",
        }
    }

    /// What the user can do about it.
    pub(super) fn hint(&self) -> Option<String> {
        let text = match self {
            Self::OutOfMemory { .. } => "raise the memory limit, or use fewer decoder threads",
            Self::Killed => {
                "somebody or the kernel's OOM killer ended it: look at free memory and at the kernel's log, then run again"
            }
            Self::SegmentationFault | Self::Abort | Self::BusError | Self::Forbidden => {
                "the input makes the decoder crash: do not decode it without isolation"
            }
            Self::CpuLimit => "raise the limit of CPU seconds if the input is trusted",
            Self::Hung(_) => "raise it with `--limit stall_seconds=N` if the machine is slow",
            Self::Quarantined { .. } => "the other inputs are not affected; look at this one by itself",
            _ => return None,
        };
        Some(text.into())
    }
}

impl std::fmt::Display for WorkerCause {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::OutOfMemory { how } => write!(f, "ran out of memory ({how})"),
            Self::Killed => f.write_str("was killed (signal 9)"),
            Self::SegmentationFault => f.write_str("crashed with a segmentation fault (signal 11)"),
            Self::Abort => f.write_str("aborted (signal 6)"),
            Self::BusError => f.write_str("crashed with a bus error (signal 7)"),
            Self::CpuLimit => f.write_str("used up its CPU time (signal 24)"),
            Self::Forbidden => f.write_str("made a forbidden system call (signal 31)"),
            Self::Signal(n) => write!(f, "was ended by signal {n}"),
            Self::Exit(n) => write!(f, "exited with code {n}"),
            Self::Hung(after) => write!(f, "made no progress for {:.1} s and was ended", after.as_secs_f64()),
            Self::Protocol(what) => write!(f, "sent something wrong ({what}) and was ended"),
            Self::NotStarted(why) => write!(f, "could not be started ({why})"),
            Self::Quarantined { deaths } => write!(f, "is not started again: the input has cost {deaths} of them"),
        }
    }
}
