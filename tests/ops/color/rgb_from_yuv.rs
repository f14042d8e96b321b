use crate::gpu::on_every_adapter;
use crate::pictures::*;
use crate::results::*;
use crate::table;
use frameloom::core::{
    ChromaSiting, ChromaUpsampling, ColorRange, ColorSpec, FrameLayout, PixelFormat, Size, YuvMatrix,
};
use frameloom::gpu::GpuContext;
use frameloom::ops::BatchShape;
use frameloom::ops::color::rgb_from_yuv::{RgbFromYuvPlan, RgbParams, rgb_from_yuv};
use frameloom::reference::color::rgb_from_yuv::rgb_from_yuv as reference;
use frameloom::reference::{FrameSlot, Pattern};

const SPECS: [ColorSpec; 3] = [
    ColorSpec::BT709,
    ColorSpec { matrix: YuvMatrix::Bt601, range: ColorRange::Full, siting: ChromaSiting::Center },
    ColorSpec { matrix: YuvMatrix::Bt2020, range: ColorRange::Limited, siting: ChromaSiting::TopLeft },
];

fn yuv_formats() -> impl Iterator<Item = PixelFormat> {
    PixelFormat::ALL.into_iter().filter(|f| f.has_luma())
}

fn want(layout: &FrameLayout, frame: &[u8], params: RgbParams) -> Vec<u8> {
    let slot = FrameSlot::new(*layout, frame).unwrap();
    reference(&slot, params.color, params.upsampling).unwrap().into_iter().flat_map(u32::to_le_bytes).collect()
}

fn check(ctx: &GpuContext, input: &FrameLayout, patterns: &[Pattern], params: RgbParams) {
    let frames = paint(input, patterns);
    let count = frames.len() as u32;
    let plan = RgbFromYuvPlan::new(ctx, input, params).unwrap();
    let src = upload(ctx, input, &frames);
    let dst = poisoned(ctx, plan.output(), count + 2);
    let bound = plan.bind(ctx, &src, 0, &dst, 1).unwrap();
    for turn in 0..2 {
        run(ctx, |rec| bound.record(rec, count));
        for (i, frame) in frames.iter().enumerate() {
            let got = dst.read_slot(ctx, i as u32 + 1).unwrap();
            let what = format!("{} {} {params:?} {:?} turn {turn}", input.format, input.size, patterns[i]);
            same(&tight(plan.output(), 0, &got), &want(input, frame, params), what);
        }
    }
    untouched(ctx, &dst, 0);
    untouched(ctx, &dst, count + 1);
}

fn check_upsampling(ctx: &GpuContext, upsampling: ChromaUpsampling) {
    for (f, format) in yuv_formats().enumerate() {
        for (i, shape) in SHAPES.into_iter().enumerate() {
            let params = RgbParams { color: SPECS[(f + i) % 3], upsampling };
            check(ctx, &layout(format, shape), &batch_patterns(i), params);
        }
    }
}

#[test]
fn nearest_equals_the_reference() {
    on_every_adapter("color/rgb_from_yuv nearest equals the reference", |ctx| {
        check_upsampling(ctx, ChromaUpsampling::Nearest);
    });
}

#[test]
fn bilinear_equals_the_reference() {
    on_every_adapter("color/rgb_from_yuv bilinear equals the reference", |ctx| {
        check_upsampling(ctx, ChromaUpsampling::Bilinear);
    });
}

#[test]
fn sizes_may_differ_within_a_batch() {
    on_every_adapter("color/rgb_from_yuv mixed sizes", |ctx| {
        for (f, format) in yuv_formats().enumerate() {
            let trial = table::mixed(ctx, format, &SHAPES, f);
            let src = trial.batch.as_ref();
            let upsampling = [ChromaUpsampling::Nearest, ChromaUpsampling::Bilinear][f / 2 % 2];
            let params = RgbParams { color: SPECS[f % 3], upsampling };
            let plan = RgbFromYuvPlan::new(ctx, BatchShape::of(src).unwrap(), params).unwrap();
            let got = table::mapped(ctx, &trial, PixelFormat::Rgba8, |dst| plan.bind(ctx, src, 0, dst, 0));
            for ((layout, frame), got) in trial.pictures.iter().zip(got) {
                same(&got, &want(layout, frame, params), format!("{format} {} {params:?}", layout.size));
            }
        }
    });
}

