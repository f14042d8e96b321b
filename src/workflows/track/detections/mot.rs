//! The text format of the MOT Challenge.

use std::io::{self, BufRead, Write};
use std::path::Path;

use super::{Detections, Put, corrupt};
use crate::core::BoxF;
use crate::error::Result;

/// Reads `frame,id,x,y,width,height[,score[,class[,visibility]]]`, separated by commas or blanks; other columns are passed over. In the
/// nine columns of ground truth a score of 0 means that a box is to be ignored. Class -1, as in results, is class 0; others are kept.
pub(super) fn read(reader: impl BufRead, path: &Path, rate: f64) -> Result<Detections> {
    let mut out = Detections::default();
    for (number, line) in (1u64..).zip(reader.lines()) {
        let line = line.map_err(|e| corrupt(path, format!("line {number}: {e}")))?;
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let wrong = |what: &str| corrupt(path, format!("line {number}: {what}: {}", line.escape_debug()));
        let parse = |text: &str| text.parse::<f64>().map_err(|_| wrong("this is no number"));
        let separators = |c: char| c == ',' || c.is_whitespace();
        let fields: Vec<&str> = line.split(separators).filter(|f| !f.is_empty()).collect();
        let [frame, _, x, y, width, height, rest @ ..] = fields.as_slice() else {
            return Err(wrong("6 numbers or more are wanted: frame, id, x, y, width, height"));
        };
        let frame = parse(frame)?;
        if frame < 1.0 || frame.fract() != 0.0 {
            return Err(wrong("frames are counted from 1"));
        }
        let rect = [parse(x)?, parse(y)?, parse(width)?, parse(height)?];
        let score = rest.first().map_or(Ok(1.0), |s| parse(s))?;
        let class = rest.get(1).map_or(Ok(-1.0), |c| parse(c))?;
        let class = if class == -1.0 { 0.0 } else { class };
        if !(0.0..=f64::from(u32::MAX)).contains(&class) || class.fract() != 0.0 {
            return Err(wrong("the class must be -1 or a whole number from 0"));
        }
        let index = frame as u64 - 1;
        if rest.len() == 3 && score == 0.0 {
            out.frame(index, rate)?;
            out.left_out += 1;
        } else if out.put(index, rate, rect, score, class as u32)? == Put::NotFinite {
            return Err(wrong("boxes and scores must be finite"));
        }
    }
    Ok(out)
}

/// A line of a tracking result.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MotTrack {
    /// Number of the frame, from 0.
    pub frame: u64,
    /// Number of the track.
    pub id: u64,
    /// Box in pixels.
    pub rect: BoxF,
    /// Score of the detection.
    pub score: f32,
    /// Class of the track.
    pub class: u32,
}

/// Writes tracks as `frame,id,x,y,width,height,score,class,-1,-1`, frames from 1, numbers so that they read back the same.
///
/// # Errors
/// Those of `to`.
pub fn write_mot(to: &mut dyn Write, tracks: &[MotTrack]) -> io::Result<()> {
    for t in tracks {
        let BoxF { x, y, width, height } = t.rect;
        writeln!(to, "{},{},{x},{y},{width},{height},{},{},-1,-1", t.frame.saturating_add(1), t.id, t.score, t.class)?;
    }
    Ok(())
}
