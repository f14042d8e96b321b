//! The demuxer: opens a container over our own bytes and hands out packets.
#![allow(unsafe_code, reason = "FFI: AVFormatContext")]

use std::ffi::c_int;
use std::path::{Path, PathBuf};
use std::ptr;
use std::sync::Arc;

use ffmpeg_next as ff;
use ffmpeg_next::ffi;
use ffmpeg_next::packet::Mut as _;

use super::allow;
use super::avio::{InputFile, Io, Watch, refuse_open};
use super::ffmpeg::{self, EAGAIN, LogSink, error_text, no_memory, string};
use super::packet::{Options, PacketFacts};
use super::streams::{StreamInfo, StreamKind, known, stream_info};
use crate::core::{CancelToken, Limits};
use crate::error::{Error, Result};

/// Bytes and microseconds that may be looked at to find out what the streams are.
const PROBE_BYTES: i64 = 5_000_000;
const PROBE_MICROSECONDS: i64 = 5_000_000;
/// Bytes looked at to recognise the container.
const FORMAT_PROBE_BYTES: u32 = 1 << 20;

/// Outcome of a read.
pub(crate) enum Read {
    Packet(PacketFacts),
    End,
    /// Nothing yet; to be asked again.
    Again,
    /// The demuxer gave up on a stretch of the file (or on all that follows).
    Failed(c_int),
}

/// An open container.
pub(crate) struct Demuxer {
    context: *mut ffi::AVFormatContext,
    io: Io,
    pub(crate) input: InputFile,
    pub(crate) watch: Arc<Watch>,
    pub(crate) log: Arc<LogSink>,
    pub(crate) format: String,
    pub(crate) format_long: Option<String>,
    pub(crate) streams: Vec<StreamInfo>,
    pub(crate) start_micros: Option<i64>,
    /// Duration that the container itself declares, in microseconds.
    pub(crate) declared_micros: Option<i64>,
    /// Duration declared or estimated.
    pub(crate) duration_micros: Option<i64>,
    pub(crate) bit_rate: Option<u64>,
}

// SAFETY: FFmpeg's contexts have no thread affinity; all access goes through `&mut self` or reads plain fields.
unsafe impl Send for Demuxer {}

impl std::fmt::Debug for Demuxer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Demuxer").field("input", &self.input).field("format", &self.format).finish_non_exhaustive()
    }
}

impl Demuxer {
    /// Opens a file and finds out what its streams are.
    pub(crate) fn open(path: &Path, limits: &Limits, cancel: &CancelToken) -> Result<Self> {
        Self::open_file(InputFile::open(path)?, limits, cancel)
    }

    /// Opens a file that is open already; several demuxers may share it.
    pub(crate) fn open_file(input: InputFile, limits: &Limits, cancel: &CancelToken) -> Result<Self> {
        ffmpeg::init();
        let watch = Watch::new(cancel.clone(), limits.stall_seconds);
        let io = Io::new(&input, Arc::clone(&watch))?;
        let mut demuxer = Self {
            context: ptr::null_mut(),
            io,
            input,
            watch,
            log: LogSink::new(),
            format: String::new(),
            format_long: None,
            streams: Vec::new(),
            start_micros: None,
            declared_micros: None,
            duration_micros: None,
            bit_rate: None,
        };
        // Packets read while probing are kept by FFmpeg and not read again, so their messages count from the beginning.
        demuxer.recognise_and_open(limits)?;
        demuxer.find_streams(limits)?;
        Ok(demuxer)
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.input.path.clone()
    }

    /// Bytes read from the file so far.
    pub(crate) fn bytes_read(&self) -> u64 {
        self.io.bytes_read()
    }

    fn corrupt(&self, reason: String) -> Error {
        Error::InputCorrupt { path: self.path(), reason }
    }

    /// The error for FFmpeg's `code`: cancellation, deadline and I/O errors come before what FFmpeg says.
    pub(crate) fn error(&mut self, doing: &str, code: c_int) -> Error {
        if let Err(e) = self.watch.check() {
            return e;
        }
        if let Some(source) = self.io.take_error() {
            return Error::storage("read", &self.input.path, source);
        }
        let detail = self.log.detail();
        self.corrupt(format!("{doing}: {}{detail}", error_text(code)))
    }

