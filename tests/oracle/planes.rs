//! Operations on 8-bit planes against golden vectors.

use crate::golden::Golden;
use crate::{check, wide};
use frameloom::core::{HeatMode, Size};
use frameloom::reference::{Plane, heatmap, histogram, motion, resize, stats};

/// The picture of a golden file with rows 5 bytes longer than they need, the rest poisoned.
fn padded(size: Size, channels: u32, tight: &[u8]) -> (usize, Vec<u8>) {
    let row = (size.width * channels) as usize;
    let data = tight.chunks_exact(row).flat_map(|r| r.iter().copied().chain([0xFF; 5])).collect();
    (row + 5, data)
}

fn resized(op: &str, count: usize, resize: impl Fn(&Plane<'_>, Size) -> frameloom::Result<Vec<u8>>) {
    for file in Golden::all(op, count) {
        let (size, channels) = (file.size(), file.integer("channels"));
        let (stride, data) = padded(size, channels, &file.input((size.area() * u64::from(channels)) as usize));
        let plane = Plane::interleaved(size, channels, stride, &data).unwrap();
        let to = Size::new(file.integer("to_width"), file.integer("to_height"));
        check(&file, &wide(&resize(&plane, to).unwrap()), &wide(&file.bytes("out")));
    }
}

#[test]
fn area_follows_opencv_and_equals_scikit_image() {
    resized("resize/area", 16, resize::area::area);
}

#[test]
fn bilinear_follows_opencv() {
    resized("resize/bilinear", 9, resize::bilinear::bilinear);
}

#[test]
fn luma_statistics_equal_opencv() {
    for file in Golden::all("stats/luma", 7) {
        let size = file.size();
        let (stride, data) = padded(size, 1, &file.input(size.area() as usize));
        let plane = Plane::new(size, stride, &data).unwrap();
        let dark_bright = (file.integer("dark_code") as u8, file.integer("bright_code") as u8);
        let s = stats::luma::luma(&plane, dark_bright.0, dark_bright.1).unwrap();
        assert_eq!(s.n, size.area());
        let got = [
            ("sum", s.sum as f64),
            ("sum_sq", s.sum_sq as f64),
            ("lap_sum", s.lap_sum as f64),
            ("lap_sum_sq", s.lap_sum_sq as f64),
            ("tenengrad_sum", s.tenengrad_sum as f64),
            ("noise_sum", s.noise_sum as f64),
            ("dark", s.dark as f64),
            ("bright", s.bright as f64),
        ];
        let wanted: Vec<f64> = got.iter().map(|(key, _)| file.number(key)).collect();
        check(&file, &got.map(|(_, v)| v), &wanted);
        let figures = s.stats(size);
        for (key, got) in
            [("mean", figures.mean), ("variance", figures.variance), ("laplacian_variance", figures.laplacian_variance)]
        {
            let wanted = file.number(key);
            assert!((got - wanted).abs() <= 1e-9 * wanted.abs().max(1.0), "{}: {key} {got} {wanted}", file.name);
        }
    }
}

#[test]
fn histograms_equal_opencv() {
    for file in Golden::all("histogram/luma", 24) {
        let size = file.size();
        let (stride, data) = padded(size, 1, &file.input(size.area() as usize));
        let plane = Plane::new(size, stride, &data).unwrap();
        let got = histogram::luma::luma(&plane, file.integer("bins"), file.integer("row_step")).unwrap();
        check(&file, &wide(&got), &file.numbers("out"));
    }
}

#[test]
fn frame_differences_equal_opencv() {
    for file in Golden::all("motion/frame_difference", 21) {
        let (size, seed) = (file.size(), file.integer("seed"));
        let area = size.area() as usize;
        let (stride, a) = padded(size, 1, &file.input(area));
        let (_, b) = padded(size, 1, &frameloom::reference::pattern::lcg_bytes(seed + 1000, area));
        let (a, b) = (Plane::new(size, stride, &a).unwrap(), Plane::new(size, stride, &b).unwrap());
        let d = motion::frame_difference::frame_difference(&a, &b, file.integer("threshold") as u8).unwrap();
        assert_eq!(d.n, size.area());
        let got = [d.sum_abs as f64, d.over as f64, d.sum_both as f64];
        check(&file, &got, &["sum_abs", "over", "sum_both"].map(|key| file.number(key)));
    }
}

#[test]
fn heat_maps_equal_opencv() {
    for file in Golden::all("heatmap/accumulate", 3) {
        let (size, seed) = (file.size(), file.integer("seed"));
        let frames: Vec<_> = (0..file.integer("frames"))
            .map(|t| padded(size, 1, &frameloom::reference::pattern::lcg_bytes(seed + t, size.area() as usize)))
            .collect();
        let planes: Vec<_> = frames.iter().map(|(stride, data)| Plane::new(size, *stride, data).unwrap()).collect();
        let mode = match file.text("mode") {
            "count-over" => HeatMode::CountOver { threshold: file.integer("threshold") as u8 },
            "sum-abs" => HeatMode::SumAbs,
            "sum-values" => HeatMode::SumValues,
            other => panic!("unknown mode {other}"),
        };
        assert_eq!(mode.name(), file.text("mode"));
        let mut heat = vec![0; size.area() as usize];
        heatmap::accumulate::accumulate(&mut heat, None, &planes, mode).unwrap();
        check(&file, &wide(&heat), &file.numbers("out"));
    }
}
