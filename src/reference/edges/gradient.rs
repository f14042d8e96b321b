//! What `edges/sobel` and `edges/scharr` have in common: first derivatives and their magnitudes.

use crate::Result;
use crate::reference::plane::Plane;

/// First derivatives of 8-bit samples, row by row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Derivatives {
    /// To the right.
    pub gx: Vec<i16>,
    /// Downwards.
    pub gy: Vec<i16>,
}

impl Derivatives {
    /// `src` has one channel. With `[a b a]` the weights across the derivative: `gx = [-a 0 a; -b 0 b; -a 0 a]`, `gy` its
    /// transpose; border reflect-101.
    pub(super) fn of(op: &'static str, src: &Plane<'_>, [a, b, c]: [i32; 3]) -> Result<Self> {
        src.expect_channels(op, 1)?;
        let mut out = Self { gx: Vec::new(), gy: Vec::new() };
        for (x, y) in src.pixels() {
            let at = |dx: i64, dy: i64| i32::from(src.at_reflect101(i64::from(x) + dx, i64::from(y) + dy));
            let across = |dy| at(1, dy) - at(-1, dy);
            let down = |dx| at(dx, 1) - at(dx, -1);
            out.gx.push((a * across(-1) + b * across(0) + c * across(1)) as i16);
            out.gy.push((a * down(-1) + b * down(0) + c * down(1)) as i16);
        }
        Ok(out)
    }

    fn pairs(&self) -> impl Iterator<Item = (i32, i32)> + '_ {
        self.gx.iter().zip(&self.gy).map(|(gx, gy)| (i32::from(*gx), i32::from(*gy)))
    }

    /// `min(|gx| + |gy|, 255)`. The same as taking both absolute values with saturation to 8 bits first and adding with saturation.
    pub fn magnitude(&self) -> Vec<u8> {
        self.pairs().map(|(gx, gy)| (gx.abs() + gy.abs()).min(255) as u8).collect()
    }

    /// `sqrt(gx^2 + gy^2)` to the nearest integer: the `r` with `r^2 - r < gx^2 + gy^2 <= r^2 + r`. There are no ties: the root of
    /// an integer never ends in one half.
    pub fn norm(&self) -> Vec<u16> {
        self.pairs().map(|(gx, gy)| f64::from(gx * gx + gy * gy).sqrt().round() as u16).collect()
    }
}
