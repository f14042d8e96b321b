//! What we need of FFmpeg's packets, and option dictionaries.
#![allow(unsafe_code, reason = "FFI: AVPacket, AVDictionary")]

use std::ffi::{CString, c_int};
use std::ptr;

use ffmpeg_next as ff;
use ffmpeg_next::ffi;
use ffmpeg_next::packet::Ref as _;

use super::streams::tags;
use crate::error::{Error, Result};

/// What we need to know of a packet.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PacketFacts {
    pub(crate) stream: usize,
    pub(crate) size: u64,
    pub(crate) end: Option<i64>,
    pub(crate) corrupt: bool,
    pub(crate) discard: bool,
}

impl PacketFacts {
    pub(crate) fn of(packet: &ff::Packet) -> Self {
        // SAFETY: the packet is valid; a number is read. (The wrapper leaves out the flags it has no name for.)
        let flags = unsafe { (*packet.as_ptr()).flags };
        let flagged = |flag: c_int| flags & flag != 0;
        Self {
            stream: packet.stream(),
            size: packet.size() as u64,
            end: packet.pts().map(|t| t.saturating_add(packet.duration().max(0))),
            corrupt: flagged(ffi::AV_PKT_FLAG_CORRUPT),
            discard: flagged(ffi::AV_PKT_FLAG_DISCARD),
        }
    }
}

/// An option dictionary that must have been used up.
pub(crate) struct Options(pub(crate) *mut ffi::AVDictionary);

impl Default for Options {
    fn default() -> Self {
        Self(ptr::null_mut())
    }
}

impl Options {
    pub(crate) fn set(&mut self, key: &str, value: &str) -> Result<()> {
        let nul = |_| Error::Bug(format!("the FFmpeg option {key} holds a zero byte"));
        let (k, v) = (CString::new(key).map_err(nul)?, CString::new(value).map_err(nul)?);
        // SAFETY: terminated strings, which FFmpeg copies.
        let code = unsafe { ffi::av_dict_set(&raw mut self.0, k.as_ptr(), v.as_ptr(), 0) };
        if code < 0 { Err(Error::Bug(format!("the FFmpeg option {key} could not be set"))) } else { Ok(()) }
    }

    pub(crate) fn as_mut_ptr(&mut self) -> *mut *mut ffi::AVDictionary {
        &raw mut self.0
    }

    /// An option that FFmpeg left over was not understood: a limit would be missing.
    pub(crate) fn must_be_empty(&self) -> Result<()> {
        // SAFETY: the dictionary is valid or null.
        match unsafe { tags(self.0) }.first() {
            Some((key, _)) => Err(Error::Bug(format!("FFmpeg does not know the option {key}"))),
            None => Ok(()),
        }
    }
}

impl Drop for Options {
    fn drop(&mut self) {
        // SAFETY: frees a dictionary that is ours; null is allowed.
        unsafe { ffi::av_dict_free(&raw mut self.0) };
    }
}
