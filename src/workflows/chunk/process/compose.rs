//! Frames on the device: RGB of them, tiles cut out, tiles laid over, the change added to the samples.

use super::effect::TilePlace;
use super::placement::Placement;
use super::run::Outside;
use crate::core::blend::{OverTile, Tile};
use crate::core::{
    ChromaSiting, ChromaUpsampling, ColorRange, FrameDesc, FrameLayout, PixelFormat, Rect, RowSink, Size,
};
use crate::error::{Error, Result};
use crate::gpu::{GpuContext, Recorder};
use crate::ops::blend::feather_composite::{FeatherCompositePlan, Overlay};
use crate::ops::color::rgb_from_yuv::{RgbFromYuvPlan, RgbParams};
use crate::ops::color::yuv_change::{Change, YuvChangePlan};
use crate::ops::resize::PlaneSelect;
use crate::ops::resize::area::AreaPlan;
use crate::ops::resize::lanczos3::Lanczos3Plan;
use crate::ops::{BatchShape, FrameBatch, GpuFrames, GpuPictures, Record};

const LABEL: &str = "chunks";

/// What a run is made with.
#[derive(Debug, Clone, Copy)]
pub(super) struct Look {
    pub(super) feather: u32,
    pub(super) outside: Outside,
    /// Factor of the effect.
    pub(super) scale: u32,
    /// Whether frames come out as large as the effect makes them.
    pub(super) enlarged: bool,
}

impl Look {
    /// Factor between a frame and what comes out.
    pub(super) fn factor(&self) -> u32 {
        if self.enlarged { self.scale } else { 1 }
    }
}

/// Plans and pictures for frames of one shape.
#[derive(Debug)]
pub(super) struct Composer {
    desc: FrameDesc,
    look: Look,
    rgb: Option<RgbFromYuvPlan>,
    change: Option<YuvChangePlan>,
    enlarge: Option<Lanczos3Plan>,
    cuts: Vec<(Size, AreaPlan)>,
    /// RGB of the frames.
    before: GpuFrames,
    /// The same, or what is outside otherwise, with tiles over it; as large as what comes out.
    after: GpuFrames,
    /// Frames like the decoder's.
    out: Option<GpuFrames>,
    /// A black frame and its RGB in every slot, where the outside is black.
    black: Option<[GpuFrames; 2]>,
}

/// What was recorded but not submitted. Its small buffers are written at once: given back to the pool too early, they would be written
/// again for what is bound next, before the device has read them.
#[derive(Debug, Default)]
pub(super) struct Kept {
    bound: Vec<Box<dyn Record>>,
    tiles: Option<GpuPictures>,
}

impl Kept {
    fn record(&mut self, rec: &mut Recorder<'_>, bound: impl Record + 'static, count: u32) {
        bound.record(rec, count);
        self.bound.push(Box::new(bound));
    }
}

/// A frame of black in each slot.
fn black(ctx: &GpuContext, format: PixelFormat, size: Size, range: ColorRange, slots: u32) -> Result<GpuFrames> {
    let layout = layout_of(format, size)?;
    let mut bytes = vec![0u8; layout.slot_bytes() as usize];
    let high = |v: u32| v << (format.bits() - 8) << format.shift_to_value();
    let luma = if format == PixelFormat::Gray8 { 0 } else { u32::from(range.luma_codes().0) };
    for (index, plane) in layout.planes().iter().enumerate() {
        let row: Vec<u8> = match (format.has_luma(), index) {
            (false, _) => [0, 0, 0, 255].repeat(size.width as usize),
            (true, 0) => sample_row(high(luma), plane.shape.samples, plane.shape.sample_bytes),
            (true, _) => sample_row(high(128), plane.shape.samples, plane.shape.sample_bytes),
        };
        for y in 0..plane.shape.rows {
            bytes.as_mut_slice().write((plane.offset + y * plane.stride) as usize, &row);
        }
    }
    GpuFrames::from_host(ctx, LABEL, layout, &vec![bytes.as_slice(); slots as usize])
}

fn sample_row(value: u32, samples: u32, bytes: u32) -> Vec<u8> {
    let sample: Vec<u8> = value.to_le_bytes().into_iter().take(bytes as usize).collect();
    sample.repeat(samples as usize)
}

pub(super) fn layout_of(format: PixelFormat, size: Size) -> Result<FrameLayout> {
    let wanted = || Error::Parameter {
        op: "chunk/run",
        name: "size",
        wanted: "frames below 2 GiB".into(),
        given: format!("{format} {size}"),
    };
    FrameLayout::of(format, size).ok_or_else(wanted)
}

