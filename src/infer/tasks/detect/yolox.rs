//! YOLOX (Ge et al. 2021), and heads of YOLOv5 and v7, whose rows are decoded already.

use super::check_classes;
use crate::core::{BoxF, TensorPlace};
use crate::error::{Error, Result};
use crate::infer::tasks::fit::{Dense, Settings, last, tensor_size};
use crate::infer::tasks::pyramid::{cells, grid};
use crate::infer::tasks::sieve::{Kept, Selection, Sieve, largest};
use crate::infer::{IoInfo, Outputs};

/// Rows of centre, sides, object score and class scores.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct YoloxHead {
    predictions: String,
    classes: Option<usize>,
    /// Centre and sides are in pixels; otherwise they are relative to cells.
    decoded: bool,
    sigmoid: bool,
}

impl YoloxHead {
    pub(super) fn new(
        settings: &Settings<'_>,
        outputs: &[IoInfo],
        classes: Option<usize>,
        decoded: bool,
        sigmoid: bool,
    ) -> Result<Self> {
        let fits = |o: &IoInfo| o.shape.len() == 3 && last(o).is_none_or(|w| w > 5);
        let predictions = settings.output(outputs, "predictions", "[N, rows, 5 + classes]", fits)?;
        if let Some(width) = outputs.iter().find(|o| o.name == predictions).and_then(last) {
            check_classes(settings.name(), classes, width - 5)?;
        }
        Ok(Self { predictions, classes, decoded, sigmoid })
    }

    pub(super) fn decode(
        &self,
        outputs: &Outputs,
        places: &[TensorPlace],
        selection: Selection<'_>,
    ) -> Result<Vec<Vec<Kept>>> {
        let Some(size) = tensor_size(places)? else { return Ok(Vec::new()) };
        let tensor = outputs.get(&self.predictions)?;
        let dense = Dense::rows(&self.predictions, tensor, places.len())?;
        check_classes(&self.predictions, self.classes, dense.width.saturating_sub(5))?;
        let strides: &[u32] = if self.decoded {
            &[]
        } else {
            [&[8, 16, 32][..], &[8, 16, 32, 64]].into_iter().find(|s| cells(size, s) == dense.rows).ok_or_else(
                || {
                    let wanted = cells(size, &[8, 16, 32]);
                    let given = &tensor.shape;
                    let message =
                        format!("a tensor of {size} has {wanted} cells at strides 8, 16, 32; the model gave {given:?}");
                    Error::model("shape", message)
                },
            )?
        };
        let picture = |(index, place): (usize, &TensorPlace)| {
            let mut sieve = Sieve::new(selection, place, self.sigmoid);
            let mut rows = dense.element(index).chunks_exact(dense.width).enumerate();
            if self.decoded {
                rows.for_each(|(at, row)| self.row(&mut sieve, at, row, None));
                return sieve.finish();
            }
            for stride in strides {
                let (columns, lines) = grid(size, *stride);
                for y in 0..lines {
                    for x in 0..columns {
                        let Some((at, row)) = rows.next() else { break };
                        self.row(&mut sieve, at, row, Some((x as f32, y as f32, *stride as f32)));
                    }
                }
            }
            sieve.finish()
        };
        places.iter().enumerate().map(picture).collect()
    }

    /// The object score comes first: no class makes the product larger than it.
    fn row(&self, sieve: &mut Sieve<'_>, at: usize, row: &[f32], cell: Option<(f32, f32, f32)>) {
        let [x, y, w, h, object, classes @ ..] = row else { return };
        if !sieve.passes(*object) {
            return;
        }
        let Some((class, best)) = largest(classes) else { return };
        let score = sieve.probability(*object) * sieve.probability(best);
        if score.is_nan() || score < sieve.least_score() {
            return;
        }
        let rect = match cell {
            None => BoxF::from_center(*x, *y, *w, *h),
            Some((cx, cy, s)) => BoxF::from_center((x + cx) * s, (y + cy) * s, w.exp() * s, h.exp() * s),
        };
        sieve.push(rect, score, class as u32, at);
    }
}
