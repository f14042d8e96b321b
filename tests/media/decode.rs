//! Frames: bytes, formats, times, threads, names, cancellation.

use std::path::Path;

use frameloom::Error;
use frameloom::core::RowSink;
use frameloom::core::{
    CancelToken, ChromaSiting, ColorRange, FrameDesc, FrameLayout, Limits, PixelFormat, Size, YuvMatrix,
};
use frameloom::media::{DecodeOptions, HardwareDecode, Status, VideoDecoder};

use crate::{clip, decode, raw_frames, run, test_data};

const X264: [&str; 4] = ["-c:v", "libx264", "-pix_fmt", "yuv420p"];

#[test]
fn samples_are_those_of_ffmpeg_for_every_format() {
    let folder = tempfile::tempdir().unwrap();
    let cases = [
        ("yuv420p", "ffv1", PixelFormat::I420, "yuv420p"),
        ("yuv422p", "ffv1", PixelFormat::I422, "yuv422p"),
        ("yuv444p", "ffv1", PixelFormat::I444, "yuv444p"),
        ("yuv420p10le", "ffv1", PixelFormat::I010, "yuv420p10le"),
        ("yuv422p10le", "ffv1", PixelFormat::I210, "yuv422p10le"),
        ("yuv444p10le", "ffv1", PixelFormat::I410, "yuv444p10le"),
        ("gray", "ffv1", PixelFormat::Gray8, "gray"),
        ("nv12", "rawvideo", PixelFormat::Nv12, "nv12"),
        ("yuva420p", "ffv1", PixelFormat::I420, "yuv420p"),
        ("rgb24", "rawvideo", PixelFormat::Rgba8, "rgba"),
        ("bgr24", "rawvideo", PixelFormat::Rgba8, "rgba"),
        ("bgra", "ffv1", PixelFormat::Rgba8, "rgba"),
        ("gbrp", "utvideo", PixelFormat::Rgba8, "rgba"),
        ("pal8", "png", PixelFormat::Rgba8, "rgba"),
        ("rgba", "png", PixelFormat::Rgba8, "rgba"),
        ("rgb24", "png", PixelFormat::Rgba8, "rgba"),
    ];
    for (i, (format, codec, wanted, raw)) in cases.into_iter().enumerate() {
        // NUT would carry raw formats best but is not on the list of containers: Matroska and AVI take these.
        let name = format!("{i}.{}", if codec == "rawvideo" && format.contains("24") { "avi" } else { "mkv" });
        let args = ["-frames:v", "3", "-c:v", codec, "-pix_fmt", format, "-allow_raw_vfw", "1"];
        let args = if name.ends_with("avi") { &args[..6] } else { &args[..] };
        // Odd sides where the format allows them.
        let size = if format == "nv12" { "66x38" } else { "67x39" };
        let path = clip(folder.path(), &name, &format!("testsrc2=s=128x96:r=5,format=gbrp,scale={size}"), args);
        let out = folder.path().join(format!("{i}.raw"));
        let arguments = ["-v", "error", "-y", "-i", path.to_str().unwrap(), "-f", "rawvideo", "-pix_fmt", raw];
        run("ffmpeg", &[&arguments[..], &[out.to_str().unwrap()]].concat());
        let mut decoder = VideoDecoder::open(&path, &DecodeOptions::default()).unwrap();
        let (ours, FrameDesc { format: got, size: at, .. }) = raw_frames(&mut decoder);
        assert_eq!((got, format!("{}x{}", at.width, at.height).as_str()), (wanted, size), "{format} {codec}");
        assert!(ours == std::fs::read(&out).unwrap(), "{format} {codec}: samples differ");
    }
}

#[test]
fn rare_formats_are_converted_and_noted() {
    let folder = tempfile::tempdir().unwrap();
    for (format, wanted) in [
        ("yuv420p12le", PixelFormat::I010),
        ("yuv411p", PixelFormat::I422),
        ("yuv440p", PixelFormat::I444),
        ("gray10le", PixelFormat::Gray8),
    ] {
        let args = ["-frames:v", "2", "-c:v", "ffv1", "-strict", "-2", "-pix_fmt", format];
        let path = clip(folder.path(), &format!("{format}.mkv"), "testsrc2=s=64x48:r=5", &args);
        let mut decoder = VideoDecoder::open(&path, &DecodeOptions::default()).unwrap();
        decoder.next_frame().unwrap().unwrap();
        let got = decoder.desc().unwrap().format;
        assert!(decoder.notes().iter().any(|n| n.contains("converted") && n.contains(format)), "{:?}", decoder.notes());
        assert!(got.bits() >= wanted.bits() || got == wanted, "{format} became {got}");
    }
}

