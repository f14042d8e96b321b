//! Pictures for tests of operations: the shapes, patterns and batches that every operation is tried with.

use frameloom::core::{FrameLayout, PixelFormat, Size};
use frameloom::gpu::{BufferUse, GpuBuffer, GpuContext};
use frameloom::ops::GpuFrames;
use frameloom::reference::Pattern;

/// Degenerate, odd, around the 16 pixels of a load, and ordinary.
pub const SHAPES: [(u32, u32); 15] = [
    (1, 1),
    (3, 3),
    (4, 3),
    (17, 1),
    (1, 17),
    (15, 9),
    (16, 8),
    (17, 7),
    (77, 55),
    (123, 66),
    (176, 113),
    (33, 41),
    // One less, as many and one more than a workgroup of 8 columns of 16 pixels and blocks of 20 rows hold.
    (127, 19),
    (128, 20),
    (129, 21),
];

/// The one large shape.
pub const FULL_HD: (u32, u32) = (1920, 1080);

/// 8 bit, 10 bit low-aligned and 10 bit high-aligned.
pub const LUMA_FORMATS: [PixelFormat; 4] =
    [PixelFormat::Gray8, PixelFormat::Nv12, PixelFormat::I210, PixelFormat::P010];

/// Layout of a format and a shape.
pub fn layout(format: PixelFormat, (width, height): (u32, u32)) -> FrameLayout {
    FrameLayout::of(format, Size::new(width, height)).unwrap()
}

/// `count` different frames: the common patterns in turn, from pattern `start` on; noise and waves differ each time.
pub fn frames(layout: &FrameLayout, start: usize, count: usize) -> Vec<Vec<u8>> {
    (start..start + count)
        .map(|i| {
            let pattern = match Pattern::COMMON[i % Pattern::COMMON.len()] {
                Pattern::Random { .. } => Pattern::Random { seed: i as u64 },
                Pattern::Natural { .. } => Pattern::Natural { seed: i as u64, shift: i as u32 * 3 },
                other => other,
            };
            pattern.frame(layout)
        })
        .collect()
}

/// A batch on the device.
pub fn upload(ctx: &GpuContext, layout: &FrameLayout, frames: &[Vec<u8>]) -> GpuFrames {
    let refs: Vec<&[u8]> = frames.iter().map(Vec::as_slice).collect();
    GpuFrames::from_host(ctx, "test", *layout, &refs).unwrap()
}

/// Fills a buffer with 0xFF: what an operation must set itself, it may not find set.
pub fn poison(ctx: &GpuContext, buffer: &GpuBuffer) {
    buffer.write(ctx, 0, &vec![0xFF; buffer.size_bytes() as usize]).unwrap();
}

/// Leaves a poisoned buffer in the pool, which the next request of `bytes` gets.
pub fn poison_pool(ctx: &GpuContext, bytes: u64) {
    poison(ctx, &GpuBuffer::new(ctx, "poison", bytes, BufferUse::Storage).unwrap());
}
