//! Both passes over the pictures: faces and cuts of every frame, then what the estimator sees in the tracks.

use std::collections::{BTreeMap, VecDeque};
use std::sync::PoisonError;

use super::config::SyncConfig;
use super::estimator::SeenFace;
use super::log::{FrameFacts, FramesEnd, LookGroup, SyncLog};
use super::models::{FaceNet, SyncModels};
use super::shots::CutMeter;
use super::thumbs::Thumbs;
use super::units::{Units, runs};
use super::video::{SyncVideo, Wanted};
use super::views::Views;
use super::who::TrackOf;
use crate::core::{BoxF, FrameLayout};
use crate::error::{Error, Result};
use crate::gpu::GpuContext;
use crate::media::Status;
use crate::pipeline::vision::Prepared;
use crate::pipeline::{PipelineOptions, batches};

/// Faces of a frame for which memory is set aside.
const FACES: u64 = 4;
/// Microseconds between a frame's declared end and the next frame from which on nothing is shown there.
const GAP: i64 = 500_000;

/// What both passes need.
pub(super) struct Passes<'a> {
    pub(super) ctx: &'a GpuContext,
    pub(super) video: &'a SyncVideo,
    pub(super) config: &'a SyncConfig,
    pub(super) options: &'a PipelineOptions,
    /// Of which units, of what length.
    pub(super) units: Units,
}

