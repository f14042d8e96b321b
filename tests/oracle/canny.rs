//! Edges and what is counted of them against golden vectors.

use crate::golden::Golden;
use crate::{check, wide};
use frameloom::core::{EdgeWeight, Size};
use frameloom::reference::pattern::lcg_bytes;
use frameloom::reference::{Plane, edges, histogram, quality};

/// Noise averaged over squares, as the script makes it.
fn picture(file: &Golden) -> Vec<u8> {
    let (Size { width, height }, n) = (file.size(), file.integer("smooth") as usize);
    let (w, h) = (width as usize, height as usize);
    let stride = w + n - 1;
    let src = lcg_bytes(file.integer("seed"), stride * (h + n - 1));
    let mean = |i: usize| {
        let (x, y) = (i % w, i / w);
        let sum: usize = (0..n * n).map(|k| usize::from(src[(y + k / n) * stride + x + k % n])).sum();
        let mean = (sum / (n * n)) as i64;
        if n == 1 { mean as u8 } else { (4 * mean - 384).clamp(0, 255) as u8 }
    };
    (0..w * h).map(mean).collect()
}

fn bits(file: &Golden) -> Vec<f64> {
    let bytes = file.bytes("bits");
    (0..file.size().area() as usize).map(|i| f64::from(bytes[i / 8] >> (7 - i % 8) & 1)).collect()
}

#[test]
fn canny_equals_opencv() {
    for file in Golden::all("edges/canny", 33) {
        let luma = picture(&file);
        let (low, high) = (file.integer("low") as u16, file.integer("high") as u16);
        let got = edges::canny::canny(&Plane::tight(file.size(), &luma).unwrap(), low, high).unwrap();
        assert!(got.iter().all(|v| *v == 0 || *v == 255));
        check(&file, &got.iter().map(|v| f64::from(*v / 255)).collect::<Vec<_>>(), &bits(&file));
    }
}

#[test]
fn hysteresis_equals_opencv_components() {
    for file in Golden::all("edges/hysteresis", 3) {
        let n = file.size().area() as usize;
        let below = |seed: u32, key: &str| -> Vec<u8> {
            lcg_bytes(seed, n).into_iter().map(|v| u8::from(u32::from(v) < file.integer(key))).collect()
        };
        let (weak, strong) =
            (below(file.integer("seed"), "weak_below"), below(file.integer("seed") + 1000, "strong_below"));
        check(&file, &wide(&edges::hysteresis::hysteresis(file.size(), &weak, &strong).unwrap()), &bits(&file));
    }
}

#[test]
fn edge_grids_equal_opencv() {
    for file in Golden::all("histogram/edge_grid", 4) {
        let (luma, grid) = (picture(&file), file.integer("grid"));
        let plane = Plane::tight(file.size(), &luma).unwrap();
        let map = edges::canny::canny(&plane, 50, 150).unwrap();
        let whole = histogram::edge_grid::edge_grid(&Plane::tight(file.size(), &map).unwrap(), grid).unwrap();
        check(&file, &wide(&whole.counts), &file.numbers("whole"));
        let cells = histogram::edge_grid::cell_edges(&plane, grid, 50, 150).unwrap();
        check(&file, &wide(&cells.counts), &file.numbers("cells"));
    }
}

#[test]
fn border_occlusion_equals_numpy() {
    for file in Golden::all("quality/border_occlusion", 4) {
        let luma = picture(&file);
        let plane = Plane::tight(file.size(), &luma).unwrap();
        let map = edges::canny::canny(&plane, 50, 150).unwrap();
        let map = Plane::tight(file.size(), &map).unwrap();
        let s = quality::border_occlusion::border_occlusion(&plane, &map, file.integer("border")).unwrap();
        let exact = [("sum", s.sum), ("sum_sq", s.sum_sq), ("edges", s.edges), ("samples", s.samples())];
        for (key, got) in exact {
            assert_eq!(got as f64, file.number(key), "{} {key}", file.name);
        }
        let got = [s.occlusion(EdgeWeight::One), s.occlusion(EdgeWeight::Byte)];
        check(&file, &got, &[file.number("occlusion"), file.number("occlusion_bytes")]);
    }
}
