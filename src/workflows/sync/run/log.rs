//! What was found so far, kept by and by: a run that was stopped goes on behind it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::core::{BoxF, Point};
use crate::error::{Result, StateError};
use crate::store::{GroupId, GroupLog, Journal, OsIo, Record, RunKey, unite_groups};

/// Stages of the journal, and kinds of records in them.
const FRAMES: u32 = 1;
const FRAMES_END: u32 = 2;
const LOOKS: u32 = 3;
const JOINED: u32 = 4;
/// Kinds of records only.
const THUMB: u32 = 5;
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
    /// Frames of the video that could be decoded.
    pub(super) frames: u64,
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

/// Looks and pictures of a unit of the second pass.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct LookGroup {
    pub(super) looks: Vec<Look>,
    /// JPEGs by position of the track.
    pub(super) thumbs: Vec<(u32, Vec<u8>)>,
    /// Vectors of faces by position of the track.
    pub(super) vectors: Vec<(u32, Vec<f32>)>,
}

impl LookGroup {
    fn extend(&mut self, later: Self) {
        self.looks.extend(later.looks);
        self.thumbs.extend(later.thumbs);
        self.vectors.extend(later.vectors);
    }
}

/// The journal of both passes, by units.
#[derive(Debug)]
pub(super) struct SyncLog {
    log: GroupLog,
    frames: BTreeMap<u64, Vec<FrameFacts>>,
    pub(super) end: Option<FramesEnd>,
    looks: BTreeMap<u64, LookGroup>,
}

impl SyncLog {
    /// Opens or creates the journal at `path`.
    pub(super) fn open(path: &Path, key: &RunKey) -> Result<Self> {
        let (log, groups) = GroupLog::open(&OsIo, path, key)?;
        let corrupt = |what: &str| StateError::Corrupt { path: path.into(), reason: format!("a record of {what}") };
        let mut this = Self { log, frames: BTreeMap::new(), end: None, looks: BTreeMap::new() };
        for (GroupId { stage, unit }, records) in groups {
            match stage {
                FRAMES => {
                    let frames: Option<Vec<Vec<FrameFacts>>> = records.iter().map(Record::parse).collect();
                    this.frames.insert(unit, frames.ok_or_else(|| corrupt("frames"))?.concat());
                }
                FRAMES_END => {
                    let end = records.first().and_then(Record::parse);
                    this.end = Some(end.ok_or_else(|| corrupt("the end"))?);
                }
                LOOKS => {
                    this.looks.insert(unit, group_of(&records).ok_or_else(|| corrupt("looks"))?);
                }
                JOINED => {}
                _ => return Err(corrupt("an unknown stage").into()),
            }
        }
        Ok(this)
    }

    /// Whether the first pass was put together from those of parts: what is left is the second one.
    pub(super) fn is_joined(&self) -> bool {
        self.log.has(GroupId { stage: JOINED, unit: 0 })
    }

    /// Whether the frames of a unit are known.
    pub(super) fn has_frames(&self, unit: u64) -> bool {
        self.frames.contains_key(&unit)
    }

    /// Whether the tracks of a unit were looked at.
    pub(super) fn has_looks(&self, unit: u64) -> bool {
        self.looks.contains_key(&unit)
    }

    /// Units whose frames are known.
    pub(super) fn units(&self) -> impl Iterator<Item = u64> + '_ {
        self.frames.keys().copied()
    }

    /// Frames that are known.
    pub(super) fn known(&self) -> u64 {
        self.frames.values().map(|f| f.len() as u64).sum()
    }

    /// All frames in order, once the first pass is over; `None` before.
    pub(super) fn all_frames(&self) -> Option<Vec<FrameFacts>> {
        let end = self.end.as_ref()?;
        (self.known() == end.frames).then(|| self.frames.values().flatten().cloned().collect())
    }

    /// All that the second pass saw.
    pub(super) fn all_looks(&mut self) -> LookGroup {
        let mut all = LookGroup::default();
        std::mem::take(&mut self.looks).into_values().for_each(|group| all.extend(group));
        all
    }

    /// Adds the frames of a unit of the first pass.
    pub(super) fn add_frames(&mut self, unit: u64, frames: Vec<FrameFacts>) -> Result<()> {
        let mut records: Vec<Record> = Vec::new();
        for frame in &frames {
            // As long as it is: the boxes and key points of a crowd take many times what a usual frame does.
            let one = Record::json(FRAMES, frame)?.payload;
            match records.last_mut() {
                Some(open) if open.payload.len() + one.len() < RECORD => {
                    open.payload.push(b',');
                    open.payload.extend(one);
                }
                _ => records.push(Record { kind: FRAMES, payload: [&b"["[..], &one].concat() }),
            }
        }
        records.iter_mut().for_each(|r| r.payload.push(b']'));
        self.log.finish(GroupId { stage: FRAMES, unit }, records)?;
        self.frames.insert(unit, frames);
        Ok(())
    }

    /// Says that the first pass is done.
    pub(super) fn end_frames(&mut self, end: FramesEnd) -> Result<()> {
        self.log.finish(GroupId { stage: FRAMES_END, unit: 0 }, vec![Record::json(FRAMES_END, &end)?])?;
        self.end = Some(end);
        Ok(())
    }

    /// Adds what the second pass saw in the frames of a unit.
    pub(super) fn add_looks(&mut self, unit: u64, group: LookGroup) -> Result<()> {
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
        self.log.finish(GroupId { stage: LOOKS, unit }, records)?;
        self.looks.insert(unit, group);
        Ok(())
    }
}

