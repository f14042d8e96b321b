//! Frames covered on purpose, on the device.

use serde::{Deserialize, Serialize};

use super::super::config::{CreateOcclusion, OcclusionType, Position};
use super::super::metrics::settled;
use super::super::picture::Rgba;
use crate::core::occlusion::{EdgeBlur, Erasing, Fill, Inside, LayMode, Paste, Region, Side};
use crate::core::random::Draw;
use crate::core::{Covered, Rect};
use crate::error::Result;
use crate::gpu::{GpuContext, Recorder};
use crate::ops::occlusion::edge_blur::EdgeBlurPlan;
use crate::ops::occlusion::erase::{Erase, ErasePlan};
use crate::ops::occlusion::overlay::{Overlay, OverlayPlan};
use crate::ops::occlusion::paste_object::PasteObjectPlan;
use crate::ops::{BatchShape, CoverBound, GpuFrames};

/// Share of the width or height that the first round of blurred bands covers.
const BAND: f64 = 0.25;
/// What each further round adds, so that no variant repeats another.
const MORE: f64 = 0.08;
/// Pixels over which a blur sets in.
const FEATHER: u32 = 24;
/// Grey of overlays: something dark and close.
const SHADE: u8 = 40;

/// How a variant is covered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Variant {
    /// Name of the type.
    pub(super) how: String,
    /// Side of bands.
    pub(super) side: Option<String>,
    /// Covered share of the picture, 0..=1.
    pub(super) share: f64,
    /// What the settings call it, as in the caption; empty without one.
    #[serde(default)]
    pub(super) description: String,
}

const fn side_of(position: Position) -> (Side, &'static str) {
    match position {
        Position::Left => (Side::Left, "left"),
        Position::Right => (Side::Right, "right"),
        Position::Top => (Side::Top, "top"),
        Position::Bottom => (Side::Bottom, "bottom"),
    }
}

/// Cover plans for pictures of one size.
struct Plans<'a> {
    ctx: &'a GpuContext,
    shape: BatchShape,
}

fn run(ctx: &GpuContext, bound: &CoverBound) -> Result<Covered> {
    let mut rec = Recorder::new(ctx, "curate cover");
    bound.record(&mut rec, 1);
    rec.run()?;
    let bytes = bound.results().read(ctx, bound.frame_bytes())?;
    Ok(bound.decode(&bytes).into_iter().next().unwrap_or_default())
}

impl Plans<'_> {
    fn blur(&self, frames: &GpuFrames, blur: EdgeBlur) -> Result<Covered> {
        run(self.ctx, &EdgeBlurPlan::new(self.ctx, self.shape)?.bind(self.ctx, frames, 0, &[blur])?)
    }

    fn overlay(&self, frames: &GpuFrames, overlay: Overlay) -> Result<Covered> {
        run(self.ctx, &OverlayPlan::new(self.ctx, self.shape)?.bind(self.ctx, frames, 0, &[overlay])?)
    }

    fn erase(&self, frames: &GpuFrames, erase: Erase) -> Result<Covered> {
        run(self.ctx, &ErasePlan::new(self.ctx, self.shape)?.bind(self.ctx, frames, 0, &[erase])?)
    }

    fn paste(&self, frames: &GpuFrames, objects: &GpuFrames, paste: Paste) -> Result<Covered> {
        let plan = PasteObjectPlan::new(self.ctx, self.shape, BatchShape::of(objects)?)?;
        run(self.ctx, &plan.bind(self.ctx, frames, 0, objects, &[paste])?)
    }
}

/// Variants of a picture as the original makes them: all sides blurred in every variant, overlays that add light.
pub(super) fn original(
    ctx: &GpuContext,
    picture: &Rgba,
    config: &CreateOcclusion,
    index: usize,
) -> Result<(Rgba, Variant)> {
    let frames = Rgba::upload(ctx, &[picture])?;
    let plans = Plans { ctx, shape: BatchShape::of(&frames)? };
    let kind = config.occlusion_types.get(index % config.occlusion_types.len().max(1)).copied();
    let mut share = 0.0;
    let how = match kind {
        Some(OcclusionType::EdgeBlur) | None => {
            for position in &config.blur_positions {
                let side = side_of(*position).0;
                let radius = config.blur_radius;
                let blur = EdgeBlur { side, share: BAND, radius, feather: 0, inside: Inside::Band };
                share += plans.blur(&frames, blur)?.share();
            }
            "edge_blur"
        }
        Some(_) => {
            let rect = Rect { x: 0, y: 0, width: picture.size.width / 3 + 1, height: picture.size.height };
            let opacity = config.overlay_opacity;
            let overlay = Overlay { region: Region::Rect(rect), colour: [50; 3], opacity, mode: LayMode::Add };
            share += plans.overlay(&frames, overlay)?.share();
            "overlay"
        }
    };
    let variant = Variant { how: how.into(), side: None, share: settled(share.min(1.0)), description: String::new() };
    Ok((Rgba::download(ctx, &frames, 0)?, variant))
}

