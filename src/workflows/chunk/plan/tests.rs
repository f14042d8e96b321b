use std::path::PathBuf;

use proptest::prelude::*;
use serde_json::Value;

use super::contact::unsupported;
use super::params::rects;
use super::*;
use crate::config::Settings;
use crate::core::random::{below, pcg4d, unit};
use crate::core::{Rect, Size};
use crate::error::Error;

/// Heat `max a exp(-d^2 / (2 s^2))` of blobs `[x, y, s, a]`, cut off below 0.01.
fn blobs(size: Size, blobs: &[[f64; 4]]) -> HeatMap {
    let value = |i: usize| {
        let (x, y) = ((i % size.width as usize) as f64, (i / size.width as usize) as f64);
        let of = |[cx, cy, s, a]: &[f64; 4]| a * (-((x - cx).powi(2) + (y - cy).powi(2)) / (2.0 * s * s)).exp();
        let v = blobs.iter().map(of).fold(0.0, f64::max) as f32;
        if v < 0.01 { 0.0 } else { v }
    };
    HeatMap::new(size, (0..size.area() as usize).map(value).collect()).unwrap()
}

/// Random blobs in a random frame, with a chunk size that fits.
fn random(seed: u32) -> (HeatMap, Size) {
    let word = |i| pcg4d([seed, i, 6, 0])[0];
    let size = Size::new(160 + below(word(0), 240), 120 + below(word(1), 180));
    let count = 1 + below(word(2), 5);
    let list: Vec<[f64; 4]> = (0..count)
        .map(|i| {
            let u = |k| unit(word(10 + i * 4 + k));
            [u(0) * f64::from(size.width), u(1) * f64::from(size.height), 6.0 + u(2) * 26.0, 0.2 + u(3) * 0.8]
        })
        .collect();
    (blobs(size, &list), Size::new(64 + 8 * below(word(3), 9), 64 + 8 * below(word(4), 7)))
}

fn params(chunk: Size) -> PlanParams {
    PlanParams { sizes: vec![[chunk.width, chunk.height]], ..PlanParams::default() }
}

/// The recorded placements and segmentations of the original system, where they are at hand.
fn golden() -> Option<Value> {
    let Some(data) = std::env::var_os("FRAMELOOM_TESTDATA") else {
        eprintln!("NOT RUN: chunk plans against recorded ones: FRAMELOOM_TESTDATA is not set");
        return None;
    };
    let file = PathBuf::from(data).join("../golden/chunking.json");
    let text = std::fs::read_to_string(&file).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
    Some(serde_json::from_str(&text).unwrap())
}

fn number(v: &Value) -> u32 {
    u32::try_from(v.as_u64().unwrap()).unwrap()
}

/// Map, chunk size, factor and rotation of a recorded case.
fn recorded(case: &Value) -> (HeatMap, Size, PlacerParams) {
    let args = &case["args"];
    let list: Vec<[f64; 4]> =
        args["blobs"].as_array().unwrap().iter().map(|b| std::array::from_fn(|i| b[i].as_f64().unwrap())).collect();
    let placer = PlacerParams {
        model_factor: number(&args["factor"]),
        allow_rotation: args["rotation"].as_bool().unwrap(),
        ..PlacerParams::default()
    };
    let chunk = Size::new(number(&args["chunk_w"]), number(&args["chunk_h"]));
    (blobs(Size::new(number(&args["w"]), number(&args["h"])), &list), chunk, placer)
}

#[test]
fn parity_places_the_recorded_chunks() {
    let Some(golden) = golden() else { return };
    let mut compared = 0;
    for (name, case) in golden["placer"].as_object().unwrap() {
        if case.get("error").is_some() {
            // What the original crashed on.
            let map = blobs(Size::new(100, 80), &[[50.0, 40.0, 10.0, 1.0]]);
            let refused = place(&map, Size::new(128, 128), &PlacerParams::default());
            assert!(matches!(refused, Err(Error::Parameter { name: "window", .. })), "{name}");
            continue;
        }
        let (map, chunk, placer) = recorded(case);
        let got = place(&map, chunk, &placer).unwrap();
        let want = case["chunks"].as_array().unwrap();
        assert_eq!(got.len(), want.len(), "{name}");
        for (got, want) in got.iter().zip(want) {
            let mut record = serde_json::to_value(got).unwrap();
            let (score, wanted) = (record["score"].as_f64().unwrap(), want["score"].as_f64().unwrap());
            assert!((score / wanted - 1.0).abs() < 1e-6, "{name}: {score} {wanted}");
            record["score"] = want["score"].clone();
            assert_eq!(record, *want, "{name}");
            compared += 1;
        }
        let stats = serde_json::to_value(coverage_stats(&map, &got)).unwrap();
        for (key, wanted) in case["stats"].as_object().unwrap() {
            let (got, wanted) = (stats[key].as_f64().unwrap(), wanted.as_f64().unwrap());
            assert!((got - wanted).abs() <= 1e-6 * wanted.abs().max(1.0), "{name} {key}: {got} {wanted}");
        }
    }
    assert_eq!(compared, 16);
}

