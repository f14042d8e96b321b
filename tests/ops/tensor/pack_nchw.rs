use crate::gpu::on_every_adapter;
use crate::packing::*;
use crate::pictures::*;
use crate::results::{refused, run};
use crate::table::{self, Trial};
use frameloom::core::*;
use frameloom::gpu::GpuContext;
use frameloom::ops::BatchShape;
use frameloom::ops::tensor::pack_nchw::{INFO, PackNchwPlan, pack_nchw};
use frameloom::ops::tensor::{PackParams, TensorBox};
use frameloom::reference::Pattern;
use frameloom::reference::tensor::pack_nchw::pack_nchw as reference;

const LAYOUT: TensorLayout = TensorLayout::Nchw;

fn want(trial: &Trial, boxes: &[TensorBox], params: PackParams) -> Vec<f32> {
    let slots: Vec<_> = trial.slots().collect();
    let crops: Vec<_> = boxes.iter().map(|b| (slots[b.slot as usize], b.crop)).collect();
    reference(&crops, params.color, &params.spec, params.sampling).unwrap()
}

fn check(ctx: &GpuContext, trial: &Trial, params: PackParams) {
    let boxes = boxes(trial);
    let plan = PackNchwPlan::new(ctx, BatchShape::of(trial.batch.as_ref()).unwrap(), params).unwrap();
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
        if let Some(text) = violation(&INFO, &got, &want(trial, &boxes, params), params, LAYOUT) {
            panic!("{} {params:?} turn {turn}: {text}", trial.name);
        }
        assert!(raw[bytes as usize..].iter().all(|b| *b == 0xFF), "the box behind the last was written to");
        assert!(before.replace(raw.clone()).is_none_or(|b| b == raw), "another result in another run");
    }
}

#[test]
fn every_format_equals_the_reference() {
    on_every_adapter("tensor/pack_nchw formats", |ctx| {
        for (i, format) in PixelFormat::ALL.into_iter().enumerate() {
            for j in 0..4 {
                check(ctx, &table::uniform(ctx, layout(format, (33, 22)), i, 2), params(i * 5 + j, (14, 9)));
            }
        }
    });
}

#[test]
fn every_shape_equals_the_reference() {
    on_every_adapter("tensor/pack_nchw shapes", |ctx| {
        for (i, shape) in SHAPES.into_iter().enumerate() {
            for (j, to) in [(1, 1), (3, 3), (4, 3), (17, 5), (64, 32)].into_iter().enumerate() {
                let format = [PixelFormat::Nv12, PixelFormat::I420, PixelFormat::P010, PixelFormat::I422][(i + j) % 4];
                let mut params = params(i * 3 + j, to);
                if shape == (176, 113) && to == (1, 1) {
                    // Too large an area for one pixel.
                    params.sampling = Sampling::Bilinear;
                }
                check(ctx, &table::uniform(ctx, layout(format, shape), i + j, [1, 2, 5][i % 3]), params);
            }
        }
    });
}

#[test]
fn pictures_of_all_sizes_at_once_equal_the_reference() {
    on_every_adapter("tensor/pack_nchw mixed sizes", |ctx| {
        for (i, format) in [PixelFormat::Nv12, PixelFormat::Rgba8, PixelFormat::I010].into_iter().enumerate() {
            let trial = table::mixed(ctx, format, &SHAPES, i);
            check(ctx, &trial, params(2 * i, (19, 13)));
            check(ctx, &trial, params(2 * i + 1, (19, 13)));
        }
    });
}

#[test]
fn half_floats_equal_the_reference() {
    on_every_adapter("tensor/pack_nchw f16", |ctx| {
        for (i, to) in [(2, 1), (4, 3), (6, 5), (32, 18)].into_iter().enumerate() {
            let trial = table::uniform(ctx, layout(PixelFormat::Nv12, (55, 34)), i, 2);
            check(ctx, &trial, PackParams { half: true, ..params(i, to) });
        }
        // Values from infinity down to the subnormal ones.
        for mul in [1e6, 60_000.0, 1e-4, 1e-6, 1e-8] {
            let spec = TensorSpec { mul: [mul, -mul, mul], ..specs(10, 6)[0] };
            let params = PackParams { half: true, spec, ..params(0, (10, 6)) };
            let trial = table::uniform(ctx, layout(PixelFormat::Rgba8, (20, 12)), 0, 1);
            let boxes = boxes(&trial);
            let got = pack_nchw(ctx, trial.batch.as_ref(), params, &boxes).unwrap();
            for (g, w) in got.iter().zip(want(&trial, &boxes, params)) {
                // As far from f64 as f32 is, then to the nearest.
                let near = [w - mul * 1e-5, w, w + mul * 1e-5].map(|v| half::f16::from_f32(v).to_f32());
                assert!(near.contains(g) || (near[0] <= *g && *g <= near[2]), "{g} for {w}");
            }
        }
    });
}

