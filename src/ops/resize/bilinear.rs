//! `resize/bilinear`: any size to any size with two taps per axis.
//!
//! | | |
//! |---|---|
//! | input | one plane of any format, all its channels or one; 10-bit samples count with their 8 most significant bits |
//! | output | a plane of an 8-bit format with as many channels, of any size |
//! | border | replicate |
//! | exactness | exact |
//! | determinism | the same bits on every adapter |
//! | errors | `Parameter` for planes or channels that do not exist or do not match, and sides above 32,768 |
//! | source | half-pixel centres, weights in 2048ths as OpenCV's fixed-point path, without its intermediate rounding |
//!
//! There is no low-pass: below half the size pixels are skipped, use `resize/area` there.

use super::PlaneSelect;
use super::plane::{View, simple_layout};
use crate::core::{Exactness, FrameLayout, Size, Work};
use crate::error::Result;
use crate::gpu::{AdapterClass, GpuBuffer, GpuContext, Kernel};
use crate::ops::{FramesBound, GpuFrames, OpInfo, ParamDoc, check_pair, gpu_params, grid, run_frames};

const NAME: &str = "resize/bilinear";

/// What `frameloom ops` says about this operation.
pub const INFO: OpInfo = OpInfo {
    name: NAME,
    summary: "any size to any size with two taps per axis",
    input: "a plane of any format, one channel or all (10 bit: 8 most significant bits)",
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
        base: u32,
        stride: u32,
        slot: u32,
        height: u32,
        columns: u32,
        blocks: u32,
        dst_base: u32,
        dst_stride: u32,
        dst_slot: u32,
    }
}

/// A planned `resize/bilinear` from planes of one layout to planes of another.
#[derive(Debug, Clone)]
pub struct BilinearPlan {
    kernel: Kernel,
    uniform: Uniform,
    input: FrameLayout,
    output: FrameLayout,
    columns: GpuBuffer,
    rows: GpuBuffer,
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
    /// Plans from plane `from` of frames like `input` to plane `to` of frames like `output`.
    pub fn new(
        ctx: &GpuContext,
        (input, from): (&FrameLayout, PlaneSelect),
        (output, to): (&FrameLayout, PlaneSelect),
    ) -> Result<Self> {
        let (src, dst) = View::pair(NAME, (input, from), (output, to))?;
        let (workgroup, rows) = match ctx.caps().class {
            AdapterClass::Cpu => (8u32, 4u32),
            AdapterClass::Gpu => (64, 1),
        };
        let mut constants = src.constants().to_vec();
        constants.extend([("WG", f64::from(workgroup)), ("ROWS", f64::from(rows))]);
        let kernel = Kernel::new(ctx, NAME, "main", &constants)?;
        let (columns, blocks) = (dst.size.width.div_ceil(4), dst.size.height.div_ceil(rows));
        let uniform = Uniform {
            base: src.offset / 4,
            stride: src.stride / 4,
            slot: input.slot_bytes() / 4,
            height: dst.size.height,
            columns,
            blocks,
            dst_base: dst.offset / 4,
            dst_stride: dst.stride / 4,
            dst_slot: output.slot_bytes() / 4,
        };
        let groups = grid(ctx, NAME, u64::from(columns) * u64::from(blocks), workgroup)?;
        let table = |from: u32, to: u32| {
            let bytes: Vec<u8> = taps(from, to).into_iter().flat_map(u32::to_le_bytes).collect();
            GpuBuffer::with_data(ctx, NAME, &bytes)
        };
        let columns = table(src.size.width, dst.size.width)?;
        let rows = table(src.size.height, dst.size.height)?;
        Ok(Self { kernel, uniform, input: *input, output: *output, columns, rows, groups })
    }

    /// Binds the frames of `src` from slot `first` on to results in `dst` from slot `dst_first` on.
    pub fn bind(
        &self,
        ctx: &GpuContext,
        src: &GpuFrames,
        first: u32,
        dst: &GpuFrames,
        dst_first: u32,
    ) -> Result<FramesBound> {
        let capacity = check_pair(NAME, (src, &self.input, first), (dst, &self.output, dst_first))?;
        let mut uniform = self.uniform;
        uniform.base += first * uniform.slot;
        uniform.dst_base += dst_first * uniform.dst_slot;
        let params = uniform.upload(ctx, NAME)?;
        let bind = self.kernel.bind(
            ctx,
            &[
                ("params", &params),
                ("src_words", src.buffer()),
                ("src_columns", &self.columns),
                ("src_rows", &self.rows),
                ("dst_words", dst.buffer()),
            ],
        )?;
        Ok(FramesBound::new(&self.kernel, bind, self.groups, capacity))
    }
}

/// One plane of all frames of `src` as grey (one channel) or packed RGBA (four) of size `to`, at once: waits for the result. For
/// scripts and tests; streams keep a bound plan.
pub fn bilinear(ctx: &GpuContext, src: &GpuFrames, from: PlaneSelect, to: Size) -> Result<GpuFrames> {
    let layout = simple_layout(NAME, src.layout(), from, to)?;
    let plan = BilinearPlan::new(ctx, (src.layout(), from), (&layout, PlaneSelect::FIRST))?;
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
