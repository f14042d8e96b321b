//! Parts of pictures covered. Pictures have 4 channels (R, G, B, A; alpha is kept) or one; results are tightly packed.

pub mod edge_blur;
pub mod erase;
pub mod grid_mask;
pub mod hide_and_seek;
pub mod overlay;
pub mod paste_object;

use crate::Result;
use crate::core::occlusion::Fill;
use crate::core::random::{Draw, stream};
use crate::core::{Covered, Size};
use crate::reference::plane::{Plane, unfit};

/// A picture with part of it covered, and how much.
pub type Occluded = (Vec<u8>, Covered);

/// Bytes of `src` without padding, where every pixel for which `covers` holds is `paint(x, y, old)` instead, but for alpha.
fn painted(
    op: &'static str,
    src: &Plane<'_>,
    covers: impl Fn(u32, u32) -> bool,
    paint: impl Fn(u32, u32, [u8; 3]) -> [u8; 3],
) -> Result<Occluded> {
    let channels = src.channels();
    if channels != 1 && channels != 4 {
        return Err(unfit(op, "input", "1 or 4 channels", channels));
    }
    let colours = channels.min(3);
    let mut out = Vec::new();
    let mut covered = Covered { pixels: 0, n: src.size().area() };
    for (x, y) in src.pixels() {
        let old = [0, 1, 2].map(|c| src.at(x, y, c.min(colours - 1)));
        let inside = covers(x, y);
        covered.pixels += u64::from(inside);
        let new = if inside { paint(x, y, old) } else { old };
        out.extend_from_slice(&new[..colours as usize]);
        if channels == 4 {
            out.push(src.at(x, y, 3));
        }
    }
    Ok((out, covered))
}

/// [`painted`] with a [`Fill`].
fn filled(
    op: &'static str,
    src: &Plane<'_>,
    (fill, draw): (Fill, Draw),
    covers: impl Fn(u32, u32) -> bool,
) -> Result<Occluded> {
    let n = src.size().area();
    let mean = [0, 1, 2].map(|c| {
        let sum: u64 = src.pixels().map(|(x, y)| u64::from(src.at(x, y, c.min(src.channels() - 1)))).sum();
        ((sum + n / 2) / n) as u8
    });
    let Size { width, .. } = src.size();
    painted(op, src, covers, |x, y, _| match fill {
        Fill::Constant(colour) => colour,
        Fill::Mean => mean,
        Fill::Noise => {
            let [r, g, b, _] = draw.words(y * width + x, stream::NOISE);
            [r, g, b].map(|word| (word >> 24) as u8)
        }
    })
}
