use super::Two;
use crate::gpu::on_every_adapter;
use crate::occlusion::{BOTH, read};
use crate::pictures::layout;
use crate::results::refused;
use crate::table;
use frameloom::core::PixelFormat;
use frameloom::core::blend::TemporalMode;
use frameloom::gpu::GpuContext;
use frameloom::ops::blend::temporal_blend::{TemporalBlendPlan, temporal_blend};
use frameloom::ops::{BatchShape, FrameBatch};
use frameloom::reference::blend::temporal_blend::temporal_blend as reference;

fn mode(index: usize) -> TemporalMode {
    let weighted = |index, count| TemporalMode::Weighted { index, count };
    let most = TemporalMode::MAX_COUNT;
    [weighted(17, 300), TemporalMode::MaxAlpha, weighted(most - 1, most), TemporalMode::MinAlpha, TemporalMode::Average]
        [index % 5]
}

fn with(ctx: &GpuContext, first_mode: usize, check: impl Fn(&Two<'_>)) {
    check(&Two {
        bind: &|forward, reversed, output| {
            let count = forward.0.slots().saturating_sub(forward.1).min(reversed.0.slots()).min(output.0.slots());
            let modes: Vec<_> = (0..count as usize).map(|i| mode(i + first_mode)).collect();
            TemporalBlendPlan::new(ctx, BatchShape::of(forward.0)?)?.bind(ctx, forward, reversed, output, &modes)
        },
        reference: &|i, f, r| reference(f, r, mode(i + first_mode)).unwrap(),
    });
}

#[test]
fn equals_the_reference() {
    on_every_adapter("blend/temporal_blend equals the reference", |ctx| {
        with(ctx, 0, |op| op.equals(ctx, &BOTH));
        with(ctx, 1, |op| op.equals(ctx, &[PixelFormat::Rgba8]));
    });
}

#[test]
fn slots_and_repeats() {
    on_every_adapter("blend/temporal_blend slots, determinism, negative control", |ctx| {
        // An average and the larger of two values would not tell exchanged inputs.
        for first_mode in 0..3 {
            with(ctx, first_mode, |op| {
                op.slots(ctx, if first_mode == 1 { PixelFormat::Gray8 } else { PixelFormat::Rgba8 })
            });
        }
    });
}

/// Equal passes give themselves in every mode; a pass and its reverse are weighed alike from both ends.
#[test]
fn equal_passes_stay_and_ends_mirror() {
    on_every_adapter("blend/temporal_blend identity", |ctx| {
        let trial = table::uniform(ctx, layout(PixelFormat::Rgba8, (40, 9)), 0, 5);
        let second = table::uniform(ctx, layout(PixelFormat::Rgba8, (40, 9)), 0, 5);
        let modes: Vec<_> = (0..5).map(mode).collect();
        let out = temporal_blend(ctx, trial.batch.as_ref(), second.batch.as_ref(), &modes).unwrap();
        for i in 0..5 {
            assert_eq!(read(ctx, &out, i), read(ctx, trial.batch.as_ref(), i), "{i}");
        }
        let other = table::uniform(ctx, layout(PixelFormat::Rgba8, (40, 9)), 6, 5);
        let weighted = |index: u32| TemporalMode::Weighted { index, count: 5 };
        let of = |a: &dyn FrameBatch, b: &dyn FrameBatch, order: &dyn Fn(u32) -> u32| {
            let modes: Vec<_> = (0..5).map(|i| weighted(order(i))).collect();
            let out = temporal_blend(ctx, a, b, &modes).unwrap();
            (0..5).map(|i| read(ctx, &out, i)).collect::<Vec<_>>()
        };
        let there = of(trial.batch.as_ref(), other.batch.as_ref(), &|i| i);
        let back = of(other.batch.as_ref(), trial.batch.as_ref(), &|i| 4 - i);
        for (a, b) in there.iter().zip(&back) {
            assert!(a.iter().zip(b).all(|(a, b)| a.abs_diff(*b) <= 1)); // ties round up both ways
        }
        assert_ne!(there[0], there[4]);
    });
}

#[test]
fn what_does_not_fit_is_refused() {
    on_every_adapter("blend/temporal_blend refuses", |ctx| {
        refused(TemporalBlendPlan::new(ctx, &layout(PixelFormat::Nv12, (4, 4))), "input");
        let trial = table::uniform(ctx, layout(PixelFormat::Rgba8, (8, 8)), 0, 1);
        let other = table::uniform(ctx, layout(PixelFormat::Rgba8, (8, 8)), 1, 1);
        let of = |modes: &[TemporalMode]| temporal_blend(ctx, trial.batch.as_ref(), other.batch.as_ref(), modes);
        assert!(of(&[TemporalMode::Average]).is_ok());
        refused(of(&[]), "modes");
        refused(of(&[TemporalMode::Weighted { index: 3, count: 3 }]), "mode");
        refused(of(&[TemporalMode::Weighted { index: 0, count: 0 }]), "mode");
        refused(of(&[TemporalMode::Weighted { index: 0, count: TemporalMode::MAX_COUNT + 1 }]), "mode");
    });
}
