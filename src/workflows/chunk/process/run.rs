//! Frames in, frames out.

use super::compose::{Composer, Kept, Look, layout_of, times};
use super::effect::{ChunkEffect, TilePlace, Tiles};
use super::fade::Fade;
use super::placement::Placement;
use crate::core::{FrameDesc, FrameInfo, FrameLayout, PixelFormat, Size};
use crate::error::{Error, Result};
use crate::gpu::{GpuContext, ReadbackRing, Recorder};
use crate::media::Plane;
use crate::ops::GpuPictures;
use crate::pipeline::{FrameSource, HeldBatch, PipelineOptions, SourceReport, batches};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What is shown where no chunk is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Outside {
    /// The frame itself, bit for bit.
    #[default]
    Keep,
    /// Black.
    Black,
}

/// How chunks are processed and put back.
#[derive(Debug, Clone)]
pub struct ProcessOptions {
    /// Batches, deadlines, cancellation. Changes speed, never results.
    pub pipeline: PipelineOptions,
    /// Pixels over which a chunk fades towards its sides inside the frame, 1..=256. Where chunks overlap by as much they hide the frame.
    pub feather: u32,
    /// What is shown where no chunk is.
    pub outside: Outside,
    /// Seconds over which a chunk fades in and out, within the time in which it is active, 0..=60.
    pub fade: f64,
    /// When the stream begins, in seconds of it: what is active then is not faded in. Left out, with the first frame of the source; it is
    /// for a source that goes on with a stream.
    pub start: Option<f64>,
    /// Frames come out as large as the effect makes tiles: what no chunk covers is enlarged with Lanczos weights, and frames are RGBA.
    /// Otherwise tiles are brought back to their size.
    pub enlarged: bool,
}

impl Default for ProcessOptions {
    fn default() -> Self {
        Self {
            pipeline: PipelineOptions::default(),
            feather: 16,
            outside: Outside::Keep,
            fade: 0.2,
            start: None,
            enlarged: false,
        }
    }
}

/// A frame that is done.
#[non_exhaustive]
#[derive(Debug)]
pub struct ProcessedFrame<'a> {
    /// Format, size and colour.
    pub desc: FrameDesc,
    /// Place and time in its stream, as they came.
    pub info: FrameInfo,
    /// How the bytes lie.
    pub layout: FrameLayout,
    /// One slot of the layout.
    pub bytes: &'a [u8],
    /// Numbers of the chunks that were processed.
    pub chunks: &'a [u32],
}

impl ProcessedFrame<'_> {
    /// The planes as a [`crate::media::VideoWriter`] takes them.
    pub fn planes(&self) -> Vec<Plane<'_>> {
        let plane = |p: &crate::core::PlaneLayout| Plane {
            data: self.bytes.get(p.offset as usize..).unwrap_or_default(),
            stride: p.stride as usize,
        };
        self.layout.planes().iter().map(plane).collect()
    }
}

/// What was done.
#[non_exhaustive]
#[derive(Debug)]
pub struct ProcessReport {
    /// Frames that came out.
    pub frames: u64,
    /// Tiles that went through the effect.
    pub tiles: u64,
    /// Their pixels.
    pub pixels: u64,
    /// Pixels of all frames.
    pub frame_pixels: u64,
    /// How the source ended. Frames before a failure are valid.
    pub source: SourceReport,
}