/// `size` times `factor`.
pub(super) fn times(size: Size, factor: u32) -> Size {
    Size::new(size.width.saturating_mul(factor), size.height.saturating_mul(factor))
}

impl Composer {
    pub(super) fn new(ctx: &GpuContext, desc: FrameDesc, slots: u32, look: Look) -> Result<Self> {
        let (format, size) = (desc.format, desc.size);
        let layout = layout_of(format, size)?;
        let yuv = format.has_luma();
        let params = RgbParams { color: desc.color, upsampling: ChromaUpsampling::Bilinear };
        let factor = look.factor();
        let same = yuv && factor == 1;
        let dark = (look.outside == Outside::Black)
            .then(|| {
                let frames = black(ctx, format, size, desc.color.range, if same { slots } else { 1 })?;
                let rgb = black(ctx, PixelFormat::Rgba8, times(size, factor), desc.color.range, slots)?;
                Ok::<_, Error>([frames, rgb])
            })
            .transpose()?;
        let rgba = layout_of(PixelFormat::Rgba8, size)?;
        let large = layout_of(PixelFormat::Rgba8, times(size, factor))?;
        Ok(Self {
            desc,
            look,
            rgb: yuv.then(|| RgbFromYuvPlan::new(ctx, &layout, params)).transpose()?,
            change: same.then(|| YuvChangePlan::new(ctx, &layout, desc.color)).transpose()?,
            enlarge: (factor > 1).then(|| Lanczos3Plan::new(ctx, &rgba, &large)).transpose()?,
            cuts: Vec::new(),
            before: GpuFrames::new(ctx, LABEL, PixelFormat::Rgba8, size, slots)?,
            after: GpuFrames::new(ctx, LABEL, PixelFormat::Rgba8, large.size, slots)?,
            out: same.then(|| GpuFrames::new(ctx, LABEL, format, size, slots)).transpose()?,
            black: dark,
        })
    }

    /// What comes out: frames like the decoder's, or RGBA where they are larger.
    pub(super) fn desc(&self) -> FrameDesc {
        match self.look.factor() {
            1 => self.desc,
            factor => FrameDesc { format: PixelFormat::Rgba8, size: times(self.desc.size, factor), ..self.desc },
        }
    }

    /// Makes RGB of the first `count` frames and cuts tiles out of it: all of `places`, chunk after chunk.
    pub(super) fn cut(
        &mut self,
        ctx: &GpuContext,
        frames: &GpuFrames,
        count: u32,
        placement: &Placement,
        places: &[TilePlace],
    ) -> Result<Option<GpuPictures>> {
        let mut rec = Recorder::new(ctx, "cut");
        let mut kept = Kept::default();
        match &self.rgb {
            Some(plan) => kept.record(&mut rec, plan.bind(ctx, frames, 0, &self.before, 0)?, count),
            None => rec.copy(frames.buffer(), 0, self.before.buffer(), 0, slot_bytes(frames) * u64::from(count)),
        }
        let tile = |place: &TilePlace| placement.chunks.get(place.chunk).map(|c| c.tile());
        let sizes: Vec<Size> = places.iter().filter_map(tile).collect();
        if sizes.is_empty() {
            rec.submit()?;
            drop(kept);
            return Ok(None);
        }
        let tiles = GpuPictures::new(ctx, LABEL, PixelFormat::Rgba8, &sizes)?;
        let mut slot = 0;
        // A chunk that moves is cut from other places of the frames that follow, one that was not active from frames further on.
        for run in places.chunk_by(|a, b| a.chunk == b.chunk && a.rect == b.rect && a.frame + 1 == b.frame) {
            let (Some(first), Some(size)) = (run.first(), sizes.get(slot as usize)) else { continue };
            let plan = self.cutter(ctx, *size)?;
            let cut = GpuFrames::new(ctx, LABEL, PixelFormat::Rgba8, *size, run.len() as u32)?;
            let rect = first.rect;
            let from = (&self.before as &dyn FrameBatch, first.frame as u32);
            let bound = plan.bind_parts(ctx, from, &cut, ChromaSiting::Center, |_| rect)?;
            kept.record(&mut rec, bound, run.len() as u32);
            // Tiles of one size lie one behind the other, in both.
            let (at, layout) = tiles.slot(slot).ok_or_else(|| Error::Bug("a tile without a place".into()))?;
            let bytes = u64::from(layout.slot_bytes()) * run.len() as u64;
            rec.copy(cut.buffer(), 0, FrameBatch::buffer(&tiles), at, bytes);
            slot += run.len() as u32;
        }
        rec.submit()?;
        drop(kept);
        Ok(Some(tiles))
    }

