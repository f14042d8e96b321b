use super::derivatives::{bits, later_maps, later_pictures, maps, pictures, refuses_maps, refuses_pictures, slot};
use crate::gpu::on_every_adapter;
use crate::pictures::*;
use crate::results::*;
use crate::table;
use frameloom::core::{PixelFormat, Size};
use frameloom::ops::edges::laplacian::{plan_magnitude, plan_map};
use frameloom::ops::{BatchShape, MapSample};
use frameloom::reference::edges::laplacian as reference;
use frameloom::reference::{Pattern, Plane};

fn map(size: Size, data: &[u8]) -> Vec<u16> {
    bits(&reference::laplacian(&Plane::tight(size, data).unwrap()).unwrap())
}

fn magnitude(size: Size, data: &[u8]) -> Vec<u8> {
    reference::magnitude(&Plane::tight(size, data).unwrap()).unwrap()
}

#[test]
fn equals_the_reference() {
    on_every_adapter("edges/laplacian equals the reference", |ctx| {
        table::each(ctx, &LUMA_FORMATS, |trial| {
            let shape = BatchShape::of(trial.batch.as_ref()).unwrap();
            let got = pictures(ctx, &plan_magnitude(ctx, shape).unwrap(), trial);
            for (got, (size, data)) in got.iter().zip(trial.lumas()) {
                same(got, &magnitude(size, &data), &trial.name);
            }
            if !shape.is_mixed() {
                let got = maps(ctx, &plan_map(ctx, shape).unwrap(), trial.batch.as_ref());
                assert!(
                    got.iter().flatten().zip(trial.lumas()).all(|(g, (size, data))| *g == map(size, &data)),
                    "{}",
                    trial.name
                );
            }
        });
    });
}

#[test]
fn planes_have_no_laplacian_inside_and_negatives_change_its_sign() {
    on_every_adapter("edges/laplacian of planes and negatives", |ctx| {
        let of = |size: (u32, u32), data: &[u8]| -> Vec<i16> {
            let layout = layout(PixelFormat::Gray8, size);
            let got = maps(ctx, &plan_map(ctx, &layout).unwrap(), &upload(ctx, &layout, &[slot(&layout, data)]));
            got[0][0].iter().map(|v| v.cast_signed()).collect()
        };
        for (w, h) in [(3, 3), (16, 5), (35, 21)] {
            let inclined: Vec<u8> = (0..h).flat_map(|y| (0..w).map(move |x| (3 * x + 2 * y) as u8)).collect();
            let inside = |(i, v): (usize, i16)| {
                let (x, y) = (i as u32 % w, i as u32 / w);
                x == 0 || y == 0 || x + 1 == w || y + 1 == h || v == 0
            };
            assert!(of((w, h), &inclined).into_iter().enumerate().all(inside), "{w}x{h}");
            let random = Pattern::Random { seed: u64::from(w) }.plane(Size::new(w, h), 1, w as usize);
            let negative: Vec<u8> = random.iter().map(|v| 255 - v).collect();
            let turned: Vec<i16> = of((w, h), &negative).into_iter().map(|v| -v).collect();
            assert_eq!(of((w, h), &random), turned, "{w}x{h}");
        }
    });
}

#[test]
fn binds_from_a_later_slot() {
    on_every_adapter("edges/laplacian slots", |ctx| {
        later_pictures(ctx, plan_magnitude, &magnitude);
        later_maps(ctx, plan_map, &map);
    });
}

#[test]
fn the_same_bits_every_time() {
    on_every_adapter("edges/laplacian is deterministic", |ctx| {
        let trial = table::uniform(ctx, layout(PixelFormat::Gray8, (99, 41)), 0, 2);
        let plan = plan_map(ctx, BatchShape::of(trial.batch.as_ref()).unwrap()).unwrap();
        table::deterministic(|| maps(ctx, &plan, trial.batch.as_ref()));
    });
}

#[test]
fn what_does_not_fit_is_refused() {
    on_every_adapter("edges/laplacian refuses", |ctx| {
        refuses_pictures(ctx, plan_magnitude);
        refuses_maps(ctx, plan_map, MapSample::I16);
    });
}

#[test]
fn a_sabotaged_reference_is_rejected() {
    on_every_adapter("edges/laplacian negative control", |ctx| {
        let trial = table::uniform(ctx, layout(PixelFormat::Gray8, (33, 9)), 0, 1);
        let shape = BatchShape::of(trial.batch.as_ref()).unwrap();
        let (size, mut data) = trial.lumas().next().unwrap();
        let got = maps(ctx, &plan_map(ctx, shape).unwrap(), trial.batch.as_ref()).remove(0);
        let right = pictures(ctx, &plan_magnitude(ctx, shape).unwrap(), &trial).remove(0);
        assert!(got[0] == map(size, &data) && differ(&right, &magnitude(size, &data)).is_none());
        *data.last_mut().unwrap() ^= 1;
        assert!(got[0] != map(size, &data) && differ(&right, &magnitude(size, &data)).is_some());
    });
}