/// Processes the chunks of `placement` in all frames of `source` and hands the frames on in order.
///
/// Frames come out in the format of the decoder. Samples outside of chunks, and of frames in which none is active, keep their bits. A chunk
/// is laid over its frame with a weight that rises from its sides over `feather` pixels; where chunks meet, weights sum to one, and what
/// they leave belongs to the frame. At the edges of the frame nothing fades. A plan's halo lies outside of that ramp and is not used.
///
/// # Errors
/// [`Error::Usage`] for frames of another size than the placement was made for; [`Error::Config`]; those of the effect, the device, the
/// sink. How the source ended is in the report.
pub fn process_chunks(
    ctx: &GpuContext,
    source: Box<dyn FrameSource + '_>,
    placement: &Placement,
    effect: &mut dyn ChunkEffect,
    options: &ProcessOptions,
    sink: &mut dyn FnMut(ProcessedFrame<'_>) -> Result<()>,
) -> Result<ProcessReport> {
    Fade::new(options.fade, 0.0)?;
    if !(1..=256).contains(&options.feather) {
        let message = format!("must be 1 to 256 pixels, got {}", options.feather);
        return Err(Error::Config { field: "feather".into(), message });
    }
    let scale = effect.scale()?;
    if !(1..=16).contains(&scale) {
        return Err(Error::usage(format!("an effect enlarges tiles by 1 to 16, this one by {scale}")));
    }
    let look = Look { feather: options.feather, outside: options.outside, scale, enlarged: options.enlarged };
    let needed = move |placement: &Placement| {
        let pixels = placement.pixels();
        // A tile where it was cut, among the others, made, in its place; two of each for the batch before, which waits in the pool.
        8 * pixels * u64::from(1 + scale * scale)
    };
    let tiles = needed(placement);
    let bytes = move |layout: &FrameLayout, batch: u32| {
        let large = 4 * layout.size.area() * u64::from(look.factor()).pow(2);
        let frame = 2 * u64::from(layout.slot_bytes()) + 4 * layout.size.area() + 3 * large;
        u64::from(batch) * (frame + 2 * tiles)
    };
    let mut run = Running {
        ctx,
        placement,
        fade: options.fade,
        started: options.start.map(|start| Fade::new(options.fade, start)).transpose()?,
        effect,
        look,
        shape: None,
        frames: 0,
        tiles: 0,
        pixels: 0,
        frame_pixels: 0,
    };
    let ((), report) = batches(ctx, &options.pipeline, source, &bytes, |all| {
        while let Some(batch) = all.next_batch()? {
            run.batch(&batch, sink)?;
        }
        Ok(())
    })?;
    let Running { frames, tiles, pixels, frame_pixels, .. } = run;
    Ok(ProcessReport { frames, tiles, pixels, frame_pixels, source: report })
}

/// Time of a frame in seconds; counted where the container has none.
pub(super) fn seconds(info: &FrameInfo) -> f64 {
    let counted = || info.time_base.as_f64() * info.duration.max(1) as f64 * info.index as f64;
    info.seconds().unwrap_or_else(counted)
}

/// The fade of a stream whose first frame is among `infos`, unless it is known.
pub(super) fn begun(started: &mut Option<Fade>, seconds_of_fade: f64, infos: &[FrameInfo]) -> Result<Fade> {
    match (*started, infos.first()) {
        (Some(fade), _) => Ok(fade),
        (None, first) => Ok(*started.insert(Fade::new(seconds_of_fade, first.map_or(0.0, seconds))?)),
    }
}

/// The tiles of a batch: chunk after chunk, in the frames in which it is active. Frames between two of its spans are none of them, or what is done
/// to a chunk would depend on how many frames make a batch.
pub(super) fn places(placement: &Placement, fade: &Fade, infos: &[FrameInfo]) -> Vec<TilePlace> {
    let mut places = Vec::new();
    for (chunk, placed) in placement.chunks.iter().enumerate() {
        let active = placed.chunk.active.as_ref();
        let here = infos.iter().map(seconds).enumerate().map(|(frame, time)| TilePlace {
            chunk,
            id: placed.id(),
            frame,
            rect: placed.rect_at(time, placement.frame),
            strength: fade.strength(active, time),
        });
        places.extend(here.filter(|place| place.strength > 0));
    }
    places
}

/// # Errors
/// `Usage` when the frames are not those that the placement was made for.
pub(super) fn check_size(placement: &Placement, size: Size) -> Result<()> {
    if size == placement.frame {
        return Ok(());
    }
    Err(Error::Usage {
        message: format!("the plan was made for frames of {}, these are {size}", placement.frame),
        hint: Some("plan anew with a heat map of this video".into()),
    })
}

struct Running<'a> {
    ctx: &'a GpuContext,
    placement: &'a Placement,
    fade: f64,
    /// Set at the first frame.
    started: Option<Fade>,
    effect: &'a mut dyn ChunkEffect,
    look: Look,
    shape: Option<(u32, Composer, ReadbackRing)>,
    frames: u64,
    tiles: u64,
    pixels: u64,
    frame_pixels: u64,
}

