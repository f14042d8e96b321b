//! The first half: frames in, their nearest pictures out, kept in a journal by and by.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use super::super::describe::Describer;
use super::super::network::Networks;
use super::super::select::FrameCandidates;
use super::config::CollageConfig;
use super::eye::{Eye, picture_only};
use super::source::{Places, SampledSource, Used};
use super::timeline::UsedFrame;
use crate::core::{FrameLayout, Neighbor};
use crate::error::{Error, Result};
use crate::gpu::GpuContext;
use crate::index::VectorIndex;
use crate::media::{Status, encode_jpeg};
use crate::pipeline::{Batches, PipelineOptions, VideoEnd, batches};
use crate::store::{GroupId, GroupLog, OsIo, Record, RunKey};

/// Frames searched for together: enough for the product of matrices that makes a search fast.
const SEARCH: usize = 64;
/// Most queries of one search.
const MOST: usize = 8192;
/// Thumbnails kept at most, about: beyond, one of every few frames has one.
const THUMBS: u64 = 2000;
/// Bytes of a record of queries, at most.
const RECORD: usize = 900 << 10;
/// Mean change of a channel, in codes, from one frame to the next that is taken for a cut.
const CUT: f64 = 30.0;

/// Stages of the journal, and kinds of records in them.
const FRAMES: u32 = 1;
const END: u32 = 2;
/// Kinds of records only.
const QUERIES: u32 = 3;
const THUMB: u32 = 4;
const SAMPLE: u32 = 5;

/// A frame, or a tile of one, and the pictures nearest to it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct FrameMatch {
    pub(super) used: UsedFrame,
    /// Whether it is the first one behind a cut.
    cut: bool,
    /// Cuts up to it, once all frames are there.
    #[serde(skip)]
    pub(super) scene: u32,
    /// Ids and scores, best first.
    pub(super) nearest: Vec<(u32, f32)>,
}

impl FrameMatch {
    pub(super) fn candidates(&self) -> FrameCandidates {
        let nearest = self.nearest.iter().map(|(id, score)| Neighbor { id: *id, score: *score }).collect();
        FrameCandidates { seconds: self.used.seconds, scene: self.scene, nearest }
    }
}

/// What is known when all frames are matched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct MatchEnd {
    /// Frames of the timeline.
    pub(super) frames: u64,
    /// Frames of the video that were decoded.
    pub(super) decoded: u64,
    /// Output pictures that the last frame is shown in beyond its own.
    pub(super) more: u32,
    /// Why the video is not whole.
    pub(super) reasons: Vec<String>,
    /// Assumptions of the decoder.
    pub(super) notes: Vec<String>,
}

/// All that matching gives.
#[derive(Debug, Default)]
pub(super) struct Matches {
    pub(super) frames: Vec<FrameMatch>,
    /// Descriptors of the frames, where they are needed again.
    pub(super) queries: Vec<f32>,
    /// JPEGs of some frames, by their position in `frames`.
    pub(super) thumbs: Vec<(usize, Vec<u8>)>,
    /// JPEGs of the frames that are samples.
    pub(super) samples: Vec<(usize, Vec<u8>)>,
    pub(super) end: Option<MatchEnd>,
}

/// The journal of matches, by units of the timeline.
#[derive(Debug)]
pub(super) struct MatchLog {
    log: GroupLog,
    units: BTreeMap<u64, Matches>,
    pub(super) end: Option<MatchEnd>,
}

/// Frames of a unit of the timeline: what one search takes, fewer where they are of many tiles.
pub(super) fn unit_frames(per_frame: usize) -> u64 {
    (MOST / per_frame.max(1)).clamp(1, SEARCH) as u64
}

impl MatchLog {
    /// Opens or creates the journal; what an interrupted run found is there.
    pub(super) fn open(path: &Path, key: &RunKey) -> Result<Self> {
        let (log, groups) = GroupLog::open(&OsIo, path, key)?;
        let corrupt = || crate::StateError::Corrupt { path: path.into(), reason: "a record of matches".into() };
        let mut this = Self { log, units: BTreeMap::new(), end: None };
        for (GroupId { stage, unit }, records) in groups {
            match stage {
                FRAMES => {
                    this.units.insert(unit, unit_of(&records).ok_or_else(corrupt)?);
                }
                END => this.end = Some(records.first().and_then(Record::parse).ok_or_else(corrupt)?),
                _ => return Err(corrupt().into()),
            }
        }
        Ok(this)
    }

