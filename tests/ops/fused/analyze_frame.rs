use crate::colors;
use crate::gpu::on_every_adapter;
use crate::pictures::*;
use crate::results::{refused, run};
use crate::seed_frames::{SEED_FRAMES, seed_frame};
use crate::table::{self, Trial};
use frameloom::core::{FigureForm, FrameAnalysis, PixelFormat, Size};
use frameloom::gpu::{AdapterClass, GpuContext};
use frameloom::ops::color::rgb_from_yuv::RgbParams;
use frameloom::ops::edges::canny::CannyParams;
use frameloom::ops::fused::analyze_frame::{AnalyzeParams, AnalyzePlan, analyze_frame};
use frameloom::ops::histogram::hsv3d::HsvBins;
use frameloom::ops::stats::luma::LumaParams;
use frameloom::ops::{BatchShape, GpuPictures, Record};
use frameloom::reference::fused::analyze_frame::{Parts, analyze_frame as reference};
use frameloom::reference::{Colors, Pattern};

fn parts(p: &AnalyzeParams) -> Parts {
    Parts {
        edges: p.edges.map(|e| ((e.low, e.high), p.border)),
        colors: p.colors,
        lighting: p.lighting,
        luma: p.luma.map(|l| (l.dark, l.bright)),
        residual: p.residual,
        luma_bins: p.luma_bins,
        hsv: p.hsv.map(|b| [b.hue, b.saturation, b.value]),
        thumbnail: p.thumbnail,
    }
}

fn want(trial: &Trial, colors: &[Colors], params: &AnalyzeParams) -> Vec<FrameAnalysis> {
    trial.slots().zip(colors).map(|(slot, c)| reference(&slot, c, &parts(params)).unwrap()).collect()
}

/// Everything, with parameters that change from trial to trial; those that need another pipeline change together.
fn everything(turn: usize, rgb: RgbParams) -> AnalyzeParams {
    let pick = |n: usize| turn % n;
    AnalyzeParams {
        edges: Some([CannyParams { low: 50, high: 150 }, CannyParams { low: 20, high: 400 }][pick(2)]),
        border: Some([20, 1, 17, 1000][pick(4)]),
        luma: Some([LumaParams { dark: 25, bright: 230 }, LumaParams { dark: 100, bright: 101 }][pick(2)]),
        luma_bins: Some([256, 77][pick(2)]),
        hsv: Some([HsvBins { hue: 6, saturation: 6, value: 6 }, HsvBins { hue: 12, saturation: 3, value: 5 }][pick(2)]),
        thumbnail: Some([Size::new(32, 32), Size::new(9, 8), Size::new(1, 64)][pick(3)]),
        ..AnalyzeParams::all(rgb)
    }
}

#[test]
fn equals_the_references_of_its_parts() {
    on_every_adapter("fused/analyze_frame equals the references of its parts", |ctx| {
        let mut turn = 0;
        colors::each(ctx, |trial, rgb, colors| {
            let params = everything(turn, rgb);
            turn += 1;
            let got = analyze_frame(ctx, trial.batch.as_ref(), params).unwrap();
            assert!(got == want(trial, &colors, &params), "{}, turn {turn}", trial.name);
        });
    });
}

#[test]
fn both_kernel_variants_are_exact_everywhere() {
    on_every_adapter("fused/analyze_frame variants", |ctx| {
        for (turn, format) in [PixelFormat::Nv12, PixelFormat::Rgba8, PixelFormat::I210].into_iter().enumerate() {
            let params = everything(turn, colors::rgb_params(format));
            let trial = table::mixed(ctx, format, &[(77, 55), (300, 131), (1, 1), (160, 64)], turn);
            let wanted = want(&trial, &colors::colors(&trial), &params);
            let shape = BatchShape::of(trial.batch.as_ref()).unwrap();
            for class in [AdapterClass::Cpu, AdapterClass::Gpu] {
                let plan = AnalyzePlan::for_class(ctx, shape, params, class).unwrap();
                let got = plan.bind(ctx, trial.batch.as_ref(), 0).unwrap().run(ctx).unwrap();
                assert!(got == wanted, "{format} {class:?}");
            }
        }
    });
}

