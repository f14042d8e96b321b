//! What all detectors share: which candidates are kept.

use super::fit::Settings;
use crate::core::{BoxF, Point, TensorPlace, suppress};
use crate::error::{Error, Result};

/// Scores above this are no probabilities but logits. A little over one is rounding of 16-bit floats.
const LARGEST_SCORE: f32 = 1.001;

/// What is kept of the candidates of a picture.
#[derive(Debug, Clone, Copy)]
pub(super) struct Selection<'o> {
    pub(super) score: f32,
    pub(super) nms: f32,
    pub(super) class_agnostic: bool,
    pub(super) max: usize,
    pub(super) classes: Option<&'o [u32]>,
    pub(super) min_size: f32,
}

/// Numbers of the manifest that [`Selection`] is made of.
pub(super) const NUMBERS: &[&str] = &["score", "nms", "max", "min_size", "sigmoid"];

/// Score, overlap, count and least side of the manifest, with the defaults of a decoder for the first two.
pub(super) fn limits(settings: &Settings<'_>, score: f32, nms: f32, max: u32) -> Result<(f32, f32, usize, f32)> {
    Ok((
        settings.number("score", score, 0.0..=1.0)?,
        settings.number("nms", nms, 0.0..=1.0)?,
        settings.whole("max", max, 1..=100_000)? as usize,
        settings.number("min_size", 0.0, 0.0..=65_536.0)?,
    ))
}

impl Selection<'_> {
    /// # Errors
    /// [`Error::Parameter`] for numbers out of range: nothing would pass, without a word.
    pub(super) fn check(&self, op: &'static str) -> Result<()> {
        let wrong = |name, wanted: &str, given: f32| {
            Err(Error::Parameter { op, name, wanted: wanted.to_owned(), given: given.to_string() })
        };
        if !(0.0..=1.0).contains(&self.score) {
            return wrong("score", "0 to 1", self.score);
        }
        if !(0.0..=1.0).contains(&self.nms) {
            return wrong("nms", "0 to 1", self.nms);
        }
        if self.min_size.is_nan() || self.min_size < 0.0 {
            return wrong("min_size", "0 or more", self.min_size);
        }
        Ok(())
    }
}

/// A candidate that was kept, in pixels of the picture.
#[derive(Debug, Clone, Copy)]
pub(super) struct Kept {
    pub(super) rect: BoxF,
    pub(super) score: f32,
    pub(super) class: u32,
    /// What the decoder gave it as a mark, to find its row again.
    pub(super) anchor: usize,
}

/// Collects candidates of one picture, boxes in pixels of the tensor.
///
/// Overlap is measured there: a picture is scaled along its axes, which changes no intersection over union.
#[derive(Debug)]
pub(super) struct Sieve<'a> {
    selection: Selection<'a>,
    place: &'a TensorPlace,
    sigmoid: bool,
    /// The least score as the model gives it: before the sigmoid.
    raw: f32,
    least: (f32, f32),
    boxes: Vec<(BoxF, f32, u32)>,
    anchors: Vec<usize>,
    /// The largest score that was no probability.
    over: f32,
}

impl<'a> Sieve<'a> {
    /// For one picture. With `sigmoid` the model gives logits.
    pub(super) fn new(selection: Selection<'a>, place: &'a TensorPlace, sigmoid: bool) -> Self {
        let score = selection.score;
        let raw = if sigmoid { (score / (1.0 - score)).ln() } else { score };
        let (sx, sy) = place.scale();
        let least = (selection.min_size / sx, selection.min_size / sy);
        Self { selection, place, sigmoid, raw, least, boxes: Vec::new(), anchors: Vec::new(), over: 0.0 }
    }

    /// Whether a score as the model gives it is high enough. Cheap: no sigmoid. What is no number is not.
    pub(super) fn passes(&self, raw: f32) -> bool {
        raw >= self.raw
    }

    /// A score as the model gives it, as probability.
    pub(super) fn probability(&self, raw: f32) -> f32 {
        if self.sigmoid { sigmoid(raw) } else { raw }
    }

