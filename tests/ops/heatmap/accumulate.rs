use crate::gpu::on_every_adapter;
use crate::pictures::*;
use frameloom::Error;
use frameloom::core::*;
use frameloom::gpu::{GpuContext, Recorder};
use frameloom::ops::{GpuFrames, heatmap::accumulate::*};
use frameloom::reference::{self, FrameSlot, Plane};

const MODES: [HeatMode; 5] = [
    HeatMode::CountOver { threshold: 0 },
    HeatMode::CountOver { threshold: 25 },
    HeatMode::CountOver { threshold: 255 },
    HeatMode::SumAbs,
    HeatMode::SumValues,
];

/// The map of `frames[first..]`, with the frame before `first` as the previous one.
fn want(layout: &FrameLayout, frames: &[Vec<u8>], first: usize, mode: HeatMode) -> Vec<u32> {
    let luma: Vec<Vec<u8>> = frames.iter().map(|f| FrameSlot::new(*layout, f).unwrap().luma8().unwrap()).collect();
    let planes: Vec<Plane<'_>> = luma.iter().map(|s| Plane::tight(layout.size, s).unwrap()).collect();
    let mut heat = vec![0; layout.size.area() as usize];
    let previous = first.checked_sub(1).map(|i| &planes[i]);
    reference::heatmap::accumulate::accumulate(&mut heat, previous, &planes[first..], mode).unwrap();
    heat
}

fn empty(ctx: &GpuContext, layout: &FrameLayout, mode: HeatMode) -> HeatAccumulator {
    let map_bytes = u64::from(layout.size.width.next_multiple_of(16)) * 4 * u64::from(layout.size.height);
    poison_pool(ctx, map_bytes);
    HeatAccumulator::new(ctx, &HeatPlan::new(ctx, layout, mode).unwrap()).unwrap()
}

/// Adds `batches` of frames, one behind the other, from slot `first` on.
fn run(ctx: &GpuContext, src: &GpuFrames, mode: HeatMode, first: u32, batches: &[u32]) -> Vec<u32> {
    let mut map = empty(ctx, src.layout(), mode);
    let mut rec = Recorder::new(ctx, "test");
    let mut at = first;
    for count in batches {
        let bound = map.bind(ctx, src, at, *count).unwrap();
        map.record(&mut rec, &bound, *count).unwrap();
        at += count;
    }
    rec.run().unwrap();
    assert_eq!(map.frames(), batches.iter().sum::<u32>());
    map.read(ctx).unwrap()
}

#[test]
fn equals_the_reference_for_all_shapes_modes_and_patterns() {
    on_every_adapter("heatmap/accumulate equals the reference", |ctx| {
        for format in LUMA_FORMATS {
            for shape in SHAPES {
                let layout = layout(format, shape);
                let frames = frames(&layout, 0, 9);
                let src = upload(ctx, &layout, &frames);
                for mode in MODES {
                    let first = u32::from(mode.uses_differences());
                    let got = run(ctx, &src, mode, first, &[9 - first]);
                    assert_eq!(got, want(&layout, &frames, first as usize, mode), "{format} {shape:?} {mode:?}");
                }
            }
        }
    });
}

#[test]
fn cuts_and_order_of_a_sequence_do_not_matter() {
    on_every_adapter("heatmap/accumulate cuts", |ctx| {
        let layout = layout(PixelFormat::Nv12, (123, 66));
        let frames = frames(&layout, 0, 9);
        let src = upload(ctx, &layout, &frames);
        for mode in MODES {
            let whole = want(&layout, &frames, 1, mode);
            for batches in [&[8][..], &[1, 2, 5], &[5, 1, 2], &[1; 8]] {
                assert_eq!(run(ctx, &src, mode, 1, batches), whole, "{mode:?} {batches:?}");
            }
            // Fewer frames than were bound, later batch first.
            let mut map = empty(ctx, &layout, mode);
            let (late, early) = (map.bind(ctx, &src, 4, 5).unwrap(), map.bind(ctx, &src, 1, 8).unwrap());
            let mut rec = Recorder::new(ctx, "test");
            map.record(&mut rec, &late, 5).unwrap();
            map.record(&mut rec, &early, 3).unwrap();
            map.record(&mut rec, &early, 0).unwrap();
            rec.run().unwrap();
            assert_eq!(map.read(ctx).unwrap(), whole);
            let mut rec = Recorder::new(ctx, "test");
            map.clear(&mut rec);
            rec.run().unwrap();
            assert_eq!((map.frames(), map.read(ctx).unwrap().iter().all(|v| *v == 0)), (0, true));
        }
    });
}

#[test]
fn full_hd_is_exact_and_the_same_every_time() {
    on_every_adapter("heatmap/accumulate full HD", |ctx| {
        let layout = layout(PixelFormat::Gray8, FULL_HD);
        let frames = frames(&layout, 5, 3);
        let src = upload(ctx, &layout, &frames);
        for mode in MODES {
            let want = want(&layout, &frames, usize::from(mode.uses_differences()), mode);
            for _ in 0..2 {
                assert_eq!(accumulate(ctx, &src, mode).unwrap(), want, "{mode:?}");
            }
        }
    });
}

