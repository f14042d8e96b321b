//! Objects: boxes with class and score.
//!
//! | decoder | outputs | how they are read |
//! |---|---|---|
//! | `yolox` | `predictions` `[N, cells, 5 + C]` | strides 8, 16, 32 (and 64): centre `(xy + cell) * stride`, sides `exp(wh) * stride`, score `object * class` |
//! | `yolov5` | the same, any number of rows | centre and sides in pixels already (YOLOv5, YOLOv7, YOLOX with its decoder) |
//! | `nanodet` | `scores8`, `distances8`, … `[N, cells, C]`, `[N, cells, 4 * bins]` | distances from the middle of the cell to left, top, right, bottom as expectation over bins (Li et al. 2020) |
//! | `nanodet-plus` | `predictions` `[N, cells, C + 4 * bins]`, strides 8 to 64 | the same from the corner of the cell (`center` 0), scores first; `bins` is 8 unless a number says otherwise |
//! | `yolov8` | `predictions` `[N, 4 + C, cells]`, either way round | centre and sides in pixels, no object score |
//! | `end-to-end` | `predictions` `[N, rows, 6]` | x1, y1, x2, y2, score, class |
//! | `detr` | `scores` `[N, queries, C + 1]`, `boxes` `[N, queries, 4]` | softmax, the last class is "no object"; centre and sides in 0..=1 (Carion et al. 2020) |
//! | `detr-sigmoid` | `scores` `[N, queries, C]`, `boxes` | one sigmoid a class (Deformable DETR, RT-DETR) |
//!
//! Numbers of the manifest: `score`, `nms` (intersection over union; 1 suppresses nothing), `max`, `min_size`, `agnostic` (0 or 1),
//! `sigmoid` (1 when scores are logits), and for `nanodet` and `nanodet-plus` `center` (place of a cell's origin in units of the stride) and `bins`.
//! An anchor counts for its best class only; equal scores go to the earlier row.

mod detr;
mod end_to_end;
mod nanodet;
mod yolov8;
mod yolox;

use super::classes::ClassNames;
use super::fit::{Settings, check_task, fixed, last, list, picture_size};
use super::pyramid::cells;
use super::sieve::{NUMBERS, Selection, limits};
use crate::core::{Detection, Size, TensorPlace};
use crate::error::{Error, Result};
use crate::infer::{IoInfo, ModelEntry, Outputs, Task};

/// What is kept of the objects that a model sees.
#[derive(Debug, Clone, PartialEq)]
pub struct DetectOptions {
    /// Least score, 0..=1.
    pub score: f32,
    /// Largest intersection over union of two kept boxes of a class, 0..=1; 1 suppresses nothing.
    pub nms: f32,
    /// Suppress across classes too.
    pub class_agnostic: bool,
    /// At most this many, the best ones.
    pub max: usize,
    /// Only these classes; all when left out. A box is not given to its second best class.
    pub classes: Option<Vec<u32>>,
    /// Least width and height in pixels of the picture.
    pub min_size: f32,
}

impl DetectOptions {
    fn selection(&self) -> Selection<'_> {
        Selection {
            score: self.score,
            nms: self.nms,
            class_agnostic: self.class_agnostic,
            max: self.max,
            classes: self.classes.as_deref(),
            min_size: self.min_size,
        }
    }
}

#[derive(Debug, Clone, PartialEq)]
enum Head {
    Yolox(yolox::YoloxHead),
    Nanodet(nanodet::NanodetHead),
    Yolov8(yolov8::YoloV8Head),
    EndToEnd(end_to_end::EndToEndHead),
    Detr(detr::DetrHead),
}

const DECODERS: [&str; 8] =
    ["yolox", "yolov5", "nanodet", "nanodet-plus", "yolov8", "end-to-end", "detr", "detr-sigmoid"];

