use crate::gpu::on_every_adapter;
use crate::packing::{COLORS, params, specs, violation};
use crate::pictures::*;
use crate::results::{refused, run};
use crate::table::{self, Trial};
use frameloom::core::*;
use frameloom::gpu::GpuContext;
use frameloom::ops::BatchShape;
use frameloom::ops::resize::crop_resize::{CropBox, CropParams, CropResizePlan, INFO, crop_resize};
use frameloom::ops::tensor::PackParams;
use frameloom::reference::resize::crop_resize::crop_resize as reference;

const RULES: [(Outside, TensorLayout); 4] = [
    (Outside::Clamp, TensorLayout::Nchw),
    (Outside::Pad(0.5), TensorLayout::Nhwc),
    (Outside::Clamp, TensorLayout::Nhwc),
    (Outside::Pad(0.5), TensorLayout::Nchw),
];

fn crop_params(i: usize, to: (u32, u32)) -> CropParams {
    let (outside, layout) = RULES[i % 4];
    let mut pack = PackParams { sampling: Sampling::Bilinear, ..params(i, to) };
    if let (Outside::Pad(grey), Fit::Letterbox { anchor, .. }) = (outside, pack.spec.fit) {
        pack.spec.fit = Fit::Letterbox { pad: grey, anchor };
    }
    CropParams { pack, layout, outside }
}

/// Around each picture: all of it, over each edge, larger than it, wholly outside, one pixel.
fn boxes(trial: &Trial) -> Vec<CropBox> {
    let mut all = Vec::new();
    for (slot, (layout, _)) in (0..).zip(&trial.pictures) {
        let [w, h] = [layout.size.width, layout.size.height];
        let [iw, ih] = [w as i32, h as i32];
        let rects = [
            (0, 0, w, h),
            (-3, -2, w, h),
            (iw / 2, ih / 3, w, h),
            (-iw, -ih, 3 * w, 3 * h),
            (iw + 1, 0, 2, 5),
            (0, -9, 4, 8),
            (iw - 1, ih - 1, 1, 1),
            (-1, ih - 2, w + 2, 7),
        ];
        all.extend(rects.map(|(x, y, width, height)| CropBox { slot, rect: BoxRect { x, y, width, height } }));
    }
    // Neighbours in the tensor come from different pictures.
    all.sort_by_key(|b| (b.rect.x.unsigned_abs() % 5, b.slot));
    all
}

fn want(trial: &Trial, boxes: &[CropBox], params: CropParams) -> Vec<f32> {
    let slots: Vec<_> = trial.slots().collect();
    let rects: Vec<_> = boxes.iter().map(|b| (slots[b.slot as usize], b.rect)).collect();
    reference(&rects, params.pack.color, &params.pack.spec, (params.outside, params.layout)).unwrap()
}

fn check(ctx: &GpuContext, trial: &Trial, params: CropParams) {
    let boxes = boxes(trial);
    let plan = CropResizePlan::new(ctx, BatchShape::of(trial.batch.as_ref()).unwrap(), params).unwrap();
    let count = boxes.len() as u32;
    let bound = plan.bind(ctx, trial.batch.as_ref(), count + 1).unwrap();
    let bytes = plan.element_bytes() * u64::from(count);
    let all = (bytes + plan.element_bytes()).next_multiple_of(4);
    bound.tensor().write(ctx, 0, &vec![0xFF; all as usize]).unwrap();
    bound.set_boxes(ctx, &boxes).unwrap();
    for turn in 0..2 {
        run(ctx, |rec| bound.record(rec, count));
        let raw = bound.tensor().read(ctx, all).unwrap();
        let got = bound.decode(&raw[..bytes as usize]);
        if let Some(text) = violation(&INFO, &got, &want(trial, &boxes, params), params.pack, params.layout) {
            panic!("{} {params:?} turn {turn}: {text}", trial.name);
        }
        assert!(raw[bytes as usize..].iter().all(|b| *b == 0xFF), "the box behind the last was written to");
    }
}

#[test]
fn every_format_equals_the_reference() {
    on_every_adapter("resize/crop_resize formats", |ctx| {
        for (i, format) in PixelFormat::ALL.into_iter().enumerate() {
            check(ctx, &table::uniform(ctx, layout(format, (33, 22)), i, 2), crop_params(i, (14, 9)));
            check(ctx, &table::uniform(ctx, layout(format, (33, 22)), i, 1), crop_params(i + 7, (31, 50)));
        }
    });
}

#[test]
fn every_shape_equals_the_reference() {
    on_every_adapter("resize/crop_resize shapes", |ctx| {
        for (i, shape) in SHAPES.into_iter().enumerate() {
            let format = [PixelFormat::Nv12, PixelFormat::I420, PixelFormat::Rgba8][i % 3];
            for (j, to) in [(1, 1), (3, 3), (17, 5)].into_iter().enumerate() {
                check(ctx, &table::uniform(ctx, layout(format, shape), i, [1, 2][i % 2]), crop_params(i + j, to));
            }
        }
    });
}

#[test]
fn pictures_of_all_sizes_at_once_equal_the_reference_in_both_types() {
    on_every_adapter("resize/crop_resize mixed sizes", |ctx| {
        for i in 0..4 {
            let trial = table::mixed(ctx, [PixelFormat::Nv12, PixelFormat::P010][i % 2], &SHAPES, i);
            let mut params = crop_params(i, (20, 13));
            params.pack.half = i > 1;
            check(ctx, &trial, params);
        }
    });
}

