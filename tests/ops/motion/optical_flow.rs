use crate::gpu::on_every_adapter;
use crate::pictures::*;
use crate::results::{refused, run};
use crate::table;
use frameloom::core::*;
use frameloom::gpu::GpuContext;
use frameloom::ops::motion::optical_flow::{OpticalFlowBound, OpticalFlowPlan, optical_flow};
use frameloom::ops::{BatchShape, Record};
use frameloom::reference::motion::optical_flow::{Flow, optical_flow as reference};
use frameloom::reference::{Pattern, Plane};

const SCALES: [FlowScale; 3] = [FlowScale::Full, FlowScale::Half, FlowScale::Quarter];

fn want(size: Size, before: &[u8], now: &[u8], scale: FlowScale) -> Flow {
    let plane = |data| Plane::tight(size, data).unwrap();
    reference(&plane(before), &plane(now), scale).unwrap()
}

/// Maps and sums of frame `index` against a flow of the reference, bit by bit.
#[track_caller]
fn equal(ctx: &GpuContext, bound: &OpticalFlowBound, index: u32, sums: FlowSums, want: &Flow, what: &str) {
    let unit = f64::from(1u32 << sums.level) / 64.0;
    let numbers =
        |f: &dyn Fn((i32, i32)) -> f64| want.vectors.iter().map(|v| (f(*v) * unit) as f32).collect::<Vec<f32>>();
    let read = |map: &frameloom::ops::GpuMaps| map.read_as::<f32>(ctx, index).unwrap();
    assert_eq!(bound.dx().layout().size, want.size);
    assert!(read(bound.dx()) == numbers(&|v| v.0.into()), "dx of {what}");
    assert!(read(bound.dy()) == numbers(&|v| v.1.into()), "dy of {what}");
    assert!(read(bound.magnitude()) == numbers(&|v| Flow::length(v).into()), "magnitude of {what}");
    let lengths = || want.vectors.iter().map(|v| Flow::length(*v));
    let sum = lengths().map(u64::from).sum();
    let wanted = FlowSums { sum, max: lengths().max().unwrap(), n: want.vectors.len() as u64, level: sums.level };
    assert_eq!(sums, wanted, "{what}");
}

#[track_caller]
fn trial_equal(ctx: &GpuContext, trial: &table::Trial, scale: FlowScale) {
    let (bound, sums) = optical_flow(ctx, trial.batch.as_ref(), scale).unwrap();
    let lumas: Vec<(Size, Vec<u8>)> = trial.lumas().collect();
    assert_eq!(sums.len() + 1, lumas.len());
    for (i, (pair, sums)) in lumas.windows(2).zip(sums).enumerate() {
        let want = want(pair[0].0, &pair[0].1, &pair[1].1, scale);
        equal(ctx, &bound, i as u32, sums, &want, &format!("{} {scale:?} pair {i}", trial.name));
    }
}

#[test]
fn equals_the_reference() {
    on_every_adapter("motion/optical_flow equals the reference", |ctx| {
        let mut i = 0;
        for format in LUMA_FORMATS {
            for shape in SHAPES {
                i += 1;
                poison_pool(ctx, 1 << 16);
                trial_equal(ctx, &table::uniform(ctx, layout(format, shape), i, [2, 3][i % 2]), SCALES[i % 3]);
            }
        }
        for scale in SCALES {
            trial_equal(ctx, &table::uniform(ctx, layout(PixelFormat::Gray8, (77, 55)), 0, 8), scale);
        }
    });
}

/// A scene that moves: the reference must not only be met, it must be right.
#[test]
fn a_moving_scene_is_followed() {
    on_every_adapter("motion/optical_flow moving scene", |ctx| {
        let (w, h, margin) = (200u32, 144u32, 12u32);
        // Blurred noise at two sizes has texture everywhere.
        let noise =
            |x: u32, y: u32, s: u64| i64::from(Pattern::Random { seed: s }.code(0, x, y, Size::new(1, 1), 8)) - 128;
        let texture = |x: u32, y: u32| {
            let around = |n: u32, s| {
                (0..n).flat_map(|j| (0..n).map(move |i| (i, j))).map(|(i, j)| noise(x + i, y + j, s)).sum::<i64>()
            };
            (128 + around(3, 1) / 3 + around(9, 2) / 9).clamp(0, 255) as u8
        };
        let view = |dx: i32, dy: i32| -> Vec<u8> {
            (0..h)
                .flat_map(|y| (0..w).map(move |x| (x, y)))
                .map(|(x, y)| texture((x + margin).wrapping_add_signed(-dx), (y + margin).wrapping_add_signed(-dy)))
                .collect()
        };
        let layout = layout(PixelFormat::Gray8, (w, h));
        let slot = |tight: &[u8]| {
            let mut slot = vec![0; layout.slot_bytes() as usize];
            for (to, from) in slot.chunks_mut(layout.first().stride as usize).zip(tight.chunks(w as usize)) {
                to[..w as usize].copy_from_slice(from);
            }
            slot
        };
        for (dx, dy) in [(0, 0), (1, -2), (-8, 6), (8, 8)] {
            let src = upload(ctx, &layout, &[slot(&view(0, 0)), slot(&view(dx, dy))]);
            for scale in SCALES {
                let (bound, sums) = optical_flow(ctx, &src, scale).unwrap();
                let step = 1 << scale.level();
                let (u, v) = (bound.dx().read_as::<f32>(ctx, 0).unwrap(), bound.dy().read_as::<f32>(ctx, 0).unwrap());
                let across = scale.size(layout.size).width;
                let far = |i: u32| {
                    let (x, y) = (i % across * step, i / across * step);
                    (16..w - 16).contains(&x) && (16..h - 16).contains(&y)
                };
                let errors: Vec<f32> = (0..)
                    .zip(u.iter().zip(&v))
                    .filter(|(i, _)| far(*i))
                    .map(|(_, (u, v))| (u - dx as f32).hypot(v - dy as f32))
                    .collect();
                let mean = errors.iter().sum::<f32>() / errors.len() as f32;
                // A vector per 4x4 pixels averages what this texture is made of.
                let bound = if scale == FlowScale::Quarter { 0.5 } else { 0.2 };
                assert!(mean < bound, "{dx} {dy} {scale:?}: mean end-point error {mean}");
                let length = f64::from(dx).hypot(f64::from(dy));
                assert!((sums[0].mean() - length).abs() < 1.0 && sums[0].largest() >= length - 0.1, "{sums:?}");
            }
        }
    });
}