/// RGB in 0..=255 of the middle pixel of the first frame, by the colour that the frame is labelled with.
fn middle_as_labelled(path: &Path) -> [f64; 3] {
    let mut decoder = VideoDecoder::open(path, &DecodeOptions::default()).unwrap();
    let frame = decoder.next_frame().unwrap().unwrap();
    let desc = frame.desc();
    let layout = FrameLayout::new(&desc).unwrap();
    let mut slot = vec![0u8; layout.slot_bytes() as usize];
    frame.copy_into(&layout, &mut slot[..]).unwrap();
    assert!(desc.format.has_luma() && layout.planes().len() == 3, "{}", desc.format);
    let bytes = desc.format.sample_bytes() as usize;
    let [y, cb, cr] = [0, 1, 2].map(|plane| {
        let (shift_x, shift_y) = if plane == 0 { (0, 0) } else { desc.format.chroma_shift() };
        let (x, y) = ((desc.size.width / 2) >> shift_x, (desc.size.height / 2) >> shift_y);
        let p = &layout.planes()[plane];
        let at = (p.offset + p.stride * y) as usize + x as usize * bytes;
        let code = if bytes == 2 { u16::from_le_bytes([slot[at], slot[at + 1]]) } else { u16::from(slot[at]) };
        // As a number of 8 bits with a fraction.
        f64::from(code) / f64::from(1u32 << (desc.format.bits() - 8))
    });
    let (luma, chroma) = match desc.color.range {
        ColorRange::Limited => ((y - 16.0) / 219.0, [cb, cr].map(|c| (c - 128.0) / 224.0)),
        ColorRange::Full => (y / 255.0, [cb, cr].map(|c| (c - 128.0) / 255.0)),
    };
    let (kr, kb) = desc.color.matrix.kr_kb();
    let (r, b) = (luma + 2.0 * (1.0 - kr) * chroma[1], luma + 2.0 * (1.0 - kb) * chroma[0]);
    [r, (luma - kr * r - kb * b) / (1.0 - kr - kb), b].map(|v| v * 255.0)
}

#[test]
fn rgb_of_more_than_eight_bits_keeps_its_colours() {
    let folder = tempfile::tempdir().unwrap();
    // BT.601 is assumed for the small pictures, BT.709 for the large ones.
    for size in ["320x240", "1280x720"] {
        for format in ["gbrp10le", "gbrp12le"] {
            for (name, rgb) in [("d02030", [208, 32, 48]), ("20c040", [32, 192, 64]), ("3040d0", [48, 64, 208])] {
                let filter = format!("color=c=0x{name}:s={size}:r=5,format=gbrp,format={format}");
                let args = ["-frames:v", "1", "-c:v", "ffv1", "-strict", "-2", "-pix_fmt", format];
                let path = clip(folder.path(), &format!("{name}_{size}_{format}.mkv"), &filter, &args);
                let got = middle_as_labelled(&path);
                for (got, wanted) in got.iter().zip(rgb) {
                    assert!((got - f64::from(wanted)).abs() < 3.0, "{size} {format} {name}: {got:?}, {wanted:?}");
                }
            }
        }
    }
}

#[test]
fn thread_counts_change_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let args = [&X264[..], &["-bf", "3", "-g", "30"]].concat();
    let mut files = vec![clip(folder.path(), "t.mp4", "testsrc2=s=322x242:r=25:d=3", &args)];
    if let Some(data) = test_data("thread_counts_change_nothing (real files)") {
        for name in [
            "video/fmt/h265_10bits.mp4",
            "video/fmt/av1_video.mkv",
            "video/fmt/testsrc2_vp9.webm",
            "video/grid_bbaf2n.mpg",
        ] {
            files.push(data.join(name));
        }
    }
    for path in files {
        let results: Vec<_> = [1, 2, 4]
            .map(|threads| decode(&path, &DecodeOptions { threads, ..DecodeOptions::default() }).unwrap())
            .into_iter()
            .map(|d| (d.infos, d.hashes, d.verdict))
            .collect();
        assert!(results[0] == results[1] && results[0] == results[2], "{}", path.display());
        assert!(results[0].1.windows(2).any(|w| w[0] != w[1]), "frames must differ from each other");
    }
}