/// Each part alone: the same result as among others, and nothing else.
#[test]
fn each_switch_brings_its_part() {
    on_every_adapter("fused/analyze_frame switches", |ctx| {
        for format in [PixelFormat::Nv12, PixelFormat::Rgba8] {
            let rgb = colors::rgb_params(format);
            let all = AnalyzeParams::all(rgb);
            let none = AnalyzeParams::none(rgb);
            let trial = table::uniform(ctx, layout(format, (123, 66)), 6, 1);
            let colors = colors::colors(&trial);
            let whole = analyze_frame(ctx, trial.batch.as_ref(), all).unwrap().remove(0);
            let singles = [
                AnalyzeParams { edges: all.edges, ..none },
                AnalyzeParams { edges: all.edges, border: all.border, ..none },
                AnalyzeParams { colors: true, ..none },
                AnalyzeParams { lighting: true, ..none },
                AnalyzeParams { luma: all.luma, ..none },
                AnalyzeParams { residual: true, ..none },
                AnalyzeParams { luma_bins: all.luma_bins, ..none },
                AnalyzeParams { hsv: all.hsv, ..none },
                AnalyzeParams { thumbnail: all.thumbnail, ..none },
            ];
            let empty = FrameAnalysis::of(Size::new(123, 66));
            for params in singles {
                let got = analyze_frame(ctx, trial.batch.as_ref(), params).unwrap().remove(0);
                assert!(got != empty && got != whole, "{params:?} changes nothing");
                assert_eq!(vec![got], want(&trial, &colors, &params));
                let plan = |p| AnalyzePlan::new(ctx, &trial.pictures[0].0, p).unwrap().result_bytes();
                assert!(plan(params) < plan(all));
            }
            // Parameters of the parts reach them.
            let changed = [
                AnalyzeParams { edges: Some(CannyParams { low: 200, high: 300 }), ..all },
                AnalyzeParams { border: Some(3), ..all },
                AnalyzeParams { luma: Some(LumaParams { dark: 90, bright: 100 }), ..all },
                AnalyzeParams { luma_bins: Some(16), ..all },
                AnalyzeParams { hsv: Some(HsvBins { hue: 3, saturation: 2, value: 2 }), ..all },
                AnalyzeParams { thumbnail: Some(Size::new(9, 8)), ..all },
            ];
            for params in changed {
                let got = analyze_frame(ctx, trial.batch.as_ref(), params).unwrap().remove(0);
                assert_ne!(got, whole, "{params:?}");
            }
        }
    });
}

/// The nine frames of the system before, as packed RGB, and what is measured of them.
fn seed_analyses(ctx: &GpuContext) -> Vec<(&'static str, FrameAnalysis)> {
    let frames = SEED_FRAMES.map(seed_frame);
    let bytes = frames.each_ref().map(|(_, p)| p.iter().flat_map(|[r, g, b]| [*r, *g, *b, 7]).collect::<Vec<_>>());
    let slots: Vec<_> = frames.iter().zip(&bytes).map(|((size, _), b)| (*size, b.as_slice())).collect();
    let src = GpuPictures::from_host(ctx, "test", PixelFormat::Rgba8, &slots).unwrap();
    let params = AnalyzeParams::curation(colors::rgb_params(PixelFormat::Rgba8));
    SEED_FRAMES.into_iter().zip(analyze_frame(ctx, &src, params).unwrap()).collect()
}

/// Figures in the order of the recorded ones.
fn figures(analysis: &FrameAnalysis) -> [f64; 7] {
    let f = analysis.figures(FigureForm::Parity).unwrap();
    [f.complexity, f.lighting, f.occlusion, f.quality, f.sharpness, f.contrast, f.brightness]
}

#[test]
fn figures_are_those_of_the_system_before() {
    let recorded: [(usize, [f64; 7]); 4] = [
        (
            0,
            [
                0.43252421335068725,
                0.782940849011573,
                0.30414043339159963,
                0.3758131854300618,
                0.0017788390739717414,
                0.44174737783562423,
                0.4992175532322304,
            ],
        ),
        (1, [0.2762166341145833, 0.365625, 1.0, 0.675314510569853, 1.0, 0.78125, 0.47058823529411764]),
        (3, [0.5638761829967747, 0.4537428634003, 1.0, 0.575, 1.0, 0.3879287480100824, 0.49911758323120914]),
        (
            6,
            [
                0.08210612601571475,
                0.7073774350617221,
                0.0,
                0.5209747817095588,
                0.04777734375,
                0.2675072771487367,
                0.655355655445772,
            ],
        ),
    ];
    on_every_adapter("fused/analyze_frame figures of the system before", |ctx| {
        let analyses = seed_analyses(ctx);
        for (i, values) in recorded {
            for (got, value) in figures(&analyses[i].1).into_iter().zip(values) {
                assert!((got - value).abs() <= 1e-9, "{}: {got} for {value}", analyses[i].0);
            }
            // What the corrected form repairs.
            let (parity, corrected) =
                (analyses[i].1.occlusion(FigureForm::Parity), analyses[i].1.occlusion(FigureForm::Corrected));
            assert!(corrected <= parity, "{}", analyses[i].0);
        }
    });
}

