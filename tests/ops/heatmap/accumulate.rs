use crate::gpu::on_every_adapter;
use crate::pictures::*;
use frameloom::Error;
use frameloom::core::*;
use frameloom::gpu::{GpuContext, Recorder};
use frameloom::ops::heatmap::{
    accumulate::*,
    normalize::{Divisor, normalize},
};
use frameloom::ops::{GpuFrames, GpuMaps, MapLayout, MapSample};
use frameloom::reference::{self, FrameSlot, Plane, pattern::lcg_bytes};

const MODES: [HeatMode; 6] = [
    HeatMode::CountOver { threshold: 0 },
    HeatMode::CountOver { threshold: 25 },
    HeatMode::CountOver { threshold: 255 },
    HeatMode::SumAbs,
    HeatMode::SumValues,
    HeatMode::CountSet,
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
    let plan = HeatPlan::new(ctx, layout, mode).unwrap();
    poison_pool(ctx, u64::from(plan.output().slot_bytes()));
    HeatAccumulator::new(ctx, &plan).unwrap()
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
            (HeatMode::CountSet, &bright, 0, 1),
        ] {
            let mut map = empty(ctx, &layout, mode);
            let bound = map.bind(ctx, src, first, 256).unwrap();
            let mut rec = Recorder::new(ctx, "test");
            for _ in 0..39 {
                map.record(&mut rec, &bound, 256).unwrap();
            }
            map.record(&mut rec, &bound, 16).unwrap();
            rec.run().unwrap();
            assert_eq!((map.frames(), map.full()), (10_000, 10_000 * mode.full()));
            let got = map.read(ctx).unwrap();
            assert_eq!((got.len(), got.iter().all(|v| *v == 10_000 * each)), (165, true), "{mode:?} {:?}", &got[..4]);
        }
    });
}

/// Bits of the picture `bits`, one byte each, for the host side of a map.
fn bit_maps(ctx: &GpuContext, shape: (u32, u32), maps: &[Vec<u8>]) -> GpuMaps {
    let layout = MapLayout::new(MapSample::Bit, Size::new(shape.0, shape.1)).unwrap();
    let refs: Vec<&[u8]> = maps.iter().map(Vec::as_slice).collect();
    GpuMaps::from_host(ctx, "test", layout, &refs).unwrap()
}

fn count_bits(ctx: &GpuContext, src: &GpuMaps, first: u32, batches: &[u32]) -> HeatAccumulator {
    let plan = HeatPlan::of_bits(ctx, src.layout()).unwrap();
    poison_pool(ctx, u64::from(plan.output().slot_bytes()));
    let mut map = HeatAccumulator::new(ctx, &plan).unwrap();
    let mut rec = Recorder::new(ctx, "test");
    let mut at = first;
    for count in batches {
        let bound = map.bind_bits(ctx, src, at, *count).unwrap();
        map.record(&mut rec, &bound, *count).unwrap();
        at += count;
    }
    rec.run().unwrap();
    map
}

#[test]
fn bits_are_counted_as_masks_of_any_height_are() {
    on_every_adapter("heatmap/accumulate bits", |ctx| {
        for shape in SHAPES {
            let size = Size::new(shape.0, shape.1);
            let masks: Vec<Vec<u8>> =
                (0..9).map(|i| lcg_bytes(i, size.area() as usize).iter().map(|v| v & 1).collect()).collect();
            let planes: Vec<Plane<'_>> = masks[2..].iter().map(|m| Plane::tight(size, m).unwrap()).collect();
            let mut want = vec![0; size.area() as usize];
            reference::heatmap::accumulate::accumulate(&mut want, None, &planes, HeatMode::CountSet).unwrap();
            let src = bit_maps(ctx, shape, &masks);
            for batches in [&[7][..], &[1, 2, 4], &[1; 7]] {
                let map = count_bits(ctx, &src, 2, batches);
                assert_eq!(map.read(ctx).unwrap(), want, "{shape:?} {batches:?}");
                assert_eq!(map.full(), 7);
            }
        }
        // Two full batches, every bit set: the counters of a dispatch reach their ninth digit.
        let full = bit_maps(ctx, (37, 2), &vec![vec![1; 74]; 256]);
        let mut map = count_bits(ctx, &full, 0, &[256]);
        let bound = map.bind_bits(ctx, &full, 0, 256).unwrap();
        let mut rec = Recorder::new(ctx, "test");
        for _ in 0..38 {
            map.record(&mut rec, &bound, 256).unwrap();
        }
        map.record(&mut rec, &bound, 16).unwrap();
        rec.run().unwrap();
        assert_eq!((map.frames(), map.read(ctx).unwrap()), (10_000, vec![10_000; 74]));
    });
}

