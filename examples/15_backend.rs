//! The library inside a service: frames come in through a bounded queue from several clients, features and matches go out.
//!
//! `cargo run --release --example 15_backend [CLIENTS [FRAMES]]`
//!
//! One thread owns the device and the index. It takes what waits, up to a batch, so that a busy service works in larger batches and an idle
//! one answers at once. The queue is bounded: a client that finds it full waits, or would tell its own caller to come back later. Answers
//! do not depend on what else was in the batch.

use std::sync::mpsc::{Receiver, Sender, SyncSender, TrySendError, channel, sync_channel};
use std::time::{Duration, Instant};

use frameloom::core::{CancelToken, Neighbor, Size};
use frameloom::gpu::{GpuContext, GpuOptions};
use frameloom::index::{IndexOptions, IndexSpec, Rows, VectorIndex, build_index};
use frameloom::ops::RowSample;
use frameloom::workflows::collage::{Describer, DescriptorConfig, Networks, Picture};
use frameloom::{Error, Result};

/// Requests that may wait.
const QUEUE: usize = 32;
/// Requests that are answered together, at most.
const BATCH: u32 = 16;
/// Pictures that the service knows.
const KNOWN: u32 = 200;
const SIZE: Size = Size::new(320, 180);

struct Request {
    frame: Picture,
    reply: Sender<Result<Answer>>,
}

struct Answer {
    /// Unit vector of the frame, for the caller's own use.
    features: Vec<f32>,
    matches: Vec<Neighbor>,
    /// Requests that were answered with it.
    together: usize,
}

fn main() -> Result<()> {
    let mut args = std::env::args().skip(1).map(|a| a.parse::<u32>());
    let wrong = |_| Error::usage("wanted: CLIENTS FRAMES, two numbers");
    let clients = args.next().transpose().map_err(wrong)?.unwrap_or(4);
    let frames = args.next().transpose().map_err(wrong)?.unwrap_or(40);

    let ctx = GpuContext::new(&GpuOptions::default())?;
    println!("on {} [{}]", ctx.caps().name, ctx.caps().kind);
    let (requests, waiting) = sync_channel(QUEUE);
    let (ready, started) = channel();
    let service = std::thread::spawn(move || serve(&ctx, &waiting, &ready));
    if started.recv().is_err() {
        // It ended before it was ready: its result says why.
        return service.join().unwrap_or_else(|_| Err(Error::usage("the service panicked")));
    }

    let begun = Instant::now();
    let threads: Vec<_> = (0..clients)
        .map(|client| {
            let requests = requests.clone();
            std::thread::spawn(move || ask(client, frames, &requests))
        })
        .collect();
    drop(requests);
    let mut all = Vec::new();
    for thread in threads {
        all.extend(thread.join().unwrap_or_else(|_| Err(Error::usage("a client panicked")))?);
    }
    // All clients are gone: the service ends by itself.
    service.join().unwrap_or_else(|_| Err(Error::usage("the service panicked")))?;
    report(&all, begun.elapsed());
    Ok(())
}

/// Answers requests until there are no clients any more.
fn serve(ctx: &GpuContext, waiting: &Receiver<Request>, ready: &Sender<()>) -> Result<()> {
    let config = DescriptorConfig::default();
    let mut describer = Describer::new(ctx, &config, BATCH, &Networks::default(), &CancelToken::new())?;
    let index = known(&mut describer)?;
    let _ = ready.send(());
    while let Ok(first) = waiting.recv() {
        let batch: Vec<Request> = std::iter::once(first).chain(waiting.try_iter().take(BATCH as usize - 1)).collect();
        let mut rest = batch.as_slice();
        while !rest.is_empty() {
            let fit = describer.fitting(rest.iter().map(|r| &r.frame)).max(1);
            let (now, later) = rest.split_at(fit.min(rest.len()));
            answer(&mut describer, index.as_ref(), now);
            rest = later;
        }
    }
    Ok(())
}

/// Answers all of `requests`, with an error if need be.
fn answer(describer: &mut Describer, index: &dyn VectorIndex, requests: &[Request]) {
    let pictures: Vec<&Picture> = requests.iter().map(|r| &r.frame).collect();
    let dim = describer.dim();
    let found = describer.pictures(&pictures).and_then(|rows| Ok((index.search(&rows, 3)?, rows)));
    match found {
        Ok((matches, rows)) => {
            for ((request, features), matches) in requests.iter().zip(rows.chunks(dim)).zip(matches) {
                // A client that gave up is no error of the service.
                let _ =
                    request.reply.send(Ok(Answer { features: features.to_vec(), matches, together: requests.len() }));
            }
        }
        Err(e) => {
            let said = e.to_string();
            for request in requests {
                let _ = request.reply.send(Err(Error::usage(format!("the service could not answer: {said}"))));
            }
        }
    }
}

