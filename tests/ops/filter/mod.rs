mod r#box;
mod denoise;
mod gaussian;
mod median3;
mod unsharp_mask;

use crate::pictures::*;
use crate::results::*;
use crate::table;
use frameloom::Result;
use frameloom::core::{FrameLayout, PixelFormat, Size};
use frameloom::gpu::GpuContext;
use frameloom::ops::{BatchShape, FrameBatch, FramesBound};
use frameloom::reference::{FrameSlot, Pattern, Plane};

/// Every way samples are stored.
const FORMATS: [PixelFormat; 5] =
    [PixelFormat::Gray8, PixelFormat::Rgba8, PixelFormat::Nv12, PixelFormat::I210, PixelFormat::P010];

/// Binds a plan to pictures from their slots on.
type Bind = Box<dyn Fn(&GpuContext, (&dyn FrameBatch, u32), (&dyn FrameBatch, u32)) -> Result<FramesBound>>;

/// A filter with its parameters, and its reference.
struct Filter<'a> {
    plan: &'a dyn Fn(&GpuContext, BatchShape) -> Result<Bind>,
    want: &'a dyn Fn(&Plane<'_>) -> Vec<u8>,
}

/// A [`Bind`] of a plan; all plans of filters have the same method.
macro_rules! binding {
    ($plan:expr) => {{
        let plan = $plan?;
        Ok(Box::new(move |ctx, (src, first), (dst, dst_first)| plan.bind(ctx, src, first, dst, dst_first)))
    }};
}
use binding;

/// Channels and tight samples of what filters see of a picture: 8-bit luma, or RGBA.
fn seen(layout: &FrameLayout, slot: &[u8]) -> (u32, Vec<u8>) {
    match layout.format {
        PixelFormat::Rgba8 => (4, tight(layout, 0, slot)),
        _ => (1, FrameSlot::new(*layout, slot).unwrap().luma8().unwrap()),
    }
}

fn result_format(format: PixelFormat) -> PixelFormat {
    if format == PixelFormat::Rgba8 { format } else { PixelFormat::Gray8 }
}

