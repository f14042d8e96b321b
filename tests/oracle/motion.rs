//! Motion against golden vectors.

use crate::check;
use crate::golden::Golden;
use frameloom::core::BlockSearch;
use frameloom::reference::{Plane, motion};

#[test]
fn block_motion_equals_an_exhaustive_search() {
    for file in Golden::all("motion/block_motion", 4) {
        let size = file.size();
        let (w, h) = (size.width as usize, size.height as usize);
        let mut data = file.input(2 * w * h);
        if let Ok(levels @ ..=255) = u8::try_from(file.integer("levels")) {
            data.iter_mut().for_each(|v| *v %= levels);
        }
        let (before, now) = data.split_at_mut(w * h);
        for y in 2..h / 2 {
            now[y * w + 3..y * w + w / 2].copy_from_slice(&before[(y - 2) * w..][..w / 2 - 3]);
        }
        let plane = |data| Plane::tight(size, data).unwrap();
        let search = BlockSearch { block: file.integer("block"), range: file.integer("range") };
        let got = motion::block_motion::block_motion(&plane(before), &plane(now), search).unwrap();
        let got: Vec<f64> = got.iter().flat_map(|v| [v.dx.into(), v.dy.into(), v.sad.into()]).collect();
        check(&file, &got, &file.numbers("out"));
    }
}
