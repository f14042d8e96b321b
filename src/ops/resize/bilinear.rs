//! `resize/bilinear`: any size to any size with two taps per axis.
//!
//! | | |
//! |---|---|
//! | input | one plane of any format, all its channels or one; 10-bit samples count with their 8 most significant bits; sizes may differ within a batch |
//! | output | a plane of an 8-bit format with as many channels, of one size, whatever it is |
//! | border | replicate |
//! | exactness | exact |
//! | determinism | the same bits on every adapter |
//! | errors | `Parameter` for planes or channels that do not exist or do not match, and sides above 32,768 |
//! | source | half-pixel centres, weights in 2048ths as OpenCV's fixed-point path, without its intermediate rounding |
//!
//! There is no low-pass: below half the size pixels are skipped, use `resize/area` there.

use super::PlaneSelect;
use super::plane::{View, bind_pictures, plane_sizes, simple_layout};
use crate::core::{Exactness, FrameLayout, Size, Work};
use crate::error::Result;
use crate::gpu::{AdapterClass, GpuBuffer, GpuContext, Kernel};
use crate::ops::{BatchShape, FrameBatch, FramesBound, GpuFrames, OpInfo, ParamDoc, gpu_params, grid, run_frames};

const NAME: &str = "resize/bilinear";

/// What `frameloom ops` says about this operation.
pub const INFO: OpInfo = OpInfo {
    name: NAME,
    summary: "any size to any size with two taps per axis",
    input: "a plane of any format, one channel or all (10 bit: 8 most significant bits), mixed sizes",
    output: "a plane of an 8-bit format",
    params: &[
        ParamDoc { name: "from", range: "plane, channel", meaning: "what is resized" },
        ParamDoc { name: "to", range: "plane", meaning: "where the result goes" },
    ],
    border: "replicate",
    exactness: Exactness::Exact,
    reason: "11-bit fixed-point weights, integers below 2^30",
    source: "half-pixel centres; weights as OpenCV",
    entries: &["main"],
    fields: Uniform::FIELDS,
    work,
};

/// For half the size of the first plane.
fn work(layout: &FrameLayout) -> Work {
    let n = layout.size.area();
    Work { bytes_read: n * u64::from(layout.format.sample_bytes()), bytes_written: n / 4, ops: n * 3 }
}

gpu_params! {
    struct Uniform {
        height: u32,
        columns: u32,
        blocks: u32,
        table_columns: u32,
        table_rows: u32,
        dst_base: u32,
        dst_stride: u32,
        dst_slot: u32,
    }
}

/// A planned `resize/bilinear` from planes of pictures to planes of one layout.
#[derive(Debug, Clone)]
pub struct BilinearPlan {
    kernel: Kernel,
    uniform: Uniform,
    shape: BatchShape,
    from: PlaneSelect,
    output: FrameLayout,
    /// Of the plane of the result.
    size: Size,
    /// Taps of columns and rows where all pictures have one size; else they are made when pictures are bound.
    tables: Option<[GpuBuffer; 2]>,
    groups: [u32; 2],
}

/// First tap, step to the second `<< 15`, weight of the second in 2048ths `<< 16`, for every destination of an axis; a multiple of four
/// entries. Sides up to 32,768 keep the tap below 2^15.
fn taps(from: u32, to: u32) -> Vec<u32> {
    let (source, twice) = (i64::from(from), 2 * i64::from(to));
    (0..to.next_multiple_of(4))
        .map(|x| {
            let place = (2 * i64::from(x.min(to - 1)) + 1) * source - i64::from(to);
            let weight = (2048 * place.rem_euclid(twice) + i64::from(to)) / twice;
            let tap = |i: i64| i.clamp(0, source - 1);
            let (first, second) = (tap(place.div_euclid(twice)), tap(place.div_euclid(twice) + 1));
            (first | (second - first) << 15 | weight << 16) as u32
        })
        .collect()
}

impl BilinearPlan {
    /// Plans from plane `from` of pictures of one layout, or of different sizes with a mixed shape, to plane `to` of frames like
    /// `output`.
    pub fn new(
        ctx: &GpuContext,
        (input, from): (impl Into<BatchShape>, PlaneSelect),
        (output, to): (&FrameLayout, PlaneSelect),
    ) -> Result<Self> {
        let shape = input.into();
        let (src, dst) = View::pair(NAME, (shape.largest(), from), (output, to))?;
        let (workgroup, rows) = match ctx.caps().class {
            AdapterClass::Cpu => (8u32, 4u32),
            AdapterClass::Gpu => (64, 1),
        };
        let mut constants = src.constants().to_vec();
        constants.extend([("WG", f64::from(workgroup)), ("ROWS", f64::from(rows))]);
        let kernel = Kernel::new(ctx, NAME, "main", &constants)?;
        let (columns, blocks) = (dst.size.width.div_ceil(4), dst.size.height.div_ceil(rows));
        let mixed = u32::from(shape.is_mixed());
        let uniform = Uniform {
            height: dst.size.height,
            columns,
            blocks,
            table_columns: mixed * columns,
            table_rows: mixed * dst.size.height.next_multiple_of(4),
            dst_base: dst.offset / 4,
            dst_stride: dst.stride / 4,
            dst_slot: output.slot_bytes() / 4,
        };
        let groups = grid(ctx, NAME, u64::from(columns) * u64::from(blocks), workgroup)?;
        let tables = if shape.is_mixed() { None } else { Some(tables(ctx, &[src.size], dst.size)?) };
        Ok(Self { kernel, uniform, shape, from, output: *output, size: dst.size, tables, groups })
    }