impl Filter<'_> {
    fn wanted(&self, layout: &FrameLayout, slot: &[u8]) -> Vec<u8> {
        let (channels, data) = seen(layout, slot);
        let stride = (layout.size.width * channels) as usize;
        (self.want)(&Plane::interleaved(layout.size, channels, stride, &data).unwrap())
    }

    fn bind(&self, ctx: &GpuContext, src: (&dyn FrameBatch, u32), dst: (&dyn FrameBatch, u32)) -> Result<FramesBound> {
        (self.plan)(ctx, BatchShape::of(src.0).unwrap())?(ctx, src, dst)
    }

    /// All pictures of a trial against the reference.
    fn check(&self, ctx: &GpuContext, trial: &table::Trial, bind: &Bind) {
        let src = trial.batch.as_ref();
        let got = table::mapped(ctx, trial, result_format(src.format()), |dst| bind(ctx, (src, 0), (dst, 0)));
        for ((layout, slot), got) in trial.pictures.iter().zip(got) {
            same(&got, &self.wanted(layout, slot), format!("{} {}", trial.name, layout.size));
        }
    }

    /// The whole table of trials, with one plan for the small shapes of each format.
    fn check_all(&self, ctx: &GpuContext) {
        let (width, height) = SHAPES.into_iter().fold((0, 0), |a, b| (a.0.max(b.0), a.1.max(b.1)));
        let small = |format| BatchShape::mixed(format, Size::new(width, height)).unwrap();
        let plans = FORMATS.map(|format| (format, (self.plan)(ctx, small(format)).unwrap()));
        table::each(ctx, &FORMATS, |trial| {
            let input = BatchShape::of(trial.batch.as_ref()).unwrap();
            if input.largest().size.width > width {
                return self.check(ctx, trial, &(self.plan)(ctx, input).unwrap());
            }
            let (_, bind) = plans.iter().find(|(format, _)| *format == trial.batch.format()).unwrap();
            self.check(ctx, trial, bind);
        });
    }

    /// A few pictures of different sizes, grey and colour, for one of many parameters.
    fn check_some(&self, ctx: &GpuContext) {
        for format in [PixelFormat::Gray8, PixelFormat::Rgba8] {
            let trial = table::mixed(ctx, format, &[(77, 55), (5, 3), (1, 9), (130, 70), (16, 33)], 4);
            self.check(ctx, &trial, &(self.plan)(ctx, BatchShape::of(trial.batch.as_ref()).unwrap()).unwrap());
        }
    }

    fn run(&self, ctx: &GpuContext, layout: &FrameLayout, slot: &[u8]) -> Vec<u8> {
        let src = upload(ctx, layout, &[slot.to_vec()]);
        let dst = poisoned(ctx, &result_layout(layout), 1);
        let bound = self.bind(ctx, (&src, 0), (&dst, 0)).unwrap();
        run(ctx, |rec| bound.record(rec, 1));
        tight(dst.layout(), 0, &dst.read_slot(ctx, 0).unwrap())
    }

    /// Binding from later slots, recording fewer and more than there are.
    fn check_slots(&self, ctx: &GpuContext) {
        let input = layout(PixelFormat::Rgba8, (21, 5));
        let frames = paint(&input, &[1, 2, 3].map(|seed| Pattern::Random { seed }));
        let dst = poisoned(ctx, &input, 4);
        let bound = self.bind(ctx, (&upload(ctx, &input, &frames), 1), (&dst, 2)).unwrap();
        let slot = |i| tight(&input, 0, &dst.read_slot(ctx, i).unwrap());
        assert_eq!(bound.capacity(), 2);
        run(ctx, |rec| bound.record(rec, 1));
        same(&slot(2), &self.wanted(&input, &frames[1]), "second picture");
        untouched(ctx, &dst, 3);
        run(ctx, |rec| bound.record(rec, 99));
        same(&slot(3), &self.wanted(&input, &frames[2]), "third picture");
        untouched(ctx, &dst, 0);
        untouched(ctx, &dst, 1);
    }

    fn check_deterministic(&self, ctx: &GpuContext) {
        let layout = layout(PixelFormat::Gray8, (133, 41));
        let src = upload(ctx, &layout, &[Pattern::Random { seed: 3 }.frame(&layout)]);
        let dst = poisoned(ctx, &result_layout(&layout), 1);
        let bound = self.bind(ctx, (&src, 0), (&dst, 0)).unwrap();
        table::deterministic(|| {
            poison(ctx, dst.buffer());
            run(ctx, |rec| bound.record(rec, 1));
            dst.read_slot(ctx, 0).unwrap()
        });
    }

    /// Turned and mirrored pictures give turned and mirrored results.
    fn check_symmetric(&self, ctx: &GpuContext) {
        let (w, h) = (37u32, 23u32);
        let upright = layout(PixelFormat::Gray8, (w, h));
        let turned = layout(PixelFormat::Gray8, (h, w));
        let slot = Pattern::Natural { seed: 8, shift: 1 }.frame(&upright);
        let at = |x: u32, y: u32| slot[(y * upright.first().stride + x) as usize];
        let mut other = vec![0xEE; turned.slot_bytes() as usize];
        for y in 0..h {
            for x in 0..w {
                other[((w - 1 - x) * turned.first().stride + y) as usize] = at(x, y);
            }
        }
        let (a, b) = (self.run(ctx, &upright, &slot), self.run(ctx, &turned, &other));
        let back: Vec<u8> = (0..w * h).map(|i| b[((w - 1 - i % w) * h + i / w) as usize]).collect();
        same(&back, &a, "a quarter turn");
    }

    /// Constant pictures stay as they are, opaque ones opaque.
    fn check_constants(&self, ctx: &GpuContext) {
        let layout = layout(PixelFormat::Rgba8, (19, 35));
        let levels = [0, 1, 127, 254, 255];
        let src = upload(ctx, &layout, &paint(&layout, &levels.map(|level| Pattern::Constant { level })));
        let dst = poisoned(ctx, &layout, 5);
        let bound = self.bind(ctx, (&src, 0), (&dst, 0)).unwrap();
        run(ctx, |rec| bound.record(rec, 5));
        for (i, level) in levels.into_iter().enumerate() {
            assert!(tight(&layout, 0, &dst.read_slot(ctx, i as u32).unwrap()).iter().all(|v| *v == level), "{level}");
        }
    }

    /// Layouts, shapes and slots that do not fit.
    fn check_refusals(&self, ctx: &GpuContext) {
        let plan = |layout: &FrameLayout| (self.plan)(ctx, layout.into());
        refused(plan(&layout(PixelFormat::Gray8, (1, 32_769))), "input");
        refused(plan(&layout(PixelFormat::Rgba8, (32_769, 1))), "input");
        let frames = |format, size| poisoned(ctx, &layout(format, size), 2);
        let src = frames(PixelFormat::Gray8, (20, 4));
        let right = frames(PixelFormat::Gray8, (20, 4));
        let bind = plan(src.layout()).unwrap();
        refused(bind(ctx, (&src, 0), (&frames(PixelFormat::Gray8, (21, 4)), 0)), "output");
        refused(bind(ctx, (&src, 0), (&frames(PixelFormat::Rgba8, (20, 4)), 0)), "output");
        refused(bind(ctx, (&src, 0), (&src, 1)), "output");
        refused(bind(ctx, (&src, 2), (&right, 0)), "first");
        refused(bind(ctx, (&src, 0), (&right, 2)), "first");
        refused(bind(ctx, (&frames(PixelFormat::Gray8, (20, 5)), 0), (&right, 0)), "input");
        for (format, size) in [(PixelFormat::Gray8, (19, 90)), (PixelFormat::Nv12, (90, 90))] {
            let other = BatchShape::mixed(format, Size::new(size.0, size.1)).unwrap();
            refused((self.plan)(ctx, other).unwrap()(ctx, (&src, 0), (&right, 0)), "input");
        }
    }

    /// One changed pixel, a swapped channel, a result of a neighbour: all are seen.
    fn check_sabotage(&self, ctx: &GpuContext) {
        let layout = layout(PixelFormat::Rgba8, (33, 9));
        let slot = Pattern::Random { seed: 9 }.frame(&layout);
        let got = self.run(ctx, &layout, &slot);
        let want = self.wanted(&layout, &slot);
        same(&got, &want, "as it is");
        let mut one_off = want.clone();
        *one_off.last_mut().unwrap() ^= 1;
        assert!(differ(&got, &one_off).is_some());
        let swapped: Vec<u8> = slot.chunks(4).flat_map(|p| [p[2], p[1], p[0], p[3]]).collect();
        assert!(differ(&got, &self.wanted(&layout, &swapped)).is_some());
        let mut stale = want;
        stale.rotate_left(4);
        assert!(differ(&got, &stale).is_some());
    }
}

fn result_layout(layout: &FrameLayout) -> FrameLayout {
    FrameLayout::of(result_format(layout.format), layout.size).unwrap()
}
