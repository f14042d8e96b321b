//! What was found so far, kept by and by: a run that was stopped goes on behind it.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::core::{BoxF, Point};
use crate::error::{Result, StateError};
use crate::store::{Journal, OsIo, Record, RunKey};

const FRAMES: u32 = 1;
const FRAMES_END: u32 = 2;
const LOOKS: u32 = 3;
const THUMB: u32 = 4;
const LOOKED: u32 = 5;
const VECTOR: u32 = 6;

/// Bytes of a record, at most; the journal takes a mebibyte.
const RECORD: usize = 700 << 10;
/// Parts of a pixel in which faces are kept, and of 1 for scores.
const PIXEL_PARTS: f32 = 64.0;
const SCORE_PARTS: f32 = 1000.0;
/// Parts of the side of a face in which its key points are kept.
const POINT_PARTS: f32 = 1000.0;

/// A frame as it is kept: integers, so that what is read back is what was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct FrameFacts {
    /// Start and length in microseconds on the container's clock.
    pub(super) t: i64,
    pub(super) d: i64,
    /// Content score against the frame before, in thousandths.
    pub(super) c: Option<u32>,
    /// Faces, best first: left, top, width, height in parts of a pixel, score in thousandths.
    pub(super) f: Vec<[i32; 5]>,
    /// Five key points of each face, across and down, in parts of its sides; none where they are not needed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) p: Vec<[i16; 10]>,
}

impl FrameFacts {
    /// A face as it is kept.
    pub(super) fn keep(face: &BoxF, score: f32) -> [i32; 5] {
        let part = |v: f32| (v * PIXEL_PARTS).round() as i32;
        [part(face.x), part(face.y), part(face.width), part(face.height), (score * SCORE_PARTS).round() as i32]
    }

    /// Key points as they are kept; `None` unless there are five.
    pub(super) fn keep_points(face: &BoxF, points: &[Point]) -> Option<[i16; 10]> {
        let part = |v: f32, from: f32, side: f32| ((v - from) / side.max(1.0) * POINT_PARTS).round() as i16;
        let mut all = points.iter().flat_map(|p| [part(p.x, face.x, face.width), part(p.y, face.y, face.height)]);
        (points.len() == 5).then(|| std::array::from_fn(|_| all.next().unwrap_or(0)))
    }

    /// Key points of the face at a position, whose box is `face`.
    pub(super) fn points(&self, at: usize, face: &BoxF) -> Option<Vec<Point>> {
        let pairs = self.p.get(at)?.as_chunks::<2>().0;
        let whole = |v: i16, from: f32, side: f32| from + f32::from(v) / POINT_PARTS * side.max(1.0);
        Some(
            pairs
                .iter()
                .map(|[x, y]| Point { x: whole(*x, face.x, face.width), y: whole(*y, face.y, face.height) })
                .collect(),
        )
    }

    /// The boxes of the faces.
    pub(super) fn faces(&self) -> Vec<BoxF> {
        let part = |v: i32| v as f32 / PIXEL_PARTS;
        self.f
            .iter()
            .map(|[x, y, w, h, _]| BoxF { x: part(*x), y: part(*y), width: part(*w), height: part(*h) })
            .collect()
    }
}

/// How the first pass ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct FramesEnd {
    /// Why the video is not whole.
    pub(super) reasons: Vec<String>,
    /// Assumptions of the decoder.
    pub(super) notes: Vec<String>,
}

/// What an estimator saw of a face: as many numbers as it wants.
#[derive(Debug, Clone, PartialEq)]
pub struct Look {
    /// Position of the track.
    pub track: u32,
    /// Time in microseconds on the container's clock.
    pub micros: i64,
    /// What it is, is the estimator's own matter.
    pub values: Vec<f32>,
}

impl Look {
    /// Time in seconds on the container's clock.
    pub fn seconds(&self) -> f64 {
        self.micros as f64 / 1e6
    }
}

/// Looks and pictures of a stretch of the second pass.
#[derive(Debug, Default)]
pub(super) struct LookGroup {
    pub(super) looks: Vec<Look>,
    /// JPEGs by position of the track.
    pub(super) thumbs: Vec<(u32, Vec<u8>)>,
    /// Vectors of faces by position of the track.
    pub(super) vectors: Vec<(u32, Vec<f32>)>,
}