#[test]
fn numbers_are_added_in_fixed_point() {
    on_every_adapter("heatmap/accumulate numbers", |ctx| {
        for shape in SHAPES {
            let size = Size::new(shape.0, shape.1);
            let layout = MapLayout::new(MapSample::F32, size).unwrap();
            let maps: Vec<Vec<f32>> = (0..7)
                .map(|i| {
                    let of = |(at, v): (usize, &u8)| match at % 11 {
                        3 => f32::NAN,
                        5 => f32::INFINITY,
                        7 => -f32::from(*v),
                        _ => f32::from(*v) / 13.0,
                    };
                    lcg_bytes(i, size.area() as usize).iter().enumerate().map(of).collect()
                })
                .collect();
            let bytes: Vec<&[u8]> = maps.iter().map(|m| bytemuck::cast_slice(m)).collect();
            let src = GpuMaps::from_host(ctx, "test", layout, &bytes).unwrap();
            let plan = HeatPlan::of_numbers(ctx, &layout, 8.0).unwrap();
            for batches in [&[5][..], &[1, 4], &[1; 5]] {
                poison_pool(ctx, u64::from(plan.output().slot_bytes()));
                let mut map = HeatAccumulator::new(ctx, &plan).unwrap();
                let mut rec = Recorder::new(ctx, "test");
                let mut at = 2;
                for count in batches {
                    let bound = map.bind_numbers(ctx, &src, at, *count).unwrap();
                    map.record(&mut rec, &bound, *count).unwrap();
                    at += count;
                }
                rec.run().unwrap();
                let count =
                    |i: usize| maps[2..].iter().map(|m| reference::heatmap::accumulate::count_of(m[i], 8.0)).sum();
                let want: Vec<u32> = (0..size.area() as usize).map(count).collect();
                assert_eq!(map.read(ctx).unwrap(), want, "{shape:?} {batches:?}");
                assert_eq!(map.full(), 5 * 255);
            }
        }
    });
}

/// `H = sum(mask / 255) / N`, with the map where it is: on the device.
#[test]
fn the_mean_of_masks_is_exact_and_read_by_other_operations() {
    on_every_adapter("heatmap/accumulate mean", |ctx| {
        let layout = layout(PixelFormat::Gray8, (33, 9));
        let frames: Vec<Vec<u8>> = (0..7)
            .map(|i| lcg_bytes(i, layout.slot_bytes() as usize).iter().map(|v| (v & 1) * 255).collect())
            .collect();
        let mut map = empty(ctx, &layout, HeatMode::SumValues);
        let src = upload(ctx, &layout, &frames);
        let bound = map.bind(ctx, &src, 0, 7).unwrap();
        let mut rec = Recorder::new(ctx, "test");
        map.record(&mut rec, &bound, 7).unwrap();
        rec.run().unwrap();
        let by = Divisor::Number(f64::from(map.full()));
        let got: Vec<f32> = normalize(ctx, map.map(), by).unwrap().read_as(ctx, 0).unwrap();
        let stride = layout.first().stride as usize;
        for (i, got) in got.iter().enumerate() {
            let at = i / 33 * stride + i % 33;
            let mean = frames.iter().map(|f| f64::from(f[at]) / 255.0).sum::<f64>() / 7.0;
            assert!((f64::from(*got) - mean).abs() < 1e-7, "{i}: {got} {mean}");
        }
    });
}

