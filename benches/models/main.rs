//! How much of a detector's own speed is left in a whole pipeline: video -> decoding -> tensors -> model -> boxes.
//!
//! `cargo bench --bench models -- VIDEO MODELS NAME [FRAMES] [ROUNDS]`, with NAME a detector of the `models.toml` in MODELS. In turns: the
//! model alone, again and again on one tensor made beforehand, and the pipeline over the first FRAMES frames of the video. Both use the same
//! session. Prints milliseconds per frame, medians over the rounds, and the ratio. Without arguments, and with `cargo test`, it does nothing:
//! it needs files that the project does not hold.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a measuring tool"
)]

use std::path::PathBuf;
use std::time::Instant;

use frameloom::gpu::{GpuContext, GpuOptions};
use frameloom::infer::tasks::detect::Detector;
use frameloom::infer::{
    Allow, ModelRegistry, NamedTensor, OnnxSession, SessionOptions, Task, TensorModel, TensorSlice, TensorView,
};
use frameloom::media::{DecodeOptions, VideoDecoder};
use frameloom::pipeline::vision::{PictureModel, TensorStageOptions, stream};
use frameloom::pipeline::{FrameSource, PipelineOptions, SourceFrame, VideoSource};

/// The first frames of a source.
struct First<S> {
    inner: S,
    left: usize,
}

impl<S: FrameSource> FrameSource for First<S> {
    fn next(&mut self, deliver: &mut dyn FnMut(&dyn SourceFrame) -> frameloom::Result<()>) -> frameloom::Result<bool> {
        if self.left == 0 {
            return Ok(false);
        }
        self.left -= 1;
        self.inner.next(deliver)
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with("--")).collect();
    let [video, models, name, rest @ ..] = args.as_slice() else {
        println!("models: give VIDEO MODELS NAME [FRAMES] [ROUNDS]; nothing was measured");
        return;
    };
    let number = |i: usize, or: usize| rest.get(i).map_or(or, |v| v.parse().expect("a number"));
    let (frames, rounds) = (number(0, 100), number(1, 7));
    let ctx = GpuContext::new(&GpuOptions::default()).expect("a device");
    let registry = ModelRegistry::open(&[PathBuf::from(models)]).expect("a manifest");
    let model = registry.load_for(Task::Detect, name, Allow::Pinned).expect("a detector");
    let options = SessionOptions::default();
    let mut alone = OnnxSession::open(&model, &options).expect("a session");
    let session = OnnxSession::open(&model, &options).expect("a session");
    let detector = Detector::new(&model.entry, session.inputs(), session.outputs()).expect("a decoder");
    let picture = model.entry.picture.clone().unwrap_or_default();
    let mut pipeline = PictureModel::new(&ctx, session, &picture, 8, TensorStageOptions::default()).unwrap();

    let shape = pipeline.stage().shape(1);
    let tensor = vec![0.5f32; shape.iter().product()];
    let input = alone.inputs()[0].name.clone();
    let mut own = Vec::new();
    let mut whole = Vec::new();
    let mut boxes = 0;
    let mut decode = 0.0;
    for round in 0..=rounds {
        let started = Instant::now();
        for _ in 0..frames {
            let view = TensorView { shape: &shape, data: TensorSlice::F32(&tensor) };
            alone.run(&[NamedTensor { name: &input, tensor: view }]).unwrap();
        }
        let a = started.elapsed().as_secs_f64() * 1e3 / frames as f64;
        let before = pipeline.spent();
        let (source, _) = VideoSource::new(VideoDecoder::open(video, &DecodeOptions::default()).unwrap());
        let source = First { inner: source, left: frames };
        let started = Instant::now();
        boxes = 0;
        let report = stream(&ctx, &PipelineOptions::default(), Box::new(source), &mut pipeline, |found| {
            let all = detector.decode(&found.run.outputs, found.run.places, detector.options())?;
            boxes += all.iter().map(Vec::len).sum::<usize>();
            Ok(())
        })
        .unwrap();
        report.result.as_ref().unwrap();
        assert_eq!(report.frames, frames as u64, "the video is shorter than {frames} frames");
        let b = started.elapsed().as_secs_f64() * 1e3 / frames as f64;
        let spent = pipeline.spent();
        let per = |d: std::time::Duration| d.as_secs_f64() * 1e3 / frames as f64;
        decode = per(report.stages[0].busy);
        if round > 0 {
            // The first round warms up.
            own.push(a);
            whole.push(b);
            println!(
                "model alone {a:.2} ms, pipeline {b:.2} ms per frame (in the model {:.2}, waiting for tensors {:.2})",
                per(spent.running - before.running),
                per(spent.waiting - before.waiting)
            );
        }
    }
    let (own, whole) = (median(own), median(whole));
    let threads = options.threads.map_or("all cores".to_owned(), |t| t.to_string());
    println!("{name}, {frames} frames, {rounds} rounds, threads: {threads}, adapter: {}", ctx.caps().name);
    println!(
        "model alone {own:.2} ms, pipeline {whole:.2} ms (decoding keeps a core busy {decode:.2} ms), {boxes} boxes"
    );
    println!("share of the model's own speed: {:.3}", own / whole);
}