/// All that both passes found.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) frames: Vec<FrameFacts>,
    pub(super) end: Option<FramesEnd>,
    pub(super) looks: Vec<Look>,
    pub(super) thumbs: Vec<(u32, Vec<u8>)>,
    pub(super) vectors: Vec<(u32, Vec<f32>)>,
    /// First frame that the second pass has not looked at.
    pub(super) looked: u64,
}

/// The journal of both passes.
#[derive(Debug)]
pub(super) struct SyncLog {
    journal: Journal,
    pub(super) found: Found,
}

impl SyncLog {
    /// Opens or creates the journal at `path`.
    pub(super) fn open(path: &Path, key: &RunKey) -> Result<Self> {
        let (journal, recovered) = Journal::open(&OsIo, path, key)?;
        let corrupt = |what: &str| StateError::Corrupt { path: path.into(), reason: format!("a record of {what}") };
        let (mut found, mut waiting) = (Found::default(), LookGroup::default());
        for record in &recovered.records {
            match record.kind {
                FRAMES => found.frames.extend(record.parse::<Vec<FrameFacts>>().ok_or_else(|| corrupt("frames"))?),
                FRAMES_END => found.end = Some(record.parse().ok_or_else(|| corrupt("the end"))?),
                LOOKS => waiting.looks.extend(unpack(&record.payload).ok_or_else(|| corrupt("looks"))?),
                THUMB => {
                    let (at, jpeg) = record.payload.split_first_chunk::<4>().ok_or_else(|| corrupt("pictures"))?;
                    waiting.thumbs.push((u32::from_le_bytes(*at), jpeg.to_vec()));
                }
                VECTOR => {
                    let (at, values) = record.payload.split_first_chunk::<4>().ok_or_else(|| corrupt("vectors"))?;
                    let values = values.as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b)).collect();
                    waiting.vectors.push((u32::from_le_bytes(*at), values));
                }
                LOOKED => {
                    found.looked = record.parse().ok_or_else(|| corrupt("progress"))?;
                    let group = std::mem::take(&mut waiting);
                    found.looks.extend(group.looks);
                    found.thumbs.extend(group.thumbs);
                    found.vectors.extend(group.vectors);
                }
                _ => return Err(corrupt("an unknown kind").into()),
            }
        }
        let nothing = waiting.looks.is_empty() && waiting.thumbs.is_empty() && waiting.vectors.is_empty();
        let journal = if nothing {
            journal
        } else {
            // What is torn would be taken for a part of the next group.
            let whole = |r: &Record| !matches!(r.kind, LOOKS | THUMB | VECTOR);
            let last = recovered.records.iter().rposition(whole).map_or(0, |at| at + 1);
            journal.rewrite(&OsIo, key, recovered.records.get(..last).unwrap_or_default())?
        };
        Ok(Self { journal, found })
    }

    /// Adds frames of the first pass.
    pub(super) fn add_frames(&mut self, frames: Vec<FrameFacts>) -> Result<()> {
        let bytes = |f: &FrameFacts| 64 + 32 * f.f.len();
        let mut records = Vec::new();
        let mut from = 0;
        while from < frames.len() {
            let rest = frames.get(from..).unwrap_or_default();
            let mut sum = 0;
            let fits = rest.iter().take_while(|f| {
                sum += bytes(f);
                sum <= RECORD
            });
            let count = fits.count().max(1);
            records.push(Record::json(FRAMES, &rest.get(..count).unwrap_or_default())?);
            from += count;
        }
        self.journal.append_all(&records)?;
        self.found.frames.extend(frames);
        Ok(())
    }

    /// Says that the first pass is done.
    pub(super) fn end_frames(&mut self, end: FramesEnd) -> Result<()> {
        self.journal.append(&Record::json(FRAMES_END, &end)?)?;
        self.found.end = Some(end);
        Ok(())
    }

    /// Adds what the second pass saw in the frames before `next`.
    pub(super) fn add_looks(&mut self, group: LookGroup, next: u64) -> Result<()> {
        let mut records = Vec::new();
        let mut payload = Vec::new();
        for look in &group.looks {
            pack(look, &mut payload);
            if payload.len() > RECORD {
                records.push(Record { kind: LOOKS, payload: std::mem::take(&mut payload) });
            }
        }
        if !payload.is_empty() {
            records.push(Record { kind: LOOKS, payload });
        }
        for (track, jpeg) in &group.thumbs {
            let payload = track.to_le_bytes().iter().chain(jpeg).copied().collect();
            records.push(Record { kind: THUMB, payload });
        }
        for (track, vector) in &group.vectors {
            let payload = track.to_le_bytes().into_iter().chain(vector.iter().flat_map(|v| v.to_le_bytes())).collect();
            records.push(Record { kind: VECTOR, payload });
        }
        records.push(Record::json(LOOKED, &next)?);
        self.journal.append_all(&records)?;
        self.found.looks.extend(group.looks);
        self.found.thumbs.extend(group.thumbs);
        self.found.vectors.extend(group.vectors);
        self.found.looked = next;
        Ok(())
    }
}

