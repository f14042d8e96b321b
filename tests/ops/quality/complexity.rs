use crate::colors;
use crate::gpu::on_every_adapter;
use crate::pictures::*;
use crate::results::{refused, run};
use crate::seed_frames::{SEED_FRAMES, seed_frame};
use crate::table::{self, Trial};
use frameloom::core::{ComplexitySums, PixelFormat};
use frameloom::ops::edges::canny::CannyParams;
use frameloom::ops::quality::complexity::{ComplexityPlan, complexity};
use frameloom::ops::{BatchShape, GpuPictures, Record};
use frameloom::reference::{Colors, Pattern, quality::complexity::complexity as reference};

const CANNY: CannyParams = CannyParams { low: 50, high: 150 };

fn want(trial: &Trial, colors: &[Colors], params: CannyParams) -> Vec<ComplexitySums> {
    trial.slots().zip(colors).map(|(slot, c)| reference(&slot, c, params.low, params.high).unwrap()).collect()
}

#[test]
fn equals_the_reference() {
    on_every_adapter("quality/complexity equals the reference", |ctx| {
        let mut turn = 0;
        colors::each(ctx, |trial, rgb, colors| {
            let params = [CANNY, CannyParams { low: 20, high: 400 }][turn % 2];
            turn += 1;
            let got = complexity(ctx, trial.batch.as_ref(), params, rgb).unwrap();
            assert_eq!(got, want(trial, &colors, params), "{}", trial.name);
        });
    });
}

/// The levels that the system before this one gave these frames, by its own 8-bit RGB.
#[test]
fn levels_are_those_of_the_system_before() {
    let levels: [f64; 4] = [0.43252421335068725, 0.2762166341145833, 0.5638761829967747, 0.08627907925028114];
    on_every_adapter("quality/complexity levels of the system before", |ctx| {
        let frames = [0, 1, 3, 4].map(|i: usize| seed_frame(SEED_FRAMES[i]));
        let bytes = frames.each_ref().map(|(_, p)| p.iter().flat_map(|[r, g, b]| [*r, *g, *b, 7]).collect::<Vec<_>>());
        let slots: Vec<_> = frames.iter().zip(&bytes).map(|((size, _), b)| (*size, b.as_slice())).collect();
        let src = GpuPictures::from_host(ctx, "test", PixelFormat::Rgba8, &slots).unwrap();
        let got = complexity(ctx, &src, CANNY, colors::rgb_params(PixelFormat::Rgba8)).unwrap();
        for (sums, level) in got.iter().zip(levels) {
            assert!((sums.complexity() - level).abs() <= 1e-9, "{sums:?} for {level}");
        }
    });
}

#[test]
fn the_same_bits_every_time() {
    on_every_adapter("quality/complexity is deterministic", |ctx| {
        for (format, pattern) in [
            (PixelFormat::Nv12, Pattern::Random { seed: 3 }),
            (PixelFormat::Rgba8, Pattern::Natural { seed: 2, shift: 0 }),
        ] {
            let input = layout(format, (333, 111));
            let src = upload(ctx, &input, &[pattern.frame(&input)]);
            let bound = ComplexityPlan::new(ctx, &input, CANNY, colors::rgb_params(format)).unwrap();
            let bound = bound.bind(ctx, &src, 0).unwrap();
            table::deterministic(|| bound.run(ctx).unwrap());
        }
    });
}

/// A flat picture has one colour and no edge; thresholds only take edges away.
#[test]
fn thresholds_and_flat_pictures() {
    on_every_adapter("quality/complexity invariants", |ctx| {
        let input = layout(PixelFormat::Rgba8, (77, 55));
        let rgb = colors::rgb_params(PixelFormat::Rgba8);
        let frames = [Pattern::Constant { level: 90 }, Pattern::Natural { seed: 5, shift: 0 }].map(|p| p.frame(&input));
        let src = upload(ctx, &input, &frames);
        let mut last = u64::MAX;
        for high in [100, 150, 300, 600, 2040] {
            let got = complexity(ctx, &src, CannyParams { low: 50, high }, rgb).unwrap();
            assert_eq!((got[0].edges.edges, got[0].unique_colors, got[0].gray.contrast()), (0, 1, 0.0));
            assert!(got[1].edges.edges <= last && (0.0..=1.0).contains(&got[1].complexity()));
            last = got[1].edges.edges;
        }
        assert_eq!(last, 0);
    });
}

#[test]
fn batches_take_turns_and_bind_from_a_later_slot() {
    on_every_adapter("quality/complexity slots", |ctx| {
        for format in [PixelFormat::Rgba8, PixelFormat::Nv12] {
            let sizes: Vec<(u32, u32)> = (0..19).map(|i| (20 + i % 7, 9 + i % 5)).collect();
            let trial = table::mixed(ctx, format, &sizes, 0);
            let wanted = want(&trial, &colors::colors(&trial), CANNY);
            let shape = BatchShape::of(trial.batch.as_ref()).unwrap();
            let plan = ComplexityPlan::new(ctx, shape, CANNY, colors::rgb_params(format)).unwrap();
            assert_eq!(plan.bind(ctx, trial.batch.as_ref(), 0).unwrap().run(ctx).unwrap(), wanted);
            let bound = plan.bind(ctx, trial.batch.as_ref(), 1).unwrap();
            let results = bound.measure().results();
            poison(ctx, results);
            run(ctx, |rec| bound.record(rec, 17));
            let bytes = results.read(ctx, 18 * bound.measure().frame_bytes()).unwrap();
            assert_eq!(bound.measure().decode(&bytes)[..17], wanted[1..18]);
            assert!(bytes[17 * 24..].iter().all(|b| *b == 0xFF), "more than was recorded");
        }
    });
}

#[test]
fn what_does_not_fit_is_refused() {
    on_every_adapter("quality/complexity refuses", |ctx| {
        let rgb = colors::rgb_params(PixelFormat::Nv12);
        refused(ComplexityPlan::new(ctx, &layout(PixelFormat::Rgba8, (1, 32_769)), CANNY, rgb), "input");
        let input = layout(PixelFormat::Nv12, (20, 4));
        let plan = ComplexityPlan::new(ctx, &input, CANNY, rgb).unwrap();
        let other = table::uniform(ctx, layout(PixelFormat::I420, (20, 4)), 0, 1);
        refused(plan.bind(ctx, other.batch.as_ref(), 0), "input");
        refused(plan.bind(ctx, table::uniform(ctx, input, 0, 2).batch.as_ref(), 2), "first");
    });
}

#[test]
fn a_sabotaged_reference_is_rejected() {
    on_every_adapter("quality/complexity negative control", |ctx| {
        let trial = table::uniform(ctx, layout(PixelFormat::Rgba8, (33, 9)), 0, 1);
        let colors = colors::colors(&trial);
        let got = complexity(ctx, trial.batch.as_ref(), CANNY, colors::rgb_params(PixelFormat::Rgba8)).unwrap();
        assert_eq!(got, want(&trial, &colors, CANNY));
        // One colour fewer, other edges, another grey.
        let mut same = colors[0].pixels().to_vec();
        same[5] = same[4];
        let fewer = Colors::new(colors[0].size(), same).unwrap();
        assert_ne!(got, want(&trial, &[fewer], CANNY));
        assert_ne!(got, want(&trial, &colors, CannyParams { low: 300, high: 900 }));
    });
}
