use crate::colors;
use crate::gpu::on_every_adapter;
use crate::pictures::*;
use crate::results::{refused, run};
use crate::table::{self, Trial};
use frameloom::core::*;
use frameloom::ops::BatchShape;
use frameloom::ops::quality::contrast_brightness::*;
use frameloom::reference::{FrameSlot, Pattern, quality::contrast_brightness::contrast_brightness as reference};

fn want(trial: &Trial) -> Vec<GraySums> {
    trial.slots().map(|slot| reference(&slot)).collect()
}

#[test]
fn equals_the_reference() {
    on_every_adapter("quality/contrast_brightness equals the reference", |ctx| {
        table::each(ctx, &colors::FORMATS, |trial| {
            assert_eq!(contrast_brightness(ctx, trial.batch.as_ref()).unwrap(), want(trial), "{}", trial.name);
        });
    });
}

#[test]
fn full_hd_is_exact_up_to_the_largest_sums() {
    on_every_adapter("quality/contrast_brightness full HD", |ctx| {
        for format in [PixelFormat::Rgba8, PixelFormat::P010] {
            let input = layout(format, FULL_HD);
            let n = input.size.area();
            let src = upload(ctx, &input, &[Pattern::Constant { level: 255 }.frame(&input)]);
            let got = contrast_brightness(ctx, &src).unwrap();
            assert_eq!(got, [GraySums { n, sum: 255 * n, sum_sq: 255 * 255 * n }]);
            assert_eq!((got[0].contrast(), got[0].brightness()), (0.0, 1.0));
        }
    });
}

#[test]
fn the_same_bits_every_time() {
    on_every_adapter("quality/contrast_brightness is deterministic", |ctx| {
        let input = layout(PixelFormat::Rgba8, (333, 111));
        let src = upload(ctx, &input, &[Pattern::Random { seed: 3 }.frame(&input)]);
        table::deterministic(|| contrast_brightness(ctx, &src).unwrap());
    });
}

#[test]
fn an_inverted_picture_has_the_same_contrast() {
    on_every_adapter("quality/contrast_brightness invariants", |ctx| {
        let input = layout(PixelFormat::Gray8, (123, 66));
        for seed in 0..4 {
            let frame = Pattern::Natural { seed, shift: 0 }.frame(&input);
            let inverted: Vec<u8> = frame.iter().map(|v| 255 - v).collect();
            let got = contrast_brightness(ctx, &upload(ctx, &input, &[frame, inverted])).unwrap();
            assert_eq!(got[0].standard_deviation(), got[1].standard_deviation());
            assert!((got[0].brightness() + got[1].brightness() - 1.0).abs() < 1e-12 && got[0].contrast() > 0.1);
        }
    });
}

#[test]
fn binds_from_a_later_slot_and_records_fewer() {
    on_every_adapter("quality/contrast_brightness slots", |ctx| {
        let trial = table::mixed(ctx, PixelFormat::Nv12, &[(5, 4), (40, 31), (17, 3)], 0);
        let plan = ContrastBrightnessPlan::new(ctx, BatchShape::of(trial.batch.as_ref()).unwrap()).unwrap();
        let bound = plan.bind(ctx, trial.batch.as_ref(), 1).unwrap();
        poison(ctx, bound.results());
        run(ctx, |rec| bound.record(rec, 1));
        let bytes = bound.results().read(ctx, 2 * ContrastBrightnessPlan::RESULT_BYTES).unwrap();
        assert_eq!(bound.decode(&bytes)[0], want(&trial)[1]);
        assert!(bytes[16..].iter().all(|b| *b == 0xFF));
    });
}

#[test]
fn what_does_not_fit_is_refused() {
    on_every_adapter("quality/contrast_brightness refuses", |ctx| {
        refused(ContrastBrightnessPlan::new(ctx, &layout(PixelFormat::Gray8, (1, 32_769))), "input");
        let input = layout(PixelFormat::Nv12, (20, 4));
        let plan = ContrastBrightnessPlan::new(ctx, &input).unwrap();
        let other = table::uniform(ctx, layout(PixelFormat::Gray8, (20, 4)), 0, 1);
        refused(plan.bind(ctx, other.batch.as_ref(), 0), "input");
        refused(plan.bind(ctx, table::uniform(ctx, input, 0, 2).batch.as_ref(), 2), "first");
    });
}

#[test]
fn a_sabotaged_reference_is_rejected() {
    on_every_adapter("quality/contrast_brightness negative control", |ctx| {
        for format in [PixelFormat::Gray8, PixelFormat::Rgba8] {
            let trial = table::uniform(ctx, layout(format, (33, 9)), 0, 1);
            let got = contrast_brightness(ctx, trial.batch.as_ref()).unwrap();
            assert_eq!(got, want(&trial));
            let (layout, mut bytes) = trial.pictures[0].clone();
            let plane = layout.first();
            bytes[(8 * plane.stride + plane.shape.row_bytes().min(33 * 4 - 2) - 1) as usize] ^= 64;
            assert_ne!(got, [reference(&FrameSlot::new(layout, &bytes).unwrap())]);
        }
    });
}