impl Running<'_> {
    fn batch(&mut self, batch: &HeldBatch, sink: &mut dyn FnMut(ProcessedFrame<'_>) -> Result<()>) -> Result<()> {
        let (ctx, desc) = (self.ctx, *batch.desc());
        check_size(self.placement, desc.size)?;
        if self.shape.as_ref().is_none_or(|(number, ..)| *number != batch.shape_number()) {
            self.shape = None;
            let composer = Composer::new(ctx, desc, batch.capacity(), self.look)?;
            let layout =
                FrameLayout::new(&composer.desc()).ok_or_else(|| Error::Bug("frames without a layout".into()))?;
            let bytes = u64::from(layout.slot_bytes()) * u64::from(batch.capacity());
            self.shape = Some((batch.shape_number(), composer, ReadbackRing::new(ctx, "frames", bytes, 1)?));
        }
        let lost = || Error::Bug("a batch without a shape".into());
        let infos = batch.infos();
        let count = infos.len() as u32;
        let fade = begun(&mut self.started, self.fade, infos)?;
        let places = places(self.placement, &fade, infos);
        let mut rec = Recorder::new(ctx, "frames");
        let untouched = places.is_empty() && self.look.outside == Outside::Keep && self.look.factor() == 1;
        // Kept until the device is done with them.
        let mut made = None;
        let (done, kept) = if untouched {
            (batch.frames().clone(), Kept::default())
        } else {
            let (_, composer, _) = self.shape.as_mut().ok_or_else(lost)?;
            let source = composer.cut(ctx, batch.frames(), count, self.placement, &places)?;
            if let Some(source) = source {
                let tiles = Tiles { frames: infos, source: &source, places: &places };
                let output = GpuPictures::new(ctx, "made", PixelFormat::Rgba8, &self.made_sizes(&places)?)?;
                self.effect.apply(ctx, &tiles, &output)?;
                made = Some((source, output));
            }
            let (_, composer, _) = self.shape.as_ref().ok_or_else(lost)?;
            let output = made.as_ref().map(|(_, output)| output);
            composer.put(ctx, (batch.frames(), count), self.placement, &places, output, &mut rec)?
        };
        let (_, composer, ring) = self.shape.as_mut().ok_or_else(lost)?;
        let layout = *done.layout();
        let slot = layout.slot_bytes() as usize;
        let ticket = ring.record(&mut rec, &[(done.buffer(), 0, (slot * infos.len()) as u64)])?;
        let submission = rec.submit()?;
        let readback = ring.submitted(ticket, submission);
        let bytes = ring.collect_mapped(ctx, readback)?;
        drop((made, kept));
        self.frames += u64::from(count);
        self.frame_pixels += desc.size.area() * u64::from(count);
        self.tiles += places.len() as u64;
        self.pixels +=
            places.iter().filter_map(|p| Some(self.placement.chunks.get(p.chunk)?.tile().area())).sum::<u64>();
        let out = composer.desc();
        for (i, (info, bytes)) in infos.iter().zip(bytes.chunks_exact(slot.max(1))).enumerate() {
            let mut chunks: Vec<u32> = places.iter().filter(|p| p.frame == i).map(|p| p.id).collect();
            chunks.sort_unstable();
            sink(ProcessedFrame { desc: out, info: *info, layout, bytes, chunks: &chunks })?;
        }
        Ok(())
    }

    fn made_sizes(&self, places: &[TilePlace]) -> Result<Vec<Size>> {
        let size = |p: &TilePlace| {
            let chunk = self.placement.chunks.get(p.chunk).ok_or_else(|| Error::Bug("a tile of no chunk".into()))?;
            let size = times(chunk.tile(), self.look.scale);
            layout_of(PixelFormat::Rgba8, size).map(|l| l.size)
        };
        places.iter().map(size).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::plan::Schedule;
    use super::super::placement::Placed;
    use super::*;
    use crate::core::{Rational, Rect};

    #[test]
    fn tiles_do_not_depend_on_batches() {
        let rect = |x| Rect { x, y: 0, width: 8, height: 8 };
        // Frames 1, 2, 4 and 7, with gaps of one and of two frames; frame 2 and from 5 on; all.
        let some = Schedule::new(vec![[0.1, 0.3], [0.4, 0.5], [0.65, 0.75]]).unwrap();
        let others = Schedule::new(vec![[0.2, 0.25], [0.5, 9.0]]).unwrap();
        let chunks = vec![
            Placed::still(5, rect(0)).active(some),
            Placed::still(6, rect(8)).active(others),
            Placed::still(7, rect(16)),
        ];
        let placement = Placement::new(Size::new(24, 8), chunks, 0).unwrap();
        let infos: Vec<FrameInfo> = (0..8)
            .map(|i| FrameInfo {
                stream: 0,
                index: i,
                pts: Some(i as i64),
                time_base: Rational { num: 1, den: 10 },
                duration: 1,
                key: false,
                damaged: false,
            })
            .collect();
        let fade = Fade::new(0.0, 0.0).unwrap();
        // Chunk and frame of the stream, chunk by chunk.
        let seen = |batch: usize| {
            let mut all: Vec<(u32, usize)> = Vec::new();
            for (number, infos) in infos.chunks(batch).enumerate() {
                all.extend(places(&placement, &fade, infos).iter().map(|p| (p.id, number * batch + p.frame)));
            }
            all.sort_unstable();
            all
        };
        let whole: Vec<(u32, usize)> = [1, 2, 4, 7].map(|f| (5, f)).to_vec();
        let whole = [whole, [2, 5, 6, 7].map(|f| (6, f)).to_vec(), (0..8).map(|f| (7, f)).collect()].concat();
        for batch in [1, 3, 8] {
            assert_eq!(seen(batch), whole, "batches of {batch}");
        }
    }
}
