//! `resize/area`: smaller pictures as coverage-weighted means.
//!
//! | | |
//! |---|---|
//! | input | one plane of any format, all its channels or one; 10-bit samples count with their 8 most significant bits |
//! | output | a plane of an 8-bit format with as many channels, at most as large along either axis |
//! | border | none: sources never lie outside |
//! | exactness | exact |
//! | determinism | the same bits on every adapter |
//! | errors | `Parameter` for planes or channels that do not exist or do not match, enlargement, sides above 32,768, and pixels made of more than about 30,000 sources (130,000 of one channel) |
//! | source | box mean; fractional factors weighted by coverage, in integers |

use super::PlaneSelect;
use super::plane::{View, simple_layout};
use crate::core::{Exactness, FrameLayout, Size, Work};
use crate::error::Result;
use crate::gpu::{AdapterClass, GpuBuffer, GpuContext, Kernel};
use crate::ops::{FramesBound, GpuFrames, OpInfo, ParamDoc, check_pair, gpu_params, grid, plan_error, run_frames};

const NAME: &str = "resize/area";
/// Steps that all loops of an invocation may take together.
const MAX_STEPS: u64 = 32_768;

/// What `frameloom ops` says about this operation.
pub const INFO: OpInfo = OpInfo {
    name: NAME,
    summary: "smaller pictures as coverage-weighted means",
    input: "a plane of any format, one channel or all (10 bit: 8 most significant bits)",
    output: "a plane of an 8-bit format, at most as large",
    params: &[
        ParamDoc { name: "from", range: "plane, channel", meaning: "what is resized" },
        ParamDoc { name: "to", range: "plane", meaning: "where the result goes" },
    ],
    border: "none",
    exactness: Exactness::Exact,
    reason: "integer sums and quotients",
    source: "box mean, coverage-weighted",
    entries: &["average_boxes", "average_weighted", "average_pixels"],
    fields: Uniform::FIELDS,
    work,
};

/// For half the size of the first plane.
fn work(layout: &FrameLayout) -> Work {
    let n = layout.size.area();
    Work { bytes_read: n * u64::from(layout.format.sample_bytes()), bytes_written: n / 4, ops: n * 2 }
}

gpu_params! {
    struct Uniform {
        base: u32,
        stride: u32,
        slot: u32,
        height: u32,
        columns: u32,
        full_x: u32,
        full_y: u32,
        total: u32,
        dst_base: u32,
        dst_stride: u32,
        dst_slot: u32,
    }
}

/// A planned `resize/area` from planes of one layout to planes of another.
#[derive(Debug, Clone)]
pub struct AreaPlan {
    kernel: Kernel,
    uniform: Uniform,
    input: FrameLayout,
    output: FrameLayout,
    /// Sources per column and row; whole factors need none.
    tables: Option<[GpuBuffer; 2]>,
    groups: [u32; 2],
}

/// One axis: sources of each destination, in weights without a common factor.
struct Axis {
    /// First and last source, what their weights exceed `full` by (modulo 2^32); a multiple of four entries.
    spans: Vec<[u32; 4]>,
    full: u32,
    sum: u32,
    most: u64,
}

fn axis(from: u32, to: u32) -> Axis {
    let common = greatest_common_divisor(from, to);
    // Dividing by the common factor changes neither quotient nor rounding, and keeps the sums small.
    let (sum, full) = (from / common, to / common);
    let spans = (0..to.next_multiple_of(4)).map(|x| {
        let (start, end) = (u64::from(x.min(to - 1)) * u64::from(sum), (u64::from(x.min(to - 1)) + 1) * u64::from(sum));
        let (first, last) = (start / u64::from(full), (end - 1) / u64::from(full));
        let head = ((first + 1) * u64::from(full)).min(end) - start;
        let tail = end - (last * u64::from(full)).max(start);
        // One source alone has all the weight at its head.
        let tail = if first == last { full } else { tail as u32 };
        [first as u32, last as u32, (head as u32).wrapping_sub(full), tail.wrapping_sub(full)]
    });
    let spans: Vec<_> = spans.collect();
    let most = spans.iter().map(|[first, last, ..]| u64::from(last - first) + 1).max().unwrap_or(1);
    Axis { spans, full, sum, most }
}

fn greatest_common_divisor(mut a: u32, mut b: u32) -> u32 {
    while b > 0 {
        (a, b) = (b, a % b);
    }
    a.max(1)
}

/// The whole factor from `from` to `to`, if it is 1 to 8.
fn whole_factor(from: u32, to: u32) -> Option<u32> {
    (from.is_multiple_of(to) && from / to <= 8).then_some(from / to)
}

/// `(sum * reciprocal) >> 20 == sum / n` for every sum of `n` bytes with half of `n` added.
const fn reciprocal(n: u32) -> u32 {
    (1u32 << 20).div_ceil(n)
}

