use std::path::PathBuf;

use frameloom::core::{CancelToken, Limits, Size};
use frameloom::gpu::GpuContext;
use frameloom::media::{encode_jpeg, read_image};
use frameloom::report::{PngFormat, encode_png};
use frameloom::workflows::collage::{Describer, DescriptorConfig, FeatureLayout, FeatureMethod, Networks, Picture};

use crate::gpu::on_every_adapter;
use crate::seed_frames::{SEED_FRAMES, seed_frame};
use crate::support::*;

fn describe(ctx: &GpuContext, config: &DescriptorConfig, pictures: &[Picture], batch: u32) -> Vec<Vec<f32>> {
    let mut describer = Describer::new(ctx, config, batch, &Networks::default(), &CancelToken::new()).unwrap();
    let (mut rest, mut rows) = (pictures, Vec::new());
    while !rest.is_empty() {
        let count = describer.fitting(rest);
        assert!((1..=batch as usize).contains(&count));
        let now: Vec<&Picture> = rest[..count].iter().collect();
        rows.extend(describer.pictures(&now).unwrap().chunks_exact(describer.dim()).map(<[f32]>::to_vec));
        rest = &rest[count..];
    }
    rows
}

fn made(seed: u32, size: Size) -> Picture {
    Picture { size, source: size, rgba: pixels(seed, size), compared: false }
}

fn dot(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
}

/// Cosines of the original system's descriptors, from its own pictures: decoding, cropping, describing.
#[test]
fn parity_of_pictures_in_files() {
    let Some(data) = real_data("parity_of_pictures_in_files") else { return };
    let golden: PathBuf = data.join("../golden");
    let Ok(text) = std::fs::read(golden.join("fluxframe_canny_cosine.json")) else {
        eprintln!("NOT RUN: no golden data beside the test data");
        return;
    };
    let golden_cosines: serde_json::Value = serde_json::from_slice(&text).unwrap();
    on_every_adapter("collage parity", |ctx| {
        let config = DescriptorConfig { parity: true, ..DescriptorConfig::default() };
        let names: Vec<&str> =
            golden_cosines["names"].as_array().unwrap().iter().map(|v| v.as_str().unwrap()).collect();
        let pictures: Vec<Picture> = names
            .iter()
            .map(|name| {
                let path = golden.join("frames").join(format!("{name}.png"));
                let bytes = read_image(&path, &Limits::default()).unwrap();
                Picture::decode(&bytes, &path, &Limits::default(), None).unwrap()
            })
            .collect();
        let rows = describe(ctx, &config, &pictures, 4);
        for (i, a) in rows.iter().enumerate() {
            for (j, b) in rows.iter().enumerate() {
                let want = golden_cosines["cos"][i][j].as_f64().unwrap();
                assert!((dot(a, b) - want).abs() < 1e-3, "{} {}: {} for {want}", names[i], names[j], dot(a, b));
            }
        }
    });
}

/// The same numbers for a few pairs, without the files.
#[test]
fn parity_of_some_pairs() {
    on_every_adapter("collage parity of some pairs", |ctx| {
        let config = DescriptorConfig { parity: true, ..DescriptorConfig::default() };
        let pictures: Vec<Picture> = SEED_FRAMES
            .iter()
            .map(|name| {
                let (size, pixels) = seed_frame(name);
                let rgba = pixels.into_iter().flat_map(|[r, g, b]| [r, g, b, 255]).collect();
                Picture { size, source: size, rgba, compared: false }
            })
            .collect();
        let rows = describe(ctx, &config, &pictures, 32);
        let at = |name: &str| &rows[SEED_FRAMES.iter().position(|n| *n == name).unwrap()];
        for (a, b, want) in [
            ("checker", "gradient", 0.379_344),
            ("lcg_noise", "mid_circle", 0.325_488),
            ("test_frame_0000", "test_frame_0003", 0.721_476),
        ] {
            assert!((dot(at(a), at(b)) - want).abs() < 1e-3, "{a} {b}");
        }
    });
}

#[test]
fn every_method_describes_every_aspect() {
    on_every_adapter("collage aspects", |ctx| {
        for aspect in [[16, 9], [4, 3], [1, 1], [9, 16]] {
            for method in FeatureMethod::ALL {
                for layout in [FeatureLayout::Reduced, FeatureLayout::Legacy] {
                    let config = DescriptorConfig { method, aspect, layout, ..DescriptorConfig::default() };
                    let sizes = [Size::new(200, 120), Size::new(90, 300), Size::new(7, 5), Size::new(640, 480)];
                    let pictures: Vec<Picture> = (0..).zip(sizes).map(|(i, size)| made(i, size)).collect();
                    for (row, picture) in describe(ctx, &config, &pictures, 8).iter().zip(&pictures) {
                        let what = format!("{method} {aspect:?} {layout:?} {}", picture.size);
                        assert_eq!(row.len(), config.dim().unwrap() as usize, "{what}");
                        assert!((dot(row, row) - 1.0).abs() < 1e-4, "{what}: length {}", dot(row, row));
                    }
                }
            }
        }
    });
}

