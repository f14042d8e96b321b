//! YOLOv8 and its successors before suppression: centre, sides and one score a class, no object score.

use super::check_classes;
use crate::core::{BoxF, TensorPlace};
use crate::error::{Error, Result};
use crate::infer::tasks::fit::{Dense, Settings};
use crate::infer::tasks::sieve::{Kept, Selection, Sieve, largest};
use crate::infer::{IoInfo, Outputs};

/// One output, numbers of a box along the second axis as a rule.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct YoloV8Head {
    predictions: String,
    classes: Option<usize>,
    sigmoid: bool,
}

impl YoloV8Head {
    pub(super) fn new(
        settings: &Settings<'_>,
        outputs: &[IoInfo],
        classes: Option<usize>,
        sigmoid: bool,
    ) -> Result<Self> {
        let fits = |o: &IoInfo| o.shape.len() == 3;
        let predictions = settings.output(outputs, "predictions", "[N, 4 + classes, cells]", fits)?;
        Ok(Self { predictions, classes, sigmoid })
    }

    pub(super) fn decode(
        &self,
        outputs: &Outputs,
        places: &[TensorPlace],
        selection: Selection<'_>,
    ) -> Result<Vec<Vec<Kept>>> {
        let dense = Dense::rows(&self.predictions, outputs.get(&self.predictions)?, places.len())?;
        // The usual way round unless the names of classes, or else the longer axis, say otherwise.
        let planes = match self.classes {
            Some(n) => dense.rows == n + 4 || dense.width != n + 4,
            None => dense.rows <= dense.width,
        };
        let numbers = if planes { dense.rows } else { dense.width };
        if numbers < 5 {
            let message = format!("`{}` must have 4 + classes numbers a box, not {numbers}", self.predictions);
            return Err(Error::model("shape", message));
        }
        check_classes(&self.predictions, self.classes, numbers - 4)?;
        let mut tops = Vec::new();
        let picture = |(index, place): (usize, &TensorPlace)| {
            let mut sieve = Sieve::new(selection, place, self.sigmoid);
            let element = dense.element(index);
            if planes {
                by_planes(&mut sieve, element, dense.width, &mut tops);
            } else {
                for (at, row) in element.chunks_exact(dense.width).enumerate() {
                    let [x, y, w, h, scores @ ..] = row else { continue };
                    let Some((class, raw)) = largest(scores).filter(|(_, raw)| sieve.passes(*raw)) else { continue };
                    let rect = BoxF::from_center(*x, *y, *w, *h);
                    sieve.push(rect, sieve.probability(raw), class as u32, at);
                }
            }
            sieve.finish()
        };
        places.iter().enumerate().map(picture).collect()
    }
}

/// Reads planes in their order in memory; `tops` is room for the best score and class of each cell.
fn by_planes(sieve: &mut Sieve<'_>, element: &[f32], cells: usize, tops: &mut Vec<(f32, u32)>) {
    tops.clear();
    tops.resize(cells, (f32::NEG_INFINITY, 0));
    let mut planes = element.chunks_exact(cells);
    let (Some(xs), Some(ys), Some(ws), Some(hs)) = (planes.next(), planes.next(), planes.next(), planes.next()) else {
        return;
    };
    for (class, plane) in (0..).zip(planes) {
        for (top, score) in tops.iter_mut().zip(plane) {
            if *score > top.0 {
                *top = (*score, class);
            }
        }
    }
    let boxes = xs.iter().zip(ys).zip(ws.iter().zip(hs));
    for (at, (((x, y), (w, h)), (raw, class))) in boxes.zip(tops.iter()).enumerate() {
        if sieve.passes(*raw) {
            sieve.push(BoxF::from_center(*x, *y, *w, *h), sieve.probability(*raw), *class, at);
        }
    }
}
