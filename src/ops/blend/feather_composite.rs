//! `blend/feather_composite`: tiles blended into canvases with feathered weights, in place.
//!
//! | | |
//! |---|---|
//! | input, output | canvases, packed RGBA, changed in place: what they hold stays where no tile lies; sizes may differ |
//! | tiles | packed RGBA, a batch of their own, any sizes |
//! | result | [`Covered`] per canvas: pixels inside tiles |
//! | parameters | per canvas: tiles (slot and place, 0..=2048 of them) and feather (px, from 1 on); over a canvas ([`Overlay`]) also sides that do not fade, strength and inset |
//! | border | a tile weighs 1 at its outermost pixels, never 0; alone it is copied, or, over a canvas, fades into it |
//! | exactness | exact: weights are integers and their sum divides, so equal tiles give themselves |
//! | determinism | the same bits on every adapter |
//! | errors | `Parameter` for other formats, tiles that do not exist or do not lie inside, tiles * feather^2 above [`MAX_WEIGHT`], tiles and canvases in one buffer |
//! | source | partition of unity by normalised products of linear ramps |

use crate::core::blend::{MAX_WEIGHT, OverTile, Tile, WHOLE};
use crate::core::{Covered, Exactness, FrameLayout, PixelFormat, Rect, Size, Work};
use crate::error::{Error, Result};
use crate::gpu::{AdapterClass, GpuBuffer, GpuContext, Kernel};
use crate::ops::{
    BatchShape, CoverBound, FrameBatch, GpuPictures, OpInfo, ParamDoc, Passes, PictureTable, bytes_of, check_sides,
    counts, covering, grid, on_copy, one_each, plan_error,
};

const NAME: &str = "blend/feather_composite";
/// Most tiles of a canvas: bounds the loop of the kernel.
const MAX_TILES: usize = 2048;
/// Rows of an invocation of the kernel; a bin holds whole ones.
const ROWS: u32 = 4;
/// Pixels of a bin: the kernel looks only at the tiles that touch it.
const BIN: Size = Size::new(64, 32);

/// What `frameloom ops` says about this operation.
pub const INFO: OpInfo = OpInfo {
    name: NAME,
    summary: "tiles blended into canvases with weights that sum to one, in place",
    input: "rgba8 canvases and rgba8 tiles",
    output: "the canvases; Covered per canvas",
    params: &[
        ParamDoc { name: "tiles", range: "slot, x, y; inside the canvas", meaning: "what lies where" },
        ParamDoc { name: "feather", range: "1.. px", meaning: "over which a tile fades towards its sides" },
    ],
    border: "a tile weighs at least 1",
    exactness: Exactness::Exact,
    reason: "integer weights, exact division",
    source: "normalised linear ramps",
    entries: &["main"],
    fields: &[],
    work,
};

/// For tiles that cover the canvas once.
fn work(layout: &FrameLayout) -> Work {
    let n = layout.size.area();
    Work { bytes_read: n * 4, bytes_written: n * 4, ops: n * 60 }
}

/// What is blended into one canvas.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Composite {
    /// Tiles and their places; their order does not matter.
    pub tiles: Vec<Tile>,
    /// Pixels over which a tile fades towards its sides, from 1 (equal parts) on.
    pub feather: u32,
}

/// What is laid over one canvas: where the weights of tiles do not sum to one, the canvas has the rest, so that tiles fade into it and
/// may be weaker than whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overlay {
    /// Tiles; their order does not matter.
    pub tiles: Vec<OverTile>,
    /// Pixels over which a tile fades towards its sides, from 1 on.
    pub feather: u32,
    /// Pixels along each side that fades which weigh nothing: context that the tile was made with.
    pub inset: u32,
}

/// A tile as the kernel sees it, and its rectangle.
type Placed = (Rect, [u32; 4]);

/// A planned `blend/feather_composite`.
#[derive(Debug, Clone)]
pub struct FeatherCompositePlan {
    kernel: Kernel,
    shape: BatchShape,
    tiles: BatchShape,
    workgroup: u32,
}

fn missing() -> Error {
    Error::Bug("fewer composites than canvases".into())
}

/// Whether two rectangles have a pixel in common.
fn touch(a: &Rect, b: &Rect) -> bool {
    a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height
}

