//! Trials that the measures share.

mod blur_map;
mod laplacian_variance;
mod noise_residual;
mod tenengrad;

use crate::pictures::*;
use crate::results::refused;
use crate::table;
use frameloom::core::{PixelFormat, Size};
use frameloom::gpu::GpuContext;
use frameloom::ops::{BatchShape, FrameBatch, Measure};
use frameloom::reference::{Pattern, Plane};
use std::fmt::Debug;

type Bind<R> = dyn Fn(&GpuContext, BatchShape, &dyn FrameBatch, u32) -> frameloom::Result<Measure<R>>;

/// A measure under test: plans and binds from a slot on; its reference.
struct Measured<'a, R> {
    bind: &'a Bind<R>,
    reference: &'a dyn Fn(&Plane<'_>) -> frameloom::Result<R>,
}

impl<R: PartialEq + Debug> Measured<'_, R> {
    fn want(&self, size: Size, data: &[u8]) -> R {
        (self.reference)(&Plane::tight(size, data).unwrap()).unwrap()
    }

    fn of(&self, ctx: &GpuContext, src: &dyn FrameBatch) -> Vec<R> {
        let bound = (self.bind)(ctx, BatchShape::of(src).unwrap(), src, 0).unwrap();
        let first = bound.run(ctx).unwrap();
        assert_eq!(first, bound.run(ctx).unwrap(), "the second run");
        first
    }

    /// The result for a grey picture.
    fn of_gray(&self, ctx: &GpuContext, size: (u32, u32), data: &[u8]) -> R {
        let layout = layout(PixelFormat::Gray8, size);
        let mut slot = vec![0xFF; layout.slot_bytes() as usize];
        for (to, row) in slot.chunks_mut(layout.first().stride as usize).zip(data.chunks(size.0 as usize)) {
            to[..row.len()].copy_from_slice(row);
        }
        self.of(ctx, &upload(ctx, &layout, &[slot])).remove(0)
    }

    fn equals_the_reference(&self, ctx: &GpuContext) {
        table::each(ctx, &LUMA_FORMATS, |trial| {
            let want: Vec<R> = trial.lumas().map(|(size, data)| self.want(size, &data)).collect();
            assert_eq!(self.of(ctx, trial.batch.as_ref()), want, "{}", trial.name);
        });
    }

    /// Noise, and all pixels equal.
    fn deterministic(&self, ctx: &GpuContext) {
        for pattern in [Pattern::Random { seed: 3 }, Pattern::Constant { level: 200 }] {
            let layout = layout(PixelFormat::Gray8, (133, 111));
            let src = upload(ctx, &layout, &[pattern.frame(&layout)]);
            table::deterministic(|| self.of(ctx, &src));
        }
    }

    fn binds_from_a_later_slot(&self, ctx: &GpuContext) {
        let trial = table::mixed(ctx, PixelFormat::Nv12, &[(5, 4), (40, 31), (17, 3)], 0);
        let src = trial.batch.as_ref();
        let bound = (self.bind)(ctx, BatchShape::of(src).unwrap(), src, 1).unwrap();
        assert_eq!(bound.capacity(), 2);
        let want: Vec<R> = trial.lumas().skip(1).map(|(size, data)| self.want(size, &data)).collect();
        assert_eq!(bound.run(ctx).unwrap(), want);
    }

    fn refuses(&self, ctx: &GpuContext) {
        let small = table::uniform(ctx, layout(PixelFormat::Gray8, (20, 4)), 0, 2);
        let src = small.batch.as_ref();
        let bind = |shape: BatchShape, first| (self.bind)(ctx, shape, src, first);
        refused(bind(BatchShape::from(&layout(PixelFormat::Rgba8, (4, 4))), 0), "input");
        refused(bind(BatchShape::from(&layout(PixelFormat::Gray8, (21, 4))), 0), "input");
        refused(bind(BatchShape::mixed(PixelFormat::Gray8, Size::new(19, 90)).unwrap(), 0), "input");
        refused(bind(BatchShape::of(src).unwrap(), 2), "first");
    }

    fn rejects_a_sabotaged_reference(&self, ctx: &GpuContext) {
        let trial = table::uniform(ctx, layout(PixelFormat::Gray8, (33, 9)), 0, 1);
        let got = self.of(ctx, trial.batch.as_ref());
        let (size, mut data) = trial.lumas().next().unwrap();
        assert_eq!(got, [self.want(size, &data)]);
        *data.last_mut().unwrap() ^= 16;
        assert_ne!(got, [self.want(size, &data)]);
    }

    /// A constant has none, and a blurred picture less: `figure` is that of a result.
    fn blur_lowers_it(&self, ctx: &GpuContext, figure: impl Fn(&R) -> f64) {
        for (w, h) in [(9, 7), (48, 33)] {
            let size = Size::new(w, h);
            let sharp = Pattern::Random { seed: 5 }.plane(size, 1, w as usize);
            let plane = Plane::tight(size, &sharp).unwrap();
            let mean = |(x, y): (u32, u32)| {
                let at = |dx, dy| u32::from(plane.at_reflect101(i64::from(x) + dx, i64::from(y) + dy));
                ((-1..=1).flat_map(|dy| (-1..=1).map(move |dx| (dx, dy))).map(|(dx, dy)| at(dx, dy)).sum::<u32>() / 9)
                    as u8
            };
            let blurred: Vec<u8> = plane.pixels().map(mean).collect();
            let [sharp, blurred] = [sharp, blurred].map(|data| figure(&self.of_gray(ctx, (w, h), &data)));
            assert!(blurred < sharp / 2.0, "{w}x{h}: {blurred} {sharp}");
            assert_eq!(figure(&self.of_gray(ctx, (w, h), &vec![77; size.area() as usize])), 0.0);
        }
    }
}
