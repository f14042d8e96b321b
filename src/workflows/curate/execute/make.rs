//! One frame to the files that its strategy asks for.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::super::config::{CurateConfig, EnhanceStep, OcclusionType, Step};
use super::super::metrics::{FrameEntry, FrameMetrics, settled};
use super::super::models::{ByteMask, Fill, Opener, Subject, rgb_of, rgba_of};
use super::super::picture::{PictureFile, Rgba};
use super::super::strategy::{Strategy, StrategyFrame, StrategyPicture};
use super::super::{CREATE_OCCLUSION, ENHANCE_SEGMENT, KEEP_FULL, SEGMENT};
use super::caption::Captions;
use super::cover::{self, Variant};
use super::enhance::Repair;
use super::{Cutouts, exemplar, mask, telea};
use crate::core::{ChromaUpsampling, ColorSpec, FigureForm};
use crate::error::{Error, Result};
use crate::gpu::GpuContext;
use crate::media::ImageFormat;
use crate::ops::color::rgb_from_yuv::RgbParams;
use crate::ops::fused::analyze_frame::{AnalyzeParams, analyze_frame};
use crate::report::{PngFormat, encode_png};
use crate::workflows::curate::metrics::Seen;

/// Radius of known pixels that a filled one is made of, as the original's.
const FILL_RADIUS: u32 = 3;
const CHARACTER: &str = "a 3d animated character";
const SCENE: &str = "3d animated scene";

/// A file to write: its path below the output folder, and its bytes.
#[derive(Debug)]
pub(super) struct Made {
    pub(super) path: String,
    pub(super) bytes: Vec<u8>,
}

/// What is worth knowing of how a frame was made.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(super) struct Account {
    /// Steps in words.
    pub(super) steps: Vec<String>,
    /// How variants are covered.
    pub(super) variants: Vec<Variant>,
    /// Share of the frame that the character takes, where one was cut out.
    pub(super) character: Option<f64>,
    /// Figures after the repair.
    pub(super) after: Option<FrameMetrics>,
}

/// A frame with its pixels: from a picture file, or decoded from a video.
#[derive(Debug)]
pub(in super::super) enum Pixels {
    File(Box<PictureFile>),
    Decoded(Rgba),
}

impl Pixels {
    pub(in super::super) fn picture(&self) -> &Rgba {
        match self {
            Self::File(f) => &f.picture,
            Self::Decoded(p) => p,
        }
    }

    /// The file as it is where trainers read it so, else a PNG; with its ending. The original calls everything PNG.
    fn copy(&self, parity: bool) -> Result<(&'static str, Vec<u8>)> {
        if let Self::File(file) = self {
            let ending = match file.format {
                _ if parity => Some("png"),
                ImageFormat::Png => Some("png"),
                ImageFormat::Jpeg => Some("jpg"),
                ImageFormat::WebP => Some("webp"),
                _ => None,
            };
            if let Some(ending) = ending.filter(|_| parity || file.upright) {
                return Ok((ending, file.bytes.clone()));
            }
        }
        Ok(("png", png(self.picture())?))
    }
}

/// A picture as PNG; without transparency where it has none.
pub(super) fn png(picture: &Rgba) -> Result<Vec<u8>> {
    let opaque = picture.pixels.iter().skip(3).step_by(4).all(|a| *a == 255);
    let made = if opaque {
        encode_png(picture.size, PngFormat::Rgb8, &rgb_of(&picture.pixels))
    } else {
        encode_png(picture.size, PngFormat::Rgba8, &picture.pixels)
    };
    made.map_err(|e| Error::Bug(format!("encoding a PNG: {e}")))
}

/// Everything that makes pictures.
#[derive(Debug)]
pub(super) struct Studio<'a> {
    pub(super) ctx: &'a GpuContext,
    pub(super) config: &'a CurateConfig,
    pub(super) subject: Option<Subject>,
    pub(super) fill: Option<Fill>,
    pub(super) repair: Repair,
    pub(super) captions: Captions<'a>,
    pub(super) cutouts: Cutouts,
}

/// Files of one frame under way.
struct Files<'f> {
    folder: &'f str,
    name: &'f str,
    made: Vec<Made>,
    account: Account,
}

