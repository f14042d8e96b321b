//! Round trips through the encoder and the muxer.

use frameloom::Error;
use frameloom::core::{
    CancelToken, ChromaSiting, ColorRange, ColorSpec, Limits, PixelFormat, Rational, Size, YuvMatrix,
};
use frameloom::media::{
    AudioCopy, Codec, CopyOptions, CopyPiece, DecodeOptions, JoinOptions, JoinPiece, OddSize, Plane, RateControl,
    VideoWriter, WriterOptions, copy_pieces, join_videos, probe,
};
use frameloom::store::OsIo;

use crate::support::*;

const SIZE: Size = Size::new(96, 64);
/// Uneven steps on a 90 kHz clock that begin at 8.333 s.
const VFR: [i64; 12] =
    [749_970, 752_973, 755_000, 755_001, 790_000, 793_003, 796_006, 796_100, 850_000, 853_003, 900_000, 903_003];

fn assert_times(got: &[f64], want: &[i64], den: f64, within: f64) {
    assert_eq!(got.len(), want.len());
    for (g, w) in got.iter().zip(want) {
        assert!((g - *w as f64 / den).abs() <= within, "{g} instead of {}", *w as f64 / den);
    }
}

#[test]
fn variable_frame_times_survive_in_both_containers_and_codecs() {
    let dir = tempfile::tempdir().unwrap();
    for (name, within) in [("a.mp4", 1e-6), ("a.mkv", 0.0006)] {
        for (codec, wanted) in [(Codec::Auto, "h264"), (Codec::H264, "h264"), (Codec::Mpeg4, "mpeg4")] {
            let path = dir.path().join(name);
            let o = WriterOptions { codec, ..options(SIZE, 90_000) };
            let s = write_rgba(VideoWriter::create(&path, &o, None).unwrap(), SIZE, &VFR);
            assert_eq!((s.frames, s.codec, s.picture, s.coded), (12, wanted, SIZE, SIZE));
            assert_eq!(s.bytes, std::fs::metadata(&path).unwrap().len());
            // Matroska rounds to milliseconds, so the two pictures 1/90000 s apart fall on one time.
            assert_times(&frame_times(&path), &VFR, 90_000.0, within);
            assert_eq!(stream(&path, "v")["codec_name"], wanted);
        }
    }
    assert_eq!(names(dir.path()), ["a.mkv", "a.mp4"]);
}

#[test]
fn pictures_come_back_as_they_went_in() {
    // Decoded by the command line tool, compared in luma: a gradient coded at high quality is nearly exact.
    let dir = tempfile::tempdir().unwrap();
    for codec in [Codec::H264, Codec::Mpeg4] {
        let (path, raw) = (dir.path().join("a.mp4"), dir.path().join("raw"));
        let o = WriterOptions { codec, format: PixelFormat::Nv12, rate: RateControl::Crf(4.0), ..options(SIZE, 25) };
        let mut w = VideoWriter::create(&path, &o, None).unwrap();
        let stride = 128;
        let mut all = Vec::new();
        for n in 0..5usize {
            let y: Vec<u8> = (0..stride * 64).map(|i| (20 + i % stride + i / stride + 9 * n) as u8).collect();
            let uv: Vec<u8> = (0..stride * 32).map(|i| if i % 2 == 0 { 100 } else { 160 }).collect();
            w.write_frame(&[Plane { data: &y, stride }, Plane { data: &uv, stride }], n as i64).unwrap();
            all.extend(y.chunks(stride).flat_map(|r| r[..96].to_vec()));
            all.extend(vec![100u8; 48 * 32]);
            all.extend(vec![160u8; 48 * 32]);
        }
        w.finish().unwrap();
        ffmpeg(&["-i", path.to_str().unwrap(), "-f", "rawvideo", "-pix_fmt", "yuv420p", raw.to_str().unwrap()]);
        let got = std::fs::read(&raw).unwrap();
        assert_eq!(got.len(), all.len());
        let mse: f64 =
            got.iter().zip(&all).map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2)).sum::<f64>() / got.len() as f64;
        assert!(mse < 2.0, "{codec:?}: mean square error {mse}");
        std::fs::remove_file(&raw).unwrap();
    }
}

