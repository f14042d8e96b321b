//! Resampling with tables of weights: what `common/resample` is fed with.

use crate::core::{FrameLayout, PixelFormat, Size};
use crate::error::Result;
use crate::gpu::{AdapterClass, BufferUse, GpuBuffer, GpuContext, Kernel};
use crate::ops::{
    BatchShape, FrameBatch, FramesBound, MAX_SIDE, Passes, PictureTable, check_count, check_sides, grid, plan_error,
};
use std::collections::HashMap;
use std::hash::Hash;

/// Weights of the sources of one destination, from source `first` on.
pub(super) struct Taps {
    pub(super) first: u32,
    pub(super) weights: Vec<i32>,
}

/// How a resampling weighs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Method {
    pub(super) op: &'static str,
    /// Bits dropped between the passes, and after them.
    pub(super) shifts: [u32; 2],
    /// Sources of destination `x` on an axis from `from` to `to` samples, all inside.
    pub(super) taps: fn(x: u32, from: u32, to: u32) -> Taps,
}

/// A planned resampling.
#[derive(Debug, Clone)]
pub(super) struct Resample {
    method: Method,
    kernels: [Kernel; 2],
    input: BatchShape,
    output: BatchShape,
    workgroup: u32,
}

/// An axis as the kernels read it: the same number of weights for every destination.
pub(super) struct Axis {
    pub(super) count: usize,
    taps: Vec<Taps>,
}

impl Axis {
    pub(super) fn new(taps: fn(u32, u32, u32) -> Taps, from: u32, to: u32) -> Self {
        let mut taps: Vec<Taps> = (0..to).map(|x| taps(x, from, to)).collect();
        let count = taps.iter().map(|t| t.weights.len()).max().unwrap_or(1);
        for one in &mut taps {
            // Zeros behind the last weight, before the first one where that would leave the picture.
            let first = one.first.min(from - (count as u32).min(from));
            one.weights.splice(0..0, std::iter::repeat_n(0, (one.first - first) as usize));
            one.weights.resize(count, 0);
            one.first = first;
        }
        Self { count, taps }
    }

    /// For rows: first sources of `group` destinations at a time, then their weights, in vec4. The first group begins with `lead`
    /// places that mean nothing.
    pub(super) fn across(&self, group: usize, lead: usize) -> Vec<i32> {
        let mut words = Vec::new();
        for begin in (0..lead + self.taps.len()).step_by(group) {
            // Places beside the destinations repeat the nearest one.
            let lane = |i: usize| {
                let at = begin + if group == 1 { 0 } else { i };
                self.taps.get(at.saturating_sub(lead)).or(self.taps.last())
            };
            let mut put = |value: &dyn Fn(&Taps) -> i32| words.extend([0, 1, 2, 3].map(|i| lane(i).map_or(0, value)));
            put(&|t| t.first as i32);
            for k in 0..self.count {
                put(&|t| t.weights.get(k).copied().unwrap_or(0));
            }
        }
        words
    }

    /// For columns: the first source of a destination, then its weights.
    pub(super) fn down(&self) -> Vec<i32> {
        self.taps.iter().flat_map(|t| std::iter::once(t.first as i32).chain(t.weights.iter().copied())).collect()
    }
}

/// Tables of all pictures, one behind the other; equal ones once.
#[derive(Default)]
pub(super) struct Tables<K> {
    words: Vec<i32>,
    known: HashMap<K, (u32, u32)>,
}

impl<K: Eq + Hash> Tables<K> {
    /// First word and number of weights of the table called `key`, which is made the first time.
    pub(super) fn add(&mut self, key: K, table: impl FnOnce() -> (usize, Vec<i32>)) -> (u32, u32) {
        let words = &mut self.words;
        *self.known.entry(key).or_insert_with(|| {
            let (at, (count, more)) = (words.len() as u32, table());
            words.extend(more);
            (at, count as u32)
        })
    }

    pub(super) fn upload(&self, ctx: &GpuContext, op: &'static str) -> Result<GpuBuffer> {
        GpuBuffer::with_data(ctx, op, &self.words.iter().flat_map(|w| w.to_le_bytes()).collect::<Vec<u8>>())
    }
}