impl Passes<'_> {
    /// Finds the faces and the cuts of all frames of its units that `log` does not have yet. Ends early, with a reason, where the video is
    /// damaged.
    pub(super) fn frames(
        &self,
        models: &mut SyncModels,
        log: &mut SyncLog,
        progress: &mut dyn FnMut(u64),
    ) -> Result<()> {
        let (net, points) = (&mut models.faces, models.person.is_some());
        net.fit(self.ctx, self.video.size, self.config.face_side)?;
        let units = self.units;
        // The frame before a unit comes too: whether its first one follows a cut depends on it.
        let wanted = Wanted::Units { units, done: log.units().collect() };
        let (source, end, times) = self.video.frames(wanted)?;
        let element = net.net.stage().element_bytes();
        let bytes = move |layout: &FrameLayout, batch: u32| {
            4 * element * u64::from(batch) + CutMeter::bytes(u64::from(layout.slot_bytes()))
        };
        let options = PipelineOptions { ring_slots: self.options.ring_slots.max(3), ..self.options.clone() };
        let mut group: (u64, Vec<FrameFacts>) = (0, Vec::new());
        let hue = self.config.hue();
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
                        let unit = units.of(info.index);
                        if !units.mine(unit) || log.has_frames(unit) {
                            continue;
                        }
                        let at = usize::try_from(info.index).unwrap_or(usize::MAX);
                        let time = times.lock().unwrap_or_else(PoisonError::into_inner).get(at).copied();
                        let (t, d) = time.ok_or_else(|| Error::Bug(format!("frame {at} without a time")))?;
                        group.0 = unit;
                        group.1.push(FrameFacts { t, d, c: score, f, p });
                        progress(1);
                        if group.1.len() as u64 >= units.size() {
                            log.add_frames(unit, std::mem::take(&mut group.1))?;
                        }
                    }
                    drop(batch);
                }
                if last {
                    return Ok(());
                }
            }
        })?;
        self.options.cancel.check()?;
        let frames = times.lock().unwrap_or_else(PoisonError::into_inner).len() as u64;
        if !group.1.is_empty() {
            log.add_frames(group.0, group.1)?;
        }
        let failed = report.result.err();
        if frames == 0 {
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
        log.end_frames(FramesEnd { frames, reasons, notes })
    }

    /// Lets the estimator look at `tracks` in the frames of its units that it has not seen yet; `frames` are those of the whole video.
    pub(super) fn looks(
        &self,
        models: &mut SyncModels,
        (tracks, frames): (&[TrackOf], &[FrameFacts]),
        log: &mut SyncLog,
        progress: &mut dyn FnMut(u64),
    ) -> Result<()> {
        let (units, total) = (self.units, frames.len() as u64);
        let mut todo: VecDeque<u64> =
            (0..units.count(total)).filter(|u| units.mine(*u) && !log.has_looks(*u)).collect();
        if todo.is_empty() {
            return Ok(());
        }
        let estimator = models.estimator.as_mut();
        // A stretch begins with a little that is not kept.
        let warm_up = estimator.warm_up();
        let warm = |first: u64| warm_from(frames, first, warm_up);
        let mut ahead: VecDeque<_> = runs(units, todo.make_contiguous(), total, &warm).into();
        let ranges: Vec<(u64, u64)> = tracks.iter().map(|t| (t.track.first, t.track.last() + 1)).collect();
        let (source, ..) = self.video.frames(Wanted::both(&ranges, ahead.make_contiguous()))?;
        let each = estimator.bytes(FACES);
        let bytes = move |_: &FrameLayout, batch: u32| each * u64::from(batch);
        let mut thumbs = Thumbs::new(self.ctx, tracks)?;
        let mut views = Views::new(models.person.as_mut(), tracks, frames);
        let mut open: BTreeMap<u64, LookGroup> = BTreeMap::new();
        let mut seen_to = 0;
        let ((), report) = batches(self.ctx, self.options, source, &bytes, |all| {
            while let Some(batch) = all.next_batch()? {
                self.options.cancel.check()?;
                let keep = |frame: u64| {
                    let unit = units.of(frame);
                    units.mine(unit) && !log.has_looks(unit)
                };
                // What belongs to a unit goes through the estimator by itself.
                let mut faces: Vec<(u64, Vec<SeenFace>)> = Vec::new();
                for (slot, info) in (0u32..).zip(batch.infos()) {
                    let unit = units.of(info.index);
                    if faces.last().is_none_or(|(of, _)| *of != unit) {
                        faces.push((unit, Vec::new()));
                    }
                    let Some((_, here)) = faces.last_mut() else { continue };
                    let (from, to) = shown(frames, info.index);
                    let shown = (from as f64 / 1e6, to as f64 / 1e6);
                    for (track, of) in (0u32..).zip(tracks) {
                        if let Some(face) = of.face(info.index) {
                            here.push(SeenFace { track, slot, shown, face, keep: keep(info.index) });
                        }
                    }
                }
                for (unit, faces) in faces {
                    let mut first = None;
                    while let Some(run) = ahead.front().copied().filter(|r| units.of(r.first) <= unit) {
                        first = Some(run.first);
                        ahead.pop_front();
                    }
                    if let Some(first) = first {
                        let seconds = shown(frames, first).0 as f64 / 1e6;
                        estimator.begin(self.video, seconds, &self.config.judging())?;
                    }
                    let looks = estimator.look(batch.frames(), batch.desc().color, &faces)?;
                    open.entry(unit).or_default().looks.extend(looks);
                }
                thumbs.take(&batch, &keep, &mut |frame, track, jpeg| {
                    open.entry(units.of(frame)).or_default().thumbs.push((track, jpeg));
                })?;
                views.take(&batch, &keep, &mut |frame, track, vector| {
                    open.entry(units.of(frame)).or_default().vectors.push((track, vector));
                })?;
                let done = batch.infos().last().map_or(seen_to, |i| i.index + 1);
                progress(batch.infos().iter().filter(|i| keep(i.index)).count() as u64);
                seen_to = seen_to.max(done);
                drop(batch);
                while let Some(unit) = todo.front().copied().filter(|u| units.range(*u, total).1 <= seen_to) {
                    log.add_looks(unit, open.remove(&unit).unwrap_or_default())?;
                    todo.pop_front();
                }
            }
            Ok(())
        })?;
        self.options.cancel.check()?;
        // Where the video ends early, the first pass has said so.
        if let Err(e) = report.result
            && log.end.as_ref().is_none_or(|end| end.reasons.is_empty())
        {
            return Err(e);
        }
        for unit in todo {
            log.add_looks(unit, open.remove(&unit).unwrap_or_default())?;
        }
        Ok(())
    }
}

