use super::Measured;
use crate::gpu::on_every_adapter;
use frameloom::core::TenengradSums;
use frameloom::ops::sharpness::tenengrad::TenengradPlan;
use frameloom::reference::sharpness::tenengrad::tenengrad as reference;

const UNDER_TEST: Measured<'static, TenengradSums> = Measured {
    bind: &|ctx, shape, src, first| TenengradPlan::new(ctx, shape)?.bind(ctx, src, first),
    reference: &|plane| reference(plane),
};

#[test]
fn equals_the_reference() {
    on_every_adapter("sharpness/tenengrad equals the reference", |ctx| UNDER_TEST.equals_the_reference(ctx));
}

#[test]
fn blur_lowers_it() {
    on_every_adapter("sharpness/tenengrad of a blurred picture", |ctx| {
        UNDER_TEST.blur_lowers_it(ctx, TenengradSums::mean);
    });
}

#[test]
fn binds_from_a_later_slot() {
    on_every_adapter("sharpness/tenengrad slots", |ctx| UNDER_TEST.binds_from_a_later_slot(ctx));
}

#[test]
fn the_same_bits_every_time() {
    on_every_adapter("sharpness/tenengrad is deterministic", |ctx| UNDER_TEST.deterministic(ctx));
}

#[test]
fn what_does_not_fit_is_refused() {
    on_every_adapter("sharpness/tenengrad refuses", |ctx| UNDER_TEST.refuses(ctx));
}

#[test]
fn a_sabotaged_reference_is_rejected() {
    on_every_adapter("sharpness/tenengrad negative control", |ctx| UNDER_TEST.rejects_a_sabotaged_reference(ctx));
}
