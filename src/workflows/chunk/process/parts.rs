//! What a run has made so far, part by part: a run that was stopped goes on behind it.
//!
//! A part is so many frames in a row. Its frames are encoded by themselves, its detections are lines of their own; both are committed in the
//! state folder and named by a record of the journal. In the end parts are joined, packet by packet and line by line, so that the output
//! does not tell whether a run was stopped.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use crossbeam_channel::{Receiver, Sender, bounded};
use serde::{Deserialize, Serialize};

use crate::core::{CancelToken, FrameInfo, Rational, Size};
use crate::error::{Error, Result, StateError};
use crate::media::{AudioCopy, JoinOptions, JoinPiece, join_videos};
use crate::store::{Committed, Hash, OsIo, StoreIo, UnitLog, clean_temps, commit};
use crate::workflows::encode::{Encoded, FileSpec, Finished, Open, Times, remarks, with_audio};

/// Frames of a part: an encoder begins anew with each, as it does at this distance anyway.
pub(super) const FRAMES: u64 = 250;
/// Frames that wait for the encoder at most.
const WAITING: usize = 4;

/// What the record of a part says.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct PartRecord {
    pub(super) frames: u64,
    pub(super) tiles: u64,
    pub(super) pixels: u64,
    pub(super) frame_pixels: u64,
    pub(super) detections: u64,
    /// Of its pictures, where it has some.
    pub(super) pictures: Option<Pictures>,
}

/// The encoded pictures of a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Pictures {
    /// Time of the first one.
    start: i64,
    /// Time of the last one.
    last: i64,
    /// Unit of the times.
    unit: [i32; 2],
    size: [u32; 2],
}

/// The parts of a run in its state folder.
pub(super) struct Parts {
    folder: PathBuf,
}

fn unit(number: usize) -> String {
    format!("part {number:06}")
}

/// The number of the part that a unit is.
fn number(unit: &str) -> Option<usize> {
    unit.strip_prefix("part ")?.parse().ok()
}

enum Message {
    /// A frame of the part of that number.
    Frame(usize, Box<Finished>),
    /// A frame of a part that is not made here: its time counts for those behind it.
    Passed(FrameInfo),
    Part(usize, PartRecord, String),
    Done,
}

/// Where frames, and ends of parts, go.
pub(super) struct ToParts {
    to: Sender<Message>,
}

impl ToParts {
    fn send(&self, message: Message) -> Result<()> {
        self.to.send(message).map_err(|_| Error::Bug("the encoder is gone without saying so".into()))
    }

    pub(super) fn frame(&self, number: usize, frame: Finished) -> Result<()> {
        self.send(Message::Frame(number, Box::new(frame)))
    }

    /// A frame that is passed over.
    pub(super) fn passed(&self, info: FrameInfo) -> Result<()> {
        self.send(Message::Passed(info))
    }

    /// Ends a part; `lines` are its detections.
    pub(super) fn end(&self, number: usize, record: PartRecord, lines: String) -> Result<()> {
        self.send(Message::Part(number, record, lines))
    }
}

impl Parts {
    /// Those in `folder`, which is made if it is not there.
    pub(super) fn open(folder: PathBuf) -> Result<Self> {
        OsIo.create_dir_all(&folder).map_err(|e| Error::storage("create", &folder, e))?;
        let dir = OsIo.open_dir(&folder).map_err(|e| Error::storage("open", &folder, e))?;
        clean_temps(dir.as_ref())?;
        Ok(Self { folder })
    }

    fn video(&self, number: usize) -> PathBuf {
        self.folder.join(format!("{number:06}.mp4"))
    }

    fn lines(&self, number: usize) -> PathBuf {
        self.folder.join(format!("{number:06}.jsonl"))
    }

    /// Records of the parts that are done, by their numbers.
    pub(super) fn done(&self, units: &UnitLog) -> Result<BTreeMap<usize, PartRecord>> {
        let mut done = BTreeMap::new();
        for u in units.records() {
            let Some(number) = number(&u.unit) else { continue };
            let record = serde_json::from_value(u.meta.clone()).map_err(|e| {
                let reason = format!("the record of {}: {e}", u.unit);
                StateError::Corrupt { path: self.folder.clone(), reason }
            })?;
            done.insert(number, record);
        }
        Ok(done)
    }

    /// Records of all `count` parts, in order.
    pub(super) fn all(&self, units: &UnitLog, count: usize) -> Result<Vec<PartRecord>> {
        let all: Vec<PartRecord> = self.done(units)?.into_iter().filter(|(n, _)| *n < count).map(|(_, r)| r).collect();
        if all.len() == count { Ok(all) } else { Err(Error::Bug(format!("{} of {count} parts are there", all.len()))) }
    }

