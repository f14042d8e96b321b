use crate::colors::rgb_params;
use crate::gpu::on_every_adapter;
use crate::pictures::*;
use crate::results::{refused, run};
use crate::seed_frames::{SEED_FRAMES, seed_frame};
use crate::vectors::{numbers, poisoned_rows, promised, upload_rows, violation, zero_padding};
use crate::{compare, table};
use frameloom::core::*;
use frameloom::gpu::GpuContext;
use frameloom::ops::fused::describe_image::{DescribeParams, DescribePlan, INFO, describe_image};
use frameloom::ops::{BatchShape, GpuPictures, Plan, RowSample};
use frameloom::reference::{Colors, FrameSlot, Pattern, fused::describe_image as reference};

const SQUARE: Aspect = Aspect { width: 1, height: 1 };
const ASPECTS: [Aspect; 4] = [Aspect::WIDE, SQUARE, Aspect { width: 4, height: 3 }, Aspect { width: 9, height: 16 }];
const WEIGHTS: DescriptorWeights = DescriptorWeights { edge: 0.5, texture: 0.2, color: 0.3 };

fn params(method: DescriptorMethod, aspect: Aspect, longest: u32) -> DescribeParams {
    let spec = DescriptorSpec { aspect, longest, weights: WEIGHTS, ..DescriptorSpec::new(method) };
    DescribeParams { spec, ..DescribeParams::new(method) }
}

fn with(p: DescribeParams, style: DescriptorStyle, sizes: DescriptorSizes) -> DescribeParams {
    DescribeParams { spec: DescriptorSpec { style, sizes, ..p.spec }, ..p }
}

fn colour() -> DescriptorMethod {
    DescriptorMethod::SpatialColor { seed: 42 }
}

fn want(slot: &FrameSlot<'_>, p: &DescribeParams) -> Vec<f32> {
    reference::describe_image(slot, p.color, &p.spec).unwrap().into_iter().map(|v| v as f32).collect()
}

/// What a row may be off: as declared, and half a step of f16 where it is one.
fn allowed(p: &DescribeParams, want: &[f32]) -> impl Fn(usize) -> f64 {
    let half: Vec<f64> = match p.sample {
        RowSample::F32 => vec![0.0; want.len()],
        RowSample::F16 => want.iter().map(|v| f64::from(v.abs()).max(6.2e-5) / 2048.0).collect(),
    };
    move |i| promised(&INFO) + half[i]
}

/// All rows of a trial at the declared distance.
#[track_caller]
fn equal(ctx: &GpuContext, trial: &table::Trial, p: DescribeParams) {
    let got = describe_image(ctx, trial.batch.as_ref(), p).unwrap();
    assert_eq!(got.len(), trial.pictures.len());
    for (slot, got) in trial.slots().zip(&got) {
        let want = want(&slot, &p);
        if let Some(text) = violation(got, &want, allowed(&p, &want)) {
            panic!("{} {} {p:?}: {text}", trial.name, slot.size());
        }
    }
}

fn comparison(slot: &FrameSlot<'_>, p: &DescribeParams) -> Colors {
    reference::comparison_picture(slot, p.color, p.spec.aspect.crop(slot.size()), p.spec.size()).unwrap()
}

