use super::Measured;
use crate::gpu::on_every_adapter;
use crate::pictures::*;
use crate::results::refused;
use crate::table;
use frameloom::core::{BlurMap, PixelFormat, Size};
use frameloom::ops::sharpness::blur_map::{BlurMapPlan, blur_map};
use frameloom::reference::sharpness::blur_map::blur_map as reference;
use frameloom::reference::sharpness::laplacian_variance::laplacian_variance;
use frameloom::reference::{Pattern, Plane};

const UNDER_TEST: Measured<'static, BlurMap> = Measured {
    bind: &|ctx, shape, src, first| BlurMapPlan::new(ctx, shape, 16)?.bind(ctx, src, first),
    reference: &|plane| reference(plane, 16),
};

#[test]
fn equals_the_reference() {
    on_every_adapter("sharpness/blur_map equals the reference", |ctx| UNDER_TEST.equals_the_reference(ctx));
}

#[test]
fn every_size_of_tile_equals_the_reference_and_loses_no_pixel() {
    on_every_adapter("sharpness/blur_map tiles", |ctx| {
        for (i, size) in [(300, 290), (257, 33), (16, 300)].into_iter().enumerate() {
            let trial = table::uniform(ctx, layout(PixelFormat::Gray8, size), i * 5, 2);
            for tile in (16..=256).step_by(if i == 0 { 16 } else { 80 }) {
                for (got, (size, data)) in blur_map(ctx, trial.batch.as_ref(), tile).unwrap().iter().zip(trial.lumas())
                {
                    let plane = Plane::tight(size, &data).unwrap();
                    assert_eq!(*got, reference(&plane, tile).unwrap(), "{size} in {tile}");
                    assert_eq!(got.total(), laplacian_variance(&plane).unwrap(), "{size} in {tile}");
                }
            }
        }
    });
}

/// The largest sums a tile can have: every pixel at the end of its range.
#[test]
fn the_largest_sums_do_not_overflow() {
    on_every_adapter("sharpness/blur_map overflow", |ctx| {
        let layout = layout(PixelFormat::Gray8, (512, 256));
        let src = upload(ctx, &layout, &[Pattern::Checkerboard.frame(&layout)]);
        let map = blur_map(ctx, &src, 256).unwrap().remove(0);
        assert_eq!(map.size, Size::new(2, 1));
        assert!(map.tiles.iter().all(|t| (t.n, t.sum, t.sum_sq) == (65_536, 0, 65_536 * 1_040_400)), "{map:?}");
    });
}

#[test]
fn a_blurred_corner_shows() {
    on_every_adapter("sharpness/blur_map of a blurred corner", |ctx| {
        let mut data = Pattern::Random { seed: 8 }.plane(Size::new(40, 40), 1, 40);
        for y in 0..24 {
            data[y * 40..y * 40 + 24].fill(90);
        }
        let map = UNDER_TEST.of_gray(ctx, (40, 40), &data);
        let variances = map.variances();
        assert_eq!((map.size, variances[0]), (Size::new(3, 3), 0.0));
        assert!(variances[1..].iter().all(|v| *v > 1000.0), "{variances:?}");
    });
}

#[test]
fn binds_from_a_later_slot() {
    on_every_adapter("sharpness/blur_map slots", |ctx| UNDER_TEST.binds_from_a_later_slot(ctx));
}

#[test]
fn the_same_bits_every_time() {
    on_every_adapter("sharpness/blur_map is deterministic", |ctx| UNDER_TEST.deterministic(ctx));
}

#[test]
fn what_does_not_fit_is_refused() {
    on_every_adapter("sharpness/blur_map refuses", |ctx| {
        UNDER_TEST.refuses(ctx);
        for tile in [0, 8, 24, 272] {
            refused(BlurMapPlan::new(ctx, &layout(PixelFormat::Gray8, (40, 40)), tile), "tile");
        }
    });
}

#[test]
fn a_sabotaged_reference_is_rejected() {
    on_every_adapter("sharpness/blur_map negative control", |ctx| UNDER_TEST.rejects_a_sabotaged_reference(ctx));
}
