use crate::gpu::on_every_adapter;
use crate::occlusion::{plane, read};
use crate::pictures::layout;
use crate::results::{differ, refused, run, same, tight};
use crate::table::{self, Trial};
use frameloom::core::blend::{OverTile, Tile};
use frameloom::core::{Covered, PixelFormat};
use frameloom::gpu::GpuContext;
use frameloom::ops::blend::feather_composite::{Composite, FeatherCompositePlan, Overlay, feather_composite};
use frameloom::ops::{BatchShape, FrameBatch};
use frameloom::reference::blend::feather_composite::{feather_composite as reference, feather_over};
use proptest::prelude::*;

/// Tiles of many sizes; the last fits on every canvas.
fn tiles(ctx: &GpuContext) -> Trial {
    let sizes = [(40, 30), (64, 16), (7, 50), (16, 16), (5, 4), (33, 41), (1, 1)];
    table::mixed(ctx, PixelFormat::Rgba8, &sizes, 0)
}

/// As many tiles as fit, spread and overlapping, up to `count`.
fn spread(trial: &Trial, tiles: &Trial, count: u32, feather: u32) -> Vec<Composite> {
    let one = |(l, _): &(frameloom::core::FrameLayout, Vec<u8>)| {
        let place = |i: u32| {
            let slot = i % tiles.pictures.len() as u32;
            let tile = tiles.pictures[slot as usize].0.size;
            let free = |side: u32, part: u32| side.checked_sub(part);
            let (x, y) = (free(l.size.width, tile.width)?, free(l.size.height, tile.height)?);
            Some(Tile { slot, x: (i * 13) % (x + 1), y: (i * 7) % (y + 1) })
        };
        Composite { tiles: (0..count).filter_map(place).collect(), feather }
    };
    trial.pictures.iter().map(one).collect()
}

fn want(trial: &Trial, tiles: &Trial, composites: &[Composite]) -> Vec<(Vec<u8>, Covered)> {
    let tile = |t: &Tile| {
        let (l, bytes) = &tiles.pictures[t.slot as usize];
        (plane(l, bytes), t.x, t.y)
    };
    let one = |((l, bytes), c): (&(frameloom::core::FrameLayout, Vec<u8>), &Composite)| {
        reference(&plane(l, bytes), &c.tiles.iter().map(tile).collect::<Vec<_>>(), c.feather).unwrap()
    };
    trial.pictures.iter().zip(composites).map(one).collect()
}

fn check(ctx: &GpuContext, trial: &Trial, tiles: &Trial, composites: &[Composite]) {
    let (out, covered) = feather_composite(ctx, trial.batch.as_ref(), tiles.batch.as_ref(), composites).unwrap();
    for (i, (picture, area)) in want(trial, tiles, composites).into_iter().enumerate() {
        same(&read(ctx, &out, i as u32), &picture, format!("{} canvas {i}", trial.name));
        assert_eq!(covered[i], area, "{} canvas {i}", trial.name);
    }
}

#[test]
fn equals_the_reference() {
    on_every_adapter("blend/feather_composite equals the reference", |ctx| {
        let tiles = tiles(ctx);
        let mut turn = 0;
        table::each(ctx, &[PixelFormat::Rgba8], |trial| {
            turn += 1;
            check(ctx, trial, &tiles, &spread(trial, &tiles, [2, 9, 25, 0][turn % 4], [8, 1, 3, 200][turn % 4]));
        });
    });
}

/// Tiles that fade into the canvas, with flush sides, strengths and insets in turn.
#[test]
fn over_a_canvas_equals_the_reference() {
    on_every_adapter("blend/feather_composite over a canvas equals the reference", |ctx| {
        let tiles = tiles(ctx);
        let mut turn = 0u32;
        table::each(ctx, &[PixelFormat::Rgba8], |trial| {
            turn += 1;
            let (count, feather, inset) = [(2, 8, 0), (9, 1, 2), (25, 3, 1), (0, 9, 0)][turn as usize % 4];
            let overlay = |c: Composite| {
                let over = |(i, tile): (u32, Tile)| OverTile {
                    tile,
                    flush: [0, 1, 2, 3].map(|bit| (turn + i) >> bit & 1 == 1),
                    strength: (turn * 5 + i * 3) % 16 + 1,
                };
                Overlay { tiles: (0..).zip(c.tiles).map(over).collect(), feather, inset }
            };
            let overlays: Vec<_> = spread(trial, &tiles, count, feather).into_iter().map(overlay).collect();
            let src = trial.batch.as_ref();
            let canvases = frameloom::ops::GpuPictures::like(ctx, "test", PixelFormat::Rgba8, src).unwrap();
            for (i, (_, bytes)) in (0..).zip(&trial.pictures) {
                FrameBatch::buffer(&canvases).write(ctx, canvases.slot(i).unwrap().0, bytes).unwrap();
            }
            let shapes = (BatchShape::of(src).unwrap(), BatchShape::of(tiles.batch.as_ref()).unwrap());
            let plan = FeatherCompositePlan::new(ctx, shapes.0, shapes.1).unwrap();
            let covered = plan.bind_over(ctx, &canvases, 0, tiles.batch.as_ref(), &overlays).unwrap().run(ctx).unwrap();
            for (i, ((l, bytes), overlay)) in trial.pictures.iter().zip(&overlays).enumerate() {
                let placed = |t: &OverTile| {
                    let (l, bytes) = &tiles.pictures[t.tile.slot as usize];
                    (plane(l, bytes), *t)
                };
                let placed: Vec<_> = overlay.tiles.iter().map(placed).collect();
                let (want, area) = feather_over(&plane(l, bytes), &placed, (feather, inset)).unwrap();
                same(&read(ctx, &canvases, i as u32), &want, format!("{} canvas {i}", trial.name));
                assert_eq!(covered[i], area, "{} canvas {i}", trial.name);
            }
        });
    });
}

