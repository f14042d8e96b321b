//! UltraFace: boxes that the graph has decoded, scores of background and face.

use crate::core::{BoxF, Face, TensorPlace};
use crate::error::{Error, Result};
use crate::infer::tasks::fit::{Dense, Settings, last};
use crate::infer::tasks::sieve::{Selection, Sieve};
use crate::infer::{IoInfo, Outputs};

/// Two scores and corners in 0..=1.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct UltraFaceHead {
    scores: String,
    boxes: String,
    sigmoid: bool,
}

impl UltraFaceHead {
    pub(super) fn new(settings: &Settings<'_>, outputs: &[IoInfo], sigmoid: bool) -> Result<Self> {
        let of = |width: usize| move |o: &IoInfo| last(o).is_none_or(|w| w == width);
        let scores = settings.output(outputs, "scores", "[N, rows, 2]", of(2))?;
        let boxes = settings.output(outputs, "boxes", "[N, rows, 4]", of(4))?;
        Ok(Self { scores, boxes, sigmoid })
    }

    pub(super) fn decode(
        &self,
        outputs: &Outputs,
        places: &[TensorPlace],
        selection: Selection<'_>,
    ) -> Result<Vec<Vec<Face>>> {
        let scores = Dense::rows(&self.scores, outputs.get(&self.scores)?, places.len())?;
        let boxes = Dense::rows(&self.boxes, outputs.get(&self.boxes)?, places.len())?;
        if scores.width != 2 || boxes.width != 4 || scores.rows != boxes.rows {
            let (s, b) = ([scores.rows, scores.width], [boxes.rows, boxes.width]);
            let message = format!("scores and boxes must be rows of 2 and 4 numbers, the model gave {s:?} and {b:?}");
            return Err(Error::model("shape", message));
        }
        let picture = |(index, place): (usize, &TensorPlace)| {
            let mut sieve = Sieve::new(selection, place, self.sigmoid);
            let (width, height) = (place.tensor.width as f32, place.tensor.height as f32);
            let rows = scores.element(index).chunks_exact(2).zip(boxes.element(index).chunks_exact(4));
            for (at, (score, rect)) in rows.enumerate() {
                let ([_, raw], [x1, y1, x2, y2]) = (score, rect) else { continue };
                if sieve.passes(*raw) {
                    let rect = BoxF::from_corners(x1 * width, y1 * height, x2 * width, y2 * height);
                    sieve.push(rect, sieve.probability(*raw), 0, at);
                }
            }
            let face = |k: crate::infer::tasks::sieve::Kept| Face { rect: k.rect, score: k.score, points: Vec::new() };
            Ok(sieve.finish()?.into_iter().map(face).collect())
        };
        places.iter().enumerate().map(picture).collect()
    }
}
