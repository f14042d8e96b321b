//! Heat maps and placement against golden vectors.

use crate::golden::Golden;
use crate::{check, wide};
use frameloom::core::{CellGrid, HeatMode, Palette, Rect, Size, WindowParams, Windows};
use frameloom::reference::heatmap::normalize::{Divisor, normalize};
use frameloom::reference::heatmap::{accumulate, colormap, splat_gaussian, stats};
use frameloom::reference::pattern::lcg_bytes;
use frameloom::reference::placement::{cell_sums, integral, window_scores};
use frameloom::reference::{Field, Numbers, Plane};

fn shares(file: &Golden) -> Vec<f32> {
    file.input(file.size().area() as usize).iter().map(|v| f32::from(*v) / 255.0).collect()
}

fn integers(bytes: &[u8]) -> Vec<u32> {
    bytes.iter().map(|v| u32::from(*v)).collect()
}

#[test]
fn set_bits_are_counted_as_numpy_does() {
    for file in Golden::all("heatmap/accumulate_set", 3) {
        let (size, n) = (file.size(), file.size().area() as usize);
        let frames: Vec<Vec<u8>> = (0..file.integer("frames"))
            .map(|t| lcg_bytes(file.integer("seed") + t, n).iter().map(|v| v & 1).collect())
            .collect();
        let planes: Vec<Plane<'_>> = frames.iter().map(|f| Plane::tight(size, f).unwrap()).collect();
        let mut heat = vec![0; n];
        accumulate::accumulate(&mut heat, None, &planes, HeatMode::CountSet).unwrap();
        check(&file, &wide(&heat), &file.numbers("out"));
    }
}

#[test]
fn figures_are_those_of_numpy() {
    for file in Golden::all("heatmap/stats", 3) {
        let values = shares(&file);
        let field = Field::new(file.size(), Numbers::Floats(&values)).unwrap();
        let s = stats::stats(&field, file.number("threshold") as f32);
        let (active, n) = (s.active as f64, s.n as f64);
        let got = [s.mean(), s.max, s.min, s.std(), active, n, s.total() / n, s.activity_ratio()];
        let mut wanted = file.numbers("figures");
        wanted[6] /= n;
        check(&file, &got, &wanted);
    }
}

#[test]
fn scaling_follows_opencv() {
    for file in Golden::all("heatmap/normalize", 6) {
        let values = shares(&file);
        let field = Field::new(file.size(), Numbers::Floats(&values)).unwrap();
        let by = if file.text("by") == "sum" { Divisor::Sum } else { Divisor::Largest };
        check(&file, &normalize(&field, by, 1.0), &file.numbers("out"));
    }
}

#[test]
fn bells_follow_their_formula() {
    for file in Golden::all("heatmap/splat_gaussian", 1) {
        let list = file.value("boxes").as_array().unwrap();
        let boxes: Vec<(Rect, f64)> = list
            .iter()
            .map(|b| {
                let n = crate::golden::numbers(b);
                let [x, y, width, height] = [0, 1, 2, 3].map(|i| n[i] as u32);
                (Rect { x, y, width, height }, n[4])
            })
            .collect();
        let mut heat = vec![0.0; file.size().area() as usize];
        splat_gaussian::splat_gaussian(&mut heat, file.size(), &boxes, None);
        check(&file, &heat, &file.numbers("out"));
    }
}

#[test]
fn palettes_are_those_of_opencv_to_one_level() {
    for file in Golden::all("heatmap/colormap", 3) {
        let name = file.name.rsplit('/').next().unwrap();
        let levels: Vec<u8> = (0..=255).collect();
        let colors = colormap::colormap(&levels, name.parse::<Palette>().unwrap());
        let rgb: Vec<u8> = colors.iter().flat_map(|c| c.to_le_bytes()[..3].to_vec()).collect();
        check(&file, &wide(&rgb), &wide(&file.bytes("out")));
    }
}

#[test]
fn tables_equal_opencv() {
    for file in Golden::all("placement/integral", 4) {
        let values: Vec<u64> = file.input(file.size().area() as usize).iter().map(|v| u64::from(*v)).collect();
        let got: Vec<f64> = integral::integral(&values, file.size()).iter().map(|v| *v as f64).collect();
        check(&file, &got, &file.numbers("out"));
    }
}

#[test]
fn cells_equal_opencv_moments() {
    for file in Golden::all("placement/cell_sums", 8) {
        let values = integers(&file.input(file.size().area() as usize));
        let field = Field::new(file.size(), Numbers::Integers(&values)).unwrap();
        let grid = CellGrid::uniform(file.size(), file.integer("cell")).unwrap();
        let cells = cell_sums::cell_sums(&field, &grid, 0, file.integer("threshold"), false).unwrap();
        let got: Vec<f64> = cells.iter().flat_map(|c| [c.sum, c.count, c.active, c.x, c.y]).map(|v| v as f64).collect();
        check(&file, &got, &file.numbers("out"));
    }
}

#[test]
fn window_scores_equal_numpy() {
    for file in Golden::all("placement/window_scores", 1) {
        let values = integers(&file.bytes("heat"));
        let field = Field::new(file.size(), Numbers::Integers(&values)).unwrap();
        let window = Size::new(file.integer("window_width"), file.integer("window_height"));
        let params = WindowParams { step: file.integer("step"), rotate: false, flush: false };
        let windows = Windows::new(file.size(), window, params).unwrap();
        let scores = window_scores::window_scores(&field, &windows, 0, file.integer("threshold"));
        assert!(scores[0].iter().any(|s| s.centred) && scores[0].iter().any(|s| !s.centred));
        let got: Vec<f64> = scores[0].iter().map(|s| s.score(0)).collect();
        check(&file, &got, &file.numbers("out"));
    }
}
