//! Bytes for libavformat: our own open file behind a raw `AVIOContext`.
//!
//! FFmpeg sees neither path nor address, so names with any bytes work and nothing else can be opened. (The wrapper of
//! `ffmpeg-next` is not used: it drops unknown options silently, probes before limits can be set, and aborts the process
//! when its closure panics.)
#![allow(unsafe_code, reason = "FFI: AVIOContext and its callbacks")]

use std::ffi::{c_int, c_void};
use std::fs::File;
use std::mem::MaybeUninit;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use ffmpeg_next::ffi;

use super::ffmpeg::no_memory;
use super::files::open_regular;
use crate::core::CancelToken;
use crate::error::{Error, Result};

/// Bytes of the read buffer.
const BUFFER: usize = 64 << 10;
/// `EIO`, the same number on all Unix systems.
const EIO: c_int = 5;
/// `EINVAL`, likewise.
const EINVAL: c_int = 22;

/// A regular, non-empty file opened for reading.
#[derive(Debug)]
pub(crate) struct InputFile {
    pub(crate) path: PathBuf,
    pub(crate) file: Arc<File>,
    pub(crate) size: u64,
}

impl InputFile {
    /// The same open file once more.
    pub(crate) fn again(&self) -> Self {
        Self { path: self.path.clone(), file: Arc::clone(&self.file), size: self.size }
    }

    /// Opens `path`. Directories, devices, pipes and missing files are `InputNotFound`, an empty file is `InputCorrupt`.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let (file, size) = open_regular(path)?;
        if size == 0 {
            return Err(Error::InputCorrupt { path: path.to_path_buf(), reason: "the file is empty".into() });
        }
        Ok(Self { path: path.to_path_buf(), file: Arc::new(file), size })
    }
}

/// Decides whether FFmpeg may go on: cancellation and a deadline since the last progress.
#[derive(Debug)]
pub(crate) struct Watch {
    cancel: CancelToken,
    stall: Duration,
    start: Instant,
    progress_ms: AtomicU64,
    verdict: AtomicU8,
    pulse: OnceLock<Arc<AtomicU64>>,
}

const RUNNING: u8 = 0;
const CANCELLED: u8 = 1;
const STALLED: u8 = 2;

impl Watch {
    pub(crate) fn new(cancel: CancelToken, stall_seconds: u64) -> Arc<Self> {
        Arc::new(Self {
            cancel,
            stall: Duration::from_secs(stall_seconds),
            start: Instant::now(),
            progress_ms: AtomicU64::new(0),
            verdict: AtomicU8::new(RUNNING),
            pulse: OnceLock::new(),
        })
    }

    /// Counts progress in `pulse` as well, for a watcher on another thread.
    pub(crate) fn share(&self, pulse: Arc<AtomicU64>) {
        // A watch belongs to one demuxer, and that to one decoder: there is no second pulse.
        let _ = self.pulse.set(pulse);
    }