/// All frames against the recorded decisions, where `decision.json` lies in `golden` beside `FRAMELOOM_TESTDATA`.
#[test]
fn figures_equal_the_recorded_decisions() {
    let Some(data) = std::env::var_os("FRAMELOOM_TESTDATA") else {
        eprintln!("NOT RUN: fused/analyze_frame against recorded decisions: FRAMELOOM_TESTDATA is not set");
        return;
    };
    let path = std::path::Path::new(&data).join("../golden/decision.json");
    let Ok(text) = std::fs::read_to_string(&path) else {
        eprintln!("NOT RUN: fused/analyze_frame against recorded decisions: no {}", path.display());
        return;
    };
    let recorded: serde_json::Value = serde_json::from_str(&text).unwrap();
    let names =
        ["complexity", "lighting_quality", "occlusion_level", "quality_score", "sharpness", "contrast", "brightness"];
    on_every_adapter("fused/analyze_frame recorded decisions", |ctx| {
        for (frame, analysis) in seed_analyses(ctx) {
            let want = &recorded[frame]["analysis"];
            for (name, got) in names.into_iter().zip(figures(&analysis)) {
                let value = want[name].as_f64().unwrap_or_else(|| panic!("{frame}: no {name}"));
                assert!((got - value).abs() <= 1e-3, "{frame} {name}: {got} for {value}");
            }
            // The eighth figure is a constant of that system: masks are counted elsewhere.
            assert_eq!(want["instance_count"].as_f64(), Some(1.0));
        }
    });
}

#[test]
fn the_same_bits_every_time() {
    on_every_adapter("fused/analyze_frame is deterministic", |ctx| {
        for format in [PixelFormat::Nv12, PixelFormat::Rgba8] {
            let input = layout(format, (333, 111));
            let src = upload(ctx, &input, &[Pattern::Natural { seed: 3, shift: 0 }.frame(&input)]);
            let plan = AnalyzePlan::new(ctx, &input, AnalyzeParams::all(colors::rgb_params(format))).unwrap();
            let bound = plan.bind(ctx, &src, 0).unwrap();
            table::deterministic(|| bound.run(ctx).unwrap());
        }
    });
}

/// Counts add up to the pixels; a frame a little brighter keeps its hashes, another one does not.
#[test]
fn counts_add_up_and_hashes_find_near_duplicates() {
    on_every_adapter("fused/analyze_frame invariants", |ctx| {
        let input = layout(PixelFormat::Gray8, (200, 150));
        let frame = Pattern::Natural { seed: 1, shift: 0 }.frame(&input);
        let brighter: Vec<u8> = frame.iter().map(|v| v.saturating_add(3)).collect();
        let other = Pattern::Natural { seed: 9, shift: 70 }.frame(&input);
        let src = upload(ctx, &input, &[frame, brighter, other]);
        let params = AnalyzeParams::all(colors::rgb_params(PixelFormat::Gray8));
        let got = analyze_frame(ctx, &src, params).unwrap();
        for a in &got {
            let total = |bins: &Option<Vec<u32>>| bins.as_ref().unwrap().iter().map(|c| u64::from(*c)).sum::<u64>();
            assert_eq!((total(&a.luma_bins), total(&a.hsv_bins), a.gray().unwrap().n), (30_000, 30_000, 30_000));
            let weighted: u64 = (0..).zip(a.luma_bins.as_ref().unwrap()).map(|(v, c)| v * u64::from(*c)).sum();
            assert_eq!(weighted, a.gray().unwrap().sum);
            let patches = &a.lighting.as_ref().unwrap().patches;
            assert_eq!(patches.iter().map(|p| u64::from(p.sum)).sum::<u64>(), weighted);
            // Grey has as many colours as codes.
            let codes = a.luma_bins.as_ref().unwrap().iter().filter(|c| **c > 0).count();
            assert_eq!(a.unique_colors, Some(codes as u32));
        }
        for hash in [FrameAnalysis::dhash, FrameAnalysis::phash] {
            let [a, b, c] = [0, 1, 2].map(|i| hash(&got[i]).unwrap());
            assert!(frameloom::core::hamming(a, b) <= 4 && frameloom::core::hamming(a, c) >= 10);
        }
    });
}

