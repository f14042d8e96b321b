//! Detections from files and into them.
//!
//! | format | by extension | what it is |
//! |---|---|---|
//! | [`Format::Mot`] | `.txt`, `.csv` | MOT Challenge: `frame,id,x,y,width,height,score,...`, frames counted from 1 |
//! | [`Format::Coco`] | `.json` | COCO: a list of results, or a data set with images and annotations |
//! | [`Format::Jsonl`] | `.jsonl` | ours: a line of JSON per frame, with its time |
//! | [`Format::Parquet`] | `.parquet` | ours: the table that a run leaves, with times |
//!
//! MOT and COCO know frame numbers and no times: the frame rate is the caller's. Frames that a file passes over are frames without
//! detections.

mod coco;
mod jsonl;
mod mot;
mod parquet;
#[cfg(test)]
mod tests;

pub use jsonl::write_jsonl;
pub use mot::{MotTrack, write_mot};
pub(super) use parquet::read_frames;
pub use parquet::{detection_rows, detections_schema};

use std::path::Path;

use crate::core::{BoxF, Detection};
use crate::error::{Error, Result};

/// Most frames of a file: 23 hours at 24 frames per second.
pub const MAX_FRAMES: u64 = 2_000_000;

/// Most bytes of a COCO file, which is read as a whole.
pub const MAX_COCO_BYTES: u64 = 1 << 30;

/// How detections are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// MOT Challenge text.
    Mot,
    /// COCO JSON.
    Coco,
    /// A line of JSON per frame.
    Jsonl,
    /// A table, a row a detection.
    Parquet,
}

impl Format {
    /// By extension, in any case.
    ///
    /// # Errors
    /// [`Error::InputUnsupported`] for another one.
    pub fn of(path: &Path) -> Result<Self> {
        let extension = path.extension().map(|e| e.to_string_lossy().to_lowercase());
        match extension.as_deref() {
            Some("txt" | "csv") => Ok(Self::Mot),
            Some("json") => Ok(Self::Coco),
            Some("jsonl" | "ndjson") => Ok(Self::Jsonl),
            Some("parquet") => Ok(Self::Parquet),
            _ => Err(Error::InputUnsupported {
                path: path.to_path_buf(),
                what: "this extension for detections".into(),
                hint: Some("use .txt or .csv (MOT), .json (COCO), .jsonl or .parquet".into()),
            }),
        }
    }
}

/// A frame and what was seen in it.
#[derive(Debug, Clone, PartialEq)]
pub struct DetectionFrame {
    /// Number of the frame, from 0.
    pub index: u64,
    /// Time of the frame in seconds.
    pub seconds: f64,
    /// What was seen, in the order of the file.
    pub detections: Vec<Detection>,
}

/// The detections of a file.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Detections {
    /// Frames in order, without a gap from the first of the stream to the last that the file names.
    pub frames: Vec<DetectionFrame>,
    /// Names of the classes; empty where the file has none.
    pub classes: Vec<String>,
    /// Boxes that were left out because they have no area, or because the file says to ignore them.
    pub left_out: u64,
}

impl Detections {
    /// Reads a file; `rate`, frames per second, gives times to formats that have none.
    ///
    /// # Errors
    /// [`Error::InputNotFound`]; [`Error::InputUnsupported`] for another extension; [`Error::InputCorrupt`], which names the line;
    /// [`Error::LimitExceeded`]; [`Error::Parameter`] for a rate that is not above 0.
    pub fn read(path: &Path, rate: f64) -> Result<Self> {
        if !(rate.is_finite() && rate > 0.0) {
            return Err(Error::Parameter {
                op: "track/detections",
                name: "rate",
                wanted: "frames per second above 0".into(),
                given: rate.to_string(),
            });
        }
        let format = Format::of(path)?;
        let failed = |e: std::io::Error| Error::unreadable(path, &e);
        let file = std::fs::File::open(path).map_err(failed)?;
        let bytes = file.metadata().map_err(failed)?.len();
        let reader = std::io::BufReader::new(file);
        match format {
            Format::Mot => mot::read(reader, path, rate),
            Format::Coco if bytes > MAX_COCO_BYTES => Err(Error::LimitExceeded {
                name: "coco_bytes",
                what: "the COCO file in bytes".into(),
                value: bytes,
                limit: MAX_COCO_BYTES,
            }),
            Format::Coco => coco::read(reader, path, rate),
            Format::Jsonl => jsonl::read(reader, path, rate),
            Format::Parquet => Ok(parquet::read_frames(path)?.0),
        }
    }

    /// Number of detections.
    pub fn len(&self) -> usize {
        self.frames.iter().map(|f| f.detections.len()).sum()
    }

    /// Whether there is no detection.
    pub fn is_empty(&self) -> bool {
        self.frames.iter().all(|f| f.detections.is_empty())
    }

    /// The frame of number `index`, made together with those before it.
    fn frame(&mut self, index: u64, rate: f64) -> Result<&mut DetectionFrame> {
        if index >= MAX_FRAMES {
            let what = "the number of a frame".into();
            return Err(Error::LimitExceeded { name: "frames", what, value: index, limit: MAX_FRAMES - 1 });
        }
        while self.frames.len() as u64 <= index {
            let index = self.frames.len() as u64;
            self.frames.push(DetectionFrame { index, seconds: index as f64 / rate, detections: Vec::new() });
        }
        self.frames.get_mut(index as usize).ok_or_else(|| Error::Bug(format!("frame {index} was just made")))
    }

    /// Puts a box into its frame unless it has no area.
    fn put(&mut self, index: u64, rate: f64, [x, y, width, height]: [f64; 4], score: f64, class: u32) -> Result<Put> {
        let Some(detection) = detection([x, y, width, height], score, class) else { return Ok(Put::NotFinite) };
        let frame = self.frame(index, rate)?;
        if detection.rect.width <= 0.0 || detection.rect.height <= 0.0 {
            self.left_out += 1;
        } else {
            frame.detections.push(detection);
        }
        Ok(Put::Done)
    }
}

/// A detection of numbers as files have them; `None` where one is not finite.
fn detection([x, y, width, height]: [f64; 4], score: f64, class: u32) -> Option<Detection> {
    let rect = BoxF { x: x as f32, y: y as f32, width: width as f32, height: height as f32 };
    let finite = [rect.x, rect.y, rect.width, rect.height, score as f32].iter().all(|v| v.is_finite());
    finite.then_some(Detection { rect, score: score as f32, class })
}

/// What became of a box.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Put {
    Done,
    NotFinite,
}

fn corrupt(path: &Path, reason: impl std::fmt::Display) -> Error {
    Error::InputCorrupt { path: path.to_path_buf(), reason: reason.to_string() }
}