    /// Binds the pictures of `src` from slot `first` on to results in `dst` from slot `dst_first` on.
    ///
    /// # Errors
    /// `Parameter` for other pictures than planned, results in the buffer of the input, slots that do not exist; the budget.
    pub fn bind(
        &self,
        ctx: &GpuContext,
        src: &dyn FrameBatch,
        first: u32,
        dst: &GpuFrames,
        dst_first: u32,
    ) -> Result<FramesBound> {
        let (pictures, capacity) = bind_pictures(ctx, NAME, (src, first, &self.shape), (dst, dst_first, &self.output))?;
        let uniform = Uniform { dst_base: self.uniform.dst_base + dst_first * self.uniform.dst_slot, ..self.uniform };
        let params = uniform.upload(ctx, NAME)?;
        let [columns, rows] = match &self.tables {
            Some(tables) => tables.clone(),
            None => {
                let sizes = plane_sizes(NAME, self.shape.largest().format, self.from, pictures.sizes())?;
                tables(ctx, &sizes, self.size)?
            }
        };
        let bind = self.kernel.bind(
            ctx,
            &[
                ("params", &params),
                ("src_words", src.buffer()),
                ("src_pictures", pictures.buffer()),
                ("src_columns", &columns),
                ("src_rows", &rows),
                ("dst_words", dst.buffer()),
            ],
        )?;
        Ok(FramesBound::new(&self.kernel, bind, self.groups, capacity))
    }
}

/// Taps of columns and rows of pictures, one behind the other.
fn tables(ctx: &GpuContext, sizes: &[Size], to: Size) -> Result<[GpuBuffer; 2]> {
    let table = |taps: &mut dyn Iterator<Item = u32>| {
        let bytes: Vec<u8> = taps.flat_map(u32::to_le_bytes).collect();
        GpuBuffer::with_data(ctx, NAME, &bytes)
    };
    let columns = table(&mut sizes.iter().flat_map(|from| taps(from.width, to.width)))?;
    let rows = table(&mut sizes.iter().flat_map(|from| taps(from.height, to.height)))?;
    Ok([columns, rows])
}

/// One plane of all pictures of `src` as grey (one channel) or packed RGBA (four) of size `to`, at once: waits for the result. For
/// scripts and tests; streams keep a bound plan.
pub fn bilinear(ctx: &GpuContext, src: &dyn FrameBatch, from: PlaneSelect, to: Size) -> Result<GpuFrames> {
    let shape = BatchShape::of(src)?;
    let layout = simple_layout(NAME, shape.largest(), from, to)?;
    let plan = BilinearPlan::new(ctx, (shape, from), (&layout, PlaneSelect::FIRST))?;
    run_frames(ctx, NAME, &layout, src.slots(), |dst| plan.bind(ctx, src, 0, dst, 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// First tap, second tap, weight of the second.
    fn unpacked(from: u32, to: u32) -> Vec<(u32, u32, u32)> {
        let split = |p: u32| (p & 0x7fff, (p & 0x7fff) + (p >> 15 & 1), p >> 16);
        taps(from, to).into_iter().take(to as usize).map(split).collect()
    }

    #[test]
    fn taps_by_hand() {
        // Places -1/4, 1/4, 3/4, 5/4; then 1/4, 7/4; then -1/20000, whose fraction rounds to one.
        assert_eq!(unpacked(2, 4), [(0, 0, 1536), (0, 1, 512), (0, 1, 1536), (1, 1, 512)]);
        assert_eq!(unpacked(3, 2), [(0, 1, 512), (1, 2, 1536)]);
        assert_eq!(unpacked(9_999, 10_000).first(), Some(&(0, 0, 2048)));
    }

    #[test]
    fn taps_of_the_longest_sides_stay_inside() {
        for (from, to) in [(1, 32_768), (32_768, 1), (32_768, 32_767), (32_767, 32_768), (32_768, 32_768)] {
            let mut before = 0;
            for (first, second, weight) in unpacked(from, to) {
                assert!(before <= first && first <= second && second < from && weight <= 2048, "{from} {to}");
                before = first;
            }
        }
    }
}
