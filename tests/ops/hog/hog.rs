use crate::gpu::on_every_adapter;
use crate::pictures::*;
use crate::results::refused;
use crate::{compare, table};
use frameloom::core::*;
use frameloom::gpu::GpuContext;
use frameloom::ops::color::gray_from_rgb::gray_from_rgb;
use frameloom::ops::hog::hog::{HogPlan, INFO, hog};
use frameloom::ops::{BatchShape, FrameBatch};
use frameloom::reference::{self, Pattern, Plane};

fn want(size: Size, luma: &[u8], params: HogParams) -> Vec<f32> {
    let got = reference::hog::hog::hog(&Plane::tight(size, luma).unwrap(), params).unwrap();
    got.into_iter().map(|v| v as f32).collect()
}

/// All descriptors of a trial, at the declared distance.
#[track_caller]
fn equal(ctx: &GpuContext, trial: &table::Trial, params: HogParams) {
    let got = hog(ctx, trial.batch.as_ref(), params).unwrap();
    assert_eq!(got.len(), trial.pictures.len());
    for ((size, luma), got) in trial.lumas().zip(&got) {
        assert_eq!(got.len() as u64, params.dim(size));
        if let Err(m) = compare::promised(got, &want(size, &luma, params), INFO.exactness) {
            panic!("{} {size} {params:?}: {m}", trial.name);
        }
    }
}

/// A side's cell and block for the `i`-th trial, not larger than the side.
fn cut(side: u32, i: u32) -> (u32, u32) {
    let cell = [8, 5, 32, 3, 16, 1, 17][i as usize % 7].min(side);
    (cell, [2, 1, 3][i as usize % 3].min(side / cell))
}

#[test]
fn equals_the_reference() {
    on_every_adapter("hog/hog equals the reference", |ctx| {
        let mut i = 0;
        table::each_uniform(ctx, &LUMA_FORMATS, |trial| {
            i += 1;
            let Size { width, height } = trial.pictures[0].0.size;
            let large = width * height > 1 << 20;
            let ((cell_width, block_width), (cell_height, block_height)) =
                if large { ((8, 2), (8, 2)) } else { (cut(width, i), cut(height, i / 2)) };
            let bins = if large { 9 } else { [9, 4, 9, 8, 1, 20, 13][i as usize % 7] };
            let (cell, block) = (Size::new(cell_width, cell_height), Size::new(block_width, block_height));
            equal(ctx, trial, HogParams { bins, cell, block });
        });
    });
}

#[test]
fn pictures_of_different_sizes_have_descriptors_of_different_length() {
    on_every_adapter("hog/hog mixed sizes", |ctx| {
        let one = Size::new(1, 1);
        equal(ctx, &table::mixed(ctx, PixelFormat::Gray8, &SHAPES, 2), HogParams { bins: 9, cell: one, block: one });
        for format in LUMA_FORMATS {
            let sizes = [(64, 17), (16, 16), (77, 55), (128, 72), (17, 90), (33, 41)];
            equal(ctx, &table::mixed(ctx, format, &sizes, 3), HogParams::square(8));
        }
    });
}

/// Cells of many parts and columns, blocks of many cells.
#[test]
fn large_cells_and_blocks() {
    on_every_adapter("hog/hog large cells", |ctx| {
        let trial = table::uniform(ctx, layout(PixelFormat::Gray8, (530, 270)), 3, 4);
        for (cell, block) in [((256, 256), (2, 1)), ((199, 1), (1, 8)), ((32, 33), (8, 8)), ((66, 130), (3, 2))] {
            let params = HogParams { bins: 9, cell: Size::new(cell.0, cell.1), block: Size::new(block.0, block.1) };
            equal(ctx, &trial, params);
        }
    });
}

/// Gradients exactly on borders between bins: few levels.
#[test]
fn gradients_on_borders_between_bins_are_filed_as_by_the_reference() {
    on_every_adapter("hog/hog bin borders", |ctx| {
        let layout = layout(PixelFormat::Gray8, (96, 64));
        let mut bytes = Pattern::Random { seed: 8 }.frame(&layout);
        bytes.iter_mut().for_each(|v| *v %= 3);
        let src = upload(ctx, &layout, std::slice::from_ref(&bytes));
        for bins in 1..=20 {
            let params = HogParams { bins, ..HogParams::square(16) };
            let luma: Vec<u8> = bytes[..96 * 64].to_vec();
            let got = hog(ctx, &src, params).unwrap();
            compare::promised(&got[0], &want(layout.size, &luma, params), INFO.exactness).unwrap();
        }
    });
}

