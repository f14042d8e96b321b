use crate::gpu::on_every_adapter;
use crate::pictures::*;
use crate::resized::Resize;
use crate::results::*;
use frameloom::core::{PixelFormat, Size};
use frameloom::ops::resize::lanczos3::{Lanczos3Plan, lanczos3};
use frameloom::reference::Pattern;
use frameloom::reference::resize::lanczos3::lanczos3 as reference;

const RESIZE: Resize<'_> = Resize {
    bind: &|ctx, [input, output], (src, first), (dst, dst_first)| {
        Lanczos3Plan::new(ctx, input, output)?.bind(ctx, src, first, dst, dst_first)
    },
    want: &|plane, to| reference(plane, to).unwrap(),
};

#[test]
fn equals_the_reference() {
    on_every_adapter("resize/lanczos3 equals the reference", |ctx| RESIZE.check_all(ctx));
}

#[test]
fn the_longest_sides_equal_the_reference() {
    on_every_adapter("resize/lanczos3 long sides", |ctx| RESIZE.check_long(ctx));
}

#[test]
fn slots_constants_and_repeats() {
    on_every_adapter("resize/lanczos3 slots and invariants", |ctx| {
        RESIZE.check_slots(ctx);
        RESIZE.check_constants(ctx);
    });
}

/// What is too fine for the result is averaged away, and what is not stays.
#[test]
fn fine_patterns_do_not_alias() {
    on_every_adapter("resize/lanczos3 low-pass", |ctx| {
        let input = layout(PixelFormat::Gray8, (160, 120));
        let src = upload(ctx, &input, &paint(&input, &[Pattern::Checkerboard, Pattern::Ramp]));
        let dst = lanczos3(ctx, &src, Size::new(37, 29)).unwrap();
        let got = [0, 1].map(|i| tight(dst.layout(), 0, &dst.read_slot(ctx, i).unwrap()));
        let inner = |x: usize| (3..34).contains(&(x % 37)) && (3..26).contains(&(x / 37));
        assert!(got[0].iter().enumerate().all(|(i, v)| !inner(i) || v.abs_diff(128) <= 2), "{:?}", got[0]);
        let level = |i: usize| ((i % 37) as f64 + 0.5) * 255.0 / 37.0;
        assert!(got[1].iter().enumerate().all(|(i, v)| !inner(i) || (f64::from(*v) - level(i)).abs() < 2.5));
    });
}

#[test]
fn what_does_not_fit_is_refused() {
    on_every_adapter("resize/lanczos3 refuses", |ctx| {
        RESIZE.check_refusals(ctx);
        let gray = layout(PixelFormat::Gray8, (8, 8));
        refused(lanczos3(ctx, &poisoned(ctx, &gray, 1), Size::new(4, 0)), "to");
    });
}

#[test]
fn a_sabotaged_reference_is_rejected() {
    on_every_adapter("resize/lanczos3 negative control", |ctx| RESIZE.check_sabotage(ctx));
}
