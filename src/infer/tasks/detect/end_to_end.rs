//! Models that choose by themselves: rows of corners, score and class (YOLOv10, exports with suppression inside).

use crate::core::{BoxF, TensorPlace};
use crate::error::{Error, Result};
use crate::infer::tasks::fit::{Dense, Settings, last};
use crate::infer::tasks::sieve::{Kept, Selection, Sieve};
use crate::infer::{IoInfo, Outputs};

/// Rows of x1, y1, x2, y2, score, class.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct EndToEndHead {
    predictions: String,
    sigmoid: bool,
}

impl EndToEndHead {
    pub(super) fn new(settings: &Settings<'_>, outputs: &[IoInfo], sigmoid: bool) -> Result<Self> {
        let fits = |o: &IoInfo| o.shape.len() == 3 && last(o).is_none_or(|w| w == 6);
        let predictions = settings.output(outputs, "predictions", "[N, rows, 6]", fits)?;
        Ok(Self { predictions, sigmoid })
    }

    pub(super) fn decode(
        &self,
        outputs: &Outputs,
        places: &[TensorPlace],
        selection: Selection<'_>,
    ) -> Result<Vec<Vec<Kept>>> {
        let tensor = outputs.get(&self.predictions)?;
        let dense = Dense::rows(&self.predictions, tensor, places.len())?;
        if dense.width != 6 {
            let message =
                format!("`{}` must have 6 numbers a row, the model gave {:?}", self.predictions, tensor.shape);
            return Err(Error::model("shape", message));
        }
        let picture = |(index, place): (usize, &TensorPlace)| {
            let mut sieve = Sieve::new(selection, place, self.sigmoid);
            for (at, row) in dense.element(index).chunks_exact(6).enumerate() {
                let [x1, y1, x2, y2, raw, class] = row else { continue };
                // Empty rows at the end carry class -1 in some exports.
                let class = class.round();
                if sieve.passes(*raw) && class >= 0.0 && class.is_finite() {
                    let rect = BoxF::from_corners(*x1, *y1, *x2, *y2);
                    sieve.push(rect, sieve.probability(*raw), class as u32, at);
                }
            }
            sieve.finish()
        };
        places.iter().enumerate().map(picture).collect()
    }
}