    /// Something new was read, parsed or decoded.
    pub(crate) fn progress(&self) {
        let ms = u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.progress_ms.store(ms, Ordering::Relaxed);
        if let Some(pulse) = self.pulse.get() {
            pulse.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Whether it has to stop now.
    pub(crate) fn stop(&self) -> bool {
        if self.cancel.is_cancelled() {
            self.verdict.store(CANCELLED, Ordering::Relaxed);
            return true;
        }
        let since =
            self.start.elapsed().saturating_sub(Duration::from_millis(self.progress_ms.load(Ordering::Relaxed)));
        if since > self.stall {
            self.verdict.store(STALLED, Ordering::Relaxed);
            return true;
        }
        false
    }

    /// `Err(Cancelled)` or `Err(Deadline)` once it has to stop.
    pub(crate) fn check(&self) -> Result<()> {
        self.stop();
        match self.verdict.load(Ordering::Relaxed) {
            CANCELLED => Err(Error::Cancelled),
            STALLED => Err(Error::Deadline { what: "reading the input (no progress)".into(), after: self.stall }),
            _ => Ok(()),
        }
    }
}

struct State {
    file: Arc<File>,
    size: u64,
    position: u64,
    bytes_read: u64,
    furthest: u64,
    error: Option<std::io::Error>,
    watch: Arc<Watch>,
}

impl State {
    fn read(&mut self, buffer: &mut [MaybeUninit<u8>]) -> c_int {
        loop {
            if self.watch.stop() {
                return ffi::AVERROR_EXIT;
            }
            match rustix::io::pread(&*self.file, &mut *buffer, self.position) {
                Ok(([], _)) => return ffi::AVERROR_EOF,
                Ok((read, _)) => {
                    let n = read.len() as u64;
                    self.position = self.position.saturating_add(n);
                    self.bytes_read = self.bytes_read.saturating_add(n);
                    if self.position > self.furthest {
                        // Reading the same bytes again is no progress: an endless loop must end at the deadline.
                        self.furthest = self.position;
                        self.watch.progress();
                    }
                    return c_int::try_from(n).unwrap_or(-EIO);
                }
                Err(rustix::io::Errno::INTR) => {}
                Err(e) => {
                    self.error = Some(e.into());
                    return -e.raw_os_error().max(1);
                }
            }
        }
    }

    fn seek(&mut self, offset: i64, whence: c_int) -> i64 {
        let base = match whence & !ffi::AVSEEK_FORCE {
            ffi::AVSEEK_SIZE => return i64::try_from(self.size).unwrap_or(i64::from(-EIO)),
            0 => 0,
            1 => self.position,
            2 => self.size,
            _ => return i64::from(-EINVAL),
        };
        match i64::try_from(base).ok().and_then(|b| b.checked_add(offset)).filter(|p| *p >= 0) {
            Some(position) => {
                self.position = position.unsigned_abs();
                position
            }
            None => i64::from(-EINVAL),
        }
    }
}

unsafe extern "C" fn on_read(opaque: *mut c_void, buffer: *mut u8, length: c_int) -> c_int {
    let Some(length) = usize::try_from(length).ok().filter(|n| *n > 0) else { return -EINVAL };
    catch_unwind(AssertUnwindSafe(|| {
        // SAFETY: `opaque` is the `State` of the `Io` that owns this context, used by one thread at a time; FFmpeg's
        // buffer has `length` writable bytes, maybe not initialised.
        let (state, buffer) = unsafe {
            (&mut *opaque.cast::<State>(), std::slice::from_raw_parts_mut(buffer.cast::<MaybeUninit<u8>>(), length))
        };
        state.read(buffer)
    }))
    .unwrap_or(-EIO)
}

unsafe extern "C" fn on_seek(opaque: *mut c_void, offset: i64, whence: c_int) -> i64 {
    catch_unwind(AssertUnwindSafe(|| {
        // SAFETY: as in `on_read`.
        unsafe { &mut *opaque.cast::<State>() }.seek(offset, whence)
    }))
    .unwrap_or(i64::from(-EIO))
}

unsafe extern "C" fn on_interrupt(opaque: *mut c_void) -> c_int {
    catch_unwind(AssertUnwindSafe(|| {
        // SAFETY: `opaque` is the `Watch` kept alive by the `Io`; shared access only.
        c_int::from(unsafe { &*opaque.cast::<Watch>() }.stop())
    }))
    .unwrap_or(1)
}

/// Refuses to open anything: containers that refer to other files end here.
pub(crate) unsafe extern "C" fn refuse_open(
    _: *mut ffi::AVFormatContext,
    _: *mut *mut ffi::AVIOContext,
    _: *const std::ffi::c_char,
    _: c_int,
    _: *mut *mut ffi::AVDictionary,
) -> c_int {
    -1 // EPERM
}

/// An `AVIOContext` over an [`InputFile`]. Must outlive the format context that uses it.
pub(crate) struct Io {
    context: *mut ffi::AVIOContext,
    state: *mut State,
    watch: Arc<Watch>,
}

// SAFETY: context and state are heap objects without thread affinity, reached only through their one owner.
unsafe impl Send for Io {}

impl Io {
    pub(crate) fn new(input: &InputFile, watch: Arc<Watch>) -> Result<Self> {
        let state = Box::into_raw(Box::new(State {
            file: Arc::clone(&input.file),
            size: input.size,
            position: 0,
            bytes_read: 0,
            furthest: 0,
            error: None,
            watch: Arc::clone(&watch),
        }));
        // SAFETY: the buffer comes from av_malloc as required and is given to the context, which is checked for null.
        let context = unsafe {
            let buffer = ffi::av_mallocz(BUFFER).cast::<u8>();
            let context = if buffer.is_null() {
                std::ptr::null_mut()
            } else {
                ffi::avio_alloc_context(buffer, BUFFER as c_int, 0, state.cast(), Some(on_read), None, Some(on_seek))
            };
            if context.is_null() {
                ffi::av_free(buffer.cast());
                drop(Box::from_raw(state));
                return Err(no_memory(BUFFER));
            }
            context
        };
        Ok(Self { context, state, watch })
    }

    pub(crate) fn as_ptr(&self) -> *mut ffi::AVIOContext {
        self.context
    }

    pub(crate) fn interrupt(&self) -> ffi::AVIOInterruptCB {
        ffi::AVIOInterruptCB { callback: Some(on_interrupt), opaque: Arc::as_ptr(&self.watch).cast_mut().cast() }
    }

    /// Bytes read from the file so far.
    pub(crate) fn bytes_read(&self) -> u64 {
        // SAFETY: the state lives as long as `self`, and no callback runs while the owner is here.
        unsafe { (*self.state).bytes_read }
    }

    /// The operating system's error that ended reading, if any.
    pub(crate) fn take_error(&mut self) -> Option<std::io::Error> {
        // SAFETY: as above, and `self` is borrowed mutably.
        unsafe { (*self.state).error.take() }
    }
}

impl Drop for Io {
    fn drop(&mut self) {
        // SAFETY: FFmpeg may have replaced the buffer, so the context's own pointer is freed; the format context that used
        // this one is gone by now.
        unsafe {
            ffi::av_freep((&raw mut (*self.context).buffer).cast());
            ffi::avio_context_free(&raw mut self.context);
            drop(Box::from_raw(self.state));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_progress_ends_at_the_deadline_and_cancelling_at_once() {
        let watch = Watch::new(CancelToken::new(), 0);
        std::thread::sleep(Duration::from_millis(5));
        assert!(matches!(watch.check(), Err(Error::Deadline { .. })));
        let token = CancelToken::new();
        let watch = Watch::new(token.clone(), 30);
        assert!(watch.check().is_ok());
        token.cancel();
        assert!(matches!(watch.check(), Err(Error::Cancelled)));
    }

    #[test]
    fn reading_the_same_bytes_again_is_no_progress() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        std::fs::File::create(&path).unwrap().set_len(64).unwrap();
        let input = InputFile::open(&path).unwrap();
        let watch = Watch::new(CancelToken::new(), 1);
        let io = Io::new(&input, Arc::clone(&watch)).unwrap();
        let mut buffer = [0u8; 64];
        for _ in 0..3 {
            // SAFETY: a valid context with its own callbacks.
            let state = unsafe { (*io.as_ptr()).opaque };
            // SAFETY: as FFmpeg calls them.
            let n = unsafe { on_seek(state, 0, 0) + i64::from(on_read(state, buffer.as_mut_ptr(), 64)) };
            assert_eq!(n, 64);
            std::thread::sleep(Duration::from_millis(400));
        }
        assert_eq!(io.bytes_read(), 192);
        assert!(matches!(watch.check(), Err(Error::Deadline { .. })));
    }
}
