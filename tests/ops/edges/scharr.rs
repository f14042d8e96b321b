use super::derivatives::Operator;
use crate::gpu::on_every_adapter;
use frameloom::ops::edges::scharr::{plan_derivatives, plan_magnitude, plan_norm};
use frameloom::reference::edges::scharr::scharr as reference;

const UNDER_TEST: Operator =
    Operator { derivatives: plan_derivatives, magnitude: plan_magnitude, norm: plan_norm, reference };

#[test]
fn equals_the_reference() {
    on_every_adapter("edges/scharr equals the reference", |ctx| UNDER_TEST.equals_the_reference(ctx));
}

#[test]
fn turns_with_the_picture() {
    on_every_adapter("edges/scharr of turned pictures", |ctx| UNDER_TEST.turns_with_the_picture(ctx));
}

#[test]
fn binds_from_a_later_slot() {
    on_every_adapter("edges/scharr slots", |ctx| UNDER_TEST.binds_from_a_later_slot(ctx));
}

#[test]
fn the_same_bits_every_time() {
    on_every_adapter("edges/scharr is deterministic", |ctx| UNDER_TEST.deterministic(ctx));
}

#[test]
fn what_does_not_fit_is_refused() {
    on_every_adapter("edges/scharr refuses", |ctx| UNDER_TEST.refuses(ctx));
}

#[test]
fn a_sabotaged_reference_is_rejected() {
    on_every_adapter("edges/scharr negative control", |ctx| UNDER_TEST.rejects_a_sabotaged_reference(ctx));
}
