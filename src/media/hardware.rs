//! Decoding on a device, behind an option. Frames come back to host memory: the rest of the way is the same.
#![allow(unsafe_code, reason = "FFI: AVHWDeviceContext")]

use std::ffi::CString;
use std::ptr;

use ffmpeg_next::ffi;

use super::avframe::Picture;
use super::ffmpeg::{error_text, string};
use crate::error::{Error, GpuError, Result};

/// Which decoder does the work.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum HardwareDecode {
    /// The CPU.
    #[default]
    Off,
    /// The first device that opens, else the CPU with a note in the verdict.
    Auto,
    /// A device type by FFmpeg's name (`cuda`, `vaapi`, `videotoolbox`, ...); an error if it is missing.
    Named(String),
}

impl From<&str> for HardwareDecode {
    /// As it is typed: `off` or `none`, `auto`, else the name of a device type.
    fn from(name: &str) -> Self {
        match name {
            "off" | "none" => Self::Off,
            "auto" => Self::Auto,
            name => Self::Named(name.to_owned()),
        }
    }
}

/// An open device, to be attached to a codec context.
pub(crate) struct Device {
    reference: *mut ffi::AVBufferRef,
    pub(crate) name: String,
}

// SAFETY: reference-counted by FFmpeg with atomic counts, no thread affinity.
unsafe impl Send for Device {}

/// The device for `wanted` and what to note if there is none.
pub(crate) fn open(wanted: &HardwareDecode, codec: *const ffi::AVCodec) -> Result<(Option<Device>, Option<String>)> {
    match wanted {
        HardwareDecode::Off => Ok((None, None)),
        HardwareDecode::Named(name) => {
            let unavailable =
                |found: String| Error::Gpu(GpuError::Unavailable { wanted: format!("decoding with {name}"), found });
            let c_name = CString::new(name.as_str()).map_err(|_| unavailable("a name with a zero byte".into()))?;
            // SAFETY: a look-up by a terminated string.
            let kind = unsafe { ffi::av_hwdevice_find_type_by_name(c_name.as_ptr()) };
            if kind == ffi::AVHWDeviceType::AV_HWDEVICE_TYPE_NONE {
                return Err(unavailable(format!(
                    "FFmpeg knows {}",
                    types().map(name_of).collect::<Vec<_>>().join(", ")
                )));
            }
            if configuration(codec, kind).is_none() {
                let needed = "a decoder for this codec".to_owned();
                return Err(Error::Gpu(GpuError::Unsupported { adapter: name.clone(), needed }));
            }
            create(kind).map(|d| (Some(d), None)).map_err(|code| unavailable(error_text(code)))
        }
        HardwareDecode::Auto => {
            let device = types().filter(|t| configuration(codec, *t).is_some()).find_map(|t| create(t).ok());
            let note = device.is_none().then(|| "no device can decode this codec: decoded on the CPU".to_owned());
            Ok((device, note))
        }
    }
}

fn types() -> impl Iterator<Item = ffi::AVHWDeviceType> {
    let next = |t: &ffi::AVHWDeviceType| {
        // SAFETY: iterates over static data.
        let n = unsafe { ffi::av_hwdevice_iterate_types(*t) };
        (n != ffi::AVHWDeviceType::AV_HWDEVICE_TYPE_NONE).then_some(n)
    };
    std::iter::successors(next(&ffi::AVHWDeviceType::AV_HWDEVICE_TYPE_NONE), next)
}

fn name_of(kind: ffi::AVHWDeviceType) -> String {
    // SAFETY: returns a static string or null.
    unsafe { string(ffi::av_hwdevice_get_type_name(kind)) }.unwrap_or_default()
}

fn create(kind: ffi::AVHWDeviceType) -> std::result::Result<Device, i32> {
    let mut reference = ptr::null_mut();
    // SAFETY: creates a device with default settings; on failure nothing is left.
    let code = unsafe { ffi::av_hwdevice_ctx_create(&raw mut reference, kind, ptr::null(), ptr::null_mut(), 0) };
    if code < 0 { Err(code) } else { Ok(Device { reference, name: name_of(kind) }) }
}

/// The device pixel format with which `codec` decodes on `kind`.
fn configuration(codec: *const ffi::AVCodec, kind: ffi::AVHWDeviceType) -> Option<ffi::AVPixelFormat> {
    (0..64).find_map(|i| {
        // SAFETY: the codec is valid; returns static data or null past the end.
        let c = unsafe { ffi::avcodec_get_hw_config(codec, i).as_ref() }?;
        let by_device = c.methods & ffi::AV_CODEC_HW_CONFIG_METHOD_HW_DEVICE_CTX as i32 != 0;
        (by_device && c.device_type == kind).then_some(c.pix_fmt)
    })
}

impl Device {
    /// Makes `context` decode on this device.
    ///
    /// # Safety
    /// `context` is a codec context that was not opened yet.
    pub(crate) unsafe fn attach(&self, context: *mut ffi::AVCodecContext) -> Result<()> {
        // SAFETY: see above; the context gets a reference of its own, which it frees.
        unsafe {
            (*context).hw_device_ctx = ffi::av_buffer_ref(self.reference);
            (*context).get_format = Some(choose);
            if (*context).hw_device_ctx.is_null() {
                return Err(Error::Bug("no reference to the decoding device".into()));
            }
        }
        Ok(())
    }
}

impl Drop for Device {
    fn drop(&mut self) {
        // SAFETY: gives back our reference.
        unsafe { ffi::av_buffer_unref(&raw mut self.reference) };
    }
}

/// Takes the device's format where the decoder offers it, else FFmpeg's own choice (a format in host memory).
unsafe extern "C" fn choose(
    context: *mut ffi::AVCodecContext,
    offered: *const ffi::AVPixelFormat,
) -> ffi::AVPixelFormat {
    // SAFETY: FFmpeg hands a valid context, with the device attached above, and a list that ends with NONE.
    unsafe {
        let device = (*context).hw_device_ctx;
        if !device.is_null() {
            let kind = (*(*device).data.cast::<ffi::AVHWDeviceContext>()).type_;
            if let Some(wanted) = configuration((*context).codec, kind) {
                let mut at = offered;
                while *at != ffi::AVPixelFormat::AV_PIX_FMT_NONE {
                    if *at == wanted {
                        return wanted;
                    }
                    at = at.add(1);
                }
            }
        }
        ffi::avcodec_default_get_format(context, offered)
    }
}

/// Brings a frame from the device into host memory.
pub(crate) fn fetch(from: &mut Picture, to: &mut Picture) -> Result<()> {
    to.clear();
    // SAFETY: both frames are valid; the empty target gets a format the device offers.
    let code = unsafe { ffi::av_hwframe_transfer_data(to.as_mut_ptr(), from.as_mut_ptr(), 0) };
    if code < 0 {
        let text = format!("a decoded frame could not be fetched from the device: {}", error_text(code));
        return Err(Error::Gpu(GpuError::Internal(text)));
    }
    to.take_properties(from)
}
