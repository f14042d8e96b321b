//! Pictures that the container asks to be turned come as they are shown: as the `ffmpeg` command turns them.

use std::path::{Path, PathBuf};

use frameloom::core::{ChromaSiting, FrameLayout, PixelFormat, Size};
use frameloom::media::{DecodeOptions, Sharing, SharingOptions, VideoDecoder};

use crate::{clip, raw_frames, run};

/// The frames of `path` as tight planes, their format and size, which are as declared, and the rotation that is left.
fn planes(path: &Path, options: &DecodeOptions) -> (Vec<u8>, PixelFormat, Size, i32) {
    let mut decoder = VideoDecoder::open(path, options).unwrap();
    let stream = decoder.media_info().video_streams.remove(0);
    let (samples, desc) = raw_frames(&mut decoder);
    assert_eq!(options.layout_of(&stream), FrameLayout::new(&desc));
    assert_eq!(options.size_of(&stream), desc.size);
    (samples, desc.format, desc.size, decoder.rotation())
}

/// A clip of an odd size that says that it is shown turned by `degrees` clockwise.
fn asking(folder: &Path, format: &str, degrees: i32) -> PathBuf {
    let options = ["-c:v", "libx264", "-pix_fmt", format, "-qp", "10", "-frames:v", "3"];
    let as_coded = clip(folder, &format!("{format}.mp4"), "testsrc2=s=66x38:r=5", &options);
    let path = folder.join(format!("{format}_{degrees}.mp4"));
    // The command counts the other way round.
    let rotate = format!("rotate={}", 360 - degrees);
    let copy = ["-c", "copy", "-metadata:s:v:0", &rotate, path.to_str().unwrap()];
    run("ffmpeg", &[&["-v", "error", "-y", "-i", as_coded.to_str().unwrap()], &copy[..]].concat());
    path
}

#[test]
fn samples_are_those_of_ffmpeg_which_turns_them() {
    let folder = tempfile::tempdir().unwrap();
    let formats = [
        ("yuv420p", PixelFormat::I420),
        ("yuv444p", PixelFormat::I444),
        ("yuv420p10le", PixelFormat::I010),
        ("yuv444p10le", PixelFormat::I410),
        ("nv12", PixelFormat::I420),
    ];
    for (format, wanted) in formats {
        for (degrees, size) in [(90, Size::new(38, 66)), (180, Size::new(66, 38)), (270, Size::new(38, 66))] {
            let path = asking(folder.path(), format, degrees);
            let out = folder.path().join("out.raw");
            let raw = if format == "nv12" { "yuv420p" } else { format };
            let arguments = ["-v", "error", "-y", "-i", path.to_str().unwrap(), "-f", "rawvideo", "-pix_fmt", raw];
            run("ffmpeg", &[&arguments[..], &[out.to_str().unwrap()]].concat());
            let (ours, got, at, left) = planes(&path, &DecodeOptions::default());
            assert_eq!((got, at, left), (wanted, size, 0), "{format} {degrees}");
            assert!(ours == std::fs::read(&out).unwrap(), "{format} {degrees}: samples differ");
        }
    }
}

#[test]
fn as_coded_is_there_for_who_asks() {
    let folder = tempfile::tempdir().unwrap();
    let path = asking(folder.path(), "yuv420p", 90);
    let options = DecodeOptions { upright: false, ..DecodeOptions::default() };
    let (coded, format, size, left) = planes(&path, &options);
    assert_eq!((format, size, left), (PixelFormat::I420, Size::new(66, 38), 90));
    let (plain, ..) = planes(&folder.path().join("yuv420p.mp4"), &DecodeOptions::default());
    assert!(coded == plain);
    let siting = |options: &DecodeOptions| {
        let mut decoder = VideoDecoder::open(&path, options).unwrap();
        decoder.next_frame().unwrap().unwrap().desc().color.siting
    };
    assert_eq!((siting(&options), siting(&DecodeOptions::default())), (ChromaSiting::Left, ChromaSiting::Center));
}

/// A quarter turn of 4:2:2 has no name among formats: it becomes 4:4:4 of the same colours.
#[test]
fn a_quarter_turn_of_422_is_444() {
    let folder = tempfile::tempdir().unwrap();
    for (format, half, full) in
        [("yuv422p", PixelFormat::I422, PixelFormat::I444), ("yuv422p10le", PixelFormat::I210, PixelFormat::I410)]
    {
        let (samples, got, size, _) = planes(&asking(folder.path(), format, 90), &DecodeOptions::default());
        assert_eq!((got, size), (full, Size::new(38, 66)), "{format}");
        // Luma first, then what FFmpeg gets when it doubles chroma before it turns.
        let out = folder.path().join("out.raw");
        let path = folder.path().join(format!("{format}.mp4"));
        let doubled = if format == "yuv422p" { "yuv444p" } else { "yuv444p10le" };
        let filter = format!("scale=flags=neighbor,format={doubled},transpose=clock");
        let arguments = ["-v", "error", "-y", "-i", path.to_str().unwrap(), "-vf", &filter, "-f", "rawvideo"];
        run("ffmpeg", &[&arguments[..], &[out.to_str().unwrap()]].concat());
        assert!(samples == std::fs::read(&out).unwrap(), "{format}: samples differ");
        let (_, got, size, _) = planes(&asking(folder.path(), format, 180), &DecodeOptions::default());
        assert_eq!((got, size), (half, Size::new(66, 38)), "{format}");
    }
}

#[test]
fn readers_that_share_turn_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let path = asking(folder.path(), "yuv420p", 270);
    let upright = planes(&path, &DecodeOptions::default());
    let coded = planes(&path, &DecodeOptions { upright: false, ..DecodeOptions::default() });
    let readers = Sharing::group(2, &SharingOptions::default());
    let counted = readers[0].clone();
    std::thread::scope(|scope| {
        for (sharing, (upright, want)) in readers.into_iter().zip([(true, &upright), (false, &coded)]) {
            let path = &path;
            scope.spawn(move || {
                let options = DecodeOptions { upright, sharing: Some(sharing), ..DecodeOptions::default() };
                assert!(planes(path, &options) == *want, "upright {upright}");
            });
        }
    });
    let counts = counted.counts();
    assert_eq!((counts.decoders, counts.decoded, counts.delivered), (1, 3, 6));
}
