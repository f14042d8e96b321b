//! Class of a picture.
//!
//! Role of the output: `scores`, `[N, C]`. Number of the manifest: `softmax` (1: the output is logits; 0: probabilities already).

use super::classes::ClassNames;
use super::fit::{Dense, Settings, check_task, fixed};
use crate::error::{Error, Result};
use crate::infer::{IoInfo, ModelEntry, Outputs, Task};

/// A class and how likely it is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ClassScore {
    /// Index of the class.
    pub class: u32,
    /// 0..=1.
    pub score: f32,
}

/// Reads classes out of what a network gives.
#[derive(Debug, Clone, PartialEq)]
pub struct Classifier {
    output: String,
    softmax: bool,
    classes: Option<ClassNames>,
}

impl Classifier {
    /// Finds the output with one number a class.
    ///
    /// # Errors
    /// [`crate::Error::Model`] with cause `task`, `output`, `shape`, `input`, `number`, `decoder` or `classes`.
    pub fn new(entry: &ModelEntry, inputs: &[IoInfo], outputs: &[IoInfo]) -> Result<Self> {
        check_task(entry, Task::Classify)?;
        super::fit::picture_size(entry, inputs)?;
        if let Some(other) = entry.decoder.as_deref().filter(|d| !["classify", "softmax"].contains(d)) {
            return Err(Error::model(
                "decoder",
                format!("`{}`: no decoder `{other}`; there are classify, softmax (the same)", entry.name),
            ));
        }
        let settings = Settings::read(entry, Task::Classify, &[&["softmax"]], &["scores"])?;
        let vector = |o: &IoInfo| o.shape.iter().skip(1).filter(|e| fixed(Some(e)) != Some(1)).count() == 1;
        let output = settings.output(outputs, "scores", "[N, C]", vector)?;
        let classes = entry.classes.as_deref().map(ClassNames::read).transpose()?;
        let softmax = settings.flag("softmax", true)?;
        let classifier = Self { output, softmax, classes };
        let axes = outputs.iter().find(|o| o.name == classifier.output).map(|o| o.shape.iter().skip(1));
        if let Some(width) = axes.and_then(|mut a| a.try_fold(1usize, |n, e| n.checked_mul(fixed(Some(e))?))) {
            classifier.check(width)?;
        }
        Ok(classifier)
    }

    fn check(&self, width: usize) -> Result<()> {
        match self.classes.as_ref().map(ClassNames::len) {
            Some(n) if n != width => Err(Error::model(
                "classes",
                format!("the manifest names {n} classes, `{}` has {width} numbers a picture", self.output),
            )),
            _ => Ok(()),
        }
    }

    /// Names of the classes, when the manifest gives them.
    pub fn classes(&self) -> Option<&ClassNames> {
        self.classes.as_ref()
    }

    /// The `count` likeliest classes of each of `batch` pictures, best first, equal ones by index; empty where the model gave numbers that
    /// are none or infinite.
    ///
    /// # Errors
    /// [`crate::Error::Model`] with cause `output`, `shape`, `classes` or `range` (no probabilities, but `softmax` is 0);
    /// [`crate::Error::Parameter`] when no class is asked for.
    pub fn decode(&self, outputs: &Outputs, batch: usize, count: usize) -> Result<Vec<Vec<ClassScore>>> {
        if count == 0 {
            return Err(Error::Parameter {
                op: "classify",
                name: "count",
                wanted: "1 or more".to_owned(),
                given: "0".to_owned(),
            });
        }
        if batch == 0 {
            return Ok(Vec::new());
        }
        let dense = Dense::vectors(&self.output, outputs.get(&self.output)?, batch)?;
        self.check(dense.width)?;
        (0..batch).map(|i| self.picture(dense.element(i), count)).collect()
    }

    fn picture(&self, row: &[f32], count: usize) -> Result<Vec<ClassScore>> {
        if row.iter().any(|v| !v.is_finite()) {
            return Ok(Vec::new());
        }
        let top = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        if !self.softmax && row.iter().any(|v| !(-1e-3..=1.001).contains(v)) {
            let message =
                format!("`{}` has {top} at most: no probabilities; set the number `softmax` to 1", self.output);
            return Err(Error::model("range", message));
        }
        let mut scores: Vec<ClassScore> = if self.softmax {
            let sum: f64 = row.iter().map(|v| f64::from(v - top).exp()).sum();
            let score = |v: &f32| (f64::from(v - top).exp() / sum) as f32;
            (0..).zip(row).map(|(class, v)| ClassScore { class, score: score(v) }).collect()
        } else {
            (0..).zip(row).map(|(class, v)| ClassScore { class, score: v.clamp(0.0, 1.0) }).collect()
        };
        scores.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.class.cmp(&b.class)));
        scores.truncate(count);
        Ok(scores)
    }
}