    fn recognise_and_open(&mut self, limits: &Limits) -> Result<()> {
        let mut format: *const ffi::AVInputFormat = ptr::null();
        // SAFETY: the I/O context is valid; the empty name is a terminated string.
        let code = unsafe {
            ffi::av_probe_input_buffer2(
                self.io.as_ptr(),
                &raw mut format,
                c"".as_ptr(),
                ptr::null_mut(),
                0,
                FORMAT_PROBE_BYTES,
            )
        };
        if code < 0 || format.is_null() {
            return Err(self.error("no known container recognised", code));
        }
        // SAFETY: demuxer descriptions are static data of libavformat.
        unsafe {
            self.format = string((*format).name).unwrap_or_default();
            self.format_long = string((*format).long_name);
        }
        if !allow::format_allowed(&self.format) {
            return Err(Error::InputUnsupported {
                path: self.path(),
                what: format!("the format `{}`", self.format),
                hint: Some(format!("{}; containers that are read: {}", allow::CONVERT, allow::FORMATS.join(", "))),
            });
        }
        let most_streams = limits.streams.saturating_add(1).to_string();
        let mut options = Options::default();
        options.set("format_whitelist", &allow::comma_list(allow::FORMATS))?;
        options.set("codec_whitelist", &allow::comma_list(allow::CODECS))?;
        options.set("protocol_whitelist", "none")?;
        options.set("probesize", &PROBE_BYTES.to_string())?;
        options.set("analyzeduration", &PROBE_MICROSECONDS.to_string())?;
        options.set("max_streams", &most_streams)?;
        // SAFETY: the context is ours until avformat_open_input takes (and on failure frees) it; the I/O context and the
        // watch outlive it (fields of `self`, dropped after `close`).
        let code = unsafe {
            let mut context = ffi::avformat_alloc_context();
            if context.is_null() {
                return Err(no_memory(size_of::<ffi::AVFormatContext>()));
            }
            (*context).pb = self.io.as_ptr();
            (*context).flags |= ffi::AVFMT_FLAG_CUSTOM_IO;
            (*context).interrupt_callback = self.io.interrupt();
            (*context).io_open = Some(refuse_open);
            (*context).opaque = ptr::without_provenance_mut(self.log.address());
            let code = ffi::avformat_open_input(&raw mut context, c"".as_ptr(), format, options.as_mut_ptr());
            self.context = context;
            code
        };
        if code < 0 {
            return Err(self.too_many_streams(limits).unwrap_or_else(|| self.error("cannot open the container", code)));
        }
        options.must_be_empty()
    }

    fn too_many_streams(&self, limits: &Limits) -> Option<Error> {
        // SAFETY: the context is null or open.
        let count = if self.context.is_null() { 0 } else { u64::from(unsafe { (*self.context).nb_streams }) };
        if count > limits.streams || self.log.mentions("max_streams") {
            let value = count.max(limits.streams.saturating_add(1));
            let what = "the number of streams".to_owned();
            return Some(Error::LimitExceeded { name: "streams", what, value, limit: limits.streams });
        }
        None
    }

    fn find_streams(&mut self, limits: &Limits) -> Result<()> {
        if let Some(e) = self.too_many_streams(limits) {
            return Err(e);
        }
        // SAFETY: `context` is open. One option dictionary per stream bounds what the probing decoders may allocate.
        let code = unsafe {
            let count = (*self.context).nb_streams as usize;
            for i in 0..count {
                let par = (**(*self.context).streams.add(i)).codecpar;
                let (w, h) = ((*par).width, (*par).height);
                if let (Ok(w), Ok(h)) = (u64::try_from(w), u64::try_from(h)) {
                    limits.check_picture(w, h, 1)?;
                }
            }
            let mut options = (0..count).map(|_| Options::default()).collect::<Vec<_>>();
            for o in &mut options {
                o.set("max_pixels", &limits.pixels.to_string())?;
                o.set("threads", "1")?;
            }
            let mut raw = options.iter().map(|o| o.0).collect::<Vec<_>>();
            let code = ffi::avformat_find_stream_info(
                self.context,
                if raw.is_empty() { ptr::null_mut() } else { raw.as_mut_ptr() },
            );
            // FFmpeg may have replaced the dictionaries: what is in `raw` now is what must be freed.
            for (o, r) in options.iter_mut().zip(raw) {
                o.0 = r;
            }
            code
        };
        if code < 0 {
            return Err(self
                .too_many_streams(limits)
                .unwrap_or_else(|| self.error("cannot find out what is in it", code)));
        }
        self.watch.check()?;
        if let Some(e) = self.too_many_streams(limits) {
            return Err(e);
        }
        // SAFETY: the context is open and its stream array has nb_streams valid entries.
        unsafe {
            let c = &*self.context;
            self.start_micros = known(c.start_time);
            let duration = known(c.duration).filter(|d| *d > 0);
            self.duration_micros = duration;
            self.declared_micros = duration.filter(|_| {
                c.duration_estimation_method == ffi::AVDurationEstimationMethod::AVFMT_DURATION_FROM_STREAM
            });
            self.bit_rate = u64::try_from(c.bit_rate).ok().filter(|b| *b > 0);
            self.streams = (0..c.nb_streams as usize).map(|i| stream_info(i, *c.streams.add(i))).collect();
        }
        Ok(())
    }

