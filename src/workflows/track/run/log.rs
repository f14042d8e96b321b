//! What a network found so far: a run that was stopped goes on behind it.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::super::recognise::Answer;
use super::eye::FoundFrame;
use super::looks::Look;
use crate::core::{BoxF, Detection};
use crate::error::{Result, StateError};
use crate::store::{Journal, OsIo, Record, RunKey};
use crate::workflows::short::{bytes, hex};

const FOUND: u32 = 1;
const STILL: u32 = 2;
const ANSWER: u32 = 3;

/// Bytes of a record, about; the journal takes a mebibyte.
const RECORD: usize = 700 << 10;

/// A frame that was looked at: number; boxes as left, top, width, height, score, class; what they look like, as hexadecimal digits, empty for
/// a box without, none where nobody asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Looked(pub(super) u64, pub(super) Vec<(f32, f32, f32, f32, f32, u32)>, Vec<String>);

impl Looked {
    pub(super) fn new(found: &FoundFrame) -> Self {
        let each = |d: &Detection| (d.rect.x, d.rect.y, d.rect.width, d.rect.height, d.score, d.class);
        let look = |l: &Option<Look>| l.as_ref().map_or_else(String::new, |l| hex(l.iter().map(|v| v.cast_unsigned())));
        Self(found.index, found.detections.iter().map(each).collect(), found.looks.iter().map(look).collect())
    }

    pub(super) fn looks(&self) -> Vec<Option<Look>> {
        self.2
            .iter()
            .map(|digits| (!digits.is_empty()).then(|| bytes(digits).into_iter().map(u8::cast_signed).collect()))
            .collect()
    }

    pub(super) fn detections(&self) -> Vec<Detection> {
        let each = |&(x, y, width, height, score, class): &(f32, f32, f32, f32, f32, u32)| Detection {
            rect: BoxF { x, y, width, height },
            score,
            class,
        };
        self.1.iter().map(each).collect()
    }
}

/// A still that was taken.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Shot {
    pub(super) frame: u64,
    pub(super) seconds: f64,
    pub(super) jpeg: Vec<u8>,
}

/// The journal.
#[derive(Debug)]
pub(super) struct LookLog {
    journal: Journal,
    pub(super) looked: Vec<Looked>,
    pub(super) shots: Vec<Shot>,
    pub(super) answers: Vec<Answer>,
}

impl LookLog {
    /// Opens or creates the journal at `path`.
    pub(super) fn open(path: &Path, key: &RunKey) -> Result<Self> {
        let (journal, recovered) = Journal::open(&OsIo, path, key)?;
        let corrupt = |what: &str| StateError::Corrupt { path: path.into(), reason: format!("a record of {what}") };
        let (mut looked, mut shots): (Vec<Looked>, Vec<Shot>) = (Vec::new(), Vec::new());
        let mut answers: Vec<Answer> = Vec::new();
        for record in &recovered.records {
            match record.kind {
                FOUND => looked.extend(record.parse::<Vec<Looked>>().ok_or_else(|| corrupt("detections"))?),
                STILL => shots.push(unpack(&record.payload).ok_or_else(|| corrupt("pictures"))?),
                ANSWER => answers.push(record.parse().ok_or_else(|| corrupt("answers"))?),
                _ => return Err(corrupt("an unknown kind").into()),
            }
        }
        // Pictures and answers are written before the detections of their frames: those behind the last ones come again.
        let last = looked.last().map(|l| l.0);
        shots.retain(|s| last.is_some_and(|l| s.frame <= l));
        // And again where the run was stopped twice ahead of them: several in a row, then the same ones.
        shots.sort_by_key(|s| s.frame);
        shots.dedup_by_key(|s| s.frame);
        answers.retain(|a| last.is_some_and(|l| a.frame <= l));
        Ok(Self { journal, looked, shots, answers })
    }

