//! NanoDet: generalized focal loss heads (Li et al. 2020), a distribution over bins for each side of a box.

use super::check_classes;
use crate::core::{BoxF, TensorPlace};
use crate::error::{Error, Result};
use crate::infer::tasks::fit::{Settings, last};
use crate::infer::tasks::pyramid::{Part, Pyramid};
use crate::infer::tasks::sieve::{Kept, Selection, Sieve, largest};
use crate::infer::{IoInfo, Outputs};

/// Scores and distances on levels.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct NanodetHead {
    pyramid: Pyramid,
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
        let sides = width("distances").or_else(|| outputs.iter().filter_map(last).find(of_bins)).unwrap_or(32);
        let bins = settings.whole("bins", (sides / 4) as u32, 2..=256)? as usize;
        let parts = [Part { role: "scores", width: classes }, Part { role: "distances", width: bins * 4 }];
        let pyramid = Pyramid::new(settings, outputs, &parts, 1)?;
        let center = settings.number("center", 0.5, 0.0..=1.0)?;
        Ok(Self { pyramid, bins, center, sigmoid })
    }

    pub(super) fn decode(
        &self,
        outputs: &Outputs,
        places: &[TensorPlace],
        selection: Selection<'_>,
    ) -> Result<Vec<Vec<Kept>>> {
        let levels = self.pyramid.levels(outputs, places)?;
        let picture = |(index, place): (usize, &TensorPlace)| {
            let mut sieve = Sieve::new(selection, place, self.sigmoid);
            for level in &levels {
                let [scores, distances] = level.parts.as_slice() else { continue };
                for (at, row) in scores.element(index).chunks_exact(scores.width).enumerate() {
                    let Some((class, raw)) = largest(row).filter(|(_, raw)| sieve.passes(*raw)) else { continue };
                    let mut sides = distances.row(index, at).chunks_exact(self.bins).map(expectation);
                    let mut side = || sides.next().unwrap_or(f32::NAN) * level.stride;
                    let [left, top, right, bottom] = [side(), side(), side(), side()];
                    let (column, line) = level.cell(at);
                    let [x, y] = [column, line].map(|v| (v + self.center) * level.stride);
                    let rect = BoxF { x: x - left, y: y - top, width: left + right, height: top + bottom };
                    sieve.push(rect, sieve.probability(raw), class as u32, level.first + at);
                }
            }
            sieve.finish()
        };
        places.iter().enumerate().map(picture).collect()
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
