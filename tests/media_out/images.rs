//! Pictures: the table of bad files, reduced decoding, orientation, formats, bombs.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use frameloom::core::{Limits, Size};
use frameloom::media::{DecodeHint, DecodedImage, ImageFormat, decode_image, decode_image_bytes, image_info};

use crate::support::*;

/// What a refusal may take: it is about not unpacking gigabytes, so other work on the machine may slow it down.
const AT_ONCE: Duration = Duration::from_secs(2);

fn full(path: &Path) -> frameloom::Result<DecodedImage> {
    decode_image(path, &Limits::default(), DecodeHint::default())
}

/// Most memory this process ever used, in bytes; 0 unless the test has the process to itself (see `memory_stays_small`).
fn peak_memory() -> u64 {
    if std::env::var_os(ALONE).is_none() {
        return 0;
    }
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:"));
    line.and_then(|l| l.trim().trim_end_matches(" kB").parse::<u64>().ok()).unwrap_or(0) << 10
}

const ALONE: &str = "FRAMELOOM_TEST_ALONE";

#[test]
fn memory_stays_small() {
    for name in [
        "bad_files_do_what_the_table_says",
        "bombs_are_refused_before_memory_is_taken",
        "a_compressed_text_chunk_is_not_unpacked",
    ] {
        let child = command(std::env::current_exe().unwrap().to_str().unwrap())
            .args(["--exact", &format!("images::{name}"), "--nocapture"])
            .env(ALONE, "1")
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&child.stdout);
        assert!(
            child.status.success() && text.contains("1 passed"),
            "{name}: {}",
            String::from_utf8_lossy(&child.stderr)
        );
    }
}

#[test]
fn bad_files_do_what_the_table_says() {
    let Some(dir) = data("bad_files_do_what_the_table_says", "bad") else { return };
    let find = |part: &str| -> PathBuf {
        let mut hits = std::fs::read_dir(&dir).unwrap().map(|e| e.unwrap().path());
        hits.find(|p| p.file_name().unwrap().to_string_lossy().contains(part)).unwrap_or_else(|| panic!("no {part}"))
    };
    for (part, codes) in [
        ("kodim_trunc50.png", &["input-corrupt"][..]),
        ("Bad_shortfile.bmp", &["input-corrupt"]),
        ("overfull-image.tga", &["input-corrupt"]),
        ("Bad_height.bmp", &["limit-exceeded", "input-corrupt"]),
        ("Bad_width.bmp", &["limit-exceeded", "input-corrupt"]),
        ("oom-", &["limit-exceeded", "input-corrupt"]),
        ("clusterfuzz", &["limit-exceeded", "input-corrupt"]),
        ("Bad_badbitcount.bmp", &["input-corrupt", "input-unsupported"]),
        ("crash-", &["input-corrupt", "input-unsupported"]),
        ("flip-zero-height2.tga", &["input-corrupt"]),
        ("bad-color-map.tga", &["input-corrupt", "input-unsupported"]),
        ("sixteen-bit-gray-colormap2.tga", &["input-unsupported"]),
        ("hpredict_cmyk.tiff", &["input-unsupported"]),
        ("empty.mp4", &["input-corrupt"]),
        ("text_named.mp4", &["input-unsupported"]),
    ] {
        let path = find(part);
        let before = peak_memory();
        let start = Instant::now();
        let e = full(&path).expect_err(part);
        let took = start.elapsed();
        eprintln!("{part}: {} ({took:?})", e.to_string().replace(dir.to_str().unwrap(), "bad"));
        assert!(codes.contains(&e.code()), "{part}: {} is {e}", e.code());
        assert!(took < AT_ONCE, "{part} took {took:?}");
        assert!(peak_memory() - before < 64 << 20, "{part} took {} bytes", peak_memory() - before);
        drop(image_info(&path, &Limits::default()));
    }
    let cut = full(&find("photo_trunc40.jpg")).unwrap();
    eprintln!("photo_trunc40.jpg: {} {:?}", cut.size, cut.damaged);
    assert!(cut.damaged.is_some() && cut.size == cut.source_size);
    let small = DecodeHint { min_size: Some(Size::new(64, 64)) };
    let cut = decode_image(find("photo_trunc40.jpg"), &Limits::default(), small).unwrap();
    assert!(cut.damaged.is_some() && cut.size != cut.source_size);
    let alpha = full(&find("resize-with-alpha-original.png")).unwrap();
    assert_eq!((alpha.size, alpha.has_alpha, alpha.damaged), (Size::new(129, 66), true, None));
    assert!(alpha.rgba.chunks(4).any(|p| p[3] < 255));
}

