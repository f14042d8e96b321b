//! Frames in GPU memory to figures: one pass of the kernels, and what networks see.

use super::reduce::{Reduce, reduced};
use crate::core::{ChromaUpsampling, ColorSpec, FigureForm, FrameLayout, PixelFormat, Size};
use crate::error::Result;
use crate::gpu::GpuContext;
use crate::ops::GpuFrames;
use crate::ops::color::rgb_from_yuv::RgbParams;
use crate::ops::fused::analyze_frame::{AnalyzeParams, AnalyzePlan};
use crate::workflows::curate::config::CurateConfig;
use crate::workflows::curate::metrics::{FrameMetrics, Seen};
use crate::workflows::curate::models::{Detect, Faces, Opener, Subject};

/// Plans kept, each for one shape of frames.
const PLANS: usize = 6;

/// Networks that look at frames.
#[derive(Debug, Default)]
pub(super) struct Looking {
    detect: Option<Detect>,
    faces: Option<Faces>,
    subject: Option<Subject>,
}

impl Looking {
    pub(super) fn open(opener: &mut Opener<'_>, ctx: &GpuContext) -> Result<Self> {
        // One that is asked at hundreds of points looks only at frames that are cut out.
        let subject = opener.subject(ctx)?.filter(Subject::is_quick);
        Ok(Self { detect: opener.detect(ctx)?, faces: opener.faces(ctx)?, subject })
    }

    pub(super) fn is_blind(&self) -> bool {
        self.detect.is_none() && self.faces.is_none() && self.subject.is_none()
    }
}

/// What frames of one shape are measured with.
#[derive(Debug)]
struct Planned {
    key: (PixelFormat, Size, ColorSpec),
    reduce: Option<Reduce>,
    analyze: AnalyzePlan,
}

/// Measures frames.
#[derive(Debug)]
pub(super) struct Meter<'a> {
    ctx: &'a GpuContext,
    config: &'a CurateConfig,
    looking: Looking,
    planned: Vec<Planned>,
}

impl<'a> Meter<'a> {
    pub(super) fn new(ctx: &'a GpuContext, config: &'a CurateConfig, looking: Looking) -> Self {
        Self { ctx, config, looking, planned: Vec::new() }
    }

    pub(super) fn is_blind(&self) -> bool {
        self.looking.is_blind()
    }

    /// Bytes that measuring a batch of frames of `layout` takes beside the frames.
    pub(super) fn bytes(config: &CurateConfig, layout: &FrameLayout, batch: u32) -> u64 {
        let pixels = if config.parity { 0 } else { config.analysis.pixels };
        let area = reduced(layout.size, pixels).unwrap_or(layout.size).area();
        // The reduced frame, its grey, gradients and bit planes of edges; maps of colours.
        u64::from(batch) * area * 9 + (u64::from(batch.min(16)) << 21)
    }

    fn plan(&mut self, layout: &FrameLayout, color: ColorSpec) -> Result<&Planned> {
        let key = (layout.format, layout.size, color);
        if let Some(at) = self.planned.iter().position(|p| p.key == key) {
            // The one in use is the last.
            let found = self.planned.remove(at);
            self.planned.push(found);
        } else {
            if self.planned.len() >= PLANS {
                self.planned.remove(0);
            }
            let pixels = if self.config.parity { 0 } else { self.config.analysis.pixels };
            let small = reduced(layout.size, pixels);
            let reduce = small.map(|size| Reduce::new(self.ctx, layout, size)).transpose()?;
            let measured = reduce.as_ref().map_or(layout, Reduce::layout);
            let rgb = RgbParams { color, upsampling: ChromaUpsampling::Nearest };
            let analyze = AnalyzePlan::new(self.ctx, measured, AnalyzeParams::curation(rgb))?;
            self.planned.push(Planned { key, reduce, analyze });
        }
        self.planned.last().ok_or_else(|| crate::Error::Bug("a meter without a plan".into()))
    }

    /// Figures of the first `count` frames of `src`. `look`: whether networks look at them too.
    pub(super) fn measure(
        &mut self,
        src: &GpuFrames,
        color: ColorSpec,
        count: u32,
        look: bool,
    ) -> Result<Vec<FrameMetrics>> {
        let (ctx, size) = (self.ctx, src.layout().size);
        let form = if self.config.parity { FigureForm::Parity } else { FigureForm::Corrected };
        let planned = self.plan(src.layout(), color)?;
        let small = planned.reduce.as_ref().map(|r| r.run(ctx, src, count)).transpose()?;
        let frames = small.as_ref().unwrap_or(src);
        let found = planned.analyze.bind(ctx, frames, 0)?.run(ctx)?;
        let seen = if look { self.look(frames, size, color, count)? } else { vec![Seen::default(); count as usize] };
        let both = found.iter().zip(seen).take(count as usize);
        both.map(|(analysis, seen)| FrameMetrics::new(analysis, size, form, seen)).collect()
    }

    /// What networks see in the first `count` of `frames`, which show frames of `full`.
    fn look(&mut self, frames: &GpuFrames, full: Size, color: ColorSpec, count: u32) -> Result<Vec<Seen>> {
        let mut seen = vec![Seen::default(); count as usize];
        let height = f64::from(frames.layout().size.height);
        if let Some(detect) = &mut self.looking.detect {
            let scale = height / f64::from(full.height.max(1));
            let least = f64::from(self.config.strategies.segment.min_instance_size) * scale;
            let found = detect.count(frames, color, count, least as f32)?;
            seen.iter_mut().zip(found).for_each(|(s, f)| s.instances = Some(f));
        }
        if let Some(faces) = &mut self.looking.faces {
            let found = faces.find(frames, color, count)?;
            for (s, faces) in seen.iter_mut().zip(found) {
                let tall = faces.iter().map(|f| f64::from(f.rect.height)).fold(0.0, f64::max);
                s.faces = Some((faces.len() as u32, (tall / height).clamp(0.0, 1.0)));
            }
        }
        if let Some(subject) = &mut self.looking.subject {
            let found = subject.masks(frames, color, count)?;
            seen.iter_mut().zip(found).for_each(|(s, mask)| s.subject = Some(mask.share()));
        }
        Ok(seen)
    }
}