/// The 16-bit lanes of a dispatch are full at 257 frames of 255; the largest batch and ten thousand frames must come out right.
#[test]
fn ten_thousand_frames_do_not_overflow() {
    on_every_adapter("heatmap/accumulate 10,000 frames", |ctx| {
        let layout = layout(PixelFormat::Gray8, (33, 5));
        let (black, white) = (vec![0u8; layout.slot_bytes() as usize], vec![255u8; layout.slot_bytes() as usize]);
        let frames: Vec<Vec<u8>> = (0..257).map(|i| if i % 2 == 0 { black.clone() } else { white.clone() }).collect();
        let (flicker, bright) = (upload(ctx, &layout, &frames), upload(ctx, &layout, &vec![white.clone(); 256]));
        for (mode, src, first, each) in [
            (HeatMode::SumAbs, &flicker, 1, 255),
            (HeatMode::CountOver { threshold: 254 }, &flicker, 1, 1),
            (HeatMode::SumValues, &bright, 0, 255),
        ] {
            let mut map = empty(ctx, &layout, mode);
            let bound = map.bind(ctx, src, first, 256).unwrap();
            let mut rec = Recorder::new(ctx, "test");
            for _ in 0..39 {
                map.record(&mut rec, &bound, 256).unwrap();
            }
            map.record(&mut rec, &bound, 16).unwrap();
            rec.run().unwrap();
            assert_eq!(map.frames(), 10_000);
            let got = map.read(ctx).unwrap();
            assert_eq!((got.len(), got.iter().all(|v| *v == 10_000 * each)), (165, true), "{mode:?} {:?}", &got[..4]);
        }
    });
}

#[test]
fn a_map_refuses_frames_that_could_overflow_it() {
    on_every_adapter("heatmap/accumulate frame limit", |ctx| {
        let layout = layout(PixelFormat::Gray8, (1, 1));
        let src = GpuFrames::new(ctx, "t", PixelFormat::Gray8, Size::new(1, 1), 256).unwrap();
        let mut map = empty(ctx, &layout, HeatMode::SumValues);
        let bound = map.bind(ctx, &src, 0, 256).unwrap();
        // Recorded, counted, but never submitted: 65 thousand dispatches.
        let mut left = HeatMode::MAX_FRAMES;
        let mut rec = Recorder::new(ctx, "test");
        while left >= 256 {
            map.record(&mut rec, &bound, 256).unwrap();
            left -= 256;
        }
        assert!(matches!(map.record(&mut rec, &bound, left + 1), Err(Error::Parameter { name: "count", .. })));
        map.record(&mut rec, &bound, left).unwrap();
        assert_eq!(map.frames(), HeatMode::MAX_FRAMES);
        assert!(map.record(&mut rec, &bound, 1).is_err());
    });
}

#[test]
fn one_changed_pixel_is_seen() {
    on_every_adapter("heatmap/accumulate negative control", |ctx| {
        let layout = layout(PixelFormat::Gray8, (77, 55));
        let mut frames = frames(&layout, 3, 5);
        let before = want(&layout, &frames, 1, HeatMode::SumAbs);
        let last = 54 * layout.first().stride as usize + 76;
        frames[4][last] ^= 1;
        let got = accumulate(ctx, &upload(ctx, &layout, &frames), HeatMode::SumAbs).unwrap();
        let different: Vec<usize> = (0..got.len()).filter(|i| got[*i] != before[*i]).collect();
        assert_eq!(different, [77 * 55 - 1]);
    });
}

#[test]
fn wrong_parameters_are_named() {
    on_every_adapter("heatmap/accumulate refusals", |ctx| {
        let named = |r: frameloom::Result<()>| match r {
            Err(Error::Parameter { op: "heatmap/accumulate", name, .. }) => name,
            other => panic!("{other:?}"),
        };
        let plan = |format, shape| HeatPlan::new(ctx, &layout(format, shape), HeatMode::SumAbs);
        assert_eq!(named(plan(PixelFormat::Rgba8, (4, 4)).map(drop)), "input");
        assert_eq!(named(plan(PixelFormat::Gray8, (40_000, 1)).map(drop)), "input");
        let mut map = HeatAccumulator::new(ctx, &plan(PixelFormat::Gray8, (4, 4)).unwrap()).unwrap();
        let src = |w| GpuFrames::new(ctx, "t", PixelFormat::Gray8, Size::new(w, 4), 300).unwrap();
        assert_eq!(named(map.bind(ctx, &src(4), 0, 1).map(drop)), "first");
        assert_eq!(named(map.bind(ctx, &src(5), 1, 1).map(drop)), "input");
        assert_eq!(named(map.bind(ctx, &src(4), 1, 257).map(drop)), "capacity");
        assert_eq!(named(map.bind(ctx, &src(4), 250, 51).map(drop)), "capacity");
        let bound = map.bind(ctx, &src(4), 1, 4).unwrap();
        let mut rec = Recorder::new(ctx, "test");
        assert_eq!(named(map.record(&mut rec, &bound, 5)), "count");
        assert_eq!((rec.dispatches(), map.frames()), (0, 0));
    });
}
