//! `resize/area`: smaller pictures as coverage-weighted means.
//!
//! | | |
//! |---|---|
//! | input | one plane of any format, all its channels or one; 10-bit samples count with their 8 most significant bits; sizes may differ within a batch |
//! | output | a plane of an 8-bit format with as many channels, of one size, at most as large along either axis as every source |
//! | border | none: sources never lie outside |
//! | exactness | exact |
//! | determinism | the same bits on every adapter |
//! | errors | `Parameter` for planes or channels that do not exist or do not match, enlargement, sides above 32,768, and pixels made of more than about 30,000 sources (130,000 of one channel) |
//! | source | box mean; fractional factors weighted by coverage, in integers |

use super::PlaneSelect;
use super::plane::{View, bind_pictures, plane_sizes, simple_layout};
use crate::core::{Exactness, FrameLayout, Size, Work};
use crate::error::Result;
use crate::gpu::{AdapterClass, GpuBuffer, GpuContext, Kernel};
use crate::ops::{
    BatchShape, FrameBatch, FramesBound, GpuFrames, OpInfo, ParamDoc, gpu_params, grid, plan_error, run_frames,
};

const NAME: &str = "resize/area";
/// Steps that all loops of an invocation may take together.
const MAX_STEPS: u64 = 32_768;

/// What `frameloom ops` says about this operation.
pub const INFO: OpInfo = OpInfo {
    name: NAME,
    summary: "smaller pictures as coverage-weighted means",
    input: "a plane of any format, one channel or all (10 bit: 8 most significant bits), mixed sizes",
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
        height: u32,
        columns: u32,
        table_columns: u32,
        table_rows: u32,
        dst_base: u32,
        dst_stride: u32,
        dst_slot: u32,
    }
}

/// A planned `resize/area` from planes of pictures to planes of one layout.
#[derive(Debug, Clone)]
pub struct AreaPlan {
    kernel: Kernel,
    uniform: Uniform,
    shape: BatchShape,
    from: PlaneSelect,
    output: FrameLayout,
    /// Of the plane of the result.
    size: Size,
    tables: Tables,
    groups: [u32; 2],
}

/// Sources per column and row.
#[derive(Debug, Clone)]
enum Tables {
    /// Whole factors need none.
    None,
    /// All pictures have one size.
    Shared([GpuBuffer; 2]),
    /// A table for each picture, made when they are bound.
    Own,
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
    /// Plans from plane `from` of pictures of one layout, or of different sizes with a mixed shape, to plane `to` of frames like
    /// `output`.
    pub fn new(
        ctx: &GpuContext,
        (input, from): (impl Into<BatchShape>, PlaneSelect),
        (output, to): (&FrameLayout, PlaneSelect),
    ) -> Result<Self> {
        let shape = input.into();
        let (src, dst) = View::pair(NAME, (shape.largest(), from), (output, to))?;
        let Size { width, height } = dst.size;
        if width > src.size.width || height > src.size.height {
            return Err(plan_error(NAME, "output", format!("at most {}", src.size), dst.size));
        }
        let factors = (whole_factor(src.size.width, width), whole_factor(src.size.height, height));
        let boxes = match factors {
            (Some(x), Some(y)) if src.channels == 1 && !shape.is_mixed() => Some((x, y)),
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
            height,
            columns: width.div_ceil(pixels),
            table_columns: 0,
            table_rows: 0,
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
            ("average_boxes", Tables::None)
        } else {
            let (most_x, most_y, tables) = if shape.is_mixed() {
                uniform.table_columns = width.next_multiple_of(4);
                uniform.table_rows = 1 + height.next_multiple_of(4);
                let most = |from: u32, to: u32| u64::from(from.div_ceil(to)) + 1;
                (most(src.size.width, width), most(src.size.height, height), Tables::Own)
            } else {
                let (x, y) = (axis(src.size.width, width), axis(src.size.height, height));
                (x.most, y.most, Tables::Shared(tables(ctx, &[(x, y)])?))
            };
            // A span of n samples touches at most this many words of four.
            let words = (most_x + 2) / 4 + 1;
            let per_row = if src.channels == 4 { most_x + 1 } else { u64::from(src.channels) * (words + 1) };
            let steps = (most_y + 1) * per_row;
            if steps > MAX_STEPS {
                let wanted = format!("large enough that a pixel takes at most {MAX_STEPS} steps (resize in two turns)");
                return Err(plan_error(NAME, "output", wanted, format!("{} for {}", steps, dst.size)));
            }
            constants.push(("WORDS", words as f64));
            (if src.channels == 4 { "average_pixels" } else { "average_weighted" }, tables)
        };
        let kernel = Kernel::new(ctx, NAME, entry, &constants)?;
        let groups = grid(ctx, NAME, u64::from(uniform.columns) * u64::from(height), workgroup)?;
        Ok(Self { kernel, uniform, shape, from, output: *output, size: dst.size, tables, groups })
    }

    /// Binds the pictures of `src` from slot `first` on to results in `dst` from slot `dst_first` on.
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
            Tables::None => {
                let buffers = [
                    ("params", &params),
                    ("src", src.buffer()),
                    ("src_pictures", pictures.buffer()),
                    ("dst", dst.buffer()),
                ];
                return Ok(FramesBound::new(&self.kernel, self.kernel.bind(ctx, &buffers)?, self.groups, capacity));
            }
            Tables::Shared(tables) => tables.clone(),
            Tables::Own => {
                let sizes = plane_sizes(NAME, self.shape.largest().format, self.from, pictures.sizes())?;
                let Size { width, height } = self.size;
                if let Some(small) = sizes.iter().find(|s| s.width < width || s.height < height) {
                    return Err(plan_error(
                        NAME,
                        "input",
                        format!("at least {} (or resize/bilinear)", self.size),
                        small,
                    ));
                }
                let axes: Vec<_> = sizes.iter().map(|s| (axis(s.width, width), axis(s.height, height))).collect();
                tables(ctx, &axes)?
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

/// Tables of pictures, one behind the other: columns; full weights, then rows.
fn tables(ctx: &GpuContext, axes: &[(Axis, Axis)]) -> Result<[GpuBuffer; 2]> {
    let bytes = |entries: &mut dyn Iterator<Item = &[u32; 4]>| -> Vec<u8> {
        entries.flatten().flat_map(|v| v.to_le_bytes()).collect()
    };
    // D is at most 32768 * 32768.
    let full: Vec<_> = axes.iter().map(|(x, y)| [x.full, y.full, x.sum * y.sum, 0]).collect();
    let columns = bytes(&mut axes.iter().flat_map(|(x, _)| &x.spans));
    let rows = bytes(&mut full.iter().zip(axes).flat_map(|(full, (_, y))| std::iter::once(full).chain(y.spans.iter())));
    Ok([GpuBuffer::with_data(ctx, NAME, &columns)?, GpuBuffer::with_data(ctx, NAME, &rows)?])
}

/// One plane of all pictures of `src` as grey (one channel) or packed RGBA (four) of size `to`, at once: waits for the result. For
/// scripts and tests; streams keep a bound plan.
pub fn area(ctx: &GpuContext, src: &dyn FrameBatch, from: PlaneSelect, to: Size) -> Result<GpuFrames> {
    let shape = BatchShape::of(src)?;
    let layout = simple_layout(NAME, shape.largest(), from, to)?;
    let plan = AreaPlan::new(ctx, (shape, from), (&layout, PlaneSelect::FIRST))?;
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
