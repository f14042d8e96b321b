//! Heat of faces: a bell around each.

use super::steps::{StepCells, Steps};
use super::{HeatConfig, Heated};
use crate::core::{BoxF, Size};
use crate::workflows::chunk::activity::ActivityGrid;

/// A height of 1 in the sums of pixels.
const UNIT: f64 = 16_777_216.0;
/// A height of 1 in the sums of cells.
pub(super) const CELL_UNIT: u32 = 256;
/// So many deviations off a bell is below half a unit.
const REACH: f64 = 6.0;

/// Bells `exp(-d^2 / (2 s^2))` around the centres of boxes, `s` half their longer side, in fixed point.
#[derive(Debug)]
pub(super) struct BellSums {
    frame: Size,
    map: Size,
    sums: Vec<u64>,
    pub(super) cells: StepCells,
    pub(super) steps: Steps,
}

/// Factors of a bell along one axis, from the first pixel on that it reaches.
fn factors(centre: f64, deviation: f64, side: u32) -> (u32, Vec<f64>) {
    let first = (centre - REACH * deviation).floor().clamp(0.0, f64::from(side)) as u32;
    let end = ((centre + REACH * deviation).ceil() + 1.0).clamp(0.0, f64::from(side)) as u32;
    let at = |x: u32| (-(f64::from(x) - centre).powi(2) / (2.0 * deviation * deviation)).exp();
    (first, (first..end).map(at).collect())
}

/// Sums of factors by cells.
fn by_cells((first, factors): &(u32, Vec<f64>)) -> Vec<(u32, f64)> {
    let mut out: Vec<(u32, f64)> = Vec::new();
    for (x, f) in (*first..).zip(factors) {
        let cell = x / ActivityGrid::CELL;
        match out.last_mut() {
            Some((at, sum)) if *at == cell => *sum += f,
            _ => out.push((cell, *f)),
        }
    }
    out
}

impl BellSums {
    pub(super) fn new(frame: Size, map: Size, steps: Steps) -> Self {
        Self { frame, map, sums: vec![0; map.area() as usize], cells: StepCells::new(map), steps }
    }

    /// With sums that were counted before; `None` for those of another map.
    pub(super) fn with(frame: Size, map: Size, steps: Steps, sums: Vec<u64>) -> Option<Self> {
        (sums.len() as u64 == map.area()).then(|| Self { sums, ..Self::new(frame, map, steps) })
    }

    /// Sums of pixels, row by row.
    pub(super) fn sums(&self) -> &[u64] {
        &self.sums
    }

    /// Adds the bells of `other`, of a map of the same size.
    pub(super) fn join(&mut self, mut other: Self) {
        self.cells.flush(&mut self.steps);
        other.cells.flush(&mut other.steps);
        self.sums.iter_mut().zip(&other.sums).for_each(|(a, b)| *a += b);
        self.steps.join(other.steps);
    }

    /// Adds the faces of a frame, in its pixels.
    pub(super) fn add(&mut self, step: i64, faces: &[BoxF]) {
        self.cells.at(step, &mut self.steps);
        let scale = f64::from(self.map.width) / f64::from(self.frame.width);
        for face in faces {
            let [x, y, w, h] = [face.x, face.y, face.width, face.height].map(|v| f64::from(v).floor());
            let deviation = ((w.max(h) / 2.0).floor() * scale).max(0.5);
            let across = factors((x + (w / 2.0).floor()) * scale, deviation, self.map.width);
            let down = factors((y + (h / 2.0).floor()) * scale, deviation, self.map.height);
            let rows = self.sums.chunks_exact_mut(self.map.width as usize).skip(down.0 as usize);
            for (row, fy) in rows.zip(&down.1) {
                for (sum, fx) in row.iter_mut().skip(across.0 as usize).zip(&across.1) {
                    *sum += (fx * fy * UNIT).round() as u64;
                }
            }
            let columns = by_cells(&across);
            for (row, fy) in by_cells(&down) {
                for (column, fx) in &columns {
                    self.cells.add(*column, row, (fx * fy * f64::from(CELL_UNIT)).round() as u64);
                }
            }
        }
    }