/// Reads objects out of what a detector gives.
#[derive(Debug, Clone, PartialEq)]
pub struct Detector {
    decoder: &'static str,
    head: Head,
    options: DetectOptions,
    classes: Option<ClassNames>,
}

impl Detector {
    /// Chooses the decoder that the manifest names, or the one that the outputs fit.
    ///
    /// # Errors
    /// [`crate::Error::Model`] with cause `task`, `decoder` (unknown, or no or several fit), `output`, `shape`, `input`, `number` or
    /// `classes`.
    pub fn new(entry: &ModelEntry, inputs: &[IoInfo], outputs: &[IoInfo]) -> Result<Self> {
        check_task(entry, Task::Detect)?;
        let size = picture_size(entry, inputs)?;
        let classes = entry.classes.as_deref().map(ClassNames::read).transpose()?;
        let count = classes.as_ref().map(ClassNames::len);
        let decoder = match entry.decoder.as_deref() {
            Some(given) => DECODERS.into_iter().find(|d| *d == given).ok_or_else(|| {
                Error::model(
                    "decoder",
                    format!("`{}`: no decoder `{given}`; there are {}", entry.name, DECODERS.join(", ")),
                )
            })?,
            None => guess(entry, size, outputs, count)?,
        };
        let (roles, more): (&[&str], &[&str]) = match decoder {
            "nanodet" => (&["scores#", "distances#"], &["agnostic", "center", "bins"]),
            "nanodet-plus" => (&["predictions"], &["agnostic", "center", "bins"]),
            "detr" | "detr-sigmoid" => (&["scores", "boxes"], &["agnostic"]),
            _ => (&["predictions"], &["agnostic"]),
        };
        let settings = Settings::read(entry, Task::Detect, &[NUMBERS, more], roles)?;
        let sigmoid = settings.flag("sigmoid", false)?;
        let head = match decoder {
            "yolox" | "yolov5" => {
                Head::Yolox(yolox::YoloxHead::new(&settings, outputs, count, decoder == "yolov5", sigmoid)?)
            }
            "nanodet" => Head::Nanodet(nanodet::NanodetHead::new(&settings, outputs, count, sigmoid)?),
            "nanodet-plus" => Head::Nanodet(nanodet::NanodetHead::joint(&settings, outputs, count, sigmoid)?),
            "yolov8" => Head::Yolov8(yolov8::YoloV8Head::new(&settings, outputs, count, sigmoid)?),
            "end-to-end" => Head::EndToEnd(end_to_end::EndToEndHead::new(&settings, outputs, sigmoid)?),
            _ => {
                // The softmax and the sigmoid belong to these two decoders; a second one is a mistake.
                if entry.numbers.contains_key("sigmoid") {
                    let message =
                        format!("`{}`: the decoder says whether there is a sigmoid, not a number", entry.name);
                    return Err(Error::model("number", message));
                }
                Head::Detr(detr::DetrHead::new(&settings, outputs, count, decoder == "detr")?)
            }
        };
        let (score, nms) = match decoder {
            "nanodet" | "nanodet-plus" => (0.3, 0.6),
            "end-to-end" => (0.25, 1.0),
            "detr" | "detr-sigmoid" => (0.5, 1.0),
            _ => (0.25, 0.45),
        };
        let (score, nms, max, min_size) = limits(&settings, score, nms, 300)?;
        let class_agnostic = settings.flag("agnostic", false)?;
        let options = DetectOptions { score, nms, class_agnostic, max, classes: None, min_size };
        Ok(Self { decoder, head, options, classes })
    }