#[test]
fn the_same_input_gives_the_same_bytes_for_any_thread_count() {
    let dir = tempfile::tempdir().unwrap();
    let times: Vec<i64> = (0..80).collect();
    let size = Size::new(160, 128);
    for (codec, ext) in [(Codec::H264, "mp4"), (Codec::H264, "mkv"), (Codec::Mpeg4, "mp4"), (Codec::Mpeg4, "mkv")] {
        let write = |threads: u32, bitexact: bool, name: &str| {
            let path = dir.path().join(format!("{name}.{ext}"));
            let o = WriterOptions { codec, threads, bitexact, ..options(size, 25) };
            let s = write_rgba(VideoWriter::create(&path, &o, None).unwrap(), size, &times);
            assert_eq!(s.threads, if bitexact { 4 } else { threads });
            std::fs::read(&path).unwrap()
        };
        let first = write(1, true, "a");
        for threads in [1, 2, 4] {
            assert!(write(threads, true, "b") == first, "{codec:?} {ext} with {threads} threads");
        }
        // The control: without the promise, the thread count does change the bytes.
        assert!(write(1, false, "c") != write(3, false, "d"), "{codec:?} {ext}");
    }
}

/// Not a test of its own: what `uninitialised_memory_does_not_reach_the_bytes` runs in processes with dirty memory.
#[test]
fn child_writes_when_asked() {
    let Some(out) = std::env::var_os("FRAMELOOM_TEST_CHILD_OUT") else { return };
    let size = Size::new(98, 66);
    let times: Vec<i64> = (0..60).collect();
    for (codec, ext) in [(Codec::H264, "h264.mp4"), (Codec::Mpeg4, "mpeg4.mkv")] {
        let path = std::path::Path::new(&out).with_extension(ext);
        write_rgba(
            VideoWriter::create(path, &WriterOptions { codec, ..options(size, 25) }, None).unwrap(),
            size,
            &times,
        );
    }
}

#[test]
fn uninitialised_memory_does_not_reach_the_bytes() {
    let dir = tempfile::tempdir().unwrap();
    let mut files = Vec::new();
    for fill in ["0", "1", "85", "170", "254"] {
        let out = dir.path().join(fill);
        let child = command(std::env::current_exe().unwrap().to_str().unwrap())
            .args(["--exact", "encode::child_writes_when_asked"])
            .env("FRAMELOOM_TEST_CHILD_OUT", &out)
            // glibc fills fresh memory with this byte, and the thresholds keep large blocks in its hands.
            .env("MALLOC_PERTURB_", fill)
            .env("MALLOC_MMAP_THRESHOLD_", "33554432")
            .env("MALLOC_TOP_PAD_", "67108864")
            .output()
            .unwrap();
        assert!(child.status.success(), "{}", String::from_utf8_lossy(&child.stdout));
        files.push(["h264.mp4", "mpeg4.mkv"].map(|ext| std::fs::read(out.with_extension(ext)).unwrap()));
    }
    assert!(files.iter().all(|f| f == &files[0]));
}

