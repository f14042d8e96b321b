//! `occlusion/hide_and_seek`: cells hidden at random.

use super::{Occluded, filled};
use crate::Result;
use crate::core::occlusion::{Fill, Hiding};
use crate::core::random::Draw;
use crate::reference::plane::Plane;

/// `src` with the hidden cells filled: see [`Hiding::cell`] and [`Hiding::hides`].
///
/// # Errors
/// [`crate::Error::Parameter`] if `src` has neither 1 nor 4 channels.
pub fn hide_and_seek(src: &Plane<'_>, hiding: &Hiding, fill: Fill, draw: Draw) -> Result<Occluded> {
    let size = src.size();
    filled("occlusion/hide_and_seek", src, (fill, draw), |x, y| {
        let (column, row) = hiding.cell(size, x, y);
        hiding.hides(draw, column, row)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::Size;

    #[test]
    fn whole_cells_are_hidden() {
        let plane = Plane::tight(Size::new(4, 2), &[1; 8]).unwrap();
        let hiding = Hiding { cells: 2, probability: 0.5 };
        let draw = Draw { seed: 1, picture: 0 };
        let hidden = [0, 1].map(|column| [0, 1].map(|row| u8::from(!hiding.hides(draw, column, row))));
        let [[a, c], [b, d]] = hidden;
        let (out, covered) = hide_and_seek(&plane, &hiding, Fill::Constant([0; 3]), draw).unwrap();
        assert_eq!(out, [a, a, b, b, c, c, d, d]);
        assert_eq!(covered.pixels, out.iter().filter(|v| **v == 0).count() as u64);
        let all = Hiding { probability: 1.0, ..hiding };
        assert_eq!(
            hide_and_seek(&plane, &all, Fill::Mean, draw).unwrap(),
            (vec![1; 8], crate::core::Covered { pixels: 8, n: 8 })
        );
    }
}
