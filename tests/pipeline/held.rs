//! Batches that the caller holds: order, freedom of batch size, changes of shape, ends of all kinds.

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
        let started = std::time::Instant::now();
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
        let stall = std::time::Duration::from_millis(300);
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