impl Files<'_> {
    fn image(&mut self, tail: &str, ending: &str, bytes: Vec<u8>) {
        self.made.push(Made { path: format!("{}/images/{}{tail}.{ending}", self.folder, self.name), bytes });
    }

    fn caption(&mut self, tail: &str, text: String) {
        let path = format!("{}/captions/{}{tail}.txt", self.folder, self.name);
        self.made.push(Made { path, bytes: text.into_bytes() });
    }
}

impl Studio<'_> {
    /// The files of `entry` by `strategy`.
    ///
    /// # Errors
    /// Of this frame (decoding, a model, no character); of the device.
    pub(super) fn make(&mut self, entry: &FrameEntry, strategy: &str, pixels: &Pixels) -> Result<(Vec<Made>, Account)> {
        let metrics = entry.metrics.as_ref().ok_or_else(|| Error::Bug("a frame without figures".into()))?;
        let mut files = Files { folder: strategy, name: &entry.name, made: Vec::new(), account: Account::default() };
        match strategy {
            KEEP_FULL => self.keep_full(&mut files, metrics, pixels)?,
            SEGMENT => self.segment(&mut files, metrics, pixels)?,
            CREATE_OCCLUSION => self.occlude(&mut files, entry, metrics, pixels)?,
            ENHANCE_SEGMENT => self.enhance(&mut files, metrics, pixels)?,
            own => match self.config.own_strategies.get(own) {
                Some(code) => self.in_code(code, &mut files, metrics, pixels)?,
                None => self.custom(&mut files, entry, metrics, pixels)?,
            },
        }
        Ok((files.made, files.account))
    }

    fn keep_full(&mut self, files: &mut Files<'_>, m: &FrameMetrics, pixels: &Pixels) -> Result<()> {
        let keep = &self.config.strategies.keep_full;
        let mut shown = pixels.picture().clone();
        if keep.apply_enhancement {
            shown = self.repaired(files, shown.opaque(), m)?;
            files.image("", "png", png(&shown)?);
        } else {
            let (ending, bytes) = pixels.copy(self.config.parity)?;
            files.image("", ending, bytes);
        }
        if self.config.strategies.keep_full.generate_caption {
            let text = self.captions.text(&self.config.strategies.keep_full.caption_prefix, m, &shown)?;
            files.caption("", text);
        }
        Ok(())
    }

    /// The character of a picture; nothing where a network finds none that is large enough.
    fn character(&mut self, picture: &Rgba) -> Result<Option<ByteMask>> {
        let Some(subject) = &mut self.subject else { return Ok(Some(mask::disk(picture.size))) };
        let frames = Rgba::upload(self.ctx, &[picture])?;
        let masks = subject.masks(&frames, ColorSpec::assumed_for_height(picture.size.height), 1)?;
        let found = masks.into_iter().next().ok_or_else(|| Error::Bug("a network gave no mask".into()))?;
        let least = (self.config.strategies.segment.min_instance_size as usize).pow(2);
        let clean = mask::firm(&mask::without_noise(&found, least));
        Ok((clean.inside() >= least.max(1)).then_some(clean))
    }

    fn no_character(&self) -> Error {
        let side = self.config.strategies.segment.min_instance_size;
        Error::model("subject", format!("no character of at least {side}x{side} pixels was found"))
    }

    fn segment(&mut self, files: &mut Files<'_>, m: &FrameMetrics, pixels: &Pixels) -> Result<()> {
        let picture = pixels.picture().clone().opaque();
        let character = self.character(&picture)?.ok_or_else(|| self.no_character())?;
        files.account.character = Some(settled(character.share()));
        let s = &self.config.strategies.segment;
        let cut = picture.with_alpha(&character.values);
        if s.save_character {
            files.image("_character", "png", png(&cut)?);
            if s.generate_captions {
                let prefix = format!("{CHARACTER}{}", s.character_caption_suffix);
                files.caption("_character", self.captions.text(&prefix, m, &picture)?);
            }
        }
        if s.save_background {
            let hole = if self.config.parity { character.clone() } else { mask::dilated(&character, s.mask_dilation) };
            let background = self.filled(&picture, &hole)?;
            files.image("_background", "png", png(&background)?);
            let s = &self.config.strategies.segment;
            if s.generate_captions {
                let prefix = format!("{SCENE}{}", s.background_caption_suffix);
                files.caption("_background", self.captions.text(&prefix, m, &background)?);
            }
        }
        let s = &self.config.strategies.segment;
        if s.save_composite {
            let (ending, bytes) = pixels.copy(self.config.parity)?;
            files.image("_composite", ending, bytes);
        }
        if s.save_masks {
            let bytes = encode_png(character.size, PngFormat::Gray8, &character.values);
            let bytes = bytes.map_err(|e| Error::Bug(format!("encoding a mask: {e}")))?;
            files.image("_mask", "png", bytes);
        }
        Ok(())
    }

    /// The picture with its hole filled by the network, with patches, or by fast marching.
    fn filled(&mut self, picture: &Rgba, hole: &ByteMask) -> Result<Rgba> {
        let mut rgb = rgb_of(&picture.pixels);
        match &mut self.fill {
            Some(fill) => rgb = fill.fill(picture.size, &rgb, hole)?,
            None if !Opener::fills_by_marching(self.config) => exemplar::inpaint(picture.size, &mut rgb, &hole.values),
            None => {
                let drift = if self.config.parity { 0.5 } else { 0.0 };
                telea::inpaint(picture.size, &mut rgb, &hole.values, FILL_RADIUS, drift);
            }
        }
        Ok(Rgba { size: picture.size, pixels: rgba_of(&rgb) })
    }

    fn occlude(&mut self, files: &mut Files<'_>, e: &FrameEntry, m: &FrameMetrics, pixels: &Pixels) -> Result<()> {
        let o = &self.config.strategies.create_occlusion;
        let picture = pixels.picture().clone().opaque();
        for i in 0..o.variations_per_image as usize {
            let (made, mut variant) = if self.config.parity {
                cover::original(self.ctx, &picture, o, i)?
            } else {
                cover::variant(self.ctx, &picture, o, (&e.content, i), &self.cutouts.pictures)?
            };
            let tail = format!("_occ{i}");
            files.image(&tail, "png", png(&made)?);
            let told = o.occlusion_descriptions.get(i % o.occlusion_descriptions.len().max(1));
            let prefix = match told.filter(|_| o.add_occlusion_tags) {
                Some(told) => format!("{CHARACTER}, {told}"),
                None => CHARACTER.to_owned(),
            };
            variant.description = told.cloned().unwrap_or_default();
            files.caption(&tail, self.captions.text(&prefix, m, &made)?);
            files.account.variants.push(variant);
        }
        Ok(())
    }

    /// The picture after all steps of `enhance_segment`.
    fn repaired(&mut self, files: &mut Files<'_>, picture: Rgba, m: &FrameMetrics) -> Result<Rgba> {
        let mut picture = picture;
        for step in self.config.strategies.enhance_segment.enhancement_steps.clone() {
            let (next, said) = self.repair.step(self.ctx, step, picture, m, self.config)?;
            picture = next;
            files.account.steps.push(said);
        }
        Ok(picture)
    }

    fn enhance(&mut self, files: &mut Files<'_>, m: &FrameMetrics, pixels: &Pixels) -> Result<()> {
        let better = self.repaired(files, pixels.picture().clone().opaque(), m)?;
        let mut after = m.clone();
        if !self.config.parity {
            after = self.measured(&better, m)?;
            files.account.after = Some(after.clone());
        }
        let cut = self.config.strategies.enhance_segment.apply_segmentation;
        // A segmentation model finds something in every picture: a detector says whether it is a character.
        let character = if cut && m.instances > 0 { self.character(&better)? } else { None };
        let prefix = format!("{CHARACTER}, high quality, enhanced");
        match character {
            Some(mask) => {
                files.account.character = Some(settled(mask.share()));
                files.image("_enhanced_character", "png", png(&better.with_alpha(&mask.values))?);
                files.caption("_enhanced_character", self.captions.text(&prefix, &after, &better)?);
            }
            None => {
                if cut {
                    files.account.steps.push("no character found: the whole frame is kept".into());
                }
                files.image("_enhanced", "png", png(&better)?);
                files.caption("_enhanced", self.captions.text(&prefix, &after, &better)?);
            }
        }
        Ok(())
    }

    /// Figures of a repaired frame; what networks saw in it before still holds.
    fn measured(&self, picture: &Rgba, before: &FrameMetrics) -> Result<FrameMetrics> {
        let color = ColorSpec::assumed_for_height(picture.size.height);
        let rgb = RgbParams { color, upsampling: ChromaUpsampling::Nearest };
        let frames = Rgba::upload(self.ctx, &[picture])?;
        let pixels = self.config.analysis.pixels;
        let frames = super::super::analyze::at_measured_size(self.ctx, frames, pixels)?;
        let found = analyze_frame(self.ctx, &frames, AnalyzeParams::curation(rgb))?;
        let found = found.first().ok_or_else(|| Error::Bug("a frame was not measured".into()))?;
        let seen = Seen {
            instances: Some((before.instances, before.instance_height)),
            faces: Some((before.faces, before.face_height)),
            subject: before.subject,
        };
        FrameMetrics::new(found, picture.size, FigureForm::Corrected, seen)
    }

    /// What a strategy in code makes, checked: its pictures are files of ours.
    fn in_code(&mut self, code: &dyn Strategy, files: &mut Files<'_>, m: &FrameMetrics, pixels: &Pixels) -> Result<()> {
        let picture = pixels.picture();
        let (ctx, size, rgba) = (self.ctx, picture.size, picture.pixels.as_slice());
        let made = code.make(&StrategyFrame { ctx, name: files.name, metrics: m, size, rgba })?;
        let wrong = |why: String| Error::model("strategy", format!("`{}` made {why}", code.name()));
        let mut tails = BTreeSet::new();
        for StrategyPicture { tail, size, rgba, caption } in made {
            let plain = tail.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'));
            if !plain || !tails.insert(tail.clone()) {
                return Err(wrong(format!(
                    "a picture `{tail}`; wanted: a tail of its own of letters, digits, `_` and `-`"
                )));
            }
            if rgba.len() as u64 != size.area() * 4 || rgba.is_empty() {
                return Err(wrong(format!("{} bytes for a picture of {size}, wanted {}", rgba.len(), size.area() * 4)));
            }
            let picture = Rgba { size, pixels: rgba };
            files.image(&tail, "png", png(&picture)?);
            if let Some(prefix) = caption {
                files.caption(&tail, self.captions.text(&prefix, m, &picture)?);
            }
        }
        Ok(())
    }

    fn custom(&mut self, files: &mut Files<'_>, e: &FrameEntry, m: &FrameMetrics, pixels: &Pixels) -> Result<()> {
        let unknown = || Error::Bug(format!("no strategy `{}`", files.folder));
        let own = self.config.custom_strategies.get(files.folder).ok_or_else(unknown)?.clone();
        if own.steps.is_empty() {
            let (ending, bytes) = pixels.copy(self.config.parity)?;
            files.image("", ending, bytes);
            files.caption("", self.captions.text(&own.caption_prefix, m, pixels.picture())?);
            return Ok(());
        }
        let mut picture = pixels.picture().clone().opaque();
        for step in &own.steps {
            let repair = match step {
                Step::Upscale => Some(EnhanceStep::Upscale),
                Step::Denoise => Some(EnhanceStep::Denoise),
                Step::FaceEnhance => Some(EnhanceStep::FaceEnhance),
                Step::Sharpen => Some(EnhanceStep::Sharpen),
                _ => None,
            };
            if let Some(step) = repair {
                let (next, said) = self.repair.step(self.ctx, step, picture, m, self.config)?;
                picture = next;
                files.account.steps.push(said);
                continue;
            }
            if *step == Step::Segment {
                let mask = self.character(&picture)?.ok_or_else(|| self.no_character())?;
                files.account.character = Some(settled(mask.share()));
                picture = picture.with_alpha(&mask.values);
                continue;
            }
            let kind = match step {
                Step::Overlay => OcclusionType::Overlay,
                Step::Erase => OcclusionType::Erase,
                _ => OcclusionType::EdgeBlur,
            };
            let o = &self.config.strategies.create_occlusion;
            let cutouts = &self.cutouts.pictures;
            let (next, variant) = cover::covered(self.ctx, &picture, o, kind, (&e.content, 0), cutouts)?;
            picture = next;
            files.account.variants.push(variant);
        }
        files.image("", "png", png(&picture)?);
        files.caption("", self.captions.text(&own.caption_prefix, m, &picture)?);
        Ok(())
    }
}