/// Count, feather and weights of the tiles of a canvas, where a whole tile weighs `whole` times feather^2.
fn check(count: usize, feather: u32, whole: u32) -> Result<()> {
    if count > MAX_TILES {
        return Err(plan_error(NAME, "tiles", format!("at most {MAX_TILES} of a canvas"), count));
    }
    let most = MAX_WEIGHT / u64::from(whole);
    if feather == 0 || (count.max(1) as u64).saturating_mul(u64::from(feather).pow(2)) > most {
        let wanted = format!("at least 1, and tiles * feather^2 at most {most}");
        return Err(plan_error(NAME, "feather", wanted, format!("{feather} for {count} tiles")));
    }
    Ok(())
}

/// The rectangle of a tile in a canvas of `size`, checked.
fn place(size: Size, tiles: &[Size], tile: &Tile) -> Result<Rect> {
    let wanted = || format!("one of {} slots, inside {size}", tiles.len());
    let rect = tiles
        .get(tile.slot as usize)
        .map(|s| Rect { x: tile.x, y: tile.y, width: s.width, height: s.height })
        .filter(|r| r.fits(size));
    rect.ok_or_else(|| plan_error(NAME, "tiles", wanted(), format!("{tile:?}")))
}

impl Composite {
    fn place(&self, size: Size, tiles: &[Size]) -> Result<(Vec<Placed>, [u32; 3])> {
        check(self.tiles.len(), self.feather, 1)?;
        let one = |t: &Tile| Ok((place(size, tiles, t)?, [t.slot, t.x, t.y, 1]));
        Ok((self.tiles.iter().map(one).collect::<Result<_>>()?, [self.feather, 0, 0]))
    }
}

impl Overlay {
    fn place(&self, size: Size, tiles: &[Size]) -> Result<(Vec<Placed>, [u32; 3])> {
        check(self.tiles.len(), self.feather, WHOLE)?;
        let one = |t: &OverTile| {
            if !(1..=WHOLE).contains(&t.strength) {
                return Err(plan_error(NAME, "strength", format!("1 to {WHOLE}"), t.strength));
            }
            let sides = t.flush.iter().rev().fold(0, |bits, side| bits << 1 | u32::from(*side));
            Ok((place(size, tiles, &t.tile)?, [t.tile.slot, t.tile.x, t.tile.y, t.strength | sides << 16]))
        };
        let whole = WHOLE * self.feather * self.feather;
        Ok((self.tiles.iter().map(one).collect::<Result<_>>()?, [self.feather, self.inset, whole]))
    }
}

impl FeatherCompositePlan {
    /// Plans for canvases and tiles of one layout each or, with mixed shapes, of different sizes.
    pub fn new(ctx: &GpuContext, canvases: impl Into<BatchShape>, tiles: impl Into<BatchShape>) -> Result<Self> {
        let (shape, tiles) = (canvases.into(), tiles.into());
        for (name, shape) in [("input", &shape), ("tiles", &tiles)] {
            if shape.largest().format != PixelFormat::Rgba8 {
                return Err(plan_error(NAME, name, "packed RGBA", shape.largest().format));
            }
            check_sides(NAME, name, shape.largest())?;
        }
        let workgroup = match ctx.caps().class {
            AdapterClass::Cpu => 8u32,
            AdapterClass::Gpu => 64,
        };
        let kernel = Kernel::new(ctx, NAME, "main", &[("WG", f64::from(workgroup))])?;
        Ok(Self { kernel, shape, tiles, workgroup })
    }

    /// Binds the pictures of `canvases` from slot `first` on, one of `composites` each, and all of `tiles`.
    pub fn bind(
        &self,
        ctx: &GpuContext,
        canvases: &dyn FrameBatch,
        first: u32,
        tiles: &dyn FrameBatch,
        composites: &[Composite],
    ) -> Result<CoverBound> {
        self.bind_placed(ctx, (canvases, first), tiles, ("composites", composites.len()), |i, size, sizes| {
            composites.get(i).ok_or_else(missing)?.place(size, sizes)
        })
    }

    /// The same for tiles over canvases, one of `overlays` each. What was recorded twice is laid over twice.
    ///
    /// # Errors
    /// As [`Self::bind`]; strengths out of range, 16 times the weight.
    pub fn bind_over(
        &self,
        ctx: &GpuContext,
        canvases: &dyn FrameBatch,
        first: u32,
        tiles: &dyn FrameBatch,
        overlays: &[Overlay],
    ) -> Result<CoverBound> {
        self.bind_placed(ctx, (canvases, first), tiles, ("overlays", overlays.len()), |i, size, sizes| {
            overlays.get(i).ok_or_else(missing)?.place(size, sizes)
        })
    }

