//! What the operations with `common/cover` share: the loop over a box of each picture, and the mean for `common/fill`.

use crate::core::occlusion::Fill;
use crate::core::random::Draw;
use crate::core::{PixelFormat, Rect, Size};
use crate::error::Result;
use crate::gpu::{AdapterClass, BufferUse, GpuBuffer, GpuContext, Kernel};
use crate::ops::{
    BatchShape, CoverBound, FrameBatch, Passes, PictureTable, bytes_of, check_sides, counts, covering, grid, one_each,
    plan_error,
};

/// Value of `kind` in the kernels that fill.
const CONSTANT: u32 = 0;
const MEAN: u32 = 1;
const NOISE: u32 = 2;
/// Bytes of the sums of one picture: four 64-bit numbers.
const SUM_BYTES: u64 = 32;

/// What covers one picture.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cover {
    /// Holds all covered pixels; `None` for none.
    pub(super) within: Option<Rect>,
    /// Fill, or what `paint` of the operation makes of it.
    pub(super) kind: u32,
    /// R lowest.
    pub(super) colour: [u8; 3],
    /// Counters of noise.
    pub(super) draw: Draw,
    /// What the operation makes of it.
    pub(super) own: [u32; 8],
}

impl Cover {
    /// For kernels with `common/fill`.
    pub(super) fn filled(within: Option<Rect>, fill: Fill, draw: Draw, own: [u32; 8]) -> Self {
        let (kind, colour) = match fill {
            Fill::Constant(colour) => (CONSTANT, colour),
            Fill::Mean => (MEAN, [0; 3]),
            Fill::Noise => (NOISE, [0; 3]),
        };
        Self { within, kind, colour, draw, own }
    }

    /// Column, columns, top and rows of the box in units of 16 bytes.
    fn place(&self, gray: bool) -> [u32; 4] {
        let pixels = if gray { 16 } else { 4 };
        self.within.map_or([0; 4], |r| {
            let first = r.x / pixels;
            [first, (r.x + r.width).div_ceil(pixels) - first, r.y, r.height]
        })
    }

    fn words(&self, gray: bool) -> Vec<u32> {
        let [r, g, b] = self.colour.map(u32::from);
        let colour = if gray { r * 0x0101_0101 } else { r | g << 8 | b << 16 };
        let mut words = self.place(gray).to_vec();
        words.extend([self.kind, colour, self.draw.seed, self.draw.picture]);
        words.extend(self.own);
        words
    }
}

/// The kernels, planned.
#[derive(Debug, Clone)]
pub(super) struct CoverPlan {
    op: &'static str,
    main: Kernel,
    /// Sums and means, where the operation fills.
    mean: Option<(Kernel, Kernel, [u32; 2])>,
    shape: BatchShape,
    gray: bool,
    workgroup: u32,
    rows: u32,
}

impl CoverPlan {
    pub(super) fn new(ctx: &GpuContext, op: &'static str, shape: BatchShape, fills: bool) -> Result<Self> {
        let largest = shape.largest();
        let gray = match largest.format {
            PixelFormat::Gray8 => true,
            PixelFormat::Rgba8 => false,
            other => return Err(plan_error(op, "input", "packed RGBA or 8-bit grey", other)),
        };
        check_sides(op, "input", largest)?;
        // A 16-bit lane of the sums takes 8 bytes a row: at most 32 rows.
        let (workgroup, rows, sum_rows) = match ctx.caps().class {
            AdapterClass::Cpu => (8u32, 8u32, 32u32),
            AdapterClass::Gpu => (64, 1, 8),
        };
        let flag = if gray { 1.0 } else { 0.0 };
        let own = [("WG", f64::from(workgroup)), ("ROWS", f64::from(rows)), ("GRAY", flag)];
        let main = Kernel::new(ctx, op, "main", &own)?;
        let mut mean = None;
        if fills {
            let sums = [("WG", f64::from(workgroup)), ("SUM_ROWS", f64::from(sum_rows)), ("GRAY", flag)];
            let columns = largest.first().stride / 16;
            let items = u64::from(columns) * u64::from(largest.size.height.div_ceil(sum_rows));
            let groups = grid(ctx, op, items, workgroup)?;
            mean = Some((Kernel::new(ctx, op, "sum", &sums)?, Kernel::new(ctx, op, "mean", &sums)?, groups));
        }
        Ok(Self { op, main, mean, shape, gray, workgroup, rows })
    }

