use crate::fields::{self, Data, FieldTrial};
use crate::gpu::on_every_adapter;
use crate::pictures::*;
use crate::results::{refused, run};
use crate::table;
use frameloom::core::*;
use frameloom::gpu::GpuContext;
use frameloom::ops::placement::read_wide;
use frameloom::ops::placement::window_scores::{WindowScoresPlan, WindowSearch};
use frameloom::ops::{MapLayout, MapSample, Record};
use frameloom::reference::placement::window_scores::window_scores as reference;
use std::path::Path;

const BITS: u32 = 31;
const THRESHOLD: f64 = 0.1;

fn windows(frame: Size, (width, height): (u32, u32), step: u32, flush: bool) -> Windows {
    Windows::new(frame, Size::new(width, height), WindowParams { step, rotate: true, flush }).unwrap()
}

fn want(trial: &FieldTrial, windows: &Windows, bits: u32, threshold: f64) -> Vec<Vec<Vec<WindowScore>>> {
    let units = (threshold * f64::from(bits).exp2()) as u32;
    trial.references().map(|f| reference(&f, windows, if f.is_float() { bits } else { 0 }, units)).collect()
}

/// Scores of all windows and the best ones, of every field.
fn check(ctx: &GpuContext, trial: &FieldTrial, windows: &Windows) {
    let (bits, threshold) = if matches!(trial.fields[0].1, Data::Floats(_)) { (BITS, THRESHOLD) } else { (0, 100.0) };
    let search = WindowSearch::new(ctx, trial.source(), windows, threshold, bits).unwrap();
    let want = want(trial, windows, bits, threshold);
    for turn in 0..2 {
        let got = search.run(ctx).unwrap();
        for (i, (got, want)) in (0..).zip(got.iter().zip(&want)) {
            let best: Vec<WindowScore> = want.iter().map(|w| WindowScore::best(w).unwrap()).collect();
            assert_eq!(got, &best, "{} field {i} turn {turn}", trial.name);
            for (scores, want) in search.windows().scores().iter().zip(want) {
                let keys: Vec<u64> = want.iter().map(WindowScore::key).collect();
                assert_eq!(read_wide(ctx, scores, i).unwrap(), keys, "{} field {i}", trial.name);
            }
        }
    }
}

#[test]
fn equals_the_reference() {
    on_every_adapter("placement/window_scores equals the reference", |ctx| {
        for (s, shape) in SHAPES.into_iter().enumerate() {
            let frame = Size::new(shape.0, shape.1);
            let fit = |n: u32| (n * 2 / 3).max(1);
            let step = [1, 3, 8, 4][s % 4].max(frame.area() as u32 / 2000);
            let windows = windows(frame, (fit(shape.0), (shape.1 / 3).max(1)), step, s % 2 == 0);
            for float in [false, true] {
                // Of the integers those that are small: their sums fit.
                let seed = if float { s as u64 } else { 1 + 2 * (s as u64 % 2) };
                check(ctx, &fields::maps(ctx, shape, float, seed, [1, 2][s % 2]), &windows);
            }
            let layout = layout(PixelFormat::Gray8, shape);
            check(ctx, &fields::pictures(table::uniform(ctx, layout, s * 2, 2)), &windows);
        }
    });
}

/// All windows equal: the first one wins, though many workgroups offer theirs.
#[test]
fn the_first_of_equal_windows_is_best() {
    on_every_adapter("placement/window_scores ties", |ctx| {
        let frame = Size::new(300, 200);
        let windows = windows(frame, (16, 8), 1, false);
        for level in [0u32, 3] {
            let src = fields::upload_maps(ctx, frame, &[Data::Integers(vec![level; 60_000])]);
            table::deterministic(|| {
                let got = WindowSearch::new(ctx, &src, &windows, 0.0, 0).unwrap().run(ctx).unwrap().remove(0);
                let rects: Vec<Rect> = got.iter().map(|s| s.rect).collect();
                let of = |width, height| Rect { x: 0, y: 0, width, height };
                assert_eq!((rects, got[0].sum), (vec![of(16, 8), of(8, 16)], u64::from(level) * 128));
                got
            });
        }
    });
}

