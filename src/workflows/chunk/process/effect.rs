//! What is done to chunks.

use crate::core::{FrameInfo, Rect};
use crate::error::Result;
use crate::gpu::{GpuContext, Recorder};
use crate::ops::{FrameBatch, GpuPictures};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A tile: one chunk of one frame.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TilePlace {
    /// Position of the chunk in the placement.
    pub chunk: usize,
    /// Its number in the plan.
    pub id: u32,
    /// Position of the frame in [`Tiles::frames`].
    pub frame: usize,
    /// Place in the frame; the tile itself is smaller where the chunk has a scale.
    pub rect: Rect,
    /// Strength in sixteenths, 1 to 16: 16 is whole.
    pub strength: u32,
}

/// The tiles of a batch of frames, packed RGBA with alpha 255 in GPU memory: chunk after chunk, the frames in which a chunk is active in order.
#[derive(Debug)]
pub struct Tiles<'a> {
    /// The frames of the batch.
    pub frames: &'a [FrameInfo],
    /// The tiles, one a slot.
    pub source: &'a GpuPictures,
    /// Where each comes from.
    pub places: &'a [TilePlace],
}

impl Tiles<'_> {
    /// Runs of slots of one chunk.
    pub fn chunks(&self) -> impl Iterator<Item = (u32, &[TilePlace])> {
        let mut slot = 0;
        self.places.chunk_by(|a, b| a.chunk == b.chunk).map(move |places| {
            let first = slot;
            slot += places.len() as u32;
            (first, places)
        })
    }
}

/// Turns tiles into tiles.
///
/// The same tiles in other batches must give the same results, unless the effect looks at frames before, which come in order.
pub trait ChunkEffect {
    /// Factor by which tiles grow, at least 1. Asked once, before the first tile.
    ///
    /// # Errors
    /// What the effect says.
    fn scale(&mut self) -> Result<u32> {
        Ok(1)
    }

    /// Whether what it makes of a tile depends on tiles before: such an effect sees all frames again when a run goes on.
    fn remembers(&self) -> bool {
        false
    }

    /// Fills `output`: for each tile a slot of its size times [`Self::scale`]. The work may be left on the queue of the device; work that
    /// is submitted later waits for it.
    ///
    /// # Errors
    /// What the effect says.
    fn apply(&mut self, ctx: &GpuContext, tiles: &Tiles<'_>, output: &GpuPictures) -> Result<()>;
}

/// What a mask becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum MaskLook {
    /// Grey: white where it covers.
    #[default]
    Mask,
    /// The picture where it covers, black elsewhere.
    Cutout,
}

/// Changes nothing: what remains are cutting, blending and putting back.
#[derive(Debug, Clone, Copy, Default)]
pub struct Identity;

impl ChunkEffect for Identity {
    fn apply(&mut self, ctx: &GpuContext, tiles: &Tiles<'_>, output: &GpuPictures) -> Result<()> {
        let mut rec = Recorder::new(ctx, "identity");
        let (from, to) = (FrameBatch::buffer(tiles.source), FrameBatch::buffer(output));
        for slot in 0..tiles.source.slots() {
            if let (Some((source, layout)), Some((target, _))) = (tiles.source.slot(slot), output.slot(slot)) {
                rec.copy(from, source, to, target, u64::from(layout.slot_bytes()));
            }
        }
        rec.submit()?;
        Ok(())
    }
}

/// A closure over pictures in GPU memory as an effect of scale 1: it gets the tiles and fills the pictures of the same sizes.
#[derive(Debug, Clone)]
pub struct OnGpu<F>(pub F);

impl<F: FnMut(&GpuContext, &Tiles<'_>, &GpuPictures) -> Result<()>> ChunkEffect for OnGpu<F> {
    fn remembers(&self) -> bool {
        // Nobody knows what a closure holds.
        true
    }

    fn apply(&mut self, ctx: &GpuContext, tiles: &Tiles<'_>, output: &GpuPictures) -> Result<()> {
        (self.0)(ctx, tiles, output)
    }
}
