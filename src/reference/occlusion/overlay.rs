//! `occlusion/overlay`: a colour over a region.

use super::{Occluded, painted};
use crate::Result;
use crate::core::occlusion::{LayMode, Region, parts};
use crate::reference::plane::{Plane, unfit};

/// `src` with `colour` laid over `region` with a share of `opacity` (0..=1, [`parts`] `s`): blended `(p (65536 - s) + c s + 32768) >>
/// 16`, or added `min(p + ((c s + 32768) >> 16), 255)`, per channel.
///
/// # Errors
/// [`crate::Error::Parameter`] if `src` has neither 1 nor 4 channels, or for an opacity out of range.
pub fn overlay(src: &Plane<'_>, region: Region, colour: [u8; 3], opacity: f64, mode: LayMode) -> Result<Occluded> {
    const OP: &str = "occlusion/overlay";
    let s = parts(opacity).ok_or_else(|| unfit(OP, "opacity", "0 to 1", opacity))?;
    let rect = region.rect(src.size());
    let inside = |x: u32, y: u32| rect.is_some_and(|r| x >= r.x && y >= r.y && x < r.x + r.width && y < r.y + r.height);
    painted(OP, src, inside, |_, _, old| {
        let mut new = old;
        for (p, c) in new.iter_mut().zip(colour) {
            let (old, part) = (u32::from(*p), u32::from(c) * s);
            *p = match mode {
                LayMode::Blend => ((old * (65_536 - s) + part + 32_768) >> 16) as u8,
                LayMode::Add => (old + ((part + 32_768) >> 16)).min(255) as u8,
            };
        }
        new
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::occlusion::Side;
    use crate::core::{Rect, Size};

    #[test]
    fn blends_and_adds_by_hand() {
        let plane = Plane::tight(Size::new(4, 1), &[0, 100, 250, 250]).unwrap();
        let left = Region::Band { side: Side::Left, share: 0.75 };
        let of = |opacity, mode| overlay(&plane, left, [50, 0, 0], opacity, mode).unwrap();
        // 0.7 p + 15: 15, 85, 190.
        assert_eq!(of(0.3, LayMode::Blend).0, [15, 85, 190, 250]);
        assert_eq!(of(0.3, LayMode::Add).0, [15, 115, 255, 250]);
        assert_eq!(of(1.0, LayMode::Blend), (vec![50, 50, 50, 250], crate::core::Covered { pixels: 3, n: 4 }));
        assert_eq!(of(0.0, LayMode::Blend).0, [0, 100, 250, 250]);
        let nowhere = Region::Rect(Rect { x: 4, y: 0, width: 1, height: 1 });
        assert_eq!(overlay(&plane, nowhere, [1; 3], 1.0, LayMode::Blend).unwrap().1.pixels, 0);
        assert!(overlay(&plane, left, [0; 3], 1.5, LayMode::Add).is_err());
    }
}
