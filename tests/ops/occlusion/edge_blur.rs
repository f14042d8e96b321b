use super::{InPlace, plane, read};
use crate::gpu::on_every_adapter;
use crate::pictures::layout;
use crate::results::{refused, run, same};
use crate::table;
use frameloom::core::occlusion::{EdgeBlur, Inside, Side};
use frameloom::core::{PixelFormat, Size};
use frameloom::gpu::GpuContext;
use frameloom::ops::occlusion::edge_blur::{EdgeBlurPlan, edge_blur};
use frameloom::ops::{BatchShape, GpuFrames, Record};
use frameloom::reference::Plane;
use frameloom::reference::occlusion::edge_blur::edge_blur as reference;
use proptest::prelude::*;

const SIDES: [Side; 4] = [Side::Left, Side::Right, Side::Top, Side::Bottom];

fn param(index: usize, size: Size) -> EdgeBlur {
    let side = SIDES[index % 4];
    let inside = [Inside::Picture, Inside::Band][index / 2 % 2];
    // The reference of a large picture takes long: a thin band there.
    let share = if size.width > 1000 { 0.02 } else { [0.25, 0.5, 0.7, 1.0, 0.1][index % 5] };
    EdgeBlur { side, share, radius: [7, 1, 15, 2, 30][index % 5], feather: [4, 0, 9][index % 3], inside }
}

fn with(ctx: &GpuContext, check: impl Fn(&InPlace<'_, EdgeBlur>)) {
    check(&InPlace {
        op: &|src, params| edge_blur(ctx, src, params),
        bind: &|frames, first, params| {
            EdgeBlurPlan::new(ctx, BatchShape::of(frames)?)?.bind(ctx, frames, first, params)
        },
        reference: &|src, p| reference(src, p).unwrap(),
        param: &param,
    });
}

#[test]
fn equals_the_reference() {
    on_every_adapter("occlusion/edge_blur equals the reference", |ctx| {
        with(ctx, |op| op.equals(ctx, &[PixelFormat::Rgba8]));
    });
}

#[test]
fn slots_and_repeats() {
    on_every_adapter("occlusion/edge_blur slots, determinism, negative control", |ctx| {
        with(ctx, |op| {
            op.slots(ctx, PixelFormat::Rgba8);
            op.deterministic(ctx, PixelFormat::Rgba8);
        });
    });
}

/// Left, right and bottom in turn, each on the result of the one before, in one submission.
#[test]
fn bands_chain() {
    on_every_adapter("occlusion/edge_blur chain", |ctx| {
        let l = layout(PixelFormat::Rgba8, (66, 45));
        let trial = table::uniform(ctx, l, 0, 1);
        let frames = trial.batch.as_ref();
        let plan = EdgeBlurPlan::new(ctx, &l).unwrap();
        let blur = |side| EdgeBlur { side, share: 0.25, radius: 5, feather: 0, inside: Inside::Band };
        let bound = |side| plan.bind(ctx, frames, 0, &[blur(side)]).unwrap();
        let chain = bound(Side::Left).chain(bound(Side::Right)).chain(bound(Side::Bottom));
        run(ctx, |rec| chain.record(rec, 1));
        let mut want = trial.pictures[0].1.clone();
        let stride = l.first().stride as usize;
        for side in [Side::Left, Side::Right, Side::Bottom] {
            let next = reference(&plane(&l, &want), &blur(side)).unwrap().0;
            for (to, row) in want.chunks_mut(stride).zip(next.chunks(66 * 4)) {
                to[..66 * 4].copy_from_slice(row);
            }
        }
        same(&read(ctx, frames, 0), &crate::results::tight(&l, 0, &want), "three sides");
    });
}

/// Radii, shares and places at random; equal pixels stay equal.
#[test]
fn any_parameters_agree_with_the_reference() {
    on_every_adapter("occlusion/edge_blur properties", |ctx| {
        let mut runner =
            proptest::test_runner::TestRunner::new(ProptestConfig { cases: 16, ..ProptestConfig::default() });
        let strategy = ((1u32..50, 1u32..50), 0usize..4, 0.0..=1.0f64, 1u32..=127, 0u32..40, any::<bool>(), 0usize..7);
        runner
            .run(&strategy, |(size, side, share, radius, feather, whole, pattern)| {
                let l = layout(PixelFormat::Rgba8, size);
                let trial = table::uniform(ctx, l, pattern, 1);
                let inside = if whole { Inside::Picture } else { Inside::Band };
                let p = EdgeBlur { side: SIDES[side], share, radius, feather, inside };
                let (pictures, covered) = edge_blur(ctx, trial.batch.as_ref(), &[p]).unwrap();
                let (want, area) = reference(&plane(&l, &trial.pictures[0].1), &p).unwrap();
                let got = read(ctx, &pictures, 0);
                prop_assert_eq!(covered[0], area);
                prop_assert_eq!(got, want);
                Ok(())
            })
            .unwrap();
        let l = layout(PixelFormat::Rgba8, (40, 40));
        let flat = vec![77; l.slot_bytes() as usize];
        let frames = GpuFrames::from_host(ctx, "test", l, &[&flat]).unwrap();
        let (pictures, _) = edge_blur(ctx, &frames, &[EdgeBlur { share: 1.0, ..EdgeBlur::default() }]).unwrap();
        assert!(read(ctx, &pictures, 0).iter().all(|v| *v == 77));
    });
}

#[test]
fn what_does_not_fit_is_refused() {
    on_every_adapter("occlusion/edge_blur refuses", |ctx| {
        refused(EdgeBlurPlan::new(ctx, &layout(PixelFormat::Gray8, (4, 4))), "input");
        let trial = table::uniform(ctx, layout(PixelFormat::Rgba8, (8, 8)), 0, 1);
        let of = |p: EdgeBlur| edge_blur(ctx, trial.batch.as_ref(), &[p]);
        let good = EdgeBlur::default();
        assert!(of(good).is_ok());
        for radius in [0, 128] {
            refused(of(EdgeBlur { radius, ..good }), "radius");
        }
        refused(of(EdgeBlur { share: 1.1, ..good }), "share");
        refused(of(EdgeBlur { feather: 4097, ..good }), "feather");
        assert!(reference(&Plane::interleaved(Size::new(1, 1), 3, 3, &[0; 3]).unwrap(), &good).is_err());
    });
}