    /// Refuses a file whose declared duration is over the limit.
    pub(crate) fn check_duration(&self, limits: &Limits) -> Result<()> {
        let seconds = self.duration_micros.and_then(|d| u64::try_from(d).ok()).unwrap_or(0).div_ceil(1_000_000);
        Limits::check("duration_seconds", limits.duration_seconds, seconds, || {
            "the declared duration in seconds".to_owned()
        })
    }

    /// Tracks of a kind by position; pictures attached to audio (cover art) are not tracks.
    pub(crate) fn tracks(&self, kind: StreamKind) -> impl Iterator<Item = &StreamInfo> {
        self.streams.iter().filter(move |s| s.kind == kind)
    }

    /// The `index`-th track of a kind, counted from 0.
    pub(crate) fn track(&self, kind: StreamKind, index: usize) -> Result<StreamInfo> {
        self.tracks(kind).nth(index).cloned().ok_or_else(|| Error::TrackInvalid {
            path: self.path(),
            kind: kind.name(),
            index,
            available: self.tracks(kind).count(),
        })
    }

    /// Keeps only the streams for which `wanted` says yes; the demuxer skips the others.
    pub(crate) fn keep(&mut self, wanted: impl Fn(usize) -> bool) {
        // SAFETY: as in `find_streams`.
        unsafe {
            for i in 0..(*self.context).nb_streams as usize {
                (**(*self.context).streams.add(i)).discard =
                    if wanted(i) { ffi::AVDiscard::AVDISCARD_DEFAULT } else { ffi::AVDiscard::AVDISCARD_ALL };
            }
        }
    }

    /// Codec parameters of a stream, valid as long as `self`.
    pub(crate) fn parameters(&self, stream: usize) -> Result<*const ffi::AVCodecParameters> {
        // SAFETY: the index is checked; the parameters live as long as the context.
        unsafe {
            let c = &*self.context;
            if stream >= c.nb_streams as usize {
                return Err(Error::Bug(format!("no stream {stream} of {}", c.nb_streams)));
            }
            Ok((**c.streams.add(stream)).codecpar.cast_const())
        }
    }

    /// Reads the next packet of any kept stream into `packet`.
    pub(crate) fn read(&mut self, packet: &mut ff::Packet) -> Read {
        // SAFETY: both objects are valid; the packet is released before it is filled again.
        let code = unsafe {
            ffi::av_packet_unref(packet.as_mut_ptr());
            ffi::av_read_frame(self.context, packet.as_mut_ptr())
        };
        match code {
            c if c >= 0 => {
                self.watch.progress();
                Read::Packet(PacketFacts::of(packet))
            }
            ffi::AVERROR_EOF => Read::End,
            c if c == -EAGAIN => Read::Again,
            c => Read::Failed(c),
        }
    }

    /// An I/O error that FFmpeg may have taken for an end of file.
    pub(crate) fn take_io_error(&mut self) -> Option<Error> {
        self.io.take_error().map(|source| Error::storage("read", &self.input.path, source))
    }
}

impl Drop for Demuxer {
    fn drop(&mut self) {
        // SAFETY: closes once; with custom I/O the AVIOContext stays with `io`, which is dropped after this.
        unsafe { ffi::avformat_close_input(&raw mut self.context) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_cannot_be_read_is_a_storage_error() {
        // Opened for writing only: every read fails with EBADF, as a failing disk would with EIO.
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.mp4");
        let file = std::fs::File::create(&path).unwrap();
        file.set_len(100_000).unwrap();
        let input = InputFile { path, file: Arc::new(file), size: 100_000 };
        let e = Demuxer::open_file(input, &Limits::default(), &CancelToken::new()).unwrap_err();
        assert!(matches!(e, Error::Storage { action: "read", .. }), "{e:?}");
    }

    #[test]
    fn an_option_that_nobody_takes_is_noticed() {
        let mut o = Options::default();
        o.set("no_such_option", "1").unwrap();
        assert!(matches!(o.must_be_empty(), Err(Error::Bug(_))));
    }
}
