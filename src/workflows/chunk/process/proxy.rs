//! A small copy of a video to look for activity in, or to edit with.

use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::video::{ChunkVideo, file_spec};
use crate::config::{Settings, check_ranges};
use crate::core::{FrameDesc, FrameLayout, Observer, PixelFormat, Size};
use crate::error::{Error, Result};
use crate::gpu::{GpuContext, ReadbackRing, Recorder};
use crate::media::AudioCopy;
use crate::ops::resize::PlaneSelect;
use crate::ops::resize::area::AreaPlan;
use crate::ops::{FramesBound, GpuFrames};
use crate::pipeline::{HeldBatch, PipelineOptions, batches};
use crate::workflows::encode::{Finished, encode};
use crate::workflows::reporter::{Reporter, stoppable};

/// Settings of a proxy.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ProxyConfig {
    /// Share of width and height, above 0 up to 1.
    #[schemars(range(max = 1.0), extend("exclusiveMinimum" = 0))]
    pub scale: f64,
    /// Sides are rounded down to multiples of it, 2..=64 and even.
    #[schemars(range(min = 2, max = 64), extend("x-unit" = "pixels", "multipleOf" = 2))]
    pub multiple: u32,
    /// Whether audio is copied.
    pub audio: bool,
    /// Quality, 0 to 51.
    #[schemars(range(min = 0.0, max = 51.0))]
    pub crf: f32,
}

impl Default for ProxyConfig {
    fn default() -> Self {
        Self { scale: 0.25, multiple: 8, audio: false, crf: 23.0 }
    }
}

impl Settings for ProxyConfig {
    fn check(&self) -> Result<()> {
        check_ranges(self, "")?;
        if !self.multiple.is_multiple_of(2) {
            let message = format!("must be an even number, got {}", self.multiple);
            return Err(Error::Config { field: "multiple".into(), message });
        }
        Ok(())
    }
}

/// Size of the proxy of frames of `size`.
///
/// # Errors
/// [`Error::Usage`] when a side would be below 16 pixels.
pub fn proxy_size(size: Size, config: &ProxyConfig) -> Result<Size> {
    let side = |n: u32| (f64::from(n) * config.scale) as u32 / config.multiple * config.multiple;
    let small = Size::new(side(size.width), side(size.height));
    if small.width.min(small.height) < 16 {
        return Err(Error::Usage {
            message: format!("a proxy of {size} at {} would be {small}; video has sides of at least 16", config.scale),
            hint: Some("use a larger scale".into()),
        });
    }
    Ok(small)
}

/// What was written.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ProxyReport {
    /// Frames.
    pub frames: u64,
    /// Width and height.
    pub size: [u32; 2],
    /// Bytes of the file.
    pub bytes: u64,
    /// Why it is not whole: damage of the video.
    pub reasons: Vec<String>,
    /// Assumptions and substitutions, such as another container.
    pub notes: Vec<String>,
    /// Where it is.
    pub path: std::path::PathBuf,
}

/// One plane after the other, each to its place in the small frame: the mean of what a sample covers.
struct Shape {
    number: u32,
    desc: FrameDesc,
    plans: Vec<AreaPlan>,
    small: GpuFrames,
    ring: ReadbackRing,
}

impl Shape {
    fn new(ctx: &GpuContext, batch: &HeldBatch, size: Size) -> Result<Self> {
        let desc = *batch.desc();
        let format = match desc.format {
            PixelFormat::Rgba8 => PixelFormat::Rgba8,
            PixelFormat::Gray8 => PixelFormat::Gray8,
            _ => PixelFormat::I420,
        };
        let small = GpuFrames::new(ctx, "proxy", format, size, batch.capacity())?;
        let components = if format == PixelFormat::I420 { 3 } else { 1 };
        let plan = |c: u32| {
            let select = |f| match components {
                1 => Ok(PlaneSelect::FIRST),
                _ => PlaneSelect::component(f, c).ok_or_else(|| Error::Bug(format!("no component {c} of {f}"))),
            };
            let (from, to) = (select(desc.format)?, select(format)?);
            AreaPlan::new(ctx, (batch.frames().layout(), from), (small.layout(), to))
        };
        let bytes = u64::from(small.layout().slot_bytes()) * u64::from(batch.capacity());
        Ok(Self {
            number: batch.shape_number(),
            desc: FrameDesc { format, size, ..desc },
            plans: (0..components).map(plan).collect::<Result<_>>()?,
            ring: ReadbackRing::new(ctx, "proxy", bytes, 1)?,
            small,
        })
    }
}