/// An index of the pictures that the service knows.
fn known(describer: &mut Describer) -> Result<Box<dyn VectorIndex>> {
    let pictures: Vec<Picture> = (0..KNOWN).map(|number| picture(number, 0)).collect();
    let mut values = Vec::new();
    for some in pictures.chunks(BATCH as usize) {
        values.extend(describer.pictures(&some.iter().collect::<Vec<_>>())?);
    }
    let rows = Rows::new(describer.dim(), RowSample::F32, values)?;
    let spec: IndexSpec = "host".parse()?;
    build_index(&spec, &rows, &IndexOptions { gpu: None, threads: None })
}

/// How one request went.
struct Asked {
    latency: Duration,
    together: usize,
    full: bool,
    right: bool,
}

/// A client: sends frames that look like pictures the service knows, one after the other.
fn ask(client: u32, frames: u32, requests: &SyncSender<Request>) -> Result<Vec<Asked>> {
    let gone = || Error::usage("the service is gone");
    let mut all = Vec::new();
    for frame in 0..frames {
        let number = (client * 53 + frame * 7) % KNOWN;
        let (reply, answers) = channel();
        let request = Request { frame: picture(number, 3), reply };
        let begun = Instant::now();
        // A real service would answer "busy" here; this one waits for a place.
        let full = match requests.try_send(request) {
            Ok(()) => false,
            Err(TrySendError::Full(request)) => {
                requests.send(request).map_err(|_| gone())?;
                true
            }
            Err(TrySendError::Disconnected(_)) => return Err(gone()),
        };
        let answer = answers.recv_timeout(Duration::from_secs(60)).map_err(|_| gone())??;
        let length = answer.features.iter().map(|v| v * v).sum::<f32>().sqrt();
        let right = answer.matches.first().is_some_and(|m| m.id == number) && (length - 1.0).abs() < 1e-3;
        all.push(Asked { latency: begun.elapsed(), together: answer.together, full, right });
    }
    Ok(all)
}

/// Picture `number`, with its own grain each time: discs of its colours at its places.
fn picture(number: u32, grain: u32) -> Picture {
    let mut state = number.wrapping_mul(2_654_435_761).wrapping_add(1);
    let mut draw = move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state >> 16
    };
    let ground = [draw(), draw(), draw()].map(|v| v % 200 + 20);
    let discs: Vec<[u32; 6]> = (0..4)
        .map(|_| {
            let [r, g, b] = [draw(), draw(), draw()].map(|v| v % 200 + 20);
            [draw() % SIZE.width, draw() % SIZE.height, 20 + draw() % 50, r, g, b]
        })
        .collect();
    let mut noise = grain.wrapping_mul(97).wrapping_add(number + 1);
    let rgba: Vec<u8> = (0..SIZE.width * SIZE.height)
        .flat_map(|i| {
            let (x, y) = (i % SIZE.width, i / SIZE.width);
            noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let within = |d: &&[u32; 6]| d[0].abs_diff(x).pow(2) + d[1].abs_diff(y).pow(2) < d[2].pow(2);
            let color = discs.iter().find(within).map_or(ground, |d| [d[3], d[4], d[5]]);
            let [r, g, b] = color.map(|v| (v + (noise >> 20) % 6) as u8);
            [r, g, b, 255]
        })
        .collect();
    Picture { size: SIZE, source: SIZE, rgba, compared: false }
}

fn report(all: &[Asked], elapsed: Duration) {
    let mut times: Vec<f64> = all.iter().map(|a| a.latency.as_secs_f64() * 1e3).collect();
    times.sort_by(f64::total_cmp);
    let at = |share: f64| times.get(((times.len() as f64 - 1.0) * share) as usize).copied().unwrap_or_default();
    let right = all.iter().filter(|a| a.right).count();
    let together = all.iter().map(|a| a.together).sum::<usize>() as f64 / all.len().max(1) as f64;
    println!(
        "{} frames in {:.2} s: {:.0} a second",
        all.len(),
        elapsed.as_secs_f64(),
        all.len() as f64 / elapsed.as_secs_f64()
    );
    println!("latency: median {:.1} ms, 95 % {:.1} ms, 99 % {:.1} ms", at(0.5), at(0.95), at(0.99));
    println!(
        "{together:.1} answered together on average; the queue was full {} times",
        all.iter().filter(|a| a.full).count()
    );
    println!("{right} of {} nearest pictures are the right ones", all.len());
    assert_eq!(right, all.len());
}
