//! Detections as a table: what a run keeps of a video, to be tracked again without its pictures.

use std::path::Path;

use super::{Detections, Put, corrupt};
use crate::error::{Error, Result};
use crate::report::{Cell, ColumnType, Schema, Table, read_parquet};

/// Most rows of a table.
const MAX_ROWS: u64 = 100_000_000;

/// A row a detection; a row without a box for a frame without detections, so that its time is kept.
pub fn detections_schema() -> Schema {
    use ColumnType::{Bool, F64, Str, U64};
    Schema::new("track.detections", 1)
        .column("frame", U64, "", "Number of the frame, from 0.")
        .column("seconds", F64, "s", "Time of the frame on the clock of the video.")
        .column("looked", Bool, "", "Whether the detector looked at this frame.")
        .column("x", F64, "px", "Left edge of the box in the picture as it is shown.")
        .column("y", F64, "px", "Top edge.")
        .column("width", F64, "px", "Width.")
        .column("height", F64, "px", "Height.")
        .column("score", F64, "1", "Score, 0 to 1.")
        .column("class", U64, "", "Number of the class.")
        .column("class_name", Str, "", "Name of the class, where it has one.")
}

/// The rows of one frame.
pub fn detection_rows<'a>(
    frame: &'a super::DetectionFrame,
    looked: bool,
    classes: &'a [String],
) -> impl Iterator<Item = [Cell; 10]> + 'a {
    let head = move || [Cell::from(frame.index), frame.seconds.into(), looked.into()];
    let empty = frame.detections.is_empty().then(move || {
        let [a, b, c] = head();
        [a, b, c, Cell::Null, Cell::Null, Cell::Null, Cell::Null, Cell::Null, Cell::Null, Cell::Null]
    });
    let boxed = frame.detections.iter().map(move |d| {
        let [a, b, c] = head();
        let name = classes.get(d.class as usize).filter(|n| !n.is_empty());
        let r = &d.rect;
        [a, b, c, r.x.into(), r.y.into(), r.width.into(), r.height.into(), d.score.into(), d.class.into(), name.into()]
    });
    empty.into_iter().chain(boxed)
}

/// Detections, and for each frame whether the detector looked at it.
pub(crate) fn read_frames(path: &Path) -> Result<(Detections, Vec<bool>)> {
    let table = read_parquet(path, &detections_schema(), MAX_ROWS)?;
    let mut out = Detections::default();
    let mut looked: Vec<bool> = Vec::new();
    let mut before: Option<(u64, f64)> = None;
    for row in 0..table.rows() {
        let wrong = |what: &str| corrupt(path, format!("row {row}: {what}"));
        let (Some(frame), Some(seconds)) = (whole(&table, row, 0), float(&table, row, 1)) else {
            return Err(wrong("a frame without number or time"));
        };
        let next = before.is_none_or(|(f, _)| f != frame);
        if before.is_some_and(|(f, t)| frame < f || seconds < t) {
            return Err(wrong("frames must come in order, and time must not run backwards"));
        }
        before = Some((frame, seconds));
        if next {
            out.push_frame(frame, seconds)?;
            looked.push(table.cell(row, 2) == Cell::Bool(true));
        }
        let numbers: Vec<f64> = (3..8).filter_map(|c| float(&table, row, c)).collect();
        match (numbers.as_slice(), whole(&table, row, 8)) {
            ([], None) => {}
            ([x, y, w, h, score], Some(class)) => {
                let class = u32::try_from(class).map_err(|_| wrong("too large a class"))?;
                if out.put_last([*x, *y, *w, *h], *score, class) == Put::NotFinite {
                    return Err(wrong("boxes and scores must be finite"));
                }
                if let Cell::Str(name) = table.cell(row, 9) {
                    // Names fill up by and by: those of classes that were never seen are not in a table.
                    if class < 10_000 && out.classes.len() <= class as usize {
                        out.classes.resize(class as usize + 1, String::new());
                    }
                    if let Some(place) = out.classes.get_mut(class as usize) {
                        *place = name;
                    }
                }
            }
            _ => return Err(wrong("half a box")),
        }
    }
    Ok((out, looked))
}

fn float(table: &Table, row: usize, column: usize) -> Option<f64> {
    match table.cell(row, column) {
        Cell::F64(v) => Some(v),
        _ => None,
    }
}

fn whole(table: &Table, row: usize, column: usize) -> Option<u64> {
    match table.cell(row, column) {
        Cell::U64(v) => Some(v),
        _ => None,
    }
}

impl Detections {
    /// Adds a frame of its own number; numbers may leave gaps.
    fn push_frame(&mut self, index: u64, seconds: f64) -> Result<()> {
        if self.frames.len() as u64 >= super::MAX_FRAMES * 5 {
            let what = "the number of frames".into();
            let limit = super::MAX_FRAMES * 5;
            return Err(Error::LimitExceeded { name: "frames", what, value: limit + 1, limit });
        }
        self.frames.push(super::DetectionFrame { index, seconds, detections: Vec::new() });
        Ok(())
    }

    /// Puts a box into the last frame unless it has no area.
    fn put_last(&mut self, rect: [f64; 4], score: f64, class: u32) -> Put {
        let Some(detection) = super::detection(rect, score, class) else { return Put::NotFinite };
        if detection.rect.width <= 0.0 || detection.rect.height <= 0.0 {
            self.left_out += 1;
        } else if let Some(frame) = self.frames.last_mut() {
            frame.detections.push(detection);
        }
        Put::Done
    }
}