/// A hotter spot later wins only by more than 2^-20 of the score.
#[test]
fn a_later_window_must_be_clearly_better() {
    on_every_adapter("placement/window_scores near ties", |ctx| {
        let frame = Size::new(64, 8);
        let windows = windows(frame, (8, 8), 8, false);
        for (more, best) in [(0, 0), (900, 0), (1200, 48)] {
            let mut heat = vec![0u32; 512];
            heat[3 * 64 + 4] = 1 << 30;
            heat[3 * 64 + 52] = (1 << 30) + more;
            let src = fields::upload_maps(ctx, frame, &[Data::Integers(heat)]);
            let got = WindowSearch::new(ctx, &src, &windows, 0.0, 0).unwrap().run(ctx).unwrap();
            assert_eq!(got[0][0].rect.x, best, "{more}");
        }
    });
}

/// Heat `max a exp(-d^2 / (2 s^2))` of blobs, cut off below 0.01.
fn blobs(size: Size, blobs: &[[f64; 4]]) -> Vec<f32> {
    let value = |i: usize| {
        let (x, y) = ((i % size.width as usize) as f64, (i / size.width as usize) as f64);
        let of = |[cx, cy, s, a]: &[f64; 4]| a * (-((x - cx).powi(2) + (y - cy).powi(2)) / (2.0 * s * s)).exp();
        let v = blobs.iter().map(of).fold(0.0, f64::max) as f32;
        if v < 0.01 { 0.0 } else { v }
    };
    (0..size.area() as usize).map(value).collect()
}

fn best_of(ctx: &GpuContext, size: Size, heat: Vec<f32>, windows: &Windows) -> WindowScore {
    let src = fields::upload_maps(ctx, size, &[Data::Floats(heat)]);
    let found = WindowSearch::new(ctx, &src, windows, THRESHOLD, BITS).unwrap().run(ctx).unwrap();
    WindowScore::best(&found[0]).unwrap()
}

/// The first chunk that the placer of the original system chose, where its records are at hand.
#[test]
fn first_chunks_are_those_of_the_original_placer() {
    let Some(data) = std::env::var_os("FRAMELOOM_TESTDATA") else {
        eprintln!("NOT RUN: placement/window_scores against recorded chunks: FRAMELOOM_TESTDATA is not set");
        return;
    };
    let file = Path::new(&data).join("../golden/chunking.json");
    let text = std::fs::read_to_string(&file).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
    let records: serde_json::Value = serde_json::from_str(&text).unwrap();
    on_every_adapter("placement/window_scores against recorded chunks", |ctx| {
        let mut compared = 0;
        for (name, case) in records["placer"].as_object().unwrap() {
            let Some(first) = case["chunks"].get(0) else { continue };
            let number = |key: &str| u32::try_from(case["args"][key].as_u64().unwrap()).unwrap();
            let size = Size::new(number("w"), number("h"));
            let list: Vec<[f64; 4]> = case["args"]["blobs"]
                .as_array()
                .unwrap()
                .iter()
                .map(|b| std::array::from_fn(|i| b[i].as_f64().unwrap()))
                .collect();
            let rotate = case["args"]["rotation"].as_bool().unwrap();
            let params = WindowParams { step: number("factor"), rotate, flush: false };
            let windows = Windows::new(size, Size::new(number("chunk_w"), number("chunk_h")), params).unwrap();
            let got = best_of(ctx, size, blobs(size, &list), &windows);
            let range = |key: &str, i: usize| u32::try_from(first[key][i].as_u64().unwrap()).unwrap();
            assert_eq!((got.rect.x, got.rect.x + got.rect.width), (range("x_range", 0), range("x_range", 1)), "{name}");
            assert_eq!(
                (got.rect.y, got.rect.y + got.rect.height),
                (range("y_range", 0), range("y_range", 1)),
                "{name}"
            );
            assert_eq!(if got.turned { "vertical" } else { "horizontal" }, first["orientation"], "{name}");
            let score = first["score"].as_f64().unwrap();
            assert!((got.score(BITS) - score).abs() <= 1e-6 * score, "{name}: {} {score}", got.score(BITS));
            compared += 1;
        }
        assert_eq!(compared, 4);
    });
}