impl AreaPlan {
    /// Plans from plane `from` of frames like `input` to plane `to` of frames like `output`.
    pub fn new(
        ctx: &GpuContext,
        (input, from): (&FrameLayout, PlaneSelect),
        (output, to): (&FrameLayout, PlaneSelect),
    ) -> Result<Self> {
        let (src, dst) = View::pair(NAME, (input, from), (output, to))?;
        let Size { width, height } = dst.size;
        if width > src.size.width || height > src.size.height {
            return Err(plan_error(NAME, "output", format!("at most {}", src.size), dst.size));
        }
        let factors = (whole_factor(src.size.width, width), whole_factor(src.size.height, height));
        let boxes = match factors {
            (Some(x), Some(y)) if src.channels == 1 => Some((x, y)),
            _ => None,
        };
        // Little work an invocation: larger groups measured faster on the software adapter too (0.34 for 0.40 ms at 1080p by 4).
        let workgroup = match ctx.caps().class {
            AdapterClass::Cpu => 32u32,
            AdapterClass::Gpu => 64,
        };
        let mut constants = src.constants().to_vec();
        constants.push(("WG", f64::from(workgroup)));
        // Bytes of the unit in which the kernel counts places, and pixels of an invocation.
        let (unit, pixels) = match boxes {
            Some(_) => (16, 16),
            None => (4, if src.channels == 4 { 1 } else { 4 }),
        };
        let mut uniform = Uniform {
            base: src.offset / unit,
            stride: src.stride / unit,
            slot: input.slot_bytes() / unit,
            height,
            columns: width.div_ceil(pixels),
            full_x: 1,
            full_y: 1,
            total: 1,
            dst_base: dst.offset / unit,
            dst_stride: dst.stride / unit,
            dst_slot: output.slot_bytes() / unit,
        };
        let (entry, tables) = if let Some((x, y)) = boxes {
            constants.extend([
                ("KX", f64::from(x)),
                ("KY", f64::from(y)),
                ("RECIPROCAL", f64::from(reciprocal(x * y))),
            ]);
            ("average_boxes", None)
        } else {
            let (x, y) = (axis(src.size.width, width), axis(src.size.height, height));
            // A span of n samples touches at most this many words of four.
            let words = (x.most + 2) / 4 + 1;
            let per_row = if src.channels == 4 { x.most + 1 } else { u64::from(src.channels) * (words + 1) };
            let steps = (y.most + 1) * per_row;
            if steps > MAX_STEPS {
                let wanted = format!("large enough that a pixel takes at most {MAX_STEPS} steps (resize in two turns)");
                return Err(plan_error(NAME, "output", wanted, format!("{} for {}", steps, dst.size)));
            }
            constants.push(("WORDS", words as f64));
            // At most 32768 * 32768.
            (uniform.full_x, uniform.full_y, uniform.total) = (x.full, y.full, x.sum * y.sum);
            (
                if src.channels == 4 { "average_pixels" } else { "average_weighted" },
                Some([table(ctx, &x)?, table(ctx, &y)?]),
            )
        };
        let kernel = Kernel::new(ctx, NAME, entry, &constants)?;
        let groups = grid(ctx, NAME, u64::from(uniform.columns) * u64::from(height), workgroup)?;
        Ok(Self { kernel, uniform, input: *input, output: *output, tables, groups })
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
        let bind = match &self.tables {
            None => self.kernel.bind(ctx, &[("params", &params), ("src", src.buffer()), ("dst", dst.buffer())])?,
            Some([columns, rows]) => self.kernel.bind(
                ctx,
                &[
                    ("params", &params),
                    ("src_words", src.buffer()),
                    ("src_columns", columns),
                    ("src_rows", rows),
                    ("dst_words", dst.buffer()),
                ],
            )?,
        };
        Ok(FramesBound::new(&self.kernel, bind, self.groups, capacity))
    }
}

fn table(ctx: &GpuContext, axis: &Axis) -> Result<GpuBuffer> {
    let bytes: Vec<u8> = axis.spans.iter().flatten().flat_map(|v| v.to_le_bytes()).collect();
    GpuBuffer::with_data(ctx, NAME, &bytes)
}

/// One plane of all frames of `src` as grey (one channel) or packed RGBA (four) of size `to`, at once: waits for the result. For
/// scripts and tests; streams keep a bound plan.
pub fn area(ctx: &GpuContext, src: &GpuFrames, from: PlaneSelect, to: Size) -> Result<GpuFrames> {
    let layout = simple_layout(NAME, src.layout(), from, to)?;
    let plan = AreaPlan::new(ctx, (src.layout(), from), (&layout, PlaneSelect::FIRST))?;
    run_frames(ctx, NAME, &layout, src.slots(), |dst| plan.bind(ctx, src, 0, dst, 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reciprocals_divide_every_sum() {
        for x in 1..=8 {
            for y in 1..=8 {
                let n = x * y;
                for sum in 0..=n * 255 + n / 2 {
                    assert_eq!((sum * reciprocal(n)) >> 20, sum / n, "{sum} / {n}");
                }
            }
        }
    }

    #[test]
    fn spans_cover_the_axis_without_gaps() {
        for (from, to) in [(1, 1), (7, 3), (1920, 480), (1921, 480), (32_768, 32_767), (32_768, 1)] {
            let a = axis(from, to);
            let mut end = 0;
            for [first, last, head, tail] in a.spans.iter().take(to as usize) {
                let sum = (last - first + 1).wrapping_mul(a.full).wrapping_add(*head).wrapping_add(*tail);
                assert_eq!(sum, a.sum, "{from} {to}");
                assert!(*first == end || *first + 1 == end);
                end = last + 1;
            }
            assert_eq!(end, from);
        }
    }
}
