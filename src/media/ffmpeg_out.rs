//! What encoding and muxing need of FFmpeg and the safe wrapper does not offer.
#![allow(unsafe_code, reason = "calls into FFmpeg that ffmpeg-next has no safe form for")]

use std::ffi::c_int;

use ffmpeg_next as ff;
use ffmpeg_next::ffi;
use ffmpeg_next::format::context;

use super::demux::Demuxer;
use super::ffmpeg::{error_text, no_memory, ratio};
use super::streams::{StreamInfo, usable_aspect};
use crate::core::Rational;
use crate::error::{Error, Result};

/// Copies the codec parameters of an input stream to a new output stream without a codec tag, which belongs to the
/// source container. Gives the index of the new stream.
pub(crate) fn add_copy_of(out: &mut context::Output, input: &Demuxer, stream: &StreamInfo) -> Result<usize> {
    let from = input.parameters(stream.index)?;
    let none: Option<ff::Codec> = ff::encoder::find(ff::codec::Id::None);
    let mut target = out.add_stream(none).map_err(|e| Error::Bug(format!("cannot add a copied stream: {e}")))?;
    target.set_time_base(ratio(stream.time_base));
    // SAFETY: both streams are alive for the duration of the call, and FFmpeg copies all that the parameters own.
    let rc = unsafe {
        let target = target.as_mut_ptr();
        let to = (*target).codecpar;
        let rc = ffi::avcodec_parameters_copy(to, from);
        (*to).codec_tag = 0;
        if let Some(Rational { num, den }) = stream.aspect.filter(|a| usable_aspect(*a)) {
            // Muxers take the one or the other, and refuse two that differ.
            (*to).sample_aspect_ratio = ffi::AVRational { num, den };
            (*target).sample_aspect_ratio = ffi::AVRational { num, den };
        }
        rc
    };
    if rc < 0 {
        return Err(Error::Bug(format!("cannot copy the parameters of a stream: {}", error_text(rc))));
    }
    Ok(target.index())
}

/// Says of the shape of pixels for the container what the encoder says: some muxers take the one, some the other.
pub(crate) fn tell_pixel_aspect(stream: &mut ff::StreamMut<'_>) {
    // SAFETY: plain fields of a stream that is alive and has parameters of its own.
    unsafe {
        let stream = stream.as_mut_ptr();
        (*stream).sample_aspect_ratio = (*(*stream).codecpar).sample_aspect_ratio;
    }
}

/// Whether two streams can be decoded by one decoder: the same codec, size and header.
pub(crate) fn same_parameters(a: (&Demuxer, usize), b: (&Demuxer, usize)) -> Result<bool> {
    let (a, b) = (a.0.parameters(a.1)?, b.0.parameters(b.1)?);
    // SAFETY: both parameters live as long as their demuxers; a header is `extradata_size` bytes, none where the pointer is null.
    Ok(unsafe {
        let header = |p: *const ffi::AVCodecParameters| match (*p).extradata.is_null() {
            true => &[][..],
            false => std::slice::from_raw_parts((*p).extradata, usize::try_from((*p).extradata_size).unwrap_or(0)),
        };
        let facts = |p: *const ffi::AVCodecParameters| ((*p).codec_id, (*p).width, (*p).height);
        facts(a) == facts(b) && header(a) == header(b)
    })
}

/// Whether the muxer can store the codec of an input stream; `None` where it does not know.
pub(crate) fn muxer_takes(out: &context::Output, input: &Demuxer, stream: &StreamInfo) -> Result<Option<bool>> {
    let parameters = input.parameters(stream.index)?;
    // SAFETY: `oformat` of an allocated output context is a static description; the parameters are alive.
    let answer = unsafe {
        ffi::avformat_query_codec((*out.as_ptr()).oformat, (*parameters).codec_id, ffi::FF_COMPLIANCE_NORMAL)
    };
    Ok(match answer {
        0 => Some(false),
        1 => Some(true),
        _ => None,
    })
}

/// Makes the muxer write nothing that depends on the build or on chance (library version, random ids, dates).
pub(crate) fn set_muxer_bitexact(out: &mut context::Output) {
    // SAFETY: `flags` is a plain field meant to be set before the header is written.
    unsafe { (*out.as_mut_ptr()).flags |= ffi::AVFMT_FLAG_BITEXACT };
}

/// Whether the container wants codec headers in its own header.
pub(crate) fn wants_global_header(out: &context::Output) -> bool {
    out.format().flags().contains(ff::format::Flags::GLOBAL_HEADER)
}

/// Stores a rotation with a stream: `degrees` counter-clockwise, as `ffprobe` prints it.
pub(crate) fn set_rotation(stream: &mut ff::StreamMut<'_>, degrees: i32) -> Result<()> {
    const MATRIX_BYTES: usize = 9 * size_of::<i32>();
    // SAFETY: FFmpeg allocates the side data with at least the size asked for and aligned for any type; the
    // matrix is 9 values of 32 bits.
    let ok = unsafe {
        let data = ffi::av_stream_new_side_data(
            stream.as_mut_ptr(),
            ffi::AVPacketSideDataType::AV_PKT_DATA_DISPLAYMATRIX,
            MATRIX_BYTES,
        );
        if !data.is_null() {
            // The setter turns the other way round than the getter that readers use.
            ffi::av_display_rotation_set(data.cast::<i32>(), -f64::from(degrees));
        }
        !data.is_null()
    };
    if ok { Ok(()) } else { Err(no_memory(MATRIX_BYTES)) }
}

/// Says of a stream what `source` says that it is for. A cover has no other flag: muxers know it by that.
pub(crate) fn set_disposition(stream: &mut ff::StreamMut<'_>, source: &StreamInfo) {
    let flags = if source.is_cover() { ffi::AV_DISPOSITION_ATTACHED_PIC as c_int } else { source.disposition };
    // SAFETY: a plain field of a stream that is alive, meant to be set before the header is written.
    unsafe { (*stream.as_mut_ptr()).disposition = flags };
}

/// Says where subsampled chroma lies.
pub(crate) fn set_chroma_location(video: &mut ff::encoder::video::Video, location: ff::chroma::Location) {
    // SAFETY: a plain field meant to be set before the encoder is opened.
    unsafe { (*video.as_mut_ptr()).chroma_sample_location = location.into() };
}

/// Asks for a fixed quantiser for one picture.
pub(crate) fn set_frame_quality(frame: &mut ff::frame::Video, quantiser: i32) {
    // SAFETY: a plain field of an owned frame.
    unsafe { (*frame.as_mut_ptr()).quality = ffi::FF_QP2LAMBDA * quantiser };
}

/// Makes sure that the encoder holds no reference to the pixels of `frame`, so that they may be overwritten.
pub(crate) fn make_writable(frame: &mut ff::frame::Video) -> Result<()> {
    // SAFETY: `frame` owns a valid, allocated picture.
    let rc = unsafe { ffi::av_frame_make_writable(frame.as_mut_ptr()) };
    if rc < 0 {
        return Err(Error::Bug(format!("cannot reuse the encoder's picture: {}", error_text(rc))));
    }
    Ok(())
}