#[test]
fn comparison_pictures_of_every_size_and_format_equal_the_reference() {
    on_every_adapter("fused/describe_image comparison pictures", |ctx| {
        let reserved = DescriptorMethod::Reserved { len: 4 };
        let sitings = [ChromaSiting::Left, ChromaSiting::Center, ChromaSiting::TopLeft];
        for (f, format) in PixelFormat::ALL.into_iter().enumerate() {
            let trials = [
                table::mixed(ctx, format, &SHAPES, f),
                table::uniform(ctx, layout(format, (123, 66)), f, 2),
                table::uniform(ctx, layout(format, (33, 41)), f + 3, 1),
                table::uniform(ctx, layout(format, (32, 18)), f + 1, 1),
            ];
            for (t, trial) in trials.iter().enumerate() {
                let color = ColorSpec { siting: sitings[(f + t) % 3], ..rgb_params(format).color };
                let p = DescribeParams { color, ..params(reserved, ASPECTS[(f + t) % 4], [32, 40, 9][t % 3].max(16)) };
                let src = trial.batch.as_ref();
                let plan = DescribePlan::new(ctx, BatchShape::of(src).unwrap(), p).unwrap();
                let bound = plan.bind(ctx, src, src.slots()).unwrap();
                run(ctx, |rec| bound.record(rec, src.slots()));
                for (i, slot) in trial.slots().enumerate() {
                    let got = bound.pictures().read_slot(ctx, i as u32).unwrap();
                    let layout = *bound.pictures().layout();
                    let got =
                        Colors::of(&FrameSlot::new(layout, &got).unwrap(), p.color, ChromaUpsampling::Nearest).unwrap();
                    let want = comparison(&slot, &p);
                    let at = got.pixels().iter().zip(want.pixels()).position(|(g, w)| g != w);
                    assert_eq!(at, None, "{} {} {:?} {:?}", trial.name, slot.size(), p.spec.aspect, color.siting);
                }
            }
        }
    });
}

#[test]
fn rows_equal_the_reference() {
    on_every_adapter("fused/describe_image equals the reference", |ctx| {
        let methods = [
            params(DescriptorMethod::Canny, ASPECTS[0], 48),
            params(DescriptorMethod::SpatialPyramid { grid: 3 }, ASPECTS[3], 64),
            params(colour(), ASPECTS[2], 31),
            params(DescriptorMethod::Hog, SQUARE, 64),
            params(DescriptorMethod::SpatialPyramid { grid: 4 }, ASPECTS[2], 64),
            params(DescriptorMethod::SpatialPyramid { grid: 2 }, ASPECTS[0], 70),
            params(DescriptorMethod::Reserved { len: 12 }, SQUARE, 17),
        ];
        let mut i = 0;
        let formats = [PixelFormat::Rgba8, PixelFormat::Nv12];
        table::each(ctx, &formats, |trial| {
            let mut p = methods[i % methods.len()];
            i += 1;
            if !matches!(p.spec.method, DescriptorMethod::Reserved { .. }) {
                let style = [DescriptorStyle::Default, DescriptorStyle::Parity][i / 7 % 2];
                p = with(p, style, [DescriptorSizes::Reduced, DescriptorSizes::Legacy][i / 2 % 2]);
            }
            p.sample = [RowSample::F32, RowSample::F16][i / 3 % 2];
            equal(ctx, trial, p);
        });
        for (f, format) in PixelFormat::ALL.into_iter().enumerate() {
            let trial = table::mixed(ctx, format, &[(77, 55), (1, 1), (176, 113)], f);
            let p = methods[f % methods.len()];
            equal(ctx, &trial, DescribeParams { color: rgb_params(format).color, ..p });
        }
    });
}

#[test]
fn the_sizes_that_users_have_equal_the_reference() {
    on_every_adapter("fused/describe_image usual sizes", |ctx| {
        let trial = table::mixed(ctx, PixelFormat::Rgba8, &[(320, 214), (200, 300)], 4);
        for method in [DescriptorMethod::Canny, DescriptorMethod::SpatialPyramid { grid: 4 }, DescriptorMethod::Hog] {
            for style in [DescriptorStyle::Default, DescriptorStyle::Parity] {
                equal(ctx, &trial, with(params(method, Aspect::WIDE, 256), style, DescriptorSizes::Reduced));
            }
        }
        equal(ctx, &trial, params(colour(), Aspect::WIDE, 256));
        // Upright cells of the legacy size.
        let upright = params(DescriptorMethod::Canny, ASPECTS[3], 128);
        equal(ctx, &trial, with(upright, DescriptorStyle::Default, DescriptorSizes::Legacy));
    });
}

fn dot(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
}

