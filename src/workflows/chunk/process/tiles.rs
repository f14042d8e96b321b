//! Tiles in GPU memory and, for effects on the host, as rows without padding.

use super::effect::Tiles;
use crate::core::{FrameLayout, Size};
use crate::error::{Error, Result};
use crate::gpu::{GpuContext, ReadbackRing, Recorder};
use crate::ops::{FrameBatch, GpuPictures};

/// RGBA of a tile, rows without padding.
#[derive(Debug, Clone)]
pub(super) struct HostTile {
    pub(super) size: Size,
    pub(super) rgba: Vec<u8>,
}

/// All tiles on the host, in one transfer. Waits for them.
pub(super) fn read_tiles(ctx: &GpuContext, tiles: &Tiles<'_>) -> Result<Vec<HostTile>> {
    let buffer = FrameBatch::buffer(tiles.source);
    let bytes = buffer.size_bytes();
    let mut ring = ReadbackRing::new(ctx, "tiles", bytes, 1)?;
    let mut rec = Recorder::new(ctx, "tiles");
    let ticket = ring.record(&mut rec, &[(buffer, 0, bytes)])?;
    let submission = rec.submit()?;
    let readback = ring.submitted(ticket, submission);
    let all = ring.collect_mapped(ctx, readback)?;
    let one = |slot: u32| {
        let (offset, layout) = tiles.source.slot(slot).ok_or_else(|| Error::Bug(format!("no tile {slot}")))?;
        let rows = all.get(offset as usize..).unwrap_or_default();
        Ok(HostTile { size: layout.size, rgba: tight(rows, &layout) })
    };
    (0..tiles.source.slots()).map(one).collect()
}

/// Rows of a packed picture without padding.
fn tight(bytes: &[u8], layout: &FrameLayout) -> Vec<u8> {
    let row = layout.size.width as usize * 4;
    let rows = bytes.chunks(layout.first().stride as usize).take(layout.size.height as usize);
    rows.flat_map(|r| r.get(..row).unwrap_or_default()).copied().collect()
}

/// Writes the RGBA of a tile, rows without padding, into slot `slot` of `output`.
pub(super) fn write_tile(ctx: &GpuContext, output: &GpuPictures, slot: u32, tile: &HostTile) -> Result<()> {
    let (offset, layout) = output.slot(slot).ok_or_else(|| Error::Bug(format!("no room for tile {slot}")))?;
    if layout.size != tile.size {
        return Err(Error::Bug(format!("a tile of {} for a place of {}", tile.size, layout.size)));
    }
    let (row, stride) = (layout.size.width as usize * 4, layout.first().stride as usize);
    if row == stride {
        return FrameBatch::buffer(output).write(ctx, offset, &tile.rgba);
    }
    let mut bytes = vec![0; stride * layout.size.height as usize];
    for (to, from) in bytes.chunks_exact_mut(stride).zip(tile.rgba.chunks_exact(row.max(1))) {
        if let Some(to) = to.get_mut(..row) {
            to.copy_from_slice(from);
        }
    }
    FrameBatch::buffer(output).write(ctx, offset, &bytes)
}
