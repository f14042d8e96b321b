//! One pass over frames that somebody looks at: networks, boxes of a file, or whatever a host brings.

use std::path::Path;

use super::bells::{BellSums, CELL_UNIT};
use super::boxes::BoxSums;
use super::masks::MaskSums;
use super::shape::FLOW;
use super::steps::{StepClock, Steps};
use super::sums::HeatSums;
use super::work::{HeatWork, heat_bytes, size_changes};
use super::{HeatConfig, HeatFound, HeatKind, MEASURE, measured_sums, without_frames};
use crate::config::Settings;
use crate::core::{BoxF, FrameLayout, Observer, Size};
use crate::error::{Error, Result};
use crate::gpu::{GpuContext, Recorder};
use crate::pipeline::{BatchView, BatchWork, FrameSource, HeldBatch, PipelineOptions, batches};
use crate::workflows::reporter::{Reporter, stoppable};

/// What somebody saw in a frame.
#[derive(Debug, Clone, PartialEq)]
pub enum HeatSight {
    /// Objects, in pixels of the frame; they may reach over its edges.
    Boxes(Vec<BoxF>),
    /// Coverage 0..=1 per pixel of the map, row by row.
    Mask {
        /// Width and height: those that [`HeatWatch::watch`] was asked for.
        size: Size,
        /// The values.
        values: Vec<f32>,
    },
}

/// Somebody who looks at frames.
pub trait HeatWatch: Send {
    /// What is seen in which frames of the batch, counted within it, rising; frames that are left out count as not looked at. Masks are of
    /// size `map`.
    fn watch(&mut self, batch: &HeldBatch, map: Size) -> Result<Vec<(usize, HeatSight)>>;

    /// Bytes on the device for batches of `batch` frames.
    fn bytes(&self, batch: u32) -> u64 {
        let _ = batch;
        0
    }
}

/// Frames in which faces are looked for, where they are not those of the source itself.
pub struct FaceFrames {
    /// The frames.
    pub source: Box<dyn FrameSource>,
    /// To which frame of the source of heat each of them belongs.
    pub places: Vec<u64>,
}

impl std::fmt::Debug for FaceFrames {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FaceFrames").field("places", &self.places.len()).finish_non_exhaustive()
    }
}

/// Who looks at the frames.
#[derive(Default)]
pub struct Watching {
    /// For [`HeatKind::Detections`], [`HeatKind::Boxes`] and [`HeatKind::Saliency`].
    pub source: Option<Box<dyn HeatWatch>>,
    /// For faces.
    pub faces: Option<Box<dyn HeatWatch>>,
    /// Where faces are looked for, if elsewhere.
    pub face_frames: Option<FaceFrames>,
}

impl std::fmt::Debug for Watching {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (source, faces) = (self.source.is_some(), self.faces.is_some());
        f.debug_struct("Watching").field("source", &source).field("faces", &faces).finish_non_exhaustive()
    }
}

impl HeatConfig {
    /// Size of the map for frames of `frame`.
    fn map_size(&self, frame: Size) -> Size {
        match self.source {
            HeatKind::Flow => FLOW.size(frame.fit_within(self.side)),
            // Networks give masks of about this size.
            HeatKind::Saliency => frame.fit_within(self.side.min(320)),
            _ => frame.fit_within(self.side),
        }
    }
}

enum Sums {
    Boxes(BoxSums),
    Masks(MaskSums),
}

/// What is counted on the way.
struct Pass<'a> {
    config: &'a HeatConfig,
    path: &'a Path,
    clock: StepClock,
    frame: Option<Size>,
    map: Size,
    gpu: Option<(HeatWork<'a>, Option<u32>)>,
    sums: Option<(Sums, Steps)>,
    bells: Option<BellSums>,
    /// Frames that the source's watcher looked at.
    looked: u64,
    /// Step of each frame, for those of another source that belong to them.
    steps: Vec<i64>,
    /// Frames before this number have no faces that count.
    from: u64,
}

impl<'a> Pass<'a> {
    fn new(config: &'a HeatConfig, path: &'a Path) -> Self {
        let gpu = config.source.is_measured().then(|| (HeatWork::new(config, path, None), None));
        let (clock, map) = (StepClock::new(config.step), Size::new(1, 1));
        Self {
            config,
            path,
            clock,
            frame: None,
            map,
            gpu,
            sums: None,
            bells: None,
            looked: 0,
            steps: Vec::new(),
            from: 0,
        }
    }

    fn size(&mut self, size: Size) -> Result<()> {
        match self.frame {
            Some(before) if before == size => return Ok(()),
            Some(before) => return Err(size_changes(self.path, before, size)),
            None => {}
        }
        (self.frame, self.map) = (Some(size), self.config.map_size(size));
        let steps = |full| Steps::new(size, self.map, full, &self.clock);
        if self.gpu.is_none() {
            let sums = match self.config.source {
                HeatKind::Saliency => Sums::Masks(MaskSums::new(self.map)),
                _ => Sums::Boxes(BoxSums::new(self.config, size, self.map)),
            };
            self.sums = Some((sums, steps(self.config.full())));
        }
        if self.config.face_weight > 0.0 {
            self.bells = Some(BellSums::new(size, self.map, steps(CELL_UNIT)));
        }
        Ok(())
    }

