//! Frames put together from the pictures of their tiles. A frame of one picture is a mosaic of one tile.

use std::collections::HashMap;

use super::super::select::Choice;
use super::eye::part;
use super::label::Canvas;
use crate::core::Size;

/// Puts frames of `size` together from tiles.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mosaic {
    pub(super) size: Size,
    columns: u32,
    rows: u32,
}

impl Mosaic {
    pub(super) fn new(size: Size, tiles: Option<[u32; 2]>) -> Self {
        let [columns, rows] = tiles.unwrap_or([1, 1]);
        Self { size, columns: columns.clamp(1, size.width.max(1)), rows: rows.clamp(1, size.height.max(1)) }
    }

    /// Size of the pictures that tiles are made of: that of the largest tile.
    pub(super) fn cell(&self) -> Size {
        Size::new(self.size.width.div_ceil(self.columns), self.size.height.div_ceil(self.rows))
    }

    /// The frame whose tiles have `choices`, row by row, of `pictures` as large as [`Self::cell`]; black where there is none.
    pub(super) fn compose(&self, choices: &[Choice], pictures: &HashMap<u32, Vec<u8>>) -> Vec<u8> {
        let mut canvas = Canvas::new(self.size, [0, 0, 0]);
        let cell = self.cell();
        // What is too large by a pixel is covered by the next tile.
        for (i, choice) in (0u32..).zip(choices.iter().take((self.columns * self.rows) as usize)) {
            let (column, row) = (i % self.columns, i / self.columns);
            if let Some(picture) = choice.picture.and_then(|id| pictures.get(&id)) {
                let place = (part(self.size.width, self.columns, column), part(self.size.height, self.rows, row));
                canvas.draw(picture, cell, place);
            }
        }
        canvas.rgba
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workflows::collage::select::Reason;

    #[test]
    fn every_tile_lies_in_its_place() {
        let mosaic = Mosaic::new(Size::new(7, 4), Some([3, 2]));
        assert_eq!(mosaic.cell(), Size::new(3, 2));
        let one = |v: u8| [v, v, v, 255].repeat(6);
        let pictures: HashMap<u32, Vec<u8>> = (1..=6).map(|v| (v, one(v as u8))).collect();
        let choice = |id| Choice { picture: Some(id), score: Some(1.0), reason: Reason::Chosen };
        let mut choices: Vec<Choice> = (1..=6).map(choice).collect();
        choices[5].picture = None;
        let rgba = mosaic.compose(&choices, &pictures);
        let row = |y: usize| rgba[y * 28..][..28].chunks(4).map(|p| p[0]).collect::<Vec<_>>();
        assert_eq!((row(0), row(1)), (vec![1, 1, 2, 2, 3, 3, 3], vec![1, 1, 2, 2, 3, 3, 3]));
        // The second tile reaches a pixel into the one that is missing.
        assert_eq!((row(2), row(3)), (vec![4, 4, 5, 5, 5, 0, 0], vec![4, 4, 5, 5, 5, 0, 0]));
        assert_eq!(Mosaic::new(Size::new(7, 4), None).cell(), Size::new(7, 4));
    }
}
