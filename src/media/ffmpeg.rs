//! What all FFmpeg wrappers share: one-time set-up, captured log messages, error texts.
#![allow(unsafe_code, reason = "FFI: FFmpeg's log callback and C strings")]

use std::collections::{BTreeMap, VecDeque};
use std::ffi::{CStr, c_char, c_int};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, Once, PoisonError, Weak};

use ffmpeg_next as ff;
use ffmpeg_next::ffi;

use crate::core::Rational;
use crate::error::Error;

pub(crate) use ff::error::EAGAIN;

/// Lines kept per sink.
const KEPT_LINES: usize = 16;

/// Messages of one demuxer or one decoder: counts and the last lines.
#[derive(Debug, Default)]
pub(crate) struct LogSink {
    errors: AtomicU64,
    warnings: AtomicU64,
    lines: Mutex<VecDeque<String>>,
    /// Bytes of a picture of the stream.
    picture: AtomicU64,
    /// Memory was refused.
    refused: AtomicBool,
}

/// Sinks by address. FFmpeg carries the address in the `opaque` field of its contexts (copied to the contexts of its own
/// threads); looking it up here instead of following it keeps contexts of other owners harmless.
static SINKS: Mutex<BTreeMap<usize, Weak<LogSink>>> = Mutex::new(BTreeMap::new());

impl LogSink {
    /// A new registered sink.
    pub(crate) fn new() -> Arc<Self> {
        let sink = Arc::new(Self::default());
        SINKS.lock().unwrap_or_else(PoisonError::into_inner).insert(sink.address(), Arc::downgrade(&sink));
        sink
    }

    /// Value for an `opaque` field. Never dereferenced.
    pub(crate) fn address(&self) -> usize {
        std::ptr::from_ref(self).addr()
    }

    /// Messages of level error or worse.
    pub(crate) fn errors(&self) -> u64 {
        self.errors.load(Ordering::Relaxed)
    }

    /// Messages of level warning.
    pub(crate) fn warnings(&self) -> u64 {
        self.warnings.load(Ordering::Relaxed)
    }

    /// Says how large pictures are: whether there was memory for one decides what a complaint about memory means.
    pub(crate) fn expect_pictures(&self, bytes: u64) {
        self.picture.store(bytes, Ordering::Relaxed);
    }

    /// Whether memory was refused, to go by what was said and by what could be had at that moment. Some decoders, that of H.264 among them,
    /// return the code of damaged data then.
    pub(crate) fn refused_memory(&self) -> bool {
        self.refused.load(Ordering::Relaxed)
    }

    /// The newest kept line.
    pub(crate) fn last_line(&self) -> Option<String> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).back().cloned()
    }

    /// The newest kept line in brackets, to be put behind an error text.
    pub(crate) fn detail(&self) -> String {
        self.last_line().map(|l| format!(" ({l})")).unwrap_or_default()
    }

    /// Whether a kept line contains `text`.
    pub(crate) fn mentions(&self, text: &str) -> bool {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).iter().any(|l| l.contains(text))
    }

    fn add(&self, level: c_int, line: String) {
        if level <= ffi::AV_LOG_ERROR && about_memory(&line) && !can_have(self.picture.load(Ordering::Relaxed)) {
            self.refused.store(true, Ordering::Relaxed);
        }
        let counter = if level <= ffi::AV_LOG_ERROR { &self.errors } else { &self.warnings };
        counter.fetch_add(1, Ordering::Relaxed);
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() >= KEPT_LINES {
            lines.pop_front();
        }
        lines.push_back(line);
    }
}

/// Whether a message may mean that memory was refused. The same are said of pictures of impossible sizes.
fn about_memory(line: &str) -> bool {
    ["get_buffer() failed", "alloc", "memory", "init() failed"].iter().any(|t| line.contains(t))
}

/// Whether so many bytes can be had now; they are given back untouched.
fn can_have(bytes: u64) -> bool {
    let mut trial = Vec::<u8>::new();
    let had = usize::try_from(bytes).is_ok_and(|n| trial.try_reserve_exact(n).is_ok());
    // Or the compiler leaves the trial out.
    std::hint::black_box(&trial);
    had
}

impl Drop for LogSink {
    fn drop(&mut self) {
        let address = self.address();
        SINKS.lock().unwrap_or_else(PoisonError::into_inner).remove(&address);
    }
}

/// Sends FFmpeg's messages to sinks instead of stderr; those of contexts without a sink are dropped. Cheap after the first
/// call.
pub(crate) fn init() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // Fills the wrapper's table of error texts, and cannot fail; nothing else needs registration since FFmpeg 4.
        ff::init().ok();
        // SAFETY: both functions only store their argument; the callback is a plain function that lives for ever.
        #[cfg(all(target_arch = "x86_64", unix))]
        unsafe {
            ffi::av_log_set_level(ffi::AV_LOG_WARNING);
            ffi::av_log_set_callback(Some(on_log));
        }
        // Elsewhere the C type of a variable argument list has another shape; messages are dropped, verdicts then
        // rest on error codes, frame flags and counts alone.
        // SAFETY: stores an integer.
        #[cfg(not(all(target_arch = "x86_64", unix)))]
        unsafe {
            ffi::av_log_set_level(ffi::AV_LOG_QUIET);
        }
    });
}

