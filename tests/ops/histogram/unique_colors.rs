use crate::colors;
use crate::gpu::on_every_adapter;
use crate::pictures::*;
use crate::results::{refused, run};
use crate::table;
use frameloom::core::*;
use frameloom::ops::BatchShape;
use frameloom::ops::histogram::unique_colors::*;
use frameloom::reference::{Pattern, histogram::unique_colors::unique_colors as reference};

#[test]
fn equals_the_reference() {
    on_every_adapter("histogram/unique_colors equals the reference", |ctx| {
        colors::each(ctx, |trial, rgb, colors| {
            let wanted: Vec<u32> = colors.iter().map(reference).collect();
            assert_eq!(unique_colors(ctx, trial.batch.as_ref(), rgb).unwrap(), wanted, "{}", trial.name);
        });
    });
}

#[test]
fn every_colour_counts_once() {
    on_every_adapter("histogram/unique_colors on 2^24 colours", |ctx| {
        let input = layout(PixelFormat::Rgba8, (4096, 4096));
        let rgb = colors::rgb_params(PixelFormat::Rgba8);
        let mut bytes: Vec<u8> = (0..1u32 << 24).flat_map(u32::to_le_bytes).collect();
        let plan = UniqueColorsPlan::new(ctx, &input, rgb).unwrap();
        let src = upload(ctx, &input, std::slice::from_ref(&bytes));
        let bound = plan.bind(ctx, &src, 0).unwrap();
        assert_eq!(bound.run(ctx).unwrap(), [1 << 24]);
        // A second run on the same map: one colour fewer, and alpha does not matter.
        bytes.copy_within(0..4, 4);
        bytes[7] = 99;
        src.buffer().write(ctx, 0, &bytes).unwrap();
        assert_eq!(bound.run(ctx).unwrap(), [(1 << 24) - 1]);
    });
}

#[test]
fn large_batches_take_turns_with_the_maps() {
    on_every_adapter("histogram/unique_colors batches", |ctx| {
        let sizes: Vec<(u32, u32)> = (0..37).map(|i| (1 + i % 7, 1 + i % 5)).collect();
        let trial = table::mixed(ctx, PixelFormat::Rgba8, &sizes, 0);
        let wanted: Vec<u32> = colors::colors(&trial).iter().map(reference).collect();
        let shape = BatchShape::of(trial.batch.as_ref()).unwrap();
        let plan = UniqueColorsPlan::new(ctx, shape, colors::rgb_params(PixelFormat::Rgba8)).unwrap();
        for (first, count) in [(0usize, 37usize), (0, 16), (0, 17), (3, 33), (20, 1), (36, 1)] {
            let bound = plan.bind(ctx, trial.batch.as_ref(), first as u32).unwrap();
            poison(ctx, bound.results());
            run(ctx, |rec| bound.record(rec, count as u32));
            let bytes = bound.results().read(ctx, 4 * (37 - first as u64)).unwrap();
            let mut want = wanted[first..].to_vec();
            want.iter_mut().skip(count).for_each(|n| *n = u32::MAX);
            assert_eq!(bound.decode(&bytes), want, "{count} from {first}");
        }
    });
}

#[test]
fn the_same_bits_every_time() {
    on_every_adapter("histogram/unique_colors is deterministic", |ctx| {
        let input = layout(PixelFormat::Nv12, (333, 111));
        for pattern in [Pattern::Random { seed: 3 }, Pattern::Constant { level: 200 }] {
            let src = upload(ctx, &input, &[pattern.frame(&input)]);
            table::deterministic(|| unique_colors(ctx, &src, colors::rgb_params(PixelFormat::Nv12)).unwrap());
        }
    });
}

#[test]
fn what_does_not_fit_is_refused() {
    on_every_adapter("histogram/unique_colors refuses", |ctx| {
        let rgb = colors::rgb_params(PixelFormat::Nv12);
        refused(UniqueColorsPlan::new(ctx, &layout(PixelFormat::Gray8, (1, 32_769)), rgb), "input");
        let input = layout(PixelFormat::Nv12, (20, 4));
        let plan = UniqueColorsPlan::new(ctx, &input, rgb).unwrap();
        let other = table::uniform(ctx, layout(PixelFormat::I420, (20, 4)), 0, 1);
        refused(plan.bind(ctx, other.batch.as_ref(), 0), "input");
        refused(plan.bind(ctx, table::uniform(ctx, input, 0, 2).batch.as_ref(), 2), "first");
    });
}

#[test]
fn a_sabotaged_reference_is_rejected() {
    on_every_adapter("histogram/unique_colors negative control", |ctx| {
        // One colour everywhere; the last pixel makes a second one.
        let trial = table::uniform(ctx, layout(PixelFormat::I444, (33, 9)), 1, 1);
        let colors = colors::colors(&trial).remove(0);
        let got = unique_colors(ctx, trial.batch.as_ref(), colors::rgb_params(PixelFormat::I444)).unwrap();
        assert_eq!(got, [reference(&colors)]);
        assert_ne!(got, [reference(&colors::sabotaged(&colors))]);
    });
}
