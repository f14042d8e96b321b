//! What a video declares.

use std::path::{Path, PathBuf};

use crate::core::{Rational, Size};
use crate::error::{Error, Result};
use crate::media::{DecodeOptions, VideoDecoder, VideoStream};
use crate::store::Fingerprint;

/// What a video declares, of the track that is decoded.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq)]
pub struct VideoFacts {
    /// Path as given.
    pub path: PathBuf,
    /// File name.
    pub name: String,
    /// Content id, with `:as-coded` behind it for a video whose pictures are turned for display and were not here.
    pub fingerprint: String,
    /// Position of the track among the video tracks.
    pub track: usize,
    /// Codec name.
    pub codec: String,
    /// Size of its frames in pixels: as the video is shown, unless it was opened as coded.
    pub size: Size,
    /// Shape of its pixels, width to height, as they are shown; `None` for square ones.
    pub pixel_aspect: Option<Rational>,
    /// Average frames per second.
    pub fps: Option<f64>,
    /// Unit of its times.
    pub time_base: Rational,
    /// Frames, declared or estimated.
    pub frames: Option<u64>,
    /// Number of audio tracks.
    pub audio: usize,
    /// When the track begins, in seconds.
    pub start: f64,
}

impl VideoFacts {
    /// Of `path`, which `decoder` has opened as `options` say. Reads the file for its content id.
    pub(super) fn of(path: &Path, decoder: &VideoDecoder, options: &DecodeOptions) -> Result<Self> {
        let info = decoder.media_info();
        let stream = info.video_streams.get(options.track);
        let stream = stream.ok_or_else(|| Error::Bug("an opened track that is not declared".into()))?;
        Ok(Self {
            path: path.to_path_buf(),
            name: info.filename.clone(),
            fingerprint: content_id(path, options, Some(stream))?,
            track: options.track,
            codec: stream.codec.clone(),
            size: options.size_of(stream),
            pixel_aspect: options.pixel_aspect_of(stream),
            fps: stream.fps,
            time_base: stream.time_unit().ok_or_else(|| Error::InputUnsupported {
                path: path.to_path_buf(),
                what: format!("a time base of {}", stream.time_base),
                hint: None,
            })?,
            frames: info.expected_frames(options.track),
            audio: info.audio_tracks_count,
            start: stream.start_time.unwrap_or(0.0),
        })
    }

    /// Frames to expect in so many seconds from the first one; `None`: in all.
    pub fn expected(&self, seconds: Option<f64>) -> Option<u64> {
        let frames = self.frames?;
        match (seconds, self.fps) {
            (Some(s), Some(fps)) => Some(frames.min((s * fps).ceil() as u64)),
            _ => Some(frames),
        }
    }
}

/// Content id of the video file `path` as frames that are opened with `decode` show it: the same bytes give other pictures where the container
/// asks for a turn and `decode` leaves it out. `stream` is what the file declares of the track.
///
/// # Errors
/// Those of [`Fingerprint::of_file`].
pub(super) fn content_id(path: &Path, decode: &DecodeOptions, stream: Option<&VideoStream>) -> Result<String> {
    let mut id = Fingerprint::of_file(path, &decode.cancel)?.to_string();
    if !decode.upright && stream.is_some_and(|s| s.rotation.rem_euclid(360) != 0) {
        id.push_str(":as-coded");
    }
    Ok(id)
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "tests make the files that they read")]
mod tests {
    use super::*;

    #[test]
    fn the_content_id_tells_turned_pictures_from_those_as_coded() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("video.mp4");
        std::fs::write(&path, b"not looked into").unwrap();
        let plain = Fingerprint::of_bytes(b"not looked into").to_string();
        let stream = |rotation: i32| -> VideoStream {
            serde_json::from_value(serde_json::json!({
                "track_index": 0, "stream_index": 0, "codec": "h264", "width": 64, "height": 48, "fps": 25.0,
                "duration": 1.0, "start_time": 0.0, "nb_frames": 25, "nb_frames_declared": 25,
                "pixel_format": "yuv420p", "profile": null, "level": null, "rotation": rotation,
                "time_base": "1/25", "field_order": null,
                "color": { "matrix": null, "range": null, "primaries": null, "transfer": null, "siting": null },
            }))
            .unwrap()
        };
        let id = |upright: bool, rotation: Option<i32>| {
            let decode = DecodeOptions { upright, ..DecodeOptions::default() };
            content_id(&path, &decode, rotation.map(stream).as_ref()).unwrap()
        };
        for rotation in [None, Some(0), Some(90), Some(-90)] {
            assert_eq!(id(true, rotation), plain, "{rotation:?}");
        }
        for rotation in [None, Some(0), Some(360), Some(-360)] {
            assert_eq!(id(false, rotation), plain, "{rotation:?}");
        }
        for rotation in [90, 180, -90] {
            assert_eq!(id(false, Some(rotation)), format!("{plain}:as-coded"), "{rotation}");
        }
    }
}