    /// Adds the bells, the highest of them `face_weight` high, to a map and brings its largest value to 1, whether there was a face or not.
    /// A map without any heat stays as it is.
    pub(super) fn onto(mut self, heat: &mut Heated, config: &HeatConfig, added: u64) {
        self.cells.flush(&mut self.steps);
        let most = self.sums.iter().copied().max().unwrap_or(0);
        if most > 0 {
            let by = config.face_weight / most as f64;
            for (v, sum) in heat.values.iter_mut().zip(&self.sums) {
                *v = (f64::from(*v) + by * *sum as f64) as f32;
            }
            // Both in units of the map's counters, all frames together.
            let units = added as f64 * f64::from(config.full());
            heat.steps.blend(self.steps, by * units * UNIT / f64::from(CELL_UNIT));
        }
        let largest = heat.values.iter().copied().fold(0.0f32, f32::max);
        if largest > 0.0 {
            heat.values.iter_mut().for_each(|v| *v /= largest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::steps::StepClock;
    use super::*;
    use crate::core::random::{below, pcg4d};

    #[test]
    fn bells_are_those_of_the_formula() {
        let size = Size::new(97, 61);
        let steps = || Steps::new(size, size, CELL_UNIT, &StepClock::new(1.0));
        let mut bells = BellSums::new(size, size, steps());
        let mut wanted = vec![0.0; 97 * 61];
        for f in 0..12u32 {
            let v = |k, n| below(pcg4d([f, k, 5, 2])[0], n) as f32;
            let face = BoxF { x: v(0, 110) - 10.0, y: v(1, 70) - 10.0, width: 4.0 + v(2, 30), height: 4.0 + v(3, 30) };
            let (cx, cy) = (face.x + (face.width / 2.0).floor(), face.y + (face.height / 2.0).floor());
            let s = f64::from((face.width.max(face.height) / 2.0).floor());
            for (at, w) in wanted.iter_mut().enumerate() {
                let d = ((at % 97) as f64 - f64::from(cx)).powi(2) + ((at / 97) as f64 - f64::from(cy)).powi(2);
                *w += (-d / (2.0 * s * s)).exp();
            }
            bells.add(0, &[face]);
        }
        for (at, (got, wanted)) in bells.sums.iter().zip(&wanted).enumerate() {
            assert!((*got as f64 / UNIT - wanted).abs() < 1e-6, "{at}: {got} {wanted}");
        }
        // A face pulls the hottest place onto it, whatever the masks say; the largest value is 1, with faces or without.
        let heated = || {
            let mut values = vec![0.0f32; 97 * 61];
            values[3] = 0.4;
            Heated { frame: size, map: size, values, frames: 12, added: 12, steps: steps(), subject: None }
        };
        let config = HeatConfig { face_weight: 3.0, ..HeatConfig::default() };
        let top = bells.sums.iter().enumerate().max_by_key(|(_, v)| **v).map(|(i, _)| i);
        let mut heat = heated();
        bells.onto(&mut heat, &config, 12);
        assert_eq!(heat.values.iter().position(|v| *v == 1.0), top);
        assert!((0.13..0.25).contains(&heat.values[3]), "{}", heat.values[3]);
        let (mut heat, none) = (heated(), BellSums::new(size, size, steps()));
        none.onto(&mut heat, &config, 12);
        assert_eq!((heat.values[3], heat.values[4]), (1.0, 0.0));
        let mut still = Heated { values: vec![0.0; 97 * 61], ..heated() };
        BellSums::new(size, size, steps()).onto(&mut still, &config, 0);
        assert!(still.values.iter().all(|v| *v == 0.0));
    }
}
