//! Resizes of whole pictures against golden vectors.

use crate::golden::Golden;
use crate::{check, wide};
use frameloom::core::{Anchor, Size};
use frameloom::reference::{Plane, resize};

fn resized(op: &str, count: usize, run: impl Fn(&Plane<'_>, Size) -> Vec<u8>) {
    for file in Golden::all(op, count) {
        let (size, channels) = (file.size(), file.integer("channels"));
        let data = file.input((size.area() * u64::from(channels)) as usize);
        let plane = Plane::interleaved(size, channels, (size.width * channels) as usize, &data).unwrap();
        let to = Size::new(file.integer("to_width"), file.integer("to_height"));
        check(&file, &wide(&run(&plane, to)), &wide(&file.bytes("out")));
    }
}

#[test]
fn bicubic_follows_opencv() {
    resized("resize/bicubic", 11, |plane, to| resize::bicubic::bicubic(plane, to).unwrap());
}

#[test]
fn lanczos_equals_pillow() {
    resized("resize/lanczos3", 11, |plane, to| resize::lanczos3::lanczos3(plane, to).unwrap());
}

#[test]
fn letterboxes_follow_opencv() {
    for file in Golden::all("resize/letterbox", 10) {
        let (size, channels) = (file.size(), file.integer("channels"));
        let data = file.input((size.area() * u64::from(channels)) as usize);
        let plane = Plane::interleaved(size, channels, (size.width * channels) as usize, &data).unwrap();
        let to = Size::new(file.integer("to_width"), file.integer("to_height"));
        let anchor = if file.text("anchor") == "center" { Anchor::Center } else { Anchor::TopLeft };
        let color: Vec<u8> = file.numbers("color").into_iter().map(|v| v as u8).collect();
        let by_area = file.text("filter") == "area";
        let (out, rect) = resize::letterbox::letterbox(&plane, to, anchor, color.try_into().unwrap(), by_area).unwrap();
        assert_eq!([rect.x, rect.y, rect.width, rect.height].map(f64::from).to_vec(), file.numbers("content"));
        check(&file, &wide(&out), &wide(&file.bytes("out")));
    }
}
