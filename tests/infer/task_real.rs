//! Adapters over the real models of the test data, against reference values of Python's ONNX Runtime (`scripts/golden/infer_real.py`).

use std::path::Path;

use frameloom::core::{BoxRect, Size};
use frameloom::infer::tasks::PlanarPicture;
use frameloom::infer::tasks::lipsync::Mfcc;
use frameloom::infer::tasks::lowlight::{Lowlight, LowlightOptions};
use frameloom::infer::tasks::segment::Segmenter;
use frameloom::infer::tasks::upscale::{UpscaleOptions, Upscaler};
use frameloom::infer::tasks::vad::{SpeechSegment, Vad};
use frameloom::infer::{OnnxSession, Task, TensorModel};
use serde_json::Value;

use crate::task_support::*;

fn upscaler(data: &Path, file: &str) -> (Upscaler, OnnxSession) {
    let (entry, session) = real(data, Task::Upscale, file);
    (Upscaler::new(&entry, session.inputs(), session.outputs()).unwrap(), session)
}

/// The values that a reference file has of an output, clamped as pictures are.
fn compare(got: &PlanarPicture, golden: &Value, tolerance: f64) {
    let shape: Vec<f64> = numbers(golden, "/cases/0/outputs/output/shape");
    let size = got.size();
    assert_eq!(shape[1..], [got.channels() as f64, f64::from(size.height), f64::from(size.width)]);
    let at = numbers(golden, "/cases/0/outputs/output/at");
    for (at, wanted) in at.iter().zip(numbers(golden, "/cases/0/outputs/output/is")) {
        let (got, wanted) = (f64::from(got.values()[*at as usize]), wanted.clamp(0.0, 1.0));
        assert!((got - wanted).abs() <= tolerance * wanted.max(0.1), "at {at}: {got}, wanted {wanted}");
    }
}

#[test]
fn people_are_found_where_the_reference_finds_them() {
    let Some(data) = data("segmentation by the real models") else { return };
    for (file, name, size) in
        [("selfie_segmentation_256.onnx", "selfie", 256), ("deeplab_v3_mnv2_257.onnx", "deeplab", 257)]
    {
        let (entry, mut session) = real(&data, Task::Segment, file);
        let adapter = Segmenter::new(&entry, session.inputs(), session.outputs()).unwrap();
        let golden = golden(name);
        let mut share = |picture: &PlanarPicture| {
            let (tensor, place) = tensor(&entry, picture, Size::new(size, size));
            let found = adapter.decode(&run(&mut session, &tensor), &[place]).unwrap();
            let small = found[0].mask(15);
            let large = found[0].in_picture(15, &place);
            assert_eq!((small.size, large.size), (Size::new(size, size), picture.size()));
            assert!((small.share(0.5) - large.share(0.5)).abs() < 0.005, "the same at the size of the picture");
            small.share(0.5)
        };
        let wanted = golden.pointer("/cases/0/person_share").unwrap().as_f64().unwrap();
        let got = share(&png(&data.join("images/misc/astronaut.png")));
        assert!((got - wanted).abs() < 0.002, "{name}: {got}, wanted {wanted}");
        for (clip, wanted) in golden.pointer("/person_share_of_frame_0").unwrap().as_object().unwrap() {
            let args = ["-frames:v", "1", "-f", "rawvideo", "-pix_fmt", "rgb24"];
            let bytes = ffmpeg(&data.join("video").join(clip), &args);
            let frame = PlanarPicture::from_rgb8(Size::new(360, 288), &bytes).unwrap();
            let (got, wanted) = (share(&frame), wanted.as_f64().unwrap());
            // Another decoder's colours: OpenCV made the reference.
            assert!((got - wanted).abs() < 0.01, "{name} {clip}: {got}, wanted {wanted}");
        }
    }
}

