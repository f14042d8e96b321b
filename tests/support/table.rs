//! The one table of trials that every operation on pictures goes through: shapes, formats, patterns, batches, mixed sizes.
//!
//! `FRAMELOOM_SHAPES=reduced` leaves a few shapes, for slow drivers.

use super::pictures::{FULL_HD, SHAPES, frames, layout, poison, poison_pool};
use super::results::{run, tight};
use frameloom::core::{FrameLayout, PixelFormat, Size};
use frameloom::gpu::GpuContext;
use frameloom::ops::{FrameBatch, FramesBound, GpuFrames, GpuPictures};
use frameloom::reference::FrameSlot;

/// Pictures on the device, and their bytes on the host.
#[derive(Debug)]
pub struct Trial {
    /// What is tried, for messages.
    pub name: String,
    /// On the device: [`GpuFrames`], or [`GpuPictures`] for mixed sizes.
    pub batch: Box<dyn FrameBatch>,
    /// Layout and bytes of each picture; padding is noise.
    pub pictures: Vec<(FrameLayout, Vec<u8>)>,
}

impl Trial {
    /// Samples of each picture, for the reference.
    pub fn slots(&self) -> impl Iterator<Item = FrameSlot<'_>> {
        self.pictures.iter().map(|(layout, bytes)| FrameSlot::new(*layout, bytes).unwrap())
    }

    /// Size and tight 8-bit luma of each picture.
    pub fn lumas(&self) -> impl Iterator<Item = (Size, Vec<u8>)> + '_ {
        self.slots().map(|slot| (slot.size(), slot.luma8().unwrap()))
    }
}

fn reduced() -> bool {
    std::env::var("FRAMELOOM_SHAPES").is_ok_and(|v| v == "reduced")
}

fn shapes() -> Vec<(u32, u32)> {
    match reduced() {
        true => vec![(1, 1), (17, 7), (77, 55)],
        false => SHAPES.to_vec(),
    }
}

/// A batch of one layout.
pub fn uniform(ctx: &GpuContext, layout: FrameLayout, start: usize, count: usize) -> Trial {
    let pictures: Vec<_> = frames(&layout, start, count).into_iter().map(|bytes| (layout, bytes)).collect();
    let refs: Vec<&[u8]> = pictures.iter().map(|(_, bytes)| bytes.as_slice()).collect();
    let batch = Box::new(GpuFrames::from_host(ctx, "test", layout, &refs).unwrap());
    Trial { name: format!("{} {} x{count}, patterns from {start}", layout.format, layout.size), batch, pictures }
}

/// A batch of different sizes.
pub fn mixed(ctx: &GpuContext, format: PixelFormat, sizes: &[(u32, u32)], start: usize) -> Trial {
    let pictures: Vec<_> = sizes
        .iter()
        .enumerate()
        .map(|(i, size)| {
            let layout = layout(format, *size);
            (layout, frames(&layout, start + i, 1).remove(0))
        })
        .collect();
    let refs: Vec<(Size, &[u8])> = pictures.iter().map(|(layout, bytes)| (layout.size, bytes.as_slice())).collect();
    let batch = Box::new(GpuPictures::from_host(ctx, "test", format, &refs).unwrap());
    Trial { name: format!("{format} mixed, patterns from {start}"), batch, pictures }
}

/// Batches of 1, 2 and 5 pictures of one size, for every shape and format, so that every pattern is seen; the first format also at
/// 1920x1080. What the pool hands out next is poisoned.
pub fn each_uniform(ctx: &GpuContext, formats: &[PixelFormat], mut visit: impl FnMut(&Trial)) {
    for (f, format) in formats.iter().enumerate() {
        for (s, shape) in shapes().into_iter().enumerate() {
            poison_pool(ctx, 1 << 16);
            let index = s + f;
            visit(&uniform(ctx, layout(*format, shape), index * 3, [1, 2, 5][index % 3]));
        }
    }
    // All patterns on one odd shape.
    if let Some(format) = formats.first() {
        visit(&uniform(ctx, layout(*format, (77, 55)), 0, 7));
        if !reduced() {
            visit(&uniform(ctx, layout(*format, FULL_HD), 6, 1));
        }
    }
}

/// As [`each_uniform`], and all shapes in one batch for every format.
pub fn each(ctx: &GpuContext, formats: &[PixelFormat], mut visit: impl FnMut(&Trial)) {
    each_uniform(ctx, formats, &mut visit);
    for (f, format) in formats.iter().enumerate() {
        visit(&mixed(ctx, *format, &shapes(), f));
    }
}

/// The same bits, twenty times.
#[track_caller]
pub fn deterministic<T: PartialEq + std::fmt::Debug>(run: impl Fn() -> T) {
    let first = run();
    for i in 1..20 {
        assert!(run() == first, "run {i} differs from the first");
    }
}

/// Runs an operation that makes pictures of the same sizes in `format` into poisoned memory, twice, and returns the first plane of
/// each result without padding.
pub fn mapped(
    ctx: &GpuContext,
    trial: &Trial,
    format: PixelFormat,
    bind: impl Fn(&dyn FrameBatch) -> frameloom::Result<FramesBound>,
) -> Vec<Vec<u8>> {
    let dst = GpuPictures::like(ctx, "test result", format, trial.batch.as_ref()).unwrap();
    poison(ctx, FrameBatch::buffer(&dst));
    let bound = bind(&dst).unwrap();
    for _ in 0..2 {
        run(ctx, |rec| bound.record(rec, dst.slots()));
    }
    (0..dst.slots()).map(|i| tight(&dst.slot(i).unwrap().1, 0, &dst.read_slot(ctx, i).unwrap())).collect()
}
