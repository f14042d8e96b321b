//! Both passes over the pictures: faces and cuts of every frame, then what the estimator sees in the tracks.

use std::sync::PoisonError;

use super::config::SyncConfig;
use super::estimator::SeenFace;
use super::log::{FrameFacts, FramesEnd, LookGroup, SyncLog};
use super::models::{FaceNet, SyncModels};
use super::shots::CutMeter;
use super::thumbs::Thumbs;
use super::video::{SyncVideo, Wanted};
use super::views::Views;
use super::who::TrackOf;
use crate::core::{BoxF, FrameInfo, FrameLayout};
use crate::error::{Error, Result};
use crate::gpu::GpuContext;
use crate::media::Status;
use crate::pipeline::vision::Prepared;
use crate::pipeline::{PipelineOptions, batches};

/// Faces of a frame for which memory is set aside.
const FACES: u64 = 4;

/// What both passes need.
pub(super) struct Passes<'a> {
    pub(super) ctx: &'a GpuContext,
    pub(super) video: &'a SyncVideo,
    pub(super) config: &'a SyncConfig,
    pub(super) options: &'a PipelineOptions,
}

impl Passes<'_> {
    /// Frames of a chunk: what is saved together.
    fn group(&self) -> usize {
        (self.config.chunk_duration / self.video.usual()).clamp(1.0, 20_000.0) as usize
    }

    /// Finds the faces and the cuts of all frames that `log` does not have yet. Ends early, with a reason, where the video is damaged.
    pub(super) fn frames(
        &self,
        models: &mut SyncModels,
        log: &mut SyncLog,
        progress: &mut dyn FnMut(u64),
    ) -> Result<()> {
        let (net, points) = (&mut models.faces, models.person.is_some());
        net.fit(self.ctx, self.video.size, self.config.face_side)?;
        let known = log.found.frames.len() as u64;
        // The last frame that is known comes once more: whether the next one follows a cut depends on it.
        let first = known.saturating_sub(1);
        let (source, end) = self.video.frames(Wanted::from(first))?;
        let element = net.net.stage().element_bytes();
        let bytes = move |layout: &FrameLayout, batch: u32| {
            4 * element * u64::from(batch) + CutMeter::bytes(u64::from(layout.slot_bytes()))
        };
        let options = PipelineOptions { ring_slots: self.options.ring_slots.max(3), ..self.options.clone() };
        let mut group: Vec<FrameFacts> = Vec::new();
        let (hue, usual, most) = (self.config.hue(), self.video.usual(), self.group());
        let ((), report) = batches(self.ctx, &options, source, &bytes, |all| {
            let mut cuts = CutMeter::default();
            let mut ahead = None;
            loop {
                let next = match all.next_batch()? {
                    Some(batch) => {
                        let count = u32::try_from(batch.infos().len()).unwrap_or(u32::MAX);
                        let prepared = net.net.submit_whole(batch.frames(), batch.desc().color, count)?;
                        let differences = cuts.submit(self.ctx, &batch)?;
                        Some((batch, prepared, differences))
                    }
                    None => None,
                };
                let last = next.is_none();
                if let Some((batch, prepared, differences)) = std::mem::replace(&mut ahead, next) {
                    let faces = faces(net, prepared, points)?;
                    let scores = cuts.finish(self.ctx, differences, hue)?;
                    for ((info, (f, p)), score) in batch.infos().iter().zip(faces).zip(scores) {
                        if info.index < known {
                            continue;
                        }
                        let before = group.last().or(log.found.frames.last());
                        let (t, d) = shown(info, before, usual);
                        group.push(FrameFacts { t, d, c: score, f, p });
                        progress(1);
                    }
                    drop(batch);
                    if group.len() >= most {
                        log.add_frames(std::mem::take(&mut group))?;
                    }
                }
                if last {
                    return Ok(());
                }
            }
        })?;
        self.options.cancel.check()?;
        log.add_frames(group)?;
        let failed = report.result.err();
        if log.found.frames.is_empty() {
            let nothing =
                || Error::InputCorrupt { path: self.video.path.clone(), reason: "no frame could be decoded".into() };
            return Err(failed.unwrap_or_else(nothing));
        }
        let decoder = end.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut reasons = Vec::new();
        if let Some(verdict) = decoder.verdict.filter(|v| matches!(v.status, Status::Partial | Status::Rejected)) {
            reasons.extend(verdict.reasons);
        }
        reasons.extend(failed.map(|e| e.to_string()));
        let mut notes = decoder.notes;
        notes.sort();
        notes.dedup();
        log.end_frames(FramesEnd { reasons, notes })
    }

    /// Lets the estimator look at `tracks` in all frames that it has not seen yet.
    pub(super) fn looks(
        &self,
        models: &mut SyncModels,
        tracks: &[TrackOf],
        log: &mut SyncLog,
        progress: &mut dyn FnMut(u64),
    ) -> Result<()> {
        let end = log.found.frames.len() as u64;
        let from = log.found.looked;
        if from >= end {
            return Ok(());
        }
        let estimator = models.estimator.as_mut();
        let times: Vec<(i64, i64)> = log.found.frames.iter().map(|f| (f.t, f.d)).collect();
        let shown = |frame: u64| usize::try_from(frame).ok().and_then(|i| times.get(i)).copied().unwrap_or((0, 0));
        // A run that goes on sees a little again, and does not keep it.
        let again = (estimator.warm_up() / self.video.usual()).ceil() as u64 * 2;
        let first = from.saturating_sub(again);
        estimator.begin(self.video, shown(first).0 as f64 / 1e6, &self.config.judging())?;
        let ranges = tracks.iter().map(|t| (t.track.first, t.track.last() + 1)).collect();
        let (source, _) = self.video.frames(Wanted::inside(ranges, first))?;
        let each = estimator.bytes(FACES);
        let bytes = move |_: &FrameLayout, batch: u32| each * u64::from(batch);
        let mut thumbs = Thumbs::new(self.ctx, tracks)?;
        let mut views = Views::new(models.person.as_mut(), tracks, &log.found.frames);
        let (mut group, mut seen_to) = (LookGroup::default(), from);
        let most = self.group() as u64;
        let ((), report) = batches(self.ctx, self.options, source, &bytes, |all| {
            while let Some(batch) = all.next_batch()? {
                self.options.cancel.check()?;
                let mut faces: Vec<SeenFace> = Vec::new();
                for (slot, info) in (0u32..).zip(batch.infos()) {
                    let (t, d) = shown(info.index);
                    let shown = (t as f64 / 1e6, (t + d) as f64 / 1e6);
                    for (track, of) in (0u32..).zip(tracks) {
                        if let Some(face) = of.face(info.index) {
                            faces.push(SeenFace { track, slot, shown, face, keep: info.index >= from });
                        }
                    }
                }
                group.looks.extend(estimator.look(batch.frames(), batch.desc().color, &faces)?);
                thumbs.take(&batch, from, &mut group.thumbs)?;
                views.take(&batch, from, &mut group.vectors)?;
                let done = batch.infos().last().map_or(seen_to, |i| i.index + 1);
                progress(done.saturating_sub(seen_to));
                seen_to = seen_to.max(done);
                drop(batch);
                if seen_to - log.found.looked >= most {
                    log.add_looks(std::mem::take(&mut group), seen_to)?;
                }
            }
            Ok(())
        })?;
        self.options.cancel.check()?;
        // Where the video ends early, the first pass has said so.
        if let Err(e) = report.result
            && log.found.end.as_ref().is_none_or(|end| end.reasons.is_empty())
        {
            return Err(e);
        }
        log.add_looks(group, end)
    }
}

