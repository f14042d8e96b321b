use crate::colors;
use crate::gpu::on_every_adapter;
use crate::pictures::*;
use crate::results::{refused, run};
use crate::table::{self, Trial};
use frameloom::core::*;
use frameloom::ops::BatchShape;
use frameloom::ops::motion::hsv_cut_score::*;
use frameloom::reference::{Colors, Pattern, motion::hsv_cut_score::hsv_cut_score as reference};
use proptest::prelude::*;

fn want(colors: &[Colors]) -> Vec<HsvDifferenceSums> {
    colors.windows(2).map(|pair| reference(&pair[0], &pair[1]).unwrap()).collect()
}

#[test]
fn equals_the_reference() {
    on_every_adapter("motion/hsv_cut_score equals the reference", |ctx| {
        for (f, format) in colors::FORMATS.into_iter().enumerate() {
            let shapes: &[(u32, u32)] = if f < 2 { &SHAPES } else { &colors::FEW_SHAPES };
            for (s, shape) in shapes.iter().copied().enumerate() {
                poison_pool(ctx, 256);
                let trial = table::uniform(ctx, layout(format, shape), s + f, 1 + (s + f) % 4);
                let got = hsv_cut_score(ctx, trial.batch.as_ref(), colors::rgb_params(format)).unwrap();
                assert_eq!(got, want(&colors::colors(&trial)), "{}", trial.name);
            }
        }
    });
}

#[test]
fn full_hd_is_exact_up_to_the_largest_sums() {
    on_every_adapter("motion/hsv_cut_score full HD", |ctx| {
        let input = layout(PixelFormat::Rgba8, FULL_HD);
        let n = input.size.area();
        // Red whose hue is 179, black, red whose hue is 0.
        let frames = [[255, 0, 6, 0], [0, 0, 0, 0], [255, 0, 0, 0]].map(|c| c.repeat(n as usize));
        let frames = frames.map(|mut f| {
            f.resize(input.slot_bytes() as usize, 0);
            f
        });
        let src = upload(ctx, &input, &frames);
        let got = hsv_cut_score(ctx, &src, colors::rgb_params(PixelFormat::Rgba8)).unwrap();
        let sums = |hue, hue_circular| HsvDifferenceSums { hue, hue_circular, saturation: 255 * n, value: 255 * n, n };
        assert_eq!(got, [sums(179 * n, n), sums(0, 0)]);
        assert_eq!(got[0].content_score(CutWeights::default(), HueDistance::Linear), (179.0 + 510.0) / 3.0);
    });
}

#[test]
fn batches_may_begin_and_end_anywhere() {
    on_every_adapter("motion/hsv_cut_score slots", |ctx| {
        let trial = table::uniform(ctx, layout(PixelFormat::Nv12, (123, 66)), 0, 7);
        let wanted = want(&colors::colors(&trial));
        let rgb = colors::rgb_params(PixelFormat::Nv12);
        let plan = HsvCutScorePlan::new(ctx, BatchShape::of(trial.batch.as_ref()).unwrap(), rgb).unwrap();
        for (first, count) in [(1usize, 1usize), (3, 2), (3, 4), (6, 1)] {
            let bound = plan.bind(ctx, trial.batch.as_ref(), first as u32).unwrap();
            assert_eq!(bound.capacity() as usize, 7 - first);
            poison(ctx, bound.results());
            run(ctx, |rec| bound.record(rec, count as u32));
            let bytes = bound.results().read(ctx, HsvCutScorePlan::RESULT_BYTES * count as u64).unwrap();
            assert_eq!(bound.decode(&bytes), wanted[first - 1..first - 1 + count]);
        }
    });
}

#[test]
fn the_same_bits_every_time() {
    on_every_adapter("motion/hsv_cut_score is deterministic", |ctx| {
        let input = layout(PixelFormat::Nv12, (333, 111));
        let frames = [3, 4].map(|seed| Pattern::Random { seed }.frame(&input));
        let src = upload(ctx, &input, &frames);
        let rgb = colors::rgb_params(PixelFormat::Nv12);
        table::deterministic(|| hsv_cut_score(ctx, &src, rgb).unwrap());
        let same = upload(ctx, &input, &[frames[0].clone(), frames[0].clone()]);
        let still = HsvDifferenceSums { n: input.size.area(), ..HsvDifferenceSums::default() };
        assert_eq!(hsv_cut_score(ctx, &same, rgb).unwrap(), [still]);
    });
}

#[test]
fn the_order_of_two_frames_does_not_matter_and_circles_are_shorter() {
    on_every_adapter("motion/hsv_cut_score invariants", |ctx| {
        let config = ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() };
        proptest!(config, |(width in 1u32..40, height in 1u32..30, seeds in any::<[u32; 2]>())| {
            let input = layout(PixelFormat::I444, (width, height));
            let [a, b] = seeds.map(|s| Pattern::Random { seed: u64::from(s) }.frame(&input));
            let src = upload(ctx, &input, &[a.clone(), b, a]);
            let got = hsv_cut_score(ctx, &src, colors::rgb_params(PixelFormat::I444)).unwrap();
            prop_assert_eq!(got[0], got[1]);
            prop_assert!(got[0].hue_circular <= got[0].hue && got[0].hue_circular <= 90 * got[0].n);
        });
    });
}

#[test]
fn what_does_not_fit_is_refused() {
    on_every_adapter("motion/hsv_cut_score refuses", |ctx| {
        let rgb = colors::rgb_params(PixelFormat::Nv12);
        let mixed = BatchShape::mixed(PixelFormat::Nv12, Size::new(20, 20)).unwrap();
        refused(HsvCutScorePlan::new(ctx, mixed, rgb), "input");
        refused(HsvCutScorePlan::new(ctx, &layout(PixelFormat::Gray8, (1, 32_769)), rgb), "input");
        let input = layout(PixelFormat::Nv12, (20, 4));
        let plan = HsvCutScorePlan::new(ctx, &input, rgb).unwrap();
        let src = table::uniform(ctx, input, 0, 2);
        refused(plan.bind(ctx, src.batch.as_ref(), 0), "first");
        refused(plan.bind(ctx, src.batch.as_ref(), 2), "first");
        let other = table::uniform(ctx, layout(PixelFormat::Nv12, (21, 4)), 0, 2);
        refused(plan.bind(ctx, other.batch.as_ref(), 1), "input");
    });
}

#[test]
fn a_sabotaged_reference_is_rejected() {
    on_every_adapter("motion/hsv_cut_score negative control", |ctx| {
        let trial: Trial = table::uniform(ctx, layout(PixelFormat::P010, (33, 9)), 6, 2);
        let colors = colors::colors(&trial);
        let got = hsv_cut_score(ctx, trial.batch.as_ref(), colors::rgb_params(PixelFormat::P010)).unwrap();
        assert_eq!(got, want(&colors));
        assert_ne!(got, want(&[colors[0].clone(), colors::sabotaged(&colors[1])]));
    });
}