    /// Adds frames, the stills among them, and what was answered about them.
    pub(super) fn add(&mut self, looked: Vec<Looked>, shots: Vec<Shot>, answers: Vec<Answer>) -> Result<()> {
        let mut records: Vec<Record> = shots.iter().map(|s| Record { kind: STILL, payload: pack(s) }).collect();
        for answer in &answers {
            records.push(Record::json(ANSWER, answer)?);
        }
        let mut from = 0;
        while from < looked.len() {
            let rest = looked.get(from..).unwrap_or_default();
            let mut sum = 0;
            let fits = rest.iter().take_while(|l| {
                sum += 32 + 80 * l.1.len() + l.2.iter().map(|d| d.len() + 3).sum::<usize>();
                sum <= RECORD
            });
            let count = fits.count().max(1);
            records.push(Record::json(FOUND, &rest.get(..count).unwrap_or_default())?);
            from += count;
        }
        self.journal.append_all(&records)?;
        self.looked.extend(looked);
        self.shots.extend(shots);
        self.answers.extend(answers);
        Ok(())
    }
}

/// Frame, seconds, JPEG; numbers little-endian.
fn pack(shot: &Shot) -> Vec<u8> {
    let mut out = shot.frame.to_le_bytes().to_vec();
    out.extend(shot.seconds.to_le_bytes());
    out.extend(&shot.jpeg);
    out
}

fn unpack(from: &[u8]) -> Option<Shot> {
    let (frame, rest) = from.split_first_chunk::<8>()?;
    let (seconds, jpeg) = rest.split_first_chunk::<8>()?;
    Some(Shot { frame: u64::from_le_bytes(*frame), seconds: f64::from_le_bytes(*seconds), jpeg: jpeg.to_vec() })
}

#[cfg(test)]
mod tests {
    use super::super::super::recognise::Outcome;
    use super::*;

    #[test]
    fn what_was_found_comes_back_and_pictures_ahead_of_it_do_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("looked");
        let key = RunKey::builder().field("x", 1).finish().unwrap();
        let rect = BoxF { x: 0.1, y: -3.7, width: 1.0e-3, height: 812.333_3 };
        let found = vec![Detection { rect, score: 0.333_333, class: 7 }];
        let mut log = LookLog::open(&path, &key).unwrap();
        let shot = |frame| Shot { frame, seconds: 0.1, jpeg: vec![1, 2, 3] };
        let answer = |frame| Answer { frame, seconds: 0.1, outcome: Outcome::Dropped };
        let looks = vec![Some([-127i8, 0, 5, 127].into())];
        let frame = |index| FoundFrame { index, detections: found.clone(), looks: looks.clone() };
        log.add((0..30_000).map(|i| Looked::new(&frame(i))).collect(), vec![shot(5)], vec![answer(5)]).unwrap();
        log.add(vec![], vec![shot(30_001)], vec![answer(30_001)]).unwrap();
        drop(log);
        let log = LookLog::open(&path, &key).unwrap();
        assert_eq!((log.looked.len(), log.shots.as_slice()), (30_000, &[shot(5)][..]));
        assert_eq!(log.answers, [answer(5)]);
        assert!(log.looked.iter().all(|l| l.detections() == found && l.looks() == looks));
        // Stopped twice behind the same pictures and before what was seen in their frames: each is there once.
        let twice = folder.path().join("twice");
        for round in 0..3u64 {
            let mut log = LookLog::open(&twice, &key).unwrap();
            assert!(log.shots.is_empty(), "{round}");
            let seen = if round == 2 { (0..8).map(|i| Looked::new(&frame(i))).collect() } else { vec![] };
            log.add(seen, vec![shot(2), shot(6)], vec![]).unwrap();
        }
        assert_eq!(LookLog::open(&twice, &key).unwrap().shots, [shot(2), shot(6)]);
        // As many and as long vectors as a frame may have fit into a record.
        let vector: Look = std::iter::repeat_n(-3, super::super::looks::LONGEST).collect();
        let many = FoundFrame {
            index: 0,
            detections: vec![found[0]; 300],
            looks: vec![Some(vector); super::super::looks::MOST],
        };
        let mut log = LookLog::open(&folder.path().join("wide"), &key).unwrap();
        log.add(vec![Looked::new(&many), Looked::new(&many)], Vec::new(), Vec::new()).unwrap();
        drop(log);
        assert_eq!(LookLog::open(&folder.path().join("wide"), &key).unwrap().looked[1].looks(), many.looks);
    }
}