    /// Runs `body`, which sends the frames of all parts in order, those that are passed over too, and ends of parts. Each is encoded as `spec` says
    /// and recorded.
    ///
    /// # Errors
    /// Of the encoder and the store, or those of `body`.
    pub(super) fn make(
        &self,
        (spec, units): (&FileSpec, &mut UnitLog),
        body: impl FnOnce(&ToParts) -> Result<()>,
    ) -> Result<()> {
        std::thread::scope(|scope| {
            let (to, from) = bounded(WAITING);
            let thread = scope.spawn(move || self.write((spec, units), &from));
            let to = ToParts { to };
            let result = body(&to);
            if result.is_ok() {
                // An encoder that failed says so below.
                let _ = to.send(Message::Done);
            }
            drop(to);
            let written = thread.join().unwrap_or_else(|payload| std::panic::resume_unwind(payload));
            // The encoder's failure is why frames could not be handed on.
            written.and(result)
        })
    }

    fn write(&self, (spec, units): (&FileSpec, &mut UnitLog), from: &Receiver<Message>) -> Result<()> {
        let mut times = Times::default();
        let mut open: Option<(Open, Pictures)> = None;
        for message in from {
            match message {
                Message::Passed(info) => {
                    times.of(&info);
                }
                Message::Frame(number, frame) => {
                    let pts = times.of(&frame.info);
                    let (file, pictures) = match &mut open {
                        Some(open) => open,
                        None => {
                            let own = FileSpec { path: self.video(number), audio: None, ..spec.clone() };
                            let Rational { num, den } = frame.info.time_base;
                            let Size { width, height } = frame.desc.size;
                            let (unit, size) = ([num, den], [width, height]);
                            open.insert((Open::begin(&own, &frame)?, Pictures { start: pts, last: pts, unit, size }))
                        }
                    };
                    pictures.last = pts;
                    file.push(&frame, pts - pictures.start)?;
                }
                Message::Part(number, mut record, lines) => {
                    let mut files = Vec::new();
                    if let Some((file, pictures)) = open.take() {
                        files.push(file.finish()?.file);
                        record.pictures = Some(pictures);
                    }
                    if !lines.is_empty() {
                        files.push(commit(&OsIo, self.lines(number), |w| w.write_all(lines.as_bytes()))?);
                    }
                    units.finish(&unit(number), &files, &record)?;
                }
                Message::Done => return Ok(()),
            }
        }
        // The other side failed.
        Ok(())
    }

    /// Joins the pictures of all parts into the file of `spec`; `None` where parts have none.
    pub(super) fn join(&self, spec: &FileSpec, done: &[PartRecord], cancel: &CancelToken) -> Result<Option<Encoded>> {
        let Some(first) = done.first().and_then(|p| p.pictures) else { return Ok(None) };
        let piece = |(number, part): (usize, &PartRecord)| {
            let lost = || Error::Bug(format!("part {number} has no pictures, others have"));
            let Pictures { start, unit, .. } = part.pictures.ok_or_else(lost)?;
            if unit != first.unit {
                return Err(Error::Bug(format!("times of part {number} are in {unit:?}, others in {:?}", first.unit)));
            }
            Ok(JoinPiece { path: self.video(number), start })
        };
        let pieces = done.iter().enumerate().map(piece).collect::<Result<Vec<_>>>()?;
        let [num, den] = first.unit;
        let picture = Size::new(first.size[0], first.size[1]);
        let time_base = Rational { num, den };
        // As an encoder has it that writes the file in one go.
        let rate = spec.rate.map_or(25.0, Rational::as_f64);
        let options = JoinOptions {
            time_base,
            last_duration: ((1.0 / (rate * time_base.as_f64())).round() as i64).max(1),
            rotation: 0,
            picture: Some(picture),
            cancel: cancel.clone(),
        };
        let create = |path: &Path, audio: Option<&AudioCopy>| join_videos(&OsIo, path, &pieces, &options, audio);
        let (joined, path, mut notes) = with_audio(spec, create)?;
        notes.extend(remarks(picture, joined.coded, &joined.audio_damage));
        let (bytes, blake3) = (joined.bytes, Hash::from_bytes(joined.blake3));
        Ok(Some(Encoded { file: Committed { path, bytes, blake3 }, notes }))
    }

    /// Writes `head` and the lines of all parts.
    pub(super) fn join_lines(&self, path: &Path, head: &str, done: &[PartRecord]) -> Result<Committed> {
        let mut parts = Vec::new();
        for number in 0..done.len() {
            let path = self.lines(number);
            parts.push(std::fs::File::open(&path).map_err(|e| Error::storage("open", &path, e))?);
        }
        commit(&OsIo, path, |w| {
            w.write_all(head.as_bytes())?;
            for part in &mut parts {
                let mut bytes = Vec::new();
                part.read_to_end(&mut bytes)?;
                w.write_all(&bytes)?;
            }
            Ok(())
        })
    }

    /// Removes what is joined now. What cannot be removed stays, and is in nobody's way.
    pub(super) fn forget(self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
