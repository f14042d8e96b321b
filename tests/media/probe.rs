//! What files declare.

use frameloom::Error;
use frameloom::core::Limits;
use frameloom::media::probe;

use crate::{clip, test_data};

#[test]
fn tracks_are_counted_by_kind_and_missing_values_are_null() {
    let Some(data) = test_data("tracks_are_counted_by_kind_and_missing_values_are_null") else { return };
    let info = probe(data.join("video/nasa_13013_2video_2audio_2subs.mp4"), &Limits::default()).unwrap();
    assert_eq!((info.total_streams, info.video_tracks_count, info.audio_tracks_count), (6, 2, 2));
    let second = &info.video_streams[1];
    assert_eq!((second.track_index, second.stream_index, second.width, second.height), (1, 3, 480, 270));
    assert_eq!((second.nb_frames, second.codec.as_str()), (Some(390), "h264"));

    let info = probe(data.join("video/intel_asl_again.mkv"), &Limits::default()).unwrap();
    let json = serde_json::to_value(&info).unwrap();
    let stream = &json["video_streams"][0];
    assert!(stream["nb_frames"].is_null() && stream["estimated_frames"].is_number(), "{stream}");
    assert_eq!((stream["duration"].as_f64(), stream["color"]["range"].as_str()), (Some(2.6), Some("full")));
    for key in ["filename", "format_name", "format_long_name", "duration", "size", "bitrate", "total_streams"] {
        assert!(!json[key].is_null(), "{key}");
    }
}

#[test]
fn rotation_start_and_colour_are_reported() {
    let Some(data) = test_data("rotation_start_and_colour_are_reported") else { return };
    let first =
        |name: &str| probe(data.join("video/fmt").join(name), &Limits::default()).unwrap().video_streams.remove(0);
    assert_eq!(first("decord_video_0.mov").rotation, 0);
    // ffprobe prints the display matrix counter-clockwise: -90 is a quarter turn clockwise.
    assert_eq!(first("decord_video_90.mov").rotation, 90);
    assert_eq!(first("nasa_13013_rotated.mp4").rotation, 270);
    assert!((first("test_non_zero_start.mp4").start_time.unwrap() - 8.333).abs() < 1e-3);
    let hdr = first("testsrc2_hdr.mp4").color;
    assert_eq!((hdr.matrix.as_deref(), hdr.transfer.as_deref()), (Some("bt2020nc"), Some("smpte2084")));
    assert_eq!(hdr.primaries.as_deref(), Some("bt2020"));
}

#[test]
fn sound_without_pictures_has_no_video_tracks() {
    let folder = tempfile::tempdir().unwrap();
    let path = clip(folder.path(), "tone.wav", "sine=d=1:r=16000", &[]);
    let info = probe(&path, &Limits::default()).unwrap();
    assert_eq!((info.video_tracks_count, info.audio_streams[0].sample_rate), (0, Some(16000)));
    let e = frameloom::media::VideoDecoder::open(&path, &Default::default()).unwrap_err();
    assert!(matches!(e, Error::TrackInvalid { kind: "video", available: 0, .. }), "{e:?}");
}

#[test]
fn containers_that_refer_to_other_files_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    clip(folder.path(), "seg.ts", "testsrc2=s=64x48:r=10:d=1", &["-c:v", "libx264", "-pix_fmt", "yuv420p"]);
    for (name, text) in [
        ("a.mp4", "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:1\n#EXTINF:1.0,\nseg.ts\n#EXT-X-ENDLIST\n"),
        ("b.mkv", "ffconcat version 1.0\nfile 'seg.ts'\n"),
        ("c.sdp", "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\n"),
    ] {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        let e = probe(&path, &Limits::default()).unwrap_err();
        assert!(matches!(e, Error::InputUnsupported { .. } | Error::InputCorrupt { .. }), "{name}: {e:?}");
    }
}

#[test]
fn limits_hold_before_anything_is_decoded() {
    let folder = tempfile::tempdir().unwrap();
    let path = clip(folder.path(), "v.mp4", "testsrc2=s=320x240:r=10:d=2", &["-c:v", "libx264", "-pix_fmt", "yuv420p"]);
    for (name, value) in [("streams", 1), ("side", 319), ("pixels", 320 * 240 - 1), ("duration_seconds", 1)] {
        let mut limits = Limits::default();
        limits.set(name, value).unwrap();
        let result = probe(&path, &limits);
        if name == "streams" {
            assert!(result.is_ok(), "one stream is within a limit of one");
        } else {
            let e = result.unwrap_err();
            assert!(matches!(e, Error::LimitExceeded { name: n, .. } if n == name), "{name}: {e:?}");
        }
    }
    let two = folder.path().join("two.mkv");
    let args =
        ["-v", "error", "-i", path.to_str().unwrap(), "-map", "0", "-map", "0", "-c", "copy", two.to_str().unwrap()];
    crate::run("ffmpeg", &args);
    let e = probe(&two, &Limits { streams: 1, ..Limits::default() }).unwrap_err();
    assert!(matches!(e, Error::LimitExceeded { name: "streams", value: 2, limit: 1, .. }), "{e:?}");
}
