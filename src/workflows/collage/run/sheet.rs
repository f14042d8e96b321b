//! Pictures that people look at: comparisons of frames with their pictures, and sheets of many.

use super::super::picture::Picture;
use super::label::Canvas;
use crate::core::{Limits, Size};
use crate::error::Result;
use crate::media::encode_jpeg;

/// Between pictures, in pixels.
const GAP: u32 = 6;
const PAPER: [u8; 3] = [24, 24, 26];
const GREEN: [u8; 3] = [60, 230, 60];

/// A frame beside its picture, as a JPEG, with what they are called and how alike they are.
pub(super) fn comparison(frame: &[u8], picture: &[u8], size: Size, text: &str) -> Result<Vec<u8>> {
    let mut canvas = Canvas::new(Size::new(size.width * 2, size.height), PAPER);
    canvas.draw(frame, size, (0, 0));
    canvas.draw(picture, size, (size.width, 0));
    let scale = (size.height / 160).max(1);
    canvas.text(text, (2 * scale, 2 * scale), scale, GREEN);
    encode_jpeg(canvas.size, &canvas.rgba, 92)
}

/// Pictures of one size in rows of `columns`, as a JPEG. With `pairs`, two and two stand below each other: a frame and its picture.
pub(super) fn sheet(pictures: &[Vec<u8>], size: Size, columns: u32, pairs: bool) -> Result<Vec<u8>> {
    let tall = if pairs { 2 } else { 1 };
    let cells = (pictures.len() as u32).div_ceil(tall).max(1);
    let columns = columns.min(cells).max(1);
    let rows = cells.div_ceil(columns);
    let cell = Size::new(size.width + GAP, size.height * tall + GAP * if pairs { 2 } else { 1 });
    let mut canvas = Canvas::new(Size::new(cell.width * columns + GAP, cell.height * rows + GAP), PAPER);
    for (i, picture) in (0u32..).zip(pictures) {
        let (at, below) = (i / tall, i % tall);
        let place = (GAP + at % columns * cell.width, GAP + at / columns * cell.height + below * size.height);
        canvas.draw(picture, size, place);
    }
    encode_jpeg(canvas.size, &canvas.rgba, 88)
}

/// The pixels of a JPEG that was made here.
pub(super) fn pixels(jpeg: &[u8]) -> Result<(Size, Vec<u8>)> {
    let picture = Picture::decode(jpeg, std::path::Path::new("a thumbnail"), &Limits::default(), None)?;
    Ok((picture.size, picture.rgba))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sheets_hold_what_they_are_given() {
        let size = Size::new(16, 16);
        let one = |v: u8| [v, v, v, 255].repeat(256);
        let jpeg = sheet(&[one(250), one(0), one(120), one(200), one(90), one(30)], size, 2, true).unwrap();
        let (whole, rgba) = pixels(&jpeg).unwrap();
        // Two columns, two rows of pairs.
        assert_eq!(whole, Size::new(2 * 22 + 6, 2 * 44 + 6));
        let at = |x: u32, y: u32| i32::from(rgba[((y * whole.width + x) * 4) as usize]);
        for (x, y, want) in [(14, 14, 250), (14, 30, 0), (36, 14, 120), (36, 30, 200), (14, 58, 90), (14, 74, 30)] {
            assert!((at(x, y) - want).abs() < 20, "{x} {y}: {} for {want}", at(x, y));
        }
        let jpeg = comparison(&one(0), &one(255), size, "1").unwrap();
        assert_eq!(pixels(&jpeg).unwrap().0, Size::new(32, 16));
        assert!(sheet(&[], size, 4, false).is_ok());
    }
}
