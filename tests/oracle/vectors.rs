//! Rows, searches and tensors against golden vectors of numpy and OpenCV.

use crate::color::slot_of;
use crate::golden::Golden;
use crate::{check, wide};
use frameloom::core::*;
use frameloom::reference::{FrameSlot, resize, search, tensor};

/// Whole numbers -128..127, times a scale.
fn numbers(file: &Golden, count: usize, scale: f32) -> Vec<f32> {
    file.input(count).into_iter().map(|b| (f32::from(b) - 128.0) * scale).collect()
}

fn target(file: &Golden) -> TensorSpec {
    TensorSpec::unit(Size::new(file.integer("to_width"), file.integer("to_height")))
}

#[test]
fn area_sampling_follows_opencv() {
    for file in Golden::all("tensor/pack_nhwc", 3) {
        let size = file.size();
        let (layout, data) = slot_of(PixelFormat::Rgba8, size, &file.input(size.area() as usize * 4));
        let frame = FrameSlot::new(layout, &data).unwrap();
        let pack = |sampling| {
            let frames = [(frame, Rect::full(size))];
            wide(&tensor::pack_nhwc::pack_nhwc(&frames, ColorSpec::BT709, &target(&file), sampling).unwrap())
        };
        check(&file, &pack(Sampling::Area), &file.numbers("out"));
    }
}

#[test]
fn crops_beyond_the_picture_follow_opencv() {
    for file in Golden::all("resize/crop_resize", 3) {
        let size = file.size();
        let (layout, data) = slot_of(PixelFormat::Rgba8, size, &file.input(size.area() as usize * 4));
        let frame = FrameSlot::new(layout, &data).unwrap();
        let rect = BoxRect {
            x: file.number("x") as i32,
            y: file.number("y") as i32,
            width: file.integer("box_width"),
            height: file.integer("box_height"),
        };
        let rules = (Outside::Clamp, TensorLayout::Nhwc);
        let got = resize::crop_resize::crop_resize(&[(frame, rect)], ColorSpec::BT709, &target(&file), rules).unwrap();
        check(&file, &wide(&got), &file.numbers("out"));
    }
}

#[test]
fn turned_pictures_follow_scikit_image() {
    for file in Golden::all("resize/warp_affine", 3) {
        let size = file.size();
        let (layout, data) = slot_of(PixelFormat::Rgba8, size, &file.input(size.area() as usize * 4));
        let frame = FrameSlot::new(layout, &data).unwrap();
        let m: Vec<f32> = file.numbers("map").iter().map(|v| *v as f32).collect();
        let map = Affine([[m[0], m[1], m[2]], [m[3], m[4], m[5]]]);
        let rules = (Outside::Clamp, TensorLayout::Nhwc);
        let warp = |map| {
            wide(&resize::warp_affine::warp_affine(&[(frame, map)], ColorSpec::BT709, &target(&file), rules).unwrap())
        };
        check(&file, &warp(map), &file.numbers("out"));
        let mirrored = Affine([[m[0], -m[1], m[2]], [m[3], m[4], m[5]]]);
        assert!(crate::compare::abs(&warp(mirrored), &file.numbers("out"), file.number("tolerance")).is_err());
    }
}

#[test]
fn rows_follow_numpy() {
    for file in Golden::all("tensor/l2_normalize", 2) {
        let dim = file.integer("dim") as usize;
        let rows = numbers(&file, dim * file.integer("rows") as usize, 1.0);
        check(&file, &wide(&tensor::l2_normalize::l2_normalize(&rows, dim).unwrap()), &file.numbers("out"));
    }
    for file in Golden::all("tensor/grid_pool", 3) {
        let channels = file.integer("channels") as usize;
        let maps = numbers(&file, channels * file.size().area() as usize, 1.0 / 64.0);
        let pooling = match file.number("p") as f32 {
            0.0 => GridPooling::Average,
            p => GridPooling::GeneralizedMean { p },
        };
        let got = tensor::grid_pool::grid_pool(&maps, channels, file.size(), file.integer("grid"), pooling).unwrap();
        check(&file, &wide(&got), &file.numbers("out"));
    }
    for file in Golden::all("tensor/random_projection", 2) {
        let (outputs, inputs) = (file.integer("outputs"), file.integer("inputs"));
        let matrix = projection_matrix(file.integer("matrix_seed"), outputs, inputs);
        for (got, wanted) in matrix.iter().zip(file.numbers("matrix")) {
            assert!((f64::from(*got) - wanted).abs() < 1e-7, "{}: {got} {wanted}", file.name);
        }
        let rows = numbers(&file, 2 * inputs as usize, 1.0);
        let got = tensor::random_projection::random_projection(&rows, &matrix, inputs as usize).unwrap();
        check(&file, &wide(&got), &file.numbers("out"));
    }
}

#[test]
fn searches_equal_numpy() {
    for file in Golden::all("search/top_k", 2) {
        let [queries, rows, dim] = ["queries", "rows", "dim"].map(|key| file.integer(key) as usize);
        let data = numbers(&file, (queries + rows) * dim, 1.0);
        let (asked, matrix) = data.split_at(queries * dim);
        let metric = if file.text("metric") == "l2" { Metric::L2 } else { Metric::InnerProduct };
        let found = search::top_k::top_k(asked, matrix, dim, file.integer("k") as usize, metric).unwrap().concat();
        let ids: Vec<f64> = found.iter().map(|f| f64::from(f.0)).collect();
        let scores: Vec<f64> = found.iter().map(|f| f.1).collect();
        check(&file, &ids, &file.numbers("ids"));
        check(&file, &scores, &file.numbers("scores"));
    }
}