/// The inner product of two rows is the weighted sum of the cosines of their parts; equal pictures have 1, flat ones too.
#[test]
fn inner_products_are_weighted_sums_of_cosines() {
    on_every_adapter("fused/describe_image weights", |ctx| {
        let trial = table::uniform(ctx, layout(PixelFormat::Rgba8, (90, 60)), 0, Pattern::COMMON.len());
        for method in [DescriptorMethod::Canny, DescriptorMethod::SpatialPyramid { grid: 2 }, DescriptorMethod::Hog] {
            let p = params(method, SQUARE, 64);
            let layout = p.spec.layout().unwrap();
            let rows = describe_image(ctx, trial.batch.as_ref(), p).unwrap();
            let part = |row: &'_ [f32], r: &std::ops::Range<u32>| row[r.start as usize..r.end as usize].to_vec();
            for a in &rows {
                assert!(a.iter().all(|v| v.is_finite()));
                assert!((dot(a, a) - 1.0).abs() < 1e-5);
                for b in &rows {
                    let parts = [&layout.edge, &layout.texture, &layout.color].map(|r| (part(a, r), part(b, r)));
                    if parts.iter().any(|(a, b)| dot(a, a) * dot(b, b) == 0.0) {
                        continue; // a picture without edges
                    }
                    let cosine = |(a, b): &(Vec<f32>, Vec<f32>)| dot(a, b) / (dot(a, a) * dot(b, b)).sqrt();
                    let sum = 0.5 * cosine(&parts[0]) + 0.2 * cosine(&parts[1]) + 0.3 * cosine(&parts[2]);
                    assert!((dot(a, b) - sum).abs() < 1e-4, "{method:?}: {} for {sum}", dot(a, b));
                }
            }
        }
    });
}

/// Flat pictures have no edges: their edge part is zero, nothing is NaN, and the same colour matches perfectly.
#[test]
fn pictures_without_edges_keep_length_one() {
    on_every_adapter("fused/describe_image flat pictures", |ctx| {
        let one = layout(PixelFormat::Rgba8, (64, 64));
        let flat = |level| Pattern::Constant { level }.frame(&one);
        let src = upload(ctx, &one, &[flat(9), flat(9), flat(240), flat(0)]);
        for method in [DescriptorMethod::Canny, DescriptorMethod::SpatialPyramid { grid: 4 }, DescriptorMethod::Hog] {
            let p = params(method, SQUARE, 64);
            let rows = describe_image(ctx, &src, p).unwrap();
            let edge = p.spec.layout().unwrap().edge;
            assert!(rows.iter().all(|r| r[..edge.end as usize].iter().all(|v| *v == 0.0)));
            assert!((dot(&rows[0], &rows[1]) - 1.0).abs() < 1e-5 && dot(&rows[0], &rows[2]) < 0.5);
            // Weights of nothing but the missing part: a row of zeros.
            let only = DescriptorWeights { edge: 1.0, texture: 0.0, color: 0.0 };
            let p = DescribeParams { spec: DescriptorSpec { weights: only, ..p.spec }, ..p };
            assert!(describe_image(ctx, &src, p).unwrap().concat().iter().all(|v| *v == 0.0));
        }
    });
}

/// In the default style every number of the edge part can be more than zero: noise reaches them all.
#[test]
fn no_number_of_the_edge_part_is_dead() {
    on_every_adapter("fused/describe_image live numbers", |ctx| {
        let one = layout(PixelFormat::Rgba8, (256, 144));
        let frames: Vec<_> = (0..4).map(|seed| Pattern::Random { seed }.frame(&one)).collect();
        let src = upload(ctx, &one, &frames);
        for (method, sizes) in [
            (DescriptorMethod::Canny, DescriptorSizes::Legacy),
            (DescriptorMethod::SpatialPyramid { grid: 4 }, DescriptorSizes::Reduced),
        ] {
            let p = with(params(method, Aspect::WIDE, 256), DescriptorStyle::Default, sizes);
            let end = p.spec.layout().unwrap().edge.end as usize;
            let rows = describe_image(ctx, &src, p).unwrap();
            assert!((0..end).all(|i| rows.iter().any(|r| r[i] > 0.0)), "{method:?}");
        }
    });
}

