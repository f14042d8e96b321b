//! The first half: frames in, their nearest pictures out, kept in a journal by and by.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use super::super::describe::Describer;
use super::super::network::Networks;
use super::super::select::FrameCandidates;
use super::config::CollageConfig;
use super::eye::{Eye, picture_only};
use super::source::{SampledSource, Used};
use super::timeline::UsedFrame;
use crate::core::{FrameLayout, Neighbor};
use crate::error::{Error, Result};
use crate::gpu::GpuContext;
use crate::index::VectorIndex;
use crate::media::{Status, encode_jpeg};
use crate::pipeline::{Batches, PipelineOptions, VideoEnd, batches};
use crate::store::{Journal, OsIo, Record, RunKey};

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

const FRAMES: u32 = 1;
const QUERIES: u32 = 2;
const THUMB: u32 = 3;
const SAMPLE: u32 = 4;
const END: u32 = 5;

/// A frame and the pictures nearest to it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct FrameMatch {
    pub(super) used: UsedFrame,
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

/// The journal of matches.
#[derive(Debug)]
pub(super) struct MatchLog {
    journal: Journal,
    pub(super) found: Matches,
}

impl MatchLog {
    /// Opens or creates the journal; what an interrupted run found is there.
    pub(super) fn open(path: &Path, key: &RunKey) -> Result<Self> {
        let (journal, recovered) = Journal::open(&OsIo, path, key)?;
        let mut found = Matches::default();
        let corrupt = || crate::StateError::Corrupt { path: path.into(), reason: "a record of matches".into() };
        // Records of a group come before its frames; without them they count for nothing.
        let mut waiting = Matches::default();
        for record in &recovered.records {
            let numbered = || {
                let (at, rest) = record.payload.split_first_chunk::<4>()?;
                Some((u32::from_le_bytes(*at) as usize, rest.to_vec()))
            };
            match record.kind {
                QUERIES => {
                    let bytes = record.payload.as_chunks::<4>().0;
                    waiting.queries.extend(bytes.iter().map(|b| f32::from_le_bytes(*b)));
                }
                THUMB => waiting.thumbs.push(numbered().ok_or_else(corrupt)?),
                SAMPLE => waiting.samples.push(numbered().ok_or_else(corrupt)?),
                FRAMES => {
                    found.frames.extend(record.parse::<Vec<FrameMatch>>().ok_or_else(corrupt)?);
                    let group = std::mem::take(&mut waiting);
                    found.queries.extend(group.queries);
                    found.thumbs.extend(group.thumbs);
                    found.samples.extend(group.samples);
                }
                END => found.end = Some(record.parse().ok_or_else(corrupt)?),
                _ => return Err(corrupt().into()),
            }
        }
        let torn = !(waiting.queries.is_empty() && waiting.thumbs.is_empty() && waiting.samples.is_empty());
        let journal = if torn {
            // What is torn would be taken for a part of the next group.
            let last = recovered.records.iter().rposition(|r| matches!(r.kind, FRAMES | END)).map_or(0, |at| at + 1);
            journal.rewrite(&OsIo, key, recovered.records.get(..last).unwrap_or_default())?
        } else {
            journal
        };
        Ok(Self { journal, found })
    }

    /// Appends frames of `per_frame` matches each.
    fn append(&mut self, group: Matches, per_frame: usize) -> Result<()> {
        let mut records = Vec::new();
        let first = self.found.frames.len() / per_frame.max(1);
        // Whole frames, few enough for a record.
        let candidates = group.frames.first().map_or(1, |f| f.nearest.len()).max(1);
        let frames = (RECORD / 40 / candidates / per_frame.max(1)).max(1);
        let dim = group.queries.len() / group.frames.len().max(1);
        for (i, matches) in group.frames.chunks(frames * per_frame).enumerate() {
            let numbers = group.queries.chunks((frames * per_frame * dim).max(1)).nth(i).unwrap_or_default();
            for numbers in numbers.chunks(RECORD / 4) {
                let payload = numbers.iter().flat_map(|v| v.to_le_bytes()).collect();
                records.push(Record { kind: QUERIES, payload });
            }
            let here = first + i * frames..first + (i + 1) * frames;
            for (kind, list) in [(THUMB, &group.thumbs), (SAMPLE, &group.samples)] {
                for (at, jpeg) in list.iter().filter(|(at, _)| here.contains(at)) {
                    let payload = (*at as u32).to_le_bytes().iter().chain(jpeg).copied().collect();
                    records.push(Record { kind, payload });
                }
            }
            records.push(Record::json(FRAMES, &matches)?);
        }
        self.journal.append_all(&records)?;
        self.found.frames.extend(group.frames);
        self.found.queries.extend(group.queries);
        self.found.thumbs.extend(group.thumbs);
        self.found.samples.extend(group.samples);
        Ok(())
    }
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

impl Matching<'_> {
    /// Matches all frames of `source` that `log` does not have yet.
    ///
    /// # Errors
    /// `Cancelled`, the device, storage, the search; the error that ended the source before its first frame.
    pub(super) fn run(&self, log: &mut MatchLog, source: SampledSource, progress: &mut dyn FnMut(u64)) -> Result<()> {
        let used = Arc::clone(&source.used);
        let longest = u64::from(self.config.descriptor.comparison_size);
        let pixels = longest * longest * self.config.per_frame() as u64;
        let work = |_: &FrameLayout, batch: u32| u64::from(batch) * pixels * 12;
        let options = PipelineOptions { batch: Eye::batch(self.config, self.options.batch)?, ..self.options.clone() };
        let mut eye = Eye::new(self.ctx, self.config, options.batch, self.networks, &options.cancel)?;
        let ((), report) = batches(self.ctx, &options, Box::new(source), &work, |batches| {
            self.consume(log, batches, &mut eye, &used, progress)
        })?;
        self.options.cancel.check()?;
        match report.result {
            // What came before a failure is good: the collage ends there, and says so.
            Err(e) if !log.found.frames.is_empty() => self.end(log, &used, Some(e)),
            Err(e) => Err(e),
            Ok(()) => self.end(log, &used, None),
        }
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
        let end = MatchEnd { decoded: used.decoded, more: used.more, reasons, notes };
        log.journal.append(&Record::json(END, &end)?)?;
        log.found.end = Some(end);
        Ok(())
    }

