//! Trials of operations that make pictures of other sizes, whole pictures at a time.

use super::pictures::*;
use super::results::*;
use super::table::{Trial, deterministic, mixed, uniform};
use frameloom::Result;
use frameloom::core::{FrameLayout, PixelFormat, Size};
use frameloom::gpu::GpuContext;
use frameloom::ops::{BatchShape, FrameBatch, FramesBound, GpuPictures};
use frameloom::reference::{FrameSlot, Pattern, Plane};

/// Every way samples are stored.
pub const FORMATS: [PixelFormat; 5] =
    [PixelFormat::Gray8, PixelFormat::Rgba8, PixelFormat::Nv12, PixelFormat::I210, PixelFormat::P010];

/// Plans for two shapes and binds two batches from their slots on.
pub type Bind<'a> =
    &'a dyn Fn(&GpuContext, [BatchShape; 2], (&dyn FrameBatch, u32), (&dyn FrameBatch, u32)) -> Result<FramesBound>;

/// A resize and its reference.
pub struct Resize<'a> {
    pub bind: Bind<'a>,
    pub want: &'a dyn Fn(&Plane<'_>, Size) -> Vec<u8>,
}

/// Grey for luma, packed RGBA for packed RGBA.
pub fn result_format(format: PixelFormat) -> PixelFormat {
    if format == PixelFormat::Rgba8 { format } else { PixelFormat::Gray8 }
}

