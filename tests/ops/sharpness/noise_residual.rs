use super::Measured;
use crate::gpu::on_every_adapter;
use frameloom::core::ResidualSums;
use frameloom::ops::sharpness::noise_residual::NoiseResidualPlan;
use frameloom::reference::sharpness::noise_residual::noise_residual as reference;

const UNDER_TEST: Measured<'static, ResidualSums> = Measured {
    bind: &|ctx, shape, src, first| NoiseResidualPlan::new(ctx, shape)?.bind(ctx, src, first),
    reference: &|plane| reference(plane),
};

#[test]
fn equals_the_reference() {
    on_every_adapter("sharpness/noise_residual equals the reference", |ctx| UNDER_TEST.equals_the_reference(ctx));
}

#[test]
fn blur_lowers_it() {
    on_every_adapter("sharpness/noise_residual of a blurred picture", |ctx| {
        UNDER_TEST.blur_lowers_it(ctx, ResidualSums::mean);
    });
}

#[test]
fn binds_from_a_later_slot() {
    on_every_adapter("sharpness/noise_residual slots", |ctx| UNDER_TEST.binds_from_a_later_slot(ctx));
}

#[test]
fn the_same_bits_every_time() {
    on_every_adapter("sharpness/noise_residual is deterministic", |ctx| UNDER_TEST.deterministic(ctx));
}

#[test]
fn what_does_not_fit_is_refused() {
    on_every_adapter("sharpness/noise_residual refuses", |ctx| UNDER_TEST.refuses(ctx));
}

#[test]
fn a_sabotaged_reference_is_rejected() {
    on_every_adapter("sharpness/noise_residual negative control", |ctx| UNDER_TEST.rejects_a_sabotaged_reference(ctx));
}
