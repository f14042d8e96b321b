//! Histograms of oriented gradients: parameters and sizes.

use super::Size;

/// How a picture is cut into cells and blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HogParams {
    /// Orientations in [0, 180) degrees, of equal width; bin `i` begins at `180 i / bins`, its end belongs to the next.
    pub bins: u32,
    /// Pixels of a cell.
    pub cell: Size,
    /// Cells of a block. Neighbouring blocks are one cell apart.
    pub block: Size,
}

impl HogParams {
    /// 9 bins, square cells of `cell` pixels, blocks of 2x2 cells.
    pub const fn square(cell: u32) -> Self {
        Self { bins: 9, cell: Size::new(cell, cell), block: Size::new(2, 2) }
    }

    /// Whole cells of a picture.
    pub const fn cells(&self, picture: Size) -> Size {
        Size::new(picture.width / self.cell.width, picture.height / self.cell.height)
    }

    /// Blocks of a picture; empty when it is too small for one.
    pub const fn blocks(&self, picture: Size) -> Size {
        let cells = self.cells(picture);
        Size::new(
            (cells.width + 1).saturating_sub(self.block.width),
            (cells.height + 1).saturating_sub(self.block.height),
        )
    }

    /// Numbers of the descriptor of a picture: blocks x cells of a block x bins.
    pub const fn dim(&self, picture: Size) -> u64 {
        self.blocks(picture).area() * self.block.area() * self.bins as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_the_usual_pictures() {
        let dim = |w, h| HogParams::square(32).dim(Size::new(w, h));
        assert_eq!([dim(128, 72), dim(256, 144), dim(512, 288)], [108, 756, 4320]);
        assert_eq!([dim(64, 63), dim(63, 64), dim(64, 64)], [0, 0, 36]);
        assert_eq!(HogParams::square(8).dim(Size::new(64, 128)), 3780);
    }
}
