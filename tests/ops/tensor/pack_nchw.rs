use crate::gpu::on_every_adapter;
use crate::pictures::*;
use crate::results::*;
use frameloom::core::{
    Anchor, ChannelOrder, ChromaSiting, ColorRange, ColorSpec, Exactness, Fit, FrameLayout, PixelFormat, Rect, Size,
    TensorSpec, YuvMatrix,
};
use frameloom::gpu::GpuContext;
use frameloom::ops::tensor::pack_nchw::{INFO, PackNchwPlan, PackParams, TensorBox, pack_nchw};
use frameloom::reference::tensor::pack_nchw::pack_nchw as reference;
use frameloom::reference::{FrameSlot, Pattern};

const COLORS: [ColorSpec; 3] = [
    ColorSpec::BT709,
    ColorSpec { matrix: YuvMatrix::Bt601, range: ColorRange::Full, siting: ChromaSiting::Center },
    ColorSpec { matrix: YuvMatrix::Bt2020, range: ColorRange::Limited, siting: ChromaSiting::TopLeft },
];

/// Stretched RGB in 0..=1, a letterbox with the normalisation of ImageNet in BGR, one in the corner with large factors.
fn specs(size: Size) -> [TensorSpec; 3] {
    let unit = TensorSpec::unit(size);
    let imagenet = unit.with_mean_std([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]);
    let boxed = |anchor, pad| Fit::Letterbox { pad, anchor };
    [
        unit,
        TensorSpec { fit: boxed(Anchor::Center, 114.0 / 255.0), order: ChannelOrder::Bgr, ..imagenet },
        TensorSpec { fit: boxed(Anchor::TopLeft, 0.0), mul: [255.0, -2.0, 0.0], add: [0.5, 100.0, 7.0], ..unit },
    ]
}

/// The whole frame, its corners, one pixel, a thin strip; more of them than frames.
fn boxes(size: Size, slots: u32) -> Vec<TensorBox> {
    let Size { width: w, height: h } = size;
    let rect = |x, y, width, height| Rect { x, y, width, height };
    let crops = [
        Rect::full(size),
        rect(w / 2, h / 2, w - w / 2, h - h / 2),
        rect(w - 1, h - 1, 1, 1),
        rect(0, h / 3, w, 1),
        rect(w / 3, 0, w - w / 3, h.div_ceil(2)),
    ];
    (0..).zip(crops).map(|(i, crop)| TensorBox { slot: (i * 2 + 1) % slots, crop }).collect()
}

fn want(layout: &FrameLayout, frames: &[Vec<u8>], boxes: &[TensorBox], params: PackParams) -> Vec<f32> {
    let crops: Vec<_> =
        boxes.iter().map(|b| (FrameSlot::new(*layout, &frames[b.slot as usize]).unwrap(), b.crop)).collect();
    reference(&crops, params.color, &params.spec).unwrap()
}

/// The promise of the registry: absolute in units of rgb, times the factor of the channel, and half a unit in the last place of each of the
/// two roundings of factor and summand. f16 adds its own rounding, to nearest or towards zero.
fn violation(got: &[f32], want: &[f32], params: PackParams) -> Option<String> {
    let Exactness::Abs(bound) = INFO.exactness else { panic!("{:?}", INFO.exactness) };
    let plane = params.spec.size.area() as usize;
    if got.len() != want.len() {
        return Some(format!("{} values for {}", got.len(), want.len()));
    }
    got.iter().zip(want).enumerate().find_map(|(i, (g, w))| {
        let c = i / plane % 3;
        let (mul, add) = (f64::from(params.spec.mul[c].abs()), f64::from(params.spec.add[c].abs()));
        let half = if params.half { f64::from(w.abs()) / 1024.0 + 6e-8 } else { 0.0 };
        let allowed = bound * mul + (mul + add) * f64::from(f32::EPSILON) + half;
        let distance = (f64::from(*g) - f64::from(*w)).abs();
        (distance.is_nan() || distance > allowed).then(|| format!("value {i}: {g} for {w}, allowed {allowed:e}"))
    })
}

fn check(ctx: &GpuContext, layout: &FrameLayout, slots: usize, params: PackParams) {
    let patterns: Vec<_> = (0..slots).map(|i| Pattern::COMMON[[0, 6, 3, 4, 5][i % 5]]).collect();
    let frames = paint(layout, &patterns);
    let boxes = boxes(layout.size, slots as u32);
    let plan = PackNchwPlan::new(ctx, layout, params).unwrap();
    let count = boxes.len() as u32;
    let bound = plan.bind(ctx, &upload(ctx, layout, &frames), count + 1).unwrap();
    let bytes = plan.element_bytes() * u64::from(count);
    let all = (bytes + plan.element_bytes()).next_multiple_of(4);
    bound.tensor().write(ctx, 0, &vec![0xFF; all as usize]).unwrap();
    bound.set_boxes(ctx, &boxes).unwrap();
    let mut before = None;
    for turn in 0..2 {
        run(ctx, |rec| bound.record(rec, count));
        let raw = bound.tensor().read(ctx, all).unwrap();
        let got = bound.decode(&raw[..bytes as usize]);
        if let Some(text) = violation(&got, &want(layout, &frames, &boxes, params), params) {
            panic!("{} {} {params:?} turn {turn}: {text}", layout.format, layout.size);
        }
        assert!(raw[bytes as usize..].iter().all(|b| *b == 0xFF), "the box behind the last was written to");
        assert!(before.replace(raw.clone()).is_none_or(|b| b == raw), "another result in another run");
    }
}

