//! `filter/median3`: median of 3x3 pixels.

use crate::reference::plane::Plane;

/// `src`: W x H pixels of 1 to 4 channels. Gives as many bytes, without padding: the fifth smallest of the 3x3 pixels
/// around each pixel, channel by channel. Border: replicate.
pub fn median3(src: &Plane<'_>) -> Vec<u8> {
    let (w, h) = (src.size().width, src.size().height);
    let near = |i: u32, n: u32| [i.max(1) - 1, i, (i + 1).min(n - 1)];
    let mut out = Vec::with_capacity((w * h * src.channels()) as usize);
    for (x, y) in src.pixels() {
        for c in 0..src.channels() {
            let mut nine: Vec<u8> = Vec::with_capacity(9);
            for row in near(y, h) {
                nine.extend(near(x, w).map(|column| src.at(column, row, c)));
            }
            nine.sort_unstable();
            out.push(nine[4]);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::Size;

    #[test]
    fn medians_by_hand() {
        let plane = Plane::tight(Size::new(3, 3), &[9, 1, 8, 2, 7, 3, 6, 4, 5]).unwrap();
        // Corner (0, 0): 9 9 1 9 9 1 2 2 7 sorted: 1 1 2 2 7 9 9 9 9
        let out = median3(&plane);
        assert_eq!((out[4], out[0]), (5, 7));
        let pixel = Plane::interleaved(Size::new(1, 1), 4, 4, &[1, 2, 3, 4]).unwrap();
        assert_eq!(median3(&pixel), [1, 2, 3, 4]);
    }

    #[test]
    fn one_outlier_disappears() {
        let mut data = vec![100; 35];
        data[17] = 255;
        assert_eq!(median3(&Plane::tight(Size::new(7, 5), &data).unwrap()), [100; 35]);
    }
}
