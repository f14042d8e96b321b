//! Upload and readback rings: slots come back, deadlines and cancellation end waits, several results are in flight.

use crate::gpu::on_every_adapter;
use crate::own;
use frameloom::Error;
use frameloom::core::{ByteBudget, CancelToken, RowSink};
use frameloom::gpu::{FilledSlot, GpuBuffer, GpuContext, ReadbackRing, Recorder, UploadRing};
use std::time::{Duration, Instant};

const WAIT: Duration = Duration::from_secs(20);

/// Fills a slot with `value`, submits a copy out of it, and returns what came back.
fn round_trip(ctx: &GpuContext, ring: &UploadRing, value: u8) -> Vec<u8> {
    let mut slot = ring.acquire(WAIT, &CancelToken::new()).unwrap();
    let bytes = slot.capacity();
    for row in 0..bytes / 64 {
        slot.write(row * 64, &[value.wrapping_add(row as u8); 64]);
    }
    // Outside: not written, not even in part.
    slot.write(bytes - 1, &[0; 2]);
    slot.write(usize::MAX, &[0; 2]);
    let filled = slot.finish();
    let mut back = ReadbackRing::new(ctx, "t", bytes as u64, 1).unwrap();
    let mut rec = Recorder::new(ctx, "t");
    filled.record_upload(&mut rec, bytes as u64);
    let ticket = back.record(&mut rec, &[(filled.buffer(), 0, bytes as u64)]).unwrap();
    let submission = rec.submit().unwrap();
    filled.release();
    let readback = back.submitted(ticket, submission);
    back.collect(ctx, readback).unwrap()
}

#[test]
fn slots_are_filled_read_and_come_back() {
    on_every_adapter("upload ring", |ctx| {
        let ring = UploadRing::new(ctx, "t", 1000, 2).unwrap();
        assert_eq!((ring.slot_bytes(), ring.slots(), ring.in_place()), (1024, 2, ctx.caps().mappable_storage));
        // More rounds than slots: each must come back several times, with the new content.
        for value in 0..9u8 {
            let want: Vec<u8> = (0..16).flat_map(|row| [value + row; 64]).collect();
            assert_eq!(round_trip(ctx, &ring, value), want);
        }
    });
}

#[test]
fn an_exhausted_ring_waits_until_its_deadline_or_cancellation() {
    on_every_adapter("upload ring exhausted", |ctx| {
        let ring = UploadRing::new(ctx, "t", 256, 2).unwrap();
        let token = CancelToken::new();
        let held: Vec<_> = (0..2).map(|_| ring.acquire(WAIT, &token).unwrap()).collect();
        let start = Instant::now();
        match ring.acquire(Duration::from_millis(40), &token) {
            Err(Error::Deadline { what, after }) => {
                assert_eq!((what.as_str(), after), ("waiting for an upload slot", Duration::from_millis(40)));
            }
            other => panic!("{other:?}"),
        }
        assert!(start.elapsed() >= Duration::from_millis(40) && start.elapsed() < WAIT);
        let canceller = token.clone();
        let thread = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(30));
            canceller.cancel();
        });
        assert!(matches!(ring.acquire(WAIT, &token), Err(Error::Cancelled)));
        thread.join().unwrap();
        // A slot that is released is there again, also for a ring that nothing was submitted from.
        held.into_iter().map(|slot| slot.finish()).for_each(FilledSlot::release);
        assert!(ring.acquire(WAIT, &CancelToken::new()).is_ok());
    });
}

#[test]
fn a_ring_takes_what_it_said_it_would() {
    on_every_adapter("upload ring bytes", |shared| {
        let bytes = UploadRing::bytes_needed(shared, 100_000, 3);
        let ctx = own(shared, |o| o.budget = ByteBudget::new("GPU", 8 << 20));
        let ring = UploadRing::new(&ctx, "t", 100_000, 3).unwrap();
        let used = ctx.pool().budget().used();
        assert!(used >= bytes && used <= bytes + bytes / 7 + 3 * 256, "{used} for {bytes}");
        drop(ring);
        let tight = own(shared, |o| o.budget = ByteBudget::new("GPU", 250_000));
        assert!(matches!(UploadRing::new(&tight, "t", 100_000, 3), Err(Error::Memory { .. })));
    });
}

#[test]
fn three_results_are_in_flight_and_a_fourth_is_refused() {
    on_every_adapter("readback ring", |ctx| {
        let mut ring = ReadbackRing::new(ctx, "t", 64, 3).unwrap();
        let sources: Vec<GpuBuffer> = (1..=3u8).map(|v| GpuBuffer::with_data(ctx, "t", &[v; 64]).unwrap()).collect();
        for _ in 0..3 {
            let mut flying = Vec::new();
            for source in &sources {
                let mut rec = Recorder::new(ctx, "t");
                // Two ranges, packed one behind the other.
                let ticket = ring.record(&mut rec, &[(source, 0, 16), (source, 32, 8)]).unwrap();
                flying.push(ring.submitted(ticket, rec.submit().unwrap()));
            }
            assert_eq!(ring.available(), 0);
            let mut rec = Recorder::new(ctx, "t");
            assert!(matches!(ring.record(&mut rec, &[(&sources[0], 0, 4)]), Err(Error::Bug(_))));
            // Collected in another order than submitted.
            for (value, readback) in (1..=3u8).zip(flying).rev() {
                assert_eq!(ring.collect(ctx, readback).unwrap(), [value; 24]);
            }
            assert_eq!(ring.available(), 3);
        }
        let mut rec = Recorder::new(ctx, "t");
        assert!(matches!(ring.record(&mut rec, &[(&sources[0], 0, 64), (&sources[1], 0, 4)]), Err(Error::Bug(_))));
        assert_eq!(ring.available(), 3);
    });
}

