//! A video with boxes, numbers, trails and zones: the frames are decoded once more, the overlay is drawn on the host, blended on the GPU
//! and brought back to the samples of the decoder. What no overlay covers keeps its bits up to the encoder.

use std::collections::{BTreeMap, VecDeque};
use std::path::Path;

use super::super::zones::{Happening, ZoneEvent, ZonesFile};
use super::canvas::{Canvas, color_of};
use super::config::TrackConfig;
use super::follow::{Followed, Sight};
use super::seen::Seen;
use super::source::TrackVideo;
use crate::core::blend::Alpha;
use crate::core::{ChromaUpsampling, FrameLayout, PixelFormat, Rational, Size};
use crate::error::{Error, Result};
use crate::gpu::{GpuContext, ReadbackRing, Recorder};
use crate::media::{AudioCopy, WriterOptions};
use crate::ops::blend::alpha_over::AlphaOverPlan;
use crate::ops::color::rgb_from_yuv::{RgbFromYuvPlan, RgbParams};
use crate::ops::color::yuv_change::{Change, YuvChangePlan};
use crate::ops::{GpuFrames, Record};
use crate::pipeline::{HeldBatch, PipelineOptions, batches};
use crate::workflows::encode::{Encoded, FileSpec, Finished, encode};

const LABEL: &str = "overlay";

/// What the video is made of.
pub(super) struct Annotating<'a> {
    pub(super) ctx: &'a GpuContext,
    pub(super) video: &'a TrackVideo,
    pub(super) config: &'a TrackConfig,
    pub(super) options: &'a PipelineOptions,
    pub(super) seen: &'a Seen,
    pub(super) followed: &'a Followed,
}

/// Bytes for batches of so many frames: pictures on the device; overlays, what waits to be copied there, and finished frames on the host.
/// By the peaks of runs with 1 to 8 frames a batch at 360p to 2160p: about 9 RGBA pictures a frame.
fn work_bytes(layout: &FrameLayout, batch: u32) -> u64 {
    (8 * 4 * layout.size.area() + 5 * u64::from(layout.slot_bytes())) * u64::from(batch) + (64 << 10)
}

/// Bytes whatever the batch: the overlay on its way, what waits for the encoder, and the encoder.
fn held_bytes(video: &TrackVideo) -> u64 {
    let writer = WriterOptions::new(video.size, PixelFormat::I420, Rational { num: 1, den: 1000 });
    let slot = video.layout.map_or(0, |l| u64::from(l.slot_bytes()));
    3 * 4 * video.size.area() + 6 * slot + writer.encoder_bytes()
}

/// Whether there is memory for an annotated video of `video`: to be asked before anything is looked at.
///
/// # Errors
/// [`Error::Memory`], which names the least limit with which it would fit.
pub(super) fn check_memory(ctx: &GpuContext, video: &TrackVideo, options: &PipelineOptions) -> Result<()> {
    video.check(ctx, options, &work_bytes, held_bytes(video))
}

impl Annotating<'_> {
    /// Writes the file at `path`; `progress` hears of frames.
    pub(super) fn write(&self, path: &Path, progress: &mut dyn FnMut(u64)) -> Result<Option<Encoded>> {
        let video = self.video;
        let joined = video.paths.len() > 1;
        let mut notes = Vec::new();
        let audio = video.info.audio_tracks_count > 0;
        if audio && joined {
            notes.push("the sound of joined segments is not in the annotated video".to_owned());
        }
        let spec = FileSpec {
            path: path.to_path_buf(),
            crf: self.config.crf as f32,
            audio: (audio && !joined)
                .then(|| AudioCopy { limits: video.open.limits.clone(), ..AudioCopy::new(video.path(), 0) }),
            rate: FileSpec::rate_of(self.config.fps.or(video.fps().map(|f| f / f64::from(self.config.every.max(1))))),
            pixel_aspect: video.info.video_streams.get(video.track).and_then(|s| video.open.pixel_aspect_of(s)),
        };
        let sampling = super::config::Sampling { detect_every: 1, ..self.config.sampling() };
        let bytes = work_bytes;
        let _held = video.admit(self.ctx, self.options, &bytes, held_bytes(video))?;
        let opened = video.frames(sampling, 0)?;
        let mut artist = Artist::new(self);
        let (report, encoded) = encode(&spec, |hand_on| {
            let mut blender: Option<Blender> = None;
            let ((), report) = batches(self.ctx, self.options, opened.source, &bytes, |all| {
                while let Some(batch) = all.next_batch()? {
                    if blender.as_ref().is_none_or(|b| b.number != batch.shape_number()) {
                        blender = None;
                        blender = Some(Blender::new(self.ctx, &batch)?);
                    }
                    let Some(blender) = &mut blender else { continue };
                    let mut overlays = Vec::with_capacity(batch.infos().len());
                    for info in batch.infos() {
                        overlays.push(artist.overlay(info.index, batch.desc().size)?);
                    }
                    let layout = *batch.frames().layout();
                    let frames = blender.blend(self.ctx, &batch, &overlays)?;
                    for (info, bytes) in batch.infos().iter().zip(frames) {
                        hand_on(Finished { desc: *batch.desc(), info: *info, layout, bytes })?;
                    }
                    progress(batch.infos().len() as u64);
                }
                Ok(())
            })?;
            Ok(report)
        })?;
        // What could not be decoded was said by the first pass; here only what is new is an error.
        match report.result {
            Err(e @ (Error::Cancelled | Error::Gpu(_) | Error::Bug(_) | Error::Memory { .. })) => Err(e),
            _ => Ok(encoded.map(|mut e| {
                e.notes.extend(notes);
                e
            })),
        }
    }
}