#[test]
fn all_good_pictures_decode_undamaged() {
    let Some(root) = data("all_good_pictures_decode_undamaged", "images") else { return };
    let options = frameloom::media::ListOptions { recursive: true, follow_symlinks: false };
    let list = frameloom::media::list_images(&root, options, &Limits::default()).unwrap();
    let hint = DecodeHint { min_size: Some(Size::new(128, 128)) };
    let (mut jpeg, mut png) = (0, 0);
    for path in &list.files {
        let d = decode_image(path, &Limits::default(), hint).unwrap();
        let info = image_info(path, &Limits::default()).unwrap();
        assert_eq!((d.damaged.as_deref(), info.size, info.format), (None, d.source_size, d.format), "{path:?}");
        assert_eq!(d.rgba.len() as u64, 4 * d.size.area());
        match d.format {
            ImageFormat::Jpeg => jpeg += 1,
            ImageFormat::Png => png += 1,
            other => panic!("{other} in {path:?}"),
        }
    }
    eprintln!("{jpeg} JPEG, {png} PNG; skipped: {:?}", list.skipped.iter().map(|s| &s.reason).collect::<Vec<_>>());
    assert!(jpeg > 1000 && png >= 12);
}

#[test]
fn a_reduced_jpeg_is_the_smallest_that_is_large_enough() {
    let Some(dir) = data("a_reduced_jpeg…", "images/coco_ccby") else { return };
    let path =
        std::fs::read_dir(dir).unwrap().map(|e| e.unwrap().path()).find(|p| p.extension().is_some_and(|e| e == "jpg"));
    let path = path.unwrap();
    let whole = full(&path).unwrap();
    let Size { width, height } = whole.source_size;
    let mean = |d: &DecodedImage| -> f64 {
        d.rgba.chunks(4).map(|p| f64::from(p[0]) + f64::from(p[1]) + f64::from(p[2])).sum::<f64>()
            / d.size.area() as f64
    };
    for n in 1..=8u32 {
        let want = Size::new((width * n).div_ceil(8), (height * n).div_ceil(8));
        let hint = DecodeHint { min_size: Some(want) };
        let d = decode_image(&path, &Limits::default(), hint).unwrap();
        assert_eq!((d.size, d.source_size), (want, whole.size));
        assert!((mean(&d) - mean(&whole)).abs() < 3.0, "{n}/8 has another brightness");
    }
    let more = DecodeHint { min_size: Some(Size::new(width * 2, 1)) };
    assert_eq!(decode_image(&path, &Limits::default(), more).unwrap().size, whole.size);
}

/// A 24x16 JPEG with a red top-left quarter on blue, and an Exif orientation.
fn oriented(dir: &Path, orientation: u16, big_endian: bool) -> PathBuf {
    let plain = dir.join("plain.jpg");
    let source = "color=blue:s=32x16,drawbox=w=16:h=8:color=red:t=fill";
    ffmpeg(&[
        "-f",
        "lavfi",
        "-i",
        source,
        "-frames:v",
        "1",
        "-q:v",
        "1",
        "-pix_fmt",
        "yuvj444p",
        plain.to_str().unwrap(),
    ]);
    let jpeg = std::fs::read(&plain).unwrap();
    let mut tiff = Vec::new();
    let put16 = |t: &mut Vec<u8>, v: u16| t.extend(if big_endian { v.to_be_bytes() } else { v.to_le_bytes() });
    let put32 = |t: &mut Vec<u8>, v: u32| t.extend(if big_endian { v.to_be_bytes() } else { v.to_le_bytes() });
    tiff.extend(if big_endian { b"MM" } else { b"II" });
    put16(&mut tiff, 42);
    put32(&mut tiff, 8);
    put16(&mut tiff, 1);
    for v in [0x112, 3] {
        put16(&mut tiff, v);
    }
    put32(&mut tiff, 1);
    put16(&mut tiff, orientation);
    put16(&mut tiff, 0);
    put32(&mut tiff, 0);
    let mut out = vec![0xff, 0xd8, 0xff, 0xe1];
    out.extend(((2 + 6 + tiff.len()) as u16).to_be_bytes());
    out.extend(b"Exif\0\0");
    out.extend(&tiff);
    out.extend(&jpeg[2..]);
    let path = dir.join(format!("o{orientation}.jpg"));
    std::fs::File::create(&path).unwrap().write_all(&out).unwrap();
    path
}

