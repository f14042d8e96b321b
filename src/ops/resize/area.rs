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
use super::spans::{Axis, Ruler};
use crate::core::{ChromaSiting, Exactness, FrameLayout, Rect, Size, Work};
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
    entries: &["average_boxes", "average_weighted", "average_pixels", "average_quads"],
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
    /// The same, of a part of each picture, which may be smaller than the result.
    Parts,
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
        to: (&FrameLayout, PlaneSelect),
    ) -> Result<Self> {
        Self::plan(ctx, (input.into(), from), to, false)
    }

    /// Plans for parts of the pictures, chosen when they are bound with [`Self::bind_parts`]. Parts smaller than the result are
    /// enlarged by the same rule: each pixel is the mean of what it covers.
    pub(crate) fn for_parts(
        ctx: &GpuContext,
        (input, from): (impl Into<BatchShape>, PlaneSelect),
        to: (&FrameLayout, PlaneSelect),
    ) -> Result<Self> {
        Self::plan(ctx, (input.into(), from), to, true)
    }

    fn plan(
        ctx: &GpuContext,
        (shape, from): (BatchShape, PlaneSelect),
        (output, to): (&FrameLayout, PlaneSelect),
        parts: bool,
    ) -> Result<Self> {
        let (src, dst) = View::pair(NAME, (shape.largest(), from), (output, to))?;
        let Size { width, height } = dst.size;
        if !parts && (width > src.size.width || height > src.size.height) {
            return Err(plan_error(NAME, "output", format!("at most {}", src.size), dst.size));
        }
        let factors = (whole_factor(src.size.width, width), whole_factor(src.size.height, height));
        let boxes = match factors {
            (Some(x), Some(y)) if src.channels == 1 && !shape.is_mixed() && !parts => Some((x, y)),
            _ => None,
        };
        // The common divisor of the weights of an axis is at most a side of the source: sums of 255 times them fit into 32 bits.
        let quads = src.channels == 4 && src.size.area() <= 1 << 24;
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
            None => (4, if src.channels == 4 && !quads { 1 } else { 4 }),
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
            let (most_x, most_y, tables) = if shape.is_mixed() || parts {
                uniform.table_columns = width.next_multiple_of(4);
                uniform.table_rows = 1 + height.next_multiple_of(4);
                let most = |from: u32, to: u32| u64::from(from.div_ceil(to)) + 1;
                (
                    most(src.size.width, width),
                    most(src.size.height, height),
                    if parts { Tables::Parts } else { Tables::Own },
                )
            } else {
                let (x, y) = whole(src.size, dst.size);
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
            let entry = match src.channels {
                4 if quads => "average_quads",
                4 => "average_pixels",
                _ => "average_weighted",
            };
            (entry, tables)
        };
        let kernel = Kernel::new(ctx, NAME, entry, &constants)?;
        let groups = grid(ctx, NAME, u64::from(uniform.columns) * u64::from(height), workgroup)?;
        Ok(Self { kernel, uniform, shape, from, output: *output, size: dst.size, tables, groups })
    }

    /// Binds the pictures of `src` from slot `first` on to results in `dst` from slot `dst_first` on.
    ///
    /// # Errors
    /// `Parameter` for other pictures than planned, pictures smaller than the result, results in the buffer of the input, slots that do not
    /// exist; the budget.
    pub fn bind(
        &self,
        ctx: &GpuContext,
        src: &dyn FrameBatch,
        first: u32,
        dst: &GpuFrames,
        dst_first: u32,
    ) -> Result<FramesBound> {
        let size = self.size;
        self.bind_axes(ctx, (src, first), (dst, dst_first), |_, plane| {
            if plane.width < size.width || plane.height < size.height {
                return Err(plan_error(NAME, "input", format!("at least {size} (or resize/bilinear)"), plane));
            }
            Ok(whole(plane, size))
        })
    }

    /// Binds a part of each picture of `src` from slot `first` on: `part` of its size, in luma pixels and inside. Chroma samples count
    /// where `siting` says that they lie; behind the last one it is repeated.
    pub(crate) fn bind_parts(
        &self,
        ctx: &GpuContext,
        (src, first): (&dyn FrameBatch, u32),
        dst: &GpuFrames,
        siting: ChromaSiting,
        part: impl Fn(Size) -> Rect,
    ) -> Result<FramesBound> {
        let Size { width, height } = self.size;
        let chroma = if self.from.plane > 0 { self.shape.largest().format.chroma_shift() } else { (0, 0) };
        let ruler = |shift: u32, cosited: bool, (start, size): (u32, u32), count: u32, to: u32| match shift {
            0 => Ruler::part(start, size, count, to),
            _ => Ruler::half(start, size, count, to, cosited),
        };
        let (cosited_x, cosited_y) = (siting != ChromaSiting::Center, siting == ChromaSiting::TopLeft);
        self.bind_axes(ctx, (src, first), (dst, 0), |picture, plane| {
            let part = part(picture);
            if !part.fits(picture) {
                return Err(plan_error(NAME, "part", format!("a part of {picture}"), format!("{part:?}")));
            }
            let x = ruler(chroma.0, cosited_x, (part.x, part.width), plane.width, width);
            let y = ruler(chroma.1, cosited_y, (part.y, part.height), plane.height, height);
            Ok((x.axis(width), y.axis(height)))
        })
    }

    /// `axes` of a picture and its plane, where each has its own table.
    fn bind_axes(
        &self,
        ctx: &GpuContext,
        (src, first): (&dyn FrameBatch, u32),
        (dst, dst_first): (&GpuFrames, u32),
        axes: impl Fn(Size, Size) -> Result<(Axis, Axis)>,
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
            Tables::Own | Tables::Parts => {
                let planes = plane_sizes(NAME, self.shape.largest().format, self.from, pictures.sizes())?;
                let axes = pictures.sizes().iter().zip(planes).map(|(picture, plane)| axes(*picture, plane));
                tables(ctx, &axes.collect::<Result<Vec<_>>>()?)?
            }
        };
        let buffers = [
            ("params", &params),
            ("src", src.buffer()),
            ("src_words", src.buffer()),
            ("src_pictures", pictures.buffer()),
            ("src_columns", &columns),
            ("src_rows", &rows),
            ("dst", dst.buffer()),
            ("dst_words", dst.buffer()),
        ];
        let uses = |name: &str| self.kernel.interface().bindings.iter().any(|b| b.name == name);
        let wanted: Vec<_> = buffers.into_iter().filter(|(name, _)| uses(name)).collect();
        let bind = self.kernel.bind(ctx, &wanted)?;
        Ok(FramesBound::new(&self.kernel, bind, self.groups, capacity))
    }
}

/// The axes from a whole plane to a result.
fn whole(plane: Size, to: Size) -> (Axis, Axis) {
    (Ruler::whole(plane.width, to.width).axis(to.width), Ruler::whole(plane.height, to.height).axis(to.height))
}

/// Tables of pictures, one behind the other: columns; full weights, then rows.
fn tables(ctx: &GpuContext, axes: &[(Axis, Axis)]) -> Result<[GpuBuffer; 2]> {
    if let Some((x, y)) = axes.iter().find(|(x, y)| u64::from(x.sum) * u64::from(y.sum) > 1 << 30) {
        let wanted = "chroma planes with sides up to 16384, or in whole factors";
        return Err(plan_error(NAME, "input", wanted, format!("{} x {} parts", x.sum, y.sum)));
    }
    let bytes = |entries: &mut dyn Iterator<Item = &[u32; 4]>| -> Vec<u8> {
        entries.flatten().flat_map(|v| v.to_le_bytes()).collect()
    };
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
}
