//! Decoding in a process of its own.
//!
//! ```text
//! this process                                   decoder process: the same program, `decode-worker`
//! VideoDecoder -- job, places, free slots  --->  socket (fd 1); the input is fd 0, opened here; standard error is read here
//!              <-- shape, frames, end ----------
//!              <== slots of shared memory =====  the decoder's picture is copied into a slot, laid out as kernels read it
//! ```
//! The decoder process gets no path, opens nothing, and has limits: memory, CPU seconds, no core files, no files written; on Linux for
//! x86-64 and AArch64 the kernel refuses it files, sockets and programs (`sandbox`). Decoding on a device needs files and address space without
//! measure: there only core files and CPU seconds are limited. It is not trusted: every length and place
//! that it sends is checked, the shared memory cannot shrink under its reader (sealed), and pictures are copied out before anything looks at
//! them. So one that was taken over can lie about what is in its input, and do nothing else. Whatever ends it is told apart (`process`), and it ends when its parent does, because its socket closes then.
//!
//! What it costs is one more copy of each picture, on the other side's time. Another process that takes over decodes from the beginning, as the
//! same bytes can only be had that way: late in a long video that takes a while.
//!
//! A program that embeds this library is its own decoder process:
//! ```no_run
//! use frameloom::media::isolate::{WORKER_COMMAND, decode_worker};
//! use frameloom::media::{DecodeOptions, Isolation, VideoDecoder};
//!
//! # #[cfg(target_os = "linux")]
//! fn main() -> std::process::ExitCode {
//!     if std::env::args().nth(1).is_some_and(|a| a == WORKER_COMMAND) {
//!         return decode_worker();
//!     }
//!     let isolation = Isolation::this_program().ok();
//!     let options = DecodeOptions { isolation, ..DecodeOptions::default() };
//!     let mut decoder = VideoDecoder::open("clip.mp4", &options).expect("a video");
//!     while let Ok(Some(frame)) = decoder.next_frame() {
//!         println!("{:?}", frame.info().seconds());
//!     }
//!     std::process::ExitCode::SUCCESS
//! }
//! # #[cfg(not(target_os = "linux"))]
//! # fn main() {}
//! ```

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;

use crate::core::FrameLayout;
use crate::error::{Error, Result};

#[cfg(target_os = "linux")]
mod fault;
#[cfg(target_os = "linux")]
mod parent;
#[cfg(target_os = "linux")]
mod process;
mod registry;
#[cfg(target_os = "linux")]
mod ring;
#[cfg(target_os = "linux")]
mod sandbox;
#[cfg(target_os = "linux")]
mod wire;
#[cfg(target_os = "linux")]
mod worker;

#[cfg(target_os = "linux")]
pub(crate) use parent::IsolatedDecoder;
use registry::Registry;
#[cfg(target_os = "linux")]
pub(crate) use ring::SharedSlot;
#[cfg(target_os = "linux")]
pub use worker::decode_worker;

/// Name of the hidden subcommand with which the `frameloom` command becomes a decoder process.
pub const WORKER_COMMAND: &str = "decode-worker";

/// How decoder processes are started and what they may use. Clones belong together: they share the list of running processes and of
/// inputs that were given up.
///
/// The program is the embedder's: any executable whose `main` calls [`decode_worker`] when it is started with [`Self::arguments`].
/// The `frameloom` command is one.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Isolation {
    /// Program of the decoder process.
    pub program: PathBuf,
    /// Its arguments; [`WORKER_COMMAND`] unless changed.
    pub arguments: Vec<OsString>,
    /// Slots of shared memory, each for one picture; at least 2.
    pub slots: u32,
    /// Bytes that a decoder process may allocate, beside program code and shared slots.
    pub memory_bytes: u64,
    /// Seconds of CPU time that a decoder process may use.
    pub cpu_seconds: u64,
    /// Decoder processes that an input may cost. While it has not reached that number a new process goes on where the last one ended; then
    /// the input is given up, and not started again by any clone of this value.
    pub attempts: u32,
    registry: Arc<Registry>,
}

impl Isolation {
    /// Decoder processes that run `program` with [`WORKER_COMMAND`]; 3 slots, 4 GiB, 48 hours of CPU time, 2 attempts.
    pub fn new(program: impl Into<PathBuf>) -> Self {
        Self {
            program: program.into(),
            arguments: vec![WORKER_COMMAND.into()],
            slots: 3,
            memory_bytes: 4 << 30,
            cpu_seconds: 48 * 3600,
            attempts: 2,
            registry: Arc::default(),
        }
    }

    /// Decoder processes that run the program that is running now.
    ///
    /// # Errors
    /// [`Error::Usage`] when the system does not say which file that is.
    pub fn this_program() -> Result<Self> {
        std::env::current_exe().map(Self::new).map_err(|e| Error::Usage {
            message: format!("the running program's file is unknown: {e}"),
            hint: Some("name the program of the decoder process".into()),
        })
    }

    /// Bytes of memory shared with the decoder process of one track with frames of `layout`.
    pub fn shared_bytes(&self, layout: &FrameLayout) -> u64 {
        u64::from(self.slots.max(2)) * u64::from(layout.slot_bytes())
    }

    /// Decoder processes that are running now, by process id. For monitoring: each may end at any moment.
    pub fn workers(&self) -> Vec<u32> {
        self.registry.workers()
    }

    /// How many decoder processes ended before their work did.
    pub fn deaths(&self) -> u64 {
        self.registry.deaths()
    }
}