/// Track, time, number of values, values; all little-endian.
fn pack(look: &Look, to: &mut Vec<u8>) {
    to.extend(look.track.to_le_bytes());
    to.extend(look.micros.to_le_bytes());
    to.extend((look.values.len() as u32).to_le_bytes());
    to.extend(look.values.iter().flat_map(|v| v.to_le_bytes()));
}

fn unpack(mut from: &[u8]) -> Option<Vec<Look>> {
    let mut looks = Vec::new();
    while !from.is_empty() {
        let (track, rest) = from.split_first_chunk::<4>()?;
        let (micros, rest) = rest.split_first_chunk::<8>()?;
        let (count, rest) = rest.split_first_chunk::<4>()?;
        let bytes = (u32::from_le_bytes(*count) as usize).checked_mul(4)?;
        let values = rest.get(..bytes)?.as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b)).collect();
        looks.push(Look { track: u32::from_le_bytes(*track), micros: i64::from_le_bytes(*micros), values });
        from = rest.get(bytes..)?;
    }
    Some(looks)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(track: u32, micros: i64, values: &[f32]) -> Look {
        Look { track, micros, values: values.to_vec() }
    }

    #[test]
    fn what_was_found_comes_back_and_what_is_torn_does_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("found");
        let key = RunKey::builder().field("x", 1).finish().unwrap();
        let face = BoxF { x: -3.25, y: 10.5, width: 64.015_625, height: 80.0 };
        let frame = FrameFacts {
            t: 40_000,
            d: 40_000,
            c: Some(1234),
            f: vec![FrameFacts::keep(&face, 0.987)],
            p: vec![[7; 10]],
        };
        assert_eq!(frame.faces(), [face]);
        let mut log = SyncLog::open(&path, &key).unwrap();
        log.add_frames(vec![frame.clone(); 20_000]).unwrap();
        log.end_frames(FramesEnd { reasons: vec!["a".into()], notes: vec![] }).unwrap();
        let looks = vec![look(3, -7, &[1.5, f32::MIN_POSITIVE, -0.1]), look(0, 9, &[])];
        let vectors = vec![(1, vec![0.25, -4.0])];
        let group = LookGroup { looks: looks.clone(), thumbs: vec![(2, vec![1, 2, 3])], vectors: vectors.clone() };
        log.add_looks(group, 77).unwrap();
        // A group without its end: as after a kill.
        let mut payload = Vec::new();
        pack(&looks[0], &mut payload);
        log.journal.append(&Record { kind: LOOKS, payload }).unwrap();
        drop(log);
        for _ in 0..2 {
            let log = SyncLog::open(&path, &key).unwrap();
            assert_eq!((log.found.frames.len(), &log.found.frames[19_999]), (20_000, &frame));
            assert_eq!(log.found.end.as_ref().unwrap().reasons, ["a"]);
            assert_eq!((&log.found.looks, log.found.looked), (&looks, 77));
            assert_eq!((&log.found.vectors, &log.found.thumbs[..]), (&vectors, &[(2, vec![1, 2, 3])][..]));
        }
        assert!(unpack(&[0; 5]).is_none());
    }
}
