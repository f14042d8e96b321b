//! Segmentations without a heat map: auto, strips and grid of the original system, as they were and repaired.

use serde::Serialize;

use crate::core::Size;
use crate::error::{Error, Result};

/// A part of the frame. Ranges are half open, in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Segment {
    /// Left and right edge.
    pub x_range: [u32; 2],
    /// Top and bottom edge.
    pub y_range: [u32; 2],
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
    /// Row and column; strips have none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grid_pos: Option<[u32; 2]>,
}

impl Segment {
    fn new([x0, x1]: [u32; 2], [y0, y1]: [u32; 2], grid_pos: Option<[u32; 2]>) -> Self {
        Self { x_range: [x0, x1], y_range: [y0, y1], width: x1 - x0, height: y1 - y0, grid_pos }
    }
}

fn check(frame: Size, factor: u32, count: u32) -> Result<()> {
    let bad = |name, wanted: &str, given: String| {
        Err(Error::Parameter { op: "chunk/segments", name, wanted: wanted.into(), given })
    };
    if frame.is_empty() || frame.width > 32_768 || frame.height > 32_768 {
        return bad("frame", "1x1 to 32768x32768", frame.to_string());
    }
    if !(1..=256).contains(&factor) {
        return bad("factor", "1 to 256", factor.to_string());
    }
    if !(1..=1024).contains(&count) {
        return bad("count", "1 to 1024", count.to_string());
    }
    Ok(())
}

/// Tiles of about `chunk`, overlapping by a quarter, over the whole frame, row by row. With `parity` as the original: nothing where
/// the chunk is larger than the frame, and up to `factor - 1` pixels at the right and bottom edge left out. Otherwise the chunk is
/// cut to the frame and the last tiles lie flush with the edges.
///
/// # Errors
/// [`Error::Parameter`] for an empty or too large frame, or a factor outside 1..=256.
pub fn auto_segments(frame: Size, chunk: Size, factor: u32, parity: bool) -> Result<Vec<Segment>> {
    check(frame, factor, 1)?;
    let f = factor;
    let tiles = |length: u32, chunk: u32| {
        let wanted = (4 * f).max(chunk / f * f);
        let size = if parity { wanted } else { wanted.min(length) };
        let overlap = (4 * f).max(size / 4) / f * f;
        let step = (4 * f).max(size.saturating_sub(overlap));
        let count = length.saturating_sub(size).div_ceil(step) + 1;
        let mut out: Vec<(u32, [u32; 2])> = Vec::new();
        for i in 0..count {
            let mut start = i * step / f * f;
            if start + size > length {
                let last = length.saturating_sub(size);
                start = if parity { last / f * f } else { last };
            }
            let whole = start + size <= length;
            if whole && out.iter().all(|(_, [at, _])| *at != start) {
                out.push((i, [start, start + size]));
            }
        }
        out
    };
    let (columns, rows) = (tiles(frame.width, chunk.width), tiles(frame.height, chunk.height));
    let row = |(row, y): &(u32, [u32; 2])| {
        let of = |(column, x): &(u32, [u32; 2])| Segment::new(*x, *y, Some([*row, *column]));
        columns.iter().map(of).collect::<Vec<_>>()
    };
    Ok(rows.iter().flat_map(row).collect())
}

/// Intervals of about `length / count`, each longer by `overlap` at both ends.
fn intervals(length: u32, count: u32, f: u32, base: u32, overlap: u32, parity: bool) -> Vec<(u32, [u32; 2])> {
    let of = |i: u32| {
        let start = if i == 0 { 0 } else { (i * base).saturating_sub(overlap) / f * f };
        let end = if i + 1 == count { length } else { ((i + 1) * base + overlap) / f * f };
        (i, [start.min(length), end.min(length)])
    };
    let long = |(_, [start, end]): &(u32, [u32; 2])| *end >= *start + if parity { 4 * f } else { 1 };
    (0..count).map(of).filter(long).collect()
}

/// As many parts as leave at least 4 factors to each, when the original would drop some.
fn parts(length: u32, count: u32, f: u32, parity: bool) -> u32 {
    if parity { count } else { count.min(length / (4 * f)).max(1) }
}

/// `count` strips side by side, of the frame's height. With `parity`, strips narrower than 4 factors are dropped; otherwise there are
/// fewer strips where they would be that narrow, and nothing is left out.
///
/// # Errors
/// [`Error::Parameter`] for an empty or too large frame, a factor outside 1..=256, or a count outside 1..=1024.
pub fn strip_segments(frame: Size, count: u32, factor: u32, parity: bool) -> Result<Vec<Segment>> {
    check(frame, factor, count)?;
    let (f, length) = (factor, frame.width);
    let count = parts(length, count, f, parity);
    let base = (4 * f).max(length / count / f * f);
    let overlap = if count == 2 { (base / 3 / f * f).min(base / 2) } else { (base / 5 / f * f).min(base / 3) };
    let all = intervals(length, count, f, base, overlap.max(8 * f), parity);
    Ok(all.into_iter().map(|(_, x)| Segment::new(x, [0, frame.height], None)).collect())
}

/// About `count` cells in rows and columns that follow the shape of the frame, at least 2x2. With `parity`, cells shorter than 4
/// factors are dropped; otherwise there are fewer where they would be that short, and nothing is left out.
///
/// # Errors
/// [`Error::Parameter`] for an empty or too large frame, a factor outside 1..=256, or a count outside 1..=1024.
pub fn grid_segments(frame: Size, count: u32, factor: u32, parity: bool) -> Result<Vec<Segment>> {
    check(frame, factor, count)?;
    let f = factor;
    let ratio = f64::from(frame.width) / f64::from(frame.height);
    let n = f64::from(count);
    let (columns, rows) = if ratio >= 1.0 {
        let columns = (n * ratio).sqrt().ceil();
        (columns, (n / columns).ceil())
    } else {
        let rows = (n / ratio).sqrt().ceil();
        ((n / rows).ceil(), rows)
    };
    let side = |length: u32, count: f64| {
        let count = parts(length, (count as u32).max(2), f, parity);
        let base = length / count / f * f;
        let overlap = (2 * f).max(base / 5) / f * f;
        intervals(length, count, f, base, overlap, parity)
    };
    let (columns, rows) = (side(frame.width, columns), side(frame.height, rows));
    let row = |(row, y): &(u32, [u32; 2])| {
        let of = |(column, x): &(u32, [u32; 2])| Segment::new(*x, *y, Some([*row, *column]));
        columns.iter().map(of).collect::<Vec<_>>()
    };
    Ok(rows.iter().flat_map(row).collect())
}
