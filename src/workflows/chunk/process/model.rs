//! Networks that turn pictures into pictures, and networks that mask them, as effects.
//!
//! | task of the model | what becomes of a tile |
//! |---|---|
//! | `upscale` | the model's picture, larger by its factor; a model of factor 1 is any picture-to-picture network (style, denoising) |
//! | `lowlight` | the brightened tile |
//! | `segment` | the mask in grey, or what it covers on black |

use super::effect::{ChunkEffect, MaskLook, Tiles};
use super::tiles::{HostTile, read_tiles, write_tile};
use crate::core::{ColorSpec, Size};
use crate::error::{Error, Result};
use crate::gpu::GpuContext;
use crate::infer::tasks::PlanarPicture;
use crate::infer::tasks::lowlight::{Lowlight, LowlightOptions};
use crate::infer::tasks::segment::Segmenter;
use crate::infer::tasks::upscale::{UpscaleOptions, Upscaler};
use crate::infer::{OnnxSession, SessionOptions, Task, TensorModel, VerifiedModel};
use crate::ops::{FrameBatch, GpuPictures};
use crate::pipeline::vision::{PictureModel, TensorStageOptions, whole};

/// Tiles of one run of a model.
pub(super) const AT_ONCE: usize = 8;

/// A network as an effect.
#[derive(Debug)]
pub enum ModelEffect {
    /// `upscale`.
    Upscale {
        /// The session.
        model: Box<OnnxSession>,
        /// Its adapter.
        adapter: Box<Upscaler>,
    },
    /// `lowlight`.
    Lowlight {
        /// The session.
        model: Box<OnnxSession>,
        /// Its adapter.
        adapter: Box<Lowlight>,
    },
    /// `segment`.
    Segment {
        /// The session and the stage that makes its tensors.
        model: Box<PictureModel<OnnxSession>>,
        /// Its adapter.
        adapter: Segmenter,
        /// The class, of models that know several.
        class: u16,
        /// What the mask becomes.
        look: MaskLook,
    },
}

impl ModelEffect {
    /// For a model of one of the tasks above. `class` and `look` are for `segment`.
    ///
    /// # Errors
    /// [`Error::Usage`] for models of other tasks; [`Error::Model`].
    pub fn open(
        ctx: &GpuContext,
        model: &VerifiedModel,
        session: &SessionOptions,
        class: u16,
        look: MaskLook,
    ) -> Result<Self> {
        let entry = &model.entry;
        let session = || OnnxSession::open(model, session);
        match entry.task {
            Task::Upscale => {
                let model = session()?;
                let adapter = Upscaler::new(entry, model.inputs(), model.outputs())?;
                Ok(Self::Upscale { model: Box::new(model), adapter: Box::new(adapter) })
            }
            Task::Lowlight => {
                let model = session()?;
                let adapter = Lowlight::new(entry, model.inputs(), model.outputs())?;
                Ok(Self::Lowlight { model: Box::new(model), adapter: Box::new(adapter) })
            }
            Task::Segment => {
                let model = session()?;
                let adapter = Segmenter::new(entry, model.inputs(), model.outputs())?;
                let picture = entry.picture.clone().unwrap_or_default();
                let model = PictureModel::new(ctx, model, &picture, AT_ONCE, TensorStageOptions::default())?;
                Ok(Self::Segment { model: Box::new(model), adapter, class, look })
            }
            task => Err(Error::Usage {
                message: format!(
                    "`{}` is a model for {task}; an effect takes upscale, lowlight, segment or detect",
                    entry.name
                ),
                hint: Some("`frameloom models list` shows what there is".into()),
            }),
        }
    }
}

/// A tile as planes of floats.
fn planar(tile: &HostTile) -> Result<PlanarPicture> {
    let channel = |c: usize| tile.rgba.iter().skip(c).step_by(4).map(|v| f32::from(*v) / 255.0);
    PlanarPicture::new(tile.size, 3, channel(0).chain(channel(1)).chain(channel(2)).collect())
}