#[test]
fn full_hd_equals_the_reference() {
    on_every_adapter("tensor/pack_nchw full HD", |ctx| {
        let trial = table::uniform(ctx, layout(PixelFormat::Nv12, FULL_HD), 6, 1);
        for sampling in [Sampling::Bilinear, Sampling::Area] {
            check(ctx, &trial, PackParams { color: COLORS[0], spec: specs(112, 112)[1], sampling, half: false });
        }
    });
}

#[test]
fn the_largest_places_are_exact() {
    on_every_adapter("tensor/pack_nchw long sides", |ctx| {
        // Products up to 2^31; a place off by one sample in 32768 would show in noise.
        for (size, to) in [((32_768, 2), (32_768, 1)), ((32_768, 1), (32_767, 2)), ((2, 32_768), (1, 4095))] {
            for sampling in [Sampling::Bilinear, Sampling::Area] {
                let params = PackParams { color: COLORS[1], sampling, ..params(0, to) };
                check(ctx, &table::uniform(ctx, layout(PixelFormat::I420, size), 0, 1), params);
            }
        }
    });
}

#[test]
fn what_does_not_fit_is_refused() {
    on_every_adapter("tensor/pack_nchw refuses", |ctx| {
        let params = |width, height| params(0, (width, height));
        let input = layout(PixelFormat::Nv12, (8, 6));
        refused(PackNchwPlan::new(ctx, &input, params(0, 4)), "size");
        refused(PackNchwPlan::new(ctx, &input, params(40_000, 4)), "size");
        refused(PackNchwPlan::new(ctx, &input, PackParams { half: true, ..params(5, 4) }), "size");
        refused(PackNchwPlan::new(ctx, &layout(PixelFormat::Nv12, (33_000, 2)), params(4, 4)), "input");
        let mut odd = params(4, 4);
        odd.spec.mul[1] = f32::INFINITY;
        refused(PackNchwPlan::new(ctx, &input, odd), "mul, add");
        odd = params(4, 4);
        odd.spec.fit = Fit::Letterbox { pad: f32::NAN, anchor: Anchor::Center };
        refused(PackNchwPlan::new(ctx, &input, odd), "pad");

        let plan = PackNchwPlan::new(ctx, &input, params(4, 4)).unwrap();
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
        refused(pack_nchw(ctx, src, params(4, 4), &[]), "capacity");
        // One pixel of all of 1080p in area: more than a loop may take.
        let large = table::uniform(ctx, layout(PixelFormat::Gray8, FULL_HD), 0, 1);
        let all = TensorBox { slot: 0, crop: Rect::full(Size::new(1920, 1080)) };
        let area = PackParams { sampling: Sampling::Area, ..params(1, 1) };
        refused(pack_nchw(ctx, large.batch.as_ref(), area, &[all]), "crop");
    });
}

#[test]
fn every_setting_changes_something_and_a_wrong_reference_is_rejected() {
    on_every_adapter("tensor/pack_nchw negative control", |ctx| {
        let input = layout(PixelFormat::I420, (34, 18));
        let mut trial = table::uniform(ctx, input, 0, 1);
        trial.pictures[0].1 = Pattern::Random { seed: 9 }.frame(&input);
        trial.batch = Box::new(upload(ctx, &input, &[trial.pictures[0].1.clone()]));
        let crop = Rect { x: 3, y: 2, width: 20, height: 12 };
        let boxes = [TensorBox { slot: 0, crop }];
        for (i, sampling) in [Sampling::Bilinear, Sampling::Area].into_iter().enumerate() {
            let params = PackParams { color: ColorSpec::BT709, spec: specs(12, 12)[1], sampling, half: false };
            let got = pack_nchw(ctx, trial.batch.as_ref(), params, &boxes).unwrap();
            table::deterministic(|| pack_nchw(ctx, trial.batch.as_ref(), params, &boxes).unwrap());
            let against =
                |boxes: &[TensorBox], params| violation(&INFO, &got, &want(&trial, boxes, params), params, LAYOUT);
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
            let mut close = want(&trial, &boxes, params);
            close[240] += 4e-5 * spec.mul.iter().fold(0.0, |a, b| b.max(a));
            assert!(violation(&INFO, &got, &close, params, LAYOUT).is_some(), "the bound is too wide");
            // Another order of numbers is another result.
            let other = match LAYOUT {
                TensorLayout::Nchw => TensorLayout::Nhwc,
                TensorLayout::Nhwc => TensorLayout::Nchw,
            };
            let reordered = reordered(&got, spec.size, other);
            assert!(violation(&INFO, &reordered, &want(&trial, &boxes, params), params, LAYOUT).is_some());
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