#[test]
fn batches_take_turns_and_bind_from_a_later_slot() {
    on_every_adapter("fused/analyze_frame slots", |ctx| {
        for format in [PixelFormat::Rgba8, PixelFormat::P010] {
            let sizes: Vec<(u32, u32)> = (0..19).map(|i| (20 + i % 7, 9 + 2 * (i % 5))).collect();
            let trial = table::mixed(ctx, format, &sizes, 0);
            let params = everything(1, colors::rgb_params(format));
            let wanted = want(&trial, &colors::colors(&trial), &params);
            let plan = AnalyzePlan::new(ctx, BatchShape::of(trial.batch.as_ref()).unwrap(), params).unwrap();
            let bound = plan.bind(ctx, trial.batch.as_ref(), 1).unwrap();
            let results = bound.measure().results();
            poison(ctx, results);
            run(ctx, |rec| bound.record(rec, 17));
            let bytes = results.read(ctx, 18 * plan.result_bytes()).unwrap();
            assert!(bound.measure().decode(&bytes)[..17] == wanted[1..18], "{format}");
            assert!(bytes[17 * plan.result_bytes() as usize..].iter().all(|b| *b == 0xFF), "more than was recorded");
            assert!(bound.run(ctx).unwrap() == wanted[1..]);
            assert!(bound.status().unwrap().complete(ctx).unwrap());
        }
    });
}

#[test]
fn what_does_not_fit_is_refused() {
    on_every_adapter("fused/analyze_frame refuses", |ctx| {
        let rgb = colors::rgb_params(PixelFormat::Nv12);
        let (all, none) = (AnalyzeParams::all(rgb), AnalyzeParams::none(rgb));
        let input = layout(PixelFormat::Nv12, (20, 4));
        let plan = |params| AnalyzePlan::new(ctx, &input, params);
        refused(plan(none), "parts");
        refused(AnalyzePlan::new(ctx, &layout(PixelFormat::Rgba8, (1, 32_769)), all), "input");
        refused(plan(AnalyzeParams { edges: None, ..all }), "border");
        refused(plan(AnalyzeParams { border: Some(0), ..all }), "border");
        refused(plan(AnalyzeParams { border: Some(32_769), ..all }), "border");
        refused(plan(AnalyzeParams { luma_bins: Some(1), ..all }), "luma_bins");
        refused(plan(AnalyzeParams { luma_bins: Some(257), ..all }), "luma_bins");
        for (hue, saturation, value) in [(0, 1, 1), (181, 1, 1), (8, 8, 8)] {
            refused(plan(AnalyzeParams { hsv: Some(HsvBins { hue, saturation, value }), ..all }), "hsv");
        }
        for (width, height) in [(0, 8), (65, 1), (1, 65)] {
            refused(plan(AnalyzeParams { thumbnail: Some(Size::new(width, height)), ..all }), "thumbnail");
        }
        let wide = layout(PixelFormat::Gray8, (30_000, 20_000));
        refused(AnalyzePlan::new(ctx, &wide, AnalyzeParams { thumbnail: Some(Size::new(1, 1)), ..none }), "thumbnail");
        let plan = plan(all).unwrap();
        let other = table::uniform(ctx, layout(PixelFormat::I420, (20, 4)), 0, 1);
        refused(plan.bind(ctx, other.batch.as_ref(), 0), "input");
        refused(plan.bind(ctx, table::uniform(ctx, input, 0, 2).batch.as_ref(), 2), "first");
    });
}

#[test]
fn a_sabotaged_reference_is_rejected() {
    on_every_adapter("fused/analyze_frame negative control", |ctx| {
        let trial = table::uniform(ctx, layout(PixelFormat::I444, (33, 29)), 0, 1);
        let colors = colors::colors(&trial);
        let params = AnalyzeParams::all(colors::rgb_params(PixelFormat::I444));
        let got = analyze_frame(ctx, trial.batch.as_ref(), params).unwrap();
        assert_eq!(got, want(&trial, &colors, &params));
        // Another colour changes lighting and histograms, another code of luma nearly everything.
        assert_ne!(got, want(&trial, &[colors::sabotaged(&colors[0])], &params));
        let mut sabotaged = trial;
        sabotaged.pictures[0].1[32] ^= 0x40;
        assert_ne!(got, want(&sabotaged, &colors, &params));
    });
}