/// The largest weights that are allowed do not overflow: many equal white tiles over each other.
#[test]
fn the_largest_sums_fit() {
    on_every_adapter("blend/feather_composite largest sums", |ctx| {
        let trial = table::uniform(ctx, layout(PixelFormat::Rgba8, (182, 182)), 0, 1);
        let white = table::uniform(ctx, layout(PixelFormat::Rgba8, (182, 182)), 2, 1);
        // 2047 * 90^2 is 99 % of what is allowed; in the middle of a tile of 182 pixels both ramps are at their largest.
        let composite = Composite { tiles: vec![Tile { slot: 0, x: 0, y: 0 }; 2047], feather: 90 };
        let (out, covered) = feather_composite(ctx, trial.batch.as_ref(), white.batch.as_ref(), &[composite]).unwrap();
        assert!(read(ctx, &out, 0).iter().all(|v| *v == 255));
        assert_eq!(covered[0].share(), 1.0);
    });
}

/// Tiles cut out of one picture give it back, wherever two, three or four of them meet; the rest is the background.
#[test]
fn cuts_of_one_picture_give_it_back() {
    on_every_adapter("blend/feather_composite identity", |ctx| {
        let mut runner =
            proptest::test_runner::TestRunner::new(ProptestConfig { cases: 12, ..ProptestConfig::default() });
        let tile = (0u32..60, 0u32..40, 1u32..40, 1u32..30);
        runner
            .run(&(prop::collection::vec(tile, 1..9), 1u32..40, any::<u64>()), |(cuts, feather, seed)| {
                let l = layout(PixelFormat::Rgba8, (67, 45));
                let source = tight(&l, 0, &frameloom::reference::Pattern::Random { seed }.frame(&l));
                let canvas = table::uniform(ctx, l, 3, 1);
                let mut composite = Composite { tiles: Vec::new(), feather };
                let mut pictures = Vec::new();
                let mut covered = vec![false; 67 * 45];
                for (i, (x, y, w, h)) in cuts.into_iter().enumerate() {
                    let (w, h) = (w.min(67 - x), h.min(45 - y));
                    let cut = layout(PixelFormat::Rgba8, (w, h));
                    let mut bytes = vec![0xEE; cut.slot_bytes() as usize];
                    for j in 0..h {
                        let (to, from) = ((j * cut.first().stride) as usize, (((y + j) * 67 + x) * 4) as usize);
                        let row = 4 * w as usize;
                        bytes[to..to + row].copy_from_slice(&source[from..from + row]);
                        (x..x + w).for_each(|x| covered[((y + j) * 67 + x) as usize] = true);
                    }
                    composite.tiles.push(Tile { slot: i as u32, x, y });
                    pictures.push((cut.size, bytes));
                }
                let refs: Vec<_> = pictures.iter().map(|(size, bytes)| (*size, bytes.as_slice())).collect();
                let tiles = frameloom::ops::GpuPictures::from_host(ctx, "test", PixelFormat::Rgba8, &refs).unwrap();
                let (out, area) = feather_composite(ctx, canvas.batch.as_ref(), &tiles, &[composite]).unwrap();
                let got = read(ctx, &out, 0);
                let background = tight(&l, 0, &canvas.pictures[0].1);
                for (i, inside) in covered.iter().enumerate() {
                    let want = if *inside { &source } else { &background };
                    prop_assert_eq!(&got[4 * i..4 * i + 4], &want[4 * i..4 * i + 4]);
                }
                prop_assert_eq!(area[0].pixels, covered.iter().filter(|c| **c).count() as u64);
                Ok(())
            })
            .unwrap();
    });
}

