//! A run's parts, made one after the other.

use std::path::Path;

use super::config::ProcessConfig;
#[cfg(feature = "onnx")]
use super::detect::{ChunkDetector, detect_chunks};
use super::draw::{COLORS, draw_outline};
use super::effect::ChunkEffect;
use super::job::{ChunkOptions, ChunkWork};
use super::parts::{FRAMES, PartRecord, Parts};
use super::placement::Placement;
use super::run::{ProcessReport, process_chunks};
use super::video::{Stream, file_spec};
#[cfg(feature = "onnx")]
use crate::core::BoxRect;
use crate::core::{FrameDesc, FrameInfo, FrameLayout, Rect, Shard};
use crate::error::{Error, Result};
use crate::gpu::GpuContext;
use crate::media::AudioCopy;
use crate::store::UnitLog;
use crate::workflows::VideoFacts;
use crate::workflows::encode::{FileSpec, Finished};

pub(super) struct Job<'a> {
    pub(super) ctx: &'a GpuContext,
    pub(super) placement: &'a Placement,
    pub(super) config: &'a ProcessConfig,
    pub(super) options: &'a ChunkOptions,
    pub(super) spec: FileSpec,
    pub(super) stream: Stream,
    /// Which parts are made here; all without one.
    pub(super) shard: Option<Shard>,
}

/// What a part sends its frames to.
type Frames<'a> = &'a mut dyn FnMut(Finished) -> Result<()>;

impl Job<'_> {
    /// The video of the run.
    pub(super) fn spec(
        facts: &VideoFacts,
        folder: &Path,
        config: &ProcessConfig,
        audio: Option<AudioCopy>,
    ) -> FileSpec {
        let stem = Path::new(&facts.name).file_stem().unwrap_or_default().to_string_lossy().into_owned();
        file_spec(folder.join(format!("{stem}_chunks.mp4")), facts, config.crf, audio)
    }

    /// Makes the parts of the run that are its own and not done. Gives the number of all parts, and the head of `detections.jsonl` where objects are
    /// looked for.
    pub(super) fn make(
        &mut self,
        (mut work, parts, units): (ChunkWork<'_>, &Parts, &mut UnitLog),
        progress: &mut dyn FnMut(u64),
    ) -> Result<(usize, Option<String>)> {
        let done = parts.done(units)?;
        let (head, replay) = match &mut work {
            ChunkWork::Tiles(effect) => (None, effect.remembers()),
            #[cfg(feature = "onnx")]
            ChunkWork::Detect(detector) => (Some(self.prepare(detector)), false),
        };
        if replay && self.shard.is_some() {
            return Err(Error::Usage {
                message: "the effect remembers frames before, so parts would not be those of one run".into(),
                hint: Some("run it without --shard, or share out several videos".into()),
            });
        }
        let spec = self.spec.clone();
        let mut number = 0;
        parts.make((&spec, units), |to| {
            while !self.stream.over {
                let before = self.stream.taken;
                let fresh = self.shard.is_none_or(|s| s.has(number)) && !done.contains_key(&number);
                if !fresh && !replay {
                    let cancel = &self.options.pipeline.cancel;
                    self.stream.pass(FRAMES, &mut |info| {
                        progress(1);
                        cancel.check()?;
                        to.passed(info)
                    })?;
                    number += usize::from(self.stream.taken > before);
                    continue;
                }
                let mut hand_on = |frame: Finished| {
                    if fresh { to.frame(number, frame) } else { to.passed(frame.info) }
                };
                let (report, detections, lines) = match &mut work {
                    ChunkWork::Tiles(effect) => (self.tiles(&mut **effect, &mut hand_on, progress)?, 0, String::new()),
                    #[cfg(feature = "onnx")]
                    ChunkWork::Detect(detector) => self.detect(detector, &mut hand_on, progress)?,
                };
                if self.stream.taken > before {
                    if fresh {
                        let ProcessReport { frames, tiles, pixels, frame_pixels, .. } = report;
                        let record = PartRecord { frames, tiles, pixels, frame_pixels, detections, pictures: None };
                        to.end(number, record, lines)?;
                    }
                    number += 1;
                }
            }
            Ok(())
        })?;
        Ok((number, head))
    }

    fn tiles(
        &mut self,
        effect: &mut dyn ChunkEffect,
        hand_on: Frames<'_>,
        progress: &mut dyn FnMut(u64),
    ) -> Result<ProcessReport> {
        let mut options = self.config.options(&self.options.pipeline);
        options.start = self.stream.first;
        let factor = if self.config.enlarge { effect.scale()? } else { 1 };
        let (ctx, placement, config) = (self.ctx, self.placement, self.config);
        let source = Box::new(self.stream.part(FRAMES));
        process_chunks(ctx, source, placement, effect, &options, &mut |frame| {
            let mut bytes = frame.bytes.to_vec();
            if config.draw {
                let chunks = (frame.chunks, &frame.info);
                outlines(placement, (&frame.desc, &frame.layout), &mut bytes, chunks, factor);
            }
            hand_on(Finished { desc: frame.desc, info: frame.info, layout: frame.layout, bytes })?;
            progress(1);
            Ok(())
        })
        .and_then(whole)
    }

    /// Sets a detector up as the settings say; gives the head of its file.
    #[cfg(feature = "onnx")]
    fn prepare(&self, detector: &mut ChunkDetector) -> String {
        detector.merge.iou = self.config.iou as f32;
        if let Some(score) = self.config.score {
            detector.options.score = score as f32;
        }
        format!(
            "{}\n",
            serde_json::json!({ "schema": "track.detections", "version": 1, "classes": detector.classes() })
        )
    }

    /// Detections of a part: their number, and a line for each frame.
    #[cfg(feature = "onnx")]
    fn detect(
        &mut self,
        detector: &mut ChunkDetector,
        hand_on: Frames<'_>,
        progress: &mut dyn FnMut(u64),
    ) -> Result<(ProcessReport, u64, String)> {
        use serde_json::json;
        let (mut found, mut lines) = (0, String::new());
        let (ctx, placement, draw) = (self.ctx, self.placement, self.config.draw);
        let source = Box::new(self.stream.part(FRAMES));
        let report = detect_chunks(ctx, source, placement, detector, &self.options.pipeline, draw, &mut |frame| {
            found += frame.detections.len() as u64;
            let round = |v: f32| (f64::from(v) * 1e4).round() / 1e4;
            let item = |d: &crate::core::Detection| {
                let r = d.rect;
                let rect = [r.x, r.y, r.width, r.height].map(round);
                json!({ "box": rect, "score": round(d.score), "class": d.class })
            };
            let items: Vec<_> = frame.detections.iter().map(item).collect();
            let time = super::run::seconds(&frame.info);
            lines.push_str(&json!({ "frame": frame.info.index, "time": time, "detections": items }).to_string());
            lines.push('\n');
            if let Some((layout, bytes)) = frame.frame {
                outlines(placement, (&frame.desc, &layout), bytes, (frame.chunks, &frame.info), 1);
                for d in frame.detections {
                    let clipped = pixels(d.rect.clip(frame.desc.size).to_pixels());
                    let (thick, rgb) = (thickness(&layout), color(d.class + 3));
                    draw_outline((&layout, &mut *bytes), frame.desc.color, clipped, thick, rgb);
                }
                let bytes = bytes.to_vec();
                hand_on(Finished { desc: frame.desc, info: frame.info, layout, bytes })?;
            }
            progress(1);
            Ok(())
        })
        .and_then(whole)?;
        Ok((report, found, lines))
    }
}

