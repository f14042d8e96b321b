//! `hog/hog`: histograms of oriented gradients, the descriptor of a whole picture.
//!
//! | | |
//! |---|---|
//! | input | the luma plane of any YUV or grey format, 8 or 10 bits, at least one block large; sizes may differ within a batch |
//! | output | per picture [`HogParams::dim`] f32 in the order block row, block column, cell row, cell column, bin; pictures lie [`HogPlan::dim`] numbers apart |
//! | parameters | `bins` 1 to 20, sides of `cell` 1 to 256 pixels, sides of `block` 1 to 8 cells |
//! | border | a gradient across the edge of the picture is 0; pixels behind the last whole cell do not vote |
//! | exactness | within 1e-5; the bin of every pixel is exact |
//! | determinism | the same bits every time on one adapter; adapters may differ in the last bits of f32 |
//! | errors | `Parameter` for formats without luma, sides above 32,768, parameters out of range, pictures smaller than a block |
//! | source | Dalal and Triggs 2005; conventions of scikit-image (hard bins, L2-Hys) |

use crate::core::{Exactness, FrameLayout, HogParams, Size, Work};
use crate::error::Result;
use crate::gpu::{AdapterClass, BufferUse, GpuBuffer, GpuContext, Kernel};
use crate::ops::luma_plane::LumaPlane;
use crate::ops::{
    BatchShape, FrameBatch, Measure, OpInfo, ParamDoc, Passes, PictureTable, gpu_params, grid, plan_error,
    reads_pictures, words,
};

const NAME: &str = "hog/hog";
const MAX_BINS: u32 = 20;
const MAX_CELL: u32 = 256;
const MAX_BLOCK: u32 = 8;
/// Most invocations a cell is split into: the second pass adds their results again and again.
const MAX_PARTS: u32 = 8;

/// What `frameloom ops` says about this operation.
pub const INFO: OpInfo = OpInfo {
    name: NAME,
    summary: "histograms of oriented gradients over cells, L2-Hys blocks",
    input: "luma plane, u8 or 10 bit (8 most significant bits used)",
    output: "f32 per block, cell of the block and bin, 0 to 1",
    params: &[
        ParamDoc { name: "bins", range: "1..=20", meaning: "orientations in [0, 180) degrees" },
        ParamDoc { name: "cell", range: "sides 1..=256 pixels", meaning: "pixels of a cell" },
        ParamDoc { name: "block", range: "sides 1..=8 cells", meaning: "cells of a block; blocks are one cell apart" },
    ],
    border: "gradients across the edge are 0; pixels behind the last whole cell do not vote",
    exactness: Exactness::Abs(1e-5),
    reason: "bins are exact; lengths and their sums are f32",
    source: "Dalal and Triggs 2005, as skimage.feature.hog",
    entries: &["cells", "blocks"],
    fields: Uniform::FIELDS,
    work,
};

/// With cells of 8x8 pixels and blocks of 2x2 cells.
fn work(layout: &FrameLayout) -> Work {
    let n = layout.size.area();
    let bytes_written = HogParams::square(8).dim(layout.size) * 4;
    Work { bytes_read: n * u64::from(layout.format.sample_bytes()), bytes_written, ops: n * 60 }
}

gpu_params! {
    struct Uniform {
        cell_width: u32,
        cell_height: u32,
        block_width: u32,
        block_height: u32,
        rows: u32,
        part_slot: u32,
        slot: u32,
        per_area: f32,
    }
}

/// A planned `hog/hog`.
#[derive(Debug, Clone)]
pub struct HogPlan {
    cells: Kernel,
    blocks: Kernel,
    uniform: Uniform,
    borders: Vec<u8>,
    shape: BatchShape,
    params: HogParams,
    cell_groups: [u32; 2],
    block_groups: [u32; 2],
}

/// A plan bound to pictures.
pub type HogBound = Measure<Vec<f32>>;

