//! Filter graphs of FFmpeg as an effect.

use std::collections::BTreeMap;

use super::effect::{ChunkEffect, Tiles};
use super::tiles::{HostTile, read_tiles, write_tile};
use crate::error::{Error, Result};
use crate::gpu::GpuContext;
use crate::media::FilterGraph;
use crate::media::filter::check_filter_graph;
use crate::ops::GpuPictures;

/// A graph of its own for each chunk, so that filters which look at pictures before see those of their chunk. A chunk that was not active
/// in between begins anew.
#[derive(Debug)]
pub struct FilterEffect {
    spec: String,
    /// By position of the chunk: its graph, and the frame that it saw last.
    graphs: BTreeMap<usize, (FilterGraph, u64)>,
}

impl FilterEffect {
    /// For a graph as the `ffmpeg` command takes it after `-vf`. Pictures must keep their size.
    ///
    /// # Errors
    /// [`Error::Usage`] for graphs that are refused, see [`FilterGraph`]; what FFmpeg does not take shows at the first tile.
    pub fn new(spec: &str) -> Result<Self> {
        check_filter_graph(spec)?;
        Ok(Self { spec: spec.to_owned(), graphs: BTreeMap::new() })
    }
}

impl ChunkEffect for FilterEffect {
    fn remembers(&self) -> bool {
        true
    }

    fn apply(&mut self, ctx: &GpuContext, tiles: &Tiles<'_>, output: &GpuPictures) -> Result<()> {
        for (slot, (tile, place)) in (0..).zip(read_tiles(ctx, tiles)?.iter().zip(tiles.places)) {
            let info = tiles.frames.get(place.frame).ok_or_else(|| Error::Bug("a tile of no frame".into()))?;
            if self.graphs.get(&place.chunk).is_some_and(|(_, last)| last + 1 != info.index) {
                self.graphs.remove(&place.chunk);
            }
            let (graph, last) = match self.graphs.entry(place.chunk) {
                std::collections::btree_map::Entry::Occupied(known) => known.into_mut(),
                std::collections::btree_map::Entry::Vacant(new) => {
                    new.insert((FilterGraph::open(&self.spec, tile.size, info.time_base)?, 0))
                }
            };
            *last = info.index;
            let pts = info.pts.unwrap_or_else(|| i64::try_from(info.index).unwrap_or(i64::MAX));
            let (size, rgba) = graph.run(&tile.rgba, pts)?;
            if size != tile.size {
                return Err(Error::Usage {
                    message: format!("the filter graph `{}` makes {size} of chunks of {}", self.spec, tile.size),
                    hint: Some("use filters that keep the size".into()),
                });
            }
            write_tile(ctx, output, slot, &HostTile { size, rgba })?;
        }
        Ok(())
    }
}
