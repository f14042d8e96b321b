//! Tensors made of pictures: parameters to try, rectangles to cut, the comparer, and the tests of the packing operations, which differ in the
//! order of numbers alone.

use super::gpu::on_every_adapter;
use super::pictures::*;
use super::results::{refused, run};
use super::table::{self, Trial};
use frameloom::Result;
use frameloom::core::*;
use frameloom::gpu::GpuContext;
use frameloom::ops::tensor::{PackParams, TensorBound, TensorBox};
use frameloom::ops::{BatchShape, FrameBatch, OpInfo};
use frameloom::reference::{FrameSlot, Pattern};

/// A packing operation.
pub trait Packing: Sized {
    const INFO: OpInfo;
    const LAYOUT: TensorLayout;

    fn plan(ctx: &GpuContext, shape: BatchShape, params: PackParams) -> Result<Self>;
    fn element_bytes(&self) -> u64;
    fn bind(&self, ctx: &GpuContext, src: &dyn FrameBatch, capacity: u32) -> Result<TensorBound>;
    fn at_once(ctx: &GpuContext, src: &dyn FrameBatch, params: PackParams, boxes: &[TensorBox]) -> Result<Vec<f32>>;
    fn reference(
        crops: &[(FrameSlot<'_>, Rect)],
        color: ColorSpec,
        spec: &TensorSpec,
        sampling: Sampling,
    ) -> Result<Vec<f32>>;
}

/// `Packing` of a plan, and its tests.
macro_rules! packing_tests {
    ($plan:ty, $info:expr, $layout:expr, $at_once:path, $reference:path) => {
        impl Packing for $plan {
            const INFO: OpInfo = $info;
            const LAYOUT: TensorLayout = $layout;

            fn plan(ctx: &GpuContext, shape: BatchShape, params: PackParams) -> Result<Self> {
                Self::new(ctx, shape, params)
            }

            fn element_bytes(&self) -> u64 {
                self.element_bytes()
            }

            fn bind(&self, ctx: &GpuContext, src: &dyn FrameBatch, capacity: u32) -> Result<TensorBound> {
                self.bind(ctx, src, capacity)
            }

            fn at_once(ctx: &GpuContext, src: &dyn FrameBatch, params: PackParams, boxes: &[TensorBox]) -> Result<Vec<f32>> {
                $at_once(ctx, src, params, boxes)
            }

            fn reference(
                crops: &[(FrameSlot<'_>, Rect)],
                color: ColorSpec,
                spec: &TensorSpec,
                sampling: Sampling,
            ) -> Result<Vec<f32>> {
                $reference(crops, color, spec, sampling)
            }
        }

        $crate::packing::packing_tests!(@each $plan, every_format_equals_the_reference, bits_beside_the_samples_do_not_count, every_shape_equals_the_reference, pictures_of_all_sizes_at_once_equal_the_reference, half_floats_equal_the_reference, full_hd_equals_the_reference, the_largest_places_are_exact, what_does_not_fit_is_refused, every_setting_changes_something_and_a_wrong_reference_is_rejected);
    };
    (@each $plan:ty, $($test:ident),*) => { $(
        #[test]
        fn $test() {
            $crate::packing::$test::<$plan>();
        }
    )* };
}
pub(crate) use packing_tests;

fn named<P: Packing>(what: &str) -> String {
    format!("{} {what}", P::INFO.name)
}

pub const COLORS: [ColorSpec; 3] = [
    ColorSpec::BT709,
    ColorSpec { matrix: YuvMatrix::Bt601, range: ColorRange::Full, siting: ChromaSiting::Center },
    ColorSpec { matrix: YuvMatrix::Bt2020, range: ColorRange::Limited, siting: ChromaSiting::TopLeft },
];

/// Stretched RGB in 0..=1, a letterbox with the normalisation of ImageNet in BGR, one in the corner with large factors, one channel.
pub fn specs(width: u32, height: u32) -> [TensorSpec; 4] {
    let unit = TensorSpec::unit(Size::new(width, height));
    let imagenet = unit.with_mean_std([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]);
    let boxed = |anchor, pad| Fit::Letterbox { pad, anchor };
    [
        unit,
        TensorSpec { fit: boxed(Anchor::Center, 114.0 / 255.0), order: ChannelOrder::Bgr, ..imagenet },
        TensorSpec { fit: boxed(Anchor::TopLeft, 0.0), mul: [255.0, -2.0, 0.0], add: [0.5, 100.0, 7.0], ..unit },
        TensorSpec {
            fit: boxed(Anchor::Center, 0.25),
            order: ChannelOrder::Gray,
            mul: [2.0, 90.0, 1e9],
            add: [-1.0, 1e9, 5.0],
            ..unit
        },
    ]
}

/// Parameters by number: colours, specs, samplings in turn.
pub fn params(i: usize, (width, height): (u32, u32)) -> PackParams {
    let sampling = [Sampling::Bilinear, Sampling::Area][i % 2];
    PackParams { color: COLORS[i / 2 % 3], spec: specs(width, height)[i / 3 % 4], sampling, half: false }
}

/// Of each picture the whole, its corner, one pixel, a thin strip, or its upper right; pictures in reversed order, too.
pub fn boxes(trial: &Trial) -> Vec<TensorBox> {
    let rect = |x, y, width, height| Rect { x, y, width, height };
    let crop = |slot: u32| {
        let size = trial.pictures[slot as usize].0.size;
        let Size { width: w, height: h } = size;
        let crops = [
            Rect::full(size),
            rect(w / 2, h / 2, w - w / 2, h - h / 2),
            rect(w - 1, h - 1, 1, 1),
            rect(0, h / 3, w, 1),
            rect(w / 3, 0, w - w / 3, h.div_ceil(2)),
        ];
        TensorBox { slot, crop: crops[slot as usize % 5] }
    };
    let slots = trial.pictures.len() as u32;
    let all = (0..slots).map(|slot| TensorBox { crop: Rect::full(trial.pictures[slot as usize].0.size), slot });
    all.chain((0..slots).rev().map(crop)).collect()
}

/// What the registry promises: absolute in units of rgb, times the factor of the channel, and half a unit in the last place of each of
/// the two roundings of factor and summand. f16 adds its own rounding to nearest.
pub fn violation(info: &OpInfo, got: &[f32], want: &[f32], p: PackParams, layout: TensorLayout) -> Option<String> {
    let Exactness::Abs(bound) = info.exactness else { panic!("{:?}", info.exactness) };
    let (plane, channels) = (p.spec.size.area() as usize, p.spec.order.channels() as usize);
    super::vectors::violation(got, want, |i| {
        let c = match layout {
            TensorLayout::Nchw => i / plane % channels,
            TensorLayout::Nhwc => i % channels,
        };
        let (mul, add) = (f64::from(p.spec.mul[c].abs()), f64::from(p.spec.add[c].abs()));
        let distance = bound * mul + (mul + add) * f64::from(f32::EPSILON);
        // 2^-11 of the value, or half of the smallest step.
        let half = if p.half { (f64::from(want[i].abs()) + distance) / 2048.0 + 3e-8 } else { 0.0 };
        distance + half
    })
}

fn want<P: Packing>(trial: &Trial, boxes: &[TensorBox], params: PackParams) -> Vec<f32> {
    let slots: Vec<_> = trial.slots().collect();
    let crops: Vec<_> = boxes.iter().map(|b| (slots[b.slot as usize], b.crop)).collect();
    P::reference(&crops, params.color, &params.spec, params.sampling).unwrap()
}

fn check<P: Packing>(ctx: &GpuContext, trial: &Trial, params: PackParams) {
    let boxes = boxes(trial);
    let plan = P::plan(ctx, BatchShape::of(trial.batch.as_ref()).unwrap(), params).unwrap();
    let count = boxes.len() as u32;
    let bound = plan.bind(ctx, trial.batch.as_ref(), count + 1).unwrap();
    let bytes = plan.element_bytes() * u64::from(count);
    let all = (bytes + plan.element_bytes()).next_multiple_of(4);
    bound.tensor().write(ctx, 0, &vec![0xFF; all as usize]).unwrap();
    bound.set_boxes(ctx, &boxes).unwrap();
    let mut before = None;
    for turn in 0..2 {
        run(ctx, |rec| bound.record(rec, count));
        let raw = bound.tensor().read(ctx, all).unwrap();
        let got = bound.decode(&raw[..bytes as usize]);
        if let Some(text) = violation(&P::INFO, &got, &want::<P>(trial, &boxes, params), params, P::LAYOUT) {
            panic!("{} {params:?} turn {turn}: {text}", trial.name);
        }
        assert!(raw[bytes as usize..].iter().all(|b| *b == 0xFF), "the box behind the last was written to");
        assert!(before.replace(raw.clone()).is_none_or(|b| b == raw), "another result in another run");
    }
}

pub fn every_format_equals_the_reference<P: Packing>() {
    on_every_adapter(&named::<P>("formats"), |ctx| {
        for (i, format) in PixelFormat::ALL.into_iter().enumerate() {
            for j in 0..4 {
                check::<P>(ctx, &table::uniform(ctx, layout(format, (33, 22)), i, 2), params(i * 5 + j, (14, 9)));
            }
        }
    });
}

/// The six bits of a word that a 10-bit sample leaves free hold something.
pub fn bits_beside_the_samples_do_not_count<P: Packing>() {
    on_every_adapter(&named::<P>("stray bits"), |ctx| {
        let formats = [PixelFormat::I010, PixelFormat::I210, PixelFormat::I410, PixelFormat::P010];
        for (i, format) in formats.into_iter().enumerate() {
            let layout = layout(format, (33, 22));
            let mut trial = table::uniform(ctx, layout, i, 2);
            for (_, bytes) in &mut trial.pictures {
                for word in bytes.chunks_exact_mut(2) {
                    match format {
                        PixelFormat::P010 => word[0] |= 0x3f,
                        _ => word[1] |= 0xfc,
                    }
                }
            }
            let frames: Vec<Vec<u8>> = trial.pictures.iter().map(|(_, bytes)| bytes.clone()).collect();
            trial.batch = Box::new(upload(ctx, &layout, &frames));
            for j in 0..2 {
                check::<P>(ctx, &trial, params(2 * i + j, (14, 9)));
            }
        }
    });
}

pub fn every_shape_equals_the_reference<P: Packing>() {
    on_every_adapter(&named::<P>("shapes"), |ctx| {
        for (i, shape) in SHAPES.into_iter().enumerate() {
            for (j, to) in [(1, 1), (3, 3), (4, 3), (17, 5), (64, 32)].into_iter().enumerate() {
                let format = [PixelFormat::Nv12, PixelFormat::I420, PixelFormat::P010, PixelFormat::I422][(i + j) % 4];
                let mut params = params(i * 3 + j, to);
                if shape == (176, 113) && to == (1, 1) {
                    // Too large an area for one pixel.
                    params.sampling = Sampling::Bilinear;
                }
                check::<P>(ctx, &table::uniform(ctx, layout(format, shape), i + j, [1, 2, 5][i % 3]), params);
            }
        }
    });
}

pub fn pictures_of_all_sizes_at_once_equal_the_reference<P: Packing>() {
    on_every_adapter(&named::<P>("mixed sizes"), |ctx| {
        for (i, format) in [PixelFormat::Nv12, PixelFormat::Rgba8, PixelFormat::I010].into_iter().enumerate() {
            let trial = table::mixed(ctx, format, &SHAPES, i);
            check::<P>(ctx, &trial, params(2 * i, (19, 13)));
            check::<P>(ctx, &trial, params(2 * i + 1, (19, 13)));
        }
    });
}

pub fn half_floats_equal_the_reference<P: Packing>() {
    on_every_adapter(&named::<P>("f16"), |ctx| {
        for (i, to) in [(2, 1), (4, 3), (6, 5), (32, 18)].into_iter().enumerate() {
            let trial = table::uniform(ctx, layout(PixelFormat::Nv12, (55, 34)), i, 2);
            check::<P>(ctx, &trial, PackParams { half: true, ..params(i, to) });
        }
        // Values from infinity down to the subnormal ones.
        for mul in [1e6, 60_000.0, 1e-4, 1e-6, 1e-8] {
            let spec = TensorSpec { mul: [mul, -mul, mul], ..specs(10, 6)[0] };
            let params = PackParams { half: true, spec, ..params(0, (10, 6)) };
            let trial = table::uniform(ctx, layout(PixelFormat::Rgba8, (20, 12)), 0, 1);
            let boxes = boxes(&trial);
            let got = P::at_once(ctx, trial.batch.as_ref(), params, &boxes).unwrap();
            for (g, w) in got.iter().zip(want::<P>(&trial, &boxes, params)) {
                // As far from f64 as f32 is, then to the nearest.
                let near = [w - mul * 1e-5, w, w + mul * 1e-5].map(|v| half::f16::from_f32(v).to_f32());
                assert!(near.contains(g) || (near[0] <= *g && *g <= near[2]), "{g} for {w}");
            }
        }
    });
}

pub fn full_hd_equals_the_reference<P: Packing>() {
    on_every_adapter(&named::<P>("full HD"), |ctx| {
        let trial = table::uniform(ctx, layout(PixelFormat::Nv12, FULL_HD), 6, 1);
        for sampling in [Sampling::Bilinear, Sampling::Area] {
            check::<P>(ctx, &trial, PackParams { color: COLORS[0], spec: specs(112, 112)[1], sampling, half: false });
        }
    });
}

pub fn the_largest_places_are_exact<P: Packing>() {
    on_every_adapter(&named::<P>("long sides"), |ctx| {
        // Products up to 2^31; a place off by one sample in 32768 would show in noise.
        for (size, to) in [((32_768, 2), (32_768, 1)), ((32_768, 1), (32_767, 2)), ((2, 32_768), (1, 4095))] {
            for sampling in [Sampling::Bilinear, Sampling::Area] {
                let params = PackParams { color: COLORS[1], sampling, ..params(0, to) };
                check::<P>(ctx, &table::uniform(ctx, layout(PixelFormat::I420, size), 0, 1), params);
            }
        }
    });
}

pub fn what_does_not_fit_is_refused<P: Packing>() {
    on_every_adapter(&named::<P>("refuses"), |ctx| {
        let params = |width, height| params(0, (width, height));
        let input = layout(PixelFormat::Nv12, (8, 6));
        refused(P::plan(ctx, (&input).into(), params(0, 4)), "size");
        refused(P::plan(ctx, (&input).into(), params(40_000, 4)), "size");
        refused(P::plan(ctx, (&input).into(), PackParams { half: true, ..params(5, 4) }), "size");
        refused(P::plan(ctx, (&layout(PixelFormat::Nv12, (33_000, 2))).into(), params(4, 4)), "input");
        let mut odd = params(4, 4);
        odd.spec.mul[1] = f32::INFINITY;
        refused(P::plan(ctx, (&input).into(), odd), "mul, add");
        odd = params(4, 4);
        odd.spec.fit = Fit::Letterbox { pad: f32::NAN, anchor: Anchor::Center };
        refused(P::plan(ctx, (&input).into(), odd), "pad");

        let plan = P::plan(ctx, (&input).into(), params(4, 4)).unwrap();
        let two = table::uniform(ctx, input, 0, 2);
        let src = two.batch.as_ref();
        let other = table::uniform(ctx, layout(PixelFormat::I420, (8, 6)), 0, 1);
        refused(plan.bind(ctx, other.batch.as_ref(), 1), "input");
        refused(plan.bind(ctx, src, 0), "capacity");
        refused(plan.bind(ctx, src, u32::MAX), "capacity");
        let bound = plan.bind(ctx, src, 2).unwrap();
        let full = TensorBox { slot: 0, crop: Rect::full(input.size) };
        refused(bound.set_boxes(ctx, &[full; 3]), "boxes");
        refused(bound.set_boxes(ctx, &[TensorBox { slot: 2, ..full }]), "slot");
        refused(bound.set_boxes(ctx, &[TensorBox { crop: Rect { x: 1, ..full.crop }, ..full }]), "crop");
        refused(bound.set_boxes(ctx, &[TensorBox { crop: Rect { width: 0, ..full.crop }, ..full }]), "crop");
        refused(P::at_once(ctx, src, params(4, 4), &[]), "capacity");
        // One pixel of all of 1080p in area: more than a loop may take.
        let large = table::uniform(ctx, layout(PixelFormat::Gray8, FULL_HD), 0, 1);
        let all = TensorBox { slot: 0, crop: Rect::full(Size::new(1920, 1080)) };
        let area = PackParams { sampling: Sampling::Area, ..params(1, 1) };
        refused(P::at_once(ctx, large.batch.as_ref(), area, &[all]), "crop");
    });
}

pub fn every_setting_changes_something_and_a_wrong_reference_is_rejected<P: Packing>() {
    on_every_adapter(&named::<P>("negative control"), |ctx| {
        let input = layout(PixelFormat::I420, (34, 18));
        let mut trial = table::uniform(ctx, input, 0, 1);
        trial.pictures[0].1 = Pattern::Random { seed: 9 }.frame(&input);
        trial.batch = Box::new(upload(ctx, &input, &[trial.pictures[0].1.clone()]));
        let crop = Rect { x: 3, y: 2, width: 20, height: 12 };
        let boxes = [TensorBox { slot: 0, crop }];
        for (i, sampling) in [Sampling::Bilinear, Sampling::Area].into_iter().enumerate() {
            let params = PackParams { color: ColorSpec::BT709, spec: specs(12, 12)[1], sampling, half: false };
            let got = P::at_once(ctx, trial.batch.as_ref(), params, &boxes).unwrap();
            table::deterministic(|| P::at_once(ctx, trial.batch.as_ref(), params, &boxes).unwrap());
            let against = |boxes: &[TensorBox], params| {
                violation(&P::INFO, &got, &want::<P>(&trial, boxes, params), params, P::LAYOUT)
            };
            assert_eq!(against(&boxes, params), None);
            let (color, spec) = (params.color, params.spec);
            for wrong in [
                PackParams { color: ColorSpec { matrix: YuvMatrix::Bt601, ..color }, ..params },
                PackParams { color: ColorSpec { range: ColorRange::Full, ..color }, ..params },
                PackParams { color: ColorSpec { siting: ChromaSiting::TopLeft, ..color }, ..params },
                PackParams { color: ColorSpec { siting: ChromaSiting::Center, ..color }, ..params },
                PackParams { spec: TensorSpec { order: ChannelOrder::Rgb, ..spec }, ..params },
                PackParams { spec: TensorSpec { fit: Fit::Stretch, ..spec }, ..params },
                PackParams { spec: TensorSpec { mul: [1.0; 3], ..spec }, ..params },
                PackParams { spec: TensorSpec { add: [0.0; 3], ..spec }, ..params },
                PackParams { sampling: [Sampling::Area, Sampling::Bilinear][i], ..params },
            ] {
                assert!(against(&boxes, wrong).is_some(), "{wrong:?}");
            }
            let beside = TensorBox { crop: Rect { x: 4, ..crop }, ..boxes[0] };
            assert!(against(&[beside], params).is_some());
            let mut close = want::<P>(&trial, &boxes, params);
            close[240] += 4e-5 * spec.mul.iter().fold(0.0, |a, b| b.max(a));
            assert!(violation(&P::INFO, &got, &close, params, P::LAYOUT).is_some(), "the bound is too wide");
            // Another order of numbers is another result.
            let other = match P::LAYOUT {
                TensorLayout::Nchw => TensorLayout::Nhwc,
                TensorLayout::Nhwc => TensorLayout::Nchw,
            };
            let reordered = reordered(&got, spec.size, other);
            assert!(violation(&P::INFO, &reordered, &want::<P>(&trial, &boxes, params), params, P::LAYOUT).is_some());
        }
    });
}

/// One element in the other order.
fn reordered(values: &[f32], size: Size, to: TensorLayout) -> Vec<f32> {
    let plane = size.area() as usize;
    match to {
        TensorLayout::Nhwc => (0..3 * plane).map(|i| values[i % 3 * plane + i / 3]).collect(),
        TensorLayout::Nchw => (0..3 * plane).map(|i| values[i % plane * 3 + i / plane]).collect(),
    }
}
