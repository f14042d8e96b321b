//! BlazeFace (Bazarevsky et al. 2019): fixed anchors without size, offsets in pixels of the tensor.
//!
//! Plain suppression: the published pipeline averages overlapping boxes instead, which moves a box by a few pixels.

use crate::core::{BoxF, Face, Point, Size, TensorPlace};
use crate::error::{Error, Result};
use crate::infer::tasks::fit::{Dense, Settings, last, tensor_size};
use crate::infer::tasks::pyramid::grid;
use crate::infer::tasks::sieve::{Kept, Selection, Sieve, points};
use crate::infer::{IoInfo, Outputs};

/// Stride and anchors of a cell, level by level, of the published models: short range (128), back camera (256), full range (192).
const LAYOUTS: [&[(u32, usize)]; 3] = [&[(8, 2), (16, 6)], &[(16, 2), (32, 6)], &[(4, 1)]];

/// One logit and one row of offsets an anchor.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct BlazeFaceHead {
    scores: String,
    boxes: String,
    sigmoid: bool,
}

impl BlazeFaceHead {
    pub(super) fn new(settings: &Settings<'_>, outputs: &[IoInfo], sigmoid: bool) -> Result<Self> {
        let scores = settings.output(outputs, "scores", "[N, anchors, 1]", |o| last(o) == Some(1))?;
        let wide = |o: &IoInfo| last(o).is_some_and(|w| w >= 4 && w % 2 == 0);
        let boxes = settings.output(outputs, "boxes", "[N, anchors, 4 + 2 * points]", wide)?;
        Ok(Self { scores, boxes, sigmoid })
    }

    pub(super) fn decode(
        &self,
        outputs: &Outputs,
        places: &[TensorPlace],
        selection: Selection<'_>,
    ) -> Result<Vec<Vec<Face>>> {
        let Some(size) = tensor_size(places)? else { return Ok(Vec::new()) };
        let tensor = outputs.get(&self.scores)?;
        let scores = Dense::rows(&self.scores, tensor, places.len())?;
        let boxes = Dense::rows(&self.boxes, outputs.get(&self.boxes)?, places.len())?;
        let layout = LAYOUTS.into_iter().find(|l| anchors(size, l) == scores.rows).ok_or_else(|| {
            let known: Vec<usize> = LAYOUTS.iter().map(|l| anchors(size, l)).collect();
            let given = &tensor.shape;
            Error::model(
                "shape",
                format!("a tensor of {size} has {known:?} anchors by known models; the model gave {given:?}"),
            )
        })?;
        if scores.width != 1 || boxes.width < 4 || boxes.rows != scores.rows {
            let message = format!(
                "boxes must be [{}, 4 + 2 * points], the model gave {:?}",
                scores.rows,
                [boxes.rows, boxes.width]
            );
            return Err(Error::model("shape", message));
        }
        let centers: Vec<Point> = layout.iter().flat_map(|(stride, count)| level(size, *stride, *count)).collect();
        let picture = |(index, place): (usize, &TensorPlace)| {
            let mut sieve = Sieve::new(selection, place, self.sigmoid);
            for (at, (raw, center)) in scores.element(index).iter().zip(&centers).enumerate() {
                if !sieve.passes(*raw) {
                    continue;
                }
                let [x, y, w, h, ..] = boxes.row(index, at) else { continue };
                let rect = BoxF::from_center(center.x + x, center.y + y, *w, *h);
                sieve.push(rect, sieve.probability(*raw), 0, at);
            }
            let face = |k: Kept| {
                let center = centers.get(k.anchor)?;
                let offsets = boxes.row(index, k.anchor).get(4..)?;
                let points = points(offsets, place, |x, y| Point { x: center.x + x, y: center.y + y });
                Some(Face { rect: k.rect, score: k.score, points })
            };
            Ok(sieve.finish()?.into_iter().filter_map(face).collect())
        };
        places.iter().enumerate().map(picture).collect()
    }
}

fn anchors(size: Size, layout: &[(u32, usize)]) -> usize {
    layout.iter().map(|(stride, count)| (grid(size, *stride), count)).map(|((w, h), count)| w * h * count).sum()
}

/// Middles of the cells of a level, each as often as it has anchors.
fn level(size: Size, stride: u32, count: usize) -> impl Iterator<Item = Point> {
    let (columns, lines) = grid(size, stride);
    // In shares of the tensor, as the models were trained: the last cell of a side that is no multiple of the stride is narrower.
    let (width, height) = (size.width as f32 / columns.max(1) as f32, size.height as f32 / lines.max(1) as f32);
    (0..lines).flat_map(move |y| {
        (0..columns).flat_map(move |x| {
            let center = Point { x: (x as f32 + 0.5) * width, y: (y as f32 + 0.5) * height };
            std::iter::repeat_n(center, count)
        })
    })
}