#[test]
fn reserved_numbers_are_left_alone_and_filled() {
    on_every_adapter("fused/describe_image reserved", |ctx| {
        for sample in [RowSample::F32, RowSample::F16] {
            let trial = table::uniform(ctx, layout(PixelFormat::Nv12, (70, 40)), 2, 3);
            let p = DescribeParams { sample, ..params(DescriptorMethod::Reserved { len: 20 }, SQUARE, 16) };
            let plan = DescribePlan::new(ctx, BatchShape::of(trial.batch.as_ref()).unwrap(), p).unwrap();
            let rows = poisoned_rows(ctx, *plan.output(), 6);
            let bound = plan.bind_to_rows(ctx, trial.batch.as_ref(), 3, &rows, 2).unwrap();
            let mut features = numbers(3, 5 * 20);
            features[40..60].fill(0.0); // the second of the three
            let features_on_device = upload_rows(ctx, RowSample::F32, 20, &features);
            let fill = plan.bind_features(ctx, &features_on_device, 1, &rows, 2).unwrap();
            assert_eq!(fill.capacity(), 4);
            run(ctx, |rec| bound.record(rec, 9));
            let before = rows.read(ctx, 5).unwrap();
            let dim = plan.layout().dim() as usize;
            assert!(before[2 * dim..].chunks_exact(dim).all(|r| r[..20].iter().all(|v| v.is_nan())));
            run(ctx, |rec| fill.record(rec, 3));
            zero_padding(ctx, &rows, 2..5);
            let after = rows.read(ctx, 5).unwrap();
            let after: Vec<&[f32]> = after.chunks_exact(dim).skip(2).collect();
            for (i, slot) in trial.slots().enumerate() {
                let mut want = want(&slot, &p);
                let own = &features[20 * (i + 1)..20 * (i + 2)];
                let length = dot(own, own).sqrt();
                for (to, v) in want.iter_mut().zip(own) {
                    *to = if i == 1 { 0.0 } else { (f64::from(*v) / length * 0.5f64.sqrt()) as f32 };
                }
                if let Some(text) = violation(after[i], &want, allowed(&p, &want)) {
                    panic!("row {i} {sample}: {text}");
                }
                let length = if i == 1 { 0.5 } else { 1.0 };
                assert!((dot(after[i], after[i]) - length).abs() < 2e-3);
            }
        }
    });
}

#[test]
fn the_same_bits_every_time() {
    on_every_adapter("fused/describe_image is deterministic", |ctx| {
        let trial = table::mixed(ctx, PixelFormat::Rgba8, &[(100, 70), (64, 64), (33, 90)], 4);
        for method in [DescriptorMethod::Canny, DescriptorMethod::Hog, colour()] {
            let p = params(method, SQUARE, 64);
            let plan = DescribePlan::new(ctx, BatchShape::of(trial.batch.as_ref()).unwrap(), p).unwrap();
            let bound = plan.bind(ctx, trial.batch.as_ref(), 3).unwrap();
            table::deterministic(|| {
                run(ctx, |rec| bound.record(rec, 3));
                bound.rows().read(ctx, 3).unwrap()
            });
        }
    });
}

#[test]
fn binds_later_slots_other_pictures_and_rows_of_its_callers() {
    on_every_adapter("fused/describe_image slots", |ctx| {
        let p = params(DescriptorMethod::Canny, SQUARE, 33);
        let a = table::mixed(ctx, PixelFormat::Nv12, &[(40, 40), (51, 20), (70, 66)], 0);
        let b = table::mixed(ctx, PixelFormat::Nv12, &[(64, 64), (9, 12)], 4);
        let shape = BatchShape::mixed(PixelFormat::Nv12, Size::new(70, 66)).unwrap();
        let plan = DescribePlan::new(ctx, shape, p).unwrap();
        let rows = poisoned_rows(ctx, *plan.output(), 5);
        let mut bound = plan.bind_to_rows(ctx, a.batch.as_ref(), 3, &rows, 1).unwrap();
        let dim = plan.layout().dim() as usize;
        let check = |trial: &table::Trial, skip: usize, count: usize| {
            let got = rows.read(ctx, 5).unwrap();
            for (slot, got) in trial.slots().skip(skip).take(count).zip(got.chunks_exact(dim).skip(1)) {
                compare::promised(got, &want(&slot, &p), INFO.exactness).unwrap();
            }
        };
        for _ in 0..2 {
            run(ctx, |rec| bound.record(rec, 2));
        }
        zero_padding(ctx, &rows, 1..3);
        check(&a, 0, 2);
        assert!(bound.complete(ctx, 2).unwrap() && bound.complete(ctx, 0).unwrap());
        bound.set_pictures(ctx, b.batch.as_ref(), 1).unwrap();
        assert_eq!(bound.capacity(), 1);
        run(ctx, |rec| bound.record(rec, 99));
        check(&b, 1, 1);
        bound.set_pictures(ctx, a.batch.as_ref(), 1).unwrap();
        run(ctx, |rec| bound.record(rec, 2));
        check(&a, 1, 2);
        zero_padding(ctx, &rows, 1..3);
        // The trait of plans.
        let bound = plan.bind_to(ctx, a.batch.as_ref(), 2).unwrap();
        run(ctx, |rec| bound.record(rec, 1));
        let got = bound.rows().read(ctx, 1).unwrap();
        compare::promised(&got, &want(&a.slots().nth(2).unwrap(), &p), INFO.exactness).unwrap();
    });
}