/// Draws the overlays, frame after frame.
struct Artist<'a> {
    seen: &'a Seen,
    followed: &'a Followed,
    zones: &'a ZonesFile,
    trail: f64,
    shown: Size,
    letters: i64,
    /// Next position in the timeline, and next event.
    at: usize,
    event: usize,
    /// By zone: inside, entries. By line: to the right, to the left.
    inside: Vec<(u64, u64)>,
    crossed: Vec<(u64, u64)>,
    trails: BTreeMap<u64, VecDeque<(f64, [f64; 2])>>,
    /// The zones alone, with the texts that they were drawn with.
    base: Option<(Vec<String>, Canvas)>,
}

impl<'a> Artist<'a> {
    fn new(of: &'a Annotating<'a>) -> Self {
        let zones = of.followed.end.zones.file();
        let shown = of.seen.facts.shown();
        Self {
            seen: of.seen,
            followed: of.followed,
            zones,
            trail: of.config.trail,
            shown,
            letters: letters(shown),
            at: 0,
            event: 0,
            inside: vec![(0, 0); zones.zones.len()],
            crossed: vec![(0, 0); zones.lines.len()],
            trails: BTreeMap::new(),
            base: None,
        }
    }

    /// The overlay of frame `index`, which is of `size`.
    fn overlay(&mut self, index: u64, size: Size) -> Result<Vec<u8>> {
        while self.seen.frames.get(self.at).is_some_and(|f| f.time.index < index) {
            self.at += 1;
        }
        let frame = self.seen.frames.get(self.at).filter(|f| f.time.index == index);
        let sights = frame.and_then(|_| self.followed.sights.get(self.at)).map_or(&[][..], Vec::as_slice);
        if let Some(frame) = frame {
            self.advance(frame.time.seconds);
        }
        let texts = self.texts();
        let mut canvas = match &self.base {
            Some((of, canvas)) if *of == texts => canvas.clone(),
            _ => {
                let mut canvas = Canvas::clear(self.shown);
                canvas.zones(self.zones, 1.0, self.letters, &texts);
                self.base = Some((texts, canvas.clone()));
                canvas
            }
        };
        if let Some(frame) = frame {
            self.trails(&mut canvas, frame.time.seconds, sights);
        }
        for s in sights {
            let label = self.followed.label(s.id, &self.seen.facts.class_name(s.class));
            draw_sight(&mut canvas, s, &label, self.letters);
        }
        if size != canvas.size {
            return Err(Error::Bug(format!("an overlay of {} for a frame of {size}", canvas.size)));
        }
        Ok(canvas.rgba)
    }

    /// Counts what happened up to `seconds`.
    fn advance(&mut self, seconds: f64) {
        while let Some(e) = self.followed.events.get(self.event).filter(|e| e.seconds <= seconds + 1e-9) {
            self.event += 1;
            let ZoneEvent { happening, .. } = *e;
            match happening {
                Happening::Enter { zone, repeat } => {
                    if let Some(z) = self.inside.get_mut(zone) {
                        *z = (z.0 + 1, z.1 + u64::from(!repeat));
                    }
                }
                Happening::Exit { zone, .. } => {
                    if let Some(z) = self.inside.get_mut(zone) {
                        z.0 = z.0.saturating_sub(1);
                    }
                }
                Happening::Cross { line, direction } => {
                    if let Some(l) = self.crossed.get_mut(line) {
                        let right = direction == super::super::zones::Direction::LeftToRight;
                        *(if right { &mut l.0 } else { &mut l.1 }) += 1;
                    }
                }
            }
        }
    }

    fn texts(&self) -> Vec<String> {
        let zones = self.inside.iter().map(|(now, all)| format!("{now} in, {all} entered"));
        let lines = self.crossed.iter().map(|(right, left)| format!(">{right} <{left}"));
        zones.chain(lines).collect()
    }

    fn trails(&mut self, canvas: &mut Canvas, seconds: f64, sights: &[Sight]) {
        if self.trail <= 0.0 {
            return;
        }
        for s in sights {
            let c = s.rect.center();
            let foot = [f64::from(c.x), f64::from(s.rect.bottom())];
            self.trails.entry(s.id).or_default().push_back((seconds, foot));
        }
        let oldest = seconds - self.trail;
        self.trails.retain(|id, points| {
            while points.front().is_some_and(|(t, _)| *t < oldest) {
                points.pop_front();
            }
            let color = color_of(*id);
            for pair in points.make_contiguous().windows(2) {
                if let [(_, a), (_, b)] = pair {
                    canvas.line(*a, *b, self.letters.max(2), color);
                }
            }
            !points.is_empty()
        });
    }
}