#[test]
fn audio_is_copied_in_step() {
    let test = "audio_is_copied_in_step";
    let dir = tempfile::tempdir().unwrap();
    for (source, track, ext) in [
        ("video/bigbuckbunny_5s_5.1audio.mp4", 0, "mp4"),
        ("video/bigbuckbunny_5s_5.1audio.mp4", 0, "mkv"),
        ("video/grid_bbaf2n.mpg", 0, "mp4"),
        ("video/multitrack_3v2a.mkv", 1, "mkv"),
        ("video/multitrack_3v2a.mkv", 0, "mp4"),
        ("video/nasa_13013_2video_2audio_2subs.mp4", 1, "mp4"),
    ] {
        let Some(source) = data(test, source) else { return };
        let kind = format!("a:{track}");
        let before = packet_times(&source, &kind);
        let path = dir.path().join(format!("a.{ext}"));
        let audio = AudioCopy::new(&source, track);
        let times: Vec<i64> = (3..53).collect();
        let w = VideoWriter::create(&path, &options(SIZE, 25), Some(&audio)).unwrap();
        let s = write_rgba(w, SIZE, &times);
        let after = packet_times(&path, "a:0");
        assert_eq!((s.audio_packets as usize, after.len()), (before.len(), before.len()), "{source:?} {ext}");
        assert_eq!((s.audio_adjusted, s.audio_damage.len()), (0, 0), "{source:?} {ext}");
        let video = frame_times(&path);
        // Matroska cannot store times before 0: there all streams move by the same amount, and so stay in step.
        let moved = if ext == "mkv" { (-before[0]).max(0.0) } else { 0.0 };
        assert!((video[0] - 0.12 - moved).abs() < 0.0011, "{source:?} {ext}: video starts at {}", video[0]);
        for (a, b) in after.iter().zip(&before) {
            assert!((a - b - moved).abs() < 0.0021, "{source:?} {ext}: {a} instead of {b} (+{moved})");
        }
        let codec = |p: &std::path::Path, k: &str| stream(p, k)["codec_name"].clone();
        // MP4 has one code for all layers of MPEG audio.
        let same = |c: serde_json::Value| if ext == "mp4" && c == "mp2" { "mp3".into() } else { c };
        assert_eq!(codec(&path, "a:0"), same(codec(&source, &kind)), "{source:?} {ext}");
    }
}

#[test]
fn a_start_other_than_zero_keeps_video_and_audio_in_step() {
    let test = "a_start_other_than_zero_keeps_video_and_audio_in_step";
    let Some(grid) = data(test, "video/grid_bbaf2n.mpg") else { return };
    let dir = tempfile::tempdir().unwrap();
    // Real video and audio, moved to a start of 5.5 s.
    let source = dir.path().join("late.mkv");
    let (from, to) = (grid.to_str().unwrap(), source.to_str().unwrap());
    ffmpeg(&["-i", from, "-c", "copy", "-output_ts_offset", "5.5", to]);
    let (video, audio) = (frame_times(&source), packet_times(&source, "a:0"));
    for ext in ["mp4", "mkv"] {
        let path = dir.path().join(format!("a.{ext}"));
        let times: Vec<i64> = video.iter().map(|t| (t * 90_000.0).round() as i64).collect();
        let w = VideoWriter::create(&path, &options(SIZE, 90_000), Some(&AudioCopy::new(&source, 0))).unwrap();
        write_rgba(w, SIZE, &times);
        assert!(video[0] > 5.0 && audio[0] > 5.0);
        assert_times(&frame_times(&path), &times, 90_000.0, 0.0006);
        assert!((packet_times(&path, "a:0")[0] - audio[0]).abs() < 0.0006);
    }
}

