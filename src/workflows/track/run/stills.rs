//! Pictures of the video that are kept for the report: what lies behind zones, heat and objects.

use serde::{Deserialize, Serialize};

use crate::core::{ChromaUpsampling, PixelFormat, Size};
use crate::error::Result;
use crate::gpu::{GpuContext, Recorder};
use crate::media::encode_jpeg;
use crate::ops::color::rgb_from_yuv::{RgbFromYuvPlan, RgbParams};
use crate::ops::resize::PlaneSelect;
use crate::ops::resize::area::AreaPlan;
use crate::ops::{FrameBatch as _, GpuFrames};
use crate::pipeline::HeldBatch;

/// Seconds from still to still at least.
const SPAN: f64 = 0.5;
const QUALITY: u8 = 85;

/// A still, as it is kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Still {
    /// Number of its frame.
    pub(super) frame: u64,
    pub(super) seconds: f64,
    /// Name of the file in the run folder.
    pub(super) file: String,
}

/// Takes stills as frames come by.
pub(super) struct Stills {
    most: u32,
    span: f64,
    /// The last step that has its still.
    step: Option<i64>,
    taken: u32,
    camera: Camera,
}

/// Takes frames out of batches, as JPEGs.
pub(super) struct Camera {
    side: u32,
    quality: u8,
    shape: Option<Shape>,
}

struct Shape {
    number: u32,
    rgb: Option<RgbFromYuvPlan>,
    area: AreaPlan,
    whole: GpuFrames,
    small: GpuFrames,
}

impl Stills {
    /// `seconds` is the declared length of the video.
    pub(super) fn new(most: u32, side: u32, seconds: Option<f64>) -> Self {
        let span = seconds.map_or(2.0, |s| s / f64::from(most.max(1))).max(SPAN);
        Self { most, span, step: None, taken: 0, camera: Camera::new(side, QUALITY) }
    }

    /// Whether the frame at `seconds` of a video that began at `first` is the next still. Depends on times alone.
    pub(super) fn due(&mut self, seconds: f64, first: f64) -> bool {
        let step = ((seconds - first) / self.span + 1e-6).floor() as i64;
        if self.taken >= self.most || self.step.is_some_and(|s| step <= s) {
            return false;
        }
        self.step = Some(step);
        self.taken += 1;
        true
    }

    /// The frame in `slot` of a batch as a JPEG.
    pub(super) fn take(&mut self, ctx: &GpuContext, batch: &HeldBatch, slot: u32) -> Result<Vec<u8>> {
        self.camera.take(ctx, batch, slot).map(|(jpeg, _)| jpeg)
    }

    /// Goes on behind what an interrupted run took.
    pub(super) fn resume(&mut self, seconds: impl Iterator<Item = f64>, first: f64) {
        for s in seconds {
            self.due(s, first);
        }
    }
}

impl Camera {
    /// For pictures of at most `side` pixels on a side, of a quality of 1 to 100.
    pub(super) fn new(side: u32, quality: u8) -> Self {
        Self { side, quality, shape: None }
    }

    /// Bytes that it holds for frames of a size.
    pub(super) fn bytes(size: Size, side: u32) -> u64 {
        4 * (size.area() + size.fit_within(side).area())
    }

    /// The frame in `slot` of a batch, and the size of its picture.
    pub(super) fn take(&mut self, ctx: &GpuContext, batch: &HeldBatch, slot: u32) -> Result<(Vec<u8>, Size)> {
        let desc = batch.desc();
        if self.shape.as_ref().is_none_or(|s| s.number != batch.shape_number()) {
            let params = RgbParams { color: desc.color, upsampling: ChromaUpsampling::Bilinear };
            let whole = GpuFrames::new(ctx, "still", PixelFormat::Rgba8, desc.size, 1)?;
            let small = GpuFrames::new(ctx, "still", PixelFormat::Rgba8, desc.size.fit_within(self.side), 1)?;
            let rgb = desc.format.has_luma();
            let rgb = rgb.then(|| RgbFromYuvPlan::new(ctx, batch.frames().layout(), params)).transpose()?;
            let to = (small.layout(), PlaneSelect::FIRST);
            let area = AreaPlan::new(ctx, (whole.layout(), PlaneSelect::FIRST), to)?;
            self.shape = Some(Shape { number: batch.shape_number(), rgb, area, whole, small });
        }
        let Some(shape) = &self.shape else { return Ok((Vec::new(), Size::new(0, 0))) };
        let mut rec = Recorder::new(ctx, "still");
        let bound = match &shape.rgb {
            Some(plan) => Some(plan.bind(ctx, batch.frames(), slot, &shape.whole, 0)?),
            None => {
                let (at, layout) = batch.frames().slot(slot).unwrap_or((0, *shape.whole.layout()));
                let bytes = u64::from(layout.slot_bytes());
                rec.copy(batch.frames().buffer(), at, shape.whole.buffer(), 0, bytes);
                None
            }
        };
        if let Some(bound) = &bound {
            bound.record(&mut rec, 1);
        }
        let area = shape.area.bind(ctx, &shape.whole, 0, &shape.small, 0)?;
        area.record(&mut rec, 1);
        rec.submit()?;
        let bytes = shape.small.read_slot(ctx, 0)?;
        let plane = shape.small.layout().first();
        let size = shape.small.layout().size;
        let rows = bytes.chunks(plane.stride.max(1) as usize).take(size.height as usize);
        let rgba: Vec<u8> = rows.flat_map(|r| r.iter().take(size.width as usize * 4)).copied().collect();
        Ok((encode_jpeg(size, &rgba, self.quality)?, size))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stills_are_spread_over_the_video() {
        let mut stills = Stills::new(10, 64, Some(20.0));
        let due: Vec<u32> = (0..500u32).filter(|f| stills.due(f64::from(*f) / 25.0, 0.0)).collect();
        assert_eq!(due, (0..10).map(|i| i * 50).collect::<Vec<u32>>());
        // A length that was a lie takes no more than were asked for.
        assert!((500..5000u32).all(|f| !stills.due(f64::from(f) / 25.0, 0.0)));
    }
}