#[test]
fn a_crop_is_the_same_as_a_crop_of_the_crop_moved() {
    on_every_adapter("resize/crop_resize invariants", |ctx| {
        // Grey: no chroma that looks beyond the box. A box at 1:1 inside copies the pixels.
        let trial = table::uniform(ctx, layout(PixelFormat::Gray8, (60, 40)), 6, 1);
        let pixels = trial.lumas().next().unwrap().1;
        let params = CropParams {
            pack: PackParams { sampling: Sampling::Bilinear, ..params(0, (8, 6)) },
            layout: TensorLayout::Nchw,
            outside: Outside::Pad(0.0),
        };
        for (x, y) in [(0, 0), (52, 34), (7, 11), (-4, -3), (57, 37)] {
            let rect = BoxRect { x, y, width: 8, height: 6 };
            let got = crop_resize(ctx, trial.batch.as_ref(), params, &[CropBox { slot: 0, rect }]).unwrap();
            for (i, v) in got[..48].iter().enumerate() {
                let (px, py) = (x + i as i32 % 8, y + i as i32 / 8);
                let inside = (0..60).contains(&px) && (0..40).contains(&py);
                let want = if inside { f32::from(pixels[(py * 60 + px) as usize]) / 255.0 } else { 0.0 };
                assert!((v - want).abs() < 1e-5, "{x} {y} {i}: {v} {want}");
            }
        }
        let all = boxes(&trial);
        table::deterministic(|| crop_resize(ctx, trial.batch.as_ref(), crop_params(1, (9, 9)), &all).unwrap());
    });
}

#[test]
fn what_does_not_fit_is_refused() {
    on_every_adapter("resize/crop_resize refuses", |ctx| {
        let input = layout(PixelFormat::Nv12, (8, 6));
        let good = crop_params(0, (4, 4));
        let plan = |p| CropResizePlan::new(ctx, &input, p);
        let area = PackParams { sampling: Sampling::Area, ..good.pack };
        refused(plan(CropParams { pack: area, ..good }), "sampling");
        refused(plan(CropParams { outside: Outside::Pad(1.5), ..good }), "pad");
        refused(plan(CropParams { outside: Outside::Pad(f32::NAN), ..good }), "pad");
        let letterbox = PackParams { spec: specs(4, 4)[1], ..good.pack };
        refused(plan(CropParams { pack: letterbox, outside: Outside::Pad(0.9), ..good }), "pad");
        refused(plan(CropParams { pack: PackParams { spec: specs(0, 4)[0], ..good.pack }, ..good }), "size");
        let two = table::uniform(ctx, input, 0, 2);
        let bound = plan(good).unwrap().bind(ctx, two.batch.as_ref(), 2).unwrap();
        let fine = CropBox { slot: 1, rect: BoxRect { x: -3, y: 9, width: 20, height: 1 } };
        bound.set_boxes(ctx, &[fine; 2]).unwrap();
        refused(bound.set_boxes(ctx, &[fine; 3]), "boxes");
        refused(bound.set_boxes(ctx, &[CropBox { slot: 2, ..fine }]), "slot");
        for rect in [
            BoxRect { width: 0, ..fine.rect },
            BoxRect { height: 32_769, ..fine.rect },
            BoxRect { x: -32_769, ..fine.rect },
            BoxRect { y: i32::MIN, ..fine.rect },
            BoxRect { x: i32::MAX, ..fine.rect },
        ] {
            refused(bound.set_boxes(ctx, &[CropBox { rect, ..fine }]), "crop");
        }
        refused(crop_resize(ctx, two.batch.as_ref(), good, &[]), "capacity");
    });
}

#[test]
fn a_wrong_reference_is_rejected() {
    on_every_adapter("resize/crop_resize negative control", |ctx| {
        let trial = table::uniform(ctx, layout(PixelFormat::I420, (34, 18)), 6, 1);
        let params = CropParams {
            pack: PackParams { color: COLORS[0], spec: specs(12, 12)[0], sampling: Sampling::Bilinear, half: false },
            layout: TensorLayout::Nchw,
            outside: Outside::Pad(0.5),
        };
        let boxes = [CropBox { slot: 0, rect: BoxRect { x: -5, y: 3, width: 20, height: 24 } }];
        let got = crop_resize(ctx, trial.batch.as_ref(), params, &boxes).unwrap();
        let against =
            |boxes: &[CropBox], p: CropParams| violation(&INFO, &got, &want(&trial, boxes, p), p.pack, p.layout);
        assert_eq!(against(&boxes, params), None);
        assert!(against(&boxes, CropParams { outside: Outside::Clamp, ..params }).is_some());
        assert!(against(&boxes, CropParams { outside: Outside::Pad(0.51), ..params }).is_some());
        assert!(against(&boxes, CropParams { layout: TensorLayout::Nhwc, ..params }).is_some());
        let moved = |x, y| [CropBox { slot: 0, rect: BoxRect { x, y, ..boxes[0].rect } }];
        assert!(against(&moved(-4, 3), params).is_some() && against(&moved(-5, 2), params).is_some());
    });
}