#[test]
fn what_does_not_fit_is_refused() {
    on_every_adapter("fused/describe_image refuses", |ctx| {
        let one = layout(PixelFormat::Rgba8, (64, 64));
        let plan = |p: DescribeParams| DescribePlan::new(ctx, &one, p);
        let good = params(DescriptorMethod::Canny, SQUARE, 64);
        let spec = |change: &dyn Fn(&mut DescriptorSpec)| {
            let mut p = good;
            change(&mut p.spec);
            plan(p)
        };
        refused(spec(&|s| s.longest = 4), "longest");
        refused(spec(&|s| s.longest = 5000), "longest");
        refused(spec(&|s| s.aspect = Aspect { width: 100, height: 1 }), "longest");
        refused(spec(&|s| s.aspect = Aspect { width: 0, height: 1 }), "aspect");
        refused(spec(&|s| s.method = DescriptorMethod::SpatialPyramid { grid: 5 }), "grid");
        refused(plan(params(DescriptorMethod::Hog, SQUARE, 63)), "longest");
        refused(spec(&|s| s.method = DescriptorMethod::Reserved { len: 5 }), "len");
        let reserved = params(DescriptorMethod::Reserved { len: 8 }, SQUARE, 64);
        refused(plan(with(reserved, DescriptorStyle::Parity, DescriptorSizes::Reduced)), "method");
        for bad in [-1.0, f64::NAN, f64::INFINITY] {
            refused(spec(&|s| s.weights.texture = bad), "weights");
        }
        refused(spec(&|s| s.weights = DescriptorWeights { edge: 0.0, texture: 0.0, color: 0.0 }), "weights");
        let src = table::uniform(ctx, one, 0, 2);
        let src = src.batch.as_ref();
        let plan = plan(good).unwrap();
        refused(plan.bind(ctx, src, 0), "capacity");
        refused(plan.bind_to(ctx, src, 2), "first");
        let mut bound = plan.bind(ctx, src, 1).unwrap();
        refused(bound.set_pictures(ctx, src, 2), "first");
        let other = table::uniform(ctx, layout(PixelFormat::Rgba8, (64, 65)), 0, 1);
        refused(bound.set_pictures(ctx, other.batch.as_ref(), 0), "input");
        let short = poisoned_rows(ctx, *plan.output(), 3);
        refused(plan.bind_to_rows(ctx, src, 2, &short, 2), "rows");
        let wrong = upload_rows(ctx, RowSample::F32, 8, &[0.0; 16]);
        refused(plan.bind_to_rows(ctx, src, 2, &wrong, 0), "rows");
        refused(plan.bind_features(ctx, &wrong, 0, &short, 0), "method");
        let reserved = DescribePlan::new(ctx, &one, reserved).unwrap();
        let narrow = upload_rows(ctx, RowSample::F32, 12, &[0.0; 24]);
        refused(reserved.bind_features(ctx, &narrow, 0, &short, 0), "features");
        refused(reserved.bind_features(ctx, &wrong, 0, &short, 0), "rows");
    });
}

