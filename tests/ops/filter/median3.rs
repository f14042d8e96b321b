use super::{Filter, binding};
use crate::gpu::on_every_adapter;
use crate::pictures::*;
use crate::results::*;
use frameloom::core::PixelFormat;
use frameloom::ops::filter::median3::{Median3Plan, median3};
use frameloom::reference::{Pattern, filter::median3::median3 as reference};

const MEDIAN: Filter<'_> = Filter { plan: &|ctx, input| binding!(Median3Plan::new(ctx, input)), want: &reference };

#[test]
fn equals_the_reference() {
    on_every_adapter("filter/median3 equals the reference", |ctx| MEDIAN.check_all(ctx));
}

#[test]
fn slots_constants_turns_and_repeats() {
    on_every_adapter("filter/median3 slots and invariants", |ctx| {
        MEDIAN.check_slots(ctx);
        MEDIAN.check_constants(ctx);
        MEDIAN.check_symmetric(ctx);
        MEDIAN.check_deterministic(ctx);
    });
}

/// A median commutes with every monotone change of codes.
#[test]
fn monotone_changes_go_through() {
    on_every_adapter("filter/median3 monotone", |ctx| {
        let input = layout(PixelFormat::Gray8, (50, 33));
        let slot = Pattern::Random { seed: 6 }.frame(&input);
        let darker = |v: u8| (u32::from(v) * u32::from(v) / 255) as u8;
        let changed: Vec<u8> = slot.iter().map(|v| darker(*v)).collect();
        let dst = median3(ctx, &upload(ctx, &input, &[slot, changed])).unwrap();
        let got = [0, 1].map(|i| tight(&input, 0, &dst.read_slot(ctx, i).unwrap()));
        let want: Vec<u8> = got[0].iter().map(|v| darker(*v)).collect();
        same(&got[1], &want, "squared codes");
    });
}

#[test]
fn what_does_not_fit_is_refused() {
    on_every_adapter("filter/median3 refuses", |ctx| MEDIAN.check_refusals(ctx));
}

#[test]
fn a_sabotaged_reference_is_rejected() {
    on_every_adapter("filter/median3 negative control", |ctx| {
        MEDIAN.check_sabotage(ctx);
        // The largest of the nine instead of the middle one.
        let input = layout(PixelFormat::Gray8, (20, 20));
        let slot = Pattern::Random { seed: 2 }.frame(&input);
        let mut most = MEDIAN.wanted(&input, &slot);
        most[21] = (0..9).map(|i| slot[i / 3 * input.first().stride as usize + i % 3]).max().unwrap();
        assert!(differ(&MEDIAN.run(ctx, &input, &slot), &most).is_some());
    });
}