    fn bind_placed(
        &self,
        ctx: &GpuContext,
        (canvases, first): (&dyn FrameBatch, u32),
        tiles: &dyn FrameBatch,
        (name, given): (&'static str, usize),
        placed: impl Fn(usize, Size, &[Size]) -> Result<(Vec<Placed>, [u32; 3])>,
    ) -> Result<CoverBound> {
        if canvases.buffer().raw() == tiles.buffer().raw() {
            return Err(plan_error(NAME, "tiles", "another buffer than the canvases", "the same"));
        }
        let pictures = PictureTable::each(ctx, NAME, "input", &self.shape, (canvases, first))?;
        let pieces = PictureTable::new(ctx, NAME, "tiles", &self.tiles, (tiles, 0))?;
        one_each(NAME, name, given, pictures.len())?;
        let (mut table, mut bins, mut list, mut items) = (Vec::new(), Vec::new(), Vec::new(), 0u64);
        for (i, size) in pictures.sizes().iter().enumerate() {
            let (rects, [feather, inset, one]) = placed(i, *size, pieces.sizes())?;
            let left = rects.iter().map(|(r, _)| r.x / 4).min().unwrap_or(0);
            let columns = rects.iter().map(|(r, _)| (r.x + r.width).div_ceil(4)).max().unwrap_or(0) - left;
            let top = rects.iter().map(|(r, _)| r.y).min().unwrap_or(0);
            let rows = rects.iter().map(|(r, _)| r.y + r.height).max().unwrap_or(0) - top;
            let (first_bin, across) = (bins.len() as u32 / 2, (4 * columns).div_ceil(BIN.width));
            table.extend([left, columns, top, rows, first_bin, across, feather, inset, one, 0, 0, 0]);
            for (j, i) in (0..rows.div_ceil(BIN.height)).flat_map(|j| (0..across).map(move |i| (j, i))) {
                let bin =
                    Rect { x: 4 * left + i * BIN.width, y: top + j * BIN.height, width: BIN.width, height: BIN.height };
                let start = list.len() as u32 / 4;
                list.extend(rects.iter().filter(|(r, _)| touch(r, &bin)).flat_map(|(_, tile)| *tile));
                bins.extend([start, list.len() as u32 / 4 - start]);
            }
            items = items.max(u64::from(columns) * u64::from(rows.div_ceil(ROWS)));
        }
        bins.extend([0; 2]);
        list.extend([0; 4]); // a binding is never empty
        let table = GpuBuffer::with_data(ctx, NAME, &bytes_of(&table))?;
        let list = GpuBuffer::with_data(ctx, NAME, &bytes_of(&list))?;
        let bins = GpuBuffer::with_data(ctx, NAME, &bytes_of(&bins))?;
        let counts = counts(ctx, NAME, pictures.len())?;
        let bind = self.kernel.bind(
            ctx,
            &[
                ("src_words", tiles.buffer()),
                ("src_pictures", pieces.buffer()),
                ("dst", canvases.buffer()),
                ("out_pictures", pictures.buffer()),
                ("src_canvases", &table),
                ("src_tiles", &list),
                ("src_bins", &bins),
                ("dst_covered", &counts),
            ],
        )?;
        let groups = grid(ctx, NAME, items, self.workgroup)?;
        let passes = Passes::new(pictures.len()).clear(&counts, 4).run(&self.kernel, bind, groups);
        Ok(covering(passes, &counts, pictures.sizes()))
    }
}

/// Copies of `backgrounds` with tiles blended in, at once: waits for the result. For scripts and tests; streams keep a plan and work in
/// place.
pub fn feather_composite(
    ctx: &GpuContext,
    backgrounds: &dyn FrameBatch,
    tiles: &dyn FrameBatch,
    composites: &[Composite],
) -> Result<(GpuPictures, Vec<Covered>)> {
    let plan = FeatherCompositePlan::new(ctx, BatchShape::of(backgrounds)?, BatchShape::of(tiles)?)?;
    on_copy(ctx, NAME, backgrounds, |copy| plan.bind(ctx, copy, 0, tiles, composites))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_beyond_64_bits_are_refused() {
        let refused = |count, feather, whole| {
            matches!(check(count, feather, whole), Err(Error::Parameter { name: "feather", .. }))
        };
        for whole in [1, WHOLE] {
            assert!(refused(MAX_TILES, u32::MAX, whole) && refused(2, u32::MAX, whole) && refused(1, u32::MAX, whole));
            // 2^64 in all: what a product cut off to 64 bits calls nothing.
            assert!(refused(1024, 1 << 27, whole));
            assert!(check(MAX_TILES, 1, whole).is_ok());
        }
    }
}