#[test]
fn every_format_equals_the_reference() {
    on_every_adapter("tensor/pack_nchw formats", |ctx| {
        for (i, format) in PixelFormat::ALL.into_iter().enumerate() {
            for (j, color) in COLORS.into_iter().enumerate() {
                let spec = specs(Size::new(24, 17))[(i + j) % 3];
                check(ctx, &layout(format, (33, 22)), 2, PackParams { color, spec, half: false });
            }
        }
    });
}

#[test]
fn every_shape_equals_the_reference() {
    on_every_adapter("tensor/pack_nchw shapes", |ctx| {
        for (i, (w, h)) in SHAPES.into_iter().enumerate() {
            for (j, to) in [(1, 1), (3, 3), (4, 3), (17, 5), (64, 32)].into_iter().enumerate() {
                let format = [PixelFormat::Nv12, PixelFormat::I420, PixelFormat::P010, PixelFormat::I422][(i + j) % 4];
                let spec = specs(Size::new(to.0, to.1))[i % 3];
                let params = PackParams { color: COLORS[j % 3], spec, half: false };
                check(ctx, &layout(format, (w, h)), [1, 2, 5][i % 3], params);
            }
        }
    });
}

#[test]
fn half_floats_equal_the_reference() {
    on_every_adapter("tensor/pack_nchw f16", |ctx| {
        for (i, to) in [(2, 1), (4, 3), (6, 5), (32, 18)].into_iter().enumerate() {
            let spec = specs(Size::new(to.0, to.1))[i % 2];
            let params = PackParams { color: ColorSpec::BT709, spec, half: true };
            check(ctx, &layout(PixelFormat::Nv12, (55, 34)), 2, params);
        }
    });
}

#[test]
fn full_hd_equals_the_reference() {
    on_every_adapter("tensor/pack_nchw full HD", |ctx| {
        let spec = specs(Size::new(224, 224))[1];
        check(ctx, &layout(PixelFormat::Nv12, (1920, 1080)), 1, PackParams { color: COLORS[0], spec, half: false });
    });
}

#[test]
fn the_largest_places_are_exact() {
    on_every_adapter("tensor/pack_nchw long sides", |ctx| {
        // Products up to 2^31; a place off by one sample in 32768 would show in noise.
        for (size, to) in [((32_768, 2), (32_768, 1)), ((32_768, 1), (32_767, 2)), ((2, 32_768), (1, 4095))] {
            let spec = TensorSpec::unit(Size::new(to.0, to.1));
            let params = PackParams { color: COLORS[1], spec, half: false };
            check(ctx, &layout(PixelFormat::I420, (size.0, size.1)), 1, params);
        }
    });
}

#[test]
fn what_does_not_fit_is_refused() {
    on_every_adapter("tensor/pack_nchw refuses", |ctx| {
        let params = |width, height| PackParams {
            color: ColorSpec::BT709,
            spec: TensorSpec::unit(Size::new(width, height)),
            half: false,
        };
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
        let src = poisoned(ctx, &input, 2);
        refused(plan.bind(ctx, &poisoned(ctx, &layout(PixelFormat::I420, (8, 6)), 1), 1), "input");
        refused(plan.bind(ctx, &src, 0), "capacity");
        refused(plan.bind(ctx, &src, u32::MAX), "capacity");
        let bound = plan.bind(ctx, &src, 2).unwrap();
        let full = TensorBox { slot: 0, crop: Rect::full(input.size) };
        refused(bound.set_boxes(ctx, &[full; 3]), "boxes");
        refused(bound.set_boxes(ctx, &[TensorBox { slot: 2, ..full }]), "slot");
        refused(bound.set_boxes(ctx, &[TensorBox { crop: Rect { x: 1, ..full.crop }, ..full }]), "crop");
        refused(bound.set_boxes(ctx, &[TensorBox { crop: Rect { width: 0, ..full.crop }, ..full }]), "crop");
        refused(pack_nchw(ctx, &src, params(4, 4), &[]), "capacity");
    });
}

#[test]
fn every_setting_changes_something_and_a_wrong_reference_is_rejected() {
    on_every_adapter("tensor/pack_nchw negative control", |ctx| {
        let input = layout(PixelFormat::I420, (34, 18));
        let frames = paint(&input, &[Pattern::Random { seed: 9 }]);
        let crop = Rect { x: 3, y: 2, width: 20, height: 12 };
        let boxes = [TensorBox { slot: 0, crop }];
        let params = PackParams { color: ColorSpec::BT709, spec: specs(Size::new(12, 12))[1], half: false };
        let got = pack_nchw(ctx, &upload(ctx, &input, &frames), params, &boxes).unwrap();
        let against =
            |boxes: &[TensorBox], params: PackParams| violation(&got, &want(&input, &frames, boxes, params), params);
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
        ] {
            assert!(against(&boxes, wrong).is_some(), "{wrong:?}");
        }
        let beside = TensorBox { crop: Rect { x: 4, ..crop }, ..boxes[0] };
        assert!(against(&[beside], params).is_some());
        let mut close = want(&input, &frames, &boxes, params);
        close[40] += 4e-5 * spec.mul[0];
        assert!(violation(&got, &close, params).is_some(), "the bound is too wide");
    });
}
