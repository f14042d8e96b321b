//! Batches that the caller holds: order, freedom of batch size, changes of shape, ends of all kinds.

use std::time::{Duration, Instant};

use super::*;

/// Index and sums of every frame, taken batch by batch on the calling thread.
fn sums(
    ctx: &GpuContext,
    options: &PipelineOptions,
    source: Box<dyn FrameSource>,
) -> Result<(Vec<(u64, LumaSums)>, SourceReport)> {
    batches(ctx, options, source, &|_, _| 0, |all| {
        let mut out = Vec::new();
        let mut plan = None;
        while let Some(batch) = all.next_batch()? {
            if plan.as_ref().is_none_or(|(n, _)| *n != batch.shape_number()) {
                let params = LumaParams { dark: 20, bright: 200 };
                plan = Some((batch.shape_number(), LumaStatsPlan::new(ctx, batch.frames().layout(), params)?));
            }
            let count = batch.infos().len() as u32;
            let bound = plan.as_ref().unwrap().1.bind(ctx, batch.frames(), 0)?;
            let mut rec = Recorder::new(ctx, "sums");
            bound.record(&mut rec, count);
            rec.run()?;
            let bytes = bound.results().read(ctx, LumaStatsPlan::RESULT_BYTES * u64::from(count))?;
            out.extend(batch.infos().iter().map(|i| i.index).zip(bound.decode(&bytes)));
        }
        Ok(out)
    })
}

#[test]
fn held_batches_give_what_the_scheduler_gives() {
    on_every_adapter("held batches", |ctx| {
        let (scheduled, _) = collect(
            ctx,
            &PipelineOptions::default(),
            vec![(Box::new(synthetic(0, PixelFormat::Nv12, 21)), Sums::default())],
        )
        .unwrap();
        for (batch, ring_slots) in [(1, 2), (4, 2), (50, 3)] {
            let options = PipelineOptions { batch, ring_slots, ..Default::default() };
            let (held, report) = sums(ctx, &options, Box::new(synthetic(0, PixelFormat::Nv12, 21))).unwrap();
            assert_eq!(held, scheduled[0]);
            assert_eq!(report.frames, 21);
            assert!(report.result.is_ok());
        }
    });
}

#[test]
fn a_change_of_shape_starts_a_new_number_and_failures_come_after_good_frames() {
    on_every_adapter("held shapes", |ctx| {
        let bigger = SyntheticSource::new(0, PixelFormat::I444, Size::new(200, 100), 5);
        let odd = |then, end: fn() -> Result<()>| {
            Box::new(Odd { inner: synthetic(0, PixelFormat::I420, 7), then, end }) as Box<dyn FrameSource>
        };
        let options = PipelineOptions { batch: 2, ..Default::default() };
        let (frames, report) = sums(ctx, &options, odd(Some(bigger), || Ok(()))).unwrap();
        assert_eq!(frames.len(), 12);
        assert!(report.result.is_ok());
        let (frames, report) = sums(ctx, &options, odd(None, || Err(Error::Bug("broken stream".into())))).unwrap();
        assert_eq!(frames.len(), 7);
        assert!(matches!(report.result, Err(Error::Bug(m)) if m.contains("broken stream")));
    });
}

#[test]
fn a_consumer_may_stop_fail_or_be_cancelled_and_the_source_goes_with_it() {
    on_every_adapter("held ends", |ctx| {
        let endless = || Box::new(synthetic(0, PixelFormat::I420, 1_000_000)) as Box<dyn FrameSource>;
        let started = Instant::now();
        let options = PipelineOptions { batch: 2, ring_slots: 2, ..Default::default() };
        let (index, report) =
            batches(ctx, &options, endless(), &|_, _| 0, |all| Ok(all.next_batch()?.unwrap().infos()[1].index))
                .unwrap();
        assert_eq!((index, report.frames), (1, 2));
        assert!(!options.cancel.is_cancelled(), "the caller's token is the caller's");

        let failed: Result<((), _)> =
            batches(ctx, &options, endless(), &|_, _| 0, |_| Err(Error::Bug("enough".into())));
        assert!(matches!(failed, Err(Error::Bug(m)) if m == "enough"));

        let cancelled = batches(ctx, &options, endless(), &|_, _| 0, |all| {
            options.cancel.cancel();
            while all.next_batch()?.is_some() {}
            Ok(())
        });
        assert!(matches!(cancelled, Err(Error::Cancelled)));
        assert!(started.elapsed().as_secs() < 30);
    });
}

