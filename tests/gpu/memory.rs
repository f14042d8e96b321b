//! Buffers are counted, kept and refused.

use crate::gpu::on_every_adapter;
use crate::own;
use frameloom::core::{ByteBudget, FrameLayout, PixelFormat, Size};
use frameloom::gpu::{BufferUse, GpuBuffer, PoolStats};
use frameloom::ops::{GpuFrames, GpuMaps, MapLayout, MapSample};
use frameloom::{Error, GpuError};

const KIB: u64 = 1024;

#[test]
fn the_pool_counts_and_reuses() {
    on_every_adapter("pool statistics", |shared| {
        let ctx = own(shared, |_| {});
        let new = |bytes| GpuBuffer::new(&ctx, "t", bytes, BufferUse::Storage).unwrap();
        let (a, b) = (new(1000), new(3000));
        assert_eq!((a.size_bytes(), b.size_bytes()), (1024, 3072));
        let clone = a.clone();
        drop(a);
        assert_eq!(
            ctx.pool().stats(),
            PoolStats { in_use_bytes: 4096, idle_bytes: 0, peak_bytes: 4096, created: 2, reused: 0 }
        );
        drop(clone);
        let c = new(1001);
        assert_eq!(
            ctx.pool().stats(),
            PoolStats { in_use_bytes: 4096, idle_bytes: 0, peak_bytes: 4096, created: 2, reused: 1 }
        );
        drop((b, c));
        assert_eq!((ctx.pool().stats().idle_bytes, ctx.pool().budget().used()), (4096, 4096));
        ctx.pool().trim();
        assert_eq!((ctx.pool().stats().idle_bytes, ctx.pool().budget().used()), (0, 0));
        // Uniform and mapped buffers are freed, not kept.
        drop(GpuBuffer::new(&ctx, "t", 64, BufferUse::Uniform).unwrap());
        assert_eq!((ctx.pool().stats().idle_bytes, ctx.pool().stats().in_use_bytes), (0, 0));
        assert_eq!(ctx.pool().budget().used(), 0);
    });
}

#[test]
fn the_budget_refuses_before_memory_is_taken() {
    on_every_adapter("budget refusal", |shared| {
        let ctx = own(shared, |o| o.budget = ByteBudget::new("GPU", 1024 * KIB));
        let new = |kib: u64| GpuBuffer::new(&ctx, "t", kib * KIB, BufferUse::Storage);
        assert!(matches!(new(2048), Err(Error::Memory { kind: "GPU", needed_bytes, limit_bytes })
            if needed_bytes == 2048 * KIB && limit_bytes == 1024 * KIB));
        let a = new(512).unwrap();
        assert!(matches!(new(640), Err(Error::Memory { .. })));
        drop(a);
        // Idle buffers of other sizes make room.
        let b = new(640).unwrap();
        assert_eq!((ctx.pool().stats().idle_bytes, ctx.pool().budget().used()), (0, 640 * KIB));
        drop(b);
        assert_eq!(ctx.pool().budget().peak(), 640 * KIB);
    });
}

#[test]
fn a_buffer_beyond_the_device_is_refused_before_the_driver_is_asked() {
    on_every_adapter("buffer limit", |shared| {
        let ctx = own(shared, |o| o.budget = ByteBudget::new("GPU", u64::MAX));
        let r = GpuBuffer::new(&ctx, "frames of a test", ctx.caps().max_buffer_bytes + 4, BufferUse::Storage);
        match r {
            Err(Error::Gpu(GpuError::Unsupported { needed, .. })) => assert!(needed.contains("frames of a test")),
            other => panic!("{other:?}"),
        }
        ctx.check().unwrap();
    });
}

#[test]
fn writes_and_reads_keep_odd_lengths() {
    on_every_adapter("odd lengths", |ctx| {
        let buffer = GpuBuffer::with_data(ctx, "t", &[0xEE; 16]).unwrap();
        buffer.write(ctx, 4, &[1, 2, 3, 4, 5]).unwrap();
        assert_eq!(buffer.read(ctx, 13).unwrap(), [0xEE, 0xEE, 0xEE, 0xEE, 1, 2, 3, 4, 5, 0, 0, 0, 0xEE]);
        assert!(buffer.read(ctx, 0).unwrap().is_empty());
        assert!(buffer.write(ctx, 2, &[0; 4]).is_err(), "an offset inside a word");
        ctx.check().unwrap();
    });
}

#[test]
fn one_slot_is_read_without_those_before_it() {
    on_every_adapter("reading a slot", |shared| {
        let layout = FrameLayout::of(PixelFormat::Gray8, Size::new(512, 512)).unwrap();
        let slot = u64::from(layout.slot_bytes());
        // Room for eight pictures, and for the bytes of one on their way.
        let ctx = own(shared, |o| o.budget = ByteBudget::new("GPU", 9 * slot + 4 * KIB));
        let picture = |v: u8| -> Vec<u8> { (0..slot).map(|i| (i % 251) as u8 ^ v).collect() };
        let pictures: Vec<Vec<u8>> = (0..8).map(picture).collect();
        let refs: Vec<&[u8]> = pictures.iter().map(Vec::as_slice).collect();
        let frames = GpuFrames::from_host(&ctx, "t", layout, &refs).unwrap();
        for i in [7, 0, 3] {
            assert!(frames.read_slot(&ctx, i).unwrap() == pictures[i as usize], "{i}");
        }
        let range = |offset, len| frames.buffer().read_range(&ctx, offset, len);
        assert_eq!(range(3 * slot + 8, 5).unwrap(), pictures[3][8..13]);
        assert!(range(8 * slot, 0).unwrap().is_empty());
        for (offset, len) in [(frames.buffer().size_bytes() - 4, 5), (u64::MAX - 3, 8), (0, u64::MAX), (u64::MAX, 1)] {
            assert!(matches!(range(offset, len), Err(Error::Bug(_))), "{len} from {offset} on");
        }
        // Nor a map without the maps before it.
        let maps = GpuMaps::in_buffer(
            frames.buffer().clone(),
            MapLayout::new(MapSample::U32, Size::new(128, 512)).unwrap(),
            8,
        );
        let numbers: Vec<u8> = maps.unwrap().read(&ctx, 6).unwrap();
        assert!(numbers == pictures[6], "a map of the same bytes");
    });
}