#[test]
fn batches_and_neighbours_change_nothing() {
    on_every_adapter("collage batches", |ctx| {
        for method in FeatureMethod::ALL {
            let config = DescriptorConfig { method, ..DescriptorConfig::default() };
            let size = |i: u32| Size::new(150 + 37 * (i % 5), 100 + 53 * (i % 3));
            let mut pictures: Vec<Picture> = (0..9).map(|i| made(i, size(i))).collect();
            // One that needs a buffer of its own.
            pictures.insert(4, made(77, Size::new(2600, 2100)));
            let want = describe(ctx, &config, &pictures, 1);
            for batch in [3, 32] {
                assert!(describe(ctx, &config, &pictures, batch) == want, "{method} in batches of {batch}");
            }
        }
    });
}

/// Pictures that are made smaller while they are decoded have the rows of those that the device makes smaller: the same bits where the
/// file holds RGB, nearly the same where luma and chroma are averaged apart.
#[test]
fn decoding_for_comparison_changes_nothing_that_counts() {
    on_every_adapter("collage, decoded for comparison", |ctx| {
        for (size, aspect) in [
            (Size::new(400, 225), [16, 9]),
            (Size::new(333, 500), [16, 9]),
            (Size::new(640, 272), [40, 17]),
            (Size::new(90, 50), [4, 3]),
        ] {
            let config = DescriptorConfig { aspect, ..DescriptorConfig::default() };
            let describer = Describer::new(ctx, &config, 4, &Networks::default(), &CancelToken::new()).unwrap();
            let (sight, limits) = (describer.sight(), Limits::default());
            let pixels = pixels(5, size);
            let png = encode_png(size, PngFormat::Rgba8, &pixels).unwrap();
            let small = sight.decode(&png, "a.png".as_ref(), &limits).unwrap();
            assert!(small.compared && small.source == size);
            let whole = Picture::decode(&png, "a.png".as_ref(), &limits, None).unwrap();
            assert!(describe(ctx, &config, &[small], 4) == describe(ctx, &config, &[whole], 4), "{size} {aspect:?}");
            let jpeg = encode_jpeg(size, &pixels, 90).unwrap();
            let small = sight.decode(&jpeg, "a.jpg".as_ref(), &limits).unwrap();
            assert!(small.compared && small.source == size && small.size == describer.comparison());
            let whole = Picture::decode(&jpeg, "a.jpg".as_ref(), &limits, None).unwrap();
            let (a, b) = (describe(ctx, &config, &[small], 4), describe(ctx, &config, &[whole], 4));
            // Hard edges between saturated colours: the worst that half the chroma can meet.
            assert!(dot(&a[0], &b[0]) > 0.95, "{size} {aspect:?}: {}", dot(&a[0], &b[0]));
        }
    });
}

/// Weights mean what they say: with the whole weight on one part, pictures that differ in the others are the same.
#[test]
fn weights_mean_what_they_say() {
    on_every_adapter("collage weights", |ctx| {
        let size = Size::new(256, 144);
        let (a, mut b) = (made(1, size), made(1, size));
        // Colours turned, brightness kept nearly: edges stay.
        b.rgba.as_chunks_mut::<4>().0.iter_mut().for_each(|p| *p = [p[2], p[1], p[0], 255]);
        let score = |edge, texture, color| {
            let config = DescriptorConfig {
                edge_weight: edge,
                texture_weight: texture,
                color_weight: color,
                ..DescriptorConfig::default()
            };
            let rows = describe(ctx, &config, &[a.clone(), b.clone()], 2);
            dot(&rows[0], &rows[1])
        };
        let (edge, texture, color) = (score(1.0, 0.0, 0.0), score(0.0, 1.0, 0.0), score(0.0, 0.0, 1.0));
        assert!(color < 0.7 && edge > color && texture > color, "{edge} {texture} {color}");
        for (e, t, c) in [(1.0, 1.0, 1.0), (0.2, 0.3, 0.5), (4.0, 0.0, 1.0)] {
            let want = (e * edge + t * texture + c * color) / (e + t + c);
            assert!((score(e, t, c) - want).abs() < 1e-3, "{e} {t} {c}: {} for {want}", score(e, t, c));
        }
    });
}

#[test]
fn what_is_under_transparency_is_not_seen() {
    let size = Size::new(4, 1);
    let rgba = [[200, 100, 50, 255], [200, 100, 50, 0], [255, 255, 255, 128], [10, 20, 30, 255]].concat();
    let png = encode_png(size, PngFormat::Rgba8, &rgba).unwrap();
    let picture = Picture::decode(&png, "a.png".as_ref(), &Limits::default(), None).unwrap();
    assert_eq!(picture.rgba, [[200, 100, 50, 255], [0, 0, 0, 255], [128, 128, 128, 255], [10, 20, 30, 255]].concat());
}