#[test]
fn parity_cuts_the_recorded_segments() {
    let Some(golden) = golden() else { return };
    let mut compared = 0;
    for (key, want) in golden["segments"].as_object().unwrap() {
        let (kind, rest) = key.split_once('_').unwrap();
        let n: Vec<u32> = rest.trim_matches(['(', ')']).split(", ").map(|n| n.parse().unwrap()).collect();
        let frame = Size::new(n[0], n[1]);
        let got = match kind {
            "auto" => auto_segments(frame, Size::new(n[2], n[3]), n[4], true),
            "strip" => strip_segments(frame, n[2], n[3], true),
            _ => grid_segments(frame, n[2], n[3], true),
        };
        let record = |s: &Segment| match s.grid_pos.filter(|_| kind == "auto") {
            Some(at) => serde_json::json!([s.x_range, s.y_range, at]),
            None => serde_json::json!([s.x_range, s.y_range]),
        };
        let got: Vec<Value> = got.unwrap().iter().map(record).collect();
        assert_eq!(Value::Array(got), *want, "{key}");
        compared += 1;
    }
    assert_eq!(compared, 14);
}

#[test]
fn one_blob_is_one_chunk_and_two_are_two_or_three() {
    for (size, list, chunk, counts) in [
        (Size::new(256, 256), vec![[128.0, 128.0, 24.0, 1.0]], Size::new(128, 128), 1..=1),
        (Size::new(256, 160), vec![[10.0, 8.0, 16.0, 1.0]], Size::new(96, 64), 1..=1),
        (Size::new(320, 192), vec![[80.0, 60.0, 20.0, 1.0], [250.0, 140.0, 14.0, 0.6]], Size::new(128, 64), 2..=3),
        (Size::new(128, 128), vec![], Size::new(64, 64), 0..=0),
        (Size::new(100, 80), vec![[50.0, 40.0, 10.0, 1.0]], Size::new(128, 128), 1..=1),
    ] {
        let map = blobs(size, &list);
        let plan = plan(&map, &params(chunk)).unwrap();
        assert!(counts.contains(&plan.chunks.len()), "{list:?}: {:?}", plan.chunks);
        assert!(plan.active_coverage >= 0.99 || list.is_empty());
    }
    // The subject lies in the middle.
    let plan = plan(&blobs(Size::new(256, 256), &[[103.0, 150.0, 20.0, 1.0]]), &params(Size::new(128, 128))).unwrap();
    assert_eq!((plan.chunks[0].x_range, plan.chunks[0].y_range), ([40, 168], [88, 216]));
}

