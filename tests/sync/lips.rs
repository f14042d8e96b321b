//! Offsets of real talking heads from their lips, against truths: the model-free estimator end to end, from files to verdicts.

use std::path::{Path, PathBuf};

use frameloom::core::Size;
use frameloom::gpu::{GpuContext, GpuOptions};
use frameloom::infer::tasks::face::FaceDetector;
use frameloom::infer::tasks::landmarks::LandmarkModel;
use frameloom::infer::{ModelEntry, ModelRegistry, OnnxSession, SessionOptions, Task, TensorModel};
use frameloom::media::{AudioOptions, AudioReader, DecodeOptions};
use frameloom::pipeline::PipelineOptions;
use frameloom::pipeline::vision::{PictureModel, TensorStageOptions};
use frameloom::workflows::sync::{
    LipMotionOptions, MouthSample, SyncEstimate, SyncVerdict, TrackOptions, faces_of_frames, lip_motion, mouths,
    track_faces,
};

use crate::support::data;

const CLIPS: [&str; 5] = ["bbaf2n", "brbk7n", "lbax4n", "lbbc2a", "lrwp9a"];

fn session(models: &Path, task: Task, file: &str) -> (ModelEntry, OnnxSession) {
    let folder = tempfile::tempdir().unwrap();
    let list = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/data_models.toml");
    std::fs::copy(list, folder.path().join("models.toml")).unwrap();
    let registry = ModelRegistry::open(&[folder.path().to_path_buf()]).unwrap();
    let model = registry.load_file(&models.join(file), task, Default::default()).unwrap();
    (model.entry.clone(), OnnxSession::open(&model, &SessionOptions::default()).unwrap())
}

struct Lab {
    ctx: GpuContext,
    faces: PictureModel<OnnxSession>,
    head: FaceDetector,
    points: PictureModel<OnnxSession>,
    adapter: LandmarkModel,
}

impl Lab {
    fn new(data: &Path) -> Self {
        let ctx = GpuContext::new(&GpuOptions::default()).unwrap();
        let models = data.join("onnx");
        let net = |entry: &ModelEntry, session, size| {
            let options = TensorStageOptions { size, ..TensorStageOptions::default() };
            PictureModel::new(&ctx, session, &entry.picture.clone().unwrap(), 8, options).unwrap()
        };
        let (entry, session_) = session(&models, Task::Face, "yunet_n_dynamic.onnx");
        let head = FaceDetector::new(&entry, session_.inputs(), session_.outputs()).unwrap();
        // The size of the clips, as the workflow takes it.
        let faces = net(&entry, session_, Some(Size::new(384, 288)));
        let (entry, session_) = session(&models, Task::Landmarks, "mediapipe_face_landmark_468.onnx");
        let adapter = LandmarkModel::new(&entry, session_.inputs(), session_.outputs()).unwrap();
        let points = net(&entry, session_, None);
        Self { ctx, faces, head, points, adapter }
    }

    fn mouths(&mut self, path: &Path) -> Vec<MouthSample> {
        let (decode, pipeline) = (DecodeOptions::default(), PipelineOptions::default());
        let found = faces_of_frames(&self.ctx, path, &decode, &pipeline, &mut self.faces, &self.head, 0.04).unwrap();
        assert_eq!(found.faces.len(), 75);
        let tracks = track_faces(0, &found.faces, &TrackOptions::default()).unwrap();
        assert_eq!((tracks.len(), tracks[0].boxes.len()), (1, 75), "one talking head");
        let (net, adapter) = (&mut self.points, &self.adapter);
        mouths(&self.ctx, path, &decode, &pipeline, net, adapter, &tracks[0], &found.seconds).unwrap()
    }
}

fn sound(path: &Path) -> (Vec<f32>, f64) {
    let mut reader = AudioReader::open(path, &AudioOptions::default()).unwrap();
    let (mut all, mut start) = (Vec::new(), None);
    while let Some(block) = reader.next_block().unwrap() {
        start.get_or_insert(block.seconds());
        all.extend(block.samples);
    }
    (all, start.unwrap())
}

/// The same sound `millis` later, cut and filled with silence as a player would hear it.
fn shifted(samples: &[f32], millis: i64) -> Vec<f32> {
    let by = millis * 16;
    (0..samples.len() as i64)
        .map(|i| usize::try_from(i - by).ok().and_then(|i| samples.get(i)).copied().unwrap_or(0.0))
        .collect()
}