    /// The least score asked for.
    pub(super) fn least_score(&self) -> f32 {
        self.selection.score
    }

    /// Whether objects of this class are asked for.
    pub(super) fn wants(&self, class: u32) -> bool {
        self.selection.classes.is_none_or(|c| c.contains(&class))
    }

    /// Takes a candidate when it is asked for. One with numbers that are none or infinite, or without area, goes.
    pub(super) fn push(&mut self, rect: BoxF, score: f32, class: u32, anchor: usize) {
        let finite = [rect.x, rect.y, rect.width, rect.height, score].iter().all(|v| v.is_finite());
        if !finite || score < self.selection.score || !self.wants(class) {
            return;
        }
        if score > LARGEST_SCORE {
            self.over = self.over.max(score);
        }
        let (w, h) = self.least;
        if rect.width > 0.0 && rect.height > 0.0 && rect.width >= w && rect.height >= h {
            self.boxes.push((rect, score.min(1.0), class));
            self.anchors.push(anchor);
        }
    }

    /// Those that are kept, best first, brought back to the picture.
    ///
    /// # Errors
    /// Cause `range` when scores were no probabilities: the head lacks its sigmoid.
    pub(super) fn finish(mut self) -> Result<Vec<Kept>> {
        if self.over > 0.0 {
            return Err(Error::model(
                "range",
                format!("scores up to {} are no probabilities; for logits set the number `sigmoid` to 1", self.over),
            ));
        }
        let classes: Vec<u32> = self.boxes.iter().map(|b| b.2).collect();
        if self.selection.class_agnostic {
            self.boxes.iter_mut().for_each(|b| b.2 = 0);
        }
        let order = suppress(&self.boxes, self.selection.nms);
        let kept = order.into_iter().take(self.selection.max).filter_map(|i| {
            let (rect, score, _) = self.boxes.get(i)?;
            let (class, anchor) = (*classes.get(i)?, *self.anchors.get(i)?);
            Some(Kept { rect: self.place.rect(*rect), score: *score, class, anchor })
        });
        Ok(kept.collect())
    }
}

/// `1 / (1 + exp(-x))`.
pub(super) fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + (-x).exp())
}

/// Index and value of the largest number; the first of equal ones. `None` when there is no number.
pub(super) fn largest(row: &[f32]) -> Option<(usize, f32)> {
    // Eight running maxima that do not wait for each other; what is no number never wins a comparison.
    let mut lanes = [f32::NEG_INFINITY; 8];
    let mut blocks = row.chunks_exact(8);
    for block in &mut blocks {
        for (top, v) in lanes.iter_mut().zip(block) {
            *top = if *v > *top { *v } else { *top };
        }
    }
    let rest = blocks.remainder().iter();
    let top = lanes.iter().chain(rest).fold(f32::NEG_INFINITY, |top, v| if *v > top { *v } else { top });
    row.iter().position(|v| *v == top).map(|i| (i, top))
}

/// Points as `x, y` pairs of numbers, moved and scaled into pixels of the tensor and brought back to the picture.
pub(super) fn points(row: &[f32], place: &TensorPlace, to_tensor: impl Fn(f32, f32) -> Point) -> Vec<Point> {
    row.chunks_exact(2)
        .filter_map(|p| match p {
            [x, y] => Some(place.point(to_tensor(*x, *y))),
            _ => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_number_is_found_among_what_is_none() {
        let mut row = vec![f32::NAN; 19];
        assert_eq!(largest(&row), None);
        assert_eq!(largest(&[]), None);
        row[17] = -3.0;
        assert_eq!(largest(&row), Some((17, -3.0)));
        row[4] = 2.0;
        row[12] = 2.0;
        assert_eq!(largest(&row), Some((4, 2.0)));
        row[9] = f32::INFINITY;
        assert_eq!(largest(&row), Some((9, f32::INFINITY)));
    }
}
