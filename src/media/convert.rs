//! Formats that kernels do not know (12 bits, 4:1:1, packed YUV and the like) go through libswscale, and the verdict says so.
#![allow(unsafe_code, reason = "FFI: libswscale")]

use std::ffi::CString;
use std::ptr;

use ffmpeg_next::ffi;

use super::avframe::Picture;
use super::pixels::{Mapping, TARGETS, mapping};
use super::streams::{pixel_format, pixel_format_name};
use crate::core::YuvMatrix;
use crate::error::{Error, Result};

/// A converter from one format to the nearest one of ours. Sizes may change from frame to frame.
pub(crate) struct Converter {
    context: *mut ffi::SwsContext,
    from: ffi::AVPixelFormat,
    to: ffi::AVPixelFormat,
    pub(crate) mapping: Mapping,
    pub(crate) note: String,
    pub(crate) output: Picture,
}

// SAFETY: a heap object without thread affinity and with one owner.
unsafe impl Send for Converter {}

impl std::fmt::Debug for Converter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Converter").field("note", &self.note).finish_non_exhaustive()
    }
}

impl Converter {
    /// A converter for FFmpeg's format number `from`; `None` if libswscale cannot read that format.
    pub(crate) fn new(from: i32) -> Result<Option<Self>> {
        let Some(source) = pixel_format(from) else { return Ok(None) };
        // SAFETY: pure look-ups; the list ends with NONE as documented.
        let to = unsafe {
            if ffi::sws_isSupportedInput(source) == 0 {
                return Ok(None);
            }
            let mut list = TARGETS
                .iter()
                .filter_map(|t| CString::new(*t).ok())
                .map(|t| ffi::av_get_pix_fmt(t.as_ptr()))
                .collect::<Vec<_>>();
            list.push(ffi::AVPixelFormat::AV_PIX_FMT_NONE);
            ffi::avcodec_find_best_pix_fmt_of_list(list.as_ptr(), source, 0, ptr::null_mut())
        };
        let target = pixel_format_name(to as i32).unwrap_or_default();
        let Some(mapping) = mapping(&target) else { return Ok(None) };
        let note = format!("converted from {} to {target} on the CPU", pixel_format_name(from).unwrap_or_default());
        Ok(Some(Self { context: ptr::null_mut(), from: source, to, mapping, note, output: Picture::new()? }))
    }

    /// Converts `input` (of the format given to `new`) into `self.output`; code values keep their range. What is RGB on one side and not on the
    /// other goes by `matrix`, which the frame is to be labelled with.
    pub(crate) fn run(&mut self, input: &mut Picture, matrix: YuvMatrix, full_range: bool) -> Result<()> {
        let facts = input.facts();
        self.output.allocate(self.to as i32, facts.width, facts.height)?;
        self.output.take_properties(input)?;
        let failed = || Error::Bug(format!("libswscale failed ({})", self.note));
        // Bit-exact and the same on every machine, before fast: this path is for rare formats.
        let flags = ffi::SWS_BICUBIC | ffi::SWS_ACCURATE_RND | ffi::SWS_BITEXACT;
        // SAFETY: both frames are allocated with the sizes and formats named here.
        unsafe {
            let (source, target) = (input.as_mut_ptr(), self.output.as_mut_ptr());
            let (w, h) = ((*source).width, (*source).height);
            self.context = ffi::sws_getCachedContext(
                self.context,
                w,
                h,
                self.from,
                w,
                h,
                self.to,
                flags as _,
                ptr::null_mut(),
                ptr::null_mut(),
                ptr::null(),
            );
            if self.context.is_null() {
                return Err(failed());
            }
            let space = match matrix {
                YuvMatrix::Bt601 => ffi::SWS_CS_ITU601,
                YuvMatrix::Bt709 => ffi::SWS_CS_ITU709,
                YuvMatrix::Bt2020 => ffi::SWS_CS_BT2020,
            };
            let table = ffi::sws_getCoefficients(space as _);
            let range = i32::from(full_range);
            // Not all pairs of formats need this; a refusal means that nothing has to be set.
            ffi::sws_setColorspaceDetails(self.context, table, range, table, range, 0, 1 << 16, 1 << 16);
            let rows = ffi::sws_scale(
                self.context,
                (&raw const (*source).data).cast(),
                (&raw const (*source).linesize).cast(),
                0,
                h,
                (&raw const (*target).data).cast(),
                (&raw const (*target).linesize).cast(),
            );
            if rows != h { Err(failed()) } else { Ok(()) }
        }
    }
}

impl Drop for Converter {
    fn drop(&mut self) {
        // SAFETY: frees a context that is ours; null is allowed.
        unsafe { ffi::sws_freeContext(self.context) };
    }
}