#[test]
fn exif_orientation_is_applied() {
    let dir = tempfile::tempdir().unwrap();
    // Where the red quarter must be shown: (right, bottom).
    for (orientation, right, bottom) in [
        (1, false, false),
        (2, true, false),
        (3, true, true),
        (4, false, true),
        (5, false, false),
        (6, true, false),
        (7, true, true),
        (8, false, true),
    ] {
        let path = oriented(dir.path(), orientation, orientation % 2 == 0);
        let turned = orientation >= 5;
        let size = if turned { Size::new(16, 32) } else { Size::new(32, 16) };
        let info = image_info(&path, &Limits::default()).unwrap();
        assert_eq!((info.size, u16::from(info.orientation)), (size, orientation));
        for min in [None, Some(Size::new(size.width / 2, size.height / 2))] {
            let d = decode_image(&path, &Limits::default(), DecodeHint { min_size: min }).unwrap();
            assert_eq!((d.size, d.source_size), (min.unwrap_or(size), size));
            let (w, h) = (d.size.width as usize, d.size.height as usize);
            let red = |x: usize, y: usize| {
                let p = &d.rgba[4 * (y * w + x)..][..4];
                p[0] > 150 && p[2] < 100
            };
            for (x, y, r, b) in
                [(1, 1, false, false), (w - 2, 1, true, false), (1, h - 2, false, true), (w - 2, h - 2, true, true)]
            {
                assert_eq!(red(x, y), r == right && b == bottom, "orientation {orientation} at {x},{y}");
            }
        }
    }
}

#[test]
fn formats_are_known_by_content_and_decode_alike() {
    let dir = tempfile::tempdir().unwrap();
    let source = "testsrc2=s=62x46";
    for (ext, format, alpha) in [
        ("png", ImageFormat::Png, false),
        ("bmp", ImageFormat::Bmp, false),
        ("tiff", ImageFormat::Tiff, false),
        ("tga", ImageFormat::Tga, false),
        ("gif", ImageFormat::Gif, true),
        ("webp", ImageFormat::WebP, false),
        ("qoi", ImageFormat::Qoi, false),
        ("ppm", ImageFormat::Pnm, false),
        ("jpg", ImageFormat::Jpeg, false),
    ] {
        let path = dir.path().join(format!("a.{ext}"));
        let made = command("ffmpeg")
            .args(["-v", "error", "-y", "-f", "lavfi", "-i", source, "-frames:v", "1"])
            .args(match ext {
                "webp" => &["-lossless", "1"][..],
                "tiff" => &["-pix_fmt", "rgb24"],
                _ => &[],
            })
            .arg(&path)
            .output()
            .unwrap();
        if !made.status.success() {
            eprintln!("NOT RUN (ffmpeg cannot write {ext}): formats_are_known_by_content_and_decode_alike");
            continue;
        }
        let d = full(&path).unwrap();
        assert_eq!((d.size, d.format, d.damaged.is_some()), (Size::new(62, 46), format, false), "{ext}");
        assert!(d.has_alpha == alpha || ext == "webp", "{ext}");
        if format != ImageFormat::Tga {
            let other = dir.path().join("wrong.name");
            std::fs::copy(&path, &other).unwrap();
            assert_eq!(full(&other).unwrap().rgba, d.rgba, "{ext} under another name");
        }
    }
}

