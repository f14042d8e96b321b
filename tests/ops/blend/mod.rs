//! What the tests of operations on two batches share.

mod alpha_over;
mod feather_composite;
mod temporal_blend;

use crate::occlusion::plane;
use crate::results::{differ, run, same};
use crate::table::{self, Trial};
use frameloom::Result;
use frameloom::core::PixelFormat;
use frameloom::gpu::GpuContext;
use frameloom::ops::{FrameBatch, FramesBound, GpuPictures};
use frameloom::reference::Plane;

type Batch<'a> = (&'a dyn FrameBatch, u32);

/// An operation from two pictures to one, and its reference for picture `index`.
pub struct Two<'a> {
    pub bind: &'a dyn Fn(Batch<'_>, Batch<'_>, Batch<'_>) -> Result<FramesBound>,
    pub reference: &'a dyn Fn(usize, &Plane<'_>, &Plane<'_>) -> Vec<u8>,
}

/// Other pictures of the same sizes, noise among them.
fn partner(ctx: &GpuContext, trial: &Trial) -> Trial {
    let sizes: Vec<_> = trial.pictures.iter().map(|(l, _)| (l.size.width, l.size.height)).collect();
    table::mixed(ctx, trial.batch.format(), &sizes, 6)
}

impl Two<'_> {
    /// The whole table.
    pub fn equals(&self, ctx: &GpuContext, formats: &[PixelFormat]) {
        table::each(ctx, formats, |trial| {
            let second = partner(ctx, trial);
            let (a, b) = (trial.batch.as_ref(), second.batch.as_ref());
            let got = table::mapped(ctx, trial, trial.batch.format(), |dst| (self.bind)((a, 0), (b, 0), (dst, 0)));
            for (i, got) in got.iter().enumerate() {
                same(got, &self.want(i, trial, &second), format!("{} picture {i}", trial.name));
            }
        });
    }

    fn want(&self, index: usize, first: &Trial, second: &Trial) -> Vec<u8> {
        let of = |trial: &'_ Trial| trial.pictures[index].clone();
        let ((la, a), (lb, b)) = (of(first), of(second));
        (self.reference)(index, &plane(&la, &a), &plane(&lb, &b))
    }

    /// Later slots, fewer recorded, determinism, swapped and changed inputs.
    pub fn slots(&self, ctx: &GpuContext, format: PixelFormat) {
        let first = table::mixed(ctx, format, &[(9, 9), (37, 20), (50, 33)], 5);
        let second = table::mixed(ctx, format, &[(37, 20), (50, 33)], 13);
        let dst = GpuPictures::like(ctx, "test", format, second.batch.as_ref()).unwrap();
        let (a, b): (&dyn FrameBatch, &dyn FrameBatch) = (first.batch.as_ref(), second.batch.as_ref());
        crate::pictures::poison(ctx, FrameBatch::buffer(&dst));
        let bound = (self.bind)((a, 1), (b, 0), (&dst, 0)).unwrap();
        assert_eq!(bound.capacity(), 2);
        run(ctx, |rec| bound.record(rec, 1));
        let got = |i: u32| crate::occlusion::read(ctx, &dst, i);
        let want = |i: usize| {
            let ((la, a), (lb, b)) = (&first.pictures[i + 1], &second.pictures[i]);
            (self.reference)(i, &plane(la, a), &plane(lb, b))
        };
        same(&got(0), &want(0), "first");
        assert!(got(1).iter().all(|v| *v == 0xFF), "not recorded");
        table::deterministic(|| {
            run(ctx, |rec| bound.record(rec, 9));
            (got(0), got(1))
        });
        same(&got(1), &want(1), "second");
        let mut changed = want(1);
        *changed.last_mut().unwrap() ^= 1;
        assert!(differ(&got(1), &changed).is_some());
        let ((la, a1), (lb, b1)) = (&first.pictures[2], &second.pictures[1]);
        let swapped = (self.reference)(1, &plane(lb, b1), &plane(la, a1));
        assert!(differ(&got(1), &swapped).is_some(), "the inputs are exchanged");
        crate::results::refused((self.bind)((a, 0), (b, 0), (&dst, 0)), "output");
        crate::results::refused((self.bind)((a, 1), (b, 0), (b, 0)), "output");
        crate::results::refused((self.bind)((b, 0), (a, 0), (&dst, 0)), "second");
        crate::results::refused((self.bind)((a, 3), (b, 0), (&dst, 0)), "first");
    }
}
