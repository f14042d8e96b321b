use crate::gpu::on_every_adapter;
use crate::packing::{COLORS, params, specs, violation};
use crate::pictures::*;
use crate::results::{refused, run};
use crate::table::{self, Trial};
use frameloom::core::*;
use frameloom::gpu::GpuContext;
use frameloom::ops::BatchShape;
use frameloom::ops::resize::crop_resize::{CropBox, CropParams, crop_resize};
use frameloom::ops::resize::warp_affine::{INFO, Warp, WarpAffinePlan, warp_affine};
use frameloom::ops::tensor::PackParams;
use frameloom::reference::resize::warp_affine::warp_affine as reference;

const RULES: [(Outside, TensorLayout); 4] = [
    (Outside::Clamp, TensorLayout::Nchw),
    (Outside::Pad(0.5), TensorLayout::Nhwc),
    (Outside::Clamp, TensorLayout::Nhwc),
    (Outside::Pad(0.5), TensorLayout::Nchw),
];

fn warp_params(i: usize, to: (u32, u32)) -> CropParams {
    let (outside, layout) = RULES[i % 4];
    let mut pack = PackParams { sampling: Sampling::Bilinear, ..params(i, to) };
    pack.spec.fit = Fit::Stretch;
    CropParams { pack, layout, outside }
}

/// Onto each picture: turned about its middle, mirrored, sheared, shrunk so that much lies outside, all of it far outside, one place.
fn warps(trial: &Trial, to: Size) -> Vec<Warp> {
    let mut all = Vec::new();
    for (slot, (layout, _)) in (0..).zip(&trial.pictures) {
        let [w, h] = [layout.size.width, layout.size.height].map(|v| v as f32);
        let (kx, ky) = (w / to.width as f32, h / to.height as f32);
        let (s, c) = 0.7f32.sin_cos();
        let maps = [
            [[kx * c, -ky * s, w * 0.4], [kx * s, ky * c, -h * 0.2]],
            [[-kx, 0.0, w], [0.0, ky, 0.0]],
            [[kx, 0.37 * ky, -1.3], [0.11 * kx, 0.5 * ky, 2.7]],
            [[3.0 * kx, -0.4, -w], [0.9, 2.5 * ky, -h]],
            [[1.0, 0.3, w + 900.0], [0.2, 1.0, -7000.5]],
            [[0.0, 0.0, w / 3.0], [0.0, 0.0, h / 2.0]],
        ];
        all.extend(maps.map(|m| Warp { slot, to_picture: Affine(m) }));
    }
    // Neighbours in the tensor come from different pictures.
    all.sort_by_key(|b| (b.to_picture.0[0][2].abs() as u32 % 5, b.slot));
    all
}

fn want(trial: &Trial, warps: &[Warp], params: CropParams) -> Vec<f32> {
    let slots: Vec<_> = trial.slots().collect();
    let maps: Vec<_> = warps.iter().map(|w| (slots[w.slot as usize], w.to_picture)).collect();
    reference(&maps, params.pack.color, &params.pack.spec, (params.outside, params.layout)).unwrap()
}

fn check(ctx: &GpuContext, trial: &Trial, params: CropParams) {
    let warps = warps(trial, params.pack.spec.size);
    let plan = WarpAffinePlan::new(ctx, BatchShape::of(trial.batch.as_ref()).unwrap(), params).unwrap();
    let count = warps.len() as u32;
    let bound = plan.bind(ctx, trial.batch.as_ref(), count + 1).unwrap();
    let bytes = plan.element_bytes() * u64::from(count);
    let all = (bytes + plan.element_bytes()).next_multiple_of(4);
    bound.tensor().write(ctx, 0, &vec![0xFF; all as usize]).unwrap();
    bound.set_warps(ctx, &warps).unwrap();
    let mut before = None;
    for turn in 0..2 {
        run(ctx, |rec| bound.record(rec, count));
        let raw = bound.tensor().read(ctx, all).unwrap();
        let got = bound.decode(&raw[..bytes as usize]);
        if let Some(text) = violation(&INFO, &got, &want(trial, &warps, params), params.pack, params.layout) {
            panic!("{} {params:?} turn {turn}: {text}", trial.name);
        }
        assert!(raw[bytes as usize..].iter().all(|b| *b == 0xFF), "the element behind the last was written to");
        assert!(before.replace(raw.clone()).is_none_or(|b| b == raw), "another result in another run");
    }
}

#[test]
fn every_format_equals_the_reference() {
    on_every_adapter("resize/warp_affine formats", |ctx| {
        for (i, format) in PixelFormat::ALL.into_iter().enumerate() {
            check(ctx, &table::uniform(ctx, layout(format, (33, 22)), i, 2), warp_params(i, (14, 9)));
            check(ctx, &table::uniform(ctx, layout(format, (33, 22)), i, 5), warp_params(i + 7, (31, 50)));
        }
    });
}

#[test]
fn every_shape_equals_the_reference() {
    on_every_adapter("resize/warp_affine shapes", |ctx| {
        for (i, shape) in SHAPES.into_iter().enumerate() {
            let format = [PixelFormat::Nv12, PixelFormat::I420, PixelFormat::Rgba8][i % 3];
            for (j, to) in [(1, 1), (3, 3), (17, 5)].into_iter().enumerate() {
                check(ctx, &table::uniform(ctx, layout(format, shape), i, [1, 2][i % 2]), warp_params(i + 4 * j, to));
            }
        }
        check(ctx, &table::uniform(ctx, layout(PixelFormat::Nv12, FULL_HD), 6, 1), warp_params(3, (112, 112)));
    });
}