#[test]
fn sixteen_bits_round_to_eight() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.png");
    ffmpeg(&["-f", "lavfi", "-i", "gradients=s=64x64:d=1,format=rgb48be", "-frames:v", "1", path.to_str().unwrap()]);
    let d = full(&path).unwrap();
    assert!(!d.has_alpha && d.rgba.chunks(4).all(|p| p[3] == 255) && d.rgba.len() == 64 * 64 * 4);
}

/// A PNG made of chunks with right checksums.
fn png(chunks: &[(&[u8; 4], Vec<u8>)]) -> Vec<u8> {
    let mut out = b"\x89PNG\r\n\x1a\n".to_vec();
    for (kind, body) in chunks {
        out.extend((body.len() as u32).to_be_bytes());
        let start = out.len();
        out.extend(*kind);
        out.extend(body);
        let crc = out[start..].iter().fold(!0u32, |crc, b| {
            (0..8).fold(crc ^ u32::from(*b), |c, _| if c & 1 == 1 { (c >> 1) ^ 0xedb8_8320 } else { c >> 1 })
        });
        out.extend((!crc).to_be_bytes());
    }
    out
}

fn ihdr(w: u32, h: u32) -> (&'static [u8; 4], Vec<u8>) {
    (b"IHDR", [&w.to_be_bytes()[..], &h.to_be_bytes(), &[8, 2, 0, 0, 0]].concat())
}

#[test]
fn bombs_are_refused_before_memory_is_taken() {
    let one = |bytes: &[u8], code: &str| {
        let (before, start) = (peak_memory(), Instant::now());
        let e = decode_image_bytes(bytes, Path::new("bomb"), &Limits::default(), DecodeHint::default()).unwrap_err();
        assert_eq!(e.code(), code, "{e}");
        assert!(start.elapsed() < AT_ONCE);
        assert!(peak_memory() - before < 64 << 20);
    };
    let idat = (b"IDAT", vec![0x78, 0x9c, 0x03, 0x00, 0x00, 0x00, 0x00, 0x01]);
    one(&png(&[ihdr(100_000, 100_000), idat.clone()]), "limit-exceeded");
    one(&png(&[ihdr(16_384, 16_384), idat.clone()]), "limit-exceeded");
    one(&png(&[ihdr(11_000, 11_000), idat]), "input-corrupt");
    one(b"\x89PNG\r\n\x1a\n", "input-corrupt");
    one(&[0xff, 0xd8, 0xff], "input-corrupt");
    // JPEG headers of 65500x65500, baseline and progressive.
    for sof in [0xc0, 0xc2] {
        let h = [
            0xff, 0xd8, 0xff, sof, 0, 11, 8, 0xff, 0xdc, 0xff, 0xdc, 1, 1, 0x11, 0, 0xff, 0xda, 0, 8, 1, 1, 0, 0, 63, 0,
        ];
        one(&h, "limit-exceeded");
    }
}

#[test]
fn a_compressed_text_chunk_is_not_unpacked() {
    // 64 MiB of zeros in 64 KiB of deflate: stored blocks cannot do it, so the stream is made by hand from one that
    // repeats: FFmpeg's zlib output of a black picture serves as the compressed text.
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("black.png");
    ffmpeg(&[
        "-f",
        "lavfi",
        "-i",
        "color=black:s=8000x8000,format=gray",
        "-frames:v",
        "1",
        "-pred",
        "none",
        path.to_str().unwrap(),
    ]);
    let file = std::fs::read(&path).unwrap();
    let mut packed = Vec::new();
    let mut at = 8;
    while at + 8 < file.len() {
        let len = u32::from_be_bytes(file[at..at + 4].try_into().unwrap()) as usize;
        if &file[at + 4..at + 8] == b"IDAT" {
            packed.extend(&file[at + 8..at + 8 + len]);
        }
        at += 12 + len;
    }
    assert!(packed.len() < 1 << 20, "{} bytes", packed.len());
    let small = dir.path().join("small.png");
    ffmpeg(&["-f", "lavfi", "-i", "color=red:s=8x8,format=rgb24", "-frames:v", "1", small.to_str().unwrap()]);
    let small = std::fs::read(&small).unwrap();
    let text = png(&[(b"zTXt", [b"Comment\0\0".to_vec(), packed].concat())]);
    let bomb = [&small[..33], &text[8..], &small[33..]].concat();
    let (before, start) = (peak_memory(), Instant::now());
    let d = decode_image_bytes(&bomb, Path::new("bomb.png"), &Limits::default(), DecodeHint::default()).unwrap();
    assert_eq!(d.size, Size::new(8, 8));
    assert!(start.elapsed() < AT_ONCE && peak_memory() - before < 32 << 20);
}

