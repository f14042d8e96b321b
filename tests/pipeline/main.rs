//! The scheduler on the software adapter or better: order, bounds, errors, cancellation, invariance.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    unreachable_pub,
    reason = "tests"
)]

mod held;
mod plan;

#[path = "../support/gpu.rs"]
mod gpu;

use frameloom::core::*;
use frameloom::gpu::*;
use frameloom::ops::GpuFrames;
use frameloom::ops::stats::luma::*;
use frameloom::pipeline::*;
use frameloom::{Error, Result};
use gpu::on_every_adapter;

/// Luma sums of every frame.
#[derive(Default)]
struct Sums {
    plan: Option<LumaStatsPlan>,
    bound: Vec<Option<LumaStatsBound>>,
    fail_at: Option<u64>,
}

impl BatchWork for Sums {
    type Output = Vec<LumaSums>;

    fn begin(&mut self, ctx: &GpuContext, _: &FrameDesc, layout: &FrameLayout, _: u32, slots: usize) -> Result<()> {
        self.plan = Some(LumaStatsPlan::new(ctx, layout, LumaParams { dark: 20, bright: 200 })?);
        self.bound = (0..slots).map(|_| None).collect();
        Ok(())
    }
    fn result_bytes(&self, batch: u32) -> u64 {
        LumaStatsPlan::RESULT_BYTES * u64::from(batch)
    }
    fn record(
        &mut self,
        ctx: &GpuContext,
        b: &BatchView<'_>,
        rec: &mut Recorder<'_>,
    ) -> Result<Vec<(GpuBuffer, u64, u64)>> {
        if self.fail_at.is_some_and(|f| b.infos.iter().any(|i| i.index == f)) {
            return Err(Error::Bug("asked to fail".into()));
        }
        let slot = &mut self.bound[b.ring_slot];
        if slot.is_none() {
            *slot = Some(self.plan.as_ref().unwrap().bind(ctx, b.frames, 0)?);
        }
        let bound = slot.as_ref().unwrap();
        bound.record(rec, b.infos.len() as u32);
        Ok(vec![(bound.results().clone(), 0, self.result_bytes(b.infos.len() as u32))])
    }
    fn decode(&mut self, _: &[FrameInfo], bytes: &[u8]) -> Result<Self::Output> {
        Ok(self.bound.iter().flatten().next().unwrap().decode(bytes))
    }
    fn finish(&mut self, _: &GpuContext) -> Result<Option<Self::Output>> {
        Ok(None)
    }
}

/// A source that changes size in the middle, fails, or panics.
struct Odd {
    inner: SyntheticSource,
    then: Option<SyntheticSource>,
    end: fn() -> Result<()>,
}

impl FrameSource for Odd {
    fn next(&mut self, deliver: &mut dyn FnMut(&dyn SourceFrame) -> Result<()>) -> Result<bool> {
        if self.inner.next(deliver)? {
            return Ok(true);
        }
        match self.then.take() {
            Some(next) => {
                self.inner = next;
                self.inner.next(deliver)
            }
            None => (self.end)().map(|()| false),
        }
    }
}

fn synthetic(stream: u32, format: PixelFormat, frames: u64) -> SyntheticSource {
    SyntheticSource::new(stream, format, Size::new(123, 66), frames)
}

type Collected = (Vec<Vec<(u64, LumaSums)>>, Vec<Option<SourceReport>>);

