//! What a media file declares, without decoding it. Values that the file does not give are null, never invented.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::color;
use super::demux::Demuxer;
use super::pixels::mapping;
use super::streams::{StreamInfo, StreamKind};
use super::turn::Turn;
use crate::core::{CancelToken, Limits, PixelFormat, Rational, Size};
use crate::error::Result;

/// A media file as declared. Serialises to the JSON of `frameloom video-info`.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MediaInfo {
    /// File name without folders; bytes that are not UTF-8 are replaced.
    pub filename: String,
    /// Container names, comma-separated.
    pub format_name: String,
    /// Container name for people.
    pub format_long_name: Option<String>,
    /// Duration in seconds, declared or estimated from timestamps.
    pub duration: Option<f64>,
    /// First timestamp in seconds.
    pub start_time: Option<f64>,
    /// File size in bytes.
    pub size: u64,
    /// Bits per second over all streams.
    pub bitrate: Option<u64>,
    /// Video tracks.
    pub video_streams: Vec<VideoStream>,
    /// Audio tracks.
    pub audio_streams: Vec<AudioStream>,
    /// Streams of all kinds.
    pub total_streams: usize,
    /// Number of video tracks.
    pub video_tracks_count: usize,
    /// Number of audio tracks.
    pub audio_tracks_count: usize,
}

/// A video track as declared.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VideoStream {
    /// Position among video tracks, from 0: what [`super::DecodeOptions::track`] takes.
    pub track_index: usize,
    /// Position among all streams of the container.
    pub stream_index: usize,
    /// Codec name.
    pub codec: String,
    /// Coded width in pixels, before rotation.
    pub width: u32,
    /// Coded height in pixels, before rotation.
    pub height: u32,
    /// Average frames per second.
    pub fps: Option<f64>,
    /// Seconds.
    pub duration: Option<f64>,
    /// First timestamp in seconds.
    pub start_time: Option<f64>,
    /// Declared frame count, the same as `nb_frames_declared`.
    pub nb_frames: Option<u64>,
    /// Frame count that the container declares. Never trusted: see [`super::Verdict`].
    pub nb_frames_declared: Option<u64>,
    /// `duration * fps`, where no count is declared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub estimated_frames: Option<u64>,
    /// FFmpeg's name of the pixel format.
    pub pixel_format: Option<String>,
    /// Codec profile.
    pub profile: Option<String>,
    /// Codec level as the codec numbers it.
    pub level: Option<i32>,
    /// Bits per second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bitrate: Option<u64>,
    /// Pixel aspect ratio, `num:den`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aspect_ratio: Option<String>,
    /// Degrees to turn the picture clockwise for display.
    pub rotation: i32,
    /// Unit of timestamps in seconds, `num/den`.
    pub time_base: String,
    /// `progressive`, or `tt`, `bb`, `tb`, `bt` for interlaced material.
    pub field_order: Option<String>,
    /// Colour description.
    pub color: ColorInfo,
}

impl VideoStream {
    /// The format that its frames will have.
    pub(super) fn format(&self) -> PixelFormat {
        let known = self.pixel_format.as_deref().and_then(mapping).map(|m| m.format);
        // What kernels do not know is converted, at most to two bytes a sample.
        known.unwrap_or(PixelFormat::I010)
    }

    /// Bytes of pictures that a decoder of this track holds with `threads` threads: references, reordering and one more per thread, with
    /// padding, and one that is turned. An estimate; measured for H.264 at 1080p with two threads: 26 MB, where this says 40 MB.
    pub fn decoder_bytes(&self, threads: u32) -> u64 {
        let padded = Size::new(self.width.next_multiple_of(64), self.height.next_multiple_of(64));
        let turned = u64::from(Turn::by(self.rotation) != Turn::None);
        self.format().frame_bytes(padded) * (10 + turned + u64::from(threads))
    }

    /// [`Self::time_base`] as a number; `None` for one that is not positive or not of its form.
    pub fn time_unit(&self) -> Option<Rational> {
        let (num, den) = self.time_base.split_once('/')?;
        Rational::new(num.parse().ok()?, den.parse().ok()?).filter(|unit| unit.num > 0)
    }
}

impl MediaInfo {
    /// Frames of a video track that the container declares, or that its duration suggests: for progress and plans, never to be trusted.
    pub fn expected_frames(&self, track: usize) -> Option<u64> {
        let stream = self.video_streams.get(track)?;
        let declared = stream.nb_frames_declared.filter(|n| *n > 0);
        declared.or_else(|| Some((stream.duration.or(self.duration)? * stream.fps?).round() as u64))
    }
}

/// Colour description as declared, by the names of ITU-T H.273 as FFmpeg spells them.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ColorInfo {
    /// Matrix coefficients.
    pub matrix: Option<String>,
    /// `limited` or `full`.
    pub range: Option<String>,
    /// Colour primaries.
    pub primaries: Option<String>,
    /// Transfer characteristics.
    pub transfer: Option<String>,
    /// Position of chroma samples.
    pub siting: Option<String>,
}

/// An audio track as declared.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AudioStream {
    /// Position among audio tracks, from 0.
    pub track_index: usize,
    /// Position among all streams of the container.
    pub stream_index: usize,
    /// Codec name.
    pub codec: String,
    /// Samples per second.
    pub sample_rate: Option<u32>,
    /// Channels.
    pub channels: Option<u32>,
    /// Seconds.
    pub duration: Option<f64>,
    /// First timestamp in seconds.
    pub start_time: Option<f64>,
    /// Speaker layout.
    pub channel_layout: Option<String>,
    /// Bits per second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bitrate: Option<u64>,
}