/// Outlines of chunks, each in the colour of its number.
fn outlines(
    placement: &Placement,
    (desc, layout): (&FrameDesc, &FrameLayout),
    bytes: &mut [u8],
    (chunks, info): (&[u32], &FrameInfo),
    factor: u32,
) {
    let time = super::run::seconds(info);
    for chunk in placement.chunks.iter().filter(|c| chunks.contains(&c.id())) {
        let Rect { x, y, width, height } = chunk.rect_at(time, placement.frame);
        let rect = Rect { x: x * factor, y: y * factor, width: width * factor, height: height * factor };
        draw_outline((layout, &mut *bytes), desc.color, rect, thickness(layout), color(chunk.id()));
    }
}

/// A box inside of its picture.
#[cfg(feature = "onnx")]
fn pixels(r: BoxRect) -> Rect {
    Rect { x: r.x.max(0).unsigned_abs(), y: r.y.max(0).unsigned_abs(), width: r.width, height: r.height }
}

/// A run whose source ended well: half a video gets no name.
fn whole(mut report: ProcessReport) -> Result<ProcessReport> {
    std::mem::replace(&mut report.source.result, Ok(()))?;
    Ok(report)
}

fn thickness(layout: &FrameLayout) -> u32 {
    (layout.size.height / 240).max(1) * 2
}

fn color(number: u32) -> [u8; 3] {
    COLORS.get(number as usize % COLORS.len()).copied().unwrap_or([255; 3])
}