/// Writes the proxy of `video` to `path` (`.mp4`, or `.mkv`). Times of frames stay what they are. `observer` hears of frames done, in the
/// stage `write`.
///
/// # Errors
/// [`Error::Config`], [`Error::Usage`]; those of decoding, the device, encoding.
pub fn write_proxy(
    ctx: &GpuContext,
    video: ChunkVideo,
    path: &Path,
    config: &ProxyConfig,
    pipeline: &PipelineOptions,
    observer: &mut dyn Observer,
) -> Result<ProxyReport> {
    config.check()?;
    let pipeline = &stoppable(pipeline);
    let mut reporter = Reporter::new(observer, &pipeline.cancel);
    let mut progress = reporter.stage(("write", "frames"), video.facts.frames, 0);
    let ChunkVideo { facts, source, end, limits } = video;
    let audio = (config.audio && facts.audio > 0).then(|| AudioCopy { limits, ..AudioCopy::new(&facts.path, 0) });
    let spec = file_spec(path.to_path_buf(), &facts, config.crf, audio);
    let bytes = |layout: &FrameLayout, batch: u32| 2 * u64::from(layout.slot_bytes()) * u64::from(batch);
    let size = proxy_size(facts.size, config)?;
    let mut shape: Option<Shape> = None;
    let (frames, encoded) = encode(&spec, |hand_on| {
        let ((), report) = batches(ctx, pipeline, source, &bytes, |all| {
            while let Some(batch) = all.next_batch()? {
                if shape.as_ref().is_none_or(|s| s.number != batch.shape_number()) {
                    shape = None;
                    shape = Some(Shape::new(ctx, &batch, size)?);
                }
                let Shape { desc, plans, small, ring, .. } =
                    shape.as_mut().ok_or_else(|| Error::Bug("a batch without a shape".into()))?;
                let count = batch.infos().len();
                let mut rec = Recorder::new(ctx, "proxy");
                let bound: Vec<FramesBound> =
                    plans.iter().map(|p| p.bind(ctx, batch.frames(), 0, small, 0)).collect::<Result<_>>()?;
                bound.iter().for_each(|b| b.record(&mut rec, count as u32));
                let layout = *small.layout();
                let slot = layout.slot_bytes() as usize;
                let ticket = ring.record(&mut rec, &[(small.buffer(), 0, (slot * count) as u64)])?;
                let submission = rec.submit()?;
                let readback = ring.submitted(ticket, submission);
                let bytes = ring.collect_mapped(ctx, readback)?;
                for (info, bytes) in batch.infos().iter().zip(bytes.chunks_exact(slot.max(1))) {
                    hand_on(Finished { desc: *desc, info: *info, layout, bytes: bytes.to_vec() })?;
                    progress(1);
                }
            }
            Ok(())
        })?;
        // Half a video gets no name.
        report.result?;
        pipeline.cancel.check()?;
        Ok(report.frames)
    })?;
    let missing = || Error::InputCorrupt { path: facts.path.clone(), reason: "no frame could be decoded".into() };
    let encoded = encoded.ok_or_else(missing)?;
    let end = end.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
    let mut notes = encoded.notes;
    notes.extend(end.notes);
    Ok(ProxyReport {
        frames,
        size: [size.width, size.height],
        bytes: encoded.file.bytes,
        reasons: end.verdict.map(|v| v.reasons).unwrap_or_default(),
        notes,
        path: encoded.file.path,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_rounded_down_and_never_too_small() {
        let config = ProxyConfig::default();
        assert_eq!(proxy_size(Size::new(1920, 1080), &config).unwrap(), Size::new(480, 264));
        assert!(proxy_size(Size::new(70, 60), &config).is_err());
        for bad in [
            ProxyConfig { scale: 0.0, ..config.clone() },
            ProxyConfig { scale: 1.1, ..config.clone() },
            ProxyConfig { multiple: 3, ..config.clone() },
            ProxyConfig { crf: 52.0, ..config.clone() },
        ] {
            assert!(bad.check().is_err(), "{bad:?}");
        }
    }
}
