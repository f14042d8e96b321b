//! Heat of masks that somebody makes on the host: their mean.

use super::steps::{StepCells, Steps};
use crate::core::Size;
use crate::error::{Error, Result};
use crate::workflows::chunk::activity::ActivityGrid;

/// Sums of masks in steps of 1/255.
#[derive(Debug)]
pub(super) struct MaskSums {
    map: Size,
    sums: Vec<u64>,
    pub(super) cells: StepCells,
}

impl MaskSums {
    pub(super) fn new(map: Size) -> Self {
        Self { map, sums: vec![0; map.area() as usize], cells: StepCells::new(map) }
    }

    /// Adds the mask of a frame: 0..=1 per pixel of the map; what is not finite counts as 0.
    pub(super) fn add(&mut self, step: i64, size: Size, values: &[f32], steps: &mut Steps) -> Result<()> {
        if size != self.map || values.len() as u64 != size.area() {
            return Err(Error::Parameter {
                op: "chunk/heat",
                name: "mask",
                wanted: format!("{} values for {}", self.map.area(), self.map),
                given: format!("{} for {size}", values.len()),
            });
        }
        self.cells.at(step, steps);
        let width = size.width as usize;
        for (y, (sums, row)) in (0u32..).zip(self.sums.chunks_exact_mut(width).zip(values.chunks_exact(width))) {
            for (x, (sum, v)) in (0u32..).zip(sums.iter_mut().zip(row)) {
                // The conversion saturates and makes 0 of NaN.
                let units = u64::from((v * 255.0) as u8);
                if units > 0 {
                    *sum += units;
                    self.cells.add(x / ActivityGrid::CELL, y / ActivityGrid::CELL, units);
                }
            }
        }
        Ok(())
    }

    pub(super) fn counts(&self) -> &[u64] {
        &self.sums
    }
}