#[test]
fn upscalers_give_what_the_reference_gives() {
    let Some(data) = data("upscaling by the real models") else { return };
    let part = BoxRect { x: 300, y: 200, width: 160, height: 120 };
    let picture = png(&data.join("images/kodak/kodim05.png")).crop(part).unwrap();
    let whole = UpscaleOptions { tile: 160, overlap: 0, batch: 1 };
    let (mut real, mut session) = upscaler(&data, "realesr_animevideov3_x4.onnx");
    let got = real.upscale(&mut session, &picture, &whole).unwrap();
    assert_eq!(real.declared_factor(), Some(4));
    compare(&got, &golden("realesr"), 1e-2);
    // Tiles: the network looks 17 pixels around; with 16 seen beyond the seam what is missing weighs little.
    let tiled = real.upscale(&mut session, &picture, &UpscaleOptions { tile: 96, overlap: 24, batch: 2 }).unwrap();
    let narrow = real.upscale(&mut session, &picture, &UpscaleOptions { tile: 96, overlap: 0, batch: 1 }).unwrap();
    let (good, bad) = (worst(&tiled, &got), worst(&narrow, &got));
    eprintln!("realesr tiles against the whole: {good} with overlap, {bad} without");
    assert!(good < 0.01 && bad > good);

    let (mut espcn, mut session) = upscaler(&data, "derived_espcn_x3_luma.onnx");
    let bytes: Vec<u8> = picture.to_luma().to_rgb8().chunks_exact(3).map(|p| p[0]).collect();
    let gray = PlanarPicture::from_gray8(picture.size(), &bytes).unwrap();
    let got = espcn.upscale(&mut session, &gray, &whole).unwrap();
    compare(&got, &golden("espcn"), 1e-2);
    let color = espcn.upscale(&mut session, &picture, &whole).unwrap();
    assert_eq!((color.channels(), color.size()), (3, Size::new(480, 360)));
    // Clipped colours apart, the luma of the colours is what the network gave.
    let near = color.to_luma().values().iter().zip(got.values()).filter(|(a, b)| (*a - *b).abs() < 0.01).count();
    assert!(near * 100 > got.values().len() * 97, "{near} of {}", got.values().len());
}

#[test]
fn upscaling_keeps_what_was_there() {
    let Some(data) = data("PSNR of the real upscaler") else { return };
    let (mut real, mut session) = upscaler(&data, "realesr_animevideov3_x4.onnx");
    let golden = golden("realesr");
    for name in ["kodim01", "kodim05", "kodim13", "kodim23"] {
        let picture = png(&data.join(format!("images/kodak/{name}.png")));
        let picture = picture.crop(BoxRect { x: 0, y: 0, width: 480, height: 480 }).unwrap();
        let small = picture.resized(Size::new(120, 120)).unwrap();
        // To bytes and back, as a file would be.
        let small = PlanarPicture::from_rgb8(small.size(), &small.to_rgb8()).unwrap();
        let got =
            real.upscale(&mut session, &small, &UpscaleOptions { tile: 120, ..UpscaleOptions::default() }).unwrap();
        let error: f64 = got.values().iter().zip(picture.values()).map(|(a, b)| f64::from(a - b).powi(2)).sum();
        let psnr = 10.0 * (got.values().len() as f64 / error).log10();
        let wanted = golden.pointer(&format!("/psnr/{name}/model")).unwrap().as_f64().unwrap();
        assert!((psnr - wanted).abs() < 0.1, "{name}: {psnr:.2} dB, wanted {wanted}");
    }
}

#[test]
fn a_dark_picture_gets_the_light_of_the_reference() {
    let Some(data) = data("the real low-light model") else { return };
    let (entry, mut session) = real(&data, Task::Lowlight, "sci_lowlight_480x640.onnx");
    let adapter = Lowlight::new(&entry, session.inputs(), session.outputs()).unwrap();
    let coffee = png(&data.join("images/misc/coffee.png"));
    let dark: Vec<f32> = coffee.values().iter().map(|v| v * 0.25).collect();
    let dark = PlanarPicture::new(coffee.size(), 3, dark).unwrap();
    let golden = golden("sci");
    let exact = linear(&dark, Size::new(640, 480));
    let small = adapter.brighten(&mut session, &exact, &LowlightOptions::default()).unwrap();
    compare(&small, &golden, 1e-2);
    // In the picture's own size, by factors: as light, and with the details of the picture.
    let large = adapter.brighten(&mut session, &dark, &LowlightOptions::default()).unwrap();
    let mean = |p: &PlanarPicture| p.values().iter().map(|v| f64::from(*v)).sum::<f64>() / p.values().len() as f64;
    let wanted = golden.pointer("/cases/0/outputs/output/mean").unwrap().as_f64().unwrap();
    assert_eq!(large.size(), coffee.size());
    assert!((mean(&large) - wanted).abs() < 0.01, "{}, wanted {wanted}", mean(&large));
}

/// Samples of a WAV of 16 bits, one channel.
fn wav(path: &Path) -> Vec<f32> {
    let bytes = std::fs::read(path).unwrap();
    let at = bytes.windows(4).position(|w| w == b"data").unwrap() + 8;
    bytes[at..].chunks_exact(2).map(|b| f32::from(i16::from_le_bytes([b[0], b[1]])) / 32768.0).collect()
}

