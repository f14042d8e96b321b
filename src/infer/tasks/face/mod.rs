//! Faces: boxes with score and key points.
//!
//! | decoder | outputs | key points |
//! |---|---|---|
//! | `yunet` | `scores8`, `objects8`, `boxes8`, `points8`, … `[N, cells, 1 / 1 / 4 / 10]` at strides 8, 16, 32 | 5: eyes, nose, corners of the mouth |
//! | `scrfd` | `scores8`, `boxes8`, `points8`, … `[N, 2 * cells, 1 / 4 / 10]`; the points may be missing | 5, the same |
//! | `ultraface` | `scores` `[N, rows, 2]`, `boxes` `[N, rows, 4]` in 0..=1 | none |
//! | `blazeface` | `scores` `[N, anchors, 1]` logits, `boxes` `[N, anchors, 4 + 2 * points]` | 6: eyes, nose, mouth, ears |
//!
//! The eye and the corner of the mouth that a picture shows on the left come first: the right ones of a person. Numbers of the manifest:
//! `score`, `nms`, `max`, `min_size`, `sigmoid` (whether scores are logits; 1 for `blazeface` unless said otherwise), and for `scrfd`
//! `anchors` (rows of a cell, 2).

mod blazeface;
mod scrfd;
mod ultraface;
mod yunet;

use super::fit::{Settings, check_task, last, list};
use super::sieve::{NUMBERS, Selection, limits};
use crate::core::{Face, TensorPlace};
use crate::error::{Error, Result};
use crate::infer::{IoInfo, ModelEntry, Outputs, Task};

/// What is kept of the faces that a model sees.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FaceOptions {
    /// Least score, 0..=1.
    pub score: f32,
    /// Largest intersection over union of two kept boxes, 0..=1; 1 suppresses nothing.
    pub nms: f32,
    /// At most this many, the best ones.
    pub max: usize,
    /// Least width and height in pixels of the picture.
    pub min_size: f32,
}

#[derive(Debug, Clone, PartialEq)]
enum Head {
    YuNet(yunet::YuNetHead),
    Scrfd(scrfd::ScrfdHead),
    UltraFace(ultraface::UltraFaceHead),
    BlazeFace(blazeface::BlazeFaceHead),
}

const DECODERS: [&str; 4] = ["yunet", "scrfd", "ultraface", "blazeface"];

/// Reads faces out of what a detector gives.
#[derive(Debug, Clone, PartialEq)]
pub struct FaceDetector {
    decoder: &'static str,
    head: Head,
    options: FaceOptions,
}

impl FaceDetector {
    /// Chooses the decoder that the manifest names, or the one that the outputs fit.
    ///
    /// # Errors
    /// [`crate::Error::Model`] with cause `task`, `decoder` (unknown, or none fits), `output`, `shape`, `input` or `number`.
    pub fn new(entry: &ModelEntry, inputs: &[IoInfo], outputs: &[IoInfo]) -> Result<Self> {
        check_task(entry, Task::Face)?;
        super::fit::picture_size(entry, inputs)?;
        let decoder = match entry.decoder.as_deref() {
            Some(given) => DECODERS.into_iter().find(|d| *d == given).ok_or_else(|| {
                Error::model(
                    "decoder",
                    format!("`{}`: no decoder `{given}`; there are {}", entry.name, DECODERS.join(", ")),
                )
            })?,
            None => guess(entry, outputs)?,
        };
        let (roles, more): (&[&str], &[&str]) = match decoder {
            "yunet" => (&["scores#", "objects#", "boxes#", "points#"], &[]),
            "scrfd" => (&["scores#", "boxes#", "points#"], &["anchors"]),
            _ => (&["scores", "boxes"], &[]),
        };
        let settings = Settings::read(entry, Task::Face, &[NUMBERS, more], roles)?;
        let sigmoid = settings.flag("sigmoid", decoder == "blazeface")?;
        let (head, score, nms) = match decoder {
            "yunet" => (Head::YuNet(yunet::YuNetHead::new(&settings, outputs, sigmoid)?), 0.6, 0.3),
            "scrfd" => (Head::Scrfd(scrfd::ScrfdHead::new(&settings, outputs, sigmoid)?), 0.5, 0.4),
            "ultraface" => (Head::UltraFace(ultraface::UltraFaceHead::new(&settings, outputs, sigmoid)?), 0.7, 0.3),
            _ => (Head::BlazeFace(blazeface::BlazeFaceHead::new(&settings, outputs, sigmoid)?), 0.5, 0.3),
        };
        let (score, nms, max, min_size) = limits(&settings, score, nms, 200)?;
        Ok(Self { decoder, head, options: FaceOptions { score, nms, max, min_size } })
    }

    /// Name of the decoder in use.
    pub fn decoder(&self) -> &'static str {
        self.decoder
    }

    /// What the manifest and the decoder suggest to keep.
    pub fn options(&self) -> &FaceOptions {
        &self.options
    }

    /// Faces of each picture of the batch, best first, in pixels of the picture. A box may reach beyond it.
    ///
    /// Candidates with numbers that are infinite or none are dropped.
    ///
    /// # Errors
    /// [`crate::Error::Model`] with cause `output`, `shape` or `range` (scores that are no probabilities); [`crate::Error::Parameter`]
    /// for options out of range.
    pub fn decode(&self, outputs: &Outputs, places: &[TensorPlace], options: &FaceOptions) -> Result<Vec<Vec<Face>>> {
        let FaceOptions { score, nms, max, min_size } = *options;
        let selection = Selection { score, nms, class_agnostic: false, max, classes: None, min_size };
        selection.check("face")?;
        if places.is_empty() {
            return Ok(Vec::new());
        }
        let mut faces = match &self.head {
            Head::YuNet(h) => h.decode(outputs, places, selection),
            Head::Scrfd(h) => h.decode(outputs, places, selection),
            Head::UltraFace(h) => h.decode(outputs, places, selection),
            Head::BlazeFace(h) => h.decode(outputs, places, selection),
        }?;
        for picture in &mut faces {
            picture.retain(|f| f.points.iter().all(|p| p.x.is_finite() && p.y.is_finite()));
        }
        Ok(faces)
    }
}

/// The decoder that the outputs fit, by how many have which width.
fn guess(entry: &ModelEntry, outputs: &[IoInfo]) -> Result<&'static str> {
    let of = |width: usize| outputs.iter().filter(|o| last(o) == Some(width)).count();
    let wide = outputs.iter().filter_map(last).filter(|w| *w > 4 && w % 2 == 0).count();
    let (ones, fours, tens) = (of(1), of(4), of(10));
    if fours >= 2 && fours == tens && ones == 2 * fours {
        return Ok("yunet");
    }
    if fours >= 2 && fours == ones && (tens == fours || tens == 0) {
        return Ok("scrfd");
    }
    if fours == 1 && of(2) == 1 {
        return Ok("ultraface");
    }
    if ones == 1 && wide == 1 && outputs.len() == 2 {
        return Ok("blazeface");
    }
    Err(Error::model(
        "decoder",
        format!(
            "`{}`: the outputs do not say which decoder reads them ({}); set `decoder` to one of {}",
            entry.name,
            list(outputs),
            DECODERS.join(", ")
        ),
    ))
}