/// Takes the journals `inner` of the folders `parts` into the one at `to`; with the number of groups that were taken over.
///
/// # Errors
/// As [`unite_groups`].
pub(super) fn unite(parts: &[PathBuf], inner: &str, to: &Path) -> Result<usize> {
    let taken = unite_groups(&OsIo, (parts, inner), to)?;
    if let Some(found) = Journal::read(&OsIo, to, None)? {
        let (mut log, _) = GroupLog::open(&OsIo, to, &found.key)?;
        let joined = GroupId { stage: JOINED, unit: 0 };
        if !log.has(joined) {
            log.finish(joined, Vec::new())?;
        }
    }
    Ok(taken)
}

fn group_of(records: &[Record]) -> Option<LookGroup> {
    let mut group = LookGroup::default();
    for record in records {
        let numbered = || record.payload.split_first_chunk::<4>().map(|(at, rest)| (u32::from_le_bytes(*at), rest));
        match record.kind {
            LOOKS => group.looks.extend(unpack(&record.payload)?),
            THUMB => group.thumbs.push(numbered().map(|(at, jpeg)| (at, jpeg.to_vec()))?),
            VECTOR => {
                let (at, values) = numbered()?;
                group.vectors.push((at, values.as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b)).collect()));
            }
            _ => return None,
        }
    }
    Some(group)
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

    #[test]
    fn crowds_fit_into_records() {
        let folder = tempfile::tempdir().unwrap();
        let (path, key) = (folder.path().join("found"), RunKey::builder().field("x", 1).finish().unwrap());
        // 120 frames of 300 faces with their key points, with numbers as long as they become.
        let crowd = FrameFacts {
            t: 3_600_000_000,
            d: 40_000,
            c: Some(1234),
            f: vec![[-123_456, 234_567, 123_456, 123_456, 1000]; 300],
            p: vec![[-1234; 10]; 300],
        };
        let alone = FrameFacts { f: vec![], p: vec![], ..crowd.clone() };
        let mut log = SyncLog::open(&path, &key).unwrap();
        log.add_frames(0, vec![crowd.clone(); 120]).unwrap();
        // More in one frame than records usually have, among others.
        let many = FrameFacts { f: crowd.f.repeat(25), p: crowd.p.repeat(25), ..crowd.clone() };
        let mixed = vec![alone.clone(), many, crowd.clone(), alone];
        assert!(serde_json::to_vec(&mixed[1]).unwrap().len() > RECORD);
        log.add_frames(1, mixed.clone()).unwrap();
        log.add_frames(2, vec![]).unwrap();
        log.end_frames(FramesEnd { frames: 124, reasons: vec![], notes: vec![] }).unwrap();
        drop(log);
        let log = SyncLog::open(&path, &key).unwrap();
        assert!(log.has_frames(2));
        assert_eq!(log.all_frames().unwrap(), [vec![crowd; 120], mixed].concat());
    }

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
        log.add_frames(1, vec![frame.clone(); 3]).unwrap();
        log.add_frames(0, vec![frame.clone(); 20_000]).unwrap();
        assert!(log.all_frames().is_none() && log.has_frames(1) && !log.has_frames(2));
        log.end_frames(FramesEnd { frames: 20_003, reasons: vec!["a".into()], notes: vec![] }).unwrap();
        let looks = vec![look(3, -7, &[1.5, f32::MIN_POSITIVE, -0.1]), look(0, 9, &[])];
        let vectors = vec![(1, vec![0.25, -4.0])];
        let group = LookGroup { looks: looks.clone(), thumbs: vec![(2, vec![1, 2, 3])], vectors };
        log.add_looks(1, LookGroup { looks: vec![look(1, 4, &[2.0])], ..LookGroup::default() }).unwrap();
        log.add_looks(0, group.clone()).unwrap();
        drop(log);
        for _ in 0..2 {
            let mut log = SyncLog::open(&path, &key).unwrap();
            assert_eq!(log.all_frames().unwrap(), vec![frame.clone(); 20_003]);
            assert_eq!((log.end.as_ref().unwrap().reasons.as_slice(), log.is_joined()), (&["a".to_owned()][..], false));
            assert!(log.has_looks(0) && log.has_looks(1) && !log.has_looks(2));
            let all = log.all_looks();
            assert_eq!(all.looks, [&looks[..], &[look(1, 4, &[2.0])]].concat(), "in order of units");
            assert_eq!((all.vectors, all.thumbs), (group.vectors.clone(), group.thumbs.clone()));
        }
        // Put together from parts.
        let to = folder.path().join("all");
        assert_eq!(unite(&[folder.path().to_path_buf()], "found", &to).unwrap(), 5);
        let log = SyncLog::open(&to, &key).unwrap();
        assert!(log.is_joined() && log.all_frames().is_some() && log.has_looks(1));
        assert!(unpack(&[0; 5]).is_none());
    }
}