#[test]
fn holding_all_slots_ends_by_the_deadline_and_not_never() {
    on_every_adapter("held stall", |ctx| {
        let stall = Duration::from_millis(300);
        let options = PipelineOptions { batch: 1, ring_slots: 2, stall, ..Default::default() };
        let source = Box::new(synthetic(0, PixelFormat::I420, 100));
        let (held, report) = batches(ctx, &options, source, &|_, _| 0, |all| {
            let mut held = Vec::new();
            while let Some(batch) = all.next_batch()? {
                held.push(batch);
            }
            Ok(held.len())
        })
        .unwrap();
        assert_eq!(held, 2, "the source gives up before the consumer does, and says why");
        assert!(matches!(report.result, Err(Error::Deadline { .. })), "{:?}", report.result);
    });
}

/// Frames of which one cannot be copied.
struct Torn {
    inner: SyntheticSource,
    at: u64,
}

struct Uncopied<'a>(&'a dyn SourceFrame);

impl SourceFrame for Uncopied<'_> {
    fn desc(&self) -> FrameDesc {
        self.0.desc()
    }

    fn info(&self) -> FrameInfo {
        self.0.info()
    }

    fn copy_into(&self, _layout: &FrameLayout, _sink: &mut dyn RowSink) -> Result<()> {
        Err(Error::Bug("torn".into()))
    }
}

impl FrameSource for Torn {
    fn next(&mut self, deliver: &mut dyn FnMut(&dyn SourceFrame) -> Result<()>) -> Result<bool> {
        let at = self.at;
        self.inner.next(&mut |frame| if frame.info().index == at { deliver(&Uncopied(frame)) } else { deliver(frame) })
    }
}

#[test]
fn frames_before_one_that_cannot_be_copied_go_out() {
    on_every_adapter("torn frames", |ctx| {
        for (batch, at) in [(8, 3), (2, 3), (2, 4), (1, 1), (8, 0)] {
            let source = Torn { inner: synthetic(0, PixelFormat::Nv12, 9), at };
            let options = PipelineOptions { batch, ..Default::default() };
            let (frames, report) = sums(ctx, &options, Box::new(source)).unwrap();
            assert_eq!((frames.len() as u64, report.frames), (at, at), "batch {batch}");
            assert!(report.result.unwrap_err().to_string().contains("torn"));
        }
    });
}

/// A source that is silent for a while before its first frame, as one that passes over what an earlier run had.
struct Silent {
    inner: SyntheticSource,
    wait: Option<Duration>,
    cancel: CancelToken,
}

impl FrameSource for Silent {
    fn next(&mut self, deliver: &mut dyn FnMut(&dyn SourceFrame) -> Result<()>) -> Result<bool> {
        let until = self.wait.take().map(|w| Instant::now() + w);
        while until.is_some_and(|u| Instant::now() < u) {
            self.cancel.check()?;
            std::thread::sleep(Duration::from_millis(5));
        }
        self.inner.next(deliver)
    }
}

#[test]
fn a_source_that_is_silent_for_long_is_waited_for() {
    on_every_adapter("held silence", |ctx| {
        let options = PipelineOptions { stall: Duration::from_millis(20), ..Default::default() };
        // Longer than any grace that the consumer once had beyond the stall.
        let source = Silent {
            inner: synthetic(0, PixelFormat::I420, 3),
            wait: Some(Duration::from_millis(5400)),
            cancel: options.cancel.clone(),
        };
        let (frames, report) = sums(ctx, &options, Box::new(source)).unwrap();
        assert_eq!((frames.len(), report.frames), (3, 3));
        assert!(report.result.is_ok(), "{:?}", report.result);
    });
}