#[test]
fn thread_counts_change_nothing_for_damaged_files_either() {
    let Some(data) = test_data("thread_counts_change_nothing_for_damaged_files_either") else { return };
    for name in ["carphone_flip.mp4", "decord_corrupted.mp4", "grid_hole.mpg", "asl_trunc50.mkv"] {
        let path = data.join("bad").join(name);
        let results = [1, 2, 4, 4].map(|threads| {
            let d = decode(&path, &DecodeOptions { threads, ..DecodeOptions::default() }).unwrap();
            (d.infos, d.hashes, d.verdict)
        });
        for (i, r) in results.iter().enumerate() {
            assert!(*r == results[0], "{name}, run {i}: {:?} against {:?}", r.2, results[0].2);
        }
    }
}

#[test]
fn times_are_those_of_the_container() {
    let Some(data) = test_data("times_are_those_of_the_container") else { return };
    for (name, track) in [("fmt/test_non_zero_start.mp4", 0), ("intel_asl_again.mkv", 0), ("multitrack_3v2a.mkv", 1)] {
        let path = data.join("video").join(name);
        let select = format!("v:{track}");
        let args = [
            "-v",
            "quiet",
            "-select_streams",
            &select,
            "-show_entries",
            "frame=best_effort_timestamp",
            "-of",
            "csv=p=0",
        ];
        let text = run("ffprobe", &[&args[..], &[path.to_str().unwrap()]].concat());
        let wanted: Vec<i64> = text.lines().filter_map(|l| l.split(',').next()?.parse().ok()).collect();
        let got = decode(&path, &DecodeOptions { track, ..DecodeOptions::default() }).unwrap();
        assert_eq!(got.infos.iter().map(|i| i.pts.unwrap()).collect::<Vec<_>>(), wanted, "{name}");
        assert!(got.infos.iter().enumerate().all(|(i, f)| f.index == i as u64) && got.infos[0].key, "{name}");
    }
}

#[test]
fn colour_comes_from_the_stream_or_is_noted_as_assumed() {
    let Some(data) = test_data("colour_comes_from_the_stream_or_is_noted_as_assumed") else { return };
    let first = |name: &str| {
        let mut d = VideoDecoder::open(data.join("video").join(name), &DecodeOptions::default()).unwrap();
        d.next_frame().unwrap().unwrap();
        (d.desc().unwrap(), d.notes().to_vec())
    };
    let (hdr, _) = first("fmt/testsrc2_hdr.mp4");
    assert_eq!((hdr.format, hdr.color.matrix), (PixelFormat::I010, YuvMatrix::Bt2020));
    let (full, _) = first("fmt/bt709_full_range.mp4");
    assert_eq!((full.color.matrix, full.color.range), (YuvMatrix::Bt709, ColorRange::Full));
    let (asl, _) = first("intel_asl_again.mkv");
    assert_eq!(asl.color.range, ColorRange::Full);
    let (mpeg1, _) = first("grid_bbaf2n.mpg");
    assert_eq!(mpeg1.color.siting, ChromaSiting::Center);
    let (odd, _) = first("fmt/testsrc2_odd_height_and_width_444.mp4");
    assert_eq!((odd.format, odd.size), (PixelFormat::I444, Size::new(321, 241)));
    let (gif, _) = first("intel_prev_classroom.gif");
    assert_eq!((gif.format, gif.size), (PixelFormat::Rgba8, Size::new(480, 270)));
    let (assumed, notes) = first("fades.mp4");
    assert_eq!(assumed.color.matrix, YuvMatrix::Bt601);
    assert!(notes.iter().any(|n| n.contains("assumed")), "{notes:?}");
}

#[test]
fn a_size_that_changes_on_the_way_changes_the_description() {
    let folder = tempfile::tempdir().unwrap();
    let a = clip(folder.path(), "a.ts", "testsrc2=s=64x48:r=10:d=1", &X264);
    let b = clip(folder.path(), "b.ts", "testsrc2=s=96x64:r=10:d=1", &X264);
    let both = folder.path().join("both.ts");
    std::fs::write(&both, [std::fs::read(a).unwrap(), std::fs::read(b).unwrap()].concat()).unwrap();
    let mut decoder = VideoDecoder::open(&both, &DecodeOptions::default()).unwrap();
    let mut sizes = Vec::new();
    while let Some(frame) = decoder.next_frame().unwrap() {
        let layout = FrameLayout::new(&frame.desc()).unwrap();
        frame.copy_into(&layout, &mut vec![0; layout.slot_bytes() as usize][..]).unwrap();
        sizes.push(frame.desc().size);
    }
    assert_eq!((sizes.first(), sizes.last()), (Some(&Size::new(64, 48)), Some(&Size::new(96, 64))));
}

