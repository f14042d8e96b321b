//! Adapters over tiny graphs whose rule is known, through ONNX Runtime (`tests/fixtures/models/README.md` says what each computes).

use frameloom::core::{BoxF, Face, Point, Size};
use frameloom::infer::tasks::PlanarPicture;
use frameloom::infer::tasks::inpaint::{InpaintOptions, Inpainter};
use frameloom::infer::tasks::lipsync::{Embeddings, LipsTower, Mfcc, SoundTower};
use frameloom::infer::tasks::lowlight::{Lowlight, LowlightOptions};
use frameloom::infer::tasks::restore_face::{FaceRestorer, RestoreOptions};
use frameloom::infer::tasks::segment::{Mask, SamPrompt, SamSession, Segmenter, sam::Described};
use frameloom::infer::tasks::upscale::{UpscaleOptions, Upscaler};
use frameloom::infer::tasks::vad::Vad;
use frameloom::infer::{Task, TensorModel};

use crate::task_support::*;

/// Green, with a red rectangle over columns 30..60 and rows 20..50 of 120x80.
fn scene() -> (PlanarPicture, Mask) {
    let size = Size::new(120, 80);
    let inside: Vec<f32> = (0..9600)
        .map(|i| f32::from(u8::from((30..60).contains(&(i % 120)) && (20..50).contains(&(i / 120)))))
        .collect();
    let green = inside.iter().map(|v| 0.8 - 0.8 * v).collect();
    let picture = PlanarPicture::new(size, 3, [inside.clone(), green, vec![0.0; 9600]].concat()).unwrap();
    (picture, Mask::new(size, inside).unwrap())
}

#[test]
fn segmentation_in_all_its_forms_finds_the_red_rectangle() {
    let (picture, wanted) = scene();
    for name in ["segment-alpha", "segment-two", "segment-classes", "segment-classes-nchw"] {
        let (entry, mut session) = tiny(Task::Segment, name);
        let adapter = Segmenter::new(&entry, session.inputs(), session.outputs()).unwrap();
        let (tensor, place) = tensor(&entry, &picture, Size::new(64, 64));
        let found = adapter.decode(&run(&mut session, &tensor), &[place]).unwrap();
        let mask = found[0].in_picture(15, &place);
        assert_eq!(mask.size, wanted.size, "{name}");
        let wrong = mask.values.iter().zip(&wanted.values).filter(|(a, b)| (**a >= 0.5) != (**b >= 0.5)).count();
        // Edges of 64 cells over 120x80 pixels: at most a cell on each side.
        assert!(wrong < 250, "{name}: {wrong} of 900 pixels");
    }
}

#[test]
fn a_prompt_finds_what_looks_like_its_point() {
    let (picture, wanted) = scene();
    let (encoder, mut first) = tiny(Task::Segment, "sam-encoder");
    let (decoder, mut second) = tiny(Task::Segment, "sam-decoder");
    let mut session = SamSession::new(
        Described { entry: &encoder, inputs: first.inputs(), outputs: first.outputs() },
        Described { entry: &decoder, inputs: second.inputs(), outputs: second.outputs() },
    )
    .unwrap();
    let (tensor, place) = tensor(&encoder, &picture, Size::new(64, 64));
    session.encode(&mut first, tensor.view(), place).unwrap();
    let at = |x, y| SamPrompt::at(Point { x, y });
    let boxed = SamPrompt { rect: Some(BoxF { x: 10.0, y: 5.0, width: 80.0, height: 70.0 }), ..at(45.0, 35.0) };
    let got = session.masks(&mut second, &[at(45.0, 35.0), at(100.0, 70.0), boxed]).unwrap();
    let share = |i: usize| got[i].mask.share(0.5);
    let outside = got[0].mask.values.iter().zip(&wanted.values).filter(|(a, b)| **a > 0.5 && **b < 0.5).count();
    assert!((share(0) - wanted.share(0.5)).abs() < 0.04 && outside < 400, "red: {} {outside}", share(0));
    assert!((share(0) + share(1) - 1.0).abs() < 0.08, "green is the rest: {}", share(1));
    assert!((share(2) - share(0)).abs() < 0.02, "{}", share(2));
    // One prompt at a time says the same.
    for (i, prompt) in [at(45.0, 35.0), at(100.0, 70.0)].into_iter().enumerate() {
        assert_eq!(session.masks(&mut second, &[prompt]).unwrap()[0], got[i]);
    }
}