    fn consume(
        &self,
        log: &mut MatchLog,
        batches: &mut Batches<'_>,
        eye: &mut Eye,
        used: &Mutex<Used>,
        progress: &mut dyn FnMut(u64),
    ) -> Result<()> {
        let mut group = Matches::default();
        let mut queries: Vec<f32> = Vec::new();
        let mut sampler = None;
        let mut before: Option<Vec<u8>> = None;
        let mut scene = log.found.frames.last().map_or(0, |f| f.scene);
        let thin = self.expected.map_or(1, |n| n.div_ceil(THUMBS)).max(1) as usize;
        let per_frame = self.config.per_frame();
        let group_size = (self.save_every * per_frame).next_multiple_of(SEARCH).min(MOST.max(per_frame));
        // A run that goes on sees the last frame it had once more: whether the next one follows a cut depends on it.
        let mut known = usize::from(!log.found.frames.is_empty());
        while let Some(batch) = batches.next_batch()? {
            let count = batch.infos().len() as u32;
            let color = batch.desc().color;
            let rows = eye.rows(batch.frames(), color, count)?;
            queries.extend(rows.get(known * per_frame * eye.dim()..).unwrap_or_default());
            let pictures = eye.pictures(batch.frames(), color, count)?;
            let first = (log.found.frames.len() + group.frames.len()) / per_frame - known;
            let known_now = std::mem::take(&mut known);
            let new = first + known_now..first + count as usize;
            let wanted: Vec<usize> = new.clone().filter(|at| self.is_sample(*at)).collect();
            if !wanted.is_empty() {
                let sampler = sampler.get_or_insert_with(|| self.sampler());
                let sampler = sampler.as_mut().map_err(|e| Error::Bug(format!("samples: {e}")))?;
                sampler.frames(batch.frames(), color, count)?;
                let large = sampler.compared(count)?;
                for at in wanted {
                    let picture = large.get(at - first).map_or(&[][..], Vec::as_slice);
                    group.samples.push((at, encode_jpeg(sampler.comparison(), picture, 92)?));
                }
            }
            // The frames make room for others now.
            drop(batch);
            let mut frames = used.lock().unwrap_or_else(PoisonError::into_inner);
            let there = frames.frames.len().min(count as usize);
            let shown: Vec<UsedFrame> = frames.frames.drain(..there).collect();
            drop(frames);
            if shown.len() != count as usize {
                return Err(Error::Bug(format!("times of {} of {count} frames", shown.len())));
            }
            for ((at, used), picture) in (first..).zip(shown).zip(pictures) {
                if !new.contains(&at) {
                    before = Some(picture);
                    continue;
                }
                if before.as_ref().is_some_and(|b| change(b, &picture) >= CUT) {
                    scene += 1;
                }
                if at % thin == 0 {
                    group.thumbs.push((at, encode_jpeg(eye.size(), &picture, 80)?));
                }
                before = Some(picture);
                group.frames.extend((0..per_frame).map(|_| FrameMatch { used, scene, nearest: Vec::new() }));
            }
            progress(new.len() as u64);
            if group.frames.len() >= group_size {
                self.search(log, &mut group, &mut queries)?;
            }
        }
        self.search(log, &mut group, &mut queries)
    }

    /// Searches for the frames of `group` and saves it.
    fn search(&self, log: &mut MatchLog, group: &mut Matches, queries: &mut Vec<f32>) -> Result<()> {
        if group.frames.is_empty() {
            return Ok(());
        }
        let k = self.config.candidates() as usize;
        let found = self.index.search(queries, k)?;
        for (frame, nearest) in group.frames.iter_mut().zip(found) {
            frame.nearest = nearest.into_iter().map(|n| (n.id, n.score)).collect();
        }
        if self.config.searches_again() {
            group.queries = std::mem::take(queries);
        }
        queries.clear();
        log.append(std::mem::take(group), self.config.per_frame())
    }

    fn is_sample(&self, at: usize) -> bool {
        let interval = self.config.sample_interval.max(1) as usize;
        at.is_multiple_of(interval) && at / interval < self.config.samples as usize
    }

    /// Makes pictures of the height that samples have.
    fn sampler(&self) -> Result<Describer> {
        let [w, h] = super::eye::frame_aspect(self.config).map(u64::from);
        let wide = (u64::from(SAMPLE_HEIGHT) * w).div_ceil(h.max(1)).min(4096) as u32;
        let config = picture_only(self.config, SAMPLE_HEIGHT.max(wide));
        Describer::new(self.ctx, &config, self.options.batch, self.networks, &self.options.cancel)
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
