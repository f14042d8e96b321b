//! The decoder's frame buffer, seen as rows of bytes and a few facts.
#![allow(unsafe_code, reason = "FFI: AVFrame")]

use std::ffi::c_int;

use ffmpeg_next::{Frame, ffi};

use super::ffmpeg::no_memory;
use super::streams::{RawColor, pixel_format};
use crate::error::{Error, Result};

/// An `AVFrame` that is ours.
pub(crate) struct Picture(Frame);

impl std::fmt::Debug for Picture {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Picture").field("facts", &self.facts()).finish()
    }
}

/// What we need to know of a frame besides its samples.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Facts {
    pub(crate) format: i32,
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) pts: Option<i64>,
    pub(crate) duration: i64,
    pub(crate) key: bool,
    pub(crate) damaged: bool,
    pub(crate) interlaced: bool,
    pub(crate) color: RawColor,
    pub(crate) on_device: bool,
}

impl Picture {
    pub(crate) fn new() -> Result<Self> {
        // SAFETY: allocation; checked for null right here.
        let frame = unsafe { Frame::empty() };
        // SAFETY: reads the pointer only.
        if unsafe { frame.as_ptr() }.is_null() {
            return Err(no_memory(size_of::<ffi::AVFrame>()));
        }
        Ok(Self(frame))
    }

    /// The frame as a decoder fills it.
    pub(crate) fn frame_mut(&mut self) -> &mut Frame {
        &mut self.0
    }

    pub(crate) fn as_mut_ptr(&mut self) -> *mut ffi::AVFrame {
        // SAFETY: the pointer stays owned by `self`.
        unsafe { self.0.as_mut_ptr() }
    }

    pub(crate) fn facts(&self) -> Facts {
        // SAFETY: the frame is valid; enumerations are read as integers because streams may hold any value.
        unsafe {
            let p = self.0.as_ptr();
            let f = &*p;
            let flagged = f.flags & ffi::AV_FRAME_FLAG_CORRUPT != 0 || f.decode_error_flags != 0;
            Facts {
                format: f.format,
                width: u32::try_from(f.width).unwrap_or(0),
                height: u32::try_from(f.height).unwrap_or(0),
                pts: self.0.timestamp(),
                duration: self.0.packet().duration.max(0),
                key: self.0.is_key(),
                damaged: flagged,
                interlaced: f.interlaced_frame != 0,
                color: RawColor {
                    matrix: (&raw const (*p).colorspace).cast::<i32>().read(),
                    range: (&raw const (*p).color_range).cast::<i32>().read(),
                    primaries: (&raw const (*p).color_primaries).cast::<i32>().read(),
                    transfer: (&raw const (*p).color_trc).cast::<i32>().read(),
                    siting: (&raw const (*p).chroma_location).cast::<i32>().read(),
                },
                on_device: !f.hw_frames_ctx.is_null(),
            }
        }
    }

    /// The first `bytes` bytes of row `y` of `plane`, or `None` if the buffer does not hold them.
    pub(crate) fn row(&self, plane: usize, y: u32, bytes: usize) -> Option<&[u8]> {
        // SAFETY: the row must lie inside the buffer that FFmpeg attached to the plane, which is checked against that
        // buffer's bounds; lines may run backwards (negative line size). The buffer lives as long as `self` is borrowed.
        unsafe {
            let f = &*self.0.as_ptr();
            let data = *f.data.get(plane)?;
            let line = isize::try_from(*f.linesize.get(plane)?).ok()?;
            let start = data.addr().checked_add_signed(line.checked_mul(isize::try_from(y).ok()?)?)?;
            let buffer = ffi::av_frame_get_plane_buffer(self.0.as_ptr().cast_mut(), c_int::try_from(plane).ok()?);
            let buffer = buffer.as_ref()?;
            let first = buffer.data.addr();
            if data.is_null() || start < first || start.checked_add(bytes)? > first.checked_add(buffer.size)? {
                return None;
            }
            Some(std::slice::from_raw_parts(data.with_addr(start), bytes))
        }
    }

    /// Copies time stamps and flags of `other`, and gives up the samples.
    pub(crate) fn take_properties(&mut self, other: &Self) -> Result<()> {
        // SAFETY: both frames are valid.
        let code = unsafe { ffi::av_frame_copy_props(self.as_mut_ptr(), other.0.as_ptr()) };
        if code < 0 { Err(Error::Bug("frame properties could not be copied".into())) } else { Ok(()) }
    }

    /// Another reference to the same samples.
    pub(crate) fn again(&self) -> Result<Self> {
        let mut other = Self::new()?;
        // SAFETY: both frames are valid, and the target is empty. What is counted is never written to while there is more than one reference.
        let code = unsafe { ffi::av_frame_ref(other.as_mut_ptr(), self.0.as_ptr()) };
        if code < 0 { Err(no_memory(size_of::<ffi::AVFrame>())) } else { Ok(other) }
    }

    /// Releases the samples.
    pub(crate) fn clear(&mut self) {
        // SAFETY: the frame is valid.
        unsafe { ffi::av_frame_unref(self.as_mut_ptr()) };
    }

    /// Prepares the frame for samples of its own.
    pub(crate) fn allocate(&mut self, format: i32, width: u32, height: u32) -> Result<()> {
        self.clear();
        let (Ok(w), Ok(h), Some(_)) = (c_int::try_from(width), c_int::try_from(height), pixel_format(format)) else {
            return Err(Error::Bug(format!("no frame of format {format} and {width}x{height}")));
        };
        // SAFETY: a valid, empty frame with format and size set.
        let code = unsafe {
            let f = self.as_mut_ptr();
            (*f).format = format;
            (*f).width = w;
            (*f).height = h;
            ffi::av_frame_get_buffer(f, 0)
        };
        if code < 0 {
            Err(no_memory((width as usize).saturating_mul(height as usize).saturating_mul(8)))
        } else {
            Ok(())
        }
    }
}
