use super::Two;
use crate::gpu::on_every_adapter;
use crate::occlusion::read;
use crate::pictures::{layout, upload};
use crate::results::{refused, same};
use crate::table;
use frameloom::core::PixelFormat;
use frameloom::core::blend::Alpha;
use frameloom::gpu::GpuContext;
use frameloom::ops::BatchShape;
use frameloom::ops::blend::alpha_over::{AlphaOverPlan, alpha_over};
use frameloom::reference::blend::alpha_over::{alpha_over as reference, over};

const ALPHAS: [Alpha; 2] = [Alpha::Straight, Alpha::Premultiplied];

fn with(ctx: &GpuContext, alpha: Alpha, check: impl Fn(&Two<'_>)) {
    check(&Two {
        bind: &|top, bottom, output| {
            AlphaOverPlan::new(ctx, BatchShape::of(top.0)?, alpha)?.bind(ctx, top, bottom, output)
        },
        reference: &|_, top, bottom| reference(top, bottom, alpha).unwrap(),
    });
}

#[test]
fn equals_the_reference() {
    on_every_adapter("blend/alpha_over equals the reference", |ctx| {
        with(ctx, Alpha::Straight, |op| op.equals(ctx, &[PixelFormat::Rgba8]));
        with(ctx, Alpha::Premultiplied, |op| op.equals(ctx, &[PixelFormat::Rgba8]));
    });
}

#[test]
fn slots_and_repeats() {
    on_every_adapter("blend/alpha_over slots, determinism, negative control", |ctx| {
        for alpha in ALPHAS {
            with(ctx, alpha, |op| op.slots(ctx, PixelFormat::Rgba8));
        }
    });
}

/// Every pair of alphas with hard colours: all divisors that there are.
#[test]
fn every_pair_of_alphas() {
    on_every_adapter("blend/alpha_over every pair of alphas", |ctx| {
        let l = layout(PixelFormat::Rgba8, (256, 256));
        let colours = |i: u32, seed: u32| i.wrapping_mul(2_654_435_761).wrapping_add(seed).to_le_bytes();
        let picture = |of: &dyn Fn(u32) -> [u8; 4]| (0..65_536).flat_map(of).collect::<Vec<u8>>();
        let top = picture(&|i| {
            let [r, g, b, _] = colours(i, 1);
            [r, g, b, (i % 256) as u8]
        });
        let bottom = picture(&|i| {
            let [r, g, b, _] = colours(i, 77);
            [r, g, b, (i / 256) as u8]
        });
        let (a, b) = (upload(ctx, &l, std::slice::from_ref(&top)), upload(ctx, &l, std::slice::from_ref(&bottom)));
        for alpha in ALPHAS {
            let want: Vec<u8> = top
                .chunks(4)
                .zip(bottom.chunks(4))
                .flat_map(|(t, b)| over(t.try_into().unwrap(), b.try_into().unwrap(), alpha))
                .collect();
            same(&read(ctx, &alpha_over(ctx, &a, &b, alpha).unwrap(), 0), &want, format!("{alpha:?}"));
        }
    });
}

#[test]
fn what_does_not_fit_is_refused() {
    on_every_adapter("blend/alpha_over refuses", |ctx| {
        refused(AlphaOverPlan::new(ctx, &layout(PixelFormat::Gray8, (4, 4)), Alpha::Straight), "input");
        let trial = table::uniform(ctx, layout(PixelFormat::Rgba8, (8, 8)), 0, 1);
        let gray = table::uniform(ctx, layout(PixelFormat::Gray8, (8, 8)), 0, 1);
        refused(alpha_over(ctx, trial.batch.as_ref(), gray.batch.as_ref(), Alpha::Straight), "second");
    });
}
