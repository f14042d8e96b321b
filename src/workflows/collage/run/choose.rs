//! The second half begins: a picture for every frame.

use super::super::select::{CandidateSource, IdSet, NoMore, Selection, select};
use super::config::CollageConfig;
use super::matching::Matches;
use crate::core::Neighbor;
use crate::error::{Error, Result};
use crate::index::{BitSet, VectorIndex};

/// Searches for a frame's nearest pictures among those that are left.
struct Again<'a> {
    index: &'a dyn VectorIndex,
    queries: &'a [f32],
}

impl CandidateSource for Again<'_> {
    fn more(&mut self, frame: usize, k: usize, excluded: &IdSet) -> Result<Vec<Neighbor>> {
        let dim = self.index.dim();
        let query = self.queries.get(frame * dim..(frame + 1) * dim);
        let query = query.ok_or_else(|| Error::Bug(format!("no descriptor of frame {frame}")))?;
        let mut used = BitSet::new(self.index.len());
        used.extend(excluded.iter());
        Ok(self.index.search_excluding(query, k, &used)?.pop().unwrap_or_default())
    }
}

/// Chooses.
///
/// # Errors
/// As [`select`].
pub(super) fn choose(index: &dyn VectorIndex, matches: &Matches, config: &CollageConfig) -> Result<Selection> {
    let frames: Vec<_> = matches.frames.iter().map(super::matching::FrameMatch::candidates).collect();
    if !config.searches_again() {
        // Every picture may be used always, so a frame's list is as good as any other; an inverted file may find fewer than asked for.
        return select(&frames, index.len(), &config.select, &mut NoMore);
    }
    let mut source = Again { index, queries: &matches.queries };
    select(&frames, index.len(), &config.select, &mut source)
}
