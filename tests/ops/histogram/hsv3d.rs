use crate::colors;
use crate::gpu::on_every_adapter;
use crate::pictures::*;
use crate::results::refused;
use crate::table::{self, Trial};
use frameloom::core::*;
use frameloom::gpu::{AdapterClass, GpuContext};
use frameloom::ops::BatchShape;
use frameloom::ops::color::rgb_from_yuv::RgbParams;
use frameloom::ops::histogram::hsv3d::*;
use frameloom::reference::{Colors, Pattern, histogram::hsv3d::hsv3d as reference};

const BOTH: [AdapterClass; 2] = [AdapterClass::Cpu, AdapterClass::Gpu];

fn bins(hue: u32, saturation: u32, value: u32) -> HsvBins {
    HsvBins { hue, saturation, value }
}

fn want(colors: &Colors, bins: HsvBins) -> Vec<u32> {
    reference(colors, [bins.hue, bins.saturation, bins.value]).unwrap()
}

fn counts(ctx: &GpuContext, trial: &Trial, bins: HsvBins, rgb: RgbParams, class: AdapterClass) -> Vec<Vec<u32>> {
    let shape = BatchShape::of(trial.batch.as_ref()).unwrap();
    let plan = HsvHistogramPlan::for_class(ctx, shape, bins, rgb, class).unwrap();
    let bound = plan.bind(ctx, trial.batch.as_ref(), 0).unwrap();
    poison(ctx, bound.results());
    bound.run(ctx).unwrap()
}

/// Both variants for batches of five and more and for large pictures, else one of them in turn.
fn classes(trial: &Trial) -> &'static [AdapterClass] {
    let size = trial.pictures[0].0.size;
    match trial.pictures.len() >= 5 || size.area() > 100_000 {
        true => &BOTH,
        false => &BOTH[(size.width + size.height) as usize % 2..][..1],
    }
}

#[test]
fn equals_the_reference() {
    on_every_adapter("histogram/hsv3d equals the reference", |ctx| {
        colors::each(ctx, |trial, rgb, colors| {
            let b = HsvBins::default();
            let wanted: Vec<_> = colors.iter().map(|c| want(c, b)).collect();
            for class in classes(trial) {
                assert_eq!(counts(ctx, trial, b, rgb, *class), wanted, "{} {class:?}", trial.name);
            }
        });
    });
}

#[test]
fn any_number_of_bins_adds_up_to_the_pixels() {
    on_every_adapter("histogram/hsv3d bins", |ctx| {
        let trial = table::mixed(ctx, PixelFormat::Rgba8, &[(123, 66), (16, 8), (3, 3)], 0);
        let (rgb, colors) = (colors::rgb_params(PixelFormat::Rgba8), colors::colors(&trial));
        for b in [(1, 1, 1), (8, 8, 8), (180, 1, 2), (1, 256, 2), (2, 1, 256), (7, 5, 11), (16, 16, 16), (180, 22, 1)] {
            let b = bins(b.0, b.1, b.2);
            for class in BOTH {
                let got = counts(ctx, &trial, b, rgb, class);
                for (got, colors) in got.into_iter().zip(&colors) {
                    assert_eq!(got.iter().map(|n| u64::from(*n)).sum::<u64>(), colors.size().area());
                    assert_eq!(got, want(colors, b), "{b:?} {class:?} {}", colors.size());
                }
            }
        }
    });
}

#[test]
fn all_colours_fall_into_the_bins_of_the_reference() {
    on_every_adapter("histogram/hsv3d on 2^24 colours", |ctx| {
        // Sixteen pictures of 4096x256 hold every colour once; 180 hues see every rounding.
        let input = layout(PixelFormat::Rgba8, (4096, 256));
        let rgb = colors::rgb_params(PixelFormat::Rgba8);
        let plan = HsvHistogramPlan::new(ctx, &input, bins(180, 16, 1), rgb).unwrap();
        for slice in [0u32, 5, 10, 15] {
            let first = slice << 20;
            let bytes: Vec<u8> = (first..first + (1 << 20)).flat_map(u32::to_le_bytes).collect();
            let got = plan.bind(ctx, &upload(ctx, &input, std::slice::from_ref(&bytes)), 0).unwrap().run(ctx).unwrap();
            let pixels = bytes.as_chunks::<4>().0.iter().map(|[r, g, b, _]| [*r, *g, *b]).collect();
            assert_eq!(got[0], want(&Colors::new(input.size, pixels).unwrap(), bins(180, 16, 1)), "slice {slice}");
        }
    });
}