#[test]
fn a_silent_source_ends_at_once_when_cancelled_or_when_it_panics() {
    on_every_adapter("held silence ends", |ctx| {
        let options = PipelineOptions::default();
        let source = Silent {
            inner: synthetic(0, PixelFormat::I420, 3),
            wait: Some(Duration::from_secs(60)),
            cancel: options.cancel.clone(),
        };
        let started = Instant::now();
        let token = options.cancel.clone();
        let other = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(100));
            token.cancel();
        });
        let cancelled = sums(ctx, &options, Box::new(source));
        other.join().unwrap();
        assert!(matches!(cancelled, Err(Error::Cancelled)), "{cancelled:?}");
        assert!(started.elapsed().as_secs() < 30);

        let source = Odd { inner: synthetic(0, PixelFormat::I420, 3), then: None, end: || panic!("decoder bug") };
        let (_, report) = sums(ctx, &PipelineOptions::default(), Box::new(source)).unwrap();
        assert!(matches!(&report.result, Err(Error::Bug(m)) if m.contains("decoder bug")), "{:?}", report.result);
    });
}

#[test]
fn a_consumer_may_take_longer_than_a_source_waits_for_a_device() {
    on_every_adapter("held patience", |ctx| {
        let stall = Duration::from_millis(100);
        let options = PipelineOptions { batch: 1, ring_slots: 2, stall, ..Default::default() };
        let source = Box::new(synthetic(0, PixelFormat::I420, 6));
        let (frames, report) = batches(ctx, &options, source, &|_, _| 0, |all| {
            let mut frames = 0;
            while let Some(batch) = all.next_batch()? {
                std::thread::sleep(Duration::from_millis(400));
                frames += batch.infos().len();
            }
            Ok(frames)
        })
        .unwrap();
        assert_eq!(frames, 6);
        assert!(report.result.is_ok(), "{:?}", report.result);

        // The same for a sink: it holds up the GPU thread, and that the source.
        let sources: Vec<(Box<dyn FrameSource>, Sums)> =
            vec![(Box::new(synthetic(0, PixelFormat::I420, 16)), Sums::default())];
        let (mut frames, mut report) = (0, None);
        run(ctx, &options, sources, &|_, _| 0, |event| {
            std::thread::sleep(Duration::from_millis(300));
            match event {
                Event::Batch { infos, .. } => frames += infos.len(),
                Event::Last { .. } => {}
                Event::End { report: r, .. } => report = Some(r),
            }
            Ok(())
        })
        .unwrap();
        let report = report.unwrap();
        assert_eq!(frames, 16);
        assert!(report.result.is_ok(), "{:?}", report.result);
    });
}

#[test]
fn mapped_results_are_the_results_and_free_their_slot_when_dropped() {
    on_every_adapter("mapped results", |ctx| {
        let buffer = GpuBuffer::new(ctx, "test", 256, BufferUse::Storage).unwrap();
        buffer.write(ctx, 0, &[7u8; 256]).unwrap();
        let mut ring = ReadbackRing::new(ctx, "test", 256, 1).unwrap();
        for round in 0..3 {
            let mut rec = Recorder::new(ctx, "test");
            let ticket = ring.record(&mut rec, &[(&buffer, 0, 256)]).unwrap();
            let submission = rec.submit().unwrap();
            let readback = ring.submitted(ticket, submission);
            let mapped = ring.collect_mapped(ctx, readback).unwrap();
            assert_eq!(&*mapped, &[7u8; 256]);
            let mut rec = Recorder::new(ctx, "test");
            assert!(ring.record(&mut rec, &[(&buffer, 0, 4)]).is_err(), "round {round}: the slot is held");
            drop(mapped);
            assert_eq!(ring.available(), 1);
        }
    });
}
