//! What a container declares about its streams, copied out of FFmpeg as plain data.
#![allow(unsafe_code, reason = "FFI: AVStream, AVCodecParameters, AVDictionary")]

use std::ffi::c_int;
use std::ptr;

use ffmpeg_next::ffi;

use super::ffmpeg::string;
use crate::core::Rational;

/// What a stream carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StreamKind {
    Video,
    Audio,
    Other,
}

impl StreamKind {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Video => "video",
            Self::Audio => "audio",
            Self::Other => "other",
        }
    }
}

/// What the container declares about a stream; numbers that it does not declare are `None`.
#[derive(Debug, Clone)]
pub(crate) struct StreamInfo {
    pub(crate) index: usize,
    pub(crate) kind: StreamKind,
    pub(crate) codec: String,
    pub(crate) profile: Option<String>,
    pub(crate) level: Option<i32>,
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) pixel_format: Option<String>,
    pub(crate) time_base: Rational,
    pub(crate) start: Option<i64>,
    pub(crate) duration: Option<i64>,
    pub(crate) frames: Option<u64>,
    pub(crate) average_rate: Option<Rational>,
    pub(crate) base_rate: Option<Rational>,
    pub(crate) aspect: Option<Rational>,
    pub(crate) bit_rate: Option<u64>,
    pub(crate) sample_rate: Option<u32>,
    pub(crate) channels: Option<u32>,
    pub(crate) channel_layout: Option<String>,
    pub(crate) color: RawColor,
    pub(crate) field_order: i32,
    pub(crate) rotation: i32,
    /// What the stream is for (the default of its kind, forced, a cover, ...): FFmpeg's flags.
    pub(crate) disposition: i32,
    pub(crate) tags: Vec<(String, String)>,
}

impl StreamInfo {
    /// Whether the stream is a still picture that comes with the file, or one of several, and no track to be played.
    pub(crate) const fn is_attached_picture(&self) -> bool {
        attached(self.disposition)
    }

    /// Whether it is the cover of the file: not the pictures of its chapters.
    pub(crate) const fn is_cover(&self) -> bool {
        attached(self.disposition) && self.disposition & ffi::AV_DISPOSITION_TIMED_THUMBNAILS as c_int == 0
    }

    /// A tag of the stream, e.g. Matroska's `DURATION`; a language suffix (`DURATION-eng`) is accepted.
    pub(crate) fn tag(&self, name: &str) -> Option<&str> {
        self.tags
            .iter()
            .find(|(k, _)| {
                k.get(..name.len()).is_some_and(|p| p.eq_ignore_ascii_case(name))
                    && matches!(k.as_bytes().get(name.len()), None | Some(b'-'))
            })
            .map(|(_, v)| v.as_str())
    }
}

/// Colour codes of ITU-T H.273 as FFmpeg carries them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RawColor {
    pub(crate) matrix: i32,
    pub(crate) range: i32,
    pub(crate) primaries: i32,
    pub(crate) transfer: i32,
    pub(crate) siting: i32,
}

pub(crate) fn known(value: i64) -> Option<i64> {
    (value != ffi::AV_NOPTS_VALUE).then_some(value)
}

const fn attached(disposition: c_int) -> bool {
    disposition & ffi::AV_DISPOSITION_ATTACHED_PIC as c_int != 0
}

fn ratio(r: ffi::AVRational) -> Option<Rational> {
    Rational::new(r.num, r.den).filter(|r| r.num > 0)
}

/// Whether pixels may have this shape, width to height. Damaged headers say anything.
pub(crate) fn usable_aspect(r: Rational) -> bool {
    r.num > 0 && r.den > 0 && (1.0 / 32.0..=32.0).contains(&r.as_f64())
}

/// # Safety
/// `dictionary` is null or valid.
pub(crate) unsafe fn tags(dictionary: *const ffi::AVDictionary) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut entry: *mut ffi::AVDictionaryEntry = ptr::null_mut();
    loop {
        // SAFETY: iterating as documented, from null to null.
        unsafe {
            entry = ffi::av_dict_get(dictionary, c"".as_ptr(), entry, ffi::AV_DICT_IGNORE_SUFFIX);
            if entry.is_null() {
                return found;
            }
            found.push((string((*entry).key).unwrap_or_default(), string((*entry).value).unwrap_or_default()));
        }
    }
}