    /// Name of the decoder in use.
    pub fn decoder(&self) -> &'static str {
        self.decoder
    }

    /// What the manifest and the decoder suggest to keep.
    pub fn options(&self) -> &DetectOptions {
        &self.options
    }

    /// Names of the classes, when the manifest gives them.
    pub fn classes(&self) -> Option<&ClassNames> {
        self.classes.as_ref()
    }

    /// Objects of each picture of the batch, best first, in pixels of the picture. A box may reach beyond it.
    ///
    /// Candidates with numbers that are infinite or none are dropped.
    ///
    /// # Errors
    /// [`crate::Error::Model`] with cause `output`, `shape` or `range` (scores that are no probabilities); [`crate::Error::Parameter`]
    /// for options out of range.
    pub fn decode(
        &self,
        outputs: &Outputs,
        places: &[TensorPlace],
        options: &DetectOptions,
    ) -> Result<Vec<Vec<Detection>>> {
        let selection = options.selection();
        selection.check("detect")?;
        if places.is_empty() {
            return Ok(Vec::new());
        }
        let kept = match &self.head {
            Head::Yolox(h) => h.decode(outputs, places, selection),
            Head::Nanodet(h) => h.decode(outputs, places, selection),
            Head::Yolov8(h) => h.decode(outputs, places, selection),
            Head::EndToEnd(h) => h.decode(outputs, places, selection),
            Head::Detr(h) => h.decode(outputs, places, selection),
        }?;
        let detection = |k: super::sieve::Kept| Detection { rect: k.rect, score: k.score, class: k.class };
        Ok(kept.into_iter().map(|picture| picture.into_iter().map(detection).collect()).collect())
    }
}

/// The decoder that the outputs fit.
fn guess(entry: &ModelEntry, size: Option<Size>, outputs: &[IoInfo], classes: Option<usize>) -> Result<&'static str> {
    let anchors = size.map(|s| [cells(s, &[8, 16, 32]), cells(s, &[8, 16, 32, 64])]);
    let rank3: Vec<&IoInfo> = outputs.iter().filter(|o| o.shape.len() == 3).collect();
    let is_cells = |n: usize| anchors.is_some_and(|a| a.contains(&n));
    let fitting = match rank3.as_slice() {
        [one] => match (fixed(one.shape.get(1)), last(one)) {
            (Some(rows), Some(width)) if is_cells(rows) && classes.is_some_and(|c| width == c + 32) => {
                Some("nanodet-plus")
            }
            (Some(rows), Some(width)) if is_cells(rows) && width > 5 && !is_cells(width) => Some("yolox"),
            (_, Some(6)) => Some("end-to-end"),
            (Some(width), Some(columns)) if is_cells(columns) && width > 4 => Some("yolov8"),
            (Some(rows), Some(width)) if width > 5 && rows.is_multiple_of(3) && is_cells(rows / 3) => Some("yolov5"),
            _ => None,
        },
        [a, b] if a.shape.get(1) == b.shape.get(1) => match (last(a), last(b), classes) {
            (Some(4), Some(n), Some(c)) | (Some(n), Some(4), Some(c)) if n == c + 1 => Some("detr"),
            (Some(4), Some(n), Some(c)) | (Some(n), Some(4), Some(c)) if n == c => Some("detr-sigmoid"),
            _ => None,
        },
        many => {
            let of = |fits: &dyn Fn(usize) -> bool| many.iter().filter(|o| last(o).is_some_and(fits)).count();
            let scores = of(&|w| Some(w) == classes);
            let distances = of(&|w| Some(w) != classes && w.is_multiple_of(4));
            (scores >= 2 && scores == distances).then_some("nanodet")
        }
    };
    fitting.ok_or_else(|| {
        Error::model(
            "decoder",
            format!(
                "`{}`: the outputs do not say which decoder reads them ({}); set `decoder` to one of {}, and `classes`",
                entry.name,
                list(outputs),
                DECODERS.join(", ")
            ),
        )
    })
}

/// # Errors
/// Cause `classes` when a head has not as many classes as there are names.
fn check_classes(model: &str, names: Option<usize>, head: usize) -> Result<()> {
    match names {
        Some(n) if n != head => {
            Err(Error::model("classes", format!("`{model}`: the manifest names {n} classes, the model has {head}")))
        }
        _ => Ok(()),
    }
}
