//! NanoDet: generalized focal loss heads (Li et al. 2020), a distribution over bins for each side of a box. NanoDet-Plus gives all levels in
//! one output, and its cells begin where the others have their middle.

use super::check_classes;
use crate::core::{BoxF, TensorPlace};
use crate::error::{Error, Result};
use crate::infer::tasks::fit::{Dense, Settings, last, tensor_size};
use crate::infer::tasks::pyramid::{Part, Pyramid, cells, grid};
use crate::infer::tasks::sieve::{Kept, Selection, Sieve, largest};
use crate::infer::{IoInfo, Outputs};

/// Bins of a side where nothing says otherwise.
const BINS: u32 = 8;

/// Where scores and distances lie.
#[derive(Debug, Clone, PartialEq)]
enum Rows {
    /// Outputs for each level.
    Levels(Pyramid),
    /// One output, levels from fine to coarse, rows of scores and then distances.
    Joint { name: String, names: Option<usize> },
}

/// Scores and distances on levels.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct NanodetHead {
    rows: Rows,
    bins: usize,
    /// Origin of a cell in units of the stride: 0.5 is its middle.
    center: f32,
    sigmoid: bool,
}

impl NanodetHead {
    pub(super) fn new(
        settings: &Settings<'_>,
        outputs: &[IoInfo],
        names: Option<usize>,
        sigmoid: bool,
    ) -> Result<Self> {
        let width = |role: &str| {
            let named = settings.roles().find(|(r, _)| r.starts_with(role)).map(|(_, n)| n);
            outputs.iter().find(|o| Some(o.name.as_str()) == named).and_then(last)
        };
        let classes = width("scores").or(names).ok_or_else(|| {
            let message = format!("`{}`: set `classes`, or `outputs.scores8` and so on", settings.name());
            Error::model("classes", message)
        })?;
        check_classes(settings.name(), names, classes)?;
        let of_bins = |w: &usize| *w != classes && *w >= 8 && w.is_multiple_of(4);
        let sides = width("distances").or_else(|| outputs.iter().filter_map(last).find(of_bins));
        let bins = settings.whole("bins", sides.map_or(BINS, |s| (s / 4) as u32), 2..=256)? as usize;
        let parts = [Part { role: "scores", width: classes }, Part { role: "distances", width: bins * 4 }];
        let pyramid = Pyramid::new(settings, outputs, &parts, 1)?;
        let center = settings.number("center", 0.5, 0.0..=1.0)?;
        Ok(Self { rows: Rows::Levels(pyramid), bins, center, sigmoid })
    }

    /// NanoDet-Plus: `predictions` `[N, cells, C + 4 * bins]` at strides 8, 16, 32 and mostly 64.
    pub(super) fn joint(
        settings: &Settings<'_>,
        outputs: &[IoInfo],
        names: Option<usize>,
        sigmoid: bool,
    ) -> Result<Self> {
        let bins = settings.whole("bins", BINS, 2..=256)? as usize;
        let fits = |o: &IoInfo| o.shape.len() == 3 && last(o).is_none_or(|w| w > 4 * bins);
        let name = settings.output(outputs, "predictions", "[N, cells, classes + 4 * bins]", fits)?;
        if let Some(width) = outputs.iter().find(|o| o.name == name).and_then(last) {
            check_classes(settings.name(), names, width - 4 * bins)?;
        }
        let center = settings.number("center", 0.0, 0.0..=1.0)?;
        Ok(Self { rows: Rows::Joint { name, names }, bins, center, sigmoid })
    }

    pub(super) fn decode(
        &self,
        outputs: &Outputs,
        places: &[TensorPlace],
        selection: Selection<'_>,
    ) -> Result<Vec<Vec<Kept>>> {
        match &self.rows {
            Rows::Levels(pyramid) => self.levels(pyramid, outputs, places, selection),
            Rows::Joint { name, names } => self.all(name, *names, outputs, places, selection),
        }
    }

