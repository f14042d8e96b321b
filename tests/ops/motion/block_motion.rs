use crate::gpu::on_every_adapter;
use crate::pictures::*;
use crate::results::{refused, run};
use crate::table;
use frameloom::core::*;
use frameloom::gpu::GpuContext;
use frameloom::ops::motion::block_motion::{BlockMotionPlan, block_motion};
use frameloom::ops::{BatchShape, Record};
use frameloom::reference::{self, Pattern, Plane};

const SEARCH: BlockSearch = BlockSearch { block: 16, range: 7 };

fn want(size: Size, before: &[u8], now: &[u8], search: BlockSearch) -> Vec<BlockVector> {
    let plane = |data| Plane::tight(size, data).unwrap();
    reference::motion::block_motion::block_motion(&plane(before), &plane(now), search).unwrap()
}

fn all(trial: &table::Trial, search: BlockSearch) -> Vec<Vec<BlockVector>> {
    let lumas: Vec<(Size, Vec<u8>)> = trial.lumas().collect();
    lumas.windows(2).map(|pair| want(pair[0].0, &pair[0].1, &pair[1].1, search)).collect()
}

/// Parameters of the `i`-th trial.
fn search(i: u32) -> BlockSearch {
    BlockSearch { block: 8 + 8 * (i & 1), range: [1, 7, 8, 16, 2, 11, 15][i as usize % 7] }
}

#[test]
fn equals_the_reference() {
    on_every_adapter("motion/block_motion equals the reference", |ctx| {
        let mut i = 0;
        for format in LUMA_FORMATS {
            for shape in SHAPES {
                i += 1;
                let trial = table::uniform(ctx, layout(format, shape), i as usize, [2, 3][i as usize % 2]);
                poison_pool(ctx, 1 << 16);
                let search = search(i);
                let got = block_motion(ctx, trial.batch.as_ref(), search).unwrap();
                assert_eq!(got, all(&trial, search), "{} {search:?}", trial.name);
            }
        }
        // All patterns after each other, ties everywhere.
        let trial = table::uniform(ctx, layout(PixelFormat::Gray8, (77, 55)), 0, 8);
        for i in 0..4 {
            assert_eq!(block_motion(ctx, trial.batch.as_ref(), search(i)).unwrap(), all(&trial, search(i)), "{i}");
        }
    });
}

/// Large enough for several dispatches. Blocks away from the border of a cut-out have all their candidates in it.
#[test]
fn a_search_in_several_dispatches_is_one() {
    on_every_adapter("motion/block_motion several dispatches", |ctx| {
        let size = Size::new(1024, 512);
        let cut = Size::new(80, 64);
        for (start, block) in [(0, 16), (4, 8)] {
            let search = BlockSearch { block, range: 16 };
            let trial = table::uniform(ctx, layout(PixelFormat::Gray8, (size.width, size.height)), start, 3);
            let lumas: Vec<_> = trial.lumas().collect();
            let all = block_motion(ctx, trial.batch.as_ref(), search).unwrap();
            let view = |data: &[u8], x: usize, y: usize| -> Vec<u8> {
                (y..y + 64).flat_map(|row| data[row * 1024 + x..][..80].iter().copied()).collect()
            };
            for (got, pair) in all.iter().zip(lumas.windows(2)) {
                for (x, y) in [(0, 0), (480, 240), (944, 448)] {
                    let want = want(cut, &view(&pair[0].1, x, y), &view(&pair[1].1, x, y), search);
                    let across = search.blocks(cut).width as usize;
                    for (i, want) in want.iter().enumerate() {
                        let (bx, by) = (i % across, i / across);
                        let inner = |at: usize, side: usize| (16..=side - 16 - block as usize).contains(&at);
                        if inner(bx * block as usize, 80) && inner(by * block as usize, 64) {
                            let at = (y / block as usize + by) * search.blocks(size).width as usize
                                + x / block as usize
                                + bx;
                            assert_eq!(got[at], *want, "patterns from {start}, block {bx},{by} of {x},{y}");
                        }
                    }
                }
            }
        }
    });
}