fn same_segments(got: &[SpeechSegment], wanted: &Value) {
    let wanted: Vec<(f64, f64)> = wanted
        .pointer("/segments_s")
        .unwrap()
        .as_array()
        .unwrap()
        .iter()
        .map(|s| (s[0].as_f64().unwrap(), s[1].as_f64().unwrap()))
        .collect();
    let got: Vec<(f64, f64)> = got.iter().map(|s| s.seconds(16_000)).collect();
    assert_eq!(got.len(), wanted.len(), "{got:?}, wanted {wanted:?}");
    for (g, w) in got.iter().zip(&wanted) {
        assert!((g.0 - w.0).abs() < 0.1 && (g.1 - w.1).abs() < 0.1, "{g:?}, wanted {w:?}");
    }
    let off = got.iter().zip(&wanted).map(|(g, w)| (g.0 - w.0).abs().max((g.1 - w.1).abs())).fold(0.0, f64::max);
    eprintln!("{} segments, at most {:.1} ms from the reference", got.len(), off * 1000.0);
}

#[test]
fn speech_is_found_where_the_reference_finds_it() {
    let Some(data) = data("speech by the real model") else { return };
    let (entry, mut session) = real(&data, Task::Vad, "silero_vad.onnx");
    let adapter = Vad::new(&entry, session.inputs(), session.outputs()).unwrap();
    let golden = golden("silero");
    let samples = wav(&data.join("audio/silero_test_16k.wav"));
    assert_eq!(samples.len(), 960_000);
    let mut stream = adapter.stream(16_000, &adapter.options()).unwrap();
    let (mut probabilities, mut segments) = (vec![], vec![]);
    // In pieces of no whole window.
    for piece in samples.chunks(7001) {
        let out = stream.push(&mut session, piece).unwrap();
        probabilities.extend(out.probabilities);
        segments.extend(out.segments);
    }
    let out = stream.finish(&mut session).unwrap();
    probabilities.extend(out.probabilities);
    segments.extend(out.segments);
    let wanted = numbers(&golden, "/wav/probability_in_thousandths");
    assert_eq!(probabilities.len(), wanted.len());
    let off = probabilities.iter().zip(&wanted).map(|(p, w)| (f64::from(*p) - w / 1000.0).abs()).fold(0.0, f64::max);
    // The reference is rounded to half a thousandth.
    assert!(off < 1.5e-3, "{off}");
    same_segments(&segments, &golden["wav"]);

    let bytes = ffmpeg(&data.join("video/grid_concat_gaps.mp4"), &["-vn", "-ac", "1", "-ar", "16000", "-f", "f32le"]);
    let samples: Vec<f32> = bytes.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect();
    let found = adapter.segments(&mut session, &samples, 16_000, &adapter.options()).unwrap();
    same_segments(&found, &golden["grid_concat_gaps"]);
    // Exactly five runs, one inside each clip.
    let clips = [(0.0, 3.0), (4.0, 7.0), (8.6, 11.6), (12.4, 15.4), (17.4, 20.4)];
    for (s, clip) in found.iter().map(|s| s.seconds(16_000)).zip(clips) {
        assert!(s.0 >= clip.0 && s.1 <= clip.1, "{s:?} lies in {clip:?}");
    }
}

#[test]
fn coefficients_of_sound_are_those_of_the_original() {
    let Some(data) = data("MFCC against recorded values, which lie beside that folder") else { return };
    let path = data.join("../golden/mfcc.json");
    let Ok(text) = std::fs::read_to_string(&path) else {
        eprintln!("NOT RUN ({} is missing): MFCC against recorded values", path.display());
        return;
    };
    let golden: Value = serde_json::from_str(&text).unwrap();
    let pi = std::f64::consts::PI;
    let sample = |i: u32| {
        let t = f64::from(i) / 16_000.0;
        (8000.0 * (2.0 * pi * 220.0 * t).sin() + 4000.0 * (2.0 * pi * (300.0 + 200.0 * t) * t).sin()).trunc() as f32
    };
    let got = Mfcc::new(&(0..32_000).map(sample).collect::<Vec<_>>());
    let wanted = golden["mfcc"].as_array().unwrap();
    assert_eq!((got.len(), wanted.len()), (199, 199));
    let mut off = 0.0f64;
    for (column, row) in got.columns().iter().zip(wanted) {
        for (g, w) in column.iter().zip(row.as_array().unwrap()) {
            off = off.max((f64::from(*g) - w.as_f64().unwrap()).abs());
        }
    }
    // Recorded with five decimals.
    assert!(off < 2e-5, "{off}");
}