impl HogPlan {
    /// Plans for pictures of one layout or, with a mixed shape, of different sizes.
    pub fn new(ctx: &GpuContext, shape: impl Into<BatchShape>, params: HogParams) -> Result<Self> {
        let shape = shape.into();
        let plane = LumaPlane::of_shape(NAME, &shape)?;
        check(&params)?;
        let size = shape.largest().size;
        check_size(&params, size)?;
        let wg = match ctx.caps().class {
            AdapterClass::Cpu => 8u32,
            AdapterClass::Gpu => 64,
        };
        let vecs = (params.bins - 1).div_ceil(4);
        // Parts of at least 8 rows: shorter ones read the rows above and below too often.
        let rows = params.cell.height.div_ceil(MAX_PARTS).max(8);
        let parts = params.cell.height.div_ceil(rows);
        let own = [("WG", wg), ("VECS", vecs), ("BINS", params.bins), ("PARTS", parts)];
        let items = params.cells(size).area() * u64::from(parts);
        let (part_slot, slot) = (items * u64::from(params.bins + 1), params.dim(size));
        let (Ok(part_slot), Ok(slot)) = (i32::try_from(part_slot * 4), i32::try_from(slot * 4)) else {
            return Err(plan_error(NAME, "input", "descriptors and cells below 2 GiB per picture", size));
        };
        let uniform = Uniform {
            cell_width: params.cell.width,
            cell_height: params.cell.height,
            block_width: params.block.width,
            block_height: params.block.height,
            rows,
            part_slot: part_slot as u32 / 4,
            slot: slot as u32 / 4,
            per_area: (1.0 / params.cell.area() as f64) as f32,
        };
        Ok(Self {
            cells: Kernel::new(ctx, NAME, "cells", &plane.constants(own))?,
            blocks: Kernel::new(ctx, NAME, "blocks", &own.map(|(name, value)| (name, f64::from(value))))?,
            uniform,
            borders: border_table(params.bins, vecs),
            shape,
            params,
            cell_groups: grid(ctx, NAME, items, wg)?,
            block_groups: grid(ctx, NAME, params.blocks(size).area(), wg)?,
        })
    }

    /// Numbers from one picture's descriptor to the next: the length of the largest one. Shorter ones begin there, too.
    pub fn dim(&self) -> u32 {
        self.uniform.slot
    }

    /// Binds the pictures of `src` from slot `first` on.
    ///
    /// # Errors
    /// `Parameter` for pictures that are not as planned, or smaller than a block.
    pub fn bind(&self, ctx: &GpuContext, src: &dyn FrameBatch, first: u32) -> Result<HogBound> {
        let pictures = PictureTable::each(ctx, NAME, "input", &self.shape, (src, first))?;
        pictures.sizes().iter().try_for_each(|size| check_size(&self.params, *size))?;
        let count = u64::from(pictures.len());
        let params = self.uniform.upload(ctx, NAME)?;
        let borders = GpuBuffer::new(ctx, NAME, self.borders.len() as u64, BufferUse::Storage)?;
        borders.write(ctx, 0, &self.borders)?;
        let parts = GpuBuffer::new(ctx, NAME, u64::from(self.uniform.part_slot) * 4 * count, BufferUse::Storage)?;
        let frame_bytes = u64::from(self.uniform.slot) * 4;
        let out = GpuBuffer::new(ctx, NAME, frame_bytes * count, BufferUse::Storage)?;
        let cells = self.cells.bind(
            ctx,
            &[
                ("params", &params),
                ("src_words", src.buffer()),
                ("src_pictures", pictures.buffer()),
                ("src_borders", &borders),
                ("dst_parts", &parts),
            ],
        )?;
        let blocks = self.blocks.bind(
            ctx,
            &[("params", &params), ("src_pictures", pictures.buffer()), ("src_parts", &parts), ("dst", &out)],
        )?;
        let passes = Passes::new(pictures.len()).run(&self.cells, cells, self.cell_groups).run(
            &self.blocks,
            blocks,
            self.block_groups,
        );
        let hog = self.params;
        let decode = move |bytes: &[u8], size: Size| {
            words(bytes).map(f32::from_bits).take(usize::try_from(hog.dim(size)).unwrap_or(usize::MAX)).collect()
        };
        Ok(Measure::new(passes, (&out, frame_bytes), pictures.sizes(), decode))
    }
}

fn check(params: &HogParams) -> Result<()> {
    let side = |name, size: Size, most: u32, unit: &str| {
        let fits = |side| (1..=most).contains(&side);
        if fits(size.width) && fits(size.height) {
            return Ok(());
        }
        Err(plan_error(NAME, name, format!("sides of 1 to {most} {unit}"), size))
    };
    side("cell", params.cell, MAX_CELL, "pixels")?;
    side("block", params.block, MAX_BLOCK, "cells")?;
    if !(1..=MAX_BINS).contains(&params.bins) {
        return Err(plan_error(NAME, "bins", format!("1 to {MAX_BINS}"), params.bins));
    }
    Ok(())
}