/// # Safety
/// `stream` is a stream of an open context.
pub(crate) unsafe fn stream_info(index: usize, stream: *mut ffi::AVStream) -> StreamInfo {
    // SAFETY: stream and parameters are valid; enumerations are read as integers because files may hold any value.
    unsafe {
        let (s, par) = (&*stream, (*stream).codecpar);
        let p = &*par;
        let kind = match p.codec_type {
            ffi::AVMediaType::AVMEDIA_TYPE_VIDEO if !attached(s.disposition) => StreamKind::Video,
            ffi::AVMediaType::AVMEDIA_TYPE_AUDIO => StreamKind::Audio,
            _ => StreamKind::Other,
        };
        let positive = |v: c_int| u32::try_from(v).ok().filter(|v| *v > 0);
        let mut layout = [0u8; 128];
        let described =
            ffi::av_channel_layout_describe(&raw const (*par).ch_layout, layout.as_mut_ptr().cast(), 128) > 0;
        StreamInfo {
            index,
            kind,
            codec: string(ffi::avcodec_get_name(p.codec_id)).unwrap_or_default(),
            profile: string(ffi::avcodec_profile_name(p.codec_id, p.profile)),
            level: (p.level > 0).then_some(p.level),
            width: positive(p.width).unwrap_or(0),
            height: positive(p.height).unwrap_or(0),
            pixel_format: (kind == StreamKind::Video).then(|| pixel_format_name(p.format)).flatten(),
            time_base: Rational::new(s.time_base.num, s.time_base.den).unwrap_or(Rational { num: 1, den: 1_000_000 }),
            start: known(s.start_time),
            duration: known(s.duration).filter(|d| *d > 0),
            frames: u64::try_from(s.nb_frames).ok().filter(|n| *n > 0),
            average_rate: ratio(s.avg_frame_rate),
            base_rate: ratio(s.r_frame_rate),
            // What the container says overrides what the codec says, as it does for players.
            aspect: ratio(s.sample_aspect_ratio).or(ratio(p.sample_aspect_ratio)),
            bit_rate: u64::try_from(p.bit_rate).ok().filter(|b| *b > 0),
            sample_rate: positive(p.sample_rate),
            channels: positive(p.ch_layout.nb_channels),
            channel_layout: (kind == StreamKind::Audio && described).then(|| string(layout.as_ptr().cast())).flatten(),
            color: RawColor {
                matrix: (&raw const (*par).color_space).cast::<i32>().read(),
                range: (&raw const (*par).color_range).cast::<i32>().read(),
                primaries: (&raw const (*par).color_primaries).cast::<i32>().read(),
                transfer: (&raw const (*par).color_trc).cast::<i32>().read(),
                siting: (&raw const (*par).chroma_location).cast::<i32>().read(),
            },
            field_order: (&raw const (*par).field_order).cast::<i32>().read(),
            rotation: rotation(stream),
            disposition: s.disposition,
            tags: tags(s.metadata),
        }
    }
}

/// FFmpeg's name of a pixel format number.
pub(crate) fn pixel_format_name(raw: i32) -> Option<String> {
    let format = pixel_format(raw)?;
    // SAFETY: returns a static string or null.
    unsafe { string(ffi::av_get_pix_fmt_name(format)) }
}

/// A pixel format number as the enumeration, if it is one.
pub(crate) fn pixel_format(raw: i32) -> Option<ffi::AVPixelFormat> {
    let end = ffi::AVPixelFormat::AV_PIX_FMT_NB as i32;
    // SAFETY: FFmpeg numbers its formats without holes from 0 up to NB.
    (0..end).contains(&raw).then(|| unsafe { std::mem::transmute::<i32, ffi::AVPixelFormat>(raw) })
}

/// Degrees (0, 90, 180, 270 as a rule) that the picture must be turned clockwise for display.
///
/// # Safety
/// `stream` is a stream of an open context.
unsafe fn rotation(stream: *const ffi::AVStream) -> i32 {
    // SAFETY: side data of the asked size is nine 32-bit numbers.
    unsafe {
        let mut size = 0usize;
        let data = ffi::av_stream_get_side_data(
            stream,
            ffi::AVPacketSideDataType::AV_PKT_DATA_DISPLAYMATRIX,
            (&raw mut size).cast(),
        );
        if data.is_null() || size < 36 {
            return 0;
        }
        let counter_clockwise = ffi::av_display_rotation_get(data.cast());
        if counter_clockwise.is_finite() { (-counter_clockwise).round().rem_euclid(360.0) as i32 } else { 0 }
    }
}