/// The integer scores against sums in f64.
#[test]
fn scores_are_those_of_f64_to_one_part_in_a_million() {
    on_every_adapter("placement/window_scores f64", |ctx| {
        let size = Size::new(200, 120);
        let list = [[70.0, 50.0, 11.0, 0.9], [150.0, 70.0, 17.0, 0.5]];
        let heat = blobs(size, &list);
        let windows = windows(size, (48, 32), 8, true);
        let got = best_of(ctx, size, heat.clone(), &windows);
        let score = |r: Rect| {
            let (mut sum, mut active, mut mx, mut my) = (0.0f64, 0.0, 0.0, 0.0);
            for y in 0..r.height {
                for x in 0..r.width {
                    let v = f64::from(heat[((r.y + y) * size.width + r.x + x) as usize]);
                    sum += v;
                    if v > THRESHOLD {
                        active += v;
                        mx += v * f64::from(x);
                        my += v * f64::from(y);
                    }
                }
            }
            let margin = f64::from((r.width / 6).min(r.height / 6));
            let off =
                |m: f64, side: u32| active > 0.0 && (m / active < margin || m / active > f64::from(side) - margin);
            if off(mx, r.width) || off(my, r.height) { sum * 0.85 } else { sum }
        };
        let all = windows.places().iter();
        let rects: Vec<Rect> = all.flat_map(|p| (0..p.count() as usize).filter_map(|i| p.rect(i))).collect();
        let scores: Vec<f64> = rects.iter().map(|r| score(*r)).collect();
        let largest = scores.iter().copied().fold(0.0, f64::max);
        let first = scores.iter().position(|s| *s >= largest * (1.0 - 1e-6)).unwrap();
        assert_eq!(got.rect, rects[first]);
        assert!((got.score(BITS) - scores[first]).abs() <= 1e-6 * scores[first]);
    });
}

#[test]
fn fewer_frames_may_be_recorded() {
    on_every_adapter("placement/window_scores slots", |ctx| {
        let trial = fields::maps(ctx, (77, 55), true, 4, 3);
        let windows = windows(Size::new(77, 55), (16, 12), 4, true);
        let search = WindowSearch::new(ctx, trial.source(), &windows, THRESHOLD, BITS).unwrap();
        let best = search.windows().best();
        poison(ctx, best.results());
        run(ctx, |rec| search.record(rec, 2));
        let bytes = best.results().read(ctx, best.frame_bytes() * 3).unwrap();
        let (two, rest) = bytes.split_at(best.frame_bytes() as usize * 2);
        let want = want(&trial, &windows, BITS, THRESHOLD);
        for (got, want) in best.decode(two).iter().zip(&want) {
            assert_eq!(got, &want.iter().map(|w| WindowScore::best(w).unwrap()).collect::<Vec<_>>());
        }
        assert!(rest.iter().all(|b| *b == 0xFF));
    });
}

#[test]
fn what_does_not_fit_is_refused() {
    on_every_adapter("placement/window_scores refuses", |ctx| {
        let frame = Size::new(64, 64);
        let windows = windows(frame, (16, 8), 8, false);
        let plan = WindowScoresPlan::new(ctx, &windows).unwrap();
        refused(plan.bind(ctx, &fields::poisoned_maps(ctx, plan.input(), 4)), "input");
        let other = MapLayout::new(MapSample::U32, Size::new(20, 9)).unwrap();
        refused(plan.bind(ctx, &fields::poisoned_maps(ctx, &other, 5)), "input");
        let heat = fields::maps(ctx, (64, 63), true, 0, 1);
        refused(WindowSearch::new(ctx, heat.source(), &windows, 0.1, 31), "cells");
        let heat = fields::maps(ctx, (64, 64), true, 0, 1);
        refused(WindowSearch::new(ctx, heat.source(), &windows, 0.1, 32), "fraction_bits");
        refused(WindowSearch::new(ctx, heat.source(), &windows, -0.1, 31), "threshold");
    });
}

#[test]
fn a_sabotaged_reference_is_rejected() {
    on_every_adapter("placement/window_scores negative control", |ctx| {
        let size = Size::new(64, 48);
        let windows = windows(size, (16, 16), 8, false);
        let heat = blobs(size, &[[40.0, 20.0, 5.0, 1.0]]);
        let got = best_of(ctx, size, heat.clone(), &windows);
        let mut moved = heat.clone();
        moved.rotate_right(8);
        let data = [heat, moved].map(Data::Floats);
        let units = (THRESHOLD * f64::from(BITS).exp2()) as u32;
        let [right, wrong] = [0, 1]
            .map(|i| WindowScore::best(&reference(&fields::field(size, &data[i]), &windows, BITS, units)[0]).unwrap());
        assert_eq!(got, right);
        assert_ne!(got, wrong);
    });
}