/// Start and end in microseconds of the time in which a frame is shown: until the next one begins. Declared lengths are rounded, or the same for
/// all frames of a file, so that ticks would be missing or there twice; only where nothing is shown for long does a frame end when it says.
fn shown(frames: &[FrameFacts], frame: u64) -> (i64, i64) {
    let at = |frame: u64| usize::try_from(frame).ok().and_then(|i| frames.get(i));
    let Some(this) = at(frame) else { return (0, 0) };
    let declared = this.t.saturating_add(this.d);
    let next = at(frame.saturating_add(1)).map(|next| next.t);
    let end = next.filter(|next| *next > this.t && next.saturating_sub(declared) < GAP);
    (this.t, end.unwrap_or(declared))
}

/// The frame to begin with so that all of the `seconds` before frame `first` are seen. Frames may come in bursts: they are not counted.
fn warm_from(frames: &[FrameFacts], first: u64, seconds: f64) -> u64 {
    let time = |frame: u64| shown(frames, frame).0;
    let until = time(first).saturating_sub((seconds * 1e6).ceil() as i64);
    (0..first).rev().take_while(|frame| time(frame + 1) > until).last().unwrap_or(first)
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

/// The middle box of a track, for its picture.
pub(super) fn middle(of: &TrackOf) -> (u64, BoxF) {
    let at = of.boxes.len() / 2;
    (of.track.first + at as u64, of.boxes.get(at).copied().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Frames of `(start, length)` in milliseconds.
    fn frames(times: impl IntoIterator<Item = (i64, i64)>) -> Vec<FrameFacts> {
        let frame = |(t, d): (i64, i64)| FrameFacts { t: t * 1000, d: d * 1000, c: None, f: vec![], p: vec![] };
        times.into_iter().map(frame).collect()
    }

    fn all_shown(frames: &[FrameFacts]) -> Vec<(i64, i64)> {
        (0..frames.len() as u64).map(|n| shown(frames, n)).map(|(from, to)| (from / 1000, to / 1000)).collect()
    }

    #[test]
    fn a_frame_is_shown_until_the_next_one_begins() {
        // 30 frames a second as Matroska rounds them, and as it says that each lasts as long.
        let rounded = frames([(0, 33), (33, 33), (67, 33), (100, 33)]);
        assert_eq!(all_shown(&rounded), [(0, 33), (33, 67), (67, 100), (100, 133)]);
        // One length for all, whatever their distance: too short, too long; a pause; damage that stands still.
        let uneven = frames([(0, 40), (100, 40), (110, 40), (649, 40), (1200, 40), (1200, 40), (1240, 40)]);
        let wanted = [(0, 100), (100, 110), (110, 649), (649, 689), (1200, 1240), (1200, 1240), (1240, 1280)];
        assert_eq!(all_shown(&uneven), wanted);
        assert_eq!(shown(&uneven, 7), (0, 0));
    }

    #[test]
    fn a_stretch_warms_up_by_time_however_frames_come() {
        // Two frames a second, then a burst of one each millisecond.
        let slow = (0..20).map(|i| (500 * i, 500));
        let burst = frames(slow.chain((0..400).map(|i| (10_000 + i, 1))));
        for (first, from) in [(0, 0), (1, 0), (5, 4), (20, 19), (259, 19), (260, 20), (261, 21), (400, 160)] {
            assert_eq!(warm_from(&burst, first, 0.24), from, "before {first}");
            assert_eq!(warm_from(&burst, first, 0.0), first);
        }
        let even = frames((0..100).map(|i| (40 * i, 40)));
        assert_eq!(warm_from(&even, 50, 0.24), 44);
        assert_eq!(warm_from(&even, 3, 0.24), 0);
    }
}