    /// Kernels of a batch, waited for.
    fn measure(&mut self, ctx: &GpuContext, batch: &HeldBatch) -> Result<()> {
        let Some((work, shape)) = &mut self.gpu else { return Ok(()) };
        if shape.replace(batch.shape_number()) != Some(batch.shape_number()) {
            work.begin(ctx, batch.desc(), batch.frames().layout(), batch.capacity(), 0)?;
        }
        let view = BatchView {
            frames: batch.frames(),
            desc: batch.desc(),
            infos: batch.infos(),
            ring_slot: batch.ring_slot(),
        };
        let mut rec = Recorder::new(ctx, "heat");
        let ranges = work.record(ctx, &view, &mut rec)?;
        rec.run()?;
        let mut bytes = Vec::new();
        for (buffer, offset, length) in ranges {
            let all = buffer.read(ctx, offset + length)?;
            bytes.extend_from_slice(all.get(offset as usize..).unwrap_or_default());
        }
        work.decode(batch.infos(), &bytes).map(drop)
    }

    fn see(&mut self, batch: &HeldBatch, seen: Vec<(usize, HeatSight)>) -> Result<()> {
        for (at, sight) in seen {
            let Some(info) = batch.infos().get(at) else { continue };
            let step = self.clock.step_of(info);
            self.looked += 1;
            let Some((sums, steps)) = &mut self.sums else { continue };
            steps.count(step);
            match (sums, sight) {
                (Sums::Boxes(sums), HeatSight::Boxes(boxes)) => {
                    sums.add((step, self.clock.time_of(info)), &boxes, steps);
                }
                (Sums::Masks(sums), HeatSight::Mask { size, values }) => sums.add(step, size, &values, steps)?,
                _ => return Err(Error::Bug(format!("`{}` is seen as something else", self.config.source.name()))),
            }
        }
        Ok(())
    }

    fn see_faces(&mut self, seen: Vec<(usize, HeatSight)>, step: impl Fn(usize) -> Option<i64>) {
        let Some(bells) = &mut self.bells else { return };
        for (at, sight) in seen {
            if let (Some(step), HeatSight::Boxes(boxes)) = (step(at), sight) {
                bells.add(step, &boxes);
            }
        }
    }

    /// The sums of all that was seen; `None` without a frame.
    fn sums(mut self, ctx: &GpuContext) -> Result<Option<HeatSums>> {
        let frames = self.steps.len() as u64;
        let bells = self.bells.take();
        let sums = match (self.gpu.take(), self.sums.take()) {
            (Some((mut work, _)), _) => work.sums(ctx)?.map(|sums| HeatSums { bells, ..sums }),
            (None, Some((sums, mut steps))) => {
                let (counts, sides) = match sums {
                    Sums::Boxes(mut sums) => {
                        sums.end(&mut steps);
                        (sums.counts(), sums.sides().clone())
                    }
                    Sums::Masks(mut sums) => {
                        sums.cells.flush(&mut steps);
                        (sums.counts().to_vec(), Default::default())
                    }
                };
                let (frame, map, added) = (self.frame.unwrap_or(self.map), self.map, self.looked);
                Some(HeatSums { frame, map, counts, frames, added, steps, sides, bells })
            }
            (None, None) => None,
        };
        Ok(sums)
    }
}

/// As [`super::heat_of`], in one pass with those who look at the frames: for objects, boxes of a file, saliency, and faces on top of any
/// source.
///
/// # Errors
/// [`Error::Config`] where somebody is missing whom the settings need; those of the watchers, and as [`super::heat_of`].
pub fn watched_heat(
    ctx: &GpuContext,
    path: &Path,
    source: Box<dyn FrameSource>,
    watching: Watching,
    config: &HeatConfig,
    options: &PipelineOptions,
    observer: &mut dyn Observer,
) -> Result<HeatFound> {
    let options = &stoppable(options);
    let mut reporter = Reporter::new(observer, &options.cancel);
    let progress = &mut reporter.stage(MEASURE, None, 0);
    let sums = all_sums(ctx, path, source, watching, config, (options, progress))?;
    sums.ok_or_else(|| without_frames(path))?.found(config)
}

/// The sums of all frames, in one go; `None` without a frame.
pub(super) fn all_sums(
    ctx: &GpuContext,
    path: &Path,
    source: Box<dyn FrameSource>,
    mut watching: Watching,
    config: &HeatConfig,
    (options, progress): (&PipelineOptions, &mut dyn FnMut(u64)),
) -> Result<Option<HeatSums>> {
    check(config, &watching)?;
    let (mut pass, elsewhere) = (Pass::new(config, path), watching.face_frames.take());
    look(ctx, source, &mut pass, (&mut watching, elsewhere.is_some()), options, progress)?;
    if let (Some(frames), Some(faces)) = (elsewhere, watching.faces.as_mut()) {
        look_elsewhere(ctx, frames, faces.as_mut(), &mut pass, options)?;
    }
    pass.sums(ctx)
}