fn check_size(params: &HogParams, size: Size) -> Result<()> {
    if params.dim(size) == 0 {
        let Size { width, height } = params.cell;
        let least = Size::new(width * params.block.width, height * params.block.height);
        return Err(plan_error(NAME, "input", format!("at least {least}, one block"), size));
    }
    Ok(())
}

/// Lower borders of bins 1, 2, ... in groups of four, x and y apart; behind the last bin one that no gradient reaches.
fn border_table(bins: u32, vecs: u32) -> Vec<u8> {
    let direction = |i: u32| if i < bins { border(i, bins) } else { (-2 * MAX_STEP, 1) };
    (0..vecs)
        .flat_map(|k| {
            let four = [1, 2, 3, 4].map(|j| direction(4 * k + j));
            let (x, y) = (four.map(|d| d.0), four.map(|d| d.1));
            x.into_iter().chain(y).flat_map(|v| (v as f32).to_le_bytes())
        })
        .collect()
}

/// Largest step between samples, and so the largest component of a gradient.
const MAX_STEP: i32 = 255;

/// An integer direction that stands for the angle `180 i / bins` degrees, 0 < i < bins: a gradient with components up to [`MAX_STEP`] in
/// the upper half plane lies at or left of one exactly when it does of the other. On multiples of 45 degrees it is the angle itself;
/// elsewhere the angle's tangent is irrational, and the first mediant of the Stern-Brocot tree with a larger component lies, like the
/// angle, between the two neighbouring gradients.
fn border(i: u32, bins: u32) -> (i32, i32) {
    if (4 * i).is_multiple_of(bins) {
        return match 4 * i / bins {
            1 => (1, 1),
            2 => (0, 1),
            _ => (-1, 1),
        };
    }
    let mirrored = 2 * i > bins;
    let from_axis = if mirrored { bins - i } else { i };
    let (sin, cos) = (std::f64::consts::PI * f64::from(from_axis) / f64::from(bins)).sin_cos();
    let (mut right, mut left) = ((1, 0), (0, 1));
    let (x, y) = loop {
        let mid: (i32, i32) = (right.0 + left.0, right.1 + left.1);
        if mid.0.max(mid.1) > MAX_STEP {
            break mid;
        }
        if f64::from(mid.1) * cos > f64::from(mid.0) * sin {
            left = mid;
        } else {
            right = mid;
        }
    };
    (if mirrored { -x } else { x }, y)
}

/// Descriptors of all pictures of `src`, at once: waits for the result. For scripts and tests; streams keep a bound plan.
pub fn hog(ctx: &GpuContext, src: &dyn FrameBatch, params: HogParams) -> Result<Vec<Vec<f32>>> {
    HogPlan::new(ctx, BatchShape::of(src)?, params)?.bind(ctx, src, 0)?.run(ctx)
}

reads_pictures!(HogPlan, HogBound, |plan| plan.shape);

#[cfg(test)]
mod tests {
    use super::*;

    /// Every gradient there is, against its angle: where they differ in f64 by more than rounding, the integers must say the same; on
    /// multiples of 45 degrees they must say "reached".
    #[test]
    fn borders_file_every_gradient_as_its_angle_does() {
        for bins in 2..=MAX_BINS {
            for i in 1..bins {
                let (x, y) = border(i, bins);
                assert!(x.abs() <= 2 * MAX_STEP && y > 0 && y <= 2 * MAX_STEP);
                let (sin, cos) = (std::f64::consts::PI * f64::from(i) / f64::from(bins)).sin_cos();
                for gy in 0..=MAX_STEP {
                    for gx in -MAX_STEP..=MAX_STEP {
                        let side = f64::from(gy) * cos - f64::from(gx) * sin;
                        let reached = x * gy - y * gx >= 0;
                        let want =
                            side > 0.0 || (side.abs() < 1e-9 && (4 * i).is_multiple_of(bins)) || (gx, gy) == (0, 0);
                        assert_eq!(reached, want, "{bins} bins, border {i}, gradient {gx} {gy}");
                    }
                }
            }
        }
        // Behind the last bin: never, but for gradients without length.
        for gy in 0..=MAX_STEP {
            for gx in -MAX_STEP..=MAX_STEP {
                let upper = gy > 0 || gx > 0;
                assert!(!upper || -2 * MAX_STEP * gy - gx < 0, "{gx} {gy}");
            }
        }
    }
}