#[test]
fn full_hd_equals_the_reference() {
    on_every_adapter("color/rgb_from_yuv full HD", |ctx| {
        let params = RgbParams { color: ColorSpec::BT709, upsampling: ChromaUpsampling::Bilinear };
        check(ctx, &layout(PixelFormat::Nv12, (1920, 1080)), &[Pattern::Natural { seed: 2, shift: 0 }], params);
    });
}

#[test]
fn every_code_of_luma_and_chroma_equals_the_reference() {
    on_every_adapter("color/rgb_from_yuv codes", |ctx| {
        // 1024x96 in 4:4:4 with 10 bits: all lumas against a ramp of U and mixed V, in every matrix and range.
        let input = layout(PixelFormat::I410, (1024, 96));
        for matrix in [YuvMatrix::Bt601, YuvMatrix::Bt709, YuvMatrix::Bt2020] {
            for range in [ColorRange::Limited, ColorRange::Full] {
                let color = ColorSpec { matrix, range, siting: ChromaSiting::Left };
                check(ctx, &input, &[Pattern::Ramp], RgbParams { color, upsampling: ChromaUpsampling::Nearest });
            }
        }
    });
}

#[test]
fn what_does_not_fit_is_refused() {
    on_every_adapter("color/rgb_from_yuv refuses", |ctx| {
        let params = RgbParams { color: ColorSpec::BT709, upsampling: ChromaUpsampling::Nearest };
        refused(RgbFromYuvPlan::new(ctx, &layout(PixelFormat::Rgba8, (4, 4)), params), "input");
        // The RGB frame would be above 2 GiB.
        let huge = FrameLayout::of(PixelFormat::Gray8, Size::new(32_768, 32_768)).unwrap();
        refused(RgbFromYuvPlan::new(ctx, &huge, params), "input");
        let input = layout(PixelFormat::Nv12, (4, 4));
        let plan = RgbFromYuvPlan::new(ctx, &input, params).unwrap();
        let dst = poisoned(ctx, plan.output(), 1);
        refused(plan.bind(ctx, &poisoned(ctx, &layout(PixelFormat::I420, (4, 4)), 1), 0, &dst, 0), "input");
        let other = poisoned(ctx, &layout(PixelFormat::Rgba8, (6, 4)), 1);
        refused(plan.bind(ctx, &poisoned(ctx, &input, 1), 0, &other, 0), "output");
    });
}

#[test]
fn every_setting_changes_something_and_a_wrong_reference_is_rejected() {
    on_every_adapter("color/rgb_from_yuv negative control", |ctx| {
        let input = layout(PixelFormat::I420, (34, 18));
        let frame = Pattern::Random { seed: 9 }.frame(&input);
        let params = RgbParams { color: ColorSpec::BT709, upsampling: ChromaUpsampling::Bilinear };
        let dst = rgb_from_yuv(ctx, &upload(ctx, &input, std::slice::from_ref(&frame)), params).unwrap();
        let got = tight(dst.layout(), 0, &dst.read_slot(ctx, 0).unwrap());
        same(&got, &want(&input, &frame, params), "as it is");
        let color = params.color;
        for wrong in [
            RgbParams { color: ColorSpec { matrix: YuvMatrix::Bt601, ..color }, ..params },
            RgbParams { color: ColorSpec { range: ColorRange::Full, ..color }, ..params },
            RgbParams { color: ColorSpec { siting: ChromaSiting::TopLeft, ..color }, ..params },
            RgbParams { color: ColorSpec { siting: ChromaSiting::Center, ..color }, ..params },
            RgbParams { upsampling: ChromaUpsampling::Nearest, ..params },
        ] {
            assert!(differ(&got, &want(&input, &frame, wrong)).is_some(), "{wrong:?}");
        }
    });
}