#[test]
fn holes_are_filled_from_their_surroundings() {
    let (picture, mask) = scene();
    for name in ["inpaint", "inpaint-64"] {
        let (entry, mut session) = tiny(Task::Inpaint, name);
        let adapter = Inpainter::new(&entry, session.inputs(), session.outputs()).unwrap();
        let got = adapter.fill(&mut session, &picture, &mask, &InpaintOptions::default()).unwrap();
        let green =
            PlanarPicture::new(got.size(), 3, [vec![0.0; 9600], vec![0.8; 9600], vec![0.0; 9600]].concat()).unwrap();
        assert!(worst(&got, &green) < 0.02, "{name}: {}", worst(&got, &green));
    }
}

#[test]
fn tiles_of_a_network_are_seamless() {
    let picture = noise(70, 45);
    let upscale = |name: &str, options: UpscaleOptions| {
        let (entry, mut session) = tiny(Task::Upscale, name);
        let mut adapter = Upscaler::new(&entry, session.inputs(), session.outputs()).unwrap();
        adapter.upscale(&mut session, &picture, &options).unwrap()
    };
    let whole = UpscaleOptions { tile: 128, overlap: 4, batch: 1 };
    for (name, fixed) in [("local-x2", "local-x2-tile32"), ("nearest-x2", "nearest-x2-tile32")] {
        let wanted = upscale(name, whole);
        assert_eq!(wanted.size(), Size::new(140, 90));
        for options in
            [UpscaleOptions { tile: 24, overlap: 4, batch: 1 }, UpscaleOptions { tile: 32, overlap: 8, batch: 4 }]
        {
            assert!(worst(&upscale(name, options), &wanted) < 1e-5, "{name} {options:?}");
        }
        assert!(worst(&upscale(fixed, whole), &wanted) < 1e-5, "{fixed}");
    }
    // The colour is enlarged with the weights of the luma network: all of it is the same cubic enlargement.
    let cubic = upscale("luma-cubic-x3", whole);
    assert_eq!(cubic.size(), Size::new(210, 135));
    let tiled = upscale("luma-cubic-x3", UpscaleOptions { tile: 24, overlap: 4, batch: 3 });
    assert!(worst(&cubic, &tiled) < 1e-4);
}

#[test]
fn faces_get_sharper_with_less_fidelity_and_only_there() {
    let (entry, mut session) = tiny(Task::RestoreFace, "restore-face");
    let adapter = FaceRestorer::new(&entry, session.inputs(), session.outputs()).unwrap();
    assert!(adapter.has_fidelity(), "a 64-bit scalar");
    // A soft edge in the middle of the face.
    let edge = |i: usize| 0.25 + 0.5 / (1.0 + (-((i % 120) as f32 - 60.0) / 3.0).exp());
    let plane: Vec<f32> = (0..9600).map(edge).collect();
    let picture = PlanarPicture::new(Size::new(120, 80), 3, plane.repeat(3)).unwrap();
    let face = Face { rect: BoxF::from_center(60.0, 40.0, 34.0, 34.0), score: 1.0, points: vec![] };
    let mut slopes = vec![];
    for fidelity in [1.0, 0.5, 0.0] {
        let options = RestoreOptions { fidelity, ..RestoreOptions::default() };
        let got = adapter.restore(&mut session, &picture, std::slice::from_ref(&face), &options).unwrap();
        slopes.push(got.plane(0)[40 * 120 + 66] - got.plane(0)[40 * 120 + 53]);
        assert_eq!(got.plane(0)[..20 * 120 / 4], picture.plane(0)[..20 * 120 / 4], "rows above the face");
    }
    assert!(slopes[0] < slopes[1] && slopes[1] < slopes[2], "{slopes:?}");
}

#[test]
fn dark_pictures_get_lighter_at_any_size() {
    let (entry, mut session) = tiny(Task::Lowlight, "lowlight");
    let adapter = Lowlight::new(&entry, session.inputs(), session.outputs()).unwrap();
    for size in [Size::new(64, 48), Size::new(200, 100)] {
        let dark = PlanarPicture::filled(size, 3, 0.09).unwrap();
        let got = adapter.brighten(&mut session, &dark, &LowlightOptions::default()).unwrap();
        // The floor of factors costs a little: (0.3 + f) / (0.09 + f) * 0.09 with f = 1/255.
        assert!(got.values().iter().all(|v| (v - 0.3).abs() < 0.01), "{size}: {}", got.values()[0]);
    }
}