#[test]
fn the_same_bits_every_time_and_in_any_pixel_order() {
    on_every_adapter("histogram/hsv3d is deterministic", |ctx| {
        let input = layout(PixelFormat::Rgba8, (320, 111));
        let rgb = colors::rgb_params(PixelFormat::Rgba8);
        for pattern in [Pattern::Random { seed: 3 }, Pattern::Constant { level: 200 }] {
            let frame = pattern.frame(&input);
            let src = upload(ctx, &input, std::slice::from_ref(&frame));
            table::deterministic(|| hsv3d(ctx, &src, HsvBins::default(), rgb).unwrap());
            // Rows are not padded: all pixels the other way round.
            let turned = frame.as_chunks::<4>().0[..320 * 111].iter().rev().flatten().copied();
            let mut turned: Vec<u8> = turned.collect();
            turned.resize(frame.len(), 0);
            let turned = upload(ctx, &input, &[turned]);
            let both = [&src, &turned].map(|src| hsv3d(ctx, src, HsvBins::default(), rgb).unwrap());
            assert_eq!(both[0], both[1]);
        }
    });
}

#[test]
fn binds_from_a_later_slot_and_records_fewer() {
    on_every_adapter("histogram/hsv3d slots", |ctx| {
        let trial = table::mixed(ctx, PixelFormat::Nv12, &[(5, 4), (40, 31), (17, 3)], 0);
        let rgb = colors::rgb_params(PixelFormat::Nv12);
        let shape = BatchShape::of(trial.batch.as_ref()).unwrap();
        let plan = HsvHistogramPlan::new(ctx, shape, HsvBins::default(), rgb).unwrap();
        let bound = plan.bind(ctx, trial.batch.as_ref(), 1).unwrap();
        poison(ctx, bound.results());
        crate::results::run(ctx, |rec| bound.record(rec, 1));
        let bytes = bound.results().read(ctx, 2 * plan.result_bytes()).unwrap();
        let wanted = want(&colors::colors(&trial)[1], HsvBins::default());
        assert_eq!(bound.decode(&bytes), [wanted, vec![u32::MAX; 216]]);
    });
}

#[test]
fn what_does_not_fit_is_refused() {
    on_every_adapter("histogram/hsv3d refuses", |ctx| {
        let input = layout(PixelFormat::Nv12, (20, 4));
        let rgb = colors::rgb_params(PixelFormat::Nv12);
        let plan = |b| HsvHistogramPlan::new(ctx, &input, b, rgb);
        for b in [(0, 1, 1), (181, 1, 1), (1, 257, 1), (1, 1, 0), (17, 16, 16), (u32::MAX, u32::MAX, 2)] {
            refused(plan(bins(b.0, b.1, b.2)), "bins");
        }
        let long = layout(PixelFormat::Gray8, (32_769, 1));
        refused(HsvHistogramPlan::new(ctx, &long, HsvBins::default(), rgb), "input");
        let src = table::uniform(ctx, layout(PixelFormat::I420, (20, 4)), 0, 1);
        refused(plan(HsvBins::default()).unwrap().bind(ctx, src.batch.as_ref(), 0), "input");
        let src = table::uniform(ctx, input, 0, 1);
        refused(plan(HsvBins::default()).unwrap().bind(ctx, src.batch.as_ref(), 1), "first");
    });
}

#[test]
fn a_sabotaged_reference_and_other_parameters_are_rejected() {
    on_every_adapter("histogram/hsv3d negative control", |ctx| {
        let trial = table::uniform(ctx, layout(PixelFormat::P010, (33, 9)), 0, 1);
        let rgb = colors::rgb_params(PixelFormat::P010);
        let colors = colors::colors(&trial).remove(0);
        let b = HsvBins::default();
        let got = |rgb| counts(ctx, &trial, b, rgb, ctx.caps().class).remove(0);
        assert_eq!(got(rgb), want(&colors, b));
        assert_ne!(got(rgb), want(&colors::sabotaged(&colors), b));
        let color = rgb.color;
        for wrong in [
            RgbParams { color: ColorSpec { matrix: YuvMatrix::Bt601, ..color }, ..rgb },
            RgbParams { color: ColorSpec { range: ColorRange::Full, ..color }, ..rgb },
            RgbParams { color: ColorSpec { siting: ChromaSiting::Center, ..color }, ..rgb },
            RgbParams { upsampling: ChromaUpsampling::Nearest, ..rgb },
        ] {
            assert_ne!(got(wrong), want(&colors, b), "{wrong:?}");
        }
    });
}
