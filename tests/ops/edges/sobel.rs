use super::derivatives::{Operator, maps, slot};
use crate::gpu::on_every_adapter;
use crate::pictures::{layout, upload};
use crate::results::{poisoned, run, same, tight};
use crate::table;
use frameloom::core::{PixelFormat, Size};
use frameloom::ops::Record;
use frameloom::ops::edges::sobel::{plan_derivatives, plan_magnitude, plan_norm};
use frameloom::reference::Plane;
use frameloom::reference::edges::sobel::sobel as reference;

const UNDER_TEST: Operator =
    Operator { derivatives: plan_derivatives, magnitude: plan_magnitude, norm: plan_norm, reference };

#[test]
fn equals_the_reference() {
    on_every_adapter("edges/sobel equals the reference", |ctx| UNDER_TEST.equals_the_reference(ctx));
}

#[test]
fn turns_with_the_picture() {
    on_every_adapter("edges/sobel of turned pictures", |ctx| UNDER_TEST.turns_with_the_picture(ctx));
}

#[test]
fn binds_from_a_later_slot() {
    on_every_adapter("edges/sobel slots", |ctx| UNDER_TEST.binds_from_a_later_slot(ctx));
}

#[test]
fn the_same_bits_every_time() {
    on_every_adapter("edges/sobel is deterministic", |ctx| UNDER_TEST.deterministic(ctx));
}

#[test]
fn what_does_not_fit_is_refused() {
    on_every_adapter("edges/sobel refuses", |ctx| UNDER_TEST.refuses(ctx));
}

#[test]
fn a_sabotaged_reference_is_rejected() {
    on_every_adapter("edges/sobel negative control", |ctx| UNDER_TEST.rejects_a_sabotaged_reference(ctx));
}

/// Roots of many sums of two squares, by the inequality that defines them.
#[test]
fn norms_are_rounded_to_the_nearest() {
    on_every_adapter("edges/sobel norms", |ctx| {
        // Ramps along both axes at all pairs of slopes.
        let layout = layout(PixelFormat::Gray8, (16, 16));
        let plan = plan_norm(ctx, &layout).unwrap();
        let mut worst = 0;
        for (a, b) in (0..16u32).flat_map(|a| (0..=a).map(move |b| (a, b))) {
            let data: Vec<u8> = (0..256u32).map(|i| (i % 16 * a / 2 + i / 16 * b / 2).min(255) as u8).collect();
            let src = upload(ctx, &layout, &[slot(&layout, &data)]);
            let got = maps(ctx, &plan, &src).remove(0);
            let plane = Plane::tight(Size::new(16, 16), &data).unwrap();
            let d = reference(&plane).unwrap();
            for ((r, gx), gy) in got[0].iter().zip(&d.gx).zip(&d.gy) {
                let (r, m) = (i64::from(*r), i64::from(*gx).pow(2) + i64::from(*gy).pow(2));
                assert!(m <= r * r + r && (r == 0 || m > r * r - r), "{r} for the root of {m}");
                worst = worst.max(r);
            }
        }
        assert!(worst > 50);
    });
}

/// The results stay on the device and feed the next operation.
#[test]
fn results_feed_other_operations() {
    on_every_adapter("edges/sobel in a chain", |ctx| {
        let gray = layout(PixelFormat::Gray8, (77, 55));
        let trial = table::uniform(ctx, gray, 6, 2);
        let [edges, second] = [(); 2].map(|()| poisoned(ctx, &gray, 2));
        let first = plan_magnitude(ctx, &gray).unwrap().bind(ctx, (trial.batch.as_ref(), 0), (&edges, 0)).unwrap();
        let next = plan_magnitude(ctx, &gray).unwrap().bind(ctx, (&edges, 0), (&second, 0)).unwrap();
        let both = first.chain(next);
        run(ctx, |rec| both.record(rec, 2));
        for (i, (size, data)) in trial.lumas().enumerate() {
            let of = |data: &[u8]| reference(&Plane::tight(size, data).unwrap()).unwrap().magnitude();
            let got = tight(&gray, 0, &second.read_slot(ctx, i as u32).unwrap());
            same(&got, &of(&of(&data)), format!("picture {i}"));
        }
    });
}
