//! Measures of colour against golden vectors.

use crate::golden::{Golden, numbers};
use crate::{check, wide};
use frameloom::core::{CutWeights, FrameLayout, HueDistance, PatchGrid, PixelFormat, Size, complexity};
use frameloom::reference::color::gray_from_rgb::gray_of;
use frameloom::reference::histogram::{hsv3d::hsv3d, rgb_grid::rgb_grid, unique_colors::unique_colors};
use frameloom::reference::motion::hsv_cut_score::hsv_cut_score;
use frameloom::reference::pattern::lcg_bytes;
use frameloom::reference::quality::{contrast_brightness::contrast_brightness, lighting::lighting};
use frameloom::reference::{Colors, FrameSlot};

/// The picture of a golden file, or the one with another seed.
fn picture(file: &Golden, seed_offset: u32, mask: u8) -> Colors {
    let size = file.size();
    let bytes = lcg_bytes(file.integer("seed") + seed_offset, size.area() as usize * 4);
    let rgb = bytes.as_chunks::<4>().0.iter().map(|[r, g, b, _]| [*r & mask, *g & mask, *b & mask]);
    Colors::new(size, rgb.collect()).unwrap()
}

/// Counts stored as places and values.
fn dense(file: &Golden) -> Vec<f64> {
    let mut counts = vec![0.0; file.integer("total") as usize];
    for (at, count) in file.numbers("at").into_iter().zip(file.numbers("counts")) {
        counts[at as usize] = count;
    }
    counts
}

#[test]
fn hsv_histograms_equal_opencv() {
    for file in Golden::all("histogram/hsv3d", 12) {
        let bins = numbers(file.value("bins"));
        let got = hsv3d(&picture(&file, 0, 255), [0, 1, 2].map(|i| bins[i] as u32)).unwrap();
        check(&file, &wide(&got), &dense(&file));
    }
}

#[test]
fn histograms_of_cells_equal_opencv() {
    for file in Golden::all("histogram/rgb_grid", 12) {
        let got = rgb_grid(&picture(&file, 0, 255), file.integer("grid")).unwrap();
        check(&file, &wide(&got), &dense(&file));
    }
}

#[test]
fn unique_colours_equal_numpy() {
    for file in Golden::all("histogram/unique_colors", 8) {
        let got = unique_colors(&picture(&file, 0, file.integer("mask") as u8));
        check(&file, &[f64::from(got)], &[file.number("out")]);
    }
}

#[test]
fn differences_of_hsv_equal_opencv_and_score_as_published() {
    for file in Golden::all("motion/hsv_cut_score", 4) {
        let s = hsv_cut_score(&picture(&file, 0, 255), &picture(&file, 1000, 255)).unwrap();
        let sums = [s.hue, s.hue_circular, s.saturation, s.value].map(|v| v as f64);
        check(&file, &sums, &file.numbers("sums"));
        let w = file.numbers("weights");
        let weights = CutWeights { hue: w[0], saturation: w[1], value: w[2] };
        let score = |weights| s.content_score(weights, HueDistance::Linear);
        check(&file, &[score(CutWeights::default())], &[file.number("score")]);
        check(&file, &[score(weights)], &[file.number("weighted")]);
    }
}

/// The frames of `scripts/golden/color_measures.py`.
fn formula(file: &Golden) -> Colors {
    let Size { width, height } = file.size();
    let noise = lcg_bytes(12345, (width * height * 3) as usize);
    let bgr = |x: u32, y: u32| -> [u8; 3] {
        let disk = (x.abs_diff(256)).pow(2) + (y.abs_diff(256)).pow(2) <= 100 * 100;
        match file.name.rsplit('/').next().unwrap() {
            "gradient" => [255 * x / 383, y, 255 * (x + y) / 638].map(|v| v as u8),
            "checker" => [(200 * ((x / 16 + y / 16) % 2) + 20) as u8; 3],
            "noise" => [0, 1, 2].map(|c| noise[((y * width + x) * 3 + c) as usize]),
            "disk" if disk => [100; 3],
            "disk" => [200, 210, 220],
            other => panic!("unknown frame {other}"),
        }
    };
    let rgb = (0..height).flat_map(|y| (0..width).map(move |x| (x, y))).map(|(x, y)| {
        let [b, g, r] = bgr(x, y);
        [r, g, b]
    });
    Colors::new(file.size(), rgb.collect()).unwrap()
}

#[test]
fn lighting_follows_the_published_steps() {
    for file in Golden::all("quality/lighting", 4) {
        let sums = lighting(&formula(&file));
        check(&file, &[sums.lighting(PatchGrid::Strict).quality], &[file.number("strict")]);
        check(&file, &[sums.lighting(PatchGrid::All).quality], &[file.number("all")]);
    }
}

#[test]
fn contrast_brightness_and_complexity_follow_opencv() {
    for file in Golden::all("quality/contrast_brightness", 4) {
        let colors = formula(&file);
        let layout = FrameLayout::of(PixelFormat::Rgba8, file.size()).unwrap();
        let rgba: Vec<u8> = colors.pixels().iter().flat_map(|[r, g, b]| [*r, *g, *b, 7]).collect();
        let mut slot = vec![0xFF; layout.slot_bytes() as usize];
        slot[..rgba.len()].copy_from_slice(&rgba);
        let sums = contrast_brightness(&FrameSlot::new(layout, &slot).unwrap());
        assert_eq!(sums.sum, colors.pixels().iter().map(|c| u64::from(gray_of(*c))).sum::<u64>());
        check(&file, &[sums.contrast(), sums.brightness()], &[file.number("contrast"), file.number("brightness")]);
        let unique = unique_colors(&colors);
        assert_eq!(unique, file.integer("unique"));
        let got = complexity(file.number("edge_share"), unique, sums.n, sums.standard_deviation());
        check(&file, &[got], &[file.number("complexity")]);
    }
}