/// What every plan keeps.
fn check(map: &HeatMap, params: &PlanParams) -> ChunkPlan {
    let plan = plan(map, params).unwrap();
    let frame = map.size();
    // Covered by the parts that are used.
    let used: Vec<Rect> = plan
        .chunks
        .iter()
        .map(|c| {
            let trim = |[a, b]: [u32; 2], side: u32, subject: u32| {
                let margin = params.halo.max(subject.div_ceil(2));
                [if a > 0 { a + margin } else { 0 }, if b < side { b - margin } else { side }]
            };
            let [w, h] = params.subject;
            let ([x0, x1], [y0, y1]) = (trim(c.x_range, frame.width, w), trim(c.y_range, frame.height, h));
            Rect { x: x0, y: y0, width: x1 - x0, height: y1 - y0 }
        })
        .collect();
    let counted = map.limited(&rects(&params.regions), &rects(&params.exclude)).unwrap_or_else(|| map.clone());
    let least = (params.threshold * f64::from(counted.most())) as f32;
    let (mut total, mut covered) = (0.0, 0.0);
    for (i, v) in counted.values().iter().enumerate().filter(|(_, v)| **v > least) {
        let (x, y) = (i as u32 % frame.width, i as u32 / frame.width);
        let inside = |r: &Rect| x >= r.x && y >= r.y && x < r.x + r.width && y < r.y + r.height;
        total += f64::from(*v);
        covered += if used.iter().any(inside) { f64::from(*v) } else { 0.0 };
    }
    assert!(covered >= total * (params.coverage - 1e-6), "{covered} of {total}");
    assert!(total == 0.0 || (plan.active_coverage - covered / total).abs() < 1e-6);
    for c in &plan.chunks {
        assert!(c.rect().fits(frame), "{c:?}");
        for ([a, b], side) in [(c.x_range, frame.width), (c.y_range, frame.height)] {
            assert!(a.is_multiple_of(params.factor) || b == side, "{c:?} lies between");
            assert!((b - a).is_multiple_of(params.factor) || b - a == side, "{c:?} is not aligned");
        }
        let size = [c.width, c.height].map(u64::from);
        let turned = c.orientation == Orientation::Vertical;
        assert!(params.rotate || !turned);
        assert!(params.sizes.iter().any(|[w, h]| {
            let (w, h) = if turned { (h, w) } else { (w, h) };
            size[0] <= u64::from(*w) && size[1] <= u64::from(*h)
        }));
    }
    assert_eq!(unsupported(&used, params.overlap), None, "{:?}", plan.chunks);
    let ids: Vec<u32> = plan.chunks.iter().map(|c| c.chunk_id).collect();
    assert!(ids.iter().copied().eq(0..ids.len() as u32));
    assert!(plan.chunks.windows(2).all(|w| w[0].score >= w[1].score));
    assert!(plan.chunks.iter().all(|c| c.score > 0.0 || plan.chunks.len() > 2));
    plan
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn every_plan_keeps_what_it_promises(
        seed: u32, coverage in 1u32..=100, threshold in 0u32..20, factor in 3u32..20, overlap in 0u32..24, halo in 0u32..12, rotate: bool,
        second: bool, subject in (0u32..40, 0u32..40),
    ) {
        let (map, chunk) = random(seed);
        let mut sizes = vec![[chunk.width, chunk.height]];
        sizes.extend(second.then_some([80, 64 + overlap]));
        let params = PlanParams {
            sizes,
            factor,
            rotate,
            overlap,
            halo,
            subject: [subject.0, subject.1],
            coverage: f64::from(coverage) / 100.0,
            threshold: f64::from(threshold) / 100.0,
            ..PlanParams::default()
        };
        prop_assume!(params.check().is_ok());
        check(&map, &params);
    }

    #[test]
    fn a_frame_that_is_active_everywhere_is_covered_whole(
        width in 1u32..200, height in 1u32..160, w in 49u32..300, h in 49u32..300, factor in 1u32..17
    ) {
        let size = Size::new(width, height);
        let map = HeatMap::new(size, vec![0.7; size.area() as usize]).unwrap();
        let plan = check(&map, &PlanParams { sizes: vec![[w, h]], factor, coverage: 1.0, ..PlanParams::default() });
        prop_assert_eq!(plan.stats.coverage, 1.0);
    }

    #[test]
    fn segments_leave_nothing_out(
        width in 1u32..3000, height in 1u32..2000, w in 1u32..700, h in 1u32..700, count in 1u32..40, factor in 1u32..17
    ) {
        let frame = Size::new(width, height);
        for all in [
            auto_segments(frame, Size::new(w, h), factor, false),
            strip_segments(frame, count, factor, false),
            grid_segments(frame, count, factor, false),
        ] {
            let all = all.unwrap();
            // Rows and columns are products, so both axes can be looked at alone.
            for (side, ranges) in [
                (width, all.iter().map(|s| s.x_range).collect::<Vec<_>>()),
                (height, all.iter().map(|s| s.y_range).collect()),
            ] {
                let mut ranges = ranges;
                ranges.sort_unstable();
                let end = ranges.iter().fold(0, |end, [a, b]| if *a <= end { end.max(*b) } else { end });
                prop_assert_eq!(end, side, "{:?}", ranges);
            }
        }
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// On the recorded maps and 200 random ones: as much heat as the original covers, with fewer pixels.
#[test]
fn never_less_coverage_than_the_original_with_fewer_pixels() {
    let mut cases: Vec<(HeatMap, Size, PlacerParams)> =
        (0..200).map(random).map(|(map, chunk)| (map, chunk, PlacerParams::default())).collect();
    if let Some(golden) = golden() {
        cases.extend(golden["placer"].as_object().unwrap().values().filter(|c| c.get("error").is_none()).map(recorded));
    }
    for overlap in [8, 16] {
        let (mut ratios, mut worse) = (Vec::new(), 0);
        for (map, chunk, placer) in &cases {
            let theirs = coverage_stats(map, &place(map, *chunk, placer).unwrap());
            if theirs.num_chunks == 0 {
                continue;
            }
            let params = PlanParams {
                coverage: (theirs.coverage + 1e-6).min(1.0),
                threshold: 0.0,
                overlap,
                rotate: placer.allow_rotation,
                ..params(*chunk)
            };
            let ours = plan(map, &params).unwrap().stats;
            assert!(ours.coverage >= theirs.coverage, "{} {}", ours.coverage, theirs.coverage);
            ratios.push(ours.total_chunk_area as f64 / theirs.total_chunk_area as f64);
            worse += u32::from(ours.total_chunk_area > theirs.total_chunk_area);
        }
        let (cases, most) = (ratios.len(), ratios.iter().copied().fold(0.0, f64::max));
        let median = median(ratios);
        eprintln!(
            "overlap {overlap}: median {median:.3} of the original's pixels over {cases} maps, most {most:.3}, {worse} dearer"
        );
        assert!(median <= 0.7, "{median}");
    }
}

/// Least number of windows of one size that cover enough and meet as they should, by trying all sets.
fn exhaustive(map: &HeatMap, params: &PlanParams, most: usize) -> usize {
    let frame = map.size();
    let [w, h] = params.sizes[0];
    let along = |frame: u32, side: u32| -> Vec<u32> {
        let last = frame - side;
        (0..=last)
            .step_by(params.factor as usize)
            .chain((!last.is_multiple_of(params.factor)).then_some(last))
            .collect()
    };
    let of = |(w, h): (u32, u32)| {
        let (xs, ys) = (along(frame.width, w), along(frame.height, h));
        ys.iter()
            .flat_map(|y| xs.iter().map(|x| Rect { x: *x, y: *y, width: w, height: h }).collect::<Vec<_>>())
            .collect::<Vec<_>>()
    };
    let windows: Vec<Rect> = if w == h { of((w, h)) } else { [of((w, h)), of((h, w))].concat() };
    // No window adds more than the best alone.
    let alone = |r: &Rect| coverage_stats(map, &[Chunk::new(*r, false, 0.0, 0)]).coverage;
    let largest = windows.iter().map(alone).fold(0.0, f64::max);
    struct Rules {
        largest: f64,
        wanted: f64,
        overlap: u32,
    }
    fn search(
        map: &HeatMap,
        windows: &[Rect],
        from: usize,
        chosen: &mut Vec<Rect>,
        left: usize,
        rules: &Rules,
    ) -> bool {
        let chunks: Vec<Chunk> = chosen.iter().map(|r| Chunk::new(*r, false, 0.0, 0)).collect();
        let covered = coverage_stats(map, &chunks).coverage;
        if covered >= rules.wanted && unsupported(chosen, rules.overlap).is_none() {
            return true;
        }
        if left == 0 || covered + rules.largest * (left as f64) < rules.wanted {
            return false;
        }
        (from..windows.len()).any(|i| {
            chosen.push(windows[i]);
            let found = search(map, windows, i + 1, chosen, left - 1, rules);
            chosen.pop();
            found
        })
    }
    let rules = Rules { largest, wanted: params.coverage, overlap: params.overlap };
    (1..=most).find(|k| search(map, &windows, 0, &mut Vec::new(), *k, &rules)).unwrap_or(most + 1)
}

/// Against the true optimum on maps that are small enough to try everything.
#[test]
fn the_gap_to_the_optimum_is_small() {
    let mut gaps = Vec::new();
    let (mut equal, mut cases) = (0, 0);
    for seed in 0..40 {
        let word = |i| pcg4d([seed, i, 8, 0])[0];
        let size = Size::new(40 + below(word(0), 24), 32 + below(word(1), 16));
        let list: Vec<[f64; 4]> = (0..1 + below(word(2), 3))
            .map(|i| {
                let u = |k| unit(word(10 + i * 4 + k));
                [u(0) * f64::from(size.width), u(1) * f64::from(size.height), 2.0 + u(2) * 6.0, 0.3 + u(3) * 0.7]
            })
            .collect();
        let map = blobs(size, &list);
        let params = PlanParams {
            sizes: vec![[24, 16]],
            factor: 8,
            overlap: 4,
            threshold: 0.0,
            coverage: 0.95,
            ..PlanParams::default()
        };
        let (best, ours) = (exhaustive(&map, &params, 3), check(&map, &params).chunks.len());
        if best > 3 {
            continue;
        }
        assert!(ours >= best, "{seed}: the exhaustive search missed something");
        cases += 1;
        equal += u32::from(ours == best);
        gaps.push(ours as f64 / best as f64 - 1.0);
    }
    let (mean, most) = (gaps.iter().sum::<f64>() / gaps.len() as f64, gaps.iter().copied().fold(0.0, f64::max));
    let median = median(gaps);
    eprintln!("{cases} maps: {equal} optimal, gap median {median:.3}, mean {mean:.3}, most {most:.3}");
    assert!(cases >= 20 && median <= 0.05 && mean <= 0.10, "{cases} {median} {mean}");
}

#[test]
fn every_setting_changes_the_plan() {
    let size = Size::new(640, 360);
    let map = blobs(size, &[[120.0, 90.0, 40.0, 1.0], [430.0, 200.0, 60.0, 0.7], [600.0, 340.0, 20.0, 0.1]]);
    let base = PlanParams { sizes: vec![[160, 96]], ..PlanParams::default() };
    let chunks = |p: &PlanParams| plan(&map, p).unwrap().chunks;
    let plain = chunks(&base);
    for changed in [
        PlanParams { sizes: vec![[192, 96]], ..base.clone() },
        PlanParams { sizes: vec![[160, 96], [96, 80]], ..base.clone() },
        PlanParams { factor: 32, ..base.clone() },
        PlanParams { rotate: false, ..base.clone() },
        PlanParams { coverage: 0.8, ..base.clone() },
        PlanParams { threshold: 0.3, ..base.clone() },
        PlanParams { overlap: 40, ..base.clone() },
        PlanParams { halo: 16, ..base.clone() },
        PlanParams { subject: [24, 48], ..base.clone() },
        PlanParams { scales: vec![0.5], ..base.clone() },
        PlanParams { regions: vec![[0, 0, 300, 360]], ..base.clone() },
        PlanParams { exclude: vec![[0, 0, 300, 360]], ..base.clone() },
    ] {
        assert!(chunks(&changed) != plain, "{changed:?}");
        check(&map, &PlanParams { scales: vec![1.0], ..changed });
    }
    // Heat outside the regions pulls no chunk.
    let left = plan(&map, &PlanParams { regions: vec![[0, 0, 240, 360]], ..base.clone() }).unwrap();
    assert!(
        left.chunks.iter().all(|c| c.x_range[0] < 240) && left.active_coverage >= 0.99 && left.stats.coverage < 0.8
    );
    // At half the scale a chunk covers the same for a quarter of the pixels.
    let both = plan(&map, &PlanParams { scales: vec![1.0, 0.5], ..base.clone() }).unwrap();
    let half: Vec<&Chunk> = both.chunks.iter().filter(|c| c.scale == 0.5).collect();
    assert!(!half.is_empty() && half.iter().all(|c| c.pixels() * 4 == u64::from(c.width) * u64::from(c.height)));
    assert!(half.iter().all(|c| c.rect().x.is_multiple_of(16) || c.x_range[1] == 640));
}

#[test]
fn settings_out_of_range_are_refused_by_name() {
    let d = PlanParams::default;
    for (wanted, params) in [
        ("sizes", PlanParams { sizes: vec![], ..d() }),
        ("sizes[1]", PlanParams { sizes: vec![[64, 64], [64, 32]], ..d() }),
        ("factor", PlanParams { factor: 0, ..d() }),
        ("coverage", PlanParams { coverage: 0.0, ..d() }),
        ("coverage", PlanParams { coverage: f64::NAN, ..d() }),
        ("threshold", PlanParams { threshold: 1.0, ..d() }),
        ("overlap", PlanParams { overlap: 2000, ..d() }),
        ("halo", PlanParams { halo: 2000, ..d() }),
        ("subject[1]", PlanParams { subject: [0, 2000], ..d() }),
        ("sizes[0]", PlanParams { subject: [0, 500], ..d() }),
        ("scales[0]", PlanParams { scales: vec![2.0], ..d() }),
        ("scales", PlanParams { scales: vec![], ..d() }),
        ("lead_in", PlanParams { lead_in: -1.0, ..d() }),
        ("segment", PlanParams { segment: Some(0.0), ..d() }),
        ("hold", PlanParams { hold: f64::NAN, ..d() }),
        ("regions", PlanParams { regions: vec![[0; 4]; 1001], ..d() }),
    ] {
        match params.check() {
            Err(Error::Config { field, .. }) => assert_eq!(field, wanted),
            other => panic!("{wanted}: {other:?}"),
        }
    }
    let size = Size::new(4, 4);
    for values in [vec![0.0; 15], vec![f32::NAN; 16], vec![-1.0; 16], vec![f32::INFINITY; 16]] {
        assert!(HeatMap::new(size, values).is_err());
    }
    assert!(HeatMap::new(Size::new(0, 4), vec![]).is_err());
    // A mask of 2x1 for a map of 4x4: the right half stays.
    let half = HeatMap::new(size, vec![0.5; 16]).unwrap().masked(Size::new(2, 1), &[127, 128]).unwrap();
    assert_eq!(half.values()[..8], [0.0, 0.0, 0.5, 0.5].repeat(2));
    assert!(half.masked(size, &[255; 3]).is_err());
    assert!(auto_segments(Size::new(0, 1), size, 8, true).is_err() && grid_segments(size, 0, 8, true).is_err());
    assert!(strip_segments(size, 1, 0, true).is_err());
}

#[test]
fn the_record_has_the_keys_of_the_original() {
    let map = blobs(Size::new(256, 160), &[[10.0, 8.0, 16.0, 1.0]]);
    let plan = plan(&map, &params(Size::new(96, 64))).unwrap();
    let record = serde_json::to_value(&plan).unwrap();
    let keys = |v: &Value| v.as_object().unwrap().keys().cloned().collect::<Vec<_>>().join(" ");
    assert_eq!(keys(&record["chunks"][0]), "chunk_id height orientation score width x_range y_range");
    assert_eq!(keys(&record["stats"]), "coverage efficiency frame_area num_chunks total_chunk_area");
    let cost = plan.cost;
    assert_eq!((cost.pixels, cost.frame_pixels, cost.tensor_bytes), (6144, 40_960, 6144 * 24));
    assert_eq!(cost.saving_against_frame, 0.85);
    let stats = map.stats();
    assert_eq!((stats.total_pixels, stats.max_activity, stats.min_activity), (40_960, 1.0, 0.0));
    assert!(stats.active_pixels > 500 && stats.std_activity > 0.0);
    assert_eq!(stats.activity_ratio, stats.active_pixels as f64 / 40_960.0);
}

/// Prints how long plans take: `cargo test --lib plan::tests::speed -- --ignored --nocapture`.
#[test]
#[ignore = "a measurement"]
fn speed() {
    let size = Size::new(1920, 1080);
    let list: Vec<[f64; 4]> = (0..40)
        .map(|i| {
            let [a, b, c, d] = pcg4d([i, 3, 5, 7]).map(unit);
            [a * 1920.0, b * 1080.0, 20.0 + c * 60.0, 0.3 + d * 0.7]
        })
        .collect();
    let whole = HeatMap::new(size, vec![1.0; size.area() as usize]).unwrap();
    for (name, map) in
        [("three blobs", blobs(size, &list[..3])), ("40 blobs", blobs(size, &list)), ("everywhere", whole)]
    {
        for (chunk, rotate) in [(Size::new(512, 512), true), (Size::new(256, 192), true), (Size::new(192, 128), true)] {
            let params = PlanParams { rotate, ..params(chunk) };
            let start = std::time::Instant::now();
            let found = plan(&map, &params).unwrap();
            let took = start.elapsed();
            let (n, cost) = (found.chunks.len(), found.cost);
            println!("{name}, {chunk}: {n} chunks, {:.3} of the grid, {took:?}", 1.0 - cost.saving_against_grid);
        }
    }
}