/// Counters near the end of u32: the last frame that may be added is counted right, the reference refuses the next.
#[test]
fn the_last_frame_before_the_limit_still_counts() {
    on_every_adapter("heatmap/accumulate near the limit", |ctx| {
        let layout = layout(PixelFormat::Gray8, (19, 3));
        let white = upload(ctx, &layout, &[vec![255u8; layout.slot_bytes() as usize]]);
        let mut map = empty(ctx, &layout, HeatMode::SumValues);
        let before = 255 * (HeatMode::MAX_FRAMES - 1);
        map.map().buffer().write(ctx, 0, &before.to_le_bytes().repeat(32 * 3)).unwrap();
        let bound = map.bind(ctx, &white, 0, 1).unwrap();
        let mut rec = Recorder::new(ctx, "test");
        map.record(&mut rec, &bound, 1).unwrap();
        rec.run().unwrap();
        assert_eq!(map.read(ctx).unwrap(), vec![255 * HeatMode::MAX_FRAMES; 57]);
        let plane = [255u8; 57];
        let plane = Plane::tight(layout.size, &plane).unwrap();
        let mut full = vec![255 * HeatMode::MAX_FRAMES; 57];
        let more = reference::heatmap::accumulate::accumulate(&mut full, None, &[plane], HeatMode::SumValues);
        assert!(more.is_err());
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
        assert_eq!(named(map.bind_bits(ctx, &bit_maps(ctx, (4, 4), &[vec![0; 16]]), 0, 1).map(drop)), "input");
        let layout = |sample, width| MapLayout::new(sample, Size::new(width, 4)).unwrap();
        assert_eq!(named(HeatPlan::of_bits(ctx, &layout(MapSample::U32, 4)).map(drop)), "input");
        assert_eq!(named(HeatPlan::of_bits(ctx, &layout(MapSample::Bit, 32_769)).map(drop)), "input");
        let bits = HeatAccumulator::new(ctx, &HeatPlan::of_bits(ctx, &layout(MapSample::Bit, 4)).unwrap()).unwrap();
        assert_eq!(named(bits.bind(ctx, &src(4), 0, 1).map(drop)), "input");
        assert_eq!(named(bits.bind_bits(ctx, &bit_maps(ctx, (5, 4), &[vec![0; 20]]), 0, 1).map(drop)), "input");
        assert_eq!(named(bits.bind_bits(ctx, &bit_maps(ctx, (4, 4), &[vec![0; 16]]), 0, 2).map(drop)), "capacity");
        let numbers = layout(MapSample::F32, 4);
        for full in [0.0, -1.0, f32::NAN, f32::INFINITY, 1e-38] {
            assert_eq!(named(HeatPlan::of_numbers(ctx, &numbers, full).map(drop)), "full", "{full}");
        }
        assert_eq!(named(HeatPlan::of_numbers(ctx, &layout(MapSample::U32, 4), 1.0).map(drop)), "input");
        assert_eq!(named(map.bind_numbers(ctx, &GpuMaps::new(ctx, "t", numbers, 2).unwrap(), 0, 1).map(drop)), "input");
        let run = map.bind_run(ctx, &src(4), 2, 3).unwrap();
        let bound = map.bind(ctx, &src(4), 1, 4).unwrap();
        let mut rec = Recorder::new(ctx, "test");
        assert_eq!(named(map.record(&mut rec, &run, 2)), "count");
        assert_eq!(named(map.record(&mut rec, &bound, 5)), "count");
        assert_eq!((rec.dispatches(), map.frames()), (0, 0));
    });
}