    /// Sizes of the pictures of `frames` from slot `first` on; there is one of `entries` for each.
    pub(super) fn pictures(
        &self,
        ctx: &GpuContext,
        (frames, first): (&dyn FrameBatch, u32),
        entries: usize,
    ) -> Result<PictureTable> {
        let table = PictureTable::each(ctx, self.op, "input", &self.shape, (frames, first))?;
        one_each(self.op, "params", entries, table.len())?;
        Ok(table)
    }

    /// Binds one of `covers` to each picture; `items` go to `src_items`, where the kernel has it.
    pub(super) fn bind(
        &self,
        ctx: &GpuContext,
        frames: &dyn FrameBatch,
        pictures: &PictureTable,
        covers: &[Cover],
        items: Option<&[u32]>,
    ) -> Result<CoverBound> {
        let table: Vec<u32> = covers.iter().flat_map(|c| c.words(self.gray)).collect();
        let table = GpuBuffer::with_data(ctx, self.op, &bytes_of(&table))?;
        let items = items.map(|i| GpuBuffer::with_data(ctx, self.op, &bytes_of(i))).transpose()?;
        let counts = counts(ctx, self.op, pictures.len())?;
        let mut passes = Passes::new(pictures.len()).clear(&counts, 4);
        let mut buffers = vec![
            ("dst", frames.buffer()),
            ("out_pictures", pictures.buffer()),
            ("src_covers", &table),
            ("dst_covered", &counts),
        ];
        if let Some(items) = &items {
            buffers.push(("src_items", items));
        }
        let means;
        if let Some((sum, mean, groups)) = &self.mean {
            let wanted = covers.iter().any(|c| c.kind == MEAN && c.within.is_some());
            // The kernel names the means in any case; without a use for them one word is enough.
            let slots = if wanted { u64::from(pictures.len()) } else { 1 };
            means = GpuBuffer::new(ctx, self.op, slots * 4, BufferUse::Storage)?;
            buffers.push(("src_means", &means));
            if wanted {
                let sums = GpuBuffer::new(ctx, self.op, slots * SUM_BYTES, BufferUse::Storage)?;
                let (table, dst) = (pictures.buffer(), frames.buffer());
                let sum_bind = sum.bind(ctx, &[("dst", dst), ("out_pictures", table), ("dst_sums", &sums)])?;
                let mean_bind =
                    mean.bind(ctx, &[("out_pictures", table), ("src_sums", &sums), ("dst_means", &means)])?;
                passes = passes.clear(&sums, SUM_BYTES).run(sum, sum_bind, *groups).run(mean, mean_bind, [1, 1]);
            }
        }
        let largest = covers.iter().map(|c| {
            let [_, columns, _, rows] = c.place(self.gray);
            u64::from(columns) * u64::from(rows.div_ceil(self.rows))
        });
        let groups = grid(ctx, self.op, largest.max().unwrap_or(0), self.workgroup)?;
        let bind = self.main.bind(ctx, &buffers)?;
        Ok(covering(passes.run(&self.main, bind, groups), &counts, pictures.sizes()))
    }
}

/// The smallest rectangle that holds all of `rects`.
pub(super) fn around(rects: &[Rect]) -> Option<Rect> {
    let x = rects.iter().map(|r| r.x).min()?;
    let y = rects.iter().map(|r| r.y).min()?;
    let right = rects.iter().map(|r| r.x + r.width).max()?;
    let bottom = rects.iter().map(|r| r.y + r.height).max()?;
    Some(Rect { x, y, width: right - x, height: bottom - y })
}

/// All of a picture.
pub(super) fn whole(size: Size) -> Option<Rect> {
    Some(Rect::full(size))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boxes_are_counted_in_columns() {
        let cover = |within| Cover { within, kind: 0, colour: [1, 2, 3], draw: Draw::default(), own: [0; 8] };
        let rect = Some(Rect { x: 5, y: 3, width: 12, height: 2 });
        assert_eq!(cover(rect).place(false), [1, 4, 3, 2]);
        assert_eq!(cover(rect).place(true), [0, 2, 3, 2]);
        assert_eq!(cover(None).place(true), [0; 4]);
        assert_eq!(cover(None).words(true)[5], 0x0101_0101);
        assert_eq!(cover(None).words(false)[5], 0x0003_0201);
        let two = [Rect { x: 5, y: 3, width: 2, height: 2 }, Rect { x: 1, y: 4, width: 1, height: 9 }];
        assert_eq!(around(&two), Some(Rect { x: 1, y: 3, width: 6, height: 10 }));
        assert_eq!(around(&[]), None);
    }
}
