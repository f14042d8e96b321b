//! `histogram/unique_colors`: how many different colours a picture has.

use crate::reference::colors::Colors;
use std::collections::BTreeSet;

/// Number of different 24-bit colours.
pub fn unique_colors(picture: &Colors) -> u32 {
    picture.pixels().iter().collect::<BTreeSet<_>>().len() as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::Size;

    #[test]
    fn colours_are_counted_once() {
        let of = |pixels: Vec<[u8; 3]>| unique_colors(&Colors::new(Size::new(pixels.len() as u32, 1), pixels).unwrap());
        assert_eq!(of(vec![[0; 3]; 5]), 1);
        assert_eq!(of(vec![[1, 2, 3], [3, 2, 1], [1, 2, 3], [1, 2, 4]]), 3);
    }
}