#[test]
fn a_result_becomes_ready_without_being_waited_for() {
    on_every_adapter("readback readiness", |ctx| {
        let mut ring = ReadbackRing::new(ctx, "t", 4, 1).unwrap();
        let source = GpuBuffer::with_data(ctx, "t", &[9; 4]).unwrap();
        let mut rec = Recorder::new(ctx, "t");
        let ticket = ring.record(&mut rec, &[(&source, 0, 4)]).unwrap();
        let readback = ring.submitted(ticket, rec.submit().unwrap());
        let start = Instant::now();
        while !readback.is_ready() {
            assert!(start.elapsed() < WAIT);
            ctx.poll().unwrap();
        }
        assert_eq!(ring.collect(ctx, readback).unwrap(), [9; 4]);
    });
}

/// What is dropped on the way, unfinished, unsubmitted or uncollected, gives its slot back.
#[test]
fn dropped_handles_give_their_slots_back() {
    on_every_adapter("dropped slots", |ctx| {
        let ring = UploadRing::new(ctx, "t", 256, 1).unwrap();
        for value in 0..3u8 {
            // The longest patience there is.
            drop(ring.acquire(Duration::MAX, &CancelToken::new()).unwrap());
            drop(ring.acquire(WAIT, &CancelToken::new()).unwrap().finish());
            let want: Vec<u8> = (0..4).flat_map(|row| [value + row; 64]).collect();
            assert_eq!(round_trip(ctx, &ring, value), want);
        }
        let source = GpuBuffer::with_data(ctx, "t", &[9; 64]).unwrap();
        let mut ring = ReadbackRing::new(ctx, "t", 64, 1).unwrap();
        let free = |ring: &ReadbackRing| {
            let start = Instant::now();
            while ring.available() == 0 {
                assert!(start.elapsed() < WAIT);
                ctx.poll().unwrap();
            }
        };
        for ready in [false, true, false] {
            let mut rec = Recorder::new(ctx, "t");
            let ticket = ring.record(&mut rec, &[(&source, 0, 64)]).unwrap();
            drop(rec);
            drop(ticket);
            assert_eq!(ring.available(), 1);
            let mut rec = Recorder::new(ctx, "t");
            let ticket = ring.record(&mut rec, &[(&source, 0, 64)]).unwrap();
            let readback = ring.submitted(ticket, rec.submit().unwrap());
            let start = Instant::now();
            while ready && !readback.is_ready() {
                assert!(start.elapsed() < WAIT);
                ctx.poll().unwrap();
            }
            drop(readback);
            free(&ring);
            // Nothing was read: nothing waits for the device.
            let mut rec = Recorder::new(ctx, "t");
            let ticket = ring.record(&mut rec, &[]).unwrap();
            drop(ring.submitted(ticket, rec.submit().unwrap()));
            assert_eq!(ring.available(), 1);
            // The slot is as good as new.
            let mut rec = Recorder::new(ctx, "t");
            let ticket = ring.record(&mut rec, &[(&source, 0, 64)]).unwrap();
            let readback = ring.submitted(ticket, rec.submit().unwrap());
            assert_eq!(ring.collect(ctx, readback).unwrap(), [9; 64]);
            assert_eq!(ring.available(), 1);
        }
    });
}

/// A ring that was replaced by a larger one while it was in flight: its slots do not end up in the new one.
#[test]
fn slots_go_back_to_the_ring_they_came_from() {
    on_every_adapter("replaced readback ring", |ctx| {
        let data: Vec<u8> = (0..=255).collect();
        let buffer = GpuBuffer::with_data(ctx, "t", &data).unwrap();
        let start = |ring: &mut ReadbackRing, bytes: u64| {
            let mut rec = Recorder::new(ctx, "t");
            let ticket = ring.record(&mut rec, &[(&buffer, 0, bytes)]).unwrap();
            let submission = rec.submit().unwrap();
            ring.submitted(ticket, submission)
        };
        let mut small = ReadbackRing::new(ctx, "t", 64, 1).unwrap();
        let early = start(&mut small, 64);
        let mut large = ReadbackRing::new(ctx, "t", 256, 1).unwrap();
        drop(small);
        assert_eq!(large.collect(ctx, early).unwrap(), data[..64]);
        for _ in 0..3 {
            let readback = start(&mut large, 256);
            assert_eq!(large.collect(ctx, readback).unwrap(), data);
        }
    });
}
