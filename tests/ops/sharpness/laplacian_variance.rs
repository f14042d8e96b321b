use super::Measured;
use crate::gpu::on_every_adapter;
use frameloom::core::LaplacianSums;
use frameloom::ops::sharpness::laplacian_variance::LaplacianVariancePlan;
use frameloom::reference::sharpness::laplacian_variance::laplacian_variance as reference;

const UNDER_TEST: Measured<'static, LaplacianSums> = Measured {
    bind: &|ctx, shape, src, first| LaplacianVariancePlan::new(ctx, shape)?.bind(ctx, src, first),
    reference: &|plane| reference(plane),
};

#[test]
fn equals_the_reference() {
    on_every_adapter("sharpness/laplacian_variance equals the reference", |ctx| UNDER_TEST.equals_the_reference(ctx));
}

#[test]
fn blur_lowers_it() {
    on_every_adapter("sharpness/laplacian_variance of a blurred picture", |ctx| {
        UNDER_TEST.blur_lowers_it(ctx, LaplacianSums::variance);
    });
}

#[test]
fn binds_from_a_later_slot() {
    on_every_adapter("sharpness/laplacian_variance slots", |ctx| UNDER_TEST.binds_from_a_later_slot(ctx));
}

#[test]
fn the_same_bits_every_time() {
    on_every_adapter("sharpness/laplacian_variance is deterministic", |ctx| UNDER_TEST.deterministic(ctx));
}

#[test]
fn what_does_not_fit_is_refused() {
    on_every_adapter("sharpness/laplacian_variance refuses", |ctx| UNDER_TEST.refuses(ctx));
}

#[test]
fn a_sabotaged_reference_is_rejected() {
    on_every_adapter("sharpness/laplacian_variance negative control", |ctx| {
        UNDER_TEST.rejects_a_sabotaged_reference(ctx)
    });
}