#[test]
fn cmyk_jpeg_is_a_typed_error() {
    // A greyscale header would decode; four components with Adobe's marker are CMYK.
    let mut h = vec![0xff, 0xd8, 0xff, 0xee, 0, 14];
    h.extend(b"Adobe\0\x64\0\0\0\0\0");
    h.extend([0xff, 0xc0, 0, 20, 8, 0, 16, 0, 16, 4, 1, 0x11, 0, 2, 0x11, 0, 3, 0x11, 0, 4, 0x11, 0]);
    h.extend([0xff, 0xda, 0, 14, 4, 1, 0, 2, 0, 3, 0, 4, 0, 0, 63, 0, 0xff, 0xd9]);
    let e = decode_image_bytes(&h, Path::new("x.jpg"), &Limits::default(), DecodeHint::default()).unwrap_err();
    assert!(e.code() == "input-unsupported" && e.to_string().contains("CMYK"), "{e}");
}

#[test]
fn limits_hold_for_every_format() {
    let dir = tempfile::tempdir().unwrap();
    for ext in ["png", "jpg", "bmp", "tiff"] {
        let path = dir.path().join(format!("a.{ext}"));
        let source = if ext == "tiff" { "testsrc2=s=64x48,format=rgb24" } else { "testsrc2=s=64x48" };
        ffmpeg(&["-f", "lavfi", "-i", source, "-frames:v", "1", path.to_str().unwrap()]);
        let ok = Limits { side: 64, pixels: 64 * 48, frame_bytes: 4 << 20, ..Limits::default() };
        decode_image(&path, &ok, DecodeHint::default()).unwrap_or_else(|e| panic!("{ext}: {e}"));
        for l in [
            Limits { side: 63, ..ok.clone() },
            Limits { pixels: 3071, ..ok.clone() },
            Limits { frame_bytes: 12_287, ..ok.clone() },
            Limits { packet_bytes: 100, ..ok.clone() },
        ] {
            let e = decode_image(&path, &l, DecodeHint::default()).unwrap_err();
            assert_eq!(e.code(), "limit-exceeded", "{ext}: {e}");
        }
    }
}

#[test]
fn damage_anywhere_never_panics() {
    let dir = tempfile::tempdir().unwrap();
    let limits = Limits { side: 4096, pixels: 1 << 22, frame_bytes: 64 << 20, ..Limits::default() };
    let mut seed = 99u32;
    let mut random = move || {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (seed >> 8) as usize
    };
    for ext in ["png", "jpg", "bmp", "tiff", "tga", "gif", "webp"] {
        let path = dir.path().join(format!("a.{ext}"));
        let source = if ext == "tiff" { "testsrc2=s=40x30,format=rgb24" } else { "testsrc2=s=40x30" };
        ffmpeg(&["-f", "lavfi", "-i", source, "-frames:v", "1", path.to_str().unwrap()]);
        let good = std::fs::read(&path).unwrap();
        for _ in 0..150 {
            let mut bad = good.clone();
            for _ in 0..1 + random() % 4 {
                let at = random() % bad.len();
                bad[at] = random() as u8;
            }
            bad.truncate(bad.len() - random() % 3 * random() % bad.len());
            let start = Instant::now();
            drop(decode_image_bytes(&bad, &path, &limits, DecodeHint::default()));
            assert!(start.elapsed() < Duration::from_secs(5));
        }
    }
}