#[test]
fn rotation_and_colour_tags_are_written() {
    let dir = tempfile::tempdir().unwrap();
    for degrees in [90, -90, 180] {
        let path = dir.path().join("r.mp4");
        let o = WriterOptions { rotation: degrees, ..options(SIZE, 25) };
        write_rgba(VideoWriter::create(&path, &o, None).unwrap(), SIZE, &[0, 1]);
        let got = stream(&path, "v")["side_data_list"][0]["rotation"].as_i64().unwrap();
        assert_eq!((got - i64::from(degrees)).rem_euclid(360), 0, "{got} instead of {degrees}");
    }
    let mkv = WriterOptions { rotation: 90, ..options(SIZE, 25) };
    let e = VideoWriter::create(dir.path().join("r.mkv"), &mkv, None).unwrap_err();
    assert_eq!(e.exit_code(), 2);
    for (matrix, space, primaries) in [
        (YuvMatrix::Bt601, "smpte170m", "smpte170m"),
        (YuvMatrix::Bt709, "bt709", "bt709"),
        (YuvMatrix::Bt2020, "bt2020nc", "bt2020"),
    ] {
        for (range, range_name) in [(ColorRange::Limited, "tv"), (ColorRange::Full, "pc")] {
            for (siting, siting_name) in
                [(ChromaSiting::Left, "left"), (ChromaSiting::Center, "center"), (ChromaSiting::TopLeft, "topleft")]
            {
                for ext in ["mp4", "mkv"] {
                    let path = dir.path().join(format!("c.{ext}"));
                    let color = ColorSpec { matrix, range, siting };
                    let o = WriterOptions { color, ..options(SIZE, 25) };
                    write_rgba(VideoWriter::create(&path, &o, None).unwrap(), SIZE, &[0, 1]);
                    let v = stream(&path, "v");
                    let got =
                        ["color_space", "color_primaries", "color_range", "chroma_location"].map(|k| v[k].clone());
                    assert_eq!(got, [space, primaries, range_name, siting_name], "{ext}");
                }
            }
        }
    }
}

#[test]
fn the_shape_of_pixels_is_written_and_kept_by_joins_and_copies() {
    let dir = tempfile::tempdir().unwrap();
    // As wide as Matroska, which keeps the width of the picture as it is shown, can say exactly: 128 for 90.
    let size = Size::new(90, 64);
    let aspect = Rational { num: 64, den: 45 };
    let shape = |path: &std::path::Path| stream(path, "v")["sample_aspect_ratio"].clone();
    for codec in [Codec::H264, Codec::Mpeg4] {
        for ext in ["mp4", "mkv"] {
            let path = dir.path().join(format!("a.{ext}"));
            let o = WriterOptions { codec, pixel_aspect: Some(aspect), ..options(size, 25) };
            write_rgba(VideoWriter::create(&path, &o, None).unwrap(), size, &[0, 1, 2]);
            assert_eq!(shape(&path), "64:45", "{codec:?} {ext}");
            let info = probe(&path, &Limits::default()).unwrap();
            assert_eq!(DecodeOptions::default().pixel_aspect_of(&info.video_streams[0]), Some(aspect));
        }
        // What was written in pieces, and what is only copied.
        let path = dir.path().join("a.mp4");
        for ext in ["mp4", "mkv"] {
            let joined = dir.path().join(format!("joined.{ext}"));
            let pieces = [0, 3].map(|start| JoinPiece { path: path.clone(), start });
            let how = JoinOptions {
                time_base: Rational { num: 1, den: 25 },
                last_duration: 1,
                rotation: 0,
                picture: None,
                cancel: CancelToken::new(),
            };
            assert_eq!(join_videos(&OsIo, &joined, &pieces, &how, None).unwrap().frames, 6);
            assert_eq!(shape(&joined), "64:45", "{codec:?} {ext}");
            let copied = dir.path().join(format!("copied.{ext}"));
            let piece = CopyPiece { path: copied.clone(), start: None, end: None };
            copy_pieces(&OsIo, &path, &[piece], &CopyOptions::default()).unwrap();
            assert_eq!(shape(&copied), "64:45", "{codec:?} {ext}");
        }
    }
}

