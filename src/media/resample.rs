//! libswresample behind a safe face: any decoded audio in, interleaved `f32` at one rate and channel count out.
#![allow(unsafe_code, reason = "ffmpeg-next's resampler cannot set the options or the channel layouts needed here")]

use std::ffi::c_int;
use std::ptr::{self, NonNull};

use ffmpeg_next as ff;
use ffmpeg_next::ffi;

use super::ffmpeg::error_text;
use crate::error::{Error, Result};

/// Most channels of a source; more is a broken header.
pub(crate) const MAX_CHANNELS: i32 = 64;

/// A channel layout with its own memory.
struct Layout(ffi::AVChannelLayout);

impl Layout {
    fn default_of(channels: i32) -> Self {
        // SAFETY: an all-zero layout is the documented empty value; the call fills it.
        unsafe {
            let mut layout: ffi::AVChannelLayout = std::mem::zeroed();
            ffi::av_channel_layout_default(&raw mut layout, channels);
            Self(layout)
        }
    }

    /// The layout of a frame; where the source names no speakers, the usual ones for the number of channels.
    fn of(frame: &ff::frame::Audio) -> Result<Self> {
        // SAFETY: the frame is valid for the whole call; the copy owns what it needs.
        unsafe {
            let source = &raw const (*frame.as_ptr()).ch_layout;
            let channels = (*source).nb_channels;
            if !(1..=MAX_CHANNELS).contains(&channels) {
                return Err(bug(format!("{channels} channels")));
            }
            if (*source).order == ffi::AVChannelOrder::AV_CHANNEL_ORDER_UNSPEC {
                return Ok(Self::default_of(channels));
            }
            let mut layout: ffi::AVChannelLayout = std::mem::zeroed();
            match ffi::av_channel_layout_copy(&raw mut layout, source) {
                rc if rc < 0 => Err(failed(rc)),
                _ => Ok(Self(layout)),
            }
        }
    }

    fn same(&self, other: &Self) -> bool {
        // SAFETY: both layouts are valid and only read.
        unsafe { ffi::av_channel_layout_compare(&raw const self.0, &raw const other.0) == 0 }
    }
}

impl Drop for Layout {
    fn drop(&mut self) {
        // SAFETY: frees what the layout owns, once.
        unsafe { ffi::av_channel_layout_uninit(&raw mut self.0) };
    }
}

fn bug(what: impl std::fmt::Display) -> Error {
    Error::Bug(format!("the resampler failed: {what}"))
}

fn failed(code: c_int) -> Error {
    bug(error_text(code))
}

/// A resampler for one kind of source.
pub(crate) struct Resampler {
    swr: NonNull<ffi::SwrContext>,
    layout: Layout,
    format: ff::format::Sample,
    rate: u32,
    channels: usize,
}

// SAFETY: the context is owned, not tied to a thread and used through `&mut self` only.
unsafe impl Send for Resampler {}

impl std::fmt::Debug for Resampler {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Resampler").field("rate", &self.rate).field("format", &self.format).finish_non_exhaustive()
    }
}

impl Resampler {
    /// A resampler for frames like `frame`. Down-mixing is normalised so that full-scale input cannot exceed full scale.
    pub(crate) fn new(frame: &ff::frame::Audio, rate: u32, channels: u16) -> Result<Self> {
        let mut layout = Layout::of(frame)?;
        let mut target = Layout::default_of(i32::from(channels));
        let format = frame.format();
        let to_int = |r: u32| i32::try_from(r).map_err(|_| bug(format!("a rate of {r} Hz")));
        let (from, to) = (to_int(frame.rate())?, to_int(rate)?);
        if from == 0 {
            return Err(bug("a rate of 0 Hz"));
        }
        let mut swr = ptr::null_mut();
        // SAFETY: the layouts live through the call, which copies them; on failure the context stays null or is freed.
        unsafe {
            let rc = ffi::swr_alloc_set_opts2(
                &raw mut swr,
                &raw mut target.0,
                ffi::AVSampleFormat::AV_SAMPLE_FMT_FLT,
                to,
                &raw mut layout.0,
                format.into(),
                from,
                0,
                ptr::null_mut(),
            );
            let Some(swr) = NonNull::new(swr).filter(|_| rc >= 0) else {
                return Err(failed(rc));
            };
            let made = Self { swr, layout, format, rate: frame.rate(), channels: usize::from(channels) };
            // libswresample normalises mixes to integers but not to floats: ask for it, so that both sound the same.
            let rc = ffi::av_opt_set_double(swr.as_ptr().cast(), c"rematrix_maxval".as_ptr(), 1.0, 0);
            if rc < 0 {
                return Err(failed(rc));
            }
            match ffi::swr_init(swr.as_ptr()) {
                rc if rc < 0 => Err(failed(rc)),
                _ => Ok(made),
            }
        }
    }

    /// Whether `frame` has the rate, format and layout this resampler was made for.
    pub(crate) fn fits(&self, frame: &ff::frame::Audio) -> bool {
        frame.rate() == self.rate
            && frame.format() == self.format
            && Layout::of(frame).is_ok_and(|l| l.same(&self.layout))
    }

    /// Converts one frame and appends the result to `out`.
    pub(crate) fn convert(&mut self, frame: &ff::frame::Audio, out: &mut Vec<f32>) -> Result<()> {
        debug_assert!(self.fits(frame));
        let count = i32::try_from(frame.samples()).map_err(bug)?;
        // SAFETY: the frame owns `count` samples for each of its planes, in the format and layout of this context
        // (`fits`); `extended_data` holds a pointer for each plane.
        unsafe { self.run((*frame.as_ptr()).extended_data.cast::<*const u8>(), count, out) }
    }

    /// Appends what is left in the filter.
    pub(crate) fn flush(&mut self, out: &mut Vec<f32>) -> Result<()> {
        // SAFETY: a null input asks for the rest.
        unsafe { self.run(ptr::null_mut(), 0, out) }
    }

    /// # Safety
    /// `input` is null with `count` 0, or points to as many planes as the source format has, with `count` samples each.
    unsafe fn run(&mut self, input: *mut *const u8, count: i32, out: &mut Vec<f32>) -> Result<()> {
        let start = out.len();
        // SAFETY: the context is initialised. The output has room for `room` samples of all channels, interleaved.
        let made = unsafe {
            let room = ffi::swr_get_out_samples(self.swr.as_ptr(), count);
            if room < 0 {
                return Err(failed(room));
            }
            let len = usize::try_from(room).unwrap_or(0).saturating_mul(self.channels);
            out.resize(start + len, 0.0);
            let mut to = out.as_mut_ptr().add(start).cast::<u8>();
            ffi::swr_convert(self.swr.as_ptr(), &raw mut to, room, input, count)
        };
        let got = usize::try_from(made).unwrap_or(0).saturating_mul(self.channels);
        out.truncate(start + got);
        if made < 0 { Err(failed(made)) } else { Ok(()) }
    }
}

impl Drop for Resampler {
    fn drop(&mut self) {
        let mut swr = self.swr.as_ptr();
        // SAFETY: the context is owned and freed once.
        unsafe { ffi::swr_free(&raw mut swr) };
    }
}