/// Boxes and key points of a frame, as they are kept.
type Kept = (Vec<[i32; 5]>, Vec<[i16; 10]>);

/// Faces of the frames of a batch; with their key points, if they are wanted and all faces have them.
fn faces(net: &mut FaceNet, prepared: Prepared, points: bool) -> Result<Vec<Kept>> {
    let FaceNet { net, head, .. } = net;
    let mut all = Vec::new();
    net.finish(prepared, &[], |run| {
        for faces in head.decode(&run.outputs, run.places, head.options())? {
            let boxes = faces.iter().map(|f| FrameFacts::keep(&f.rect, f.score)).collect();
            let found = faces.iter().filter(|_| points).map(|f| FrameFacts::keep_points(&f.rect, &f.points));
            all.push((boxes, found.collect::<Option<Vec<_>>>().unwrap_or_default()));
        }
        Ok(())
    })?;
    Ok(all)
}

/// Start and length of a frame in microseconds. One without a time follows the one before.
fn shown(info: &FrameInfo, before: Option<&FrameFacts>, usual: f64) -> (i64, i64) {
    let micros = |seconds: f64| (seconds * 1e6).round() as i64;
    let lasts = info.time_base.seconds(info.duration);
    let d = micros(if lasts > 0.0 { lasts } else { usual });
    let after = before.map(|b| b.t + b.d);
    let t = match (info.seconds().map(micros), before) {
        // A time that goes back is damage.
        (Some(t), Some(b)) if t <= b.t => after.unwrap_or(0),
        (Some(t), _) => t,
        (None, _) => after.unwrap_or(0),
    };
    (t, d)
}

/// The middle box of a track, for its picture.
pub(super) fn middle(of: &TrackOf) -> (u64, BoxF) {
    let at = of.boxes.len() / 2;
    (of.track.first + at as u64, of.boxes.get(at).copied().unwrap_or_default())
}