/// A scene moved by a known vector: blocks away from the border find it, and nothing is left over.
#[test]
fn a_moved_scene_is_found_without_difference() {
    on_every_adapter("motion/block_motion moved scene", |ctx| {
        let big = Pattern::Random { seed: 5 }.plane(Size::new(160, 120), 1, 160);
        let view = |x: usize, y: usize| -> Vec<u8> {
            (0..80).flat_map(|r| big[(y + r) * 160 + x..][..112].iter().copied()).collect()
        };
        let layout = layout(PixelFormat::Gray8, (112, 80));
        for (dx, dy) in [(3, -5), (-16, 16), (0, 1), (15, 9)] {
            let (before, now) = (view(20, 20), view((20 + dx) as usize, (20 + dy) as usize));
            let src = upload(ctx, &layout, &[before, now]);
            for block in [8, 16] {
                let search = BlockSearch { block, range: 16 };
                let got = block_motion(ctx, &src, search).unwrap().remove(0);
                let across = search.blocks(layout.size).width;
                let inner = |i: u32| {
                    let (x, y) = ((i % across * block) as i32, (i / across * block) as i32);
                    (16..=80).contains(&x) && (16..=48).contains(&y)
                };
                let found: Vec<_> = (0..).zip(&got).filter(|(i, _)| inner(*i)).collect();
                assert!(
                    found.len() > 8 && found.iter().all(|(_, v)| **v == BlockVector { dx, dy, sad: 0 }),
                    "{dx} {dy}"
                );
            }
        }
    });
}

#[test]
fn batches_may_begin_and_end_anywhere() {
    on_every_adapter("motion/block_motion slots", |ctx| {
        let trial = table::uniform(ctx, layout(PixelFormat::Nv12, (40, 31)), 4, 5);
        let want = all(&trial, SEARCH);
        let plan = BlockMotionPlan::new(ctx, BatchShape::of(trial.batch.as_ref()).unwrap(), SEARCH).unwrap();
        let bound = plan.bind(ctx, trial.batch.as_ref(), 3).unwrap();
        assert_eq!(bound.capacity(), 2);
        for map in [bound.dx(), bound.dy(), bound.sad()] {
            poison(ctx, map.buffer());
        }
        run(ctx, |rec| bound.record(rec, 1));
        assert_eq!(bound.read(ctx, 0).unwrap(), want[2]);
        assert!(bound.sad().read_as::<u32>(ctx, 1).unwrap().iter().all(|v| *v == u32::MAX), "one frame too many");
        run(ctx, |rec| bound.record(rec, 9));
        assert_eq!([bound.read(ctx, 0).unwrap(), bound.read(ctx, 1).unwrap()], want[2..]);
        let single = table::uniform(ctx, layout(PixelFormat::Nv12, (40, 31)), 4, 1);
        assert!(block_motion(ctx, single.batch.as_ref(), SEARCH).unwrap().is_empty());
    });
}

#[test]
fn the_same_bits_every_time() {
    on_every_adapter("motion/block_motion is deterministic", |ctx| {
        for start in [0, 1] {
            let trial = table::uniform(ctx, layout(PixelFormat::Gray8, (123, 66)), start, 2);
            table::deterministic(|| block_motion(ctx, trial.batch.as_ref(), SEARCH).unwrap());
        }
    });
}

#[test]
fn what_does_not_fit_is_refused() {
    on_every_adapter("motion/block_motion refuses", |ctx| {
        let plan = |format, search| BlockMotionPlan::new(ctx, &layout(format, (20, 4)), search);
        refused(plan(PixelFormat::Rgba8, SEARCH), "input");
        refused(plan(PixelFormat::Gray8, BlockSearch { block: 12, ..SEARCH }), "block");
        refused(plan(PixelFormat::Gray8, BlockSearch { range: 0, ..SEARCH }), "range");
        refused(plan(PixelFormat::Gray8, BlockSearch { range: 17, ..SEARCH }), "range");
        let mixed = BatchShape::mixed(PixelFormat::Gray8, Size::new(20, 4)).unwrap();
        refused(BlockMotionPlan::new(ctx, mixed, SEARCH), "input");
        let plan = plan(PixelFormat::Gray8, SEARCH).unwrap();
        let frames = |ctx: &GpuContext, w| table::uniform(ctx, layout(PixelFormat::Gray8, (w, 4)), 0, 2);
        refused(plan.bind(ctx, frames(ctx, 20).batch.as_ref(), 0), "first");
        refused(plan.bind(ctx, frames(ctx, 20).batch.as_ref(), 2), "first");
        refused(plan.bind(ctx, frames(ctx, 21).batch.as_ref(), 1), "input");
    });
}

#[test]
fn a_sabotaged_reference_is_rejected() {
    on_every_adapter("motion/block_motion negative control", |ctx| {
        let trial = table::uniform(ctx, layout(PixelFormat::Gray8, (33, 19)), 6, 2);
        let got = block_motion(ctx, trial.batch.as_ref(), SEARCH).unwrap().remove(0);
        let mut lumas: Vec<(Size, Vec<u8>)> = trial.lumas().collect();
        *lumas[1].1.last_mut().unwrap() ^= 128;
        assert_ne!(got, want(lumas[0].0, &lumas[0].1, &lumas[1].1, SEARCH));
    });
}
