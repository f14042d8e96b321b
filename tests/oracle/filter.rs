//! Filters against golden vectors.

use crate::golden::Golden;
use crate::{check, wide};
use frameloom::reference::{Plane, filter};

/// All files of `op` against what `run` makes of the picture.
fn filtered(op: &str, count: usize, run: impl Fn(&Golden, &Plane<'_>) -> Vec<u8>) {
    for file in Golden::all(op, count) {
        let (size, channels) = (file.size(), file.integer("channels"));
        let data = file.input((size.area() * u64::from(channels)) as usize);
        let plane = Plane::interleaved(size, channels, (size.width * channels) as usize, &data).unwrap();
        check(&file, &wide(&run(&file, &plane)), &wide(&file.bytes("out")));
    }
}

#[test]
fn gaussians_equal_opencv() {
    filtered("filter/gaussian", 43, |file, plane| {
        let sigma = Some(file.number("sigma")).filter(|s| *s > 0.0);
        filter::gaussian::gaussian(plane, file.integer("size"), sigma).unwrap()
    });
}

#[test]
fn boxes_equal_opencv() {
    filtered("filter/box", 46, |file, plane| filter::r#box::box_mean(plane, file.integer("size")).unwrap());
}

#[test]
fn medians_equal_opencv() {
    filtered("filter/median3", 7, |_, plane| filter::median3::median3(plane));
}

#[test]
fn sharpened_pictures_follow_opencv() {
    filtered("filter/unsharp_mask", 16, |file, plane| match file.text("mode") {
        "sharpen" => filter::unsharp_mask::sharpen(plane),
        _ => filter::unsharp_mask::unsharp_mask(plane, file.integer("size"), None, file.number("amount")).unwrap(),
    });
}

/// Squares of 8 pixels with noise, as the generator makes them: `channels` and, where wanted, an opaque alpha.
fn scene(file: &Golden, channels: u32, alpha: bool) -> Vec<u8> {
    let size = file.size();
    let noise = file.input((size.area() * u64::from(channels)) as usize);
    let pixel = |(i, p): (usize, &[u8])| {
        let (x, y) = (i as u32 % size.width, i as u32 / size.width);
        let level = 60 + 90 * ((x / 8 + y / 8) % 2);
        let codes = p.iter().zip(0..).map(move |(v, c)| (level + 20 * c + u32::from(*v) * 25 / 255) as u8);
        codes.chain(alpha.then_some(200)).collect::<Vec<u8>>()
    };
    noise.chunks(channels as usize).enumerate().flat_map(pixel).collect()
}

#[test]
fn non_local_means_follow_opencv() {
    let files = Golden::all("filter/denoise", 10);
    for file in files.iter().filter(|f| f.text("mode") != "colours") {
        let size = file.size();
        let (h, search) = (file.number("h") as f32, file.integer("search"));
        let colour = file.text("mode") != "luma";
        let data = scene(file, if colour { 3 } else { 1 }, colour);
        let channels = if colour { 4 } else { 1 };
        let plane = Plane::interleaved(size, channels, (size.width * channels) as usize, &data).unwrap();
        let got = match file.text("mode") {
            "luma" => filter::denoise::joint(&plane, h, search).unwrap(),
            "rgb" => filter::denoise::rgb(&plane, h, search).unwrap(),
            _ => filter::denoise::lab(&plane, h, file.number("h_color") as f32, search).unwrap(),
        };
        let got: Vec<u8> = match colour {
            true => got.chunks(4).inspect(|p| assert_eq!(p[3], 200)).flat_map(|p| [p[0], p[1], p[2]]).collect(),
            false => got,
        };
        check(file, &wide(&got), &wide(&file.bytes("out")));
    }
}

#[test]
fn lab_follows_opencv() {
    let files = Golden::all("filter/denoise", 10);
    let file = files.iter().find(|f| f.text("mode") == "colours").unwrap();
    let (lab, rgb) = (file.bytes("lab"), file.bytes("rgb"));
    let step = |i: usize| [i / 324, i / 18 % 18, i % 18].map(|v| (v * 15) as u8);
    let got: Vec<u8> = (0..18 * 18 * 18).flat_map(|i| filter::denoise::lab_of(step(i))).collect();
    check(file, &wide(&got), &wide(&lab));
    let back: Vec<u8> = lab.chunks(3).flat_map(|p| filter::denoise::rgb_of([p[0], p[1], p[2]])).collect();
    check(file, &wide(&back), &wide(&rgb));
}