#[test]
fn odd_sizes_follow_the_policy() {
    let dir = tempfile::tempdir().unwrap();
    let size = Size::new(97, 63);
    let path = dir.path().join("odd.mp4");
    let e = VideoWriter::create(&path, &options(size, 25), None).unwrap_err();
    assert!(matches!(e, Error::Parameter { name: "size", .. }) && e.to_string().contains("even"), "{e}");
    assert_eq!(names(dir.path()), [""; 0]);
    for ext in ["mp4", "mkv"] {
        let path = dir.path().join(format!("odd.{ext}"));
        let o = WriterOptions { odd: OddSize::PadReplicate, ..options(size, 25) };
        let s = write_rgba(VideoWriter::create(&path, &o, None).unwrap(), size, &[0, 1, 2]);
        assert_eq!((s.picture, s.coded), (size, Size::new(98, 64)));
        let v = stream(&path, "v");
        assert_eq!((v["width"].as_u64(), v["height"].as_u64()), (Some(98), Some(64)));
        let tags = ffprobe(&path, &["-show_format"])["format"]["tags"].clone();
        let comment = tags["comment"].as_str().or(tags["COMMENT"].as_str()).unwrap().to_owned();
        assert_eq!(comment, "picture 97x63 in the top left of 98x64");
    }
}

#[test]
fn settings_change_the_file() {
    let dir = tempfile::tempdir().unwrap();
    let times: Vec<i64> = (0..60).collect();
    let write = |o: &WriterOptions| {
        let path = dir.path().join("s.mp4");
        let s = write_rgba(VideoWriter::create(&path, o, None).unwrap(), SIZE, &times);
        let json = ffprobe(&path, &["-show_entries", "packet=flags", "-select_streams", "v"]);
        let keys = json["packets"].as_array().unwrap();
        let keys = keys.iter().filter(|p| p["flags"].as_str().unwrap().contains('K')).count();
        (s.bytes, keys, stream(&path, "v"))
    };
    for codec in [Codec::H264, Codec::Mpeg4] {
        let base = WriterOptions { codec, ..options(SIZE, 25) };
        let (bytes, _, _) = write(&base);
        assert!(write(&WriterOptions { rate: RateControl::Crf(40.0), ..base.clone() }).0 < bytes, "{codec:?} crf");
        let low = write(&WriterOptions { rate: RateControl::BitRate(20_000), ..base.clone() }).0;
        let high = write(&WriterOptions { rate: RateControl::BitRate(800_000), ..base.clone() }).0;
        assert!(low < high, "{codec:?} bit rate: {low} {high}");
        assert!(write(&WriterOptions { gop: 10, ..base.clone() }).1 >= 6, "{codec:?} gop");
    }
    // The rate hint gives the last picture its duration: 59 steps of 1/25 s and 1/5 s.
    let mpeg4 = WriterOptions { codec: Codec::Mpeg4, ..options(SIZE, 25) };
    let hint = WriterOptions { frame_rate: Some(Rational { num: 5, den: 1 }), ..mpeg4 };
    let seconds: f64 = write(&hint).2["duration"].as_str().unwrap().parse().unwrap();
    assert!((seconds - (59.0 / 25.0 + 0.2)).abs() < 1e-3, "{seconds}");
    let seconds: f64 = write(&options(SIZE, 25)).2["duration"].as_str().unwrap().parse().unwrap();
    assert!((seconds - 60.0 / 25.0).abs() < 1e-3, "{seconds}");
}

#[test]
fn nothing_is_left_of_a_writer_that_did_not_finish() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.mp4");
    std::fs::File::create(&path).unwrap();
    let data = rgba(SIZE, 0);
    let planes = [Plane { data: &data, stride: 384 }];
    let mut w = VideoWriter::create(&path, &options(SIZE, 25), None).unwrap();
    w.write_frame(&planes, 0).unwrap();
    assert_eq!(names(dir.path()).len(), 2);
    drop(w);
    assert_eq!((names(dir.path()), std::fs::metadata(&path).unwrap().len()), (vec!["x.mp4".to_owned()], 0));
    let w = VideoWriter::create(&path, &options(SIZE, 25), None).unwrap();
    assert_eq!(w.finish().unwrap_err().exit_code(), 2, "no picture is an error");
    assert_eq!(names(dir.path()), ["x.mp4"]);
}