#[test]
fn the_same_bits_every_time() {
    on_every_adapter("hog/hog is deterministic", |ctx| {
        for pattern in [Pattern::Random { seed: 3 }, Pattern::Constant { level: 200 }] {
            let layout = layout(PixelFormat::Gray8, (333, 111));
            let src = upload(ctx, &layout, &[pattern.frame(&layout)]);
            let bound = HogPlan::new(ctx, &layout, HogParams::square(32)).unwrap().bind(ctx, &src, 0).unwrap();
            table::deterministic(|| bound.run(ctx).unwrap());
        }
    });
}

/// Blocks have length 1 or 0; turning light into dark changes nothing, and neither does a flat picture's level.
#[test]
fn blocks_are_normalised_and_contrast_has_no_sign() {
    on_every_adapter("hog/hog invariants", |ctx| {
        let layout = layout(PixelFormat::Gray8, (123, 66));
        for seed in 0..4 {
            let bytes = Pattern::Natural { seed, shift: 0 }.frame(&layout);
            let negative: Vec<u8> = bytes.iter().map(|v| 255 - v).collect();
            let got = hog(ctx, &upload(ctx, &layout, &[bytes, negative]), HogParams::square(8)).unwrap();
            assert_eq!(got[0], got[1]);
            for block in got[0].chunks_exact(36) {
                let length = block.iter().map(|v| v * v).sum::<f32>().sqrt();
                assert!((length - 1.0).abs() < 1e-4, "{length}");
            }
        }
        let flat = table::uniform(ctx, layout, 1, 2);
        assert!(hog(ctx, flat.batch.as_ref(), HogParams::square(8)).unwrap().concat().iter().all(|v| *v == 0.0));
    });
}

#[test]
fn binds_from_a_later_slot() {
    on_every_adapter("hog/hog slots", |ctx| {
        let trial = table::mixed(ctx, PixelFormat::Nv12, &[(16, 18), (40, 31), (17, 32)], 0);
        let params = HogParams::square(8);
        let plan = HogPlan::new(ctx, BatchShape::of(trial.batch.as_ref()).unwrap(), params).unwrap();
        let bound = plan.bind(ctx, trial.batch.as_ref(), 1).unwrap();
        assert_eq!((bound.capacity(), bound.frame_bytes()), (2, u64::from(plan.dim()) * 4));
        let got = bound.run(ctx).unwrap();
        for ((size, luma), got) in trial.lumas().skip(1).zip(&got) {
            compare::promised(got, &want(size, &luma, params), INFO.exactness).unwrap();
        }
    });
}

#[test]
fn what_does_not_fit_is_refused() {
    on_every_adapter("hog/hog refuses", |ctx| {
        let plan = |format, shape, params| HogPlan::new(ctx, &layout(format, shape), params);
        let good = HogParams::square(8);
        let side = |v| Size::new(8, v);
        refused(plan(PixelFormat::Rgba8, (64, 64), good), "input");
        refused(plan(PixelFormat::Gray8, (64, 15), good), "input");
        for cell in [side(0), side(257)] {
            refused(plan(PixelFormat::Gray8, (900, 900), HogParams { cell, ..good }), "cell");
        }
        for block in [Size::new(2, 0), Size::new(9, 2)] {
            refused(plan(PixelFormat::Gray8, (900, 900), HogParams { block, ..good }), "block");
        }
        for bins in [0, 21] {
            refused(plan(PixelFormat::Gray8, (64, 64), HogParams { bins, ..good }), "bins");
        }
        let trial = table::mixed(ctx, PixelFormat::Gray8, &[(40, 40), (15, 40)], 0);
        let src = trial.batch.as_ref();
        let plan = HogPlan::new(ctx, BatchShape::of(src).unwrap(), good).unwrap();
        refused(plan.bind(ctx, src, 0), "input"); // the second is smaller than a block
        refused(plan.bind(ctx, src, src.slots()), "first");
        let other = table::uniform(ctx, layout(PixelFormat::Gray8, (41, 40)), 0, 1);
        refused(plan.bind(ctx, other.batch.as_ref() as &dyn FrameBatch, 0), "input");
    });
}