/// Planes of floats as a tile.
fn packed(picture: &PlanarPicture) -> HostTile {
    let byte = |v: f32| (v * 255.0).round().clamp(0.0, 255.0) as u8;
    let mut rgba = vec![255u8; picture.size().area() as usize * 4];
    for c in 0..3 {
        let plane = picture.plane(c.min(picture.channels() - 1));
        rgba.iter_mut().skip(c).step_by(4).zip(plane).for_each(|(to, v)| *to = byte(*v));
    }
    HostTile { size: picture.size(), rgba }
}

impl ChunkEffect for ModelEffect {
    fn scale(&mut self) -> Result<u32> {
        match self {
            Self::Upscale { model, adapter } => adapter.factor(model.as_mut()),
            _ => Ok(1),
        }
    }

    fn apply(&mut self, ctx: &GpuContext, tiles: &Tiles<'_>, output: &GpuPictures) -> Result<()> {
        let host = match self {
            Self::Segment { look: MaskLook::Mask, .. } => Vec::new(),
            _ => read_tiles(ctx, tiles)?,
        };
        match self {
            Self::Upscale { model, adapter } => {
                let options = |size: Size| {
                    let tile = size.width.max(size.height).clamp(16, 512);
                    UpscaleOptions { tile, overlap: 16.min(tile / 4), batch: AT_ONCE as u32 }
                };
                for (first, places) in tiles.chunks() {
                    let part = host.get(first as usize..first as usize + places.len()).unwrap_or_default();
                    let Some(size) = part.first().map(|t| t.size) else { continue };
                    let pictures = part.iter().map(planar).collect::<Result<Vec<_>>>()?;
                    let made = adapter.upscale_all(model.as_mut(), &pictures, &options(size))?;
                    for (slot, picture) in (first..).zip(&made) {
                        write_tile(ctx, output, slot, &packed(picture))?;
                    }
                }
            }
            Self::Lowlight { model, adapter } => {
                for (slot, tile) in (0..).zip(&host) {
                    let made = adapter.brighten(model.as_mut(), &planar(tile)?, &LowlightOptions::default())?;
                    write_tile(ctx, output, slot, &packed(&made))?;
                }
            }
            Self::Segment { model, adapter, class, look } => {
                let count = tiles.source.slots();
                let boxes = whole(tiles.source, count);
                let prepared = model.submit(tiles.source, ColorSpec::BT709, &boxes)?;
                let mut slot = 0;
                model.finish(prepared, &[], |run| {
                    for (seen, place) in adapter.decode(&run.outputs, run.places)?.iter().zip(run.places) {
                        let alpha = seen.in_picture(*class, place).to_alpha();
                        let tile = masked(tiles.source, slot, &alpha, *look, host.get(slot as usize))?;
                        write_tile(ctx, output, slot, &tile)?;
                        slot += 1;
                    }
                    Ok(())
                })?;
            }
        }
        Ok(())
    }
}

/// A mask as a tile.
fn masked(source: &GpuPictures, slot: u32, alpha: &[u8], look: MaskLook, tile: Option<&HostTile>) -> Result<HostTile> {
    let (_, layout) = source.slot(slot).ok_or_else(|| Error::Bug(format!("no tile {slot}")))?;
    if alpha.len() as u64 != layout.size.area() {
        return Err(Error::Bug(format!("a mask of {} pixels for a tile of {}", alpha.len(), layout.size)));
    }
    let rgba = match (look, tile) {
        (MaskLook::Cutout, Some(tile)) => {
            let part = |(p, a): (&[u8], &u8)| {
                let mut out = [0, 0, 0, 255];
                for (to, v) in out.iter_mut().zip(p).take(3) {
                    *to = ((u32::from(*v) * u32::from(*a) + 127) / 255) as u8;
                }
                out
            };
            tile.rgba.chunks_exact(4).zip(alpha).flat_map(part).collect()
        }
        _ => alpha.iter().flat_map(|a| [*a, *a, *a, 255]).collect(),
    };
    Ok(HostTile { size: layout.size, rgba })
}