/// The sums of a stretch of frames, of which those before number `from` are only there for the one behind them; `None` without a frame.
pub(super) fn sums_of(
    ctx: &GpuContext,
    path: &Path,
    source: Box<dyn FrameSource + '_>,
    config: &HeatConfig,
    watching: &mut Watching,
    (options, from): (&PipelineOptions, u64),
    progress: &mut dyn FnMut(u64),
) -> Result<Option<HeatSums>> {
    check(config, watching)?;
    if config.source.is_measured() && config.face_weight == 0.0 {
        return measured_sums(ctx, path, source, config, None, (options, progress));
    }
    let mut pass = Pass { from, ..Pass::new(config, path) };
    look(ctx, source, &mut pass, (watching, false), options, progress)?;
    pass.sums(ctx)
}

/// # Errors
/// [`Error::Config`] where somebody is missing whom the settings need.
fn check(config: &HeatConfig, watching: &Watching) -> Result<()> {
    config.check()?;
    let missing = |field: &str, message: &str| Err(Error::Config { field: field.into(), message: message.into() });
    if !config.source.is_measured() && watching.source.is_none() {
        return missing("source", "needs somebody who looks at the frames");
    }
    if config.face_weight > 0.0 && watching.faces.is_none() {
        return missing("face_model", "needs somebody who finds faces");
    }
    Ok(())
}

/// Takes all frames of `source` into `pass`; without faces, if they are looked for elsewhere.
fn look(
    ctx: &GpuContext,
    source: Box<dyn FrameSource + '_>,
    pass: &mut Pass<'_>,
    (watching, elsewhere): (&mut Watching, bool),
    options: &PipelineOptions,
    progress: &mut dyn FnMut(u64),
) -> Result<()> {
    let config = pass.config;
    let watchers = [&watching.source, &watching.faces];
    let more = |batch| watchers.into_iter().flatten().map(|w| w.bytes(batch)).sum::<u64>();
    let more: Vec<u64> = (0..=options.batch).map(more).collect();
    let bytes = move |layout: &FrameLayout, batch: u32| {
        heat_bytes(layout, batch, config) + more.get(batch as usize).copied().unwrap_or(u64::MAX / 2)
    };
    let ((), report) = batches(ctx, options, source, &bytes, |all| {
        while let Some(batch) = all.next_batch()? {
            pass.size(batch.desc().size)?;
            let steps: Vec<i64> = batch.infos().iter().map(|i| pass.clock.step_of(i)).collect();
            pass.measure(ctx, &batch)?;
            if let Some(watch) = watching.source.as_mut().filter(|_| !config.source.is_measured()) {
                let seen = watch.watch(&batch, pass.map)?;
                pass.see(&batch, seen)?;
            }
            if let Some(faces) = watching.faces.as_mut().filter(|_| !elsewhere && config.face_weight > 0.0) {
                let seen = faces.watch(&batch, pass.map)?;
                let kept = |at: usize| batch.infos().get(at).is_some_and(|i| i.index >= pass.from);
                let seen: Vec<_> = seen.into_iter().filter(|(at, _)| kept(*at)).collect();
                pass.see_faces(seen, |at| steps.get(at).copied());
            }
            pass.steps.extend(steps);
            progress(batch.infos().len() as u64);
        }
        Ok(())
    })?;
    report.result?;
    options.cancel.check()
}

/// Faces of frames that belong to those of the pass.
fn look_elsewhere(
    ctx: &GpuContext,
    frames: FaceFrames,
    faces: &mut dyn HeatWatch,
    pass: &mut Pass<'_>,
    options: &PipelineOptions,
) -> Result<()> {
    let more: Vec<u64> = (0..=options.batch).map(|batch| faces.bytes(batch)).collect();
    let bytes = move |_: &FrameLayout, batch: u32| more.get(batch as usize).copied().unwrap_or(u64::MAX / 2);
    let ((), report) = batches(ctx, options, frames.source, &bytes, |all| {
        while let Some(batch) = all.next_batch()? {
            let size = batch.desc().size;
            let Some(own) = pass.frame else { return Ok(()) };
            let seen = faces.watch(&batch, pass.map)?;
            // Masks may be smaller than the frames they were made of.
            let (sx, sy) = (own.width as f32 / size.width as f32, own.height as f32 / size.height as f32);
            let scaled = |b: BoxF| BoxF { x: b.x * sx, y: b.y * sy, width: b.width * sx, height: b.height * sy };
            let seen = seen.into_iter().map(|(at, sight)| match sight {
                HeatSight::Boxes(boxes) => (at, HeatSight::Boxes(boxes.into_iter().map(scaled).collect())),
                mask @ HeatSight::Mask { .. } => (at, mask),
            });
            let seen = seen.collect();
            let steps: Vec<Option<i64>> = batch
                .infos()
                .iter()
                .map(|i| frames.places.get(i.index as usize).and_then(|p| pass.steps.get(*p as usize)).copied())
                .collect();
            pass.see_faces(seen, |at| steps.get(at).copied().flatten());
        }
        Ok(())
    })?;
    report.result
}
