//! SCRFD (Guo et al. 2021): distances from the corner of a cell, in units of the stride; several anchors a cell.

use crate::core::{BoxF, Face, Point, TensorPlace};
use crate::error::Result;
use crate::infer::tasks::fit::{Settings, last};
use crate::infer::tasks::pyramid::{Level, Part, Pyramid, level_of};
use crate::infer::tasks::sieve::{Kept, Selection, Sieve, points};
use crate::infer::{IoInfo, Outputs};

const PARTS: [Part; 3] =
    [Part { role: "scores", width: 1 }, Part { role: "boxes", width: 4 }, Part { role: "points", width: 10 }];

/// Scores, boxes and, in some models, points on levels.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct ScrfdHead {
    pyramid: Pyramid,
    sigmoid: bool,
}

impl ScrfdHead {
    pub(super) fn new(settings: &Settings<'_>, outputs: &[IoInfo], sigmoid: bool) -> Result<Self> {
        let pointed =
            outputs.iter().any(|o| last(o) == Some(10)) || settings.roles().any(|(r, _)| r.starts_with("points"));
        let parts = if pointed { &PARTS[..] } else { PARTS.split_last().map_or(&PARTS[..], |(_, rest)| rest) };
        let per_cell = settings.whole("anchors", 2, 1..=16)? as usize;
        Ok(Self { pyramid: Pyramid::new(settings, outputs, parts, per_cell)?, sigmoid })
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
            for level in &levels {
                let [scores, boxes, ..] = level.parts.as_slice() else { continue };
                for (at, raw) in scores.element(index).iter().enumerate() {
                    if !sieve.passes(*raw) {
                        continue;
                    }
                    let [left, top, right, bottom] = boxes.row(index, at) else { continue };
                    let (column, line) = level.cell(at);
                    let s = level.stride;
                    let (x, y) = ((column - left) * s, (line - top) * s);
                    let rect = BoxF { x, y, width: (left + right) * s, height: (top + bottom) * s };
                    sieve.push(rect, sieve.probability(*raw), 0, level.first + at);
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
    let row = level.parts.get(2).map(|p| p.row(index, at)).unwrap_or_default();
    let s = level.stride;
    let points = points(row, place, |x, y| Point { x: (column + x) * s, y: (line + y) * s });
    Some(Face { rect: kept.rect, score: kept.score, points })
}