impl Resample {
    /// From luma of any format to grey, or from packed RGBA to packed RGBA.
    pub(super) fn new(ctx: &GpuContext, method: Method, input: BatchShape, output: BatchShape) -> Result<Self> {
        let op = method.op;
        check_sides(op, "input", input.largest())?;
        check_sides(op, "output", output.largest())?;
        let (from, to) = (input.largest().format, output.largest().format);
        let wanted = result_format(from);
        if to != wanted {
            return Err(plan_error(op, "output", wanted.name(), to));
        }
        let workgroup = match ctx.caps().class {
            AdapterClass::Cpu => 8u32,
            AdapterClass::Gpu => 64,
        };
        let [row_shift, column_shift] = method.shifts;
        let constants = [
            ("RGBA", u32::from(from == PixelFormat::Rgba8)),
            ("WIDE", u32::from(from.sample_bytes() == 2)),
            ("SHIFT", from.shift_to_8bit()),
            ("WG", workgroup),
            ("ROW_SHIFT", row_shift),
            ("COLUMN_SHIFT", column_shift),
        ]
        .map(|(name, value)| (name, f64::from(value)));
        let kernel = |entry| Kernel::new(ctx, op, entry, &constants);
        Ok(Self { method, kernels: [kernel("rows")?, kernel("columns")?], input, output, workgroup })
    }

    pub(super) fn output(&self) -> &FrameLayout {
        self.output.largest()
    }

    /// Binds the pictures of `src` from slot `first` on to those of `dst` from slot `dst_first` on, in pairs.
    pub(super) fn bind(
        &self,
        ctx: &GpuContext,
        (src, first): (&dyn FrameBatch, u32),
        (dst, dst_first): (&dyn FrameBatch, u32),
    ) -> Result<FramesBound> {
        let op = self.method.op;
        if src.buffer().raw() == dst.buffer().raw() {
            return Err(plan_error(op, "output", "another buffer than the input", "the same"));
        }
        let from = PictureTable::new(ctx, op, "input", &self.input, (src, first))?;
        let to = PictureTable::new(ctx, op, "output", &self.output, (dst, dst_first))?;
        check_count(ctx, op, "input", u64::from(from.len().min(to.len())))?;
        let group = if self.output().format == PixelFormat::Rgba8 { 1 } else { 4 };
        let (mut across, mut down, mut places) = (Tables::default(), Tables::default(), Vec::new());
        let (mut end, mut row_items, mut column_items) = (0u32, 0u64, 0u64);
        for (from, to) in from.sizes().iter().zip(to.sizes().iter()) {
            let axis = |from, to| Axis::new(self.method.taps, from, to);
            let x = across.add((from.width, to.width), || {
                let axis = axis(from.width, to.width);
                (axis.count, axis.across(group as usize, 0))
            });
            let y = down.add((from.height, to.height), || {
                let axis = axis(from.height, to.height);
                (axis.count, axis.down())
            });
            let groups = to.width.div_ceil(group);
            places.extend([x.0 / 4, y.0, x.1, y.1, end, groups, 0, 0]);
            row_items = row_items.max(u64::from(groups) * u64::from(from.height.div_ceil(4)));
            column_items = column_items.max(u64::from(groups) * u64::from(to.height));
            end += groups * from.height;
        }
        let bytes: Vec<u8> = places.into_iter().flat_map(u32::to_le_bytes).collect();
        let places = GpuBuffer::with_data(ctx, op, &bytes)?;
        let sums = GpuBuffer::new(ctx, op, 16 * u64::from(end), BufferUse::Storage)?;
        let [rows, columns] = &self.kernels;
        let across = rows.bind(
            ctx,
            &[
                ("src_words", src.buffer()),
                ("src_pictures", from.buffer()),
                ("places", &places),
                ("across", &across.upload(ctx, op)?),
                ("dst_sums", &sums),
            ],
        )?;
        let down = columns.bind(
            ctx,
            &[
                ("dst_words", dst.buffer()),
                ("out_pictures", to.buffer()),
                ("places", &places),
                ("down", &down.upload(ctx, op)?),
                ("sums", &sums),
            ],
        )?;
        Ok(Passes::new(from.len().min(to.len()))
            .run(rows, across, grid(ctx, op, row_items, self.workgroup)?)
            .run(columns, down, grid(ctx, op, column_items, self.workgroup)?)
            .into())
    }
}

/// Format of the results of resampling whole pictures.
pub(super) fn result_format(from: PixelFormat) -> PixelFormat {
    if from == PixelFormat::Rgba8 { from } else { PixelFormat::Gray8 }
}

/// Layout of a convenience result of size `to`.
pub(super) fn result_layout(op: &'static str, from: PixelFormat, to: Size) -> Result<FrameLayout> {
    FrameLayout::of(result_format(from), to)
        .ok_or_else(|| plan_error(op, "to", format!("1x1 to {MAX_SIDE}x{MAX_SIDE}"), to))
}
