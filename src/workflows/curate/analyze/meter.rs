//! Frames in GPU memory to figures: one pass of the kernels, and what networks see.

use std::time::{Duration, Instant};

use super::reduce::{Reduce, reduced};
use crate::core::{
    BlurMap, ChromaUpsampling, ColorSpec, FigureForm, FrameAnalysis, FrameLayout, LaplacianSums, PixelFormat, Size,
    Thumbnail,
};
use crate::error::Result;
use crate::gpu::GpuContext;
use crate::ops::GpuFrames;
use crate::ops::color::gray_from_rgb::gray_from_rgb;
use crate::ops::color::rgb_from_yuv::RgbParams;
use crate::ops::fused::analyze_frame::{AnalyzeParams, AnalyzePlan};
use crate::ops::sharpness::blur_map::BlurMapPlan;
use crate::ops::stats::luma::LumaParams;
use crate::workflows::curate::config::CurateConfig;
use crate::workflows::curate::detail::{BlurTiles, Embedding};
use crate::workflows::curate::execute::without_noise;
use crate::workflows::curate::metrics::{FrameMetrics, Seen};
use crate::workflows::curate::models::{Describe, Detect, Faces, Opener, Subject};

/// Plans kept, each for one shape of frames.
const PLANS: usize = 6;

/// Networks that look at frames.
#[derive(Debug, Default)]
pub(super) struct Looking {
    detect: Option<Detect>,
    faces: Option<Faces>,
    subject: Option<Subject>,
    describe: Option<Describe>,
}

impl Looking {
    pub(super) fn open(opener: &mut Opener<'_>, ctx: &GpuContext) -> Result<Self> {
        // One that is asked at hundreds of points looks only at frames that are cut out.
        let subject = opener.subject(ctx)?.filter(Subject::is_quick);
        let (detect, faces, describe) = (opener.detect(ctx)?, opener.faces(ctx)?, opener.describe(ctx)?);
        Ok(Self { detect, faces, subject, describe })
    }
}

/// A shape of frames.
type Key = (PixelFormat, Size, ColorSpec);

/// What frames of one shape are measured with.
#[derive(Debug)]
struct Planned {
    key: Key,
    reduce: Option<Reduce>,
    analyze: AnalyzePlan,
    /// Not with parity: the original has no such map.
    blur: Option<BlurMapPlan>,
}

/// Where the time of a meter went.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Spent {
    /// Kernels: reducing and measuring.
    pub(super) figures: Duration,
    /// Networks, with the tensors that they take.
    pub(super) networks: Duration,
}

/// Measures frames.
#[derive(Debug)]
pub(super) struct Meter<'a> {
    ctx: &'a GpuContext,
    config: &'a CurateConfig,
    looking: Looking,
    planned: Vec<Planned>,
    glance: Option<(Key, AnalyzePlan)>,
    spent: Spent,
}

/// What frames of a video are chosen by.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Glance {
    /// Variance of the Laplacian of the whole frame.
    pub(super) sharpness: f64,
    /// 8x8 means of grey.
    pub(super) tiny: Thumbnail,
}

impl<'a> Meter<'a> {
    pub(super) fn new(ctx: &'a GpuContext, config: &'a CurateConfig, looking: Looking) -> Self {
        Self { ctx, config, looking, planned: Vec::new(), glance: None, spent: Spent::default() }
    }

