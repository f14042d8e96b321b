//! YuNet (Wu et al. 2023): one anchor a cell, the score is the geometric mean of class and object score.

use crate::core::{BoxF, Face, Point, TensorPlace};
use crate::error::Result;
use crate::infer::tasks::fit::Settings;
use crate::infer::tasks::pyramid::{Level, Part, Pyramid, level_of};
use crate::infer::tasks::sieve::{Kept, Selection, Sieve, points};
use crate::infer::{IoInfo, Outputs};

const PARTS: [Part; 4] = [
    // These two are multiplied, so that it does not matter which is which.
    Part { role: "scores", width: 1 },
    Part { role: "objects", width: 1 },
    Part { role: "boxes", width: 4 },
    Part { role: "points", width: 10 },
];

/// Scores, boxes and points on levels.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct YuNetHead {
    pyramid: Pyramid,
    sigmoid: bool,
}

impl YuNetHead {
    pub(super) fn new(settings: &Settings<'_>, outputs: &[IoInfo], sigmoid: bool) -> Result<Self> {
        Ok(Self { pyramid: Pyramid::new(settings, outputs, &PARTS, 1)?, sigmoid })
    }

    pub(super) fn decode(
        &self,
        outputs: &Outputs,
        places: &[TensorPlace],
        selection: Selection<'_>,
    ) -> Result<Vec<Vec<Face>>> {
        let levels = self.pyramid.levels(outputs, places)?;
        let picture = |(index, place): (usize, &TensorPlace)| {
            let mut sieve = Sieve::new(selection, place, self.sigmoid);
            let least = sieve.least_score() * sieve.least_score();
            for level in &levels {
                let [scores, objects, boxes, _] = level.parts.as_slice() else { continue };
                for (at, (a, b)) in scores.element(index).iter().zip(objects.element(index)).enumerate() {
                    let (a, b) = (sieve.probability(*a), sieve.probability(*b));
                    let product = a * b;
                    // Two negative numbers are no score either.
                    if product.is_nan() || product < least || a < 0.0 {
                        continue;
                    }
                    let (column, line) = level.cell(at);
                    let [dx, dy, w, h] = boxes.row(index, at) else { continue };
                    let s = level.stride;
                    let rect = BoxF::from_center((column + dx) * s, (line + dy) * s, w.exp() * s, h.exp() * s);
                    sieve.push(rect, product.sqrt(), 0, level.first + at);
                }
            }
            let kept = sieve.finish()?;
            Ok(kept.into_iter().filter_map(|k| face(&levels, index, place, &k)).collect())
        };
        places.iter().enumerate().map(picture).collect()
    }
}

fn face(levels: &[Level<'_>], index: usize, place: &TensorPlace, kept: &Kept) -> Option<Face> {
    let (level, at) = level_of(levels, kept.anchor)?;
    let (column, line) = level.cell(at);
    let row = level.parts.get(3)?.row(index, at);
    let s = level.stride;
    let points = points(row, place, |x, y| Point { x: (column + x) * s, y: (line + y) * s });
    Some(Face { rect: kept.rect, score: kept.score, points })
}