#[cfg(all(target_arch = "x86_64", unix))]
unsafe extern "C" fn on_log(
    context: *mut std::ffi::c_void,
    level: c_int,
    format: *const c_char,
    args: *mut ffi::__va_list_tag,
) {
    if level > ffi::AV_LOG_WARNING {
        return;
    }
    // A panic must not unwind into C.
    let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let mut buffer = [0u8; 512];
        let mut prefix: c_int = 0;
        // SAFETY: FFmpeg hands a valid context, format and argument list; the buffer's length is given.
        unsafe {
            ffi::av_log_format_line2(context, level, format, args, buffer.as_mut_ptr().cast(), 512, &raw mut prefix);
        }
        let text = CStr::from_bytes_until_nul(&buffer).unwrap_or_default().to_string_lossy();
        // File contents get into messages: nothing that a terminal would obey may stay in.
        let line: String = text.trim_end().chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
        // SAFETY: `context` is null or the pointer FFmpeg logs with, alive during the call.
        let address = unsafe { owner(context) };
        let sink = SINKS.lock().unwrap_or_else(PoisonError::into_inner).get(&address).and_then(Weak::upgrade);
        if let Some(sink) = sink {
            sink.add(level, line);
        }
    }));
}

/// The `opaque` value of a format or codec context, 0 for everything else.
///
/// # Safety
/// `context` is null or points to a live structure whose first field is a pointer to its `AVClass`.
#[cfg(all(target_arch = "x86_64", unix))]
unsafe fn owner(context: *mut std::ffi::c_void) -> usize {
    if context.is_null() {
        return 0;
    }
    // SAFETY: see above; the class tells which structure it is before a field of it is read.
    unsafe {
        let class = *context.cast::<*const ffi::AVClass>();
        if class == ffi::avcodec_get_class() {
            (*context.cast::<ffi::AVCodecContext>()).opaque.addr()
        } else if class == ffi::avformat_get_class() {
            (*context.cast::<ffi::AVFormatContext>()).opaque.addr()
        } else {
            0
        }
    }
}

/// FFmpeg's text for an error code.
pub(crate) fn error_text(code: c_int) -> String {
    let mut buffer = [0u8; 128];
    // SAFETY: writes at most the given length and terminates it.
    unsafe { ffi::av_strerror(code, buffer.as_mut_ptr().cast(), buffer.len()) };
    CStr::from_bytes_until_nul(&buffer).unwrap_or_default().to_string_lossy().into_owned()
}

/// FFmpeg got no memory for something of `needed` bytes.
pub(crate) const fn no_memory(needed: usize) -> Error {
    Error::Memory { kind: "host", needed_bytes: needed as u64, limit_bytes: 0 }
}

/// A rational as FFmpeg's wrapper takes it.
pub(crate) fn ratio(r: Rational) -> ff::Rational {
    ff::Rational(r.num, r.den)
}

/// Copies a C string; `None` for null and empty ones.
///
/// # Safety
/// `text` is null or points to a terminated string that stays valid during the call.
pub(crate) unsafe fn string(text: *const c_char) -> Option<String> {
    if text.is_null() {
        return None;
    }
    // SAFETY: see above.
    let s = unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned();
    (!s.is_empty()).then_some(s)
}

/// Codecs that people expect, and whether the linked FFmpeg has a decoder or encoder for them.
pub fn codec_support() -> Vec<(&'static str, bool)> {
    let has = |name: &str, encoder: bool| {
        let Ok(name) = std::ffi::CString::new(name) else { return false };
        // SAFETY: the name is a valid C string for the duration of the call; the result is only compared with null.
        let found = unsafe {
            if encoder {
                ffi::avcodec_find_encoder_by_name(name.as_ptr())
            } else {
                ffi::avcodec_find_decoder_by_name(name.as_ptr())
            }
        };
        !found.is_null()
    };
    let any = |names: &[&str], encoder| names.iter().any(|n| has(n, encoder));
    vec![
        ("h264", any(&["h264"], false)),
        ("hevc", any(&["hevc"], false)),
        ("av1", any(&["libdav1d", "libaom-av1", "av1"], false)),
        ("vp9", any(&["vp9", "libvpx-vp9"], false)),
        ("mpeg2", any(&["mpeg2video"], false)),
        ("mpeg4", any(&["mpeg4"], false)),
        ("prores", any(&["prores"], false)),
        ("aac", any(&["aac"], false)),
        ("opus", any(&["opus", "libopus"], false)),
        ("h264 encoder", any(&["libx264", "libopenh264", "h264_nvenc", "h264_vaapi"], true)),
        ("mpeg4 encoder", any(&["mpeg4"], true)),
    ]
}

/// Versions of the FFmpeg libraries in use, for reports and run keys: `libavcodec 59.37.100` and so on.
pub fn ffmpeg_versions() -> Vec<String> {
    // SAFETY: these functions take nothing and return an integer.
    let versions = unsafe { [ffi::avutil_version(), ffi::avcodec_version(), ffi::avformat_version()] };
    ["libavutil", "libavcodec", "libavformat"]
        .iter()
        .zip(versions)
        .map(|(name, v)| format!("{name} {}.{}.{}", v >> 16, (v >> 8) & 0xff, v & 0xff))
        .collect()
}