/// A word from the content of a frame: the same frame is always covered alike. All of the content counts, because frames of one video differ in the
/// end of it alone.
fn seed_of(content: &str) -> u32 {
    let [a, b, c, d, ..] = *blake3::hash(content.as_bytes()).as_bytes();
    u32::from_be_bytes([a, b, c, d])
}

/// Variant `index` of a picture, each different from the others: types in turn, and each type goes around the sides, then grows.
pub(super) fn variant(
    ctx: &GpuContext,
    picture: &Rgba,
    config: &CreateOcclusion,
    (content, index): (&str, usize),
    cutouts: &[Rgba],
) -> Result<(Rgba, Variant)> {
    let types = config.occlusion_types.len().max(1);
    let kind = config.occlusion_types.get(index % types).copied().unwrap_or(OcclusionType::EdgeBlur);
    // How often this type has had its turn.
    let earlier = config.occlusion_types.iter().take(index % types).filter(|t| **t == kind).count();
    let per_round = config.occlusion_types.iter().filter(|t| **t == kind).count();
    covered(ctx, picture, config, kind, (content, index / types * per_round + earlier), cutouts)
}

/// `picture` covered by `kind`, for the `turn`-th time.
pub(super) fn covered(
    ctx: &GpuContext,
    picture: &Rgba,
    config: &CreateOcclusion,
    kind: OcclusionType,
    (content, turn): (&str, usize),
    cutouts: &[Rgba],
) -> Result<(Rgba, Variant)> {
    let frames = Rgba::upload(ctx, &[picture])?;
    let plans = Plans { ctx, shape: BatchShape::of(&frames)? };
    let sides = config.blur_positions.len().max(1);
    let share = (BAND + MORE * (turn / sides) as f64).min(0.9);
    let position = |at: usize| config.blur_positions.get(at % sides).copied().unwrap_or(Position::Left);
    let draw = Draw { seed: seed_of(content), picture: turn as u32 };
    let (how, side, covered) = match kind {
        OcclusionType::EdgeBlur => {
            let (side, name) = side_of(position(turn));
            let blur = EdgeBlur { side, share, radius: config.blur_radius, feather: FEATHER, inside: Inside::Picture };
            ("edge_blur", Some(name), plans.blur(&frames, blur)?)
        }
        OcclusionType::Overlay => {
            // From the other end of the list, so that the first overlay is not where the first blur is.
            let (side, name) = side_of(position(sides - 1 - turn % sides));
            let region = Region::Band { side, share: share + MORE };
            let opacity = config.overlay_opacity;
            let overlay = Overlay { region, colour: [SHADE; 3], opacity, mode: LayMode::Blend };
            ("overlay", Some(name), plans.overlay(&frames, overlay)?)
        }
        OcclusionType::Erase => {
            let erasing = Erasing { count: 1, probability: 1.0, area: [0.08, 0.2], aspect: [0.5, 2.0] };
            ("erase", None, plans.erase(&frames, Erase { erasing, fill: Fill::Mean, draw })?)
        }
        OcclusionType::Object => {
            let [which, x, y, size] = draw.words(0, crate::core::random::stream::ERASE);
            let object = cutouts.get(which as usize % cutouts.len().max(1));
            let object = object.ok_or_else(|| crate::Error::usage("there are no cut-outs to paste"))?;
            let objects = Rgba::upload(ctx, &[object])?;
            // A third to a half of the height, somewhere in the lower half: in front of what stands there.
            let (w, h) = (f64::from(picture.size.width), f64::from(picture.size.height));
            let unit = crate::core::random::unit;
            let scale = h * (1.0 / 3.0 + unit(size) / 6.0) / f64::from(object.size.height.max(1));
            let wide = f64::from(object.size.width) * scale;
            let paste = Paste {
                object: 0,
                x: ((w - wide) * unit(x)) as i32,
                y: (h * (0.45 + 0.2 * unit(y))) as i32,
                scale,
                opacity: 1.0,
            };
            ("object", None, plans.paste(&frames, &objects, paste)?)
        }
    };
    let made = Rgba::download(ctx, &frames, 0)?;
    let (side, share) = (side.map(String::from), settled(covered.share()));
    Ok((made, Variant { how: how.into(), side, share, description: String::new() }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_frame_has_a_seed_of_its_own() {
        // Content ids of frames of a video begin with the size of the file; of pictures they are a hash.
        let video = |index: u32| format!("1048576-af1349b9f5f9a1a6a0404dea36dcc949#{index}");
        let mut seeds: Vec<u32> = (0..100).map(|i| seed_of(&video(i))).collect();
        seeds.push(seed_of("af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262"));
        seeds.sort_unstable();
        seeds.dedup();
        assert_eq!(seeds.len(), 101);
        assert_eq!(seed_of(&video(7)), seed_of(&video(7)));
    }
}
