//! Admission: a byte limit becomes a batch and a number of slots, or a refusal that says what would do.

use frameloom::Error;
use frameloom::core::{ByteBudget, FrameLayout, PixelFormat, Size};
use frameloom::gpu::{BufferUse, DeviceChoice, GpuBuffer, GpuContext, GpuOptions, UploadRing};
use frameloom::pipeline::{MemoryPlan, PipelineOptions};

use crate::gpu::on_every_adapter;

/// The same device with budgets of its own.
fn own(shared: &GpuContext, host: u64, gpu: u64) -> GpuContext {
    let options = GpuOptions {
        device: DeviceChoice::Name(shared.caps().name.clone()),
        budget: ByteBudget::new("GPU", gpu),
        host_budget: Some(ByteBudget::new("host", host)),
        ..GpuOptions::default()
    };
    GpuContext::new(&options).unwrap()
}

#[test]
fn the_batch_shrinks_step_by_step_then_slots_then_it_is_refused_by_name() {
    on_every_adapter("memory plan", |shared| {
        let layout = FrameLayout::of(PixelFormat::I420, Size::new(1920, 1080)).unwrap();
        let slot = u64::from(layout.slot_bytes());
        let work = |batch: u32| 100_000 * u64::from(batch);
        let options = PipelineOptions { batch: 6, ring_slots: 4, ..PipelineOptions::default() };
        let fit = |ctx: &GpuContext, least| MemoryPlan::fit(ctx, &layout, &options, 1, least, work);
        let plenty = own(shared, 4 << 30, 4 << 30);
        let most = fit(&plenty, 2).unwrap();
        assert_eq!((most.batch, most.ring_slots), (6, 4));
        let unified = plenty.caps().shares_host_memory();
        let (host, gpu) = UploadRing::bytes_apart(&plenty, slot * 6, 4);
        match unified {
            true => assert_eq!((most.host_bytes, most.gpu_bytes), (host + work(6), 0)),
            false => assert_eq!((most.host_bytes, most.gpu_bytes), (host, gpu + work(6))),
        }
        // Every limit between the most and nothing: what is planned fits, and a byte more never gives a smaller plan.
        let mut last = (6, 4);
        let mut seen = std::collections::BTreeSet::new();
        for step in (0..=60).rev() {
            let limit = most.host_bytes * step / 60;
            match fit(&own(shared, limit, 4 << 30), 2) {
                Ok(plan) => {
                    assert!(plan.host_bytes <= limit && (plan.batch, plan.ring_slots) <= last, "{plan:?} at {limit}");
                    last = (plan.batch, plan.ring_slots);
                    seen.insert(last);
                }
                Err(Error::Memory { kind, needed_bytes, limit_bytes }) => {
                    assert_eq!((kind, limit_bytes), ("host", limit));
                    // What it names would do, and not a byte less.
                    let least = fit(&own(shared, needed_bytes, 4 << 30), 2).unwrap();
                    assert_eq!((least.batch, least.ring_slots), (1, 2));
                    assert!(fit(&own(shared, needed_bytes - 1, 4 << 30), 2).is_err());
                }
                Err(other) => panic!("{other}"),
            }
        }
        assert!((1..=6).all(|batch| seen.contains(&(batch, 4))) && seen.contains(&(1, 2)), "{seen:?}");
        // Who holds batches needs its slots.
        let three = own(shared, UploadRing::bytes_apart(&plenty, slot, 3).0, 4 << 30);
        assert!(fit(&three, 4).is_err());
        if !unified {
            let small = own(shared, 4 << 30, slot * 9);
            let plan = fit(&small, 2).unwrap();
            assert!(plan.batch < 6 && plan.gpu_bytes <= slot * 9);
            assert!(matches!(fit(&own(shared, 4 << 30, slot), 2), Err(Error::Memory { kind: "GPU", .. })));
        }
        // The source's own bytes count before anything is begun.
        let tight = own(shared, most.host_bytes, 4 << 30);
        assert!(MemoryPlan::check_least(&tight, &layout, 2, 0, work(1)).is_ok());
        let e = MemoryPlan::check_least(&tight, &layout, 2, most.host_bytes, work(1)).unwrap_err();
        assert!(e.hint().is_some_and(|h| h.contains("--memory-limit")), "{e}");
        // Sources that start together share what there is.
        let shared_by_three = MemoryPlan::fit(&tight, &layout, &options, 3, 2, work).unwrap();
        assert!(shared_by_three.host_bytes <= most.host_bytes / 3);
    });
}

#[test]
fn a_device_with_the_hosts_memory_takes_from_the_hosts_budget() {
    on_every_adapter("budgets of host and device", |shared| {
        let ctx = own(shared, 64 << 20, 32 << 20);
        let ring = UploadRing::new(&ctx, "t", 1 << 20, 3).unwrap();
        let (host, gpu) = (ctx.pool().host_budget(), ctx.pool().budget());
        if ctx.caps().shares_host_memory() {
            assert_eq!((host.limit(), gpu.limit(), ctx.pool().counts_host_apart()), (64 << 20, 64 << 20, false));
            assert!(host.used() >= 3 << 20);
        } else {
            assert_eq!((host.limit(), gpu.limit(), ctx.pool().counts_host_apart()), (64 << 20, 32 << 20, true));
            assert!((3 << 20..4 << 20).contains(&host.used()) && gpu.used() >= 3 << 20);
        }
        drop(ring);
    });
}

/// What an earlier run has left in the pool belongs to nobody: the next run on the same device has all of it.
#[test]
fn idle_buffers_of_an_earlier_run_count_as_free() {
    on_every_adapter("idle buffers and admission", |shared| {
        let layout = FrameLayout::of(PixelFormat::I420, Size::new(640, 360)).unwrap();
        let work = |batch: u32| 1_000_000 * u64::from(batch);
        let options = PipelineOptions { batch: 4, ring_slots: 2, ..PipelineOptions::default() };
        let plan = |ctx: &GpuContext| MemoryPlan::fit(ctx, &layout, &options, 1, 2, work).unwrap();
        let whole = plan(&own(shared, 1 << 30, 1 << 30));
        assert_eq!((whole.batch, whole.ring_slots), (4, 2));
        // Just enough, all of it idle.
        let ctx = own(shared, whole.host_bytes, whole.gpu_bytes.max(1));
        let idle = || {
            let count = ctx.pool().budget().limit() * 7 / 8 / (256 << 10);
            let new = |_| GpuBuffer::new(&ctx, "left", 256 << 10, BufferUse::Storage).unwrap();
            drop((0..count).map(new).collect::<Vec<GpuBuffer>>());
            assert!(ctx.pool().stats().idle_bytes * 2 > ctx.pool().budget().limit(), "{:?}", ctx.pool().stats());
        };
        idle();
        assert_eq!(plan(&ctx), whole);
        idle();
        MemoryPlan::check_least(&ctx, &layout, 2, 0, work(3)).unwrap();
        // The same for what is taken from the host's budget beside buffers.
        idle();
        let limit = ctx.pool().host_budget().limit();
        drop(ctx.pool().acquire_host(limit).unwrap());
        assert!(matches!(ctx.pool().acquire_host(limit + 1), Err(Error::Memory { .. })));
    });
}
