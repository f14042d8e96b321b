//! DETR (Carion et al. 2020) and relatives: a set of queries, boxes in 0..=1 of the tensor.

use super::check_classes;
use crate::core::{BoxF, TensorPlace};
use crate::error::{Error, Result};
use crate::infer::tasks::fit::{Dense, Settings, fixed, last};
use crate::infer::tasks::sieve::{Kept, Selection, Sieve, largest};
use crate::infer::{IoInfo, Outputs};

/// Logits and boxes of queries.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct DetrHead {
    scores: String,
    boxes: String,
    classes: Option<usize>,
    /// A softmax whose last class is "no object"; otherwise one sigmoid a class.
    softmax: bool,
}

impl DetrHead {
    pub(super) fn new(
        settings: &Settings<'_>,
        outputs: &[IoInfo],
        classes: Option<usize>,
        softmax: bool,
    ) -> Result<Self> {
        let rank3 = |o: &IoInfo| o.shape.len() == 3;
        let boxes = match settings.role("scores") {
            // Logits of four classes look like boxes.
            Some(scores) => settings.output(outputs, "boxes", "[N, queries, 4]", |o| {
                rank3(o) && last(o).is_none_or(|w| w == 4) && o.name != scores
            })?,
            None => {
                settings.output(outputs, "boxes", "[N, queries, 4]", |o| rank3(o) && last(o).is_none_or(|w| w == 4))?
            }
        };
        let queries = outputs.iter().find(|o| o.name == boxes).and_then(|o| fixed(o.shape.get(1)));
        let scores = settings.output(outputs, "scores", "[N, queries, classes]", |o| {
            let same = fixed(o.shape.get(1)).is_none_or(|n| queries.is_none_or(|q| q == n));
            rank3(o) && same && o.name != boxes
        })?;
        let head = Self { scores, boxes, classes, softmax };
        if let Some(width) = outputs.iter().find(|o| o.name == head.scores).and_then(last) {
            head.check(settings.name(), width)?;
        }
        Ok(head)
    }

    fn check(&self, model: &str, width: usize) -> Result<()> {
        if width < 1 + usize::from(self.softmax) {
            return Err(Error::model("shape", format!("`{model}`: {width} logits a query leave no class")));
        }
        check_classes(model, self.classes, width - usize::from(self.softmax))
    }

    pub(super) fn decode(
        &self,
        outputs: &Outputs,
        places: &[TensorPlace],
        selection: Selection<'_>,
    ) -> Result<Vec<Vec<Kept>>> {
        let scores = Dense::rows(&self.scores, outputs.get(&self.scores)?, places.len())?;
        let boxes = Dense::rows(&self.boxes, outputs.get(&self.boxes)?, places.len())?;
        self.check(&self.scores, scores.width)?;
        if boxes.width != 4 || boxes.rows != scores.rows {
            let (b, s) = ([boxes.rows, boxes.width], [scores.rows, scores.width]);
            let message = format!("`{}` must have a box for each of `{}`: {b:?} and {s:?}", self.boxes, self.scores);
            return Err(Error::model("shape", message));
        }
        let picture = |(index, place): (usize, &TensorPlace)| {
            // With a softmax, probabilities are made here; the sieve makes sigmoids itself.
            let mut sieve = Sieve::new(selection, place, !self.softmax);
            let (width, height) = (place.tensor.width as f32, place.tensor.height as f32);
            let rows = scores.element(index).chunks_exact(scores.width).zip(boxes.element(index).chunks_exact(4));
            for (at, (row, rect)) in rows.enumerate() {
                let found = if self.softmax { softmax_best(row, sieve.least_score()) } else { largest(row) };
                let Some((class, raw)) = found.filter(|(_, raw)| sieve.passes(*raw)) else { continue };
                let [x, y, w, h] = rect else { continue };
                let rect = BoxF::from_center(x * width, y * height, w * width, h * height);
                sieve.push(rect, sieve.probability(raw), class as u32, at);
            }
            sieve.finish()
        };
        places.iter().enumerate().map(picture).collect()
    }
}

/// The likeliest class but for the last, with its probability, when that may reach `least`.
fn softmax_best(row: &[f32], least: f32) -> Option<(usize, f32)> {
    let (none, classes) = row.split_last()?;
    let (class, best) = largest(classes)?;
    // Two of the terms bound the probability from above.
    if 1.0 / (1.0 + (none - best).exp()) < least {
        return None;
    }
    let sum: f32 = row.iter().map(|v| (v - best).exp()).sum();
    Some((class, 1.0 / sum))
}