fn estimate(lips: &[MouthSample], samples: &[f32], start: f64) -> SyncEstimate {
    lip_motion(lips, samples, start, &LipMotionOptions::default()).unwrap()
}

/// A clip: name, lips, samples and their start, what is said of it as it is.
type Speaker = (&'static str, Vec<MouthSample>, Vec<f32>, f64, SyncEstimate);

/// `(peak + margin, whether the offset is right)`.
type Trials = Vec<(f64, bool)>;

/// What the lips of `of` say of the sound of `with` at shifts: its own by five steps of 80 ms to both sides, others' by two of 160 ms.
fn trials(speakers: &[Speaker], of: usize, with: usize) -> Trials {
    let (lips, (_, _, samples, start, _)) = (&speakers[of].1, &speakers[with]);
    let (steps, millis) = if of == with { (5, 80) } else { (2, 160) };
    let tell = |k: i64| {
        let e = estimate(lips, &shifted(samples, millis * k), *start);
        (e.peak + e.margin, of == with && (e.offset * 1e3 - (millis * k) as f64).abs() <= 80.0)
    };
    (-steps..=steps).map(tell).collect()
}

/// A logistic `1 / (1 + exp(-(a + b x)))` by Newton's method with a little ridge, own and foreign of equal weight altogether.
fn fit(own: &[(f64, bool)], foreign: &[(f64, bool)]) -> (f64, f64) {
    let (mut a, mut b) = (0.0f64, 0.0f64);
    let weighted = |v: &[(f64, bool)]| {
        let w = 0.5 / v.len() as f64;
        v.iter().map(|(x, good)| (*x, f64::from(u8::from(*good)), w)).collect::<Vec<_>>()
    };
    let all = [weighted(own), weighted(foreign)].concat();
    const RIDGE: f64 = 1e-5;
    for _ in 0..200 {
        let (mut ga, mut gb, mut haa, mut hab, mut hbb) = (-RIDGE * a, -RIDGE * b, RIDGE, 0.0, RIDGE);
        for (x, y, w) in &all {
            let p = 1.0 / (1.0 + (-(a + b * x)).exp());
            let (g, h) = (w * (y - p), w * p * (1.0 - p));
            (ga, gb) = (ga + g, gb + g * x);
            (haa, hab, hbb) = (haa + h, hab + h * x, hbb + h * x * x);
        }
        let det = haa * hbb - hab * hab;
        (a, b) =
            (a + ((hbb * ga - hab * gb) / det).clamp(-5.0, 5.0), b + ((haa * gb - hab * ga) / det).clamp(-10.0, 10.0));
    }
    (a, b)
}

/// Whether the probability means what it says for somebody whom its fit has not seen: each speaker by a logistic fitted to the other four.
fn leave_one_out(speakers: &[Speaker]) {
    let (mut sure, mut sure_right, mut right, mut all, mut fooled, mut strangers) = (0, 0, 0, 0, 0, 0);
    // Each is in four of the five fits, and measured once.
    let n = speakers.len();
    let measured: Vec<Vec<Trials>> = (0..n).map(|of| (0..n).map(|with| trials(speakers, of, with)).collect()).collect();
    // Own and foreign ones of these lips, `without` somebody's sound.
    let of = |of: usize, without: Option<usize>| -> (Trials, Trials) {
        let others = (0..n).filter(|with| *with != of && Some(*with) != without);
        (measured[of][of].clone(), others.flat_map(|with| measured[of][with].clone()).collect())
    };
    for (out, speaker) in speakers.iter().enumerate() {
        let (mut own, mut foreign) = (Vec::new(), Vec::new());
        for lips in (0..n).filter(|i| *i != out) {
            let (a, b) = of(lips, Some(out));
            own.extend(a);
            foreign.extend(b);
        }
        let (a, b) = fit(&own, &foreign);
        let probability = |x: f64| 1.0 / (1.0 + (-(a + b * x)).exp());
        let (own, foreign) = of(out, None);
        let here = own.iter().filter(|(x, _)| probability(*x) > 0.9);
        let (count, good) = (here.clone().count(), here.filter(|t| t.1).count());
        let wrong = foreign.iter().filter(|(x, _)| probability(*x) > 0.9).count();
        eprintln!(
            "without {}: logistic {a:.1} + {b:.1} x; {} of {} of its own within 80 ms, {good} of {count} where the probability is over 0.9; foreign over 0.9: {wrong} of {}",
            speaker.0,
            own.iter().filter(|t| t.1).count(),
            own.len(),
            foreign.len()
        );
        (sure, sure_right) = (sure + count, sure_right + good);
        (right, all) = (right + own.iter().filter(|t| t.1).count(), all + own.len());
        (fooled, strangers) = (fooled + wrong, strangers + foreign.len());
    }
    eprintln!(
        "cross-validated: {right} of {all} within 80 ms; {sure_right} of {sure} where over 0.9; foreign over 0.9: {fooled} of {strangers}"
    );
    assert!(right * 10 >= all * 8, "{right} of {all}");
    assert!(sure > 0 && sure_right * 100 >= sure * 95, "{sure_right} of {sure}");
    assert!(fooled * 10 <= strangers, "{fooled} of {strangers}");
}

#[test]
fn real_speakers_are_measured_to_within_the_bounds() {
    let Some(root) = data("offsets of the GRID speakers from their lips", "") else { return };
    let clip = |name: &str| -> PathBuf { root.join(format!("video/grid_{name}")) };
    let mut lab = Lab::new(&root);
    let tell = |name: &str, truth: i64, e: &SyncEstimate| {
        eprintln!(
            "{name} {truth:+} ms: {:+.0} ms, peak {:.2}, margin {:.2}, probability {:.2}, {:?}",
            e.offset * 1e3,
            e.peak,
            e.margin,
            e.probability,
            e.verdict
        );
    };
    let mut speakers = Vec::new();
    for name in CLIPS {
        let path = clip(&format!("{name}.mpg"));
        let (lips, (samples, start)) = (lab.mouths(&path), sound(&path));
        assert!(lips.len() >= 70);
        let e = estimate(&lips, &samples, start);
        tell(name, 0, &e);
        assert!(e.offset.abs() < 0.08, "{name}: {}", e.offset);
        speakers.push((name, lips, samples, start, e));
    }
    // The shifted copies, from their own files: relative to the clip as it is.
    for (file, of, truth, verdict) in [
        ("bbaf2n_audio_late200ms.mp4", 0, 200, SyncVerdict::AudioLate),
        ("brbk7n_audio_early160ms.mp4", 1, -160, SyncVerdict::AudioEarly),
    ] {
        let path = clip(file);
        let (lips, (samples, start)) = (lab.mouths(&path), sound(&path));
        let e = estimate(&lips, &samples, start);
        tell(file, truth, &e);
        let moved = e.offset - speakers[of].4.offset;
        assert!((moved * 1e3 - truth as f64).abs() <= 60.0, "{file} moved by {moved}");
        // Three seconds of speech are little: the estimate is right, but one of the two is not sure enough for a verdict by itself.
        assert!(e.verdict == verdict || e.verdict == SyncVerdict::CannotTell, "{file}: {:?}", e.verdict);
        let insist = LipMotionOptions { min_probability: 0.1, ..LipMotionOptions::default() };
        assert_eq!(lip_motion(&lips, &samples, start, &insist).unwrap().verdict, verdict, "{file}: {:?}", e.reasons);
    }
    // 60 further shifts: the absolute offset.
    let (mut right, mut all, mut sure, mut sure_right) = (0, 0, 0, 0);
    for (name, lips, samples, start, _) in &speakers {
        for millis in [40, 110, 180, 250, 320, 400].into_iter().flat_map(|m| [m, -m]) {
            let e = estimate(lips, &shifted(samples, millis), *start);
            let good = (e.offset * 1e3 - millis as f64).abs() <= 80.0;
            if !good {
                tell(name, millis, &e);
            }
            all += 1;
            right += u32::from(good);
            sure += u32::from(e.probability > 0.9);
            sure_right += u32::from(good && e.probability > 0.9);
        }
    }
    // Lips of one speaker with the sound of another: the probability must not be sure of itself.
    let (mut strangers, mut fooled) = (0, 0);
    for (i, a) in speakers.iter().enumerate() {
        for b in speakers.iter().enumerate().filter(|(j, _)| *j != i).map(|(_, b)| b) {
            strangers += 1;
            fooled += u32::from(estimate(&a.1, &b.2, b.3).probability > 0.9);
        }
    }
    eprintln!(
        "{right} of {all} within 80 ms; where the probability is over 0.9: {sure_right} of {sure}; foreign sound over 0.9: {fooled} of {strangers}"
    );
    leave_one_out(&speakers);
    assert_eq!(all, 60);
    assert!(f64::from(right) >= 0.8 * 60.0, "{right}");
    assert!(f64::from(sure_right) >= 0.95 * f64::from(sure), "{sure_right} of {sure}");
    assert!(fooled <= 2, "{fooled} of {strangers}");
}