#[test]
fn a_slot_or_layout_that_does_not_fit_is_an_error() {
    struct Counting(usize, usize);
    impl RowSink for Counting {
        fn capacity(&self) -> usize {
            self.0
        }
        fn write(&mut self, offset: usize, bytes: &[u8]) {
            assert!(offset + bytes.len() <= self.0);
            self.1 += bytes.len();
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let path = clip(folder.path(), "v.mp4", "testsrc2=s=66x50:r=10:d=1", &X264);
    let mut decoder = VideoDecoder::open(&path, &DecodeOptions::default()).unwrap();
    let frame = decoder.next_frame().unwrap().unwrap();
    let layout = FrameLayout::new(&frame.desc()).unwrap();
    let small = layout.slot_bytes() as usize - 1;
    assert!(matches!(frame.copy_into(&layout, &mut Counting(small, 0)), Err(Error::Parameter { name: "slot", .. })));
    let other = FrameLayout::of(PixelFormat::I422, frame.desc().size).unwrap();
    assert!(matches!(frame.copy_into(&other, &mut Counting(1 << 20, 0)), Err(Error::Parameter { name: "layout", .. })));
    let mut sink = Counting(small + 1, 0);
    frame.copy_into(&layout, &mut sink).unwrap();
    assert_eq!(sink.1 as u64, PixelFormat::I420.frame_bytes(frame.desc().size), "every sample is written once");
}

#[test]
fn cancelling_and_limits_end_decoding() {
    let folder = tempfile::tempdir().unwrap();
    let path = clip(folder.path(), "v.mp4", "testsrc2=s=64x48:r=10:d=3", &X264);
    let cancel = CancelToken::new();
    let mut decoder =
        VideoDecoder::open(&path, &DecodeOptions { cancel: cancel.clone(), ..DecodeOptions::default() }).unwrap();
    assert!(decoder.next_frame().unwrap().is_some());
    cancel.cancel();
    assert!(matches!(decoder.next_frame(), Err(Error::Cancelled)));
    assert!(decoder.verdict().is_none());
    let e = VideoDecoder::open(&path, &DecodeOptions { cancel, ..DecodeOptions::default() }).unwrap_err();
    assert!(matches!(e, Error::Cancelled), "{e:?}");
    for (name, value) in [("frames", 5), ("packet_bytes", 10), ("frame_bytes", 64 * 48)] {
        let mut limits = Limits::default();
        limits.set(name, value).unwrap();
        let e = decode(&path, &DecodeOptions { limits, ..DecodeOptions::default() }).err().unwrap();
        assert!(matches!(e, Error::LimitExceeded { name: n, .. } if n == name), "{name}: {e:?}");
    }
}

#[test]
fn tracks_are_chosen_by_position() {
    let Some(data) = test_data("tracks_are_chosen_by_position") else { return };
    let path = data.join("video/multitrack_3v2a.mkv");
    for (track, size) in [(0, Size::new(640, 480)), (1, Size::new(640, 272)), (2, Size::new(360, 288))] {
        let mut d = VideoDecoder::open(&path, &DecodeOptions { track, stream: 7, ..DecodeOptions::default() }).unwrap();
        let frame = d.next_frame().unwrap().unwrap();
        assert_eq!((frame.desc().size, frame.info().stream), (size, 7));
    }
    let e = VideoDecoder::open(&path, &DecodeOptions { track: 3, ..DecodeOptions::default() }).unwrap_err();
    assert!(matches!(e, Error::TrackInvalid { index: 3, available: 3, .. }), "{e:?}");
}

#[test]
fn names_may_hold_any_byte() {
    use std::os::unix::ffi::OsStrExt;
    let folder = tempfile::tempdir().unwrap();
    let path = clip(folder.path(), "v.mp4", "testsrc2=s=64x48:r=10:d=1", &X264);
    for name in
        [&b"two words.mp4"[..], b"line\nbreak.mp4", b"\xff\xfe.mp4", b"-v", b"http:x.mp4", b"%d.mp4", b"concat:a|b"]
    {
        let strange = folder.path().join(std::ffi::OsStr::from_bytes(name));
        std::fs::copy(&path, &strange).unwrap();
        assert_eq!(decode(&strange, &DecodeOptions::default()).unwrap().verdict.status, Status::Complete);
    }
}

#[test]
fn what_cannot_be_opened_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let reason = |path: &Path| match VideoDecoder::open(path, &DecodeOptions::default()).unwrap_err() {
        Error::InputNotFound { reason, .. } => reason,
        other => panic!("{other:?}"),
    };
    assert_eq!(reason(&folder.path().join("none.mp4")), "no such file");
    assert!(reason(folder.path()).contains("directory"));
    let pipe = folder.path().join("pipe");
    run("mkfifo", &[pipe.to_str().unwrap()]);
    assert!(reason(&pipe).contains("regular file"), "must not wait for a writer");
    assert!(reason(Path::new("/dev/null")).contains("regular file"));
    let locked = folder.path().join("locked.mp4");
    std::fs::write(&locked, b"x").unwrap();
    run("chmod", &["000", locked.to_str().unwrap()]);
    // The super-user may read it all the same; then its content is the reason.
    match VideoDecoder::open(&locked, &DecodeOptions::default()).unwrap_err() {
        Error::InputNotFound { reason, .. } => assert_eq!(reason, "permission denied"),
        Error::InputCorrupt { .. } => {}
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_device_that_is_missing_is_an_error_when_named_and_a_note_otherwise() {
    let folder = tempfile::tempdir().unwrap();
    let path = clip(folder.path(), "v.mp4", "testsrc2=s=64x48:r=10:d=1", &X264);
    let with = |hardware| DecodeOptions { hardware, ..DecodeOptions::default() };
    let e = VideoDecoder::open(&path, &with(HardwareDecode::Named("no-such-device".into()))).unwrap_err();
    assert_eq!(e.code(), "gpu-unavailable", "{e}");
    let auto = decode(&path, &with(HardwareDecode::Auto)).unwrap();
    assert_eq!(auto.verdict.status, Status::Complete);
    let plain = decode(&path, &DecodeOptions::default()).unwrap();
    if auto.verdict.notes.iter().any(|n| n.contains("CPU")) {
        assert!(auto.hashes == plain.hashes);
    }
    assert!(!plain.verdict.notes.iter().any(|n| n.contains("CPU")));
}

/// Decode speed against the `ffmpeg` command, in interleaved runs. Run with `--ignored --nocapture` on a quiet machine.
#[test]
#[ignore = "a measurement, not a check: needs a quiet machine"]
fn speed_against_the_ffmpeg_command() {
    let folder = tempfile::tempdir().unwrap();
    let args = ["-c:v", "libx264", "-preset", "fast", "-pix_fmt", "yuv420p", "-b:v", "6M"];
    let path = clip(folder.path(), "hd.mp4", "testsrc2=s=1920x1080:r=30:d=20,noise=alls=8:allf=t", &args);
    let mut ratios = Vec::new();
    for _ in 0..5 {
        let start = std::time::Instant::now();
        run("ffmpeg", &["-v", "error", "-threads", "2", "-i", path.to_str().unwrap(), "-f", "null", "-"]);
        let theirs = start.elapsed();
        let start = std::time::Instant::now();
        let options = DecodeOptions { threads: 2, ..DecodeOptions::default() };
        let mut decoder = VideoDecoder::open(&path, &options).unwrap();
        let mut slot: Vec<u8> = Vec::new();
        let mut frames = 0;
        while let Some(frame) = decoder.next_frame().unwrap() {
            let layout = FrameLayout::new(&frame.desc()).unwrap();
            slot.resize(layout.slot_bytes() as usize, 0);
            frame.copy_into(&layout, &mut slot[..]).unwrap();
            frames += 1;
        }
        let ours = start.elapsed();
        let ratio = theirs.as_secs_f64() / ours.as_secs_f64();
        eprintln!("{frames} frames: ffmpeg {theirs:?}, frameloom {ours:?}, ratio {ratio:.3}");
        ratios.push(ratio);
    }
    ratios.sort_by(f64::total_cmp);
    eprintln!("median ratio {:.3}", ratios[2]);
}