    /// Units of `size` frames, `per_frame` matches each, whose frames are all matched. The last one of a timeline is shorter, and looks like one
    /// that was cut: without it nothing is lost.
    pub(super) fn done(&self, size: u64, per_frame: usize) -> BTreeSet<u64> {
        let whole = |unit: &Matches| unit.frames.len() as u64 == size * per_frame as u64;
        self.units.iter().filter(|(_, unit)| whole(unit)).map(|(at, _)| *at).collect()
    }

    /// Matches there are.
    pub(super) fn known(&self) -> usize {
        self.units.values().map(|u| u.frames.len()).sum()
    }

    /// Whether all frames of the timeline that are in units of `places` are matched, of `per_frame` matches each.
    pub(super) fn is_whole(&self, per_frame: usize, places: &Places) -> bool {
        let Some(end) = &self.end else { return false };
        let units = end.frames.div_ceil(places.size);
        let whole = |unit: u64| {
            let wanted = places.size.min(end.frames - unit * places.size) * per_frame as u64;
            self.units.get(&unit).is_some_and(|u| u.frames.len() as u64 == wanted)
        };
        self.units.keys().all(|unit| *unit < units) && (0..units).filter(|unit| places.has(*unit)).all(whole)
    }

    /// That [`Self::is_whole`], once a run has matched what was missing; `path` is its file.
    ///
    /// # Errors
    /// [`crate::StateError::Corrupt`].
    pub(super) fn check_whole(&self, path: &Path, per_frame: usize, places: &Places) -> Result<()> {
        if self.is_whole(per_frame, places) {
            return Ok(());
        }
        let (known, frames) = (self.known() / per_frame.max(1), self.end.as_ref().map_or(0, |end| end.frames));
        let reason =
            format!("it has matches of {known} frames of a timeline of {frames}, and not those that are wanted");
        Err(crate::StateError::Corrupt { path: path.into(), reason }.into())
    }

    /// All of it, with scenes counted.
    pub(super) fn all(self) -> Matches {
        let mut all = Matches { end: self.end, ..Matches::default() };
        for unit in self.units.into_values() {
            all.frames.extend(unit.frames);
            all.queries.extend(unit.queries);
            all.thumbs.extend(unit.thumbs);
            all.samples.extend(unit.samples);
        }
        let mut scene = 0;
        for frame in &mut all.frames {
            scene += u32::from(frame.cut);
            frame.scene = scene;
        }
        all
    }

    /// Adds units whose frames are `per_frame` matches each.
    fn add(&mut self, units: Vec<(u64, Matches)>, per_frame: usize) -> Result<()> {
        let mut groups = Vec::new();
        for (unit, matches) in &units {
            groups.push((GroupId { stage: FRAMES, unit: *unit }, records_of(matches, per_frame)?));
        }
        self.log.finish_all(groups)?;
        self.units.extend(units);
        Ok(())
    }
}

fn records_of(unit: &Matches, per_frame: usize) -> Result<Vec<Record>> {
    let mut records = Vec::new();
    for numbers in unit.queries.chunks(RECORD / 4) {
        records.push(Record { kind: QUERIES, payload: numbers.iter().flat_map(|v| v.to_le_bytes()).collect() });
    }
    for (kind, list) in [(THUMB, &unit.thumbs), (SAMPLE, &unit.samples)] {
        for (at, jpeg) in list {
            let payload = (*at as u32).to_le_bytes().iter().chain(jpeg).copied().collect();
            records.push(Record { kind, payload });
        }
    }
    // Whole frames, few enough for a record.
    let candidates = unit.frames.first().map_or(1, |f| f.nearest.len()).max(1);
    let frames = (RECORD / 40 / candidates / per_frame.max(1)).max(1);
    for matches in unit.frames.chunks(frames * per_frame.max(1)) {
        records.push(Record::json(FRAMES, &matches)?);
    }
    Ok(records)
}

fn unit_of(records: &[Record]) -> Option<Matches> {
    let mut unit = Matches::default();
    for record in records {
        let numbered = || {
            let (at, rest) = record.payload.split_first_chunk::<4>()?;
            Some((u32::from_le_bytes(*at) as usize, rest.to_vec()))
        };
        match record.kind {
            QUERIES => {
                let bytes = record.payload.as_chunks::<4>().0;
                unit.queries.extend(bytes.iter().map(|b| f32::from_le_bytes(*b)));
            }
            THUMB => unit.thumbs.push(numbered()?),
            SAMPLE => unit.samples.push(numbered()?),
            FRAMES => unit.frames.extend(record.parse::<Vec<FrameMatch>>()?),
            _ => return None,
        }
    }
    Some(unit)
}

