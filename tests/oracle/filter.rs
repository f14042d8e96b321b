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