#[test]
fn a_sabotaged_reference_is_rejected() {
    on_every_adapter("hog/hog negative control", |ctx| {
        let trial = table::uniform(ctx, layout(PixelFormat::Gray8, (64, 64)), 0, 1);
        let params = HogParams::square(32);
        let got = hog(ctx, trial.batch.as_ref(), params).unwrap();
        let (size, mut luma) = trial.lumas().next().unwrap();
        let at = luma.len() / 2 + 20;
        luma[at] = luma[at].wrapping_add(128);
        assert!(compare::promised(&got[0], &want(size, &luma, params), INFO.exactness).is_err());
    });
}

/// Descriptors that a system with `skimage.feature.hog` made of pictures given by formula: crop to 16:9, area to 256x144, grey.
#[test]
fn equals_descriptors_of_another_system() {
    let Some(data) = std::env::var_os("FRAMELOOM_TESTDATA") else {
        eprintln!("NOT RUN (FRAMELOOM_TESTDATA is not set): hog/hog parity");
        return;
    };
    let file = std::path::Path::new(&data).join("../golden/fluxframe_descriptors.json");
    let golden: serde_json::Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    on_every_adapter("hog/hog parity", |ctx| {
        let small = Size::new(256, 144);
        let mut frames = Vec::new();
        for (name, ..) in SCENES {
            let (size, rgba) = scene(name);
            let height = size.width * 9 / 16;
            let top = ((size.height - height) / 2 * size.width * 4) as usize;
            let stride = size.width as usize * 4;
            let crop = Plane::interleaved(Size::new(size.width, height), 4, stride, &rgba[top..]).unwrap();
            frames.push(reference::resize::area::area(&crop, small).unwrap());
        }
        let rgba = upload(ctx, &layout(PixelFormat::Rgba8, (small.width, small.height)), &frames);
        let got = hog(ctx, &gray_from_rgb(ctx, &rgba).unwrap(), HogParams::square(32)).unwrap();
        for ((name, ..), got) in SCENES.iter().zip(&got) {
            let list = golden[name]["hog"]["edge"].as_array().unwrap();
            let want: Vec<f32> = list.iter().map(|v| v.as_f64().unwrap() as f32).collect();
            if let Err(m) = compare::abs(got, &want, 1e-4) {
                panic!("{name}: {m}");
            }
        }
    });
}

const SCENES: [(&str, u32, u32); 9] = [
    ("gradient", 384, 256),
    ("checker", 384, 256),
    ("dark_checker", 384, 256),
    ("lcg_noise", 384, 256),
    ("test_frame_0000", 512, 512),
    ("test_frame_0002", 512, 512),
    ("test_frame_0003", 512, 512),
    ("test_frame_0004", 512, 512),
    ("mid_circle", 512, 512),
];

/// A picture by its formula, as RGBA.
fn scene(name: &str) -> (Size, Vec<u8>) {
    let (_, width, height) = SCENES.into_iter().find(|s| s.0 == name).unwrap();
    let noise = reference::pattern::lcg_bytes(12345, (width * height * 3) as usize);
    let disk = |x: u32, y: u32, r: u32| x.abs_diff(256).pow(2) + y.abs_diff(256).pow(2) <= r * r;
    let square = |x: u32, y: u32| (100..=400).contains(&x) && (100..=400).contains(&y);
    let either = |inside: bool, a: [u32; 3], b: [u32; 3]| if inside { a } else { b };
    let bgr = |x: u32, y: u32| match name {
        "gradient" => [255 * x / 383, y, 255 * (x + y) / 638],
        "checker" => [200 * ((x / 16 + y / 16) % 2) + 20; 3],
        "dark_checker" => [20 * ((x / 16 + y / 16) % 2) + 10; 3],
        "lcg_noise" => [0, 1, 2].map(|c| u32::from(noise[((y * width + x) * 3 + c) as usize])),
        "test_frame_0000" => either(disk(x, y, 100), [100; 3], [200, 210, 220]),
        "test_frame_0002" => [150; 3],
        "test_frame_0003" => either(square(x, y), [120; 3], [180, 190, 200]),
        "test_frame_0004" => [210, 220, 230],
        _ => either(disk(x, y, 90), [70, 90, 150], [128, 120, 110]),
    };
    let rgba = |i: u32| {
        let [b, g, r] = bgr(i % width, i / width);
        [r, g, b, 255].map(|v| v as u8)
    };
    (Size::new(width, height), (0..width * height).flat_map(rgba).collect())
}