fn collect(
    ctx: &GpuContext,
    options: &PipelineOptions,
    sources: Vec<(Box<dyn FrameSource + 'static>, Sums)>,
) -> Result<Collected> {
    let n = sources.len();
    let mut out = vec![Vec::new(); n];
    let mut ends: Vec<Option<SourceReport>> = (0..n).map(|_| None).collect();
    run(ctx, options, sources, &|_, batch| LumaStatsPlan::RESULT_BYTES * u64::from(batch) * 8, |event| {
        match event {
            Event::Batch { source, infos, output } => {
                assert!(ends[source].is_none(), "a batch after the end");
                out[source].extend(infos.iter().map(|i| i.index).zip(output));
            }
            Event::Last { .. } => {}
            Event::End { source, report } => ends[source] = Some(report),
        }
        Ok(())
    })?;
    Ok((out, ends))
}

#[test]
fn results_do_not_depend_on_batch_ring_or_depth() {
    on_every_adapter("pipeline invariance", |ctx| {
        let mut seen = Vec::new();
        for (batch, ring_slots, in_flight) in [(1, 2, 1), (3, 3, 2), (8, 4, 3), (50, 2, 2)] {
            let options = PipelineOptions { batch, ring_slots, in_flight, ..Default::default() };
            let sources = [PixelFormat::I420, PixelFormat::P010, PixelFormat::Nv12]
                .into_iter()
                .enumerate()
                .map(|(i, f)| {
                    (Box::new(synthetic(i as u32, f, 20 + i as u64)) as Box<dyn FrameSource>, Sums::default())
                })
                .collect();
            let (out, ends) = collect(ctx, &options, sources).unwrap();
            for (i, (frames, end)) in out.iter().zip(&ends).enumerate() {
                assert_eq!(frames.len(), 20 + i);
                assert!(frames.iter().enumerate().all(|(n, (index, _))| n as u64 == *index), "order");
                assert!(end.as_ref().unwrap().result.is_ok());
                assert_eq!(end.as_ref().unwrap().frames, 20 + i as u64);
            }
            seen.push(out);
        }
        assert!(seen.windows(2).all(|w| w[0] == w[1]));
    });
}

#[test]
fn size_change_error_and_panic_end_one_source_only() {
    on_every_adapter("pipeline faults", |ctx| {
        let odd = |then, end: fn() -> Result<()>| {
            Box::new(Odd { inner: synthetic(0, PixelFormat::I420, 7), then, end }) as Box<dyn FrameSource>
        };
        let bigger = SyntheticSource::new(0, PixelFormat::I444, Size::new(200, 100), 5);
        let sources = vec![
            (odd(Some(bigger), || Ok(())), Sums::default()),
            (odd(None, || Err(Error::Bug("broken stream".into()))), Sums::default()),
            (odd(None, || panic!("decoder bug")), Sums::default()),
            (odd(None, || Ok(())), Sums { fail_at: Some(5), ..Sums::default() }),
            (odd(None, || Ok(())), Sums::default()),
        ];
        let options = PipelineOptions { batch: 2, ..Default::default() };
        let (out, ends) = collect(ctx, &options, sources).unwrap();
        let ends: Vec<SourceReport> = ends.into_iter().map(Option::unwrap).collect();
        assert_eq!(out.iter().map(Vec::len).collect::<Vec<_>>(), [12, 7, 6, 4, 7]);
        assert!(ends[0].result.is_ok() && ends[4].result.is_ok());
        assert!(matches!(&ends[1].result, Err(Error::Bug(m)) if m.contains("broken stream")));
        assert!(matches!(&ends[2].result, Err(Error::Bug(m)) if m.contains("panicked: decoder bug")));
        assert!(matches!(&ends[3].result, Err(Error::Bug(m)) if m.contains("asked to fail")));
    });
}

#[test]
fn cancel_stops_soon_and_the_sinks_error_comes_back() {
    on_every_adapter("pipeline cancel", |ctx| {
        let cancel = CancelToken::new();
        let options = PipelineOptions { cancel: cancel.clone(), ..Default::default() };
        let sources: Vec<(Box<dyn FrameSource>, Sums)> =
            vec![(Box::new(synthetic(0, PixelFormat::I420, 1_000_000)), Sums::default())];
        let started = std::time::Instant::now();
        let mut batches = 0;
        let mut report = None;
        run(ctx, &options, sources, &|_, _| 0, |event| {
            batches += 1;
            if batches == 3 {
                cancel.cancel();
            }
            if let Event::End { report: r, .. } = event {
                report = Some(r);
            }
            Ok(())
        })
        .unwrap();
        assert!(matches!(report.unwrap().result, Err(Error::Cancelled)));
        assert!(started.elapsed().as_secs() < 30);

        let sources: Vec<(Box<dyn FrameSource>, Sums)> =
            vec![(Box::new(synthetic(0, PixelFormat::I420, 1_000_000)), Sums::default())];
        let full = || Error::storage("write", "x", std::io::Error::from(std::io::ErrorKind::StorageFull));
        let result = run(ctx, &PipelineOptions::default(), sources, &|_, _| 0, |_| Err(full()));
        assert!(matches!(result, Err(Error::Storage { .. })));
    });
}

#[test]
fn a_budget_shrinks_the_batch_and_an_impossible_one_is_refused_before_the_first_frame() {
    let open = |bytes| {
        let device = std::env::var("FRAMELOOM_ADAPTER").ok().map(|t| t.parse().unwrap()).unwrap_or_default();
        GpuContext::new(&GpuOptions { device, budget: ByteBudget::new("GPU", bytes), ..Default::default() }).unwrap()
    };
    let source = || vec![(Box::new(synthetic(0, PixelFormat::I420, 30)) as Box<dyn FrameSource>, Sums::default())];
    let (all, _) = collect(&open(1 << 30), &PipelineOptions::default(), source()).unwrap();
    let small = open(150_000);
    let (few, ends) = collect(&small, &PipelineOptions::default(), source()).unwrap();
    assert_eq!(all, few);
    assert!(ends[0].as_ref().unwrap().result.is_ok() && small.pool().budget().peak() <= 150_000);
    // Four sources share what one could have alone: all of them get through.
    let shared = open(400_000);
    let four = (0..4).flat_map(|_| source()).collect();
    let (each, ends) = collect(&shared, &PipelineOptions::default(), four).unwrap();
    assert!(each.iter().all(|frames| *frames == all[0]));
    assert!(ends.iter().all(|e| e.as_ref().unwrap().result.is_ok()) && shared.pool().budget().peak() <= 400_000);
    // A run that is told of another beside it leaves that one its half.
    let held = |together: usize| {
        let ctx = open(400_000);
        let options = PipelineOptions { together, ..PipelineOptions::default() };
        let source = Box::new(synthetic(0, PixelFormat::I420, 30));
        let consume = |all: &mut Batches<'_>| {
            while all.next_batch()?.is_some() {}
            Ok(())
        };
        batches(&ctx, &options, source, &|_, _| 0, consume).unwrap();
        ctx.pool().budget().peak()
    };
    let (alone, beside) = (held(1), held(2));
    assert!(alone > 200_000 && beside <= 200_000, "{alone}, {beside}");
    let (none, ends) = collect(&open(20_000), &PipelineOptions::default(), source()).unwrap();
    assert!(none[0].is_empty());
    assert!(matches!(ends[0].as_ref().unwrap().result, Err(Error::Memory { .. })));
}

#[test]
fn frames_in_buffer_must_fit() {
    on_every_adapter("frames fit their buffer", |ctx| {
        let layout = FrameLayout::of(PixelFormat::I420, Size::new(64, 64)).unwrap();
        let buffer = GpuBuffer::new(ctx, "t", 1024, BufferUse::Storage).unwrap();
        assert!(GpuFrames::in_buffer(buffer, layout, 3).is_err());
    });
}