/// How frames are matched.
pub(super) struct Matching<'a> {
    pub(super) ctx: &'a GpuContext,
    pub(super) index: &'a dyn VectorIndex,
    pub(super) config: &'a CollageConfig,
    pub(super) options: &'a PipelineOptions,
    pub(super) networks: &'a Networks,
    /// What the decoder says at its end.
    pub(super) video_end: &'a Mutex<VideoEnd>,
    /// Frames the video is said to have.
    pub(super) expected: Option<u64>,
    /// Frames between two savings, at least.
    pub(super) save_every: usize,
}

/// Units that are made and not saved yet.
#[derive(Default)]
struct Waiting {
    units: Vec<(u64, Matches)>,
    queries: Vec<f32>,
}

impl Matching<'_> {
    /// Matches all frames of `source` in units that `log` does not have yet.
    ///
    /// # Errors
    /// `Cancelled`, the device, storage, the search; the error that ended the source before its first frame, or one that may go away.
    pub(super) fn run(&self, log: &mut MatchLog, source: SampledSource, progress: &mut dyn FnMut(u64)) -> Result<()> {
        let (used, places) = (source.used(), source.places().clone());
        let longest = u64::from(self.config.descriptor.comparison_size);
        let pixels = longest * longest * self.config.per_frame() as u64;
        // With a rate the source holds a frame of its own.
        let held = u64::from(self.config.rate.is_some());
        let work =
            |layout: &FrameLayout, batch: u32| u64::from(batch) * pixels * 12 + held * u64::from(layout.slot_bytes());
        let options = PipelineOptions { batch: Eye::batch(self.config, self.options.batch)?, ..self.options.clone() };
        let mut eye = Eye::new(self.ctx, self.config, options.batch, self.networks, &options.cancel)?;
        let (mut waiting, report) = batches(self.ctx, &options, Box::new(source), &work, |batches| {
            self.consume(log, batches, &mut eye, (&used, &places), progress)
        })?;
        // A unit that was cut must not count as done: the frames that it lacks would never be matched.
        self.options.cancel.check()?;
        let some = used.lock().unwrap_or_else(PoisonError::into_inner).total > 0;
        let failed = ending(report.result, some)?;
        self.search(log, &mut waiting, self.config.per_frame() * eye.dim())?;
        self.end(log, &used, failed)
    }

    fn end(&self, log: &mut MatchLog, used: &Mutex<Used>, failed: Option<Error>) -> Result<()> {
        let used = used.lock().unwrap_or_else(PoisonError::into_inner);
        let decoder = self.video_end.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut reasons = Vec::new();
        if let Some(verdict) = decoder.verdict.filter(|v| matches!(v.status, Status::Partial | Status::Rejected)) {
            reasons.extend(verdict.reasons);
        }
        reasons.extend(failed.map(|e| e.to_string()));
        let mut notes = decoder.notes;
        notes.sort();
        notes.dedup();
        let end = MatchEnd { frames: used.total, decoded: used.decoded, more: used.more, reasons, notes };
        log.log.finish(GroupId { stage: END, unit: 0 }, vec![Record::json(END, &end)?])?;
        log.end = Some(end);
        Ok(())
    }

    /// Matches frames until there are no more; gives the last ones, which are not searched for yet.
    fn consume(
        &self,
        log: &mut MatchLog,
        batches: &mut Batches<'_>,
        eye: &mut Eye,
        (used, places): (&Mutex<Used>, &Places),
        progress: &mut dyn FnMut(u64),
    ) -> Result<Waiting> {
        let mut waiting = Waiting::default();
        let mut sampler = None;
        // The frame before and its place: whether the next one follows a cut depends on it.
        let mut before: Option<(u64, Vec<u8>)> = None;
        let thin = self.expected.map_or(1, |n| n.div_ceil(THUMBS)).max(1);
        let per_frame = self.config.per_frame();
        let row = per_frame * eye.dim();
        let group_size = (self.save_every * per_frame).next_multiple_of(SEARCH).min(MOST.max(per_frame));
        while let Some(batch) = batches.next_batch()? {
            let count = batch.infos().len() as u32;
            let color = batch.desc().color;
            let shown: Vec<(u64, UsedFrame)> = {
                let mut used = used.lock().unwrap_or_else(PoisonError::into_inner);
                let there = used.frames.len().min(count as usize);
                used.frames.drain(..there).collect()
            };
            if shown.len() != count as usize {
                return Err(Error::Bug(format!("times of {} of {count} frames", shown.len())));
            }
            let rows = eye.rows(batch.frames(), color, count)?;
            let pictures = eye.pictures(batch.frames(), color, count)?;
            let mut samples: Vec<Option<Vec<u8>>> = vec![None; count as usize];
            if shown.iter().any(|(at, _)| places.mine(*at) && self.is_sample(*at)) {
                let sampler = sampler.get_or_insert_with(|| self.sampler());
                let sampler = sampler.as_mut().map_err(|e| Error::Bug(format!("samples: {e}")))?;
                sampler.frames(batch.frames(), color, count)?;
                let wanted = shown.iter().map(|(at, _)| places.mine(*at) && self.is_sample(*at));
                for ((sample, picture), wanted) in samples.iter_mut().zip(sampler.compared(count)?).zip(wanted) {
                    *sample = wanted.then(|| encode_jpeg(sampler.comparison(), &picture, 92)).transpose()?;
                }
            }
            // The frames make room for others now.
            drop(batch);
            let mut new = 0;
            let frames = shown.into_iter().zip(pictures).zip(rows.chunks_exact(row.max(1))).zip(samples);
            for ((((at, used), picture), rows), sample) in frames {
                let last = before.as_ref().filter(|(place, _)| place + 1 == at);
                let cut = last.is_some_and(|(_, b)| change(b, &picture) >= CUT);
                if places.mine(at) {
                    new += 1;
                    let unit = places.unit(at);
                    if waiting.units.last().is_none_or(|(of, _)| *of != unit) {
                        waiting.units.push((unit, Matches::default()));
                    }
                    let Some((_, matches)) = waiting.units.last_mut() else { continue };
                    let place = at as usize;
                    if at.is_multiple_of(thin) {
                        matches.thumbs.push((place, encode_jpeg(eye.size(), &picture, 80)?));
                    }
                    matches.samples.extend(sample.map(|jpeg| (place, jpeg)));
                    let of = |tile| FrameMatch { used, cut: cut && tile == 0, scene: 0, nearest: Vec::new() };
                    matches.frames.extend((0..per_frame).map(of));
                    waiting.queries.extend(rows);
                    // Saved when units are whole.
                    if places.ends(at) && waiting.units.iter().map(|u| u.1.frames.len()).sum::<usize>() >= group_size {
                        self.search(log, &mut waiting, row)?;
                    }
                }
                before = Some((at, picture));
            }
            progress(new);
        }
        Ok(waiting)
    }

    /// Searches for the frames of what waits and saves it; `row` is the count of numbers of a frame.
    fn search(&self, log: &mut MatchLog, waiting: &mut Waiting, row: usize) -> Result<()> {
        let Waiting { mut units, queries } = std::mem::take(waiting);
        if units.is_empty() {
            return Ok(());
        }
        let (k, per_frame) = (self.config.candidates() as usize, self.config.per_frame());
        let mut found = self.index.search(&queries, k)?.into_iter();
        let mut rest = queries.as_slice();
        for (_, unit) in &mut units {
            for (frame, nearest) in unit.frames.iter_mut().zip(&mut found) {
                frame.nearest = nearest.into_iter().map(|n| (n.id, n.score)).collect();
            }
            let (own, later) = rest.split_at((unit.frames.len() / per_frame.max(1) * row).min(rest.len()));
            if self.config.searches_again() {
                unit.queries = own.to_vec();
            }
            rest = later;
        }
        log.add(units, per_frame)
    }

    fn is_sample(&self, at: u64) -> bool {
        let interval = u64::from(self.config.sample_interval.max(1));
        at.is_multiple_of(interval) && at / interval < u64::from(self.config.samples)
    }

    /// Makes pictures of the height that samples have.
    fn sampler(&self) -> Result<Describer> {
        let [w, h] = super::eye::frame_aspect(self.config).map(u64::from);
        let wide = (u64::from(SAMPLE_HEIGHT) * w).div_ceil(h.max(1)).min(4096) as u32;
        let config = picture_only(self.config, SAMPLE_HEIGHT.max(wide));
        Describer::new(self.ctx, &config, self.options.batch, self.networks, &self.options.cancel)
    }
}

