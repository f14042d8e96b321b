//! After the loss of a device nothing is believed. wgpu 30 itself returns quietly after `destroy()`, maps included.

use crate::gpu::on_every_adapter;
use crate::own;
use frameloom::core::{CancelToken, FrameLayout, PixelFormat, Size};
use frameloom::gpu::{BufferUse, GpuBuffer, GpuContext, Kernel, ReadbackRing, Recorder, UploadRing, wgpu};
use frameloom::ops::{GpuFrames, histogram};
use frameloom::{Error, GpuError};
use std::time::Duration;

fn lost<T>(what: &str, r: frameloom::Result<T>) {
    match r {
        Err(e @ Error::Gpu(GpuError::Lost(_))) => assert_eq!((e.code(), e.retryable()), ("gpu-lost", true)),
        Err(e) => panic!("{what}: another error: {e}"),
        Ok(_) => panic!("{what} succeeded on a lost device"),
    }
}

#[test]
fn every_call_after_a_loss_says_so() {
    on_every_adapter("device loss", |shared| {
        let ctx = own(shared, |_| {});
        let buffer = GpuBuffer::with_data(&ctx, "t", &[1, 2, 3, 4]).unwrap();
        assert_eq!(buffer.read(&ctx, 4).unwrap(), [1, 2, 3, 4]);
        let ring = UploadRing::new(&ctx, "t", 256, 2).unwrap();
        ctx.device().destroy();
        // The loss is noticed by the first call that waits or polls, which is the first that could deliver bytes.
        lost("read", buffer.read(&ctx, 4));
        assert!(matches!(ctx.latch().get(), Some(GpuError::Lost(_))));
        lost("check", ctx.check());
        lost("poll", ctx.poll());
        lost("new", GpuBuffer::new(&ctx, "t", 4, BufferUse::Storage));
        lost("write", buffer.write(&ctx, 0, &[0; 4]));
        lost("kernel", Kernel::new(&ctx, "stats/luma", "main", &[]));
        lost("run", Recorder::new(&ctx, "t").run());
        lost("acquire", ring.acquire(Duration::from_secs(1), &CancelToken::new()));
        lost("readback ring", ReadbackRing::new(&ctx, "t", 4, 1));
        lost("upload ring", UploadRing::new(&ctx, "t", 4, 1));
        lost("frames", GpuFrames::new(&ctx, "t", PixelFormat::Gray8, Size::new(4, 4), 1));
        shared.check().unwrap();
    });
}

/// Results that were computed but not yet fetched when the device went are not delivered.
#[test]
fn results_in_flight_at_a_loss_are_not_believed() {
    on_every_adapter("loss in flight", |shared| {
        let ctx = own(shared, |_| {});
        let buffer = GpuBuffer::with_data(&ctx, "t", &[1, 2, 3, 4]).unwrap();
        let mut ring = ReadbackRing::new(&ctx, "t", 4, 1).unwrap();
        let mut rec = Recorder::new(&ctx, "t");
        let ticket = ring.record(&mut rec, &[(&buffer, 0, 4)]).unwrap();
        let submission = rec.submit().unwrap();
        let readback = ring.submitted(ticket, submission);
        ctx.device().destroy();
        lost("collect", ring.collect(&ctx, readback));
    });
}

/// An operation planned before the loss fails, it does not return zeros.
#[test]
fn an_operation_after_a_loss_fails() {
    on_every_adapter("operation after loss", |shared| {
        let ctx = own(shared, |_| {});
        let layout = FrameLayout::of(PixelFormat::Gray8, Size::new(4, 4)).unwrap();
        let frame = vec![0; layout.slot_bytes() as usize];
        let src = GpuFrames::from_host(&ctx, "t", layout, &[&frame]).unwrap();
        histogram::luma::luma(&ctx, &src, Default::default()).unwrap();
        ctx.device().destroy();
        lost("histogram", histogram::luma::luma(&ctx, &src, Default::default()));
    });
}

fn invalid(ctx: &GpuContext) {
    let _ = ctx.device().create_buffer(&wgpu::BufferDescriptor {
        label: Some("invalid"),
        size: 4,
        usage: wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::MAP_WRITE,
        mapped_at_creation: false,
    });
}

/// wgpu's default for an error that nobody asked about is a panic.
#[test]
fn an_uncaptured_error_is_the_error_of_the_next_call() {
    on_every_adapter("uncaptured error", |shared| {
        let ctx = own(shared, |_| {});
        if ctx.caps().mappable_storage {
            // The features of this device allow that buffer; a size beyond all limits is invalid everywhere.
            let _ = ctx.device().create_buffer(&wgpu::BufferDescriptor {
                label: Some("invalid"),
                size: u64::MAX / 2,
                usage: wgpu::BufferUsages::STORAGE,
                mapped_at_creation: false,
            });
        } else {
            invalid(&ctx);
        }
        match GpuBuffer::new(&ctx, "t", 4, BufferUse::Storage) {
            Err(Error::Gpu(GpuError::Internal(text))) => assert!(text.contains("unscoped"), "{text}"),
            other => panic!("{other:?}"),
        }
    });
}

#[test]
fn an_error_in_a_scope_stays_in_its_scope() {
    on_every_adapter("scoped error", |ctx| {
        let r = ctx.scoped("a test", |device| {
            device.create_buffer(&wgpu::BufferDescriptor {
                label: Some("invalid"),
                size: u64::MAX / 2,
                usage: wgpu::BufferUsages::STORAGE,
                mapped_at_creation: false,
            })
        });
        let text = r.unwrap_err().to_string();
        assert!(text.contains("a test"), "{text}");
        ctx.check().unwrap();
    });
}
