//! Networks that give pictures: larger ones, filled ones, repaired faces.

use super::{ByteMask, Opener, shape_error};
use crate::core::{Face, Size};
use crate::error::Result;
use crate::infer::tasks::PlanarPicture;
use crate::infer::tasks::inpaint::{InpaintOptions, Inpainter};
use crate::infer::tasks::restore_face::{FaceRestorer, RestoreOptions};
use crate::infer::tasks::segment::Mask;
use crate::infer::tasks::upscale::{UpscaleOptions, Upscaler};
use crate::infer::{OnnxSession, Task, TensorModel as _};

/// Fills holes.
#[derive(Debug)]
pub(in super::super) struct Fill {
    session: OnnxSession,
    inpainter: Inpainter,
}

impl Fill {
    pub(super) fn open(opener: &mut Opener<'_>) -> Result<Option<Self>> {
        let segment = &opener.config.strategies.segment;
        let mut wanted = segment.inpainting_model.as_str();
        let listed = |name: &str| {
            let registry = opener.networks.registry.as_ref();
            registry.is_some_and(|r| r.list().iter().any(|m| m.entry.name == name))
                || opener.config.model_paths.get(name).is_some_and(|p| std::path::Path::new(p).is_file())
        };
        if !Opener::is_rule(wanted) && !listed(wanted) {
            wanted = &segment.inpainting_fallback;
        }
        if Opener::is_rule(wanted) {
            return Ok(None);
        }
        let Some((session, model)) = opener.open(Task::Inpaint, wanted)? else { return Ok(None) };
        let inpainter = Inpainter::new(&model.entry, session.inputs(), session.outputs())?;
        Ok(Some(Self { session, inpainter }))
    }

    /// The picture with the hole filled; bytes red, green, blue.
    pub(in super::super) fn fill(&mut self, size: Size, rgb: &[u8], hole: &ByteMask) -> Result<Vec<u8>> {
        let picture = PlanarPicture::from_rgb8(size, rgb)?;
        let values = hole.values.iter().map(|v| f32::from(*v) / 255.0).collect();
        let mask = Mask::new(hole.size, values)?;
        let filled = self.inpainter.fill(&mut self.session, &picture, &mask, &InpaintOptions::default())?;
        if filled.size() == size { Ok(filled.to_rgb8()) } else { Err(shape_error("a filled picture")) }
    }
}

/// Makes pictures larger.
#[derive(Debug)]
pub(in super::super) struct Upscale {
    session: OnnxSession,
    upscaler: Upscaler,
}

impl Upscale {
    pub(super) fn open(opener: &mut Opener<'_>) -> Result<Option<Self>> {
        let wanted = &opener.config.strategies.enhance_segment.upscale_model;
        let Some((session, model)) = opener.open(Task::Upscale, wanted)? else { return Ok(None) };
        let upscaler = Upscaler::new(&model.entry, session.inputs(), session.outputs())?;
        Ok(Some(Self { session, upscaler }))
    }

    /// A larger picture and its size; bytes red, green, blue.
    pub(in super::super) fn upscale(&mut self, size: Size, rgb: &[u8]) -> Result<(Size, Vec<u8>)> {
        let picture = PlanarPicture::from_rgb8(size, rgb)?;
        let large = self.upscaler.upscale(&mut self.session, &picture, &UpscaleOptions::default())?;
        Ok((large.size(), large.to_rgb8()))
    }
}

/// Repairs faces.
#[derive(Debug)]
pub(in super::super) struct Restore {
    session: OnnxSession,
    restorer: FaceRestorer,
    options: RestoreOptions,
}

impl Restore {
    pub(super) fn open(opener: &mut Opener<'_>) -> Result<Option<Self>> {
        let enhance = &opener.config.strategies.enhance_segment;
        let options = RestoreOptions { fidelity: enhance.face_enhance_fidelity as f32, ..RestoreOptions::default() };
        let Some((session, model)) = opener.open(Task::RestoreFace, &enhance.face_enhance_model)? else {
            return Ok(None);
        };
        let restorer = FaceRestorer::new(&model.entry, session.inputs(), session.outputs())?;
        Ok(Some(Self { session, restorer, options }))
    }

    /// The picture with its faces repaired; bytes red, green, blue.
    pub(in super::super) fn restore(&mut self, size: Size, rgb: &[u8], faces: &[Face]) -> Result<Vec<u8>> {
        let picture = PlanarPicture::from_rgb8(size, rgb)?;
        let better = self.restorer.restore(&mut self.session, &picture, faces, &self.options)?;
        if better.size() == size { Ok(better.to_rgb8()) } else { Err(shape_error("a picture with repaired faces")) }
    }
}
