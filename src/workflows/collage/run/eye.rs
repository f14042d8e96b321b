//! How frames are seen: whole, or as a mosaic of tiles, each of which is compared by itself.

use super::super::config::{DescriptorConfig, FeatureMethod, aspect_of};
use super::super::describe::Describer;
use super::super::network::Networks;
use super::super::picture::Picture;
use super::config::CollageConfig;
use crate::core::{CancelToken, ColorSpec, Size};
use crate::error::Result;
use crate::gpu::GpuContext;
use crate::ops::FrameBatch;

/// Bytes of the pictures of a batch that are cut into tiles, at most.
const CUT: u64 = 32 << 20;
/// Longer side of thumbnails of frames that are seen as tiles.
const THUMB: u32 = 256;

/// Describes frames, and shows what it saw.
#[derive(Debug)]
pub(super) struct Eye {
    compare: Describer,
    tiles: Option<Tiles>,
}

#[derive(Debug)]
struct Tiles {
    columns: u32,
    rows: u32,
    /// Makes the picture that is cut into tiles.
    whole: Describer,
    /// Makes thumbnails.
    thumb: Describer,
}

impl Eye {
    pub(super) fn new(
        ctx: &GpuContext,
        config: &CollageConfig,
        batch: u32,
        networks: &Networks,
        cancel: &CancelToken,
    ) -> Result<Self> {
        let at_once = if config.tiles.is_some() { 64 } else { batch };
        let compare = Describer::new(ctx, &config.descriptor, at_once, networks, cancel)?;
        let tiles = match config.tiles {
            None => None,
            Some([columns, rows]) => {
                let cell = compare.comparison();
                let longest = (cell.width * columns).max(cell.height * rows).min(4096);
                let of = |longest| Describer::new(ctx, &picture_only(config, longest), batch, networks, cancel);
                Some(Tiles { columns, rows, whole: of(longest)?, thumb: of(THUMB)? })
            }
        };
        Ok(Self { compare, tiles })
    }

    /// Frames of a batch: as many as were wanted, fewer where the pictures that are cut into tiles are large.
    ///
    /// # Errors
    /// As [`DescriptorConfig::spec`].
    pub(super) fn batch(config: &CollageConfig, wanted: u32) -> Result<u32> {
        let Some([columns, rows]) = config.tiles else { return Ok(wanted) };
        let bytes = config.descriptor.spec()?.size().area() * u64::from(columns) * u64::from(rows) * 4;
        Ok(u32::try_from(CUT / bytes.max(1)).unwrap_or(wanted).clamp(1, wanted.max(1)))
    }

    /// Numbers of a descriptor.
    pub(super) fn dim(&self) -> usize {
        self.compare.dim()
    }

    /// Descriptors of the first `count` frames, all tiles of a frame together, row by row.
    pub(super) fn rows(&mut self, frames: &dyn FrameBatch, color: ColorSpec, count: u32) -> Result<Vec<f32>> {
        let Some(tiles) = &mut self.tiles else { return self.compare.frames(frames, color, count) };
        tiles.whole.frames(frames, color, count)?;
        let size = tiles.whole.comparison();
        let mut rows = Vec::new();
        for rgba in tiles.whole.compared(count)? {
            let cut = cut(&rgba, size, tiles.columns, tiles.rows);
            let mut rest = cut.as_slice();
            while !rest.is_empty() {
                let (now, later) = rest.split_at(self.compare.fitting(rest).clamp(1, rest.len()));
                rows.extend(self.compare.pictures(&now.iter().collect::<Vec<_>>())?);
                rest = later;
            }
        }
        Ok(rows)
    }

    /// Small pictures of the frames whose descriptors were made last: RGBA without padding.
    pub(super) fn pictures(&mut self, frames: &dyn FrameBatch, color: ColorSpec, count: u32) -> Result<Vec<Vec<u8>>> {
        match &mut self.tiles {
            None => self.compare.compared(count),
            Some(tiles) => {
                tiles.thumb.frames(frames, color, count)?;
                tiles.thumb.compared(count)
            }
        }
    }

    /// Size of [`Self::pictures`].
    pub(super) fn size(&self) -> Size {
        self.tiles.as_ref().map_or(self.compare.comparison(), |t| t.thumb.comparison())
    }
}

/// Width to height of whole frames.
pub(super) fn frame_aspect(config: &CollageConfig) -> [u32; 2] {
    let [w, h] = if config.descriptor.parity { [16, 9] } else { config.descriptor.aspect };
    config.tiles.map_or([w, h], |[columns, rows]| aspect_of(w * columns, h * rows))
}

/// Settings of a describer whose pictures are wanted, and not its descriptors: the cheapest ones.
pub(super) fn picture_only(config: &CollageConfig, longest: u32) -> DescriptorConfig {
    DescriptorConfig {
        method: FeatureMethod::SpatialColor,
        parity: false,
        comparison_size: longest,
        aspect: frame_aspect(config),
        ..config.descriptor.clone()
    }
}

/// Where part `i` of `parts` of a side of `length` begins.
pub(super) fn part(length: u32, parts: u32, i: u32) -> u32 {
    (u64::from(length) * u64::from(i) / u64::from(parts.max(1))) as u32
}

/// A picture in tiles, row by row.
fn cut(rgba: &[u8], size: Size, columns: u32, rows: u32) -> Vec<Picture> {
    let stride = (size.width as usize * 4).max(1);
    let tile = |column: u32, row: u32| {
        let (left, right) = (part(size.width, columns, column), part(size.width, columns, column + 1));
        let (top, bottom) = (part(size.height, rows, row), part(size.height, rows, row + 1));
        let lines = rgba.chunks_exact(stride).skip(top as usize).take((bottom - top) as usize);
        let rgba = lines.flat_map(|l| l.get(left as usize * 4..right as usize * 4).unwrap_or_default());
        let size = Size::new(right - left, bottom - top);
        Picture { size, source: size, rgba: rgba.copied().collect(), compared: false }
    };
    (0..rows).flat_map(|row| (0..columns).map(move |column| (column, row))).map(|(c, r)| tile(c, r)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiles_cover_a_picture_once() {
        let size = Size::new(7, 5);
        let rgba: Vec<u8> = (0..35).flat_map(|i| [i, 0, 0, 255]).collect();
        let tiles = cut(&rgba, size, 3, 2);
        let sizes: Vec<_> = tiles.iter().map(|t| (t.size.width, t.size.height)).collect();
        assert_eq!(sizes, [(2, 2), (2, 2), (3, 2), (2, 3), (2, 3), (3, 3)]);
        let mut seen: Vec<u8> = tiles.iter().flat_map(|t| t.rgba.chunks(4).map(|p| p[0])).collect();
        assert_eq!(tiles[4].rgba[0], 2 * 7 + 2);
        seen.sort_unstable();
        assert_eq!(seen, (0..35).collect::<Vec<u8>>());
    }
}