#[test]
fn wrong_calls_are_refused_and_do_no_harm() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.mp4");
    let base = options(SIZE, 25);
    let refused = |o: &WriterOptions| {
        let e = VideoWriter::create(&path, o, None).unwrap_err();
        assert_eq!(e.exit_code(), 2, "{e}");
    };
    refused(&WriterOptions { size: Size::new(0, 64), ..base.clone() });
    refused(&WriterOptions { size: Size::new(20_000, 64), ..base.clone() });
    refused(&WriterOptions { time_base: Rational { num: 0, den: 1 }, ..base.clone() });
    refused(&WriterOptions { frame_rate: Some(Rational { num: -1, den: 1 }), ..base.clone() });
    refused(&WriterOptions { rotation: 45, ..base.clone() });
    refused(&WriterOptions { pixel_aspect: Some(Rational { num: 0, den: 1 }), ..base.clone() });
    refused(&WriterOptions { pixel_aspect: Some(Rational { num: 33, den: 1 }), ..base.clone() });
    refused(&WriterOptions { rate: RateControl::Crf(f32::NAN), ..base.clone() });
    refused(&WriterOptions { rate: RateControl::BitRate(1), ..base.clone() });
    refused(&WriterOptions { threads: 65, ..base.clone() });
    refused(&WriterOptions { gop: 0, ..base.clone() });
    assert_eq!(VideoWriter::create(dir.path().join("x.avi"), &base, None).unwrap_err().exit_code(), 2);
    assert_eq!(VideoWriter::create(dir.path().join("no/x.mp4"), &base, None).unwrap_err().exit_code(), 7);
    let audio = AudioCopy::new(dir.path().join("absent.mp4"), 0);
    assert_eq!(VideoWriter::create(&path, &base, Some(&audio)).unwrap_err().code(), "input-not-found");
    assert_eq!(names(dir.path()), [""; 0]);

    let data = rgba(SIZE, 0);
    let planes = [Plane { data: &data, stride: 384 }];
    let mut w = VideoWriter::create(&path, &base, None).unwrap();
    w.write_frame(&planes, 5).unwrap();
    assert!(w.write_frame(&planes, 5).is_err() && w.write_frame(&planes, 4).is_err());
    assert!(w.write_frame(&planes, i64::MAX).is_err());
    assert!(w.write_frame(&[Plane { data: &data, stride: 100 }], 6).is_err());
    assert!(w.write_frame(&[Plane { data: &data[1..], stride: 384 }], 6).is_err());
    w.write_frame(&planes, 6).unwrap();
    assert_eq!(w.finish().unwrap().frames, 2);
    assert_eq!(frame_times(&path).len(), 2);
}

#[test]
fn audio_that_does_not_fit_the_container_is_a_typed_error() {
    let dir = tempfile::tempdir().unwrap();
    let wav = dir.path().join("tone.wav");
    ffmpeg(&["-f", "lavfi", "-i", "sine=duration=0.2", wav.to_str().unwrap()]);
    let copy = AudioCopy::new(&wav, 0);
    let e = VideoWriter::create(dir.path().join("x.mp4"), &options(SIZE, 25), Some(&copy)).unwrap_err();
    assert_eq!(e.code(), "input-unsupported", "{e}");
    let w = VideoWriter::create(dir.path().join("x.mkv"), &options(SIZE, 25), Some(&copy)).unwrap();
    assert!(write_rgba(w, SIZE, &[0, 1, 2]).audio_packets > 0);
    let e = VideoWriter::create(dir.path().join("y.mkv"), &options(SIZE, 25), Some(&AudioCopy::new(&wav, 1)));
    assert!(matches!(e, Err(Error::TrackInvalid { index: 1, available: 1, .. })));
    assert_eq!(names(dir.path()), ["tone.wav", "x.mkv"]);
}
