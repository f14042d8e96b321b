//! The placement of the original system, chunk for chunk, with summed tables instead of sums over every window.

use super::heat::HeatMap;
use super::record::Chunk;
use super::table::FloatTables;
use crate::core::{CellGrid, Places, Rect, Size, WindowParams, Windows};
use crate::error::Result;

/// Settings of the original placer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PlacerParams {
    /// Share of a chunk beside it whose heat is damped.
    pub overlap_ratio: f64,
    /// Heat up to this is no reason to go on.
    pub min_activity_threshold: f32,
    /// Positions are multiples of it.
    pub model_factor: u32,
    /// Whether width and height may be exchanged. The completion pass does it in any case.
    pub allow_rotation: bool,
}

impl Default for PlacerParams {
    fn default() -> Self {
        Self { overlap_ratio: 0.2, min_activity_threshold: 0.05, model_factor: 8, allow_rotation: true }
    }
}

const ROUNDS: usize = 100;
/// Pixels above this pull the centre of a window.
const ACTIVE: f32 = 0.1;
/// A later window must be larger by this share: sums of the same pixels differ by rounding.
const TIE: f64 = 1e-6;

/// The chunks that the original placer chooses on `map`: the windows with most heat first, the heat they take removed and damped beside
/// them, then a completion pass. Its stopping rule is absolute, it does not reach the last pixels off the grid, and overlaps are
/// accidental; [`super::plan`] is better.
///
/// # Errors
/// [`crate::Error::Parameter`] where no window fits into the frame (the original crashed there), or for a factor of 0.
pub fn place(map: &HeatMap, chunk: Size, params: &PlacerParams) -> Result<Vec<Chunk>> {
    let size = map.size();
    let factor = params.model_factor;
    let windows = |rotate| Windows::new(size, chunk, WindowParams { step: factor, rotate, flush: false });
    let band = |side: u32| (f64::from(side) * params.overlap_ratio.max(0.0)) as u32 / factor * factor;
    let search = Search::new(windows(params.allow_rotation)?)?;
    let (bx, by) = (band(chunk.width), band(chunk.height));
    let mut rest = map.values().to_vec();
    let mut least = 0.01;
    let mut chunks = Vec::new();
    for _ in 0..ROUNDS {
        let Some((rect, turned, score)) = search.best(&rest, true) else { break };
        if score < least {
            if rest.iter().copied().fold(0.0, f32::max) <= params.min_activity_threshold {
                break;
            }
            least /= 2.0;
            if least < 0.001 {
                break;
            }
        }
        chunks.push(Chunk::new(rect, turned, score, chunks.len()));
        let (right, bottom) = (rect.x + rect.width, rect.y + rect.height);
        let (x, y) = ([rect.x, right], [rect.y, bottom]);
        scale(&mut rest, size, x, y, 0.0);
        scale(&mut rest, size, [rect.x.saturating_sub(bx), rect.x], y, 0.3);
        scale(&mut rest, size, [right, right.saturating_add(bx)], y, 0.3);
        scale(&mut rest, size, x, [rect.y.saturating_sub(by), rect.y], 0.3);
        scale(&mut rest, size, x, [bottom, bottom.saturating_add(by)], 0.3);
    }
    let search = Search::new(windows(true)?)?;
    let mut rest = map.values().to_vec();
    for c in &chunks {
        scale(&mut rest, size, c.x_range, c.y_range, 0.0);
    }
    while rest.iter().copied().fold(0.0, f32::max) > 0.05 * map.most() {
        let Some((rect, turned, score)) = search.best(&rest, false).filter(|(.., score)| *score >= 0.01) else { break };
        let chunk = Chunk { coverage_pass: true, ..Chunk::new(rect, turned, score, chunks.len()) };
        scale(&mut rest, size, chunk.x_range, chunk.y_range, 0.0);
        chunks.push(chunk);
    }
    Ok(chunks)
}

/// Multiplies a part of the map; what lies outside is ignored.
fn scale(values: &mut [f32], size: Size, [x0, x1]: [u32; 2], [y0, y1]: [u32; 2], by: f32) {
    let (x0, x1) = (x0.min(size.width) as usize, x1.min(size.width) as usize);
    let rows = values.chunks_exact_mut(size.width as usize).take(y1 as usize).skip(y0 as usize);
    for row in rows {
        row.iter_mut().take(x1).skip(x0).for_each(|v| *v *= by);
    }
}

struct Search {
    windows: Windows,
    grid: CellGrid,
}

impl Search {
    fn new(windows: Windows) -> Result<Self> {
        let grid = windows.grid()?;
        Ok(Self { windows, grid })
    }

    /// The best window by the heat in it, 0.85 of it where its active heat lies off its middle, if that counts.
    fn best(&self, rest: &[f32], centred: bool) -> Option<(Rect, bool, f64)> {
        let tables = FloatTables::new(&self.grid, rest, ACTIVE);
        let mut best: Option<(Rect, bool, f64)> = None;
        for places in self.windows.places() {
            let factor = |rect: Rect| if centred && off_centre(&tables, places, rect) { 0.85 } else { 1.0 };
            for rect in (0..places.count() as usize).filter_map(|i| places.rect(i)) {
                let score = tables.sum(rect) * factor(rect);
                if best.is_none_or(|(.., most)| score > most * (1.0 + TIE) && score > most) {
                    best = Some((rect, places.turned, score));
                }
            }
        }
        best
    }
}

fn off_centre(tables: &FloatTables, places: &Places, rect: Rect) -> bool {
    let Some((cx, cy)) = tables.centroid(rect) else { return false };
    let (w, h) = (places.window.width, places.window.height);
    let margin = f64::from((w / 6).min(h / 6));
    cx < margin || cx > f64::from(w) - margin || cy < margin || cy > f64::from(h) - margin
}