/// Reads what `path` declares.
///
/// # Errors
/// `InputNotFound` (missing, directory, unreadable), `InputCorrupt` (empty, damaged, not recognised), `InputUnsupported`
/// (container not on the list), `LimitExceeded` (streams, picture size, duration), `Deadline` after `stall_seconds` without
/// progress.
pub fn probe(path: impl AsRef<Path>, limits: &Limits) -> Result<MediaInfo> {
    let demuxer = Demuxer::open(path.as_ref(), limits, &CancelToken::new())?;
    demuxer.check_duration(limits)?;
    Ok(describe(&demuxer))
}

pub(crate) fn describe(d: &Demuxer) -> MediaInfo {
    let micros = |t: Option<i64>| t.map(|t| t as f64 / 1e6);
    let video_streams: Vec<_> = d.tracks(StreamKind::Video).enumerate().map(|(i, s)| video(i, s)).collect();
    let audio_streams: Vec<_> = d.tracks(StreamKind::Audio).enumerate().map(|(i, s)| audio(i, s)).collect();
    MediaInfo {
        filename: d.input.path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        format_name: d.format.clone(),
        format_long_name: d.format_long.clone(),
        duration: micros(d.duration_micros),
        start_time: micros(d.start_micros),
        size: d.input.size,
        bitrate: d.bit_rate,
        total_streams: d.streams.len(),
        video_tracks_count: video_streams.len(),
        audio_tracks_count: audio_streams.len(),
        video_streams,
        audio_streams,
    }
}

/// Seconds of a stream: its own field, or Matroska's `DURATION` tag.
pub(crate) fn stream_seconds(s: &StreamInfo) -> Option<f64> {
    s.duration.map(|d| s.time_base.seconds(d)).or_else(|| s.tag("DURATION").and_then(clock_seconds))
}

/// `HH:MM:SS.fraction` in seconds.
pub(crate) fn clock_seconds(text: &str) -> Option<f64> {
    let mut parts = text.split(':');
    let (h, m, s) = (parts.next()?, parts.next()?, parts.next()?);
    let seconds = h.parse::<f64>().ok()? * 3600.0 + m.parse::<f64>().ok()? * 60.0 + s.parse::<f64>().ok()?;
    (parts.next().is_none() && seconds.is_finite() && seconds >= 0.0).then_some(seconds)
}

/// Declared frame count: the container's field, or the `NUMBER_OF_FRAMES` tag of Matroska writers.
pub(crate) fn declared_frames(s: &StreamInfo) -> Option<u64> {
    s.frames.or_else(|| s.tag("NUMBER_OF_FRAMES").and_then(|t| t.parse().ok()))
}

fn video(track_index: usize, s: &StreamInfo) -> VideoStream {
    let fps = s.average_rate.or(s.base_rate).map(Rational::as_f64);
    let duration = stream_seconds(s);
    let frames = declared_frames(s);
    let owned = |n: Option<&str>| n.map(str::to_owned);
    let by_format = |n: &String| n.starts_with("yuvj");
    VideoStream {
        track_index,
        stream_index: s.index,
        codec: s.codec.clone(),
        width: s.width,
        height: s.height,
        fps,
        duration,
        start_time: s.start.map(|t| s.time_base.seconds(t)),
        nb_frames: frames,
        nb_frames_declared: frames,
        estimated_frames: match (frames, duration, fps) {
            (None, Some(d), Some(f)) => Some((d * f).round() as u64),
            _ => None,
        },
        pixel_format: s.pixel_format.clone(),
        profile: s.profile.clone(),
        level: s.level,
        bitrate: s.bit_rate,
        aspect_ratio: s.aspect.map(|a| format!("{}:{}", a.num, a.den)),
        rotation: s.rotation,
        time_base: s.time_base.to_string(),
        field_order: owned(color::field_order_name(s.field_order)),
        color: ColorInfo {
            matrix: owned(color::matrix_name(s.color.matrix)),
            range: owned(
                color::range_name(s.color.range).or(s.pixel_format.as_ref().is_some_and(by_format).then_some("full")),
            ),
            primaries: owned(color::primaries_name(s.color.primaries)),
            transfer: owned(color::transfer_name(s.color.transfer)),
            siting: owned(color::siting_name(s.color.siting)),
        },
    }
}

fn audio(track_index: usize, s: &StreamInfo) -> AudioStream {
    AudioStream {
        track_index,
        stream_index: s.index,
        codec: s.codec.clone(),
        sample_rate: s.sample_rate,
        channels: s.channels,
        duration: stream_seconds(s),
        start_time: s.start.map(|t| s.time_base.seconds(t)),
        channel_layout: s.channel_layout.clone(),
        bitrate: s.bit_rate,
    }
}

#[cfg(test)]
mod tests {
    use super::clock_seconds;

    #[test]
    fn matroska_clock_times() {
        assert_eq!(clock_seconds("00:00:02.600000000"), Some(2.6));
        assert_eq!(clock_seconds("01:01:01"), Some(3661.0));
        assert_eq!((clock_seconds("2.6"), clock_seconds("a:b:c"), clock_seconds("1:2:3:4")), (None, None, None));
    }
}