#[test]
fn a_sabotaged_reference_is_rejected() {
    on_every_adapter("fused/describe_image negative control", |ctx| {
        let one = layout(PixelFormat::Rgba8, (64, 64));
        let bytes = Pattern::Random { seed: 5 }.frame(&one);
        let src = upload(ctx, &one, std::slice::from_ref(&bytes));
        // The corner of the picture, one pixel: red is changed.
        let mut changed = bytes.clone();
        changed[0] ^= 128;
        for method in [DescriptorMethod::Canny, DescriptorMethod::Hog, colour()] {
            for style in [DescriptorStyle::Default, DescriptorStyle::Parity] {
                let p = with(params(method, SQUARE, 64), style, DescriptorSizes::Reduced);
                let got = describe_image(ctx, &src, p).unwrap().remove(0);
                let of = |bytes: &[u8], p| want(&FrameSlot::new(one, bytes).unwrap(), &p);
                compare::promised(&got, &of(&bytes, p), INFO.exactness).unwrap();
                assert!(compare::promised(&got, &of(&changed, p), INFO.exactness).is_err(), "{method:?} {style:?}");
                if method != colour() {
                    let weights = DescriptorWeights { edge: 0.51, texture: 0.2, color: 0.3 };
                    let p = DescribeParams { spec: DescriptorSpec { weights, ..p.spec }, ..p };
                    assert!(compare::promised(&got, &of(&bytes, p), INFO.exactness).is_err(), "weights");
                }
            }
        }
    });
}

/// The nine frames, as packed RGB on the device.
fn seed_pictures(ctx: &GpuContext) -> GpuPictures {
    let frames: Vec<(Size, Vec<u8>)> = SEED_FRAMES
        .iter()
        .map(|name| {
            let (size, pixels) = seed_frame(name);
            // Rows of 384 and 512 pixels need no padding.
            (size, pixels.into_iter().flat_map(|[r, g, b]| [r, g, b, 255]).collect())
        })
        .collect();
    let refs: Vec<(Size, &[u8])> = frames.iter().map(|(size, bytes)| (*size, bytes.as_slice())).collect();
    GpuPictures::from_host(ctx, "test", PixelFormat::Rgba8, &refs).unwrap()
}

fn parity(method: DescriptorMethod) -> DescribeParams {
    let spec = DescriptorSpec { style: DescriptorStyle::Parity, ..DescriptorSpec::new(method) };
    DescribeParams { spec, ..DescribeParams::new(method) }
}

fn golden(name: &str) -> Option<serde_json::Value> {
    let data = std::env::var_os("FRAMELOOM_TESTDATA");
    let Some(path) = data.map(|d| std::path::Path::new(&d).join("../golden").join(name)) else {
        eprintln!("NOT RUN: fused/describe_image against {name} needs FRAMELOOM_TESTDATA");
        return None;
    };
    match std::fs::read(&path) {
        Ok(bytes) => Some(serde_json::from_slice(&bytes).unwrap()),
        Err(e) => {
            eprintln!("NOT RUN: fused/describe_image needs {}: {e}", path.display());
            None
        }
    }
}

fn list(value: &serde_json::Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect()
}

/// Descriptors of the nine frames by the system before this one: the whole way from the pictures to the rows.
#[test]
fn parity_with_the_system_before() {
    let Some(golden) = golden("fluxframe_descriptors.json") else { return };
    on_every_adapter("fused/describe_image parity", |ctx| {
        let src = seed_pictures(ctx);
        for (name, method) in [
            ("canny", DescriptorMethod::Canny),
            ("spatial_pyramid", DescriptorMethod::SpatialPyramid { grid: 4 }),
            ("hog", DescriptorMethod::Hog),
        ] {
            let p = parity(method);
            let shares = p.spec.shares().unwrap();
            let rows = describe_image(ctx, &src, p).unwrap();
            for (frame, row) in SEED_FRAMES.iter().zip(&rows) {
                let parts = ["edge", "texture", "color"].map(|part| list(&golden[frame][name][part]));
                let all: Vec<f64> = parts.iter().zip(shares).flat_map(|(p, w)| p.iter().map(move |v| v * w)).collect();
                let length = all.iter().map(|v| v * v).sum::<f64>().sqrt();
                let want: Vec<f32> = all.iter().map(|v| (v / length) as f32).collect();
                if let Err(m) = compare::abs(row, &want, 1e-4) {
                    panic!("{frame} {name}: {m}");
                }
            }
        }
        // What spatial_color counts, projected on the host.
        let matrix = projection_matrix(42, 256, 8192);
        let rows = describe_image(ctx, &src, parity(colour())).unwrap();
        for (frame, row) in SEED_FRAMES.iter().zip(&rows) {
            let edge = &golden[frame]["spatial_color"]["edge"];
            assert_eq!(edge["len"], 8192);
            let counts: Vec<(usize, f64)> = edge["nz"]
                .as_array()
                .unwrap()
                .iter()
                .map(|pair| (pair[0].as_u64().unwrap() as usize, pair[1].as_f64().unwrap()))
                .collect();
            let project = |r: &[f32]| counts.iter().map(|(i, v)| f64::from(r[*i]) * v).sum::<f64>();
            check_direction(row, &matrix.chunks_exact(8192).map(project).collect::<Vec<_>>(), frame);
        }
    });
}