#[test]
fn batches_may_begin_and_end_anywhere() {
    on_every_adapter("motion/optical_flow slots", |ctx| {
        let trial = table::uniform(ctx, layout(PixelFormat::Nv12, (40, 31)), 4, 5);
        let lumas: Vec<(Size, Vec<u8>)> = trial.lumas().collect();
        let shape = BatchShape::of(trial.batch.as_ref()).unwrap();
        let bound =
            OpticalFlowPlan::new(ctx, shape, FlowScale::Half).unwrap().bind(ctx, trial.batch.as_ref(), 3).unwrap();
        assert_eq!(bound.capacity(), 2);
        for map in [bound.dx(), bound.dy(), bound.magnitude()] {
            poison(ctx, map.buffer());
        }
        run(ctx, |rec| bound.record(rec, 1));
        assert!(bound.dx().read(ctx, 1).unwrap().iter().all(|b| *b == 0xFF), "one frame too many");
        for count in [1, 2] {
            run(ctx, |rec| bound.record(rec, count));
            let bytes = bound.sums().results().read(ctx, bound.sums().frame_bytes() * u64::from(count)).unwrap();
            for (i, sums) in (0..).zip(bound.sums().decode(&bytes)) {
                let (a, b) = (&lumas[2 + i as usize], &lumas[3 + i as usize]);
                equal(ctx, &bound, i, sums, &want(a.0, &a.1, &b.1, FlowScale::Half), "slots");
            }
        }
    });
}

#[test]
fn the_same_bits_every_time() {
    on_every_adapter("motion/optical_flow is deterministic", |ctx| {
        for start in [0, 1] {
            let trial = table::uniform(ctx, layout(PixelFormat::Gray8, (123, 66)), start, 2);
            let shape = BatchShape::of(trial.batch.as_ref()).unwrap();
            let plan = OpticalFlowPlan::new(ctx, shape, FlowScale::Full).unwrap();
            let bound = plan.bind(ctx, trial.batch.as_ref(), 1).unwrap();
            table::deterministic(|| {
                let sums = bound.sums().run(ctx).unwrap();
                (sums, bound.dx().read(ctx, 0).unwrap(), bound.dy().read(ctx, 0).unwrap())
            });
        }
    });
}

#[test]
fn nothing_moves_between_equal_frames() {
    on_every_adapter("motion/optical_flow equal frames", |ctx| {
        for pattern in Pattern::COMMON {
            let layout = layout(PixelFormat::Gray8, (77, 55));
            let frame = pattern.frame(&layout);
            let (_, sums) = optical_flow(ctx, &upload(ctx, &layout, &[frame.clone(), frame]), FlowScale::Full).unwrap();
            assert_eq!((sums[0].sum, sums[0].max, sums[0].n), (0, 0, 77 * 55), "{pattern:?}");
        }
    });
}

#[test]
fn what_does_not_fit_is_refused() {
    on_every_adapter("motion/optical_flow refuses", |ctx| {
        let plan = |format| OpticalFlowPlan::new(ctx, &layout(format, (20, 4)), FlowScale::Half);
        refused(plan(PixelFormat::Rgba8), "input");
        let mixed = BatchShape::mixed(PixelFormat::Gray8, Size::new(20, 4)).unwrap();
        refused(OpticalFlowPlan::new(ctx, mixed, FlowScale::Half), "input");
        let plan = plan(PixelFormat::Gray8).unwrap();
        let frames = |w| table::uniform(ctx, layout(PixelFormat::Gray8, (w, 4)), 0, 2);
        refused(plan.bind(ctx, frames(20).batch.as_ref(), 0), "first");
        refused(plan.bind(ctx, frames(20).batch.as_ref(), 2), "first");
        refused(plan.bind(ctx, frames(21).batch.as_ref(), 1), "input");
    });
}

#[test]
fn a_sabotaged_reference_is_rejected() {
    on_every_adapter("motion/optical_flow negative control", |ctx| {
        let trial = table::uniform(ctx, layout(PixelFormat::Gray8, (64, 48)), 6, 2);
        let mut lumas: Vec<(Size, Vec<u8>)> = trial.lumas().collect();
        let (bound, _) = optical_flow(ctx, trial.batch.as_ref(), FlowScale::Full).unwrap();
        let got = bound.dx().read_as::<f32>(ctx, 0).unwrap();
        let flow = |lumas: &[(Size, Vec<u8>)]| -> Vec<f32> {
            let flow = want(lumas[0].0, &lumas[0].1, &lumas[1].1, FlowScale::Full);
            flow.vectors.iter().map(|v| v.0 as f32 / 64.0).collect()
        };
        assert_eq!(got, flow(&lumas));
        lumas[1].1[64 * 20 + 30] ^= 128;
        assert_ne!(got, flow(&lumas));
    });
}