    pub(super) fn spent(&self) -> Spent {
        self.spent
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
            let gray = gray_of(measured)?;
            let blur = (!self.config.parity).then(|| BlurMapPlan::new(self.ctx, &gray, BlurTiles::TILE)).transpose()?;
            self.planned.push(Planned { key, reduce, analyze, blur });
        }
        self.planned.last().ok_or_else(|| crate::Error::Bug("a meter without a plan".into()))
    }

    /// What the first `count` frames of `src` are chosen by: a tenth of the work of measuring them.
    pub(super) fn glance(&mut self, src: &GpuFrames, color: ColorSpec, count: u32) -> Result<Vec<Glance>> {
        let started = Instant::now();
        let layout = src.layout();
        let key = (layout.format, layout.size, color);
        let plan = match self.glance.take().filter(|(k, _)| *k == key) {
            Some((_, plan)) => plan,
            None => {
                let rgb = RgbParams { color, upsampling: ChromaUpsampling::Nearest };
                let luma = Some(LumaParams { dark: 25, bright: 230 });
                let thumbnail = Some(Size::new(8, 8));
                AnalyzePlan::new(self.ctx, layout, AnalyzeParams { luma, thumbnail, ..AnalyzeParams::none(rgb) })?
            }
        };
        let found = plan.bind(self.ctx, src, 0)?.run(self.ctx)?;
        self.glance = Some((key, plan));
        self.spent.figures += started.elapsed();
        let missing = || crate::Error::Bug("a part of a glance is missing".into());
        let one = |a: FrameAnalysis| -> Result<Glance> {
            let luma = a.luma.ok_or_else(missing)?;
            let sums = LaplacianSums { n: luma.n, sum: luma.lap_sum, sum_sq: luma.lap_sum_sq };
            Ok(Glance { sharpness: sums.variance(), tiny: a.thumbnail.ok_or_else(missing)? })
        };
        found.into_iter().take(count as usize).map(one).collect()
    }

    /// Figures of the first `count` frames of `src`, and what networks see in them.
    pub(super) fn measure(&mut self, src: &GpuFrames, color: ColorSpec, count: u32) -> Result<Vec<FrameMetrics>> {
        let (ctx, size) = (self.ctx, src.layout().size);
        let form = if self.config.parity { FigureForm::Parity } else { FigureForm::Corrected };
        let started = Instant::now();
        let planned = self.plan(src.layout(), color)?;
        let small = planned.reduce.as_ref().map(|r| r.run(ctx, src, count)).transpose()?;
        let frames = small.as_ref().unwrap_or(src);
        let found = planned.analyze.bind(ctx, frames, 0)?.run(ctx)?;
        let maps = planned.blur.as_ref().map(|blur| blurred(ctx, blur, frames)).transpose()?.unwrap_or_default();
        let measured = Instant::now();
        let seen = self.look(frames, size, color, count)?;
        let vectors = self.describe(frames, color, count)?;
        self.spent.figures += measured - started;
        self.spent.networks += measured.elapsed();
        let both = found.iter().zip(seen).take(count as usize);
        let metrics = both.map(|(analysis, seen)| FrameMetrics::new(analysis, size, form, seen));
        let mut metrics = metrics.collect::<Result<Vec<_>>>()?;
        metrics.iter_mut().zip(&maps).for_each(|(m, map)| m.blur = Some(BlurTiles::new(map)));
        metrics.iter_mut().zip(vectors).for_each(|(m, vector)| m.embedding = vector);
        Ok(metrics)
    }

    /// What a network says of the first `count` of `frames` as wholes; nothing without one.
    fn describe(&mut self, frames: &GpuFrames, color: ColorSpec, count: u32) -> Result<Vec<Option<Embedding>>> {
        match &mut self.looking.describe {
            Some(network) => network.describe(frames, color, count),
            None => Ok(Vec::new()),
        }
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
            let side =
                f64::from(self.config.strategies.segment.min_instance_size) * height / f64::from(full.height.max(1));
            for (s, mask) in seen.iter_mut().zip(found) {
                // As when it is cut out: islands are no part of a character.
                s.subject = Some(without_noise(&mask, (side * side) as usize).share());
            }
        }
        Ok(seen)
    }
}

/// Layout of the grey of frames of `layout`: their luma, or a plane of its own for packed colours.
fn gray_of(layout: &FrameLayout) -> Result<FrameLayout> {
    if layout.format.has_luma() {
        return Ok(*layout);
    }
    let none = || crate::Error::Bug(format!("{} has no grey", layout.size));
    FrameLayout::of(PixelFormat::Gray8, layout.size).ok_or_else(none)
}

/// Where frames are sharp.
fn blurred(ctx: &GpuContext, plan: &BlurMapPlan, frames: &GpuFrames) -> Result<Vec<BlurMap>> {
    let gray = (!frames.layout().format.has_luma()).then(|| gray_from_rgb(ctx, frames)).transpose()?;
    plan.bind(ctx, gray.as_ref().unwrap_or(frames), 0)?.run(ctx)
}