/// What a picture becomes, given its 8-bit luma or its packed RGBA.
pub fn wanted(layout: &FrameLayout, slot: &[u8], want: impl Fn(&Plane<'_>) -> Vec<u8>) -> Vec<u8> {
    let (channels, data) = match layout.format {
        PixelFormat::Rgba8 => (4, tight(layout, 0, slot)),
        _ => (1, FrameSlot::new(*layout, slot).unwrap().luma8().unwrap()),
    };
    want(&Plane::interleaved(layout.size, channels, (layout.size.width * channels) as usize, &data).unwrap())
}

impl Resize<'_> {
    /// The pictures of a trial in `sizes`, in one dispatch into poisoned memory, twice.
    pub fn check(&self, ctx: &GpuContext, trial: &Trial, sizes: &[Size]) {
        let src = trial.batch.as_ref();
        let dst = GpuPictures::new(ctx, "test result", result_format(src.format()), sizes).unwrap();
        poison(ctx, FrameBatch::buffer(&dst));
        let shapes = [src, &dst].map(|batch| BatchShape::of(batch).unwrap());
        let bound = (self.bind)(ctx, shapes, (src, 0), (&dst, 0)).unwrap();
        for _ in 0..2 {
            run(ctx, |rec| bound.record(rec, dst.slots()));
        }
        for (i, ((layout, slot), to)) in trial.pictures.iter().zip(sizes).enumerate() {
            let got = tight(&dst.slot(i as u32).unwrap().1, 0, &dst.read_slot(ctx, i as u32).unwrap());
            let what = format!("{} {} to {to}", trial.name, layout.size);
            same(&got, &wanted(layout, slot, |plane| (self.want)(plane, *to)), what);
        }
    }

    /// All shapes to a few sizes each, all formats, mixed.
    pub fn check_all(&self, ctx: &GpuContext) {
        for (f, format) in FORMATS.into_iter().enumerate() {
            let trial = mixed(ctx, format, &SHAPES, f);
            let sizes = |to: &dyn Fn(u32, u32) -> (u32, u32)| -> Vec<Size> {
                SHAPES.iter().map(|(w, h)| to(*w, *h)).map(|(w, h)| Size::new(w, h)).collect()
            };
            self.check(ctx, &trial, &sizes(&|w, h| (w * 2 + 1, h.div_ceil(3))));
            self.check(ctx, &trial, &sizes(&|w, h| (w.div_ceil(2), h + 5)));
            if f < 2 {
                self.check(ctx, &trial, &sizes(&|w, h| (w, h)));
                self.check(ctx, &trial, &sizes(&|w, h| (15, 16 + (w + h) % 3)));
                self.check(ctx, &trial, &sizes(&|_, _| (1, 1)));
            }
        }
        // Every pattern in one layout; full HD.
        self.check(ctx, &uniform(ctx, layout(PixelFormat::Gray8, (77, 55)), 0, 7), &[Size::new(50, 64); 7]);
        self.check(ctx, &uniform(ctx, layout(PixelFormat::Gray8, FULL_HD), 6, 1), &[Size::new(448, 252)]);
    }

    /// One picture in size `to`.
    pub fn run(&self, ctx: &GpuContext, layout: &FrameLayout, slot: &[u8], to: Size) -> Vec<u8> {
        let src = upload(ctx, layout, &[slot.to_vec()]);
        let output = FrameLayout::of(result_format(layout.format), to).unwrap();
        let dst = poisoned(ctx, &output, 1);
        let bound = (self.bind)(ctx, [layout.into(), (&output).into()], (&src, 0), (&dst, 0)).unwrap();
        run(ctx, |rec| bound.record(rec, 1));
        tight(&output, 0, &dst.read_slot(ctx, 0).unwrap())
    }

    /// Later slots, fewer and more than there are; the same bits twenty times.
    pub fn check_slots(&self, ctx: &GpuContext) {
        let (input, output) = (layout(PixelFormat::Rgba8, (21, 5)), layout(PixelFormat::Rgba8, (13, 9)));
        let frames = paint(&input, &[1, 2, 3].map(|seed| Pattern::Random { seed }));
        let dst = poisoned(ctx, &output, 4);
        let shapes = [(&input).into(), (&output).into()];
        let bound = (self.bind)(ctx, shapes, (&upload(ctx, &input, &frames), 1), (&dst, 2)).unwrap();
        let want = |i: usize| wanted(&input, &frames[i], |plane| (self.want)(plane, output.size));
        let slot = |i| tight(&output, 0, &dst.read_slot(ctx, i).unwrap());
        assert_eq!(bound.capacity(), 2);
        run(ctx, |rec| bound.record(rec, 1));
        same(&slot(2), &want(1), "second picture");
        untouched(ctx, &dst, 3);
        deterministic(|| {
            run(ctx, |rec| bound.record(rec, 99));
            slot(3)
        });
        same(&slot(3), &want(2), "third picture");
        untouched(ctx, &dst, 0);
        untouched(ctx, &dst, 1);
    }

    /// Constant pictures stay constant.
    pub fn check_constants(&self, ctx: &GpuContext) {
        let input = layout(PixelFormat::Rgba8, (21, 5));
        for level in [0, 255] {
            let flat = Pattern::Constant { level }.frame(&input);
            assert!(self.run(ctx, &input, &flat, Size::new(30, 3)).iter().all(|v| *v == level));
        }
    }

    /// Shapes, formats and slots that do not fit.
    pub fn check_refusals(&self, ctx: &GpuContext) {
        let gray = |size| layout(PixelFormat::Gray8, size);
        let (input, output) = (gray((20, 4)), gray((8, 8)));
        let (src, dst) = (poisoned(ctx, &input, 2), poisoned(ctx, &output, 2));
        let bind = |a: &FrameLayout, b: &FrameLayout, first, dst_first| {
            (self.bind)(ctx, [a.into(), b.into()], (&src, first), (&dst, dst_first)).map(drop)
        };
        bind(&input, &output, 0, 0).unwrap();
        refused(bind(&gray((1, 32_769)), &output, 0, 0), "input");
        refused(bind(&input, &gray((32_769, 1)), 0, 0), "output");
        refused(bind(&input, &layout(PixelFormat::Rgba8, (8, 8)), 0, 0), "output");
        refused(bind(&input, &layout(PixelFormat::Nv12, (8, 8)), 0, 0), "output");
        refused(bind(&layout(PixelFormat::Rgba8, (20, 4)), &output, 0, 0), "output");
        refused(bind(&gray((20, 5)), &output, 0, 0), "input");
        refused(bind(&input, &gray((8, 9)), 0, 0), "output");
        refused(bind(&input, &output, 2, 0), "first");
        refused(bind(&input, &output, 0, 2), "first");
        let same_shapes = [(&input).into(), (&input).into()];
        refused((self.bind)(ctx, same_shapes, (&src, 0), (&src, 1)).map(drop), "output");
    }

    /// A shifted result, a changed pixel, swapped channels are seen.
    pub fn check_sabotage(&self, ctx: &GpuContext) {
        let (input, to) = (layout(PixelFormat::Rgba8, (64, 32)), Size::new(50, 41));
        let slot = Pattern::Random { seed: 9 }.frame(&input);
        let got = self.run(ctx, &input, &slot, to);
        let want = |slot: &[u8]| wanted(&input, slot, |plane| (self.want)(plane, to));
        same(&got, &want(&slot), "as it is");
        let mut shifted = want(&slot);
        shifted.rotate_right(4);
        assert!(differ(&got, &shifted).is_some());
        let mut other = slot.clone();
        other[5 * 256 + 8] ^= 16;
        assert!(differ(&got, &want(&other)).is_some());
        let swapped: Vec<u8> = slot.chunks(4).flat_map(|p| [p[2], p[1], p[0], p[3]]).collect();
        assert!(differ(&got, &want(&swapped)).is_some());
    }

    /// Long sides, where tables and loops are longest.
    pub fn check_long(&self, ctx: &GpuContext) {
        for (from, to) in
            [((32_768, 2), (32_767, 2)), ((3, 2), (32_768, 1)), ((2, 32_768), (1, 3)), ((32_768, 1), (7, 3))]
        {
            let trial = uniform(ctx, layout(PixelFormat::Gray8, from), 0, 1);
            self.check(ctx, &trial, &[Size::new(to.0, to.1)]);
        }
    }
}