    fn levels(
        &self,
        pyramid: &Pyramid,
        outputs: &Outputs,
        places: &[TensorPlace],
        selection: Selection<'_>,
    ) -> Result<Vec<Vec<Kept>>> {
        let levels = pyramid.levels(outputs, places)?;
        let picture = |(index, place): (usize, &TensorPlace)| {
            let mut sieve = Sieve::new(selection, place, self.sigmoid);
            for level in &levels {
                let [scores, distances] = level.parts.as_slice() else { continue };
                for (at, row) in scores.element(index).chunks_exact(scores.width).enumerate() {
                    let cell = (level.cell(at), level.stride);
                    self.cell(&mut sieve, (row, distances.row(index, at)), cell, level.first + at);
                }
            }
            sieve.finish()
        };
        places.iter().enumerate().map(picture).collect()
    }

    fn all(
        &self,
        name: &str,
        names: Option<usize>,
        outputs: &Outputs,
        places: &[TensorPlace],
        selection: Selection<'_>,
    ) -> Result<Vec<Vec<Kept>>> {
        let Some(size) = tensor_size(places)? else { return Ok(Vec::new()) };
        let tensor = outputs.get(name)?;
        let dense = Dense::rows(name, tensor, places.len())?;
        let classes = dense.width.saturating_sub(4 * self.bins);
        check_classes(name, names, classes)?;
        let levels = [&[8u32, 16, 32, 64][..], &[8, 16, 32]];
        let Some(strides) = levels.into_iter().find(|s| cells(size, s) == dense.rows && classes > 0) else {
            let (wanted, bins, given) = (cells(size, &[8, 16, 32, 64]), self.bins, &tensor.shape);
            let message = format!(
                "a tensor of {size} has {wanted} cells at strides 8, 16, 32, 64, with scores and 4 times {bins} bins; the model gave {given:?}"
            );
            return Err(Error::model("shape", message));
        };
        let picture = |(index, place): (usize, &TensorPlace)| {
            let mut sieve = Sieve::new(selection, place, self.sigmoid);
            let mut rows = dense.element(index).chunks_exact(dense.width).enumerate();
            for stride in strides {
                let (columns, lines) = grid(size, *stride);
                for (y, x) in (0..lines).flat_map(|y| (0..columns).map(move |x| (y, x))) {
                    let Some((at, row)) = rows.next() else { break };
                    let parts = row.split_at_checked(classes).unwrap_or_default();
                    self.cell(&mut sieve, parts, ((x as f32, y as f32), *stride as f32), at);
                }
            }
            sieve.finish()
        };
        places.iter().enumerate().map(picture).collect()
    }

    /// What a cell at a column and line of a level says.
    fn cell(
        &self,
        sieve: &mut Sieve<'_>,
        (scores, distances): (&[f32], &[f32]),
        ((column, line), stride): ((f32, f32), f32),
        at: usize,
    ) {
        let Some((class, raw)) = largest(scores).filter(|(_, raw)| sieve.passes(*raw)) else { return };
        let mut sides = distances.chunks_exact(self.bins).map(expectation);
        let mut side = || sides.next().unwrap_or(f32::NAN) * stride;
        let [left, top, right, bottom] = [side(), side(), side(), side()];
        let [x, y] = [column, line].map(|v| (v + self.center) * stride);
        let rect = BoxF { x: x - left, y: y - top, width: left + right, height: top + bottom };
        sieve.push(rect, sieve.probability(raw), class as u32, at);
    }
}

/// Mean index under the softmax of `logits`.
fn expectation(logits: &[f32]) -> f32 {
    let top = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let (mut sum, mut weighted) = (0.0, 0.0);
    for (i, v) in logits.iter().enumerate() {
        let e = (v - top).exp();
        sum += e;
        weighted += e * i as f32;
    }
    weighted / sum
}
