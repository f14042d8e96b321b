//! How much of a detector's own speed is left in a whole pipeline: video -> decoding -> tensors -> model -> boxes.
//!
//! `cargo bench --bench models -- VIDEO MODELS NAME [FRAMES] [ROUNDS] [THREADS]`, with NAME a detector of the `models.toml` in MODELS and
//! THREADS those of the session (0: all cores). In turns: the model alone, again and again on one tensor made beforehand, and the pipeline
//! over the first FRAMES frames of the video, with sessions of the same options. Prints milliseconds per frame by the clock and of
//! processor time (Linux), medians over the rounds, the ratio, and what the cores allow: where both ways keep all cores busy, the
//! ratio cannot be above that of their processor times. Without arguments, and with `cargo test`, it does nothing: it needs files that the
//! project does not hold.
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

/// Milliseconds of processor time of this process so far; 0 where the system does not say.
fn processor_millis() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(") ").next().unwrap_or_default().split(' ').collect();
    let ticks = |i: usize| fields.get(i).and_then(|v| v.parse::<f64>().ok()).unwrap_or(0.0);
    // utime and stime, the 14th and 15th of all fields, in hundredths of a second.
    (ticks(11) + ticks(12)) * 10.0
}

/// Runs `work` and gives milliseconds per frame: by the clock, of the processors.
fn timed(frames: usize, work: impl FnOnce()) -> (f64, f64) {
    let (started, busy) = (Instant::now(), processor_millis());
    work();
    (started.elapsed().as_secs_f64() * 1e3 / frames as f64, (processor_millis() - busy) / frames as f64)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with("--")).collect();
    let [video, models, name, rest @ ..] = args.as_slice() else {
        println!("models: give VIDEO MODELS NAME [FRAMES] [ROUNDS] [THREADS]; nothing was measured");
        return;
    };
    let number = |i: usize, or: usize| rest.get(i).map_or(or, |v| v.parse().expect("a number"));
    let (frames, rounds) = (number(0, 100), number(1, 7));
    let ctx = GpuContext::new(&GpuOptions::default()).expect("a device");
    let registry = ModelRegistry::open(&[PathBuf::from(models)]).expect("a manifest");
    let model = registry.load_for(Task::Detect, name, Allow::Pinned).expect("a detector");
    let threads = number(2, 0);
    let options = SessionOptions { threads: (threads > 0).then_some(threads), ..SessionOptions::default() };
    let mut alone = OnnxSession::open(&model, &options).expect("a session");
    let session = OnnxSession::open(&model, &options).expect("a session");
    let detector = Detector::new(&model.entry, session.inputs(), session.outputs()).expect("a decoder");
    let picture = model.entry.picture.clone().unwrap_or_default();
    let mut pipeline = PictureModel::new(&ctx, session, &picture, 8, TensorStageOptions::default()).unwrap();

    let shape = pipeline.stage().shape(1);
    let tensor = vec![0.5f32; shape.iter().product()];
    let input = alone.inputs()[0].name.clone();
    let (mut own, mut own_busy) = (Vec::new(), Vec::new());
    let (mut whole, mut whole_busy) = (Vec::new(), Vec::new());
    let mut boxes = 0;
    let mut decode = 0.0;
    for round in 0..=rounds {
        let (a, a_busy) = timed(frames, || {
            for _ in 0..frames {
                let view = TensorView { shape: &shape, data: TensorSlice::F32(&tensor) };
                alone.run(&[NamedTensor { name: &input, tensor: view }]).unwrap();
            }
        });
        let before = pipeline.spent();
        let (source, _) = VideoSource::new(VideoDecoder::open(video, &DecodeOptions::default()).unwrap());
        let source = First { inner: source, left: frames };
        boxes = 0;
        let (b, b_busy) = timed(frames, || {
            let report = stream(&ctx, &PipelineOptions::default(), Box::new(source), &mut pipeline, |found| {
                let all = detector.decode(&found.run.outputs, found.run.places, detector.options())?;
                boxes += all.iter().map(Vec::len).sum::<usize>();
                Ok(())
            })
            .unwrap();
            report.result.as_ref().unwrap();
            assert_eq!(report.frames, frames as u64, "the video is shorter than {frames} frames");
            decode = report.stages[0].busy.as_secs_f64() * 1e3 / frames as f64;
        });
        let spent = pipeline.spent();
        let per = |d: std::time::Duration| d.as_secs_f64() * 1e3 / frames as f64;
        if round > 0 {
            // The first round warms up.
            own.push(a);
            own_busy.push(a_busy);
            whole.push(b);
            whole_busy.push(b_busy);
            println!(
                "model alone {a:.2} ms, pipeline {b:.2} ms per frame (in the model {:.2}, waiting for tensors {:.2})",
                per(spent.running - before.running),
                per(spent.waiting - before.waiting)
            );
        }
    }
    let (own, whole) = (median(own), median(whole));
    let (own_busy, whole_busy) = (median(own_busy), median(whole_busy));
    let threads = options.threads.map_or("all cores".to_owned(), |t| t.to_string());
    println!("{name}, {frames} frames, {rounds} rounds, threads: {threads}, adapter: {}", ctx.caps().name);
    println!(
        "by the clock: model alone {own:.2} ms, pipeline {whole:.2} ms; decoding keeps a thread busy {decode:.2} ms"
    );
    println!("processor time: model alone {own_busy:.2} ms, pipeline {whole_busy:.2} ms; {boxes} boxes");
    println!("share of the model's own speed: {:.3}; of processor time: {:.3}", own / whole, own_busy / whole_busy);
}
