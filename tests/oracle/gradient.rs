//! Derivatives, sharpness and gradient texture against golden vectors.

use crate::golden::{Golden, numbers};
use crate::{check, wide};
use frameloom::core::Size;
use frameloom::reference::edges::gradient::Derivatives;
use frameloom::reference::{Plane, color, edges, histogram, pattern, resize, sharpness};

fn picture(file: &Golden) -> (Size, Vec<u8>) {
    (file.size(), file.input(file.size().area() as usize))
}

fn derivatives(op: &str, of: fn(&Plane<'_>) -> frameloom::Result<Derivatives>) {
    for file in Golden::all(op, 6) {
        let (size, data) = picture(&file);
        let d = of(&Plane::tight(size, &data).unwrap()).unwrap();
        check(&file, &wide(&d.gx), &file.numbers("gx"));
        check(&file, &wide(&d.gy), &file.numbers("gy"));
        check(&file, &wide(&d.magnitude()), &wide(&file.bytes("magnitude")));
        check(&file, &wide(&d.norm()), &file.numbers("norm"));
    }
}

#[test]
fn sobel_and_scharr_equal_opencv() {
    derivatives("edges/sobel", edges::sobel::sobel);
    derivatives("edges/scharr", edges::scharr::scharr);
}

#[test]
fn laplacian_equals_opencv() {
    for file in Golden::all("edges/laplacian", 6) {
        let (size, data) = picture(&file);
        let plane = Plane::tight(size, &data).unwrap();
        check(&file, &wide(&edges::laplacian::laplacian(&plane).unwrap()), &file.numbers("map"));
        check(&file, &wide(&edges::laplacian::magnitude(&plane).unwrap()), &wide(&file.bytes("magnitude")));
    }
}

fn near(file: &Golden, got: f64, wanted: f64) {
    assert!((got - wanted).abs() <= 1e-9 * wanted.abs().max(1.0), "{}: {got} {wanted}", file.name);
}

#[test]
fn sharpness_equals_opencv() {
    for file in Golden::all("sharpness/laplacian_variance", 8) {
        let (size, data) = picture(&file);
        let s = sharpness::laplacian_variance::laplacian_variance(&Plane::tight(size, &data).unwrap()).unwrap();
        check(&file, &[s.sum as f64, s.sum_sq as f64], &[file.number("sum"), file.number("sum_sq")]);
        near(&file, s.variance(), file.number("variance"));
    }
    for file in Golden::all("sharpness/tenengrad", 8) {
        let (size, data) = picture(&file);
        let s = sharpness::tenengrad::tenengrad(&Plane::tight(size, &data).unwrap()).unwrap();
        check(&file, &[s.sum as f64], &[file.number("sum")]);
    }
    for file in Golden::all("sharpness/noise_residual", 8) {
        let (size, data) = picture(&file);
        let s = sharpness::noise_residual::noise_residual(&Plane::tight(size, &data).unwrap()).unwrap();
        check(&file, &[s.sum as f64], &[file.number("sum")]);
    }
}

#[test]
fn blur_maps_equal_opencv() {
    for file in Golden::all("sharpness/blur_map", 16) {
        let (size, data) = picture(&file);
        let map = sharpness::blur_map::blur_map(&Plane::tight(size, &data).unwrap(), file.integer("tile")).unwrap();
        let of = |value: fn(&frameloom::core::LaplacianSums) -> f64| map.tiles.iter().map(value).collect::<Vec<_>>();
        check(&file, &of(|t| t.n as f64), &file.numbers("n"));
        check(&file, &of(|t| t.sum as f64), &file.numbers("sum"));
        check(&file, &of(|t| t.sum_sq as f64), &file.numbers("sum_sq"));
        for (got, wanted) in map.variances().into_iter().zip(file.numbers("variance")) {
            near(&file, got, wanted);
        }
    }
}

/// A frame of the generator as R, G, B, A.
fn frame(name: &str, size: Size) -> Vec<u8> {
    let noise = pattern::lcg_bytes(12345, size.area() as usize * 3);
    let bgr = |x: u32, y: u32| -> [u32; 3] {
        let square = (x / 16 + y / 16) % 2;
        let from_centre = x.abs_diff(256).pow(2) + y.abs_diff(256).pow(2);
        match name {
            "gradient" => [255 * x / 383, 255 * y / 255, 255 * (x + y) / 638],
            "checker" => [square * 200 + 20; 3],
            "dark_checker" => [square * 20 + 10; 3],
            "lcg_noise" => [0, 1, 2].map(|c| u32::from(noise[((y * size.width + x) * 3 + c) as usize])),
            "disc" if from_centre <= 100 * 100 => [100; 3],
            "disc" => [200, 210, 220],
            "flat" => [150; 3],
            "square" if (100..=400).contains(&x) && (100..=400).contains(&y) => [120; 3],
            "square" => [180, 190, 200],
            "mid_disc" if from_centre <= 90 * 90 => [70, 90, 150],
            "mid_disc" => [128, 120, 110],
            other => panic!("unknown frame {other}"),
        }
    };
    let places = (0..size.height).flat_map(|y| (0..size.width).map(move |x| (x, y)));
    places
        .flat_map(|(x, y)| {
            let [b, g, r] = bgr(x, y);
            [r, g, b, 255].map(|v| v as u8)
        })
        .collect()
}

/// Cropped to 16:9, resized to 256x144, grey.
fn small_gray(name: &str, size: Size) -> (Size, Vec<u8>) {
    let rgba = frame(name, size);
    let crop = Size::new(size.width, size.width * 9 / 16);
    let row = size.width as usize * 4;
    let top = ((size.height - crop.height) / 2) as usize * row;
    let small = Size::new(256, 144);
    let area = resize::area::area(&Plane::interleaved(crop, 4, row, &rgba[top..]).unwrap(), small).unwrap();
    let plane = Plane::interleaved(small, 4, 256 * 4, &area).unwrap();
    (small, color::gray_from_rgb::gray_from_rgb(&plane).unwrap())
}

#[test]
fn gradient_texture_equals_opencv_on_noise_and_on_frames() {
    for file in Golden::all("histogram/gradient_texture", 22) {
        let (size, data) = if file.has("frame") { small_gray(file.text("frame"), file.size()) } else { picture(&file) };
        let plane = Plane::tight(size, &data).unwrap();
        let got = histogram::gradient_texture::gradient_texture(&plane, file.integer("bins")).unwrap();
        assert_eq!(got.counts.iter().map(|c| u64::from(*c)).sum::<u64>(), size.area());
        check(&file, &got.shares(), &numbers(file.value("out")));
    }
}