/// Squares of a letter's pixels for pictures of a size.
pub(super) fn letters(shown: Size) -> i64 {
    (i64::from(shown.height.min(shown.width)) / 360).clamp(1, 6)
}

/// A box with its label: the whole outline for what moves, its corners for what stands.
pub(super) fn draw_sight(canvas: &mut Canvas, s: &Sight, label: &str, letters: i64) {
    let color = color_of(s.id);
    let thick = 2 * letters;
    if s.moving {
        canvas.outline(&s.rect, thick, color);
    } else {
        canvas.corners(&s.rect, thick, color);
    }
    let (_, height) = Canvas::label_size(label, letters);
    canvas.label(label, (s.rect.x.round() as i64, s.rect.y.round() as i64 - height), letters, color);
}

/// Plans and pictures for frames of one shape.
struct Blender {
    number: u32,
    rgb: Option<RgbFromYuvPlan>,
    over: AlphaOverPlan,
    change: Option<YuvChangePlan>,
    before: GpuFrames,
    overlay: GpuFrames,
    after: GpuFrames,
    out: Option<GpuFrames>,
    ring: ReadbackRing,
}

impl Blender {
    fn new(ctx: &GpuContext, batch: &HeldBatch) -> Result<Self> {
        let (desc, layout, slots) = (batch.desc(), *batch.frames().layout(), batch.capacity());
        let yuv = desc.format.has_luma();
        let pictures = |_: ()| GpuFrames::new(ctx, LABEL, PixelFormat::Rgba8, desc.size, slots);
        let (before, overlay, after) = (pictures(())?, pictures(())?, pictures(())?);
        let params = RgbParams { color: desc.color, upsampling: ChromaUpsampling::Bilinear };
        let bytes = u64::from(layout.slot_bytes()) * u64::from(slots);
        Ok(Self {
            number: batch.shape_number(),
            rgb: yuv.then(|| RgbFromYuvPlan::new(ctx, &layout, params)).transpose()?,
            over: AlphaOverPlan::new(ctx, overlay.layout(), Alpha::Straight)?,
            change: yuv.then(|| YuvChangePlan::new(ctx, &layout, desc.color)).transpose()?,
            out: yuv.then(|| GpuFrames::new(ctx, LABEL, desc.format, desc.size, slots)).transpose()?,
            before,
            overlay,
            after,
            ring: ReadbackRing::new(ctx, LABEL, bytes, 1)?,
        })
    }

    /// The frames with their overlays, as bytes of the decoder's layout.
    fn blend(&mut self, ctx: &GpuContext, batch: &HeldBatch, overlays: &[Vec<u8>]) -> Result<Vec<Vec<u8>>> {
        let count = overlays.len() as u32;
        let plane = self.overlay.layout().first();
        let slot_bytes = u64::from(self.overlay.layout().slot_bytes());
        let row = self.overlay.layout().size.width as usize * 4;
        for (i, rgba) in (0u64..).zip(overlays) {
            let stride = plane.stride as usize;
            if stride == row {
                self.overlay.buffer().write(ctx, i * slot_bytes, rgba)?;
                continue;
            }
            let mut padded = vec![0u8; stride * self.overlay.layout().size.height as usize];
            for (to, from) in padded.chunks_exact_mut(stride.max(1)).zip(rgba.chunks_exact(row.max(1))) {
                if let Some(to) = to.get_mut(..row) {
                    to.copy_from_slice(from);
                }
            }
            self.overlay.buffer().write(ctx, i * slot_bytes, &padded)?;
        }
        let mut rec = Recorder::new(ctx, LABEL);
        // Kept until the work is submitted: their small buffers would be used again before the device has read them.
        let mut bound: Vec<Box<dyn Record>> = Vec::new();
        match &self.rgb {
            Some(plan) => bound.push(Box::new(plan.bind(ctx, batch.frames(), 0, &self.before, 0)?)),
            None => {
                let bytes = slot_bytes * u64::from(count);
                rec.copy(batch.frames().buffer(), 0, self.before.buffer(), 0, bytes);
            }
        }
        bound.push(Box::new(self.over.bind(ctx, (&self.overlay, 0), (&self.before, 0), (&self.after, 0))?));
        let done = match (&self.change, &self.out) {
            (Some(plan), Some(out)) => {
                let pictures = Change { before: (&self.before, 0), after: (&self.after, 0) };
                bound.push(Box::new(plan.bind(ctx, (batch.frames(), 0), pictures, (out, 0))?));
                out
            }
            _ => &self.after,
        };
        bound.iter().for_each(|b| b.record(&mut rec, count));
        let slot = done.layout().slot_bytes() as usize;
        let ticket = self.ring.record(&mut rec, &[(done.buffer(), 0, slot as u64 * u64::from(count))])?;
        let submission = rec.submit()?;
        let readback = self.ring.submitted(ticket, submission);
        let bytes = self.ring.collect_mapped(ctx, readback)?;
        Ok(bytes.chunks_exact(slot.max(1)).map(<[u8]>::to_vec).collect())
    }
}