/// How the video ends whose source ended with `result`, behind `some` frames: `Some` for damage, and what came before is good.
///
/// # Errors
/// What ended the source before its first frame, and what may go away, by itself or with more memory: the run goes on there when it is called again.
fn ending(result: Result<()>, some: bool) -> Result<Option<Error>> {
    match result {
        Ok(()) => Ok(None),
        Err(e) if some && !e.retryable() && !matches!(e, Error::Memory { .. }) => Ok(Some(e)),
        Err(e) => Err(e),
    }
}

/// Height of a sample in pixels.
pub(super) const SAMPLE_HEIGHT: u32 = 480;

/// Mean absolute difference of the colours of two pictures of one size, in codes.
fn change(a: &[u8], b: &[u8]) -> f64 {
    let sum: u64 = a.iter().zip(b).map(|(a, b)| u64::from(a.abs_diff(*b))).sum();
    // Alpha never differs: three of four bytes count.
    sum as f64 / (a.len().max(4) as f64 * 0.75)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::error::GpuError;

    #[test]
    fn only_damage_ends_a_video() {
        let corrupt = || Error::InputCorrupt { path: "v.mp4".into(), reason: "r".into() };
        assert!(ending(Ok(()), true).unwrap().is_none() && ending(Ok(()), false).unwrap().is_none());
        assert!(matches!(ending(Err(corrupt()), true), Ok(Some(Error::InputCorrupt { .. }))));
        assert!(matches!(ending(Err(corrupt()), false), Err(Error::InputCorrupt { .. })));
        for e in [
            Error::Cancelled,
            Error::Deadline { what: "reading".into(), after: Duration::from_secs(1) },
            Error::Memory { kind: "GPU", needed_bytes: 2, limit_bytes: 1 },
            GpuError::OutOfMemory("frames".into()).into(),
            GpuError::Lost("gone".into()).into(),
            Error::storage("read", "v.mp4", std::io::ErrorKind::TimedOut.into()),
        ] {
            let code = e.code();
            assert_eq!(ending(Err(e), true).unwrap_err().code(), code);
        }
    }

    fn unit(first: u64, frames: u64, per_frame: u64) -> Matches {
        let of = |i: u64| FrameMatch {
            used: UsedFrame { frame: first + i / per_frame, seconds: 0.0, pts: 0, count: 1 },
            cut: false,
            scene: 0,
            nearest: vec![(i as u32, 0.5)],
        };
        Matches { frames: (0..frames * per_frame).map(of).collect(), ..Matches::default() }
    }

    #[test]
    fn a_unit_that_was_cut_is_matched_again() {
        let dir = tempfile::tempdir().unwrap();
        let (path, key) = (dir.path().join("matches"), RunKey::builder().field("x", 1).finish().unwrap());
        let places =
            |shard: Option<&str>| Places { shard: shard.map(|s| s.parse().unwrap()), size: 4, done: BTreeSet::new() };
        let mut log = MatchLog::open(&path, &key).unwrap();
        // Two matches a frame; unit 1 has three of its four frames.
        log.add(vec![(0, unit(0, 4, 2)), (1, unit(4, 3, 2)), (2, unit(8, 2, 2))], 2).unwrap();
        log.end = Some(MatchEnd { frames: 10, decoded: 10, more: 0, reasons: vec![], notes: vec![] });
        assert!(!log.is_whole(2, &places(None)) && log.is_whole(2, &places(Some("1/2"))));
        assert!(!log.is_whole(2, &places(Some("2/2"))));
        assert_eq!(log.done(4, 2), BTreeSet::from([0]));
        drop(log);
        // What is matched again replaces what was cut, in the file too.
        let mut log = MatchLog::open(&path, &key).unwrap();
        log.add(vec![(1, unit(4, 4, 2))], 2).unwrap();
        drop(log);
        let mut log = MatchLog::open(&path, &key).unwrap();
        assert!(!log.is_whole(2, &places(None)), "an end is missing");
        log.end = Some(MatchEnd { frames: 10, decoded: 10, more: 0, reasons: vec![], notes: vec![] });
        assert!(log.is_whole(2, &places(None)) && log.done(4, 2) == BTreeSet::from([0, 1]));
        // Units behind the end are of another video.
        log.end = Some(MatchEnd { frames: 8, decoded: 8, more: 0, reasons: vec![], notes: vec![] });
        assert!(!log.is_whole(2, &places(None)));
    }
}