    fn cutter(&mut self, ctx: &GpuContext, size: Size) -> Result<AreaPlan> {
        if let Some((_, plan)) = self.cuts.iter().find(|(s, _)| *s == size) {
            return Ok(plan.clone());
        }
        let (whole, to) = (PlaneSelect::FIRST, layout_of(PixelFormat::Rgba8, size)?);
        let plan = AreaPlan::for_parts(ctx, (self.before.layout(), whole), (&to, whole))?;
        self.cuts.push((size, plan.clone()));
        Ok(plan)
    }

    /// Lays the tiles that the effect made over the frames and records the way back to frames. Gives what holds them, and what must be kept
    /// until `rec` is submitted.
    pub(super) fn put(
        &self,
        ctx: &GpuContext,
        (frames, count): (&GpuFrames, u32),
        placement: &Placement,
        places: &[TilePlace],
        made: Option<&GpuPictures>,
        rec: &mut Recorder<'_>,
    ) -> Result<(GpuFrames, Kept)> {
        let mut kept = Kept::default();
        let used = slot_bytes(&self.after) * u64::from(count);
        match (&self.black, &self.enlarge) {
            (Some([_, rgb]), _) => rec.copy(rgb.buffer(), 0, self.after.buffer(), 0, used),
            (None, Some(plan)) => kept.record(rec, plan.bind(ctx, &self.before, 0, &self.after, 0)?, count),
            (None, None) => rec.copy(self.before.buffer(), 0, self.after.buffer(), 0, used),
        }
        let factor = self.look.factor();
        if let Some(made) = made {
            let sizes: Vec<Size> =
                places.iter().map(|p| times(Size::new(p.rect.width, p.rect.height), factor)).collect();
            let fitted = self.fitted(ctx, made, &sizes, (&mut *rec, &mut kept))?;
            let tiles = fitted.as_ref().unwrap_or(made);
            let plan = FeatherCompositePlan::new(ctx, self.after.layout(), BatchShape::of(tiles)?)?;
            let overlays = self.overlays(placement, places, factor);
            kept.record(rec, plan.bind_over(ctx, &self.after, 0, tiles, &overlays)?, count);
            kept.tiles = fitted;
        }
        let (Some(change), Some(out)) = (&self.change, &self.out) else {
            return Ok((self.after.clone(), kept));
        };
        let (base, before) = match &self.black {
            Some([frames, rgb]) => (frames, rgb),
            None => (frames, &self.before),
        };
        let pictures = Change { before: (before, 0), after: (&self.after, 0) };
        kept.record(rec, change.bind(ctx, (base, 0), pictures, (out, 0))?, count);
        Ok((out.clone(), kept))
    }

    /// Tiles in the size of their places, where they are not that already.
    fn fitted(
        &self,
        ctx: &GpuContext,
        made: &GpuPictures,
        sizes: &[Size],
        (rec, kept): (&mut Recorder<'_>, &mut Kept),
    ) -> Result<Option<GpuPictures>> {
        let given = (0..made.slots()).filter_map(|i| made.slot(i)).map(|(_, l)| l.size);
        if given.eq(sizes.iter().copied()) {
            return Ok(None);
        }
        let fitted = GpuPictures::new(ctx, LABEL, PixelFormat::Rgba8, sizes)?;
        let plan = Lanczos3Plan::new(ctx, BatchShape::of(made)?, BatchShape::of(&fitted)?)?;
        kept.record(rec, plan.bind(ctx, made, 0, &fitted, 0)?, made.slots());
        Ok(Some(fitted))
    }

    /// One for each slot of the canvas; the last ones are empty.
    fn overlays(&self, placement: &Placement, places: &[TilePlace], factor: u32) -> Vec<Overlay> {
        let feather = self.look.feather.max(1) * factor;
        let mut overlays =
            vec![Overlay { tiles: Vec::new(), feather, inset: placement.halo * factor }; self.after.slots() as usize];
        for (slot, place) in (0..).zip(places) {
            let Rect { x, y, .. } = place.rect;
            if let Some(overlay) = overlays.get_mut(place.frame) {
                overlay.tiles.push(OverTile {
                    tile: Tile { slot, x: x * factor, y: y * factor },
                    flush: placement.flush(place.rect),
                    strength: place.strength,
                });
            }
        }
        overlays
    }
}

fn slot_bytes(frames: &GpuFrames) -> u64 {
    u64::from(frames.layout().slot_bytes())
}