#[test]
fn pictures_of_all_sizes_at_once_equal_the_reference_in_both_types() {
    on_every_adapter("resize/warp_affine mixed sizes", |ctx| {
        for i in 0..4 {
            let trial = table::mixed(ctx, [PixelFormat::Nv12, PixelFormat::P010][i % 2], &SHAPES, i);
            let mut params = warp_params(3 * i, (20, 13));
            params.pack.half = i > 1;
            check(ctx, &trial, params);
        }
    });
}

/// Places up to 32,768 pixels away, with terms of nearly 2^31 steps.
#[test]
fn the_farthest_places_are_exact() {
    on_every_adapter("resize/warp_affine far places", |ctx| {
        let trial = table::uniform(ctx, layout(PixelFormat::Gray8, (32_768, 1)), 0, 1);
        let mut params = warp_params(0, (512, 64));
        params.pack.spec = specs(512, 64)[0];
        let steep = Warp { slot: 0, to_picture: Affine([[63.99, -500.0, 50.0], [0.0, 0.0, 0.5]]) };
        let far = Affine([[125.0, 0.25, -32_500.0], [0.0, 0.0, 0.5]]);
        for warp in [steep, Warp { slot: 0, to_picture: far }] {
            let got = warp_affine(ctx, trial.batch.as_ref(), params, &[warp]).unwrap();
            assert_eq!(violation(&INFO, &got, &want(&trial, &[warp], params), params.pack, params.layout), None);
        }
    });
}

/// Without a turn it is a crop.
#[test]
fn an_upright_map_is_a_crop() {
    on_every_adapter("resize/warp_affine and crop_resize", |ctx| {
        let trial = table::uniform(ctx, layout(PixelFormat::Nv12, (64, 40)), 6, 1);
        for i in 0..8 {
            let params = warp_params(i, (16, 8));
            let rect = BoxRect { x: 7, y: 5, width: 32, height: 16 };
            let map = Affine([[2.0, 0.0, 7.0], [0.0, 2.0, 5.0]]);
            let cut = crop_resize(ctx, trial.batch.as_ref(), params, &[CropBox { slot: 0, rect }]).unwrap();
            let warp = Warp { slot: 0, to_picture: map };
            let warped = warp_affine(ctx, trial.batch.as_ref(), params, &[warp]).unwrap();
            assert_eq!(violation(&INFO, &warped, &cut, params.pack, params.layout), None);
        }
    });
}

#[test]
fn what_does_not_fit_is_refused() {
    on_every_adapter("resize/warp_affine refuses", |ctx| {
        let input = layout(PixelFormat::Nv12, (8, 6));
        let good = warp_params(0, (4, 4));
        let plan = |p| WarpAffinePlan::new(ctx, &input, p);
        let area = PackParams { sampling: Sampling::Area, ..good.pack };
        refused(plan(CropParams { pack: area, ..good }), "sampling");
        let letterbox = PackParams { spec: specs(4, 4)[1], ..good.pack };
        refused(plan(CropParams { pack: letterbox, ..good }), "fit");
        refused(plan(CropParams { outside: Outside::Pad(1.5), ..good }), "pad");
        let two = table::uniform(ctx, input, 0, 2);
        let bound = plan(good).unwrap().bind(ctx, two.batch.as_ref(), 2).unwrap();
        let fine = Warp { slot: 1, to_picture: Affine([[1.0, 0.5, 0.0], [-0.5, 1.0, 0.0]]) };
        bound.set_warps(ctx, &[fine; 2]).unwrap();
        refused(bound.set_warps(ctx, &[fine; 3]), "boxes");
        refused(bound.set_warps(ctx, &[Warp { slot: 2, ..fine }]), "slot");
        for m in [f32::NAN, f32::INFINITY, 33_000.0] {
            let map = Affine([[1.0, 0.5, m], [-0.5, 1.0, 0.0]]);
            refused(bound.set_warps(ctx, &[Warp { to_picture: map, ..fine }]), "to_picture");
        }
        refused(warp_affine(ctx, two.batch.as_ref(), good, &[]), "capacity");
    });
}

#[test]
fn a_wrong_reference_is_rejected() {
    on_every_adapter("resize/warp_affine negative control", |ctx| {
        let trial = table::uniform(ctx, layout(PixelFormat::I420, (34, 18)), 6, 1);
        let params = CropParams {
            pack: PackParams { color: COLORS[0], spec: specs(12, 12)[0], sampling: Sampling::Bilinear, half: false },
            layout: TensorLayout::Nchw,
            outside: Outside::Pad(0.5),
        };
        let map = [[1.5, -0.7, 1.0], [0.7, 1.5, -2.0]];
        let warp = |map| [Warp { slot: 0, to_picture: Affine(map) }];
        let got = warp_affine(ctx, trial.batch.as_ref(), params, &warp(map)).unwrap();
        let against = |map, p: CropParams| violation(&INFO, &got, &want(&trial, &warp(map), p), p.pack, p.layout);
        assert_eq!(against(map, params), None);
        assert!(against(map, CropParams { outside: Outside::Clamp, ..params }).is_some());
        assert!(against(map, CropParams { layout: TensorLayout::Nhwc, ..params }).is_some());
        assert!(against([[1.5, 0.7, 1.0], [0.7, 1.5, -2.0]], params).is_some());
        assert!(against([[1.5, -0.7, 1.25], [0.7, 1.5, -2.0]], params).is_some());
        assert!(against([[1.5, -0.7, 1.0], [0.7, 1.5, -2.25]], params).is_some());
    });
}