/// A few of the numbers that the tests above read from files.
#[test]
fn some_numbers_of_the_system_before() {
    on_every_adapter("fused/describe_image some numbers", |ctx| {
        let src = seed_pictures(ctx);
        let at = |name: &str| SEED_FRAMES.iter().position(|n| *n == name).unwrap();
        let rows = describe_image(ctx, &src, parity(DescriptorMethod::Canny)).unwrap();
        for (a, b, want) in [
            ("checker", "gradient", 0.379_344),
            ("lcg_noise", "mid_circle", 0.325_488),
            ("test_frame_0000", "test_frame_0003", 0.721_476),
        ] {
            let got = dot(&rows[at(a)], &rows[at(b)]);
            assert!((got - want).abs() < 1e-4, "{a} {b}: {got}");
        }
        // One block of HOG has three equal numbers.
        let rows = describe_image(ctx, &src, parity(DescriptorMethod::Hog)).unwrap();
        let block = &rows[at("mid_circle")][36..72];
        let length = dot(block, block).sqrt() as f32;
        assert!(block[27..30].iter().all(|v| (v / length - 0.577_350_3).abs() < 1e-4), "{block:?}");
        let rows = describe_image(ctx, &src, parity(colour())).unwrap();
        let want = [0.026_872_76, 0.064_313_83, -0.029_871_15, 0.013_828_395];
        compare::abs(&rows[at("gradient")][..4], &want, 1e-4).unwrap();
    });
}

/// A row is a vector made to length 1.
#[track_caller]
fn check_direction(row: &[f32], vector: &[f64], what: &str) {
    let length = vector.iter().map(|v| v * v).sum::<f64>().sqrt();
    let want: Vec<f32> = vector.iter().map(|v| (v / length) as f32).collect();
    if let Err(m) = compare::abs(row, &want, 1e-4) {
        panic!("{what}: {m}");
    }
}

#[test]
fn projected_colours_of_the_system_before() {
    let Some(golden) = golden("fluxframe_spatial_color_256.json") else { return };
    on_every_adapter("fused/describe_image projected colours", |ctx| {
        let rows = describe_image(ctx, &seed_pictures(ctx), parity(colour())).unwrap();
        for (frame, row) in SEED_FRAMES.iter().zip(&rows) {
            check_direction(row, &list(&golden["projected"][frame]), frame);
        }
    });
}

#[test]
fn cosines_of_the_system_before() {
    let Some(golden) = golden("fluxframe_canny_cosine.json") else { return };
    on_every_adapter("fused/describe_image cosines", |ctx| {
        let rows = describe_image(ctx, &seed_pictures(ctx), parity(DescriptorMethod::Canny)).unwrap();
        let names: Vec<&str> = golden["names"].as_array().unwrap().iter().map(|v| v.as_str().unwrap()).collect();
        let at = |name: &str| SEED_FRAMES.iter().position(|n| *n == name).unwrap();
        for (i, a) in names.iter().enumerate() {
            for (j, b) in names.iter().enumerate() {
                let (got, want) = (dot(&rows[at(a)], &rows[at(b)]), golden["cos"][i][j].as_f64().unwrap());
                assert!((got - want).abs() <= 1e-3, "{a} {b}: {got} for {want}");
            }
        }
    });
}