#[test]
fn slots_and_repeats() {
    on_every_adapter("blend/feather_composite slots, determinism, negative control", |ctx| {
        let tiles = tiles(ctx);
        let trial = table::mixed(ctx, PixelFormat::Rgba8, &[(80, 60), (70, 90), (50, 50)], 0);
        let composites = spread(&trial, &tiles, 6, 5);
        let canvases = trial.batch.as_ref();
        let plan = FeatherCompositePlan::new(
            ctx,
            BatchShape::of(canvases).unwrap(),
            BatchShape::of(tiles.batch.as_ref()).unwrap(),
        )
        .unwrap();
        let bound = plan.bind(ctx, canvases, 1, tiles.batch.as_ref(), &composites[1..]).unwrap();
        run(ctx, |rec| bound.record(rec, 1));
        let want = want(&trial, &tiles, &composites);
        let before = |i: usize| tight(&trial.pictures[i].0, 0, &trial.pictures[i].1);
        same(&read(ctx, canvases, 0), &before(0), "before");
        same(&read(ctx, canvases, 1), &want[1].0, "bound");
        same(&read(ctx, canvases, 2), &before(2), "not recorded");
        // Inside tiles the canvas itself does not count, so it may be recorded again.
        table::deterministic(|| (bound.run(ctx).unwrap(), read(ctx, canvases, 1), read(ctx, canvases, 2)));
        assert_eq!(bound.run(ctx).unwrap(), [want[1].1, want[2].1]);
        same(&read(ctx, canvases, 2), &want[2].0, "recorded later");
        let mut sabotaged = want[1].0.clone();
        sabotaged[4 * 70 * 5] ^= 1;
        assert!(differ(&read(ctx, canvases, 1), &sabotaged).is_some());
        let other = Composite { feather: 6, ..composites[1].clone() };
        let other = self::want(&trial, &tiles, &[composites[0].clone(), other]).remove(1).0;
        assert!(differ(&read(ctx, canvases, 1), &other).is_some(), "another feather");
    });
}

#[test]
fn what_does_not_fit_is_refused() {
    on_every_adapter("blend/feather_composite refuses", |ctx| {
        let (rgba, gray) = (layout(PixelFormat::Rgba8, (8, 8)), layout(PixelFormat::Gray8, (8, 8)));
        refused(FeatherCompositePlan::new(ctx, &gray, &rgba), "input");
        refused(FeatherCompositePlan::new(ctx, &rgba, &gray), "tiles");
        let trial = table::uniform(ctx, rgba, 0, 1);
        let small = table::uniform(ctx, layout(PixelFormat::Rgba8, (4, 4)), 0, 2);
        let of = |tiles: Vec<Tile>, feather| {
            feather_composite(ctx, trial.batch.as_ref(), small.batch.as_ref(), &[Composite { tiles, feather }])
        };
        let tile = Tile { slot: 1, x: 4, y: 4 };
        assert!(of(vec![tile], 3).is_ok());
        refused(of(vec![Tile { x: 5, ..tile }], 3), "tiles");
        refused(of(vec![Tile { y: u32::MAX, ..tile }], 3), "tiles");
        refused(of(vec![Tile { slot: 2, ..tile }], 3), "tiles");
        refused(of(vec![tile; 2049], 1), "tiles");
        refused(of(vec![tile], 0), "feather");
        refused(of(vec![tile; 2], 4000), "feather");
        refused(feather_composite(ctx, trial.batch.as_ref(), small.batch.as_ref(), &[]), "composites");
        let over = |strength, feather, x| {
            let plan = FeatherCompositePlan::new(ctx, &rgba, small.pictures.first().map(|(l, _)| l).unwrap()).unwrap();
            let tile = OverTile { tile: Tile { x, ..tile }, flush: [false; 4], strength };
            plan.bind_over(
                ctx,
                trial.batch.as_ref(),
                0,
                small.batch.as_ref(),
                &[Overlay { tiles: vec![tile], feather, inset: 0 }],
            )
        };
        assert!(over(16, 1000, 4).is_ok());
        refused(over(0, 3, 4), "strength");
        refused(over(17, 3, 4), "strength");
        refused(over(16, 0, 4), "feather");
        refused(over(16, 1100, 4), "feather");
        refused(over(16, 3, 5), "tiles");
        let plan = FeatherCompositePlan::new(ctx, &rgba, &rgba).unwrap();
        let same: &dyn FrameBatch = trial.batch.as_ref();
        let composite = Composite { tiles: vec![], feather: 1 };
        refused(plan.bind(ctx, same, 0, same, &[composite]), "tiles");
    });
}
