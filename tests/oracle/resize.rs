//! Resizes of whole pictures against golden vectors.

use crate::golden::Golden;
use crate::{check, wide};
use frameloom::core::Size;
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