#[test]
fn speech_like_loudness_is_found_with_the_state_carried() {
    let (entry, mut session) = tiny(Task::Vad, "vad-like");
    let adapter = Vad::new(&entry, session.inputs(), session.outputs()).unwrap();
    // A second of tone after a second of silence; loud is p = s / (s + 0.001) with s near 0.125.
    let tone = |i: usize| if (16_000..32_000).contains(&i) { 0.5 * (i as f32 * 0.3).sin() } else { 0.0 };
    let samples: Vec<f32> = (0..64_000).map(tone).collect();
    let mut stream = adapter.stream(16_000, &adapter.options()).unwrap();
    let out = stream.push(&mut session, &samples).unwrap();
    let rest = stream.finish(&mut session).unwrap();
    assert_eq!((out.probabilities.len(), rest.probabilities.len()), (125, 0));
    // By the rule of the graph, in f64.
    let (mut s, mut before) = (0.0f64, vec![0.0f32; 64]);
    for (p, window) in out.probabilities.iter().zip(samples.chunks_exact(512)) {
        let energy = before.iter().chain(window).map(|v| f64::from(*v).powi(2)).sum::<f64>() / 576.0;
        s = (s + energy) / 2.0;
        assert!((f64::from(*p) - s / (s + 0.001)).abs() < 1e-4);
        before = window[448..].to_vec();
    }
    let all: Vec<_> = out.segments.iter().chain(&rest.segments).collect();
    assert_eq!(all.len(), 1);
    let (start, end) = all[0].seconds(16_000);
    assert!((start - 0.96).abs() < 0.04 && end > 2.0 && end < 2.4, "{start} {end}");
}

#[test]
fn towers_agree_where_mouth_and_sound_move_together() {
    let (lips, mut eyes) = tiny(Task::Lipsync, "lips");
    let (sound, mut ears) = tiny(Task::Lipsync, "sound");
    let lips = LipsTower::new(&lips, eyes.inputs(), eyes.outputs()).unwrap();
    let sound = SoundTower::new(&sound, ears.inputs(), ears.outputs()).unwrap();
    // Loudness per frame: mouth open (dark) when loud.
    let loud: Vec<f32> = (0..30).map(|i| if (i * 7) % 11 < 5 { 1.0 } else { 0.1 }).collect();
    let frames: Vec<Vec<f32>> = loud.iter().map(|l| vec![70.0 * (1.0 - l); 3 * 224 * 224]).collect();
    let frames: Vec<&[f32]> = frames.iter().map(Vec::as_slice).collect();
    let samples: Vec<f32> = (0..30 * 640).map(|i| 20_000.0 * loud[i / 640] * (i as f32 * 0.4).sin()).collect();
    let seen = lips.embed(&mut eyes, &frames, 8).unwrap();
    let heard = sound.embed(&mut ears, &Mfcc::new(&samples), 8).unwrap();
    assert_eq!((seen.dim, seen.len(), heard.dim), (1024, 26, 1024));
    let again = lips.embed(&mut eyes, &frames, 3).unwrap();
    let off = seen.values.iter().zip(&again.values).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(again.values.len() == seen.values.len() && off < 1e-5, "the batch changes nothing: {off}");
    // Mean distance at each shift: least without one.
    let (seen, heard): (Vec<&[f32]>, Vec<&[f32]>) = (seen.rows().collect(), heard.rows().collect());
    let mean = |shift: i64| {
        let pairs =
            (0..20i64).filter_map(|i| Some((seen.get(i as usize)?, heard.get(usize::try_from(i + shift).ok()?)?)));
        let all: Vec<f64> = pairs.map(|(a, b)| Embeddings::distance(a, b)).collect();
        all.iter().sum::<f64>() / all.len() as f64
    };
    let best = (-4..=4).min_by(|a, b| mean(*a).total_cmp(&mean(*b))).unwrap();
    assert_eq!(best, 0, "{:?}", (-4..=4).map(mean).collect::<Vec<_>>());
}
