use super::{Filter, binding};
use crate::gpu::on_every_adapter;
use crate::pictures::*;
use crate::results::*;
use frameloom::core::PixelFormat;
use frameloom::ops::filter::r#box::{BoxPlan, box_mean};
use frameloom::reference::{Pattern, filter::r#box::box_mean as reference};

fn with(size: u32, visit: impl Fn(&Filter<'_>)) {
    visit(&Filter {
        plan: &|ctx, input| binding!(BoxPlan::new(ctx, input, size)),
        want: &|plane| reference(plane, size).unwrap(),
    });
}

#[test]
fn equals_the_reference() {
    on_every_adapter("filter/box equals the reference", |ctx| with(3, |f| f.check_all(ctx)));
}

#[test]
fn every_kind_of_window_equals_the_reference() {
    on_every_adapter("filter/box windows", |ctx| {
        for size in [1, 2, 4, 6, 15, 16, 18, 31, 255] {
            with(size, |f| f.check_some(ctx));
        }
    });
}

#[test]
fn slots_constants_turns_and_repeats() {
    on_every_adapter("filter/box slots and invariants", |ctx| {
        with(7, |f| {
            f.check_slots(ctx);
            f.check_symmetric(ctx);
            f.check_deterministic(ctx);
        });
        for size in [2, 16, 18, 255] {
            with(size, |f| f.check_constants(ctx));
        }
    });
}

/// Halves go to the even code, in large windows.
#[test]
fn halves_are_rounded_to_even() {
    on_every_adapter("filter/box halves", |ctx| {
        let input = layout(PixelFormat::Gray8, (18 * 4, 18 * 3));
        for low in [10u8, 11] {
            // Columns low and low + 1 in turn: every window holds 9 of each.
            let stride = input.first().stride as usize;
            let slot: Vec<u8> = (0..input.slot_bytes() as usize).map(|i| low + (i % stride % 2) as u8).collect();
            let dst = box_mean(ctx, &upload(ctx, &input, &[slot]), 18).unwrap();
            let got = tight(&input, 0, &dst.read_slot(ctx, 0).unwrap());
            let middle = got[18 * 4 * 20 + 30];
            assert_eq!(middle, low + low % 2);
        }
    });
}

#[test]
fn what_does_not_fit_is_refused() {
    on_every_adapter("filter/box refuses", |ctx| {
        let input = layout(PixelFormat::Gray8, (8, 8));
        for size in [0, 256] {
            refused(BoxPlan::new(ctx, &input, size), "size");
        }
        with(3, |f| f.check_refusals(ctx));
    });
}

#[test]
fn a_sabotaged_reference_is_rejected() {
    on_every_adapter("filter/box negative control", |ctx| {
        with(4, |f| {
            f.check_sabotage(ctx);
            // Rounded to nearest instead of as OpenCV does for powers of two.
            let input = layout(PixelFormat::Gray8, (40, 30));
            let slot = Pattern::Random { seed: 2 }.frame(&input);
            let got = f.run(ctx, &input, &slot);
            let inner = |x: usize, y: usize| {
                let at = |i: usize| u32::from(slot[(y - 2 + i / 4) * input.first().stride as usize + x - 2 + i % 4]);
                (((0..16).map(at).sum::<u32>() + 8) / 16) as u8
            };
            let nearest = (2..28).flat_map(|y| (2..38).map(move |x| (x, y)));
            assert!(nearest.into_iter().any(|(x, y)| got[y * 40 + x] != inner(x, y)));
        });
    });
}
